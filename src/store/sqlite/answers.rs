//! Providers' stored answers.
//!
//! Invariant: no answer about a suppressed subject is written, and an older answer never replaces a newer one.

use jiff::Timestamp;
use sqlx::Row as _;
use sqlx::sqlite::SqliteRow;

use super::insert::{Filling, Insert};
use super::rows::{millis, moment, subject_from, subject_hex};
use super::{SqliteStore, StoreError};
use crate::job::Answer;
use crate::keyring::SubjectKey;
use crate::store::columns::{ANSWERS, ContentColumns, content_of, json, signed};

pub(super) static SAVE: Insert = Insert::new(
    9,
    "provider_answers
        (subject, provider, outcome, finding, handle, ready_at, cost_micros, fetched_at, expires_at)",
    "AND NOT EXISTS (SELECT 1 FROM suppressions WHERE subject = given.column1)
    ON CONFLICT (subject, provider) DO UPDATE SET
        outcome = excluded.outcome,
        finding = excluded.finding,
        handle = excluded.handle,
        ready_at = excluded.ready_at,
        cost_micros = excluded.cost_micros,
        fetched_at = excluded.fetched_at,
        expires_at = excluded.expires_at
    WHERE excluded.fetched_at >= provider_answers.fetched_at",
);

pub(super) fn bind(filling: Filling, answer: &Answer) -> Result<Filling, StoreError> {
    let content = ContentColumns::of(&answer.content);
    Ok(filling
        .bind(answer.subject.as_bytes().to_vec())
        .bind(answer.provider.clone())
        .bind(content.outcome)
        .bind(content.finding.map(json).transpose()?)
        .bind(content.handle.map(str::to_owned))
        .bind(content.ready_at.map(millis))
        .bind(signed(answer.cost_micros)?)
        .bind(millis(answer.fetched_at))
        .bind(millis(answer.expires_at)))
}

pub(super) async fn unexpired(
    store: &SqliteStore,
    subjects: &[SubjectKey],
    now: Timestamp,
) -> Result<Vec<Answer>, StoreError> {
    if subjects.is_empty() {
        return Ok(Vec::new());
    }
    let sql = "
        SELECT subject, provider, outcome, finding, handle, ready_at, cost_micros, fetched_at, expires_at
        FROM provider_answers
        WHERE subject IN (SELECT unhex(value) FROM jsonb_each(?1)) AND expires_at > ?2
        ORDER BY subject, provider";
    let rows = sqlx::query(sql)
        .bind(json(&subjects.iter().map(subject_hex).collect::<Vec<_>>())?)
        .bind(millis(now))
        .fetch_all(&store.readers)
        .await?;
    readable(&rows)
}

/// The first matches in the order of the primary key, which the index gives without reading the rest.
pub(super) async fn sample(store: &SqliteStore, limit: u32) -> Result<Vec<Answer>, StoreError> {
    let sql = "
        SELECT subject, provider, outcome, finding, handle, ready_at, cost_micros, fetched_at, expires_at
        FROM provider_answers
        WHERE outcome = 'match'
        ORDER BY subject, provider
        LIMIT ?1";
    readable(&sqlx::query(sql).bind(limit).fetch_all(&store.readers).await?)
}

fn readable(rows: &[SqliteRow]) -> Result<Vec<Answer>, StoreError> {
    let mut answers = Vec::with_capacity(rows.len());
    for row in rows {
        match answer_from(row) {
            Ok(answer) => answers.push(answer),
            // Asked again, rather than stopping every member of the batch for one old row.
            Err(StoreError::Corrupt { reason, .. }) => {
                tracing::warn!(reason, "a stored answer cannot be read and is ignored");
            }
            Err(error) => return Err(error),
        }
    }
    Ok(answers)
}

fn answer_from(row: &SqliteRow) -> Result<Answer, StoreError> {
    let time = |column: &str| moment(row.try_get(column)?, ANSWERS);
    let ready_at: Option<i64> = row.try_get("ready_at")?;
    Ok(Answer {
        subject: subject_from(row, ANSWERS)?,
        provider: row.try_get("provider")?,
        content: content_of(
            row.try_get("outcome")?,
            row.try_get("finding")?,
            row.try_get("handle")?,
            ready_at.map(|at| moment(at, ANSWERS)).transpose()?,
        )?,
        cost_micros: row.try_get("cost_micros")?,
        fetched_at: time("fetched_at")?,
        expires_at: time("expires_at")?,
    })
}
