//! What happens to a batch as a whole: it is named by a door, its money is reserved, it is cancelled.
//!
//! Invariant: what is spent and what is reserved together never exceed the ceiling.

use std::collections::{BTreeSet, HashMap};

use jiff::Timestamp;
use sqlx::Row as _;
use sqlx::postgres::PgBindIterExt as _;

use super::super::commit::{bury, finish};
use super::super::rows::Moment;
use super::super::session::Session;
use super::super::{PostgresStore, bell};
use super::{StoreError, batch_from, columns, hold};
use crate::job::{BatchId, BatchName, DeadReason, InBatch};
use crate::store::batches::{Cancelled, Counting, Reserve};
use crate::store::plan::Dead;

/// Jobs taken out in one transaction.
const AT_ONCE: i64 = 2_000;

pub(super) const RING: &str = concat!("SELECT pg_notify('", bell::channel!(), "', '')");

const NAME: &str = "
    INSERT INTO batches (name, kind, state, priority, created_at)
    SELECT name, 'import', 'running', 0, coalesce($2, statement_timestamp())
    FROM unnest($1::text[]) AS given (name)
    ORDER BY name COLLATE \"C\"
    ON CONFLICT (name) DO NOTHING";

const NAMED: &str = "SELECT id, name, priority FROM batches WHERE name = ANY($1)";

const SETTINGS: &str = concat!("SELECT ", columns!(), " FROM batches WHERE id = ANY($1)");

/// The row is locked by the update itself, and read again where it was waited for: whoever asks, sees the last word.
const RESERVE: &str = "
    UPDATE batches SET reserved_micros = reserved_micros + $2, reserved_at = coalesce($3, statement_timestamp())
    WHERE id = $1 AND state IN ('filling', 'running')
        AND (ceiling_micros IS NULL OR spent_micros + reserved_micros + $2 <= ceiling_micros)";

/// Held back where the money would not do even if every lookup under way turned out to cost nothing; and where none is under
/// way any more, because what is still reserved was lost with its worker.
const SPENT: &str = "
    UPDATE batches SET state = 'paused', why = 'max_cost'
    WHERE id = $1 AND state IN ('filling', 'running') AND (
        spent_micros + $2 > ceiling_micros
        OR reserved_at < coalesce($3, statement_timestamp()) - interval '2 minutes'
    )";

const CANCEL: &str = "
    UPDATE batches SET state = 'cancelled', why = NULL, ended_at = coalesce($2, statement_timestamp())
    WHERE id = $1 AND state <> 'done'
    RETURNING priority";

/// A member of whom there is no record, and one that a dead letter was taken from, would be lost without a letter. Of who has run
/// meanwhile, the error is newer: a letter had a partial record, or none.
const VICTIMS: &str = "
    SELECT
        job.id,
        job.last_error,
        (job.last_error IS NOT NULL AND job.attempt + job.snoozes = 0) OR NOT EXISTS (
            SELECT 1 FROM supplemental_member_information AS record
            WHERE record.member_id = job.member_id AND (record.status <> 'partial' OR job.last_error IS NULL)
        ) AS needs_letter
    FROM enrichment_jobs AS job
    WHERE job.id = ANY(ARRAY(
        SELECT id FROM enrichment_jobs
        WHERE state = 'waiting' AND priority = $1 AND coalesce(replay, batch) = $3
        ORDER BY run_at, id
        LIMIT $2
    )) AND job.state = 'waiting'
    ORDER BY job.member_id COLLATE \"C\"
    FOR UPDATE OF job SKIP LOCKED";

/// The numbers and levels of the batches that these registrations name; a name that is new becomes a batch.
pub(in super::super) async fn open_for(
    session: &mut Session,
    names: impl Iterator<Item = &BatchName>,
    now: Option<Moment>,
) -> Result<HashMap<String, (BatchId, i16)>, StoreError> {
    let names: BTreeSet<&str> = names.map(BatchName::as_str).collect();
    if names.is_empty() {
        return Ok(HashMap::new());
    }
    let names: Vec<&str> = names.into_iter().collect();
    let query = session.query(NAMED).bind(names.clone());
    let mut rows = session.rows(query).await?;
    if rows.len() < names.len() {
        let make = session.query(NAME).bind(names.clone()).bind(now);
        session.run(make).await?;
        let query = session.query(NAMED).bind(names);
        rows = session.rows(query).await?;
    }
    rows.iter()
        .map(|row| Ok((row.try_get("name")?, (BatchId(row.try_get("id")?), row.try_get("priority")?))))
        .collect()
}

/// What claimed jobs must know of their batches.
pub(in super::super) async fn in_batches(
    store: &PostgresStore,
    batches: &BTreeSet<i64>,
) -> Result<HashMap<i64, InBatch>, StoreError> {
    if batches.is_empty() {
        return Ok(HashMap::new());
    }
    let mut session = store.sessions.alone().await?;
    let query = session.query(SETTINGS).bind(batches.iter().copied().bind_iter());
    let rows = session.rows(query).await?;
    session.end().await?;
    rows.iter().map(|row| batch_from(row).map(|batch| (batch.id.0, batch.in_batch()))).collect()
}

pub(super) async fn reserve(
    store: &PostgresStore,
    wishes: &[Reserve],
    now: Timestamp,
) -> Result<Vec<bool>, StoreError> {
    let mut granted = Vec::with_capacity(wishes.len());
    for wish in wishes {
        let mut session = store.sessions.alone().await?;
        let micros = i64::try_from(wish.micros).unwrap_or(i64::MAX);
        let query = session.query(RESERVE).bind(wish.batch.0).bind(micros).bind(store.now(now));
        let is_granted = session.run(query).await? > 0;
        if !is_granted {
            let query = session.query(SPENT).bind(wish.batch.0).bind(micros).bind(store.now(now));
            session.run(query).await?;
        }
        session.end().await?;
        granted.push(is_granted);
    }
    Ok(granted)
}

pub(super) async fn cancel(
    store: &PostgresStore,
    batch: BatchId,
    now: Timestamp,
) -> Result<Cancelled, StoreError> {
    let mut session = store.sessions.write().await?;
    let lock = session.query(super::fill::LOCK).bind(batch.0);
    session.run(lock).await?;
    hold::give_level(&mut session, batch).await?;
    let query = session.query(CANCEL).bind(batch.0).bind(store.now(now));
    let rows = session.rows(query).await?;
    let forget = session.query("DELETE FROM batch_members WHERE batch = $1").bind(batch.0);
    session.run(forget).await?;
    session.end().await?;
    let mut done = Cancelled::default();
    let Some(priority) = rows.first().map(|row| row.try_get::<i16, _>("priority")).transpose()? else {
        return Ok(done);
    };
    hold::gather(store, batch).await?;
    loop {
        let mut session = store.sessions.write().await?;
        let query = session.query(VICTIMS).bind(priority).bind(AT_ONCE).bind(batch.0);
        let victims = session.rows(query).await?;
        let (mut jobs, mut letters) = (Vec::new(), Vec::new());
        for row in &victims {
            let id: i64 = row.try_get("id")?;
            jobs.push(id);
            if row.try_get("needs_letter")? {
                letters.push((id, row.try_get::<Option<String>, _>("last_error")?));
            }
        }
        let words = "its batch was cancelled before it was looked up";
        let dead: Vec<_> = letters
            .iter()
            .map(|(id, error)| Dead {
                id: *id,
                reason: DeadReason::Cancelled.as_str(),
                error: error.as_deref().unwrap_or(words),
            })
            .collect();
        bury(&mut session, &dead, store.now(now)).await?;
        finish(&mut session, &jobs).await?;
        let mut counting = Counting::default();
        counting.add(batch, "cancelled", jobs.len() as u64);
        super::count(&mut session, &counting).await?;
        session.end().await?;
        done.removed += jobs.len() as u64;
        done.buried += dead.len() as u64;
        if jobs.is_empty() {
            return Ok(done);
        }
    }
}
