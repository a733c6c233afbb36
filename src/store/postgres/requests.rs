//! Requests and events that are known again, the backlog, and a member's place.
//!
//! Two doors may bring the same request at the same moment. Each begins by writing the keys that it brings, in their
//! order, and so waits for the other; what it may keep of them is known at the end.
//!
//! Invariant: what is remembered is written in the transaction that takes in, and of what was not taken in nothing is.

use std::collections::{HashMap, HashSet};

use async_trait::async_trait;
use jiff::Timestamp;
use sqlx::Row as _;
use sqlx::postgres::{PgBindIterExt as _, PgRow};

use super::intake::{count, take_in};
use super::rows::{Moment, moment_from};
use super::session::Session;
use super::{PostgresStore, StoreError};
use crate::job::{Delivered, Delivery};
use crate::keyring::SeenKey;
use crate::member::MemberId;
use crate::store::decide::Tally;
use crate::store::requests::{
    FORGET_AT_ONCE, Place, Remembered, Requests, Seen, Sorted, keys, seen_of, status_of,
};

/// Writes new keys and locks known ones (which the condition leaves as they are); returns the new ones.
const LOCK: &str = "
    INSERT INTO seen_requests (key, expires_at)
    SELECT key, $2 FROM unnest($1::bytea[]) AS brought (key) ORDER BY key
    ON CONFLICT (key) DO UPDATE SET key = excluded.key WHERE FALSE
    RETURNING key";

const SEEN: &str = "
    SELECT key, content, outcomes FROM seen_requests
    WHERE key = ANY($1) AND expires_at > coalesce($2, statement_timestamp())";

/// One that is still there but over is overwritten.
const REMEMBER: &str = "
    UPDATE seen_requests AS seen SET
        content = remembered.content, outcomes = remembered.outcomes, expires_at = $4
    FROM unnest($1::bytea[], $2::bytea[], $3::text[]) AS remembered (key, content, outcomes)
    WHERE seen.key = remembered.key";

const TAKE_BACK: &str = "DELETE FROM seen_requests WHERE key = ANY($1)";

const FORGET: &str = "
    DELETE FROM seen_requests WHERE key = ANY(ARRAY(
        SELECT key FROM seen_requests WHERE expires_at <= coalesce($1, statement_timestamp())
        ORDER BY expires_at
        LIMIT $2
        FOR UPDATE SKIP LOCKED
    ))";

const BACKLOG: &str = "
    SELECT count(*) FROM (SELECT FROM enrichment_jobs WHERE state = 'waiting' LIMIT $1) AS waiting";

/// A member is where the job is, else where the dead letter is, else where the record is.
const PLACE: &str = "
    SELECT 0 AS rank, state AS status, queued_at AS at, attempt AS attempts,
        CASE WHEN state = 'waiting' THEN run_at END AS next_run
    FROM enrichment_jobs
    WHERE member_id = $1 AND NOT EXISTS (SELECT 1 FROM suppressions WHERE subject = enrichment_jobs.subject)
    UNION ALL
    SELECT 1, 'dead_letter', at, attempts, NULL
    FROM dead_letters
    WHERE member_id = $1 AND subject IS NOT NULL
    UNION ALL
    SELECT 2, status, updated_at, NULL, NULL
    FROM supplemental_member_information
    WHERE member_id = $1 AND expires_at > $2
    ORDER BY rank
    LIMIT 1";

#[async_trait]
impl Requests for PostgresStore {
    async fn enqueue_once(
        &self,
        deliveries: &[Delivery],
        now: Timestamp,
        forget_at: Timestamp,
    ) -> Result<Vec<Delivered>, StoreError> {
        if deliveries.is_empty() {
            return Ok(Vec::new());
        }
        let forget_at = Moment(forget_at);
        let keys = keys(deliveries);
        let mut session = self.sessions.write().await?;
        let new = lock(&mut session, &keys, forget_at).await?;
        let seen = seen(&mut session, &keys, &new, self.now(now)).await?;
        let sorted = Sorted::new(deliveries, seen);
        let outcomes = take_in(&mut session, &sorted.registrations, self.now(now)).await?;
        if sorted.repeats > 0 {
            count(&mut session, Tally { repeated: sorted.repeats, ..Tally::default() }).await?;
        }
        let (answers, rows) = sorted.answers(&outcomes);
        remember(&mut session, &rows, &new, forget_at).await?;
        session.end().await?;
        Ok(answers)
    }

    async fn forget_requests(&self, now: Timestamp) -> Result<u64, StoreError> {
        let mut session = self.sessions.alone().await?;
        let query = session.query(FORGET).bind(self.now(now)).bind(i64::from(FORGET_AT_ONCE));
        let forgotten = session.run(query).await?;
        session.end().await?;
        Ok(forgotten)
    }

    async fn backlog(&self, at_most: u64) -> Result<u64, StoreError> {
        let mut session = self.sessions.alone().await?;
        let query = session.query(BACKLOG).bind(i64::try_from(at_most).unwrap_or(i64::MAX));
        let waiting: i64 = session.row(query).await?.try_get(0)?;
        session.end().await?;
        Ok(u64::try_from(waiting).unwrap_or(0))
    }

    async fn place(&self, member: &MemberId, now: Timestamp) -> Result<Option<Place>, StoreError> {
        let mut session = self.sessions.alone().await?;
        let query = session.query(PLACE).bind(member.as_str()).bind(Moment(now));
        let rows = session.rows(query).await?;
        session.end().await?;
        rows.first().map(place_from).transpose()
    }
}

async fn lock(
    session: &mut Session,
    keys: &[SeenKey],
    forget_at: Moment,
) -> Result<HashSet<SeenKey>, StoreError> {
    if keys.is_empty() {
        return Ok(HashSet::new());
    }
    let query = session.query(LOCK).bind(keys.iter().map(|key| key.as_bytes().as_slice()).bind_iter());
    let query = query.bind(forget_at);
    let rows = session.rows(query).await?;
    rows.iter().map(|row| Ok(seen_of(row.try_get(0)?, None, None)?.0)).collect()
}

/// What is known of the keys that were there before.
async fn seen(
    session: &mut Session,
    keys: &[SeenKey],
    new: &HashSet<SeenKey>,
    now: Option<Moment>,
) -> Result<HashMap<SeenKey, Seen>, StoreError> {
    if new.len() == keys.len() {
        return Ok(HashMap::new());
    }
    let old: Vec<&[u8]> =
        keys.iter().filter(|key| !new.contains(key)).map(|key| key.as_bytes().as_slice()).collect();
    let query = session.query(SEEN).bind(old).bind(now);
    let rows = session.rows(query).await?;
    rows.iter()
        .map(|row| seen_of(row.try_get("key")?, row.try_get("content")?, row.try_get("outcomes")?))
        .collect()
}

/// Completes what was locked, and takes back what was not taken in.
async fn remember(
    session: &mut Session,
    rows: &[Remembered],
    new: &HashSet<SeenKey>,
    forget_at: Moment,
) -> Result<(), StoreError> {
    // A new event's row is complete as it is.
    let incomplete: Vec<_> =
        rows.iter().filter(|row| row.content.is_some() || !new.contains(&row.key)).collect();
    if !incomplete.is_empty() {
        let content = |row: &&Remembered| row.content.map(|content| content.as_bytes().to_vec());
        let query = session
            .query(REMEMBER)
            .bind(incomplete.iter().map(|row| row.key.as_bytes().as_slice()).bind_iter())
            .bind(incomplete.iter().map(content).bind_iter())
            .bind(incomplete.iter().map(|row| row.outcomes.as_deref()).bind_iter())
            .bind(forget_at);
        session.run(query).await?;
    }
    let kept: HashSet<_> = rows.iter().map(|row| row.key).collect();
    let unwanted: Vec<&[u8]> = new.difference(&kept).map(|key| key.as_bytes().as_slice()).collect();
    if !unwanted.is_empty() {
        let query = session.query(TAKE_BACK).bind(unwanted);
        session.run(query).await?;
    }
    Ok(())
}

fn place_from(row: &PgRow) -> Result<Place, StoreError> {
    let attempts: Option<i32> = row.try_get("attempts")?;
    let next_run: Option<Moment> = row.try_get("next_run")?;
    Ok(Place {
        status: status_of(row.try_get("status")?)?,
        at: moment_from(row, "at")?,
        attempts: attempts.map(|attempts| u32::try_from(attempts).unwrap_or(0)),
        next_run: next_run.map(|at| at.0),
    })
}
