//! Dead letters: found, grouped, shown with what was tried, thrown away.
//!
//! Invariant: a letter that is thrown away and was the last trace of what was taken in is counted as purged with it.

use sqlx::query::Query;
use sqlx::sqlite::SqliteArguments;
use sqlx::{AssertSqlSafe, Row as _, Sqlite};

use super::super::SqliteStore;
use super::super::read::dead_letter;
use super::super::rows::{millis, moment};
use super::StoreError;
use crate::job::DeadReason;
use crate::store::batches::{LetterFilter, LetterGroup};
use crate::store::columns::{DEAD_LETTERS, dead_reason_of, json};
use crate::store::{DeadLetter, Page};

/// Letters purged in one transaction.
const AT_ONCE: i64 = 5_000;

const FILTER: &str = "
    (?1 IS NULL OR id IN (SELECT value FROM jsonb_each(?1)))
    AND (?2 IS NULL OR reason = ?2)
    AND (?3 IS NULL OR instr(error, ?3) > 0)
    AND (?4 IS NULL OR batch = ?4 OR replay = ?4)
    AND (?5 IS NULL OR at >= ?5)
    AND (?6 IS NULL OR at < ?6)";

fn bound<'q>(sql: String, filter: &LetterFilter) -> Result<Query<'q, Sqlite, SqliteArguments>, StoreError> {
    Ok(sqlx::query(AssertSqlSafe(sql))
        .persistent(false)
        .bind(filter.ids.as_ref().map(json).transpose()?)
        .bind(filter.reason.map(DeadReason::as_str))
        .bind(filter.error.clone())
        .bind(filter.batch.map(|batch| batch.0))
        .bind(filter.since.map(millis))
        .bind(filter.until.map(millis)))
}

pub(super) async fn find(
    store: &SqliteStore,
    filter: &LetterFilter,
    page: Page,
) -> Result<Vec<DeadLetter>, StoreError> {
    let sql = format!(
        "SELECT id, member_id, origin, reason, error, attempts, at
         FROM dead_letters
         WHERE id < ?7 AND {FILTER}
         ORDER BY id DESC
         LIMIT ?8"
    );
    let query = bound(sql, filter)?.bind(page.before.unwrap_or(i64::MAX)).bind(page.limit);
    query.fetch_all(&store.readers).await?.iter().map(dead_letter).collect()
}

pub(super) async fn group(
    store: &SqliteStore,
    filter: &LetterFilter,
) -> Result<Vec<LetterGroup>, StoreError> {
    let sql = format!(
        "SELECT reason, error, count(*) AS letters, min(at) AS oldest, max(at) AS newest
         FROM dead_letters
         WHERE {FILTER}
         GROUP BY reason, error
         ORDER BY letters DESC, reason, error
         LIMIT 200"
    );
    let rows = bound(sql, filter)?.fetch_all(&store.readers).await?;
    let groups = rows.iter().map(|row| {
        Ok(LetterGroup {
            reason: dead_reason_of(row.try_get("reason")?)?,
            error: row.try_get("error")?,
            letters: row.try_get("letters")?,
            oldest: moment(row.try_get("oldest")?, DEAD_LETTERS)?,
            newest: moment(row.try_get("newest")?, DEAD_LETTERS)?,
        })
    });
    groups.collect()
}

pub(super) async fn purge(store: &SqliteStore, filter: &LetterFilter) -> Result<u64, StoreError> {
    let delete = format!(
        "DELETE FROM dead_letters WHERE id IN (SELECT id FROM dead_letters WHERE {FILTER} LIMIT ?7)
         RETURNING member_id, subject IS NULL"
    );
    let left = "
        SELECT count(*) FROM jsonb_each(?1) AS member
        WHERE NOT EXISTS (SELECT 1 FROM enrichment_jobs WHERE member_id = member.value)
            AND NOT EXISTS (SELECT 1 FROM supplemental_member_information WHERE member_id = member.value)";
    let mut purged = 0;
    loop {
        let mut tx = store.begin().await?;
        let gone = bound(delete.clone(), filter)?.bind(AT_ONCE).fetch_all(&mut *tx).await?;
        let mut members = Vec::new();
        let mut rows: i64 = 0;
        for row in &gone {
            match row.try_get::<Option<String>, _>(0)? {
                Some(member) if !row.try_get::<bool, _>(1)? => members.push(member),
                _ => rows += 1,
            }
        }
        let alone: i64 = sqlx::query_scalar(left).bind(json(&members)?).fetch_one(&mut *tx).await?;
        sqlx::query("UPDATE intake_tally SET purged = purged + ?")
            .bind(rows + alone)
            .execute(&mut *tx)
            .await?;
        tx.commit().await?;
        purged += gone.len() as u64;
        if gone.is_empty() {
            return Ok(purged);
        }
    }
}
