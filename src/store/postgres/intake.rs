//! Taking registrations in: what is known of each decides what becomes of it (`decide.rs`).
//!
//! Other doors may take the same members in at the same moment, so what was read before is only a guess of who gets a
//! job. Writing the job settles it: whoever made the row (and not another door) holds the member until the commit, and
//! reads only then what else there is of them. The batch is decided again with that.
//!
//! Invariant: `intake_tally` is counted in the transaction that takes in, from what came through the door.

use std::collections::{HashMap, HashSet};

use jiff::Timestamp;
use sqlx::Row as _;
use sqlx::postgres::{PgBindIterExt as _, PgRow};

use super::batches::{self, open_for};
use super::rows::{Moment, storable};
use super::session::Session;
use super::suppress::suppressed;
use super::{PostgresStore, StoreError, bell};
use crate::job::{BatchId, DeadReason, Intake, Refusal, Registration};
use crate::member::MemberId;
use crate::store::decide::{Decided, Known, Tally, Traces};

/// What is known of each registration's member and subject, in the order of the batch. (`OFFSET 0`: see `suppressed!`.)
const KNOWN: &str = concat!(
    "
    SELECT
        ",
    suppressed!("registration.subject"),
    ",
        coalesce(
            record.subject = registration.subject
                AND record.status IN ('complete', 'no_match')
                AND record.expires_at > coalesce($3, statement_timestamp()),
            FALSE
        ),
        EXISTS (SELECT 1 FROM enrichment_jobs WHERE member_id = registration.member_id OFFSET 0),
        record.member_id IS NOT NULL,
        EXISTS (
            SELECT 1 FROM dead_letters
            WHERE member_id = registration.member_id AND subject IS NOT NULL
            OFFSET 0
        )
    FROM unnest($1::text[], $2::bytea[]) WITH ORDINALITY AS registration (member_id, subject, position)
    LEFT JOIN supplemental_member_information AS record ON record.member_id = registration.member_id
    ORDER BY registration.position"
);

/// A known job gets the newest address. Another subject is another question: it starts afresh, at once where the
/// job waits, after the present execution where it runs (`commit` sees that the subjects differ). Whoever is handed over
/// again waits where the more urgent of the two would: a replay that was overtaken so is not one any more, nor bound by its
/// ceiling.
///
/// Numbered in the order of the batch (first come, first served), written in the order of the members, as rows are
/// locked everywhere. A row that was made here has never been locked by anyone.
const QUEUE: &str = "
    WITH numbered AS MATERIALIZED (
        SELECT nextval('enrichment_jobs_id_seq') AS id, member_id, email, subject, batch, priority
        FROM unnest($1::text[], $2::text[], $3::bytea[], $5::bigint[], $6::smallint[])
            AS registration (member_id, email, subject, batch, priority)
    )
    INSERT INTO enrichment_jobs AS job (id, member_id, email, subject, run_at, queued_at, batch, priority)
    SELECT
        id, member_id, email, subject, coalesce($4, statement_timestamp()), coalesce($4, statement_timestamp()),
        batch, priority
    FROM numbered
    ORDER BY member_id COLLATE \"C\"
    ON CONFLICT (member_id) DO UPDATE SET
        email = excluded.email,
        subject = excluded.subject,
        batch = coalesce(excluded.batch, job.batch),
        priority = least(job.priority, excluded.priority),
        replay = CASE
            WHEN job.state = 'waiting' AND excluded.priority < job.priority THEN NULL
            ELSE job.replay
        END,
        attempt = CASE WHEN job.subject = excluded.subject THEN job.attempt ELSE 0 END,
        run_at = CASE
            WHEN job.subject = excluded.subject THEN job.run_at
            ELSE least(job.run_at, excluded.run_at)
        END
    WHERE job.email <> excluded.email OR job.subject <> excluded.subject OR excluded.priority < job.priority
        OR excluded.batch IS DISTINCT FROM coalesce(job.batch, excluded.batch)
    RETURNING job.member_id, job.xmax = 0 AS is_new";

/// Removes overtaken dead letters; says of each member what there was beside the new job.
const SETTLE: &str = "
    WITH overtaken AS (
        DELETE FROM dead_letters WHERE subject IS NOT NULL AND member_id = ANY($1)
        RETURNING member_id
    )
    SELECT
        member.id,
        EXISTS (SELECT 1 FROM supplemental_member_information WHERE member_id = member.id OFFSET 0),
        EXISTS (SELECT 1 FROM overtaken WHERE member_id = member.id)
    FROM unnest($1::text[]) AS member (id)";

/// Rings the bell beside it where jobs were taken in: one message a batch, sent when the transaction commits.
const COUNT: &str = concat!(
    "UPDATE intake_tally SET
         taken_in = taken_in + $1,
         repeated = repeated + $2,
         suppressed = suppressed + $3
     WHERE stripe = pg_backend_pid() % 16
     RETURNING (SELECT pg_notify('",
    bell::channel!(),
    "', '') WHERE $4)"
);

pub(super) async fn enqueue(
    store: &PostgresStore,
    batch: &[Registration],
    now: Timestamp,
) -> Result<Vec<Intake>, StoreError> {
    if batch.is_empty() {
        return Ok(Vec::new());
    }
    let now = store.now(now);
    let mut session = store.sessions.write().await?;
    let answers = take_in(&mut session, batch, now).await?;
    session.end().await?;
    Ok(answers)
}

/// Takes registrations in, as a part of the caller's transaction: its last part, because the tally is locked last.
pub(super) async fn take_in(
    session: &mut Session,
    batch: &[Registration],
    now: Option<Moment>,
) -> Result<Vec<Intake>, StoreError> {
    if batch.is_empty() {
        return Ok(Vec::new());
    }
    let named = open_for(session, batch.iter().filter_map(|one| one.batch.as_ref()), now).await?;
    let query = session
        .query(KNOWN)
        .bind(batch.iter().map(|registration| registration.member.as_str()).bind_iter())
        .bind(batch.iter().map(|registration| registration.subject.as_bytes().as_slice()).bind_iter())
        .bind(now);
    let mut known =
        session.rows(query).await?.iter().map(known_from).collect::<Result<Vec<_>, StoreError>>()?;
    let guess = Decided::about(batch, &known);
    let jobs = guess.jobs(batch);
    let made = queue(session, &jobs, &named, now).await?;

    let mut to_settle: Vec<&str> =
        made.iter().map(String::as_str).chain(guess.superseded.iter().copied()).collect();
    to_settle.sort_unstable();
    to_settle.dedup();
    let found = settle(session, &to_settle).await?;
    let queued: HashMap<&str, Traces> = jobs
        .iter()
        .map(|job| {
            let member = job.member.as_str();
            let beside = found.get(member).copied().unwrap_or_default();
            (member, Traces { has_job: !made.contains(member), ..beside })
        })
        .collect();
    for ((registration, known), guessed) in batch.iter().zip(&mut known).zip(&guess.answers) {
        if let Some(traces) = queued.get(registration.member.as_str()) {
            known.member = *traces;
            known.fresh &= *guessed == Intake::Fresh;
        }
    }
    let decided = Decided::about(batch, &known);
    batches::count(session, &decided.counting(batch, |name| Some(named.get(name.as_str())?.0))).await?;
    count_and_ring(session, decided.tally, !jobs.is_empty()).await?;
    Ok(decided.answers)
}

/// Writes jobs; returns the members whose job was made here and now.
async fn queue(
    session: &mut Session,
    jobs: &[&Registration],
    named: &HashMap<String, (BatchId, i16)>,
    now: Option<Moment>,
) -> Result<HashSet<String>, StoreError> {
    if jobs.is_empty() {
        return Ok(HashSet::new());
    }
    let batch_of = |job: &&Registration| named.get(job.batch.as_ref()?.as_str()).copied();
    let query = session
        .query(QUEUE)
        .bind(jobs.iter().map(|job| job.member.as_str()).bind_iter())
        .bind(jobs.iter().map(|job| job.email.expose()).bind_iter())
        .bind(jobs.iter().map(|job| job.subject.as_bytes().as_slice()).bind_iter())
        .bind(now)
        .bind(jobs.iter().map(|job| batch_of(job).map(|(batch, _)| batch.0)).bind_iter())
        .bind(jobs.iter().map(|job| batch_of(job).map_or(0, |(_, priority)| priority)).bind_iter());
    let mut made = HashSet::with_capacity(jobs.len());
    for row in session.rows(query).await? {
        if row.try_get("is_new")? {
            made.insert(row.try_get("member_id")?);
        }
    }
    Ok(made)
}

/// What there is of members beside their job, once nobody else can change it.
async fn settle(session: &mut Session, members: &[&str]) -> Result<HashMap<String, Traces>, StoreError> {
    if members.is_empty() {
        return Ok(HashMap::new());
    }
    let query = session.query(SETTLE).bind(members);
    let rows = session.rows(query).await?;
    rows.iter()
        .map(|row| {
            let traces =
                Traces { has_job: false, has_record: row.try_get(1)?, has_dead_letter: row.try_get(2)? };
            Ok((row.try_get(0)?, traces))
        })
        .collect()
}

fn known_from(row: &PgRow) -> Result<Known, StoreError> {
    let member =
        Traces { has_job: row.try_get(2)?, has_record: row.try_get(3)?, has_dead_letter: row.try_get(4)? };
    Ok(Known { suppressed: row.try_get(0)?, fresh: row.try_get(1)?, member })
}

/// Adds to what was counted at the door.
pub(super) async fn count(session: &mut Session, tally: Tally) -> Result<(), StoreError> {
    count_and_ring(session, tally, false).await
}

async fn count_and_ring(session: &mut Session, tally: Tally, ring: bool) -> Result<(), StoreError> {
    let query = session
        .query(COUNT)
        .bind(i64::from(tally.taken_in))
        .bind(i64::from(tally.repeated))
        .bind(i64::from(tally.suppressed))
        .bind(ring);
    session.run(query).await?;
    Ok(())
}

/// A refused row counts by itself and stays until it is purged, also where it names a known member: its repaired
/// twin is taken in as that member.
pub(super) async fn refuse(
    store: &PostgresStore,
    batch: &[Refusal],
    now: Timestamp,
) -> Result<(), StoreError> {
    if batch.is_empty() {
        return Ok(());
    }
    let mut session = store.sessions.write().await?;
    keep_refusals(&mut session, batch, store.now(now)).await?;
    let taken_in = u32::try_from(batch.len()).unwrap_or(u32::MAX);
    count(&mut session, Tally { taken_in, ..Tally::default() }).await?;
    session.end().await
}

pub(super) async fn keep_refusals(
    session: &mut Session,
    batch: &[Refusal],
    now: Option<Moment>,
) -> Result<(), StoreError> {
    let sql = "
        INSERT INTO dead_letters (member_id, origin, reason, error, attempts, at)
        SELECT member_id, origin, $4, error, 0, coalesce($5, statement_timestamp())
        FROM unnest($1::text[], $2::text[], $3::text[]) AS refusal (member_id, origin, error)";
    let query = session
        .query(sql)
        .bind(batch.iter().map(|refusal| refusal.member.as_ref().map(MemberId::as_str)).bind_iter())
        .bind(batch.iter().map(|refusal| storable(&refusal.origin)).bind_iter())
        .bind(batch.iter().map(|refusal| storable(&refusal.reason)).bind_iter())
        .bind(DeadReason::Malformed.as_str())
        .bind(now);
    session.run(query).await?;
    Ok(())
}
