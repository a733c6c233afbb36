//! What commands and people ask: the census, totals, records, dead letters.
//!
//! Invariant: reads only, each one statement, so that each sees one state of the database.

use sqlx::Row as _;
use sqlx::sqlite::SqliteRow;

use super::rows::{moment, record_from};
use super::{SqliteStore, StoreError};
use crate::member::MemberId;
use crate::record::Record;
use crate::store::columns::{DEAD_LETTERS, dead_reason_of, member_of};
use crate::store::{Census, DeadLetter, LookupTotals, Page};

/// A member who has a job or a dead letter is counted there, not at its record.
const CENSUS: &str = "
    WITH
    jobs AS (
        SELECT
            count(*) FILTER (WHERE state = 'waiting') AS waiting,
            count(*) FILTER (WHERE state = 'running') AS running
        FROM enrichment_jobs
    ),
    elsewhere AS (
        SELECT member_id FROM enrichment_jobs
        UNION
        SELECT member_id FROM dead_letters WHERE subject IS NOT NULL
    ),
    records AS (
        SELECT
            count(*) FILTER (WHERE status = 'complete') AS complete,
            count(*) FILTER (WHERE status = 'partial') AS partial,
            count(*) FILTER (WHERE status = 'no_match') AS no_match,
            count(full_name) AS with_name,
            count(birth_earliest) AS with_age,
            count(*) FILTER (WHERE social_profiles <> '[]') AS with_social
        FROM supplemental_member_information
    ),
    hidden AS (
        SELECT
            count(*) FILTER (WHERE status = 'complete') AS complete,
            count(*) FILTER (WHERE status = 'partial') AS partial,
            count(*) FILTER (WHERE status = 'no_match') AS no_match
        FROM elsewhere
        CROSS JOIN supplemental_member_information AS record ON record.member_id = elsewhere.member_id
    )
    SELECT
        tally.taken_in, tally.repeated, tally.suppressed, tally.purged, jobs.waiting, jobs.running,
        records.complete - hidden.complete AS complete,
        records.partial - hidden.partial AS partial,
        records.no_match - hidden.no_match AS no_match,
        (SELECT count(*) FROM dead_letters) AS dead_letters,
        records.with_name, records.with_age, records.with_social
    FROM intake_tally AS tally
    CROSS JOIN jobs
    CROSS JOIN records
    CROSS JOIN hidden";

pub(super) async fn census(store: &SqliteStore) -> Result<Census, StoreError> {
    let row = sqlx::query(CENSUS).fetch_one(&store.readers).await?;
    Ok(Census {
        taken_in: row.try_get("taken_in")?,
        waiting: row.try_get("waiting")?,
        running: row.try_get("running")?,
        complete: row.try_get("complete")?,
        partial: row.try_get("partial")?,
        no_match: row.try_get("no_match")?,
        suppressed: row.try_get("suppressed")?,
        dead_letters: row.try_get("dead_letters")?,
        purged: row.try_get("purged")?,
        inbox: 0,
        repeated: row.try_get("repeated")?,
        with_name: row.try_get("with_name")?,
        with_age: row.try_get("with_age")?,
        with_social: row.try_get("with_social")?,
    })
}

pub(super) async fn lookup_totals(store: &SqliteStore) -> Result<Vec<LookupTotals>, StoreError> {
    let sql = "
        SELECT provider, outcome, count(*), sum(cost_micros), sum(duration_us)
        FROM lookup_log
        GROUP BY provider, outcome
        ORDER BY provider, outcome";
    let rows: Vec<(String, String, u64, u64, u64)> = sqlx::query_as(sql).fetch_all(&store.readers).await?;
    let totals = rows.into_iter().map(|(provider, outcome, lookups, cost_micros, duration_us)| {
        LookupTotals { provider, outcome, lookups, cost_micros, duration_us }
    });
    Ok(totals.collect())
}

pub(super) async fn record(store: &SqliteStore, member: &MemberId) -> Result<Option<Record>, StoreError> {
    let sql = "
        SELECT
            member_id, email, full_name, given_name, family_name, birth_earliest, birth_latest,
            social_profiles, status, confidence, provenance, policy_version, collected_at, updated_at,
            expires_at
        FROM supplemental_member_information
        WHERE member_id = ?";
    let row = sqlx::query(sql).bind(member.as_str()).fetch_optional(&store.readers).await?;
    row.as_ref().map(record_from).transpose()
}

pub(super) async fn dead_letters(store: &SqliteStore, page: Page) -> Result<Vec<DeadLetter>, StoreError> {
    let sql = "
        SELECT id, member_id, origin, reason, error, attempts, at
        FROM dead_letters
        WHERE id < ?
        ORDER BY id DESC
        LIMIT ?";
    let rows = sqlx::query(sql)
        .bind(page.before.unwrap_or(i64::MAX))
        .bind(page.limit)
        .fetch_all(&store.readers)
        .await?;
    rows.iter().map(dead_letter).collect()
}

pub(super) fn dead_letter(row: &SqliteRow) -> Result<DeadLetter, StoreError> {
    let member: Option<&str> = row.try_get("member_id")?;
    Ok(DeadLetter {
        id: row.try_get("id")?,
        member_id: member.map(|member| member_of(member, DEAD_LETTERS)).transpose()?,
        origin: row.try_get("origin")?,
        reason: dead_reason_of(row.try_get("reason")?)?,
        error: row.try_get("error")?,
        attempts: row.try_get("attempts")?,
        at: moment(row.try_get("at")?, DEAD_LETTERS)?,
    })
}
