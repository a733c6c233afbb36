//! The shapes in which rows travel: JSON texts towards the database, columns back.
//!
//! Invariant: pure; writing and reading a value are each other's inverse (times to the millisecond), and an error
//! names the table, never what it holds.

use std::borrow::Cow;

use gleaner_providers::{
    Assurance, BirthInterval, Confidence, EmailAddress, PersonName, SocialProfile, name::Parts,
};
use jiff::Timestamp;
use jiff::civil::Date;
use jiff::tz::TimeZone;
use serde::{Deserialize, Serialize};
use sqlx::Row as _;
use sqlx::sqlite::SqliteRow;

use super::StoreError;
use crate::job::Hold;
use crate::keyring::SubjectKey;
use crate::member::MemberId;
use crate::record::{Record, RecordStatus, Source, Sourced};

const RECORDS: &str = "supplemental_member_information";

/// Many rows as one bound value.
pub(super) fn json<T: Serialize + ?Sized>(rows: &T) -> Result<String, StoreError> {
    serde_json::to_string(rows)
        .map_err(|_| StoreError::Statement("a row cannot be written as JSON".to_owned()))
}

pub(super) fn holds_json(holds: &[Hold]) -> Result<String, StoreError> {
    json(&holds.iter().map(|hold| (hold.job, hold.fence)).collect::<Vec<_>>())
}

/// A time in our own tables.
pub(super) fn millis(at: Timestamp) -> i64 {
    at.as_millisecond()
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
    let bytes: &[u8] = row.try_get("subject")?;
    bytes.try_into().map(SubjectKey::from_bytes).map_err(|_| corrupt(table, "a subject key"))
}

pub(super) fn corrupt(table: &'static str, what: &str) -> StoreError {
    StoreError::Corrupt { table, reason: format!("{what} is not what this version writes") }
}

/// One row of `supplemental_member_information`.
#[derive(Serialize)]
pub(super) struct RecordRow<'a> {
    member_id: &'a str,
    email: &'a str,
    subject: String,
    full_name: Option<&'a str>,
    given_name: Option<&'a str>,
    family_name: Option<&'a str>,
    age: Option<u8>,
    age_min: Option<u8>,
    age_max: Option<u8>,
    age_as_of: Option<Date>,
    birth_earliest: Option<Date>,
    birth_latest: Option<Date>,
    social_profiles: Vec<ProfileColumn<'a>>,
    status: &'static str,
    confidence: ConfidenceColumn,
    provenance: ProvenanceColumn<'a>,
    policy_version: &'a str,
    collected_at: String,
    updated_at: String,
    expires_at: String,
}

/// One entry of `social_profiles`.
#[derive(Deserialize, Serialize)]
struct ProfileColumn<'a> {
    #[serde(flatten)]
    value: Cow<'a, SocialProfile>,
    confidence: Confidence,
    assurance: Assurance,
    /// The best source, which is what most readers want to know.
    provider: Cow<'a, str>,
    sources: Cow<'a, [Source]>,
}

#[derive(Deserialize, Serialize)]
struct ConfidenceColumn {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    name: Option<Confidence>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    age: Option<Confidence>,
}

#[derive(Deserialize, Serialize)]
struct ProvenanceColumn<'a> {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    name: Option<Basis<'a>>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    age: Option<Basis<'a>>,
}

/// What one field rests on.
#[derive(Deserialize, Serialize)]
struct Basis<'a> {
    assurance: Assurance,
    sources: Cow<'a, [Source]>,
}

impl<'a> Basis<'a> {
    fn of<T>(field: &'a Sourced<T>) -> Self {
        Self { assurance: field.assurance, sources: Cow::Borrowed(&field.sources) }
    }

    fn support<T>(self, value: T, confidence: Confidence) -> Sourced<T> {
        Sourced { value, confidence, assurance: self.assurance, sources: self.sources.into_owned() }
    }
}

impl<'a> RecordRow<'a> {
    pub(super) fn of(record: &'a Record, member: &'a MemberId, subject: &SubjectKey) -> Self {
        let name = record.name.as_ref().map(|name| &name.value);
        let birth = record.birth.as_ref().map(|birth| birth.value);
        let today = record.updated_at.to_zoned_datetime(TimeZone::UTC).date();
        let ages = birth.map(|birth| birth.ages_on(today));
        Self {
            member_id: member.as_str(),
            email: record.email.expose(),
            subject: subject_hex(subject),
            full_name: name.map(PersonName::full),
            given_name: name.and_then(PersonName::given),
            family_name: name.and_then(PersonName::family),
            age: birth.and_then(|birth| birth.age_on(today)),
            age_min: ages.map(|(youngest, _)| youngest),
            age_max: ages.map(|(_, oldest)| oldest),
            age_as_of: birth.map(|_| today),
            birth_earliest: birth.map(|birth| birth.earliest()),
            birth_latest: birth.map(|birth| birth.latest()),
            social_profiles: record.profiles.iter().map(ProfileColumn::of).collect(),
            status: record.status.as_str(),
            confidence: ConfidenceColumn {
                name: record.name.as_ref().map(|name| name.confidence),
                age: record.birth.as_ref().map(|birth| birth.confidence),
            },
            provenance: ProvenanceColumn {
                name: record.name.as_ref().map(Basis::of),
                age: record.birth.as_ref().map(Basis::of),
            },
            policy_version: &record.policy_version,
            collected_at: stamp(record.collected_at),
            updated_at: stamp(record.updated_at),
            expires_at: stamp(record.expires_at),
        }
    }
}

impl<'a> ProfileColumn<'a> {
    fn of(profile: &'a Sourced<SocialProfile>) -> Self {
        Self {
            value: Cow::Borrowed(&profile.value),
            confidence: profile.confidence,
            assurance: profile.assurance,
            provider: profile.sources.first().map_or(Cow::Borrowed(""), |best| Cow::Borrowed(&best.provider)),
            sources: Cow::Borrowed(&profile.sources),
        }
    }

    fn into_sourced(self) -> Sourced<SocialProfile> {
        Sourced {
            value: self.value.into_owned(),
            confidence: self.confidence,
            assurance: self.assurance,
            sources: self.sources.into_owned(),
        }
    }
}

/// Reads a row of `supplemental_member_information` (all columns, by name).
pub(super) fn record_from(row: &SqliteRow) -> Result<Record, StoreError> {
    let confidence: ConfidenceColumn = json_column(row, "confidence")?;
    let provenance: ProvenanceColumn<'_> = json_column(row, "provenance")?;
    let profiles: Vec<ProfileColumn<'_>> = json_column(row, "social_profiles")?;
    let status: &str = row.try_get("status")?;
    Ok(Record {
        member: MemberId::parse(row.try_get("member_id")?).map_err(|_| corrupt(RECORDS, "member_id"))?,
        email: EmailAddress::parse(row.try_get("email")?).map_err(|_| corrupt(RECORDS, "email"))?,
        name: supported(name_from(row)?, confidence.name, provenance.name)?,
        birth: supported(birth_from(row)?, confidence.age, provenance.age)?,
        profiles: profiles.into_iter().map(ProfileColumn::into_sourced).collect(),
        status: RecordStatus::ALL
            .into_iter()
            .find(|known| known.as_str() == status)
            .ok_or_else(|| corrupt(RECORDS, "status"))?,
        policy_version: row.try_get("policy_version")?,
        collected_at: time_column(row, "collected_at")?,
        updated_at: time_column(row, "updated_at")?,
        expires_at: time_column(row, "expires_at")?,
    })
}

/// A value with what it rests on: all of it, or none.
fn supported<T>(
    value: Option<T>,
    confidence: Option<Confidence>,
    basis: Option<Basis<'_>>,
) -> Result<Option<Sourced<T>>, StoreError> {
    match (value, confidence, basis) {
        (None, ..) => Ok(None),
        (Some(value), Some(confidence), Some(basis)) => Ok(Some(basis.support(value, confidence))),
        _ => Err(corrupt(RECORDS, "a value without confidence or provenance")),
    }
}

fn name_from(row: &SqliteRow) -> Result<Option<PersonName>, StoreError> {
    let Some(full) = row.try_get("full_name")? else { return Ok(None) };
    let parts =
        Parts { full: Some(full), given: row.try_get("given_name")?, family: row.try_get("family_name")? };
    PersonName::from_parts(parts).map(Some).map_err(|_| corrupt(RECORDS, "full_name"))
}

fn birth_from(row: &SqliteRow) -> Result<Option<BirthInterval>, StoreError> {
    let earliest: Option<&str> = row.try_get("birth_earliest")?;
    let latest: Option<&str> = row.try_get("birth_latest")?;
    let (Some(earliest), Some(latest)) = (earliest, latest) else { return Ok(None) };
    let day = |text: &str| text.parse::<Date>().map_err(|_| corrupt(RECORDS, "a birth date"));
    BirthInterval::between(day(earliest)?, day(latest)?)
        .map(Some)
        .map_err(|_| corrupt(RECORDS, "the birth interval"))
}

fn time_column(row: &SqliteRow, column: &str) -> Result<Timestamp, StoreError> {
    row.try_get::<&str, _>(column)?.parse().map_err(|_| corrupt(RECORDS, column))
}

fn json_column<'r, T: Deserialize<'r>>(row: &'r SqliteRow, column: &str) -> Result<T, StoreError> {
    serde_json::from_str(row.try_get(column)?).map_err(|_| corrupt(RECORDS, column))
}
