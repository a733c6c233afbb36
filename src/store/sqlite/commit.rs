//! The group commit: what came of many executions, in one transaction.
//!
//! Fences and suppressions are checked inside the transaction that writes, so a late worker and a late job write
//! nothing. An outcome about an address that the member no longer has keeps its answers and lookups; its record
//! and verdict are not wanted any more, and the job runs again for the new address.
//!
//! Invariant: all outcomes of a batch are written, or none.

use jiff::Timestamp;
use serde::Serialize;

use super::insert::{Filling, Insert};
use super::rows::{bind_record, millis, subject_hex};
use super::suppress::{mark_and_remove, tally_gone};
use super::{SqliteStore, StoreError, Write, answers, batches, fleet, ledger};
use crate::job::{BatchId, Committed, Outcome, Paid};
use crate::store::columns::{json, signed};
use crate::store::plan::{Again, Guard, Logged, Plan};

/// The outcomes whose fence is good: the rows that are missing are stale.
const GUARDS: &str = "
    SELECT
        outcome.position,
        EXISTS (SELECT 1 FROM suppressions WHERE subject = outcome.subject) AS suppressed,
        job.subject <> outcome.subject AS outdated,
        EXISTS (SELECT 1 FROM suppressions WHERE subject = job.subject) AS successor_suppressed,
        job.batch,
        job.replay
    FROM (
        SELECT
            key AS position, value ->> 'id' AS id, value ->> 'fence' AS fence,
            value ->> 'member' AS member_id, unhex(value ->> 'subject') AS subject
        FROM jsonb_each(?1)
    ) AS outcome
    CROSS JOIN enrichment_jobs AS job ON job.id = outcome.id
    WHERE job.fence = outcome.fence AND job.state = 'running' AND job.member_id = outcome.member_id
    ORDER BY outcome.position";

const BURY: &str = "
    INSERT OR REPLACE INTO dead_letters
        (member_id, subject, email, reason, error, attempts, queued_at, at, batch, replay)
    SELECT
        job.member_id, job.subject, job.email, value ->> 'reason', value ->> 'error', job.attempt,
        job.queued_at, ?2, job.batch, job.replay
    FROM jsonb_each(?1)
    CROSS JOIN enrichment_jobs AS job ON job.id = value ->> 'id'";

pub(super) const FINISH: &str = "DELETE FROM enrichment_jobs WHERE id IN (SELECT value FROM jsonb_each(?1))";

const AGAIN: &str = "
    UPDATE enrichment_jobs SET
        state = 'waiting',
        lease_until = NULL,
        lease_owner = NULL,
        run_at = verdict.run_at,
        attempt = max(attempt - verdict.snoozed, 0),
        snoozes = snoozes + verdict.snoozed,
        last_error = verdict.error
    FROM (
        SELECT
            value ->> 'id' AS id, value ->> 'run_at' AS run_at, value ->> 'snoozed' AS snoozed,
            value ->> 'error' AS error
        FROM jsonb_each(?1)
    ) AS verdict
    WHERE enrichment_jobs.id = verdict.id";

pub(super) static RECORDS: Insert = Insert::new(
    20,
    "supplemental_member_information (
        member_id, email, subject, full_name, given_name, family_name, age, age_min, age_max, age_as_of,
        birth_earliest, birth_latest, social_profiles, status, confidence, provenance, policy_version,
        collected_at, updated_at, expires_at
    )",
    "ON CONFLICT (member_id) DO UPDATE SET
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
        expires_at = excluded.expires_at",
);

static LOOKUPS: Insert = Insert::new(
    8,
    "lookup_log (job_id, member_id, provider, told, outcome, duration_us, cost_micros, at)",
    "",
);

const FORGET: &str = "
    DELETE FROM supplemental_member_information WHERE member_id IN (SELECT value FROM jsonb_each(?1))";

/// Rows in one JSON text: texts that stay small are built in memory that is warm.
const ROWS_AT_ONCE: usize = 64;

#[derive(Serialize)]
struct OutcomeRow<'a> {
    id: i64,
    fence: i64,
    member: &'a str,
    subject: String,
}

/// One row of [`GUARDS`].
#[derive(sqlx::FromRow)]
struct GuardRow {
    position: u32,
    suppressed: bool,
    outdated: bool,
    successor_suppressed: bool,
    batch: Option<i64>,
    replay: Option<i64>,
}

impl From<GuardRow> for Guard {
    fn from(row: GuardRow) -> Self {
        let GuardRow { position, suppressed, outdated, successor_suppressed, batch, replay } = row;
        let position = usize::try_from(position).unwrap_or(usize::MAX);
        let (batch, replay) = (batch.map(BatchId), replay.map(BatchId));
        Self { position, suppressed, outdated, successor_suppressed, batch, replay }
    }
}

#[derive(Serialize)]
struct AgainRow<'a> {
    id: i64,
    run_at: i64,
    snoozed: u8,
    error: Option<&'a str>,
}

impl<'a> AgainRow<'a> {
    fn of(again: &Again<'a>) -> Self {
        let &Again { id, at, snoozed, error } = again;
        Self { id, run_at: millis(at), snoozed: u8::from(snoozed), error }
    }
}

fn bind_lookup(filling: Filling, logged: &Logged<'_>) -> Result<Filling, StoreError> {
    let &Logged { job, member, entry } = logged;
    Ok(filling
        .bind(job)
        .bind(member.to_owned())
        .bind(entry.provider.clone())
        .bind(entry.told.as_str())
        .bind(entry.outcome)
        .bind(i64::try_from(entry.duration.as_micros()).unwrap_or(i64::MAX))
        .bind(signed(entry.cost_micros)?)
        .bind(millis(entry.at)))
}

/// Commits outcomes, and saves paid answers of members who are still running along with them.
pub(super) async fn commit(
    store: &SqliteStore,
    paid: &[Paid],
    outcomes: &[Outcome],
    now: Timestamp,
) -> Result<Vec<Committed>, StoreError> {
    if paid.is_empty() && outcomes.is_empty() {
        return Ok(Vec::new());
    }
    let mut tx = store.begin().await?;
    let guards = guards(&mut tx, outcomes).await?;
    let mut plan = Plan::of(paid, outcomes, &guards, now);
    write_jobs(&mut tx, &plan, now).await?;
    batches::compare(&mut tx, &plan.tags, &mut plan.counting).await?;
    RECORDS.run(&mut tx, &plan.records, bind_record).await?;
    batches::tag(&mut tx, &plan.tags).await?;
    answers::SAVE.run(&mut tx, &plan.answers, |filling, &answer| answers::bind(filling, answer)).await?;
    LOOKUPS.run(&mut tx, &plan.lookups, bind_lookup).await?;
    write_suppressions(&mut tx, &plan, now).await?;
    batches::settle(&mut tx, &plan.settled, now).await?;
    fleet::book(&mut tx, plan.lookups.iter().map(|logged| logged.entry)).await?;
    ledger::teach(&mut tx, &plan.lessons).await?;
    batches::count(&mut tx, &plan.counting).await?;
    tx.commit().await?;
    Ok(plan.answered)
}

async fn guards(tx: &mut Write, outcomes: &[Outcome]) -> Result<Vec<Guard>, StoreError> {
    if outcomes.is_empty() {
        return Ok(Vec::new());
    }
    let rows = json(&outcomes.iter().map(OutcomeRow::of).collect::<Vec<_>>())?;
    let guards: Vec<GuardRow> = sqlx::query_as(GUARDS).bind(rows).fetch_all(&mut **tx).await?;
    Ok(guards.into_iter().map(Guard::from).collect())
}

impl<'a> OutcomeRow<'a> {
    fn of(outcome: &'a Outcome) -> Self {
        Self {
            id: outcome.hold.job.0,
            fence: outcome.hold.fence.0,
            member: outcome.member.as_str(),
            subject: subject_hex(&outcome.subject),
        }
    }
}

async fn write_jobs(tx: &mut Write, plan: &Plan<'_>, now: Timestamp) -> Result<(), StoreError> {
    if !plan.dead.is_empty() {
        sqlx::query(BURY).bind(json(&plan.dead)?).bind(millis(now)).execute(&mut **tx).await?;
    }
    write_rows(tx, FINISH, &plan.done).await?;
    write_rows(tx, AGAIN, plan.again.iter().map(AgainRow::of)).await
}

async fn write_suppressions(tx: &mut Write, plan: &Plan<'_>, now: Timestamp) -> Result<(), StoreError> {
    write_rows(tx, FORGET, &plan.forget).await?;
    let mut members: Vec<String> = plan.maybe_gone.iter().map(|&member| member.to_owned()).collect();
    if !plan.suppress.is_empty() {
        members.extend(mark_and_remove(tx, &plan.suppress, now).await?);
    }
    tally_gone(tx, &members).await
}

/// Runs a statement that takes many rows as one JSON text, where there are any.
async fn write_rows<T: Serialize>(
    tx: &mut Write,
    sql: &'static str,
    rows: impl IntoIterator<Item = T>,
) -> Result<(), StoreError> {
    let rows: Vec<T> = rows.into_iter().collect();
    for rows in rows.chunks(ROWS_AT_ONCE) {
        sqlx::query(sql).bind(json(rows)?).execute(&mut **tx).await?;
    }
    Ok(())
}
