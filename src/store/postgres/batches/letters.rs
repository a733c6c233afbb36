//! Dead letters: found, grouped, shown with what was tried, thrown away.
//!
//! Invariant: a letter that is thrown away and was the last trace of what was taken in is counted as purged with it.

use sqlx::postgres::{PgArguments, PgRow};
use sqlx::query::Query;
use sqlx::{AssertSqlSafe, Postgres, Row as _};

use super::super::PostgresStore;
use super::super::read::dead_letter;
use super::super::rows::{Moment, count_from, moment_from};
use super::StoreError;
use crate::job::DeadReason;
use crate::store::batches::{LetterFilter, LetterGroup};
use crate::store::columns::dead_reason_of;
use crate::store::{DeadLetter, Page};

/// Letters purged in one transaction.
const AT_ONCE: i64 = 5_000;

const FILTER: &str = "
    ($1::bigint[] IS NULL OR id = ANY($1))
    AND ($2::text IS NULL OR reason = $2)
    AND ($3::text IS NULL OR strpos(error, $3) > 0)
    AND ($4::bigint IS NULL OR batch = $4 OR replay = $4)
    AND ($5::timestamptz IS NULL OR at >= $5)
    AND ($6::timestamptz IS NULL OR at < $6)";

fn bound(sql: String, filter: &LetterFilter) -> Query<'static, Postgres, PgArguments> {
    sqlx::query(AssertSqlSafe(sql))
        .persistent(false)
        .bind(filter.ids.clone())
        .bind(filter.reason.map(DeadReason::as_str))
        .bind(filter.error.clone())
        .bind(filter.batch.map(|batch| batch.0))
        .bind(filter.since.map(Moment))
        .bind(filter.until.map(Moment))
}

pub(super) async fn find(
    store: &PostgresStore,
    filter: &LetterFilter,
    page: Page,
) -> Result<Vec<DeadLetter>, StoreError> {
    let sql = format!(
        "SELECT id, member_id, origin, reason, error, attempts, at
         FROM dead_letters
         WHERE id < $7 AND {FILTER}
         ORDER BY id DESC
         LIMIT $8"
    );
    let mut session = store.sessions.report().await?;
    let query = bound(sql, filter).bind(page.before.unwrap_or(i64::MAX)).bind(i64::from(page.limit));
    let rows = session.rows(query).await?;
    session.end().await?;
    rows.iter().map(dead_letter).collect()
}

pub(super) async fn group(
    store: &PostgresStore,
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
    let mut session = store.sessions.report().await?;
    let rows = session.rows(bound(sql, filter)).await?;
    session.end().await?;
    let group = |row: &PgRow| {
        Ok(LetterGroup {
            reason: dead_reason_of(row.try_get("reason")?)?,
            error: row.try_get("error")?,
            letters: count_from(row, "letters")?,
            oldest: moment_from(row, "oldest")?,
            newest: moment_from(row, "newest")?,
        })
    };
    rows.iter().map(group).collect()
}

pub(super) async fn purge(store: &PostgresStore, filter: &LetterFilter) -> Result<u64, StoreError> {
    // What is left of a member is looked for in a later statement, which sees what the deletion waited for.
    let delete = format!(
        "DELETE FROM dead_letters WHERE id = ANY(ARRAY(
             SELECT id FROM dead_letters WHERE {FILTER}
             ORDER BY member_id COLLATE \"C\"
             LIMIT $7
             FOR UPDATE SKIP LOCKED
         ))
         RETURNING member_id, subject IS NULL AS is_row"
    );
    let left = "
        SELECT count(*) FROM unnest($1::text[]) AS member (id)
        WHERE NOT EXISTS (SELECT 1 FROM enrichment_jobs WHERE member_id = member.id)
            AND NOT EXISTS (SELECT 1 FROM supplemental_member_information WHERE member_id = member.id)";
    let tally = "UPDATE intake_tally SET purged = purged + $1 WHERE stripe = pg_backend_pid() % 16";
    let mut purged = 0;
    loop {
        let mut session = store.sessions.write().await?;
        let gone = session.rows(bound(delete.clone(), filter).bind(AT_ONCE)).await?;
        let mut members = Vec::new();
        let mut rows: i64 = 0;
        for row in &gone {
            match row.try_get::<Option<String>, _>("member_id")? {
                Some(member) if !row.try_get::<bool, _>("is_row")? => members.push(member),
                _ => rows += 1,
            }
        }
        let query = session.query(left).bind(members);
        let alone: i64 = session.row(query).await?.try_get(0)?;
        let query = session.query(tally).bind(rows + alone);
        session.run(query).await?;
        session.end().await?;
        purged += gone.len() as u64;
        if gone.is_empty() {
            return Ok(purged);
        }
    }
}
