//! What commands and people ask: the census, totals, records, dead letters.
//!
//! Invariant: reads only, each one statement, so that each sees one state of the database.

use jiff::Timestamp;
use sqlx::Row as _;
use sqlx::postgres::PgRow;

use super::rows::{count_from, day_from, moment_from};
use super::{PostgresStore, StoreError};
use crate::member::MemberId;
use crate::record::Record;
use crate::store::columns::{DEAD_LETTERS, StoredRecord, dead_reason_of, member_of};
use crate::store::{Census, DeadLetter, LookupTotals, Page};

/// A member who has a job or a dead letter is counted there, not at its record.
const CENSUS: &str = "
    WITH
    tally AS (
        SELECT
            sum(taken_in)::bigint AS taken_in,
            sum(repeated)::bigint AS repeated,
            sum(suppressed)::bigint AS suppressed,
            sum(purged)::bigint AS purged
        FROM intake_tally
    ),
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
        JOIN supplemental_member_information AS record USING (member_id)
    )
    SELECT
        tally.taken_in, tally.repeated, tally.suppressed, tally.purged, jobs.waiting, jobs.running,
        records.complete - hidden.complete AS complete,
        records.partial - hidden.partial AS partial,
        records.no_match - hidden.no_match AS no_match,
        (SELECT count(*) FROM dead_letters) AS dead_letters,
        (SELECT count(*) FROM registration_inbox) AS inbox,
        records.with_name, records.with_age, records.with_social
    FROM tally
    CROSS JOIN jobs
    CROSS JOIN records
    CROSS JOIN hidden";

pub(super) async fn census(store: &PostgresStore) -> Result<Census, StoreError> {
    let mut session = store.sessions.report().await?;
    let query = session.query(CENSUS);
    let row = session.row(query).await?;
    session.end().await?;
    Ok(Census {
        taken_in: count_from(&row, "taken_in")?,
        waiting: count_from(&row, "waiting")?,
        running: count_from(&row, "running")?,
        complete: count_from(&row, "complete")?,
        partial: count_from(&row, "partial")?,
        no_match: count_from(&row, "no_match")?,
        suppressed: count_from(&row, "suppressed")?,
        dead_letters: count_from(&row, "dead_letters")?,
        purged: count_from(&row, "purged")?,
        inbox: count_from(&row, "inbox")?,
        repeated: count_from(&row, "repeated")?,
        with_name: count_from(&row, "with_name")?,
        with_age: count_from(&row, "with_age")?,
        with_social: count_from(&row, "with_social")?,
    })
}

pub(super) async fn lookup_totals(store: &PostgresStore) -> Result<Vec<LookupTotals>, StoreError> {
    let sql = "
        SELECT provider, outcome, count(*) AS lookups, sum(cost_micros)::bigint AS cost_micros,
            sum(duration_us)::bigint AS duration_us
        FROM lookup_log
        GROUP BY provider, outcome
        ORDER BY provider COLLATE \"C\", outcome COLLATE \"C\"";
    let mut session = store.sessions.report().await?;
    let query = session.query(sql);
    let rows = session.rows(query).await?;
    session.end().await?;
    let totals = |row: &PgRow| {
        Ok(LookupTotals {
            provider: row.try_get("provider")?,
            outcome: row.try_get("outcome")?,
            lookups: count_from(row, "lookups")?,
            cost_micros: count_from(row, "cost_micros")?,
            duration_us: count_from(row, "duration_us")?,
        })
    };
    rows.iter().map(totals).collect()
}

pub(super) async fn record(store: &PostgresStore, member: &MemberId) -> Result<Option<Record>, StoreError> {
    let sql = "
        SELECT
            member_id, email, full_name, given_name, family_name, birth_earliest, birth_latest,
            social_profiles::text AS social_profiles, status, confidence::text AS confidence,
            provenance::text AS provenance, policy_version, collected_at, updated_at, expires_at
        FROM supplemental_member_information
        WHERE member_id = $1";
    let mut session = store.sessions.alone().await?;
    let query = session.query(sql).bind(member.as_str());
    let rows = session.rows(query).await?;
    session.end().await?;
    rows.first().map(record_from).transpose()
}

/// The records of these members.
pub(super) const READ_RECORDS: &str = "
    SELECT
        member_id, email, full_name, given_name, family_name, birth_earliest, birth_latest,
        social_profiles::text AS social_profiles, status, confidence::text AS confidence,
        provenance::text AS provenance, policy_version, collected_at, updated_at, expires_at
    FROM supplemental_member_information
    WHERE member_id = ANY($1)";

pub(super) fn record_from(row: &PgRow) -> Result<Record, StoreError> {
    StoredRecord {
        member_id: row.try_get("member_id")?,
        email: row.try_get("email")?,
        full_name: row.try_get("full_name")?,
        given_name: row.try_get("given_name")?,
        family_name: row.try_get("family_name")?,
        birth_earliest: day_from(row, "birth_earliest")?,
        birth_latest: day_from(row, "birth_latest")?,
        social_profiles: row.try_get("social_profiles")?,
        status: row.try_get("status")?,
        confidence: row.try_get("confidence")?,
        provenance: row.try_get("provenance")?,
        policy_version: row.try_get("policy_version")?,
        collected_at: moment_from(row, "collected_at")?,
        updated_at: moment_from(row, "updated_at")?,
        expires_at: moment_from(row, "expires_at")?,
    }
    .read()
}

pub(super) async fn dead_letters(store: &PostgresStore, page: Page) -> Result<Vec<DeadLetter>, StoreError> {
    let sql = "
        SELECT id, member_id, origin, reason, error, attempts, at
        FROM dead_letters
        WHERE id < $1
        ORDER BY id DESC
        LIMIT $2";
    let mut session = store.sessions.report().await?;
    let query = session.query(sql).bind(page.before.unwrap_or(i64::MAX)).bind(i64::from(page.limit));
    let rows = session.rows(query).await?;
    session.end().await?;
    rows.iter().map(dead_letter).collect()
}

pub(super) fn dead_letter(row: &PgRow) -> Result<DeadLetter, StoreError> {
    let member: Option<&str> = row.try_get("member_id")?;
    let attempts: i32 = row.try_get("attempts")?;
    let at: Timestamp = moment_from(row, "at")?;
    Ok(DeadLetter {
        id: row.try_get("id")?,
        member_id: member.map(|member| member_of(member, DEAD_LETTERS)).transpose()?,
        origin: row.try_get("origin")?,
        reason: dead_reason_of(row.try_get("reason")?)?,
        error: row.try_get("error")?,
        attempts: u32::try_from(attempts).unwrap_or(0),
        at,
    })
}
