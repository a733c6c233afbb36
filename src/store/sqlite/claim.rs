//! Handing jobs out and taking them back: claim, renew, release, rescue.
//!
//! Invariant: only a claim raises the fence, and nothing lowers it; a hold counts only while the job runs under
//! that very fence.

use std::collections::HashSet;
use std::time::Duration;

use jiff::Timestamp;
use sqlx::Row as _;
use sqlx::sqlite::SqliteRow;

use super::batches::{self, in_batches};
use super::rows::{holds_json, millis, moment, subject_from};
use super::suppress::tally_gone;
use super::{SqliteStore, StoreError, Write};
use crate::job::{BatchId, Claimed, DeadReason, Fence, Hold, InBatch, JobId};
use crate::store::batches::Counting;
use crate::store::columns::{JOBS, email_of, member_of, recorded_of};
use crate::store::{Claim, Rescued, due};

const CLAIM: &str = concat!(
    due::levels!(),
    "
    UPDATE enrichment_jobs SET
        state = 'running',
        attempt = attempt + 1,
        fence = fence + 1,
        lease_until = ?2,
        lease_owner = ?3
    WHERE id IN (
        SELECT due.id
        FROM level
        CROSS JOIN enrichment_jobs AS due
        WHERE level.priority NOT IN (",
    due::held_back!(),
    ") AND due.id IN (
            SELECT id FROM enrichment_jobs
            WHERE state = 'waiting' AND priority = level.priority AND run_at <= ?1
            ORDER BY run_at, id
            LIMIT ?4
        )
        ORDER BY due.priority, due.run_at, due.id
        LIMIT ?4
    )
    RETURNING
        id, fence, member_id, email, subject, attempt, queued_at, priority, run_at, coalesce(replay, batch) AS batch,
        iif(replay IS NULL, NULL, (
            SELECT confidence FROM supplemental_member_information AS record
            WHERE record.member_id = enrichment_jobs.member_id AND record.subject = enrichment_jobs.subject
        )) AS recorded"
);

/// The jobs of these holds, as far as they are still good.
macro_rules! held {
    () => {
        "SELECT job.id
         FROM jsonb_each(?1) AS hold
         CROSS JOIN enrichment_jobs AS job ON job.id = hold.value ->> 0 AND job.fence = hold.value ->> 1
         WHERE job.state = 'running'"
    };
}

/// The running jobs whose lease has ended.
macro_rules! expired {
    () => {
        "SELECT id FROM enrichment_jobs WHERE state = 'running' AND lease_until <= ?1"
    };
}

const RENEW: &str =
    concat!("UPDATE enrichment_jobs SET lease_until = ?2 WHERE id IN (", held!(), ") RETURNING id, fence");

const RELEASE: &str = concat!(
    "UPDATE enrichment_jobs SET
         state = 'waiting', lease_until = NULL, lease_owner = NULL,
         attempt = max(attempt - 1, 0), run_at = min(run_at, ?2)
     WHERE id IN (",
    held!(),
    ")"
);

const DROP_SUPPRESSED_HELD: &str = concat!(
    "DELETE FROM enrichment_jobs
     WHERE id IN (",
    held!(),
    ") AND EXISTS (SELECT 1 FROM suppressions WHERE subject = enrichment_jobs.subject)
     RETURNING member_id"
);

const DROP_SUPPRESSED_EXPIRED: &str = concat!(
    "DELETE FROM enrichment_jobs
     WHERE id IN (",
    expired!(),
    ") AND EXISTS (SELECT 1 FROM suppressions WHERE subject = enrichment_jobs.subject)
     RETURNING member_id"
);

const BURY_EXPIRED: &str = concat!(
    "INSERT OR REPLACE INTO dead_letters
         (member_id, subject, email, reason, error, attempts, queued_at, at, batch, replay)
     SELECT
         member_id, subject, email, ?3, 'the worker stopped before the job was done', attempt, queued_at, ?1, batch,
         replay
     FROM enrichment_jobs
     WHERE id IN (",
    expired!(),
    ") AND attempt >= ?2"
);

const COUNT_BURIED: &str = concat!(
    "SELECT coalesce(replay, batch), count(*) FROM enrichment_jobs
     WHERE id IN (",
    expired!(),
    ") AND attempt >= ?2 AND coalesce(replay, batch) IS NOT NULL
     GROUP BY 1"
);

const DROP_BURIED: &str =
    concat!("DELETE FROM enrichment_jobs WHERE id IN (", expired!(), ") AND attempt >= ?2");

const REQUEUE_EXPIRED: &str = concat!(
    "UPDATE enrichment_jobs SET
         state = 'waiting', lease_until = NULL, lease_owner = NULL, run_at = min(run_at, ?1)
     WHERE id IN (",
    expired!(),
    ")"
);

pub(super) async fn claim(store: &SqliteStore, claim: Claim<'_>) -> Result<Vec<Claimed>, StoreError> {
    let rows = sqlx::query(CLAIM)
        .bind(millis(claim.now))
        .bind(lease_end(claim.now, claim.lease))
        .bind(claim.owner)
        .bind(claim.limit)
        .fetch_all(&store.writer)
        .await?;
    let batch_of = |row: &SqliteRow| row.try_get::<Option<i64>, _>("batch");
    let batches = rows.iter().filter_map(|row| batch_of(row).transpose()).collect::<Result<_, _>>()?;
    let in_batches = in_batches(store, &batches).await?;
    let mut taken = Vec::with_capacity(rows.len());
    let mut unreadable = Vec::new();
    for row in &rows {
        let hold = Hold { job: JobId(row.try_get("id")?), fence: Fence(row.try_get("fence")?) };
        let batch = batch_of(row)?.and_then(|batch| in_batches.get(&batch)).cloned();
        match claimed(row, hold, batch) {
            Ok(job) => {
                taken.push((row.try_get::<i64, _>("run_at")?, job));
            }
            Err(StoreError::Corrupt { .. }) => unreadable.push(hold),
            Err(error) => return Err(error),
        }
    }
    if !unreadable.is_empty() {
        bury_unreadable(store, &unreadable, claim.now).await?;
    }
    taken.sort_by_key(|(run_at, job)| (job.priority, *run_at, job.hold.job));
    Ok(taken.into_iter().map(|(_, job)| job).collect())
}

fn lease_end(now: Timestamp, lease: Duration) -> i64 {
    millis(now).saturating_add(i64::try_from(lease.as_millis()).unwrap_or(i64::MAX))
}

fn claimed(row: &SqliteRow, hold: Hold, batch: Option<InBatch>) -> Result<Claimed, StoreError> {
    Ok(Claimed {
        hold,
        member: member_of(row.try_get("member_id")?, JOBS)?,
        email: email_of(row.try_get("email")?, JOBS)?,
        subject: subject_from(row, JOBS)?,
        attempt: row.try_get("attempt")?,
        queued_at: moment(row.try_get("queued_at")?, JOBS)?,
        priority: row.try_get("priority")?,
        recorded: recorded_of(row.try_get("recorded")?),
        batch,
    })
}

/// Buries jobs that an older version took in and this one cannot read, so that they do not stop the others.
async fn bury_unreadable(store: &SqliteStore, holds: &[Hold], now: Timestamp) -> Result<(), StoreError> {
    let holds = holds_json(holds)?;
    let bury = concat!(
        "INSERT OR REPLACE INTO dead_letters
             (member_id, subject, email, reason, error, attempts, queued_at, at)
         SELECT member_id, subject, email, ?3, 'this version cannot read the stored address', attempt, queued_at, ?2
         FROM enrichment_jobs
         WHERE id IN (",
        held!(),
        ")"
    );
    let drop = concat!("DELETE FROM enrichment_jobs WHERE id IN (", held!(), ")");
    let mut tx = store.begin().await?;
    sqlx::query(bury)
        .bind(&holds)
        .bind(millis(now))
        .bind(DeadReason::Malformed.as_str())
        .execute(&mut *tx)
        .await?;
    sqlx::query(drop).bind(&holds).execute(&mut *tx).await?;
    tx.commit().await?;
    Ok(())
}

pub(super) async fn renew(
    store: &SqliteStore,
    holds: &[Hold],
    lease: Duration,
    now: Timestamp,
) -> Result<Vec<Hold>, StoreError> {
    if holds.is_empty() {
        return Ok(Vec::new());
    }
    let until = lease_end(now, lease);
    let renewed: Vec<(i64, i64)> =
        sqlx::query_as(RENEW).bind(holds_json(holds)?).bind(until).fetch_all(&store.writer).await?;
    let renewed: HashSet<_> = renewed.into_iter().collect();
    Ok(holds.iter().filter(|hold| !renewed.contains(&(hold.job.0, hold.fence.0))).copied().collect())
}

pub(super) async fn release(store: &SqliteStore, holds: &[Hold], now: Timestamp) -> Result<(), StoreError> {
    if holds.is_empty() {
        return Ok(());
    }
    let holds = holds_json(holds)?;
    let mut tx = store.begin().await?;
    let suppressed: Vec<String> =
        sqlx::query_scalar(DROP_SUPPRESSED_HELD).bind(&holds).fetch_all(&mut *tx).await?;
    sqlx::query(RELEASE).bind(&holds).bind(millis(now)).execute(&mut *tx).await?;
    tally_gone(&mut tx, &suppressed).await?;
    tx.commit().await?;
    Ok(())
}

pub(super) async fn rescue(
    store: &SqliteStore,
    now: Timestamp,
    max_attempts: u32,
) -> Result<Rescued, StoreError> {
    let mut tx = store.begin().await?;
    let suppressed: Vec<String> =
        sqlx::query_scalar(DROP_SUPPRESSED_EXPIRED).bind(millis(now)).fetch_all(&mut *tx).await?;
    tally_gone(&mut tx, &suppressed).await?;
    let buried = bury_expired(&mut tx, now, max_attempts).await?;
    let requeued = sqlx::query(REQUEUE_EXPIRED).bind(millis(now)).execute(&mut *tx).await?.rows_affected();
    tx.commit().await?;
    Ok(Rescued { requeued, buried })
}

async fn bury_expired(tx: &mut Write, now: Timestamp, max_attempts: u32) -> Result<u64, StoreError> {
    let of_batches: Vec<(i64, u64)> =
        sqlx::query_as(COUNT_BURIED).bind(millis(now)).bind(max_attempts).fetch_all(&mut **tx).await?;
    let mut counting = Counting::default();
    for (batch, count) in of_batches {
        counting.add(BatchId(batch), "dead", count);
    }
    batches::count(tx, &counting).await?;
    sqlx::query(BURY_EXPIRED)
        .bind(millis(now))
        .bind(max_attempts)
        .bind(DeadReason::LeaseExpired.as_str())
        .execute(&mut **tx)
        .await?;
    let dropped = sqlx::query(DROP_BURIED).bind(millis(now)).bind(max_attempts).execute(&mut **tx).await?;
    Ok(dropped.rows_affected())
}

pub(super) async fn next_due(store: &SqliteStore) -> Result<Option<Timestamp>, StoreError> {
    let sql = concat!(
        due::levels!(),
        "
        SELECT min(at)
        FROM (
            SELECT (
                SELECT min(run_at) FROM enrichment_jobs
                WHERE state = 'waiting' AND priority = level.priority
            ) AS at
            FROM level
            WHERE priority NOT IN (",
        due::held_back!(),
        ")
            UNION ALL
            SELECT min(lease_until) FROM enrichment_jobs WHERE state = 'running'
        )"
    );
    let due: Option<i64> = sqlx::query_scalar(sql).fetch_one(&store.readers).await?;
    due.map(|at| moment(at, JOBS)).transpose()
}
