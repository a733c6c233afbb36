//! Providers' stored answers.
//!
//! Invariant: no answer about a suppressed subject is written, and an older answer never replaces a newer one.

use jiff::Timestamp;
use sqlx::Row as _;
use sqlx::postgres::{PgBindIterExt as _, PgRow};

use super::rows::{Moment, moment_from, signed, storable, storable_json, subject_from};
use super::session::Session;
use super::suppress::suppressed;
use super::{PostgresStore, StoreError};
use crate::job::Answer;
use crate::keyring::SubjectKey;
use crate::store::columns::{ANSWERS, ContentColumns, content_of, json};

/// Writes answers, all in one statement.
const SAVE: &str = concat!(
    "
    INSERT INTO provider_answers
        (subject, provider, outcome, finding, handle, ready_at, cost_micros, fetched_at, expires_at)
    SELECT
        subject, provider, outcome, finding::jsonb, handle, ready_at, cost_micros, fetched_at, expires_at
    FROM unnest(
        $1::bytea[], $2::text[], $3::text[], $4::text[], $5::text[], $6::timestamptz[], $7::bigint[],
        $8::timestamptz[], $9::timestamptz[]
    ) AS answer (subject, provider, outcome, finding, handle, ready_at, cost_micros, fetched_at, expires_at)
    WHERE NOT ",
    suppressed!("answer.subject"),
    "
    ON CONFLICT (subject, provider) DO UPDATE SET
        outcome = excluded.outcome,
        finding = excluded.finding,
        handle = excluded.handle,
        ready_at = excluded.ready_at,
        cost_micros = excluded.cost_micros,
        fetched_at = excluded.fetched_at,
        expires_at = excluded.expires_at
    WHERE excluded.fetched_at >= provider_answers.fetched_at"
);

/// Writes answers in the order of their keys, so that two transactions never wait for each other.
pub(super) async fn write(session: &mut Session, mut answers: Vec<&Answer>) -> Result<(), StoreError> {
    if answers.is_empty() {
        return Ok(());
    }
    keep_the_newest(&mut answers);
    let contents: Vec<_> = answers.iter().map(|answer| ContentColumns::of(&answer.content)).collect();
    let findings: Vec<_> = contents
        .iter()
        .map(|content| content.finding.map(json).transpose().map(|text| text.map(storable_json)))
        .collect::<Result<_, _>>()?;
    let query = session
        .query(SAVE)
        .bind(answers.iter().map(|answer| answer.subject.as_bytes().as_slice()).bind_iter())
        .bind(answers.iter().map(|answer| answer.provider.as_str()).bind_iter())
        .bind(contents.iter().map(|content| content.outcome).bind_iter())
        .bind(findings.iter().map(Option::as_deref).bind_iter())
        .bind(contents.iter().map(|content| content.handle.map(storable)).bind_iter())
        .bind(contents.iter().map(|content| content.ready_at.map(Moment)).bind_iter())
        .bind(signed(answers.iter().map(|answer| answer.cost_micros))?)
        .bind(answers.iter().map(|answer| Moment(answer.fetched_at)).bind_iter())
        .bind(answers.iter().map(|answer| Moment(answer.expires_at)).bind_iter());
    session.run(query).await?;
    Ok(())
}

/// One row is written once in a statement: of several answers to one question, the newest (the last of equals).
fn keep_the_newest(answers: &mut Vec<&Answer>) {
    answers.sort_by(|a, b| {
        (&a.subject, &a.provider, a.fetched_at).cmp(&(&b.subject, &b.provider, b.fetched_at))
    });
    answers.dedup_by(|newer, older| {
        let same = (&newer.subject, &newer.provider) == (&older.subject, &older.provider);
        if same {
            *older = newer;
        }
        same
    });
}

pub(super) async fn unexpired(
    store: &PostgresStore,
    subjects: &[SubjectKey],
    now: Timestamp,
) -> Result<Vec<Answer>, StoreError> {
    if subjects.is_empty() {
        return Ok(Vec::new());
    }
    let sql = "
        SELECT
            subject, provider, outcome, finding::text AS finding, handle, ready_at, cost_micros, fetched_at,
            expires_at
        FROM provider_answers
        WHERE subject = ANY($1) AND expires_at > $2
        ORDER BY subject, provider";
    let mut session = store.sessions.alone().await?;
    let query = session
        .query(sql)
        .bind(subjects.iter().map(|subject| subject.as_bytes().as_slice()).bind_iter())
        .bind(Moment(now));
    let rows = session.rows(query).await?;
    session.end().await?;
    readable(&rows)
}

/// The first matches in the order of the primary key, which the index gives without reading the rest.
pub(super) async fn sample(store: &PostgresStore, limit: u32) -> Result<Vec<Answer>, StoreError> {
    let sql = "
        SELECT
            subject, provider, outcome, finding::text AS finding, handle, ready_at, cost_micros, fetched_at,
            expires_at
        FROM provider_answers
        WHERE outcome = 'match'
        ORDER BY subject, provider
        LIMIT $1";
    let mut session = store.sessions.alone().await?;
    let query = session.query(sql).bind(i64::from(limit));
    let rows = session.rows(query).await?;
    session.end().await?;
    readable(&rows)
}

fn readable(rows: &[PgRow]) -> Result<Vec<Answer>, StoreError> {
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

fn answer_from(row: &PgRow) -> Result<Answer, StoreError> {
    let ready_at: Option<Moment> = row.try_get("ready_at")?;
    let cost: i64 = row.try_get("cost_micros")?;
    Ok(Answer {
        subject: subject_from(row, ANSWERS)?,
        provider: row.try_get("provider")?,
        content: content_of(
            row.try_get("outcome")?,
            row.try_get("finding")?,
            row.try_get("handle")?,
            ready_at.map(|at| at.0),
        )?,
        cost_micros: u64::try_from(cost).unwrap_or(0),
        fetched_at: moment_from(row, "fetched_at")?,
        expires_at: moment_from(row, "expires_at")?,
    })
}
