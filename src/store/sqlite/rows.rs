//! The shapes in which rows travel: bound values or JSON texts towards the database, columns back.
//!
//! Invariant: pure; times are written to the millisecond, and an error names the table, never what it holds.

use jiff::Timestamp;
use jiff::civil::Date;
use sqlx::Row as _;
use sqlx::sqlite::SqliteRow;

use super::StoreError;
use super::insert::Filling;
use crate::job::Hold;
use crate::keyring::SubjectKey;
use crate::record::Record;
use crate::store::columns::{RECORDS, RecordColumns, StoredRecord, corrupt, json, subject_of};

/// The end of time, to the millisecond that can be read back.
const LAST_MILLIS: i64 = 253_402_207_200_000;

pub(super) fn holds_json(holds: &[Hold]) -> Result<String, StoreError> {
    json(&holds.iter().map(|hold| (hold.job, hold.fence)).collect::<Vec<_>>())
}

/// A time in our own tables.
pub(super) fn millis(at: Timestamp) -> i64 {
    at.as_millisecond().min(LAST_MILLIS)
}

pub(super) fn moment(milliseconds: i64, table: &'static str) -> Result<Timestamp, StoreError> {
    Timestamp::from_millisecond(milliseconds).map_err(|_| corrupt(table, "a time"))
}

/// A time in the tables that other programs read: RFC 3339 in UTC, of one width, so that texts sort as times do.
pub(super) fn stamp(at: Timestamp) -> String {
    format!("{at:.3}")
}

/// A subject inside a JSON text, which has no bytes.
pub(super) fn subject_hex(subject: &SubjectKey) -> String {
    hex::encode(subject.as_bytes())
}

pub(super) fn subject_from(row: &SqliteRow, table: &'static str) -> Result<SubjectKey, StoreError> {
    subject_of(row.try_get("subject")?, table)
}

/// Binds a row of `supplemental_member_information` (all columns, in their order).
pub(super) fn bind_record(filling: Filling, record: &RecordColumns<'_>) -> Result<Filling, StoreError> {
    let owned = |text: Option<&str>| text.map(str::to_owned);
    let day = |day: Option<Date>| day.map(|day| day.to_string());
    Ok(filling
        .bind(record.member_id.to_owned())
        .bind(record.email.to_owned())
        .bind(record.subject.as_bytes().to_vec())
        .bind(owned(record.full_name))
        .bind(owned(record.given_name))
        .bind(owned(record.family_name))
        .bind(record.age)
        .bind(record.age_min)
        .bind(record.age_max)
        .bind(day(record.age_as_of))
        .bind(day(record.birth_earliest))
        .bind(day(record.birth_latest))
        .bind(json(&record.social_profiles)?)
        .bind(record.status)
        .bind(json(&record.confidence)?)
        .bind(json(&record.provenance)?)
        .bind(record.policy_version.to_owned())
        .bind(stamp(record.collected_at))
        .bind(stamp(record.updated_at))
        .bind(stamp(record.expires_at)))
}

/// Reads a row of `supplemental_member_information` (all columns, by name).
pub(super) fn record_from(row: &SqliteRow) -> Result<Record, StoreError> {
    StoredRecord {
        member_id: row.try_get("member_id")?,
        email: row.try_get("email")?,
        full_name: row.try_get("full_name")?,
        given_name: row.try_get("given_name")?,
        family_name: row.try_get("family_name")?,
        birth_earliest: day_column(row, "birth_earliest")?,
        birth_latest: day_column(row, "birth_latest")?,
        social_profiles: row.try_get("social_profiles")?,
        status: row.try_get("status")?,
        confidence: row.try_get("confidence")?,
        provenance: row.try_get("provenance")?,
        policy_version: row.try_get("policy_version")?,
        collected_at: time_column(row, "collected_at")?,
        updated_at: time_column(row, "updated_at")?,
        expires_at: time_column(row, "expires_at")?,
    }
    .read()
}

fn day_column(row: &SqliteRow, column: &str) -> Result<Option<Date>, StoreError> {
    let text: Option<&str> = row.try_get(column)?;
    text.map(str::parse).transpose().map_err(|_| corrupt(RECORDS, column))
}

fn time_column(row: &SqliteRow, column: &str) -> Result<Timestamp, StoreError> {
    row.try_get::<&str, _>(column)?.parse().map_err(|_| corrupt(RECORDS, column))
}
