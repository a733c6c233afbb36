//! Handing jobs out and taking them back: claim, renew, release, rescue.
//!
//! Invariant: only a claim raises the fence, and nothing lowers it; a hold counts only while the job runs under
//! that very fence.

use std::collections::HashSet;
use std::time::Duration;

use jiff::Timestamp;
use sqlx::Row as _;
use sqlx::postgres::{PgBindIterExt as _, PgRow};

use super::batches::{self, in_batches};
use super::commit::{bury, finish};
use super::front::Marks;
use super::rows::{Moment, micros, moment_from, subject_from};
use super::session::Session;
use super::suppress::{suppressed, tally_gone};
use super::{PostgresStore, StoreError};
use crate::job::{Claimed, DeadReason, Fence, Hold, InBatch, JobId};
use crate::store::columns::{JOBS, email_of, member_of, recorded_of};
use crate::store::plan::Dead;
use crate::store::{Claim, Rescued, due};

/// Expired leases taken back in one transaction, so that none is long.
const RESCUE_BATCH: i64 = 1_000;

/// One statement. The ids are gathered in an array first: as a join, the planner may walk the whole table in the order
/// of its ids. The levels are visited in their order and no further than the limit, so that nothing is locked that is
/// not taken; each from its mark on (`front.rs`). `statement_timestamp()`, because an index cannot be searched for a clock that
/// moves meanwhile.
pub const CLAIM: &str = concat!(
    "
    UPDATE enrichment_jobs AS job SET
        state = 'running',
        attempt = attempt + 1,
        fence = fence + 1,
        lease_until = coalesce($1, statement_timestamp()) + $2 * interval '1 microsecond',
        lease_owner = $3
    WHERE id = ANY(ARRAY(
        SELECT due.id
        FROM (
            SELECT priority, since FROM unnest($5::smallint[], $6::timestamptz[]) AS mark (priority, since)
            WHERE priority <> ALL(ARRAY(",
    due::held_back!(),
    "))
        ) AS level
        CROSS JOIN LATERAL (
            SELECT id FROM enrichment_jobs
            WHERE state = 'waiting' AND priority = level.priority
                AND run_at BETWEEN level.since AND coalesce($1, statement_timestamp())
            ORDER BY run_at, id
            LIMIT $4
            FOR UPDATE SKIP LOCKED
        ) AS due
        LIMIT $4
    ))
    RETURNING
        id, fence, member_id, email, subject, attempt, queued_at, priority, run_at,
        coalesce(replay, batch) AS batch,
        CASE WHEN replay IS NOT NULL THEN (
            SELECT confidence::text FROM supplemental_member_information AS record
            WHERE record.member_id = job.member_id AND record.subject = job.subject
        ) END AS recorded,
        coalesce($1, statement_timestamp()) AS now,
        ",
    suppressed!("job.subject"),
    " AS suppressed,
        EXISTS (
            SELECT 1 FROM enrichment_jobs AS twin WHERE twin.subject = job.subject AND twin.id <> job.id
        ) AS has_twin"
);

/// Puts off those of the jobs just claimed whose subject another worker is looking up now: it asks the same, and what it pays for
/// should be in stock when they run. Where both are put off, the lower number comes back first. (Twins that one worker holds wait for each
/// other in `held.rs`.)
///
/// A statement of its own after the claim was committed, and only about jobs of which the claim saw that they have a twin: of two that are
/// claimed at the same moment at least one claim did, because one job was there before the other. A twin that is being
/// claimed (`xmax` is set) is waited for, as long as that claim takes.
///
/// Each twin is sought by its subject, and only there: a twin that is said to be `running` may be sought among all running
/// jobs of the fleet, once for each job of the claim.
pub const STEP_BACK: &str = "
    WITH alike AS MATERIALIZED (
        SELECT id, fence, subject, lease_owner, lease_until
        FROM enrichment_jobs
        WHERE subject = ANY($5) AND (lease_until IS NOT NULL OR xmax <> 0)
        ORDER BY member_id COLLATE \"C\"
        FOR UPDATE
    )
    UPDATE enrichment_jobs AS job SET
        state = 'waiting', lease_until = NULL, lease_owner = NULL, attempt = greatest(attempt - 1, 0),
        run_at = coalesce($3, statement_timestamp())
            + CASE WHEN late.is_second THEN interval '1 second' ELSE interval '200 milliseconds' END
    FROM (
        SELECT mine.id, bool_or(twin.id < mine.id) AS is_second
        FROM unnest($1::bigint[], $2::bigint[]) AS hold (id, fence)
        JOIN alike AS mine ON mine.id = hold.id AND mine.fence = hold.fence AND mine.lease_until IS NOT NULL
        JOIN alike AS twin ON twin.subject = mine.subject AND twin.id <> mine.id
            AND twin.lease_owner <> $4 AND twin.lease_until > coalesce($3, statement_timestamp())
        GROUP BY mine.id
    ) AS late
    WHERE job.id = late.id
    RETURNING job.id";

/// The jobs of these holds, as far as they are still good, locked. (Why their lease is asked for: `GUARDS` in `commit.rs`.)
macro_rules! held {
    ($($more:expr)?) => {
        concat!(
            "SELECT job.id",
            $($more,)?
            " FROM unnest($1::bigint[], $2::bigint[]) AS hold (id, fence)
             JOIN enrichment_jobs AS job ON job.id = hold.id AND job.fence = hold.fence
             WHERE job.lease_until IS NOT NULL
             ORDER BY job.member_id COLLATE \"C\"
             FOR UPDATE OF job"
        )
    };
}

const RENEW: &str = concat!(
    "UPDATE enrichment_jobs SET
         lease_until = coalesce($3, statement_timestamp()) + $4 * interval '1 microsecond'
     WHERE id = ANY(ARRAY(",
    held!(),
    ")) RETURNING id, fence"
);

/// The subject is read from the row as it is once it is locked: a door may have changed it while we waited.
const HELD: &str = held!(concat!(", job.member_id, ", suppressed!("job.subject"), " AS suppressed"));

const RELEASE: &str = "
    UPDATE enrichment_jobs SET
        state = 'waiting', lease_until = NULL, lease_owner = NULL,
        attempt = greatest(attempt - 1, 0), run_at = least(run_at, coalesce($2, statement_timestamp()))
    WHERE id = ANY($1)";

/// The running jobs whose lease has ended, locked; another worker's rescue takes others.
const EXPIRED: &str = concat!(
    "
    SELECT job.id, job.member_id, job.attempt, ",
    suppressed!("job.subject"),
    " AS suppressed
    FROM enrichment_jobs AS job
    WHERE job.state = 'running' AND job.lease_until <= coalesce($1, statement_timestamp())
    ORDER BY job.lease_until
    LIMIT $2
    FOR UPDATE OF job SKIP LOCKED"
);

const REQUEUE: &str = "
    UPDATE enrichment_jobs SET
        state = 'waiting', lease_until = NULL, lease_owner = NULL,
        run_at = least(run_at, coalesce($2, statement_timestamp()))
    WHERE id = ANY($1)";

pub(super) async fn claim(store: &PostgresStore, claim: Claim<'_>) -> Result<Vec<Claimed>, StoreError> {
    let now = store.now(claim.now);
    let known = store.front.marks(now).await?;
    let mut taken = take(store, &claim, &known).await?;
    if !taken.is_empty() {
        store.front.look_beside(now);
    } else if let Some(seen) = store.front.look_again(now).await
        && seen.reach_further_than(&known)
    {
        taken = take(store, &claim, &seen).await?;
    }
    taken.sort_by_key(|(run_at, job)| (job.priority, *run_at, job.hold.job));
    Ok(taken.into_iter().map(|(_, job)| job).collect())
}

/// Claims what is found from these marks on, each job with the time since when it is due.
async fn take(
    store: &PostgresStore,
    claim: &Claim<'_>,
    marks: &Marks,
) -> Result<Vec<(Timestamp, Claimed)>, StoreError> {
    let mut session = store.sessions.alone().await?;
    let query = session
        .query(CLAIM)
        .bind(store.now(claim.now))
        .bind(micros(claim.lease))
        .bind(claim.owner)
        .bind(i64::from(claim.limit))
        .bind(&marks.levels)
        .bind(&marks.since);
    let rows = session.rows(query).await?;
    session.end().await?;
    let put_off = step_back(store, &rows, claim).await?;
    let batch_of = |row: &PgRow| row.try_get::<Option<i64>, _>("batch");
    let batches = rows.iter().filter_map(|row| batch_of(row).transpose()).collect::<Result<_, _>>()?;
    let in_batches = in_batches(store, &batches).await?;
    let mut taken = Vec::with_capacity(rows.len());
    let (mut unreadable, mut suppressed) = (Vec::new(), Vec::new());
    for row in &rows {
        let hold = Hold { job: JobId(row.try_get("id")?), fence: Fence(row.try_get("fence")?) };
        if row.try_get("suppressed")? {
            suppressed.push(hold);
            continue;
        }
        if put_off.contains(&hold.job.0) {
            continue;
        }
        let batch = batch_of(row)?.and_then(|batch| in_batches.get(&batch)).cloned();
        match claimed(row, hold, batch, claim.now) {
            Ok(job) => {
                taken.push((moment_from(row, "run_at")?, job));
            }
            Err(StoreError::Corrupt { .. }) => unreadable.push(hold),
            Err(error) => return Err(error),
        }
    }
    if !unreadable.is_empty() {
        bury_unreadable(store, &unreadable, claim.now).await?;
    }
    if !suppressed.is_empty() {
        // Every way in looks for the mark, so that this is the second lock on the door. Ended, not handed out.
        tracing::warn!(count = suppressed.len(), "jobs of suppressed people waited; they are ended");
        release(store, &suppressed, claim.now).await?;
    }
    Ok(taken)
}

/// Puts off the twins of what other workers are running; returns their numbers.
async fn step_back(
    store: &PostgresStore,
    claimed: &[PgRow],
    claim: &Claim<'_>,
) -> Result<HashSet<i64>, StoreError> {
    let (mut ids, mut fences, mut subjects) = (Vec::new(), Vec::new(), Vec::new());
    for row in claimed {
        if row.try_get("has_twin")? && !row.try_get::<bool, _>("suppressed")? {
            ids.push(row.try_get::<i64, _>("id")?);
            fences.push(row.try_get::<i64, _>("fence")?);
            subjects.push(row.try_get::<&[u8], _>("subject")?);
        }
    }
    if ids.is_empty() {
        return Ok(HashSet::new());
    }
    let mut session = store.sessions.alone().await?;
    let query = session
        .query(STEP_BACK)
        .bind(ids)
        .bind(fences)
        .bind(store.now(claim.now))
        .bind(claim.owner)
        .bind(subjects.into_iter().bind_iter());
    let rows = session.rows(query).await?;
    session.end().await?;
    rows.iter().map(|row| Ok(row.try_get(0)?)).collect()
}

fn claimed(row: &PgRow, hold: Hold, batch: Option<InBatch>, now: Timestamp) -> Result<Claimed, StoreError> {
    let attempt: i32 = row.try_get("attempt")?;
    Ok(Claimed {
        hold,
        member: member_of(row.try_get("member_id")?, JOBS)?,
        email: email_of(row.try_get("email")?, JOBS)?,
        subject: subject_from(row, JOBS)?,
        attempt: u32::try_from(attempt).unwrap_or(0),
        queued_at: on_the_callers_clock(row, "queued_at", now)?,
        priority: row.try_get("priority")?,
        recorded: recorded_of(row.try_get("recorded")?),
        batch,
    })
}

/// A time of the database, as far from the caller's now as it is from the database's.
fn on_the_callers_clock(row: &PgRow, column: &str, now: Timestamp) -> Result<Timestamp, StoreError> {
    let ahead = moment_from(row, column)?.duration_since(moment_from(row, "now")?);
    Ok(now.saturating_add(ahead).unwrap_or(now))
}

/// Buries jobs that an older version took in and this one cannot read, so that they do not stop the others.
async fn bury_unreadable(store: &PostgresStore, holds: &[Hold], now: Timestamp) -> Result<(), StoreError> {
    let mut session = store.sessions.write().await?;
    let held: Vec<i64> = lock(&mut session, holds).await?.into_iter().map(|job| job.id).collect();
    let letter = |&id| Dead {
        id,
        reason: DeadReason::Malformed.as_str(),
        error: "this version cannot read the stored address",
    };
    bury(&mut session, &held.iter().map(letter).collect::<Vec<_>>(), store.now(now)).await?;
    finish(&mut session, &held).await?;
    session.end().await
}

/// A job that was locked.
struct Locked {
    id: i64,
    member: String,
    suppressed: bool,
}

impl Locked {
    fn from(row: &PgRow) -> Result<Self, StoreError> {
        let (id, member) = (row.try_get("id")?, row.try_get("member_id")?);
        Ok(Self { id, member, suppressed: row.try_get("suppressed")? })
    }
}

async fn lock(session: &mut Session, holds: &[Hold]) -> Result<Vec<Locked>, StoreError> {
    let query = session
        .query(HELD)
        .bind(holds.iter().map(|hold| hold.job.0).bind_iter())
        .bind(holds.iter().map(|hold| hold.fence.0).bind_iter());
    session.rows(query).await?.iter().map(Locked::from).collect()
}

/// Ends locked jobs of suppressed subjects; returns the others.
async fn end_suppressed(session: &mut Session, locked: Vec<Locked>) -> Result<Vec<i64>, StoreError> {
    let (suppressed, others): (Vec<_>, Vec<_>) = locked.into_iter().partition(|job| job.suppressed);
    let ended: Vec<i64> = suppressed.iter().map(|job| job.id).collect();
    finish(session, &ended).await?;
    let members: Vec<_> = suppressed.into_iter().map(|job| job.member).collect();
    tally_gone(session, &members).await?;
    Ok(others.into_iter().map(|job| job.id).collect())
}

pub(super) async fn renew(
    store: &PostgresStore,
    holds: &[Hold],
    lease: Duration,
    now: Timestamp,
) -> Result<Vec<Hold>, StoreError> {
    if holds.is_empty() {
        return Ok(Vec::new());
    }
    let mut session = store.sessions.alone().await?;
    let query = session
        .query(RENEW)
        .bind(holds.iter().map(|hold| hold.job.0).bind_iter())
        .bind(holds.iter().map(|hold| hold.fence.0).bind_iter())
        .bind(store.now(now))
        .bind(micros(lease));
    let rows = session.rows(query).await?;
    session.end().await?;
    let renewed = rows.iter().map(|row| Ok((row.try_get(0)?, row.try_get(1)?)));
    let renewed = renewed.collect::<Result<HashSet<(i64, i64)>, StoreError>>()?;
    Ok(holds.iter().filter(|hold| !renewed.contains(&(hold.job.0, hold.fence.0))).copied().collect())
}

pub(super) async fn release(store: &PostgresStore, holds: &[Hold], now: Timestamp) -> Result<(), StoreError> {
    if holds.is_empty() {
        return Ok(());
    }
    let mut session = store.sessions.write().await?;
    let locked = lock(&mut session, holds).await?;
    // First the rows, last the tally.
    let left: Vec<i64> = locked.iter().filter(|job| !job.suppressed).map(|job| job.id).collect();
    let query = session.query(RELEASE).bind(left).bind(store.now(now));
    session.run(query).await?;
    end_suppressed(&mut session, locked).await?;
    session.end().await
}

pub(super) async fn rescue(
    store: &PostgresStore,
    now: Timestamp,
    max_attempts: u32,
) -> Result<Rescued, StoreError> {
    let mut rescued = Rescued::default();
    loop {
        let mut session = store.sessions.write().await?;
        let query = session.query(EXPIRED).bind(store.now(now)).bind(RESCUE_BATCH);
        let rows = session.rows(query).await?;
        let used_up = |row: &PgRow| -> Result<bool, StoreError> {
            Ok(row.try_get::<i32, _>("attempt")? >= i32::try_from(max_attempts).unwrap_or(i32::MAX))
        };
        let (mut suppressed, mut buried, mut requeued) = (Vec::new(), Vec::new(), Vec::new());
        for row in &rows {
            let job = Locked::from(row)?;
            if job.suppressed {
                suppressed.push(job);
            } else if used_up(row)? {
                buried.push(job.id);
            } else {
                requeued.push(job.id);
            }
        }
        rescued.buried += buried.len() as u64;
        rescued.requeued += requeued.len() as u64;
        bury_expired(&mut session, &buried, store.now(now)).await?;
        if !requeued.is_empty() {
            let query = session.query(REQUEUE).bind(requeued).bind(store.now(now));
            session.run(query).await?;
        }
        end_suppressed(&mut session, suppressed).await?;
        session.end().await?;
        if i64::try_from(rows.len()).unwrap_or(i64::MAX) < RESCUE_BATCH {
            return Ok(rescued);
        }
    }
}

async fn bury_expired(session: &mut Session, jobs: &[i64], now: Option<Moment>) -> Result<(), StoreError> {
    let letter = |&id| Dead {
        id,
        reason: DeadReason::LeaseExpired.as_str(),
        error: "the worker stopped before the job was done",
    };
    let of_batches = batches::counting_dead(session, jobs).await?;
    bury(session, &jobs.iter().map(letter).collect::<Vec<_>>(), now).await?;
    finish(session, jobs).await?;
    batches::count(session, &of_batches).await
}

pub(super) async fn next_due(store: &PostgresStore, now: Timestamp) -> Result<Option<Timestamp>, StoreError> {
    let sql = concat!(
        due::levels!(),
        "
        SELECT min(at) AS at, coalesce($1, statement_timestamp()) AS now
        FROM (
            SELECT (
                SELECT min(run_at) FROM enrichment_jobs
                WHERE state = 'waiting' AND priority = level.priority
            ) AS at
            FROM level
            WHERE priority <> ALL(ARRAY(",
        due::held_back!(),
        "))
            UNION ALL
            SELECT min(lease_until) FROM enrichment_jobs WHERE state = 'running'
        ) AS due"
    );
    let mut session = store.sessions.alone().await?;
    let query = session.query(sql).bind(store.now(now));
    let row = session.row(query).await?;
    session.end().await?;
    if row.try_get::<Option<Moment>, _>("at")?.is_none() {
        return Ok(None);
    }
    on_the_callers_clock(&row, "at", now).map(Some)
}
