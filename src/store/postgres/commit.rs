//! The group commit: what came of many executions, in one transaction.
//!
//! Fences and suppressions are checked inside the transaction that writes, so a late worker and a late job write
//! nothing. An outcome about an address that the member no longer has keeps its answers and lookups; its record
//! and verdict are not wanted any more, and the job runs again for the new address.
//!
//! A group that suppresses somebody (an objection, a minor) holds the erasure lock, and so is alone for some milliseconds.
//!
//! Invariant: all outcomes of a batch are written, or none; the jobs' rows are locked before anything is written.

use jiff::Timestamp;
use sqlx::Row as _;
use sqlx::postgres::{PgBindIterExt as _, PgRow};

use super::rows::{Day, Moment, signed, storable, storable_json};
use super::session::Session;
use super::suppress::{mark_and_remove, suppressed, tally_gone};
use super::{PostgresStore, StoreError, answers, batches, fleet, ledger};
use crate::job::{BatchId, Committed, LookupEntry, Outcome, Paid, Verdict};
use crate::store::columns::{RecordColumns, json};
use crate::store::plan::{Again, Dead, Guard, Logged, Plan};

/// Locks the jobs of the outcomes whose fence is good, one by one in the order of their members: the rows that are missing
/// are stale.
///
/// Each is sought by its id. As a join, the planner may begin with the index of all running jobs, of which it believes there
/// are few, and every commit would compare its outcomes with each job that the fleet has in flight. For the same reason
/// it is the lease that says whether a job runs (a constraint of the table).
pub const GUARDS: &str = concat!(
    "
    SELECT
        outcome.position,
        ",
    suppressed!("outcome.subject"),
    " AS suppressed,
        job.subject <> outcome.subject AS outdated,
        ",
    suppressed!("job.subject"),
    " AS successor_suppressed,
        job.batch,
        job.replay
    FROM (
        SELECT * FROM unnest($1::bigint[], $2::bigint[], $3::text[], $4::bytea[])
            WITH ORDINALITY AS given (id, fence, member_id, subject, position)
        ORDER BY member_id COLLATE \"C\", position
    ) AS outcome
    CROSS JOIN LATERAL (
        SELECT subject, batch, replay FROM enrichment_jobs
        WHERE id = outcome.id AND fence = outcome.fence AND member_id = outcome.member_id
            AND lease_until IS NOT NULL
        FOR UPDATE
    ) AS job"
);

const BURY: &str = "
    INSERT INTO dead_letters (member_id, subject, email, reason, error, attempts, queued_at, at, batch, replay)
    SELECT
        job.member_id, job.subject, job.email, letter.reason, letter.error, job.attempt, job.queued_at,
        coalesce($4, statement_timestamp()), job.batch, job.replay
    FROM unnest($1::bigint[], $2::text[], $3::text[]) AS letter (id, reason, error)
    JOIN enrichment_jobs AS job ON job.id = letter.id
    ON CONFLICT (member_id) WHERE subject IS NOT NULL DO UPDATE SET
        subject = excluded.subject,
        email = excluded.email,
        origin = NULL,
        reason = excluded.reason,
        error = excluded.error,
        attempts = excluded.attempts,
        queued_at = excluded.queued_at,
        at = excluded.at,
        batch = excluded.batch,
        replay = excluded.replay";

pub const FINISH: &str = "DELETE FROM enrichment_jobs WHERE id = ANY($1)";

const AGAIN: &str = "
    UPDATE enrichment_jobs AS job SET
        state = 'waiting',
        lease_until = NULL,
        lease_owner = NULL,
        run_at = coalesce($5, statement_timestamp()) + verdict.delay * interval '1 microsecond',
        attempt = greatest(job.attempt - verdict.snoozed, 0),
        snoozes = job.snoozes + verdict.snoozed,
        last_error = verdict.error
    FROM unnest($1::bigint[], $2::bigint[], $3::integer[], $4::text[]) AS verdict (id, delay, snoozed, error)
    WHERE job.id = verdict.id";

pub const RECORDS: &str = "
    INSERT INTO supplemental_member_information (
        member_id, email, subject, full_name, given_name, family_name, age, age_min, age_max, age_as_of,
        birth_earliest, birth_latest, social_profiles, status, confidence, provenance, policy_version,
        collected_at, updated_at, expires_at
    )
    SELECT
        member_id, email, subject, full_name, given_name, family_name, age, age_min, age_max, age_as_of,
        birth_earliest, birth_latest, social_profiles::jsonb, status, confidence::jsonb, provenance::jsonb,
        policy_version, collected_at, updated_at, expires_at
    FROM unnest(
        $1::text[], $2::text[], $3::bytea[], $4::text[], $5::text[], $6::text[], $7::smallint[], $8::smallint[],
        $9::smallint[], $10::date[], $11::date[], $12::date[], $13::text[], $14::text[], $15::text[], $16::text[],
        $17::text[], $18::timestamptz[], $19::timestamptz[], $20::timestamptz[]
    ) AS record (
        member_id, email, subject, full_name, given_name, family_name, age, age_min, age_max, age_as_of,
        birth_earliest, birth_latest, social_profiles, status, confidence, provenance, policy_version,
        collected_at, updated_at, expires_at
    )
    ON CONFLICT (member_id) DO UPDATE SET
        email = excluded.email,
        subject = excluded.subject,
        full_name = excluded.full_name,
        given_name = excluded.given_name,
        family_name = excluded.family_name,
        age = excluded.age,
        age_min = excluded.age_min,
        age_max = excluded.age_max,
        age_as_of = excluded.age_as_of,
        birth_earliest = excluded.birth_earliest,
        birth_latest = excluded.birth_latest,
        social_profiles = excluded.social_profiles,
        status = excluded.status,
        confidence = excluded.confidence,
        provenance = excluded.provenance,
        policy_version = excluded.policy_version,
        collected_at = excluded.collected_at,
        updated_at = excluded.updated_at,
        expires_at = excluded.expires_at";

const LOOKUPS: &str = "
    INSERT INTO lookup_log (job_id, member_id, provider, told, outcome, duration_us, cost_micros, at)
    SELECT * FROM unnest(
        $1::bigint[], $2::text[], $3::text[], $4::text[], $5::text[], $6::bigint[], $7::bigint[], $8::timestamptz[]
    )";

const FORGET: &str = "DELETE FROM supplemental_member_information WHERE member_id = ANY($1)";

/// Commits outcomes, and saves paid answers of members who are still running along with them.
pub(super) async fn commit(
    store: &PostgresStore,
    paid: &[Paid],
    outcomes: &[Outcome],
    now: Timestamp,
) -> Result<Vec<Committed>, StoreError> {
    if paid.is_empty() && outcomes.is_empty() {
        return Ok(Vec::new());
    }
    let suppresses = outcomes.iter().any(|outcome| matches!(outcome.verdict, Verdict::Suppressed(_)));
    let mut session =
        if suppresses { store.sessions.exclude().await? } else { store.sessions.write().await? };
    let guards = guards(&mut session, outcomes).await?;
    let mut plan = Plan::of(paid, outcomes, &guards, now);
    bury(&mut session, &plan.dead, store.now(now)).await?;
    finish(&mut session, &plan.done).await?;
    run_again(&mut session, &plan.again, store.now(now), now).await?;
    batches::compare(&mut session, &plan.tags, &mut plan.counting).await?;
    write_records(&mut session, &plan.records).await?;
    batches::tag(&mut session, &plan.tags).await?;
    answers::write(&mut session, plan.answers).await?;
    write_lookups(&mut session, &plan.lookups).await?;
    if !plan.forget.is_empty() {
        let forget = session.query(FORGET).bind(&plan.forget);
        session.run(forget).await?;
    }
    let mut members: Vec<String> = plan.maybe_gone.iter().map(|&member| member.to_owned()).collect();
    if !plan.suppress.is_empty() {
        members.extend(mark_and_remove(&mut session, &plan.suppress, store.now(now)).await?);
    }
    // Rows that others want too come last.
    batches::settle(&mut session, &plan.settled, store.now(now)).await?;
    fleet::book(&mut session, plan.lookups.iter().map(|logged| logged.entry)).await?;
    ledger::teach(&mut session, &plan.lessons).await?;
    batches::count(&mut session, &plan.counting).await?;
    tally_gone(&mut session, &members).await?;
    session.end().await?;
    Ok(plan.answered)
}

async fn guards(session: &mut Session, outcomes: &[Outcome]) -> Result<Vec<Guard>, StoreError> {
    if outcomes.is_empty() {
        return Ok(Vec::new());
    }
    let query = session
        .query(GUARDS)
        .bind(outcomes.iter().map(|outcome| outcome.hold.job.0).bind_iter())
        .bind(outcomes.iter().map(|outcome| outcome.hold.fence.0).bind_iter())
        .bind(outcomes.iter().map(|outcome| outcome.member.as_str()).bind_iter())
        .bind(outcomes.iter().map(|outcome| outcome.subject.as_bytes().as_slice()).bind_iter());
    session.rows(query).await?.iter().map(guard_from).collect()
}

fn guard_from(row: &PgRow) -> Result<Guard, StoreError> {
    // SQL counts from one.
    let position: i64 = row.try_get("position")?;
    Ok(Guard {
        position: usize::try_from(position - 1).unwrap_or(usize::MAX),
        suppressed: row.try_get("suppressed")?,
        outdated: row.try_get("outdated")?,
        successor_suppressed: row.try_get("successor_suppressed")?,
        batch: row.try_get::<Option<i64>, _>("batch")?.map(BatchId),
        replay: row.try_get::<Option<i64>, _>("replay")?.map(BatchId),
    })
}

/// Writes dead letters of jobs that are locked and still there.
pub(super) async fn bury(
    session: &mut Session,
    dead: &[Dead<'_>],
    now: Option<Moment>,
) -> Result<(), StoreError> {
    if dead.is_empty() {
        return Ok(());
    }
    let query = session
        .query(BURY)
        .bind(dead.iter().map(|letter| letter.id).bind_iter())
        .bind(dead.iter().map(|letter| letter.reason).bind_iter())
        .bind(dead.iter().map(|letter| storable(letter.error)).bind_iter())
        .bind(now);
    session.run(query).await?;
    Ok(())
}

/// Removes locked jobs.
pub(super) async fn finish(session: &mut Session, jobs: &[i64]) -> Result<(), StoreError> {
    if !jobs.is_empty() {
        let query = session.query(FINISH).bind(jobs);
        session.run(query).await?;
    }
    Ok(())
}

/// Puts jobs off by as much as the caller's clock says from now.
async fn run_again(
    session: &mut Session,
    jobs: &[Again<'_>],
    now: Option<Moment>,
    callers_now: Timestamp,
) -> Result<(), StoreError> {
    if jobs.is_empty() {
        return Ok(());
    }
    let delay = |at: Timestamp| at.as_microsecond() - callers_now.as_microsecond();
    let query = session
        .query(AGAIN)
        .bind(jobs.iter().map(|job| job.id).bind_iter())
        .bind(jobs.iter().map(|job| delay(job.at)).bind_iter())
        .bind(jobs.iter().map(|job| i32::from(job.snoozed)).bind_iter())
        .bind(jobs.iter().map(|job| job.error.map(storable)).bind_iter())
        .bind(now);
    session.run(query).await?;
    Ok(())
}

pub(super) async fn write_records(
    session: &mut Session,
    records: &[RecordColumns<'_>],
) -> Result<(), StoreError> {
    if records.is_empty() {
        return Ok(());
    }
    let mut texts = [const { Vec::new() }; 3];
    for record in records {
        texts[0].push(storable_json(json(&record.social_profiles)?));
        texts[1].push(storable_json(json(&record.confidence)?));
        texts[2].push(storable_json(json(&record.provenance)?));
    }
    let [profiles, confidences, provenances] = texts;
    let query = session
        .query(RECORDS)
        .bind(records.iter().map(|record| record.member_id).bind_iter())
        .bind(records.iter().map(|record| record.email).bind_iter())
        .bind(records.iter().map(|record| record.subject.as_bytes().as_slice()).bind_iter())
        .bind(records.iter().map(|record| record.full_name).bind_iter())
        .bind(records.iter().map(|record| record.given_name).bind_iter())
        .bind(records.iter().map(|record| record.family_name).bind_iter())
        .bind(records.iter().map(|record| record.age.map(i16::from)).bind_iter())
        .bind(records.iter().map(|record| record.age_min.map(i16::from)).bind_iter())
        .bind(records.iter().map(|record| record.age_max.map(i16::from)).bind_iter())
        .bind(records.iter().map(|record| record.age_as_of.map(Day)).bind_iter())
        .bind(records.iter().map(|record| record.birth_earliest.map(Day)).bind_iter())
        .bind(records.iter().map(|record| record.birth_latest.map(Day)).bind_iter())
        .bind(profiles)
        .bind(records.iter().map(|record| record.status).bind_iter())
        .bind(confidences)
        .bind(provenances)
        .bind(records.iter().map(|record| record.policy_version).bind_iter())
        .bind(records.iter().map(|record| Moment(record.collected_at)).bind_iter())
        .bind(records.iter().map(|record| Moment(record.updated_at)).bind_iter())
        .bind(records.iter().map(|record| Moment(record.expires_at)).bind_iter());
    session.run(query).await?;
    Ok(())
}

async fn write_lookups(session: &mut Session, lookups: &[Logged<'_>]) -> Result<(), StoreError> {
    if lookups.is_empty() {
        return Ok(());
    }
    let duration = |entry: &LookupEntry| i64::try_from(entry.duration.as_micros()).unwrap_or(i64::MAX);
    let query = session
        .query(LOOKUPS)
        .bind(lookups.iter().map(|logged| logged.job).bind_iter())
        .bind(lookups.iter().map(|logged| logged.member).bind_iter())
        .bind(lookups.iter().map(|logged| logged.entry.provider.as_str()).bind_iter())
        .bind(lookups.iter().map(|logged| logged.entry.told.as_str()).bind_iter())
        .bind(lookups.iter().map(|logged| logged.entry.outcome).bind_iter())
        .bind(lookups.iter().map(|logged| duration(logged.entry)).bind_iter())
        .bind(signed(lookups.iter().map(|logged| logged.entry.cost_micros))?)
        .bind(lookups.iter().map(|logged| Moment(logged.entry.at)).bind_iter());
    session.run(query).await?;
    Ok(())
}
