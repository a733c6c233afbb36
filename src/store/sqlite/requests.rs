//! Requests and events that are known again, the backlog, and a member's place.
//!
//! Invariant: what is remembered is written in the transaction that takes in.

use std::collections::HashMap;

use jiff::Timestamp;
use serde::Serialize;
use sqlx::Row as _;
use sqlx::sqlite::SqliteRow;

use super::intake::{add, enqueue_within};
use super::rows::{millis, moment, stamp};
use super::{SqliteStore, StoreError, Write};
use crate::job::{Delivered, Delivery};
use crate::keyring::SeenKey;
use crate::member::MemberId;
use crate::store::columns::{JOBS, RECORDS, corrupt, json};
use crate::store::decide::Tally;
use crate::store::requests::{FORGET_AT_ONCE, Place, Remembered, Seen, Sorted, keys, seen_of, status_of};

const SEEN: &str = "
    SELECT key, content, outcomes FROM seen_requests
    WHERE key IN (SELECT unhex(value) FROM jsonb_each(?1)) AND expires_at > ?2";

/// One that is still there but over is overwritten.
const REMEMBER: &str = "
    INSERT INTO seen_requests (key, content, outcomes, expires_at)
    SELECT unhex(value ->> 'key'), unhex(value ->> 'content'), value ->> 'outcomes', ?2
    FROM jsonb_each(?1)
    WHERE TRUE
    ON CONFLICT (key) DO UPDATE SET
        content = excluded.content,
        outcomes = excluded.outcomes,
        expires_at = excluded.expires_at";

const FORGET: &str = "
    DELETE FROM seen_requests
    WHERE key IN (SELECT key FROM seen_requests WHERE expires_at <= ?1 ORDER BY expires_at LIMIT ?2)";

const BACKLOG: &str = "
    SELECT count(*) FROM (SELECT 1 FROM enrichment_jobs WHERE state = 'waiting' LIMIT ?1)";

/// A member is where the job is, else where the dead letter is, else where the record is.
const PLACE: &str = "
    SELECT 0 AS rank, state AS status, queued_at AS at, NULL AS written, attempt AS attempts,
        iif(state = 'waiting', run_at, NULL) AS next_run
    FROM enrichment_jobs
    WHERE member_id = ?1 AND subject NOT IN (SELECT subject FROM suppressions)
    UNION ALL
    SELECT 1, 'dead_letter', at, NULL, attempts, NULL
    FROM dead_letters
    WHERE member_id = ?1 AND subject IS NOT NULL
    UNION ALL
    SELECT 2, status, NULL, updated_at, NULL, NULL
    FROM supplemental_member_information
    WHERE member_id = ?1 AND expires_at > ?2
    ORDER BY rank
    LIMIT 1";

#[derive(Serialize)]
struct RememberedRow {
    key: String,
    content: Option<String>,
    outcomes: Option<String>,
}

impl From<Remembered> for RememberedRow {
    fn from(row: Remembered) -> Self {
        Self { key: hex(&row.key), content: row.content.as_ref().map(hex), outcomes: row.outcomes }
    }
}

fn hex(key: &SeenKey) -> String {
    hex::encode(key.as_bytes())
}

pub(super) async fn enqueue_once(
    store: &SqliteStore,
    deliveries: &[Delivery],
    now: Timestamp,
    forget_at: Timestamp,
) -> Result<Vec<Delivered>, StoreError> {
    if deliveries.is_empty() {
        return Ok(Vec::new());
    }
    let keys = keys(deliveries);
    let mut tx = store.begin().await?;
    let sorted = Sorted::new(deliveries, seen(&mut tx, &keys, now).await?);
    let outcomes = enqueue_within(&mut tx, &sorted.registrations, now).await?;
    if sorted.repeats > 0 {
        add(&mut tx, Tally { repeated: sorted.repeats, ..Tally::default() }).await?;
    }
    let (answers, rows) = sorted.answers(&outcomes);
    if !rows.is_empty() {
        let rows: Vec<_> = rows.into_iter().map(RememberedRow::from).collect();
        sqlx::query(REMEMBER).bind(json(&rows)?).bind(millis(forget_at)).execute(&mut *tx).await?;
    }
    tx.commit().await?;
    store.jobs.notify_one();
    Ok(answers)
}

async fn seen(
    tx: &mut Write,
    keys: &[SeenKey],
    now: Timestamp,
) -> Result<HashMap<SeenKey, Seen>, StoreError> {
    if keys.is_empty() {
        return Ok(HashMap::new());
    }
    let wanted = json(&keys.iter().map(hex).collect::<Vec<_>>())?;
    let rows = sqlx::query(SEEN).bind(wanted).bind(millis(now)).fetch_all(&mut **tx).await?;
    rows.iter().map(seen_from).collect()
}

fn seen_from(row: &SqliteRow) -> Result<(SeenKey, Seen), StoreError> {
    seen_of(row.try_get("key")?, row.try_get("content")?, row.try_get("outcomes")?)
}

pub(super) async fn forget(store: &SqliteStore, now: Timestamp) -> Result<u64, StoreError> {
    let done = sqlx::query(FORGET).bind(millis(now)).bind(FORGET_AT_ONCE).execute(&store.writer).await?;
    Ok(done.rows_affected())
}

pub(super) async fn backlog(store: &SqliteStore, at_most: u64) -> Result<u64, StoreError> {
    let at_most = i64::try_from(at_most).unwrap_or(i64::MAX);
    Ok(sqlx::query_scalar(BACKLOG).bind(at_most).fetch_one(&store.readers).await?)
}

pub(super) async fn place(
    store: &SqliteStore,
    member: &MemberId,
    now: Timestamp,
) -> Result<Option<Place>, StoreError> {
    let row =
        sqlx::query(PLACE).bind(member.as_str()).bind(stamp(now)).fetch_optional(&store.readers).await?;
    row.as_ref().map(place_from).transpose()
}

fn place_from(row: &SqliteRow) -> Result<Place, StoreError> {
    let at = match row.try_get::<Option<&str>, _>("written")? {
        Some(written) => written.parse().map_err(|_| corrupt(RECORDS, "updated_at"))?,
        None => moment(row.try_get("at")?, JOBS)?,
    };
    let next_run: Option<i64> = row.try_get("next_run")?;
    Ok(Place {
        status: status_of(row.try_get("status")?)?,
        at,
        attempts: row.try_get("attempts")?,
        next_run: next_run.map(|at| moment(at, JOBS)).transpose()?,
    })
}
