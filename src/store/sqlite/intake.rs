//! Taking registrations in: what is known of each decides what becomes of it (`decide.rs`).
//!
//! Invariant: `intake_tally` is counted in the transaction that takes in, from what came through the door.

use std::collections::HashMap;

use jiff::Timestamp;
use serde::Serialize;

use super::batches::{self, open_for};
use super::rows::{millis, stamp, subject_hex};
use super::{SqliteStore, StoreError, Write};
use crate::job::{BatchId, DeadReason, Intake, Refusal, Registration};
use crate::store::columns::json;
use crate::store::decide::{Decided, Known, Tally, Traces};

/// What is known of each registration's member and subject, in the order of the batch.
const KNOWN: &str = "
    WITH registration AS MATERIALIZED (
        SELECT key AS position, value ->> 'member' AS member_id, unhex(value ->> 'subject') AS subject
        FROM jsonb_each(?1)
    )
    SELECT
        EXISTS (SELECT 1 FROM suppressions WHERE subject = registration.subject) AS suppressed,
        EXISTS (SELECT 1 FROM enrichment_jobs WHERE member_id = registration.member_id) AS has_job,
        record.member_id IS NOT NULL AS has_record,
        EXISTS (
            SELECT 1 FROM dead_letters
            WHERE member_id = registration.member_id AND subject IS NOT NULL
        ) AS has_dead_letter,
        coalesce(
            record.subject = registration.subject
                AND record.status IN ('complete', 'no_match')
                AND record.expires_at > ?2,
            FALSE
        ) AS fresh
    FROM registration
    LEFT JOIN supplemental_member_information AS record ON record.member_id = registration.member_id
    ORDER BY registration.position";

/// A known job gets the newest address. Another subject is another question: it starts afresh, at once where the
/// job waits, after the present execution where it runs (`commit` sees that the subjects differ). Whoever is handed over
/// again waits where the more urgent of the two would: a replay that was overtaken so is not one any more, nor bound by its
/// ceiling.
const QUEUE: &str = "
    INSERT INTO enrichment_jobs (member_id, email, subject, run_at, queued_at, batch, priority)
    SELECT
        value ->> 'member', value ->> 'email', unhex(value ->> 'subject'), ?2, ?2, value ->> 'batch',
        value ->> 'priority'
    FROM jsonb_each(?1)
    WHERE TRUE
    ON CONFLICT (member_id) DO UPDATE SET
        email = excluded.email,
        subject = excluded.subject,
        batch = coalesce(excluded.batch, batch),
        priority = min(priority, excluded.priority),
        replay = iif(state = 'waiting' AND excluded.priority < priority, NULL, replay),
        attempt = iif(subject = excluded.subject, attempt, 0),
        run_at = iif(subject = excluded.subject, run_at, min(run_at, excluded.run_at))";

const SUPERSEDE: &str = "
    DELETE FROM dead_letters
    WHERE subject IS NOT NULL AND member_id IN (SELECT value FROM jsonb_each(?1))";

#[derive(Serialize)]
struct RegistrationRow<'a> {
    member: &'a str,
    email: &'a str,
    subject: String,
    batch: Option<i64>,
    priority: i16,
}

impl<'a> RegistrationRow<'a> {
    fn of(registration: &'a Registration, named: &HashMap<String, (BatchId, i16)>) -> Self {
        let batch = registration.batch.as_ref().and_then(|name| named.get(name.as_str()));
        Self {
            batch: batch.map(|(batch, _)| batch.0),
            priority: batch.map_or(0, |(_, priority)| *priority),
            member: registration.member.as_str(),
            email: registration.email.expose(),
            subject: subject_hex(&registration.subject),
        }
    }
}

/// One row of [`KNOWN`].
type KnownRow = (bool, bool, bool, bool, bool);

fn known_from((suppressed, has_job, has_record, has_dead_letter, fresh): KnownRow) -> Known {
    Known { suppressed, fresh, member: Traces { has_job, has_record, has_dead_letter } }
}

pub(super) async fn enqueue(
    store: &SqliteStore,
    batch: &[Registration],
    now: Timestamp,
) -> Result<Vec<Intake>, StoreError> {
    if batch.is_empty() {
        return Ok(Vec::new());
    }
    let mut tx = store.begin().await?;
    let answers = enqueue_within(&mut tx, batch, now).await?;
    tx.commit().await?;
    store.jobs.notify_one();
    Ok(answers)
}

/// Takes registrations in as a part of a larger transaction.
pub(super) async fn enqueue_within(
    tx: &mut Write,
    batch: &[Registration],
    now: Timestamp,
) -> Result<Vec<Intake>, StoreError> {
    if batch.is_empty() {
        return Ok(Vec::new());
    }
    let named = open_for(tx, batch.iter().filter_map(|one| one.batch.as_ref()), now).await?;
    let row = |registration| RegistrationRow::of(registration, &named);
    let rows = json(&batch.iter().map(row).collect::<Vec<_>>())?;
    let known: Vec<KnownRow> = sqlx::query_as(KNOWN).bind(rows).bind(stamp(now)).fetch_all(&mut **tx).await?;
    let known: Vec<_> = known.into_iter().map(known_from).collect();
    let decided = Decided::about(batch, &known);
    if !decided.superseded.is_empty() {
        sqlx::query(SUPERSEDE).bind(json(&decided.superseded)?).execute(&mut **tx).await?;
    }
    let jobs: Vec<_> = decided.jobs(batch).into_iter().map(row).collect();
    if !jobs.is_empty() {
        sqlx::query(QUEUE).bind(json(&jobs)?).bind(millis(now)).execute(&mut **tx).await?;
    }
    batches::count(tx, &decided.counting(batch, |name| Some(named.get(name.as_str())?.0))).await?;
    add(tx, decided.tally).await?;
    Ok(decided.answers)
}

/// Adds to what was counted at the door.
pub(super) async fn add(tx: &mut Write, tally: Tally) -> Result<(), StoreError> {
    let sql = "
        UPDATE intake_tally SET
            taken_in = taken_in + ?,
            repeated = repeated + ?,
            suppressed = suppressed + ?";
    sqlx::query(sql)
        .bind(tally.taken_in)
        .bind(tally.repeated)
        .bind(tally.suppressed)
        .execute(&mut **tx)
        .await?;
    Ok(())
}

#[derive(Serialize)]
struct RefusalRow<'a> {
    origin: &'a str,
    member: Option<&'a str>,
    reason: &'a str,
}

/// A refused row counts by itself and stays until it is purged, also where it names a known member: its repaired
/// twin is taken in as that member.
pub(super) async fn refuse(store: &SqliteStore, batch: &[Refusal], now: Timestamp) -> Result<(), StoreError> {
    if batch.is_empty() {
        return Ok(());
    }
    let rows: Vec<_> = batch
        .iter()
        .map(|refusal| RefusalRow {
            origin: &refusal.origin,
            member: refusal.member.as_ref().map(crate::member::MemberId::as_str),
            reason: &refusal.reason,
        })
        .collect();
    let sql = "
        INSERT INTO dead_letters (member_id, origin, reason, error, attempts, at)
        SELECT value ->> 'member', value ->> 'origin', ?2, value ->> 'reason', 0, ?3
        FROM jsonb_each(?1)
        ORDER BY key";
    let mut tx = store.begin().await?;
    sqlx::query(sql)
        .bind(json(&rows)?)
        .bind(DeadReason::Malformed.as_str())
        .bind(millis(now))
        .execute(&mut *tx)
        .await?;
    let taken_in = u32::try_from(batch.len()).unwrap_or(u32::MAX);
    add(&mut tx, Tally { taken_in, ..Tally::default() }).await?;
    tx.commit().await?;
    Ok(())
}
