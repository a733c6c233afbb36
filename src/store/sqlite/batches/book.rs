//! What happens to a batch as a whole: it is named by a door, its money is reserved, it is cancelled.
//!
//! Invariant: what is spent and what is reserved together never exceed the ceiling.

use std::collections::{BTreeSet, HashMap};

use jiff::Timestamp;

use super::super::commit::FINISH;
use super::super::rows::millis;
use super::super::{SqliteStore, Write};
use super::{StoreError, batch_from, columns, hold};
use crate::job::{BatchId, BatchName, DeadReason, InBatch, Refresh};
use crate::store::batches::{BatchKind, Cancelled, Counting, Reserve};
use crate::store::columns::json;

/// Jobs taken out in one transaction.
const AT_ONCE: i64 = 2_000;

const NAME: &str = "
    INSERT INTO batches (name, kind, state, priority, created_at)
    SELECT value, 'import', 'running', 0, ?2 FROM jsonb_each(?1) WHERE TRUE
    ON CONFLICT (name) DO NOTHING";

const NAMED: &str = "SELECT name, id, priority FROM batches WHERE name IN (SELECT value FROM jsonb_each(?1))";

const SETTINGS: &str =
    concat!("SELECT ", columns!(), " FROM batches WHERE id IN (SELECT value FROM jsonb_each(?1))");

const RESERVE: &str = "
    UPDATE batches SET reserved_micros = reserved_micros + ?2, reserved_at = ?3
    WHERE id = ?1 AND state IN ('filling', 'running')
        AND (ceiling_micros IS NULL OR spent_micros + reserved_micros + ?2 <= ceiling_micros)";

/// Held back where the money would not do even if every lookup under way turned out to cost nothing; and where none is under
/// way any more, because what is still reserved was lost with its worker.
const SPENT: &str = "
    UPDATE batches SET state = 'paused', why = 'max_cost'
    WHERE id = ?1 AND state IN ('filling', 'running')
        AND (spent_micros + ?2 > ceiling_micros OR reserved_at < ?3 - 120000)";

const CANCEL: &str = "
    UPDATE batches SET state = 'cancelled', why = NULL, ended_at = ?2
    WHERE id = ?1 AND state <> 'done'
    RETURNING priority";

/// A member of whom there is no record, and one that a dead letter was taken from, would be lost without a letter. Of who has run
/// meanwhile, the error is newer: a letter had a partial record, or none.
const VICTIMS: &str = "
    SELECT
        job.id,
        (job.last_error IS NOT NULL AND job.attempt + job.snoozes = 0) OR NOT EXISTS (
            SELECT 1 FROM supplemental_member_information AS record
            WHERE record.member_id = job.member_id AND (record.status <> 'partial' OR job.last_error IS NULL)
        )
    FROM enrichment_jobs AS job
    WHERE job.state = 'waiting' AND job.priority = ?1 AND coalesce(job.replay, job.batch) = ?3
    LIMIT ?2";

const BURY: &str = "
    INSERT OR REPLACE INTO dead_letters
        (member_id, subject, email, reason, error, attempts, queued_at, at, batch, replay)
    SELECT
        job.member_id, job.subject, job.email, ?3,
        coalesce(job.last_error, 'its batch was cancelled before it was looked up'), job.attempt, job.queued_at, ?2,
        job.batch, job.replay
    FROM jsonb_each(?1)
    CROSS JOIN enrichment_jobs AS job ON job.id = value";

/// The numbers and levels of the batches that these registrations name; a name that is new becomes a batch.
pub(in super::super) async fn open_for(
    tx: &mut Write,
    names: impl Iterator<Item = &BatchName>,
    now: Timestamp,
) -> Result<HashMap<String, (BatchId, i16)>, StoreError> {
    let names: BTreeSet<&str> = names.map(BatchName::as_str).collect();
    if names.is_empty() {
        return Ok(HashMap::new());
    }
    let names = json(&names)?;
    sqlx::query(NAME).bind(&names).bind(millis(now)).execute(&mut **tx).await?;
    let rows: Vec<(String, i64, i16)> = sqlx::query_as(NAMED).bind(&names).fetch_all(&mut **tx).await?;
    Ok(rows.into_iter().map(|(name, id, priority)| (name, (BatchId(id), priority))).collect())
}

/// What claimed jobs must know of their batches.
pub(in super::super) async fn in_batches(
    store: &SqliteStore,
    batches: &BTreeSet<i64>,
) -> Result<HashMap<i64, InBatch>, StoreError> {
    if batches.is_empty() {
        return Ok(HashMap::new());
    }
    let rows = sqlx::query(SETTINGS).bind(json(batches)?).fetch_all(&store.readers).await?;
    let known = rows.iter().map(|row| {
        let batch = batch_from(row)?;
        let refresh = batch.refresh_before.map(|before| Refresh { before, provider: batch.refresh_provider });
        let is_capped = batch.ceiling_micros.is_some();
        let is_replay = batch.kind == BatchKind::Replay;
        Ok((batch.id.0, InBatch { batch: batch.id, is_replay, is_capped, refresh }))
    });
    known.collect()
}

pub(super) async fn reserve(
    store: &SqliteStore,
    wishes: &[Reserve],
    now: Timestamp,
) -> Result<Vec<bool>, StoreError> {
    let mut granted = Vec::with_capacity(wishes.len());
    let mut tx = store.begin().await?;
    for wish in wishes {
        let micros = i64::try_from(wish.micros).unwrap_or(i64::MAX);
        let ask = async |sql: &'static str, tx: &mut Write| {
            let asked = sqlx::query(sql).bind(wish.batch.0).bind(micros).bind(millis(now));
            asked.execute(&mut **tx).await.map(|done| done.rows_affected() > 0)
        };
        let is_granted = ask(RESERVE, &mut tx).await?;
        if !is_granted {
            ask(SPENT, &mut tx).await?;
        }
        granted.push(is_granted);
    }
    tx.commit().await?;
    Ok(granted)
}

pub(super) async fn cancel(
    store: &SqliteStore,
    batch: BatchId,
    now: Timestamp,
) -> Result<Cancelled, StoreError> {
    let mut tx = store.begin().await?;
    hold::give_level(&mut tx, batch).await?;
    let priority: Option<i16> =
        sqlx::query_scalar(CANCEL).bind(batch.0).bind(millis(now)).fetch_optional(&mut *tx).await?;
    sqlx::query("DELETE FROM batch_members WHERE batch = ?1").bind(batch.0).execute(&mut *tx).await?;
    tx.commit().await?;
    let mut done = Cancelled::default();
    let Some(priority) = priority else { return Ok(done) };
    hold::gather(store, batch).await?;
    loop {
        let mut tx = store.begin().await?;
        let victims: Vec<(i64, bool)> =
            sqlx::query_as(VICTIMS).bind(priority).bind(AT_ONCE).bind(batch.0).fetch_all(&mut *tx).await?;
        let letters: Vec<i64> =
            victims.iter().filter(|(_, needs_letter)| *needs_letter).map(|(id, _)| *id).collect();
        let jobs: Vec<i64> = victims.iter().map(|(id, _)| *id).collect();
        sqlx::query(BURY)
            .bind(json(&letters)?)
            .bind(millis(now))
            .bind(DeadReason::Cancelled.as_str())
            .execute(&mut *tx)
            .await?;
        sqlx::query(FINISH).bind(json(&jobs)?).execute(&mut *tx).await?;
        let mut counting = Counting::default();
        counting.add(batch, "cancelled", jobs.len() as u64);
        super::count(&mut tx, &counting).await?;
        tx.commit().await?;
        done.removed += jobs.len() as u64;
        done.buried += letters.len() as u64;
        if jobs.is_empty() {
            return Ok(done);
        }
    }
}
