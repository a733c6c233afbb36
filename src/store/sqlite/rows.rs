//! The shapes in which rows travel: JSON texts towards the database, columns back.
//!
//! Invariant: pure; times are written to the millisecond, and an error names the table, never what it holds.

use jiff::Timestamp;
use jiff::civil::Date;
use serde::Serialize;
use sqlx::Row as _;
use sqlx::sqlite::SqliteRow;

use super::StoreError;
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

/// One row of `supplemental_member_information`.
#[derive(Serialize)]
pub(super) struct RecordRow<'a> {
    #[serde(flatten)]
    columns: &'a RecordColumns<'a>,
    subject: String,
    collected_at: String,
    updated_at: String,
    expires_at: String,
}

impl<'a> RecordRow<'a> {
    pub(super) fn of(columns: &'a RecordColumns<'a>) -> Self {
        Self {
            columns,
            subject: subject_hex(columns.subject),
            collected_at: stamp(columns.collected_at),
            updated_at: stamp(columns.updated_at),
            expires_at: stamp(columns.expires_at),
        }
    }
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
