//! Values as the columns of the tables, the same in every engine.
//!
//! Invariant: pure; writing and reading a value are each other's inverse, and an error names the table, never what it
//! holds. How times and keys travel is each engine's own.

use std::borrow::Cow;

use gleaner_providers::{
    Assurance, BirthInterval, Confidence, EmailAddress, Field, Finding, PersonName, SocialProfile,
    name::Parts,
};
use jiff::Timestamp;
use jiff::civil::Date;
use jiff::tz::TimeZone;
use serde::{Deserialize, Serialize};

use super::StoreError;
use crate::job::{AnswerContent, DeadReason};
use crate::keyring::SubjectKey;
use crate::member::MemberId;
use crate::record::{Confidences, Fields, Record, RecordStatus, Source, Sourced};

pub(super) const JOBS: &str = "enrichment_jobs";
pub(super) const RECORDS: &str = "supplemental_member_information";
pub(super) const ANSWERS: &str = "provider_answers";
pub(super) const DEAD_LETTERS: &str = "dead_letters";

/// Any value as the text of a JSON column.
pub(super) fn json<T: Serialize + ?Sized>(value: &T) -> Result<String, StoreError> {
    serde_json::to_string(value)
        .map_err(|_| StoreError::Statement("a row cannot be written as JSON".to_owned()))
}

/// A number of ours as a signed one, which is what databases have.
pub(super) fn signed(number: u64) -> Result<i64, StoreError> {
    let too_large = |_| StoreError::Statement("a number is larger than the database holds".to_owned());
    i64::try_from(number).map_err(too_large)
}

pub(super) fn corrupt(table: &'static str, what: &str) -> StoreError {
    StoreError::Corrupt { table, reason: format!("{what} is not what this version writes") }
}

pub(super) fn subject_of(bytes: &[u8], table: &'static str) -> Result<SubjectKey, StoreError> {
    bytes.try_into().map(SubjectKey::from_bytes).map_err(|_| corrupt(table, "a subject key"))
}

/// What the parsers say of an id or an address is not repeated: they may quote it.
pub(super) fn member_of(text: &str, table: &'static str) -> Result<MemberId, StoreError> {
    MemberId::parse(text).map_err(|_| corrupt(table, "the member id"))
}

pub(super) fn email_of(text: &str, table: &'static str) -> Result<EmailAddress, StoreError> {
    EmailAddress::parse(text).map_err(|_| corrupt(table, "the address"))
}

pub(super) fn dead_reason_of(word: &str) -> Result<DeadReason, StoreError> {
    let known = DeadReason::ALL.into_iter().find(|known| known.as_str() == word);
    known.ok_or_else(|| corrupt(DEAD_LETTERS, "reason"))
}

/// One row of `supplemental_member_information`, on its way in.
pub(super) struct RecordColumns<'a> {
    pub(super) member_id: &'a str,
    pub(super) email: &'a str,
    pub(super) subject: &'a SubjectKey,
    pub(super) full_name: Option<&'a str>,
    pub(super) given_name: Option<&'a str>,
    pub(super) family_name: Option<&'a str>,
    pub(super) age: Option<u8>,
    pub(super) age_min: Option<u8>,
    pub(super) age_max: Option<u8>,
    pub(super) age_as_of: Option<Date>,
    pub(super) birth_earliest: Option<Date>,
    pub(super) birth_latest: Option<Date>,
    pub(super) social_profiles: Vec<ProfileColumn<'a>>,
    pub(super) status: &'static str,
    pub(super) confidence: Confidences,
    pub(super) provenance: ProvenanceColumn<'a>,
    pub(super) policy_version: &'a str,
    pub(super) collected_at: Timestamp,
    pub(super) updated_at: Timestamp,
    pub(super) expires_at: Timestamp,
}

/// One entry of `social_profiles`.
#[derive(Deserialize, Serialize)]
pub(super) struct ProfileColumn<'a> {
    #[serde(flatten)]
    value: Cow<'a, SocialProfile>,
    confidence: Confidence,
    assurance: Assurance,
    /// The best source, which is what most readers want to know.
    provider: Cow<'a, str>,
    sources: Cow<'a, [Source]>,
}

#[derive(Deserialize, Serialize)]
pub(super) struct ProvenanceColumn<'a> {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    name: Option<Basis<'a>>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    age: Option<Basis<'a>>,
    /// The fields about which providers contradict each other in earnest.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    conflict: Vec<Field>,
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

impl<'a> RecordColumns<'a> {
    pub(super) fn of(record: &'a Record, member: &'a MemberId, subject: &'a SubjectKey) -> Self {
        let name = record.name.as_ref().map(|name| &name.value);
        let birth = record.birth.as_ref().map(|birth| birth.value);
        let today = record.updated_at.to_zoned_datetime(TimeZone::UTC).date();
        let ages = birth.map(|birth| birth.ages_on(today));
        Self {
            member_id: member.as_str(),
            email: record.email.expose(),
            subject,
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
            confidence: record.confidences(),
            provenance: ProvenanceColumn {
                name: record.name.as_ref().map(Basis::of),
                age: record.birth.as_ref().map(Basis::of),
                conflict: record.conflicts.iter().collect(),
            },
            policy_version: &record.policy_version,
            collected_at: record.collected_at,
            updated_at: record.updated_at,
            expires_at: record.expires_at,
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

/// The columns of `supplemental_member_information` that make up a record, on their way out.
pub(super) struct StoredRecord<'r> {
    pub(super) member_id: &'r str,
    pub(super) email: &'r str,
    pub(super) full_name: Option<String>,
    pub(super) given_name: Option<String>,
    pub(super) family_name: Option<String>,
    pub(super) birth_earliest: Option<Date>,
    pub(super) birth_latest: Option<Date>,
    pub(super) social_profiles: &'r str,
    pub(super) status: &'r str,
    pub(super) confidence: &'r str,
    pub(super) provenance: &'r str,
    pub(super) policy_version: String,
    pub(super) collected_at: Timestamp,
    pub(super) updated_at: Timestamp,
    pub(super) expires_at: Timestamp,
}

impl StoredRecord<'_> {
    pub(super) fn read(self) -> Result<Record, StoreError> {
        let confidence: Confidences = json_column(self.confidence, "confidence")?;
        let provenance: ProvenanceColumn<'_> = json_column(self.provenance, "provenance")?;
        let profiles: Vec<ProfileColumn<'_>> = json_column(self.social_profiles, "social_profiles")?;
        let parts = Parts { full: self.full_name, given: self.given_name, family: self.family_name };
        let name = match &parts.full {
            Some(_) => Some(PersonName::from_parts(parts).map_err(|_| corrupt(RECORDS, "full_name"))?),
            None => None,
        };
        let birth = match (self.birth_earliest, self.birth_latest) {
            (Some(earliest), Some(latest)) => Some(
                BirthInterval::between(earliest, latest)
                    .map_err(|_| corrupt(RECORDS, "the birth interval"))?,
            ),
            _ => None,
        };
        let conflicts = Fields::of(&provenance.conflict);
        let status = RecordStatus::ALL.into_iter().find(|known| known.as_str() == self.status);
        Ok(Record {
            member: member_of(self.member_id, RECORDS)?,
            email: email_of(self.email, RECORDS)?,
            name: supported(name, confidence.name, provenance.name)?,
            birth: supported(birth, confidence.age, provenance.age)?,
            profiles: profiles.into_iter().map(ProfileColumn::into_sourced).collect(),
            conflicts,
            status: status.ok_or_else(|| corrupt(RECORDS, "status"))?,
            policy_version: self.policy_version,
            collected_at: self.collected_at,
            updated_at: self.updated_at,
            expires_at: self.expires_at,
        })
    }
}

/// How sure a member's record is, by its column `confidence`. Where there is none, or none that can be read, nothing is settled: whoever
/// is looked up again needs no more of it.
pub(super) fn recorded_of(confidence: Option<&str>) -> Confidences {
    confidence.and_then(|text| serde_json::from_str(text).ok()).unwrap_or_default()
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

fn json_column<'r, T: Deserialize<'r>>(text: &'r str, column: &str) -> Result<T, StoreError> {
    serde_json::from_str(text).map_err(|_| corrupt(RECORDS, column))
}

/// What an answer says, as the columns of `provider_answers`.
pub(super) struct ContentColumns<'a> {
    pub(super) outcome: &'static str,
    pub(super) finding: Option<&'a Finding>,
    pub(super) handle: Option<&'a str>,
    pub(super) ready_at: Option<Timestamp>,
}

impl<'a> ContentColumns<'a> {
    pub(super) fn of(content: &'a AnswerContent) -> Self {
        let (outcome, finding, handle, ready_at) = match content {
            AnswerContent::Match(finding) => ("match", Some(finding), None, None),
            AnswerContent::NoMatch => ("no_match", None, None, None),
            AnswerContent::Pending { handle, ready_at } => {
                ("pending", None, Some(handle.as_str()), Some(*ready_at))
            }
        };
        Self { outcome, finding, handle, ready_at }
    }
}

/// The inverse of [`ContentColumns::of`].
pub(super) fn content_of(
    outcome: &str,
    finding: Option<&str>,
    handle: Option<String>,
    ready_at: Option<Timestamp>,
) -> Result<AnswerContent, StoreError> {
    match (outcome, finding, handle, ready_at) {
        ("match", Some(finding), ..) => {
            serde_json::from_str(finding).map(AnswerContent::Match).map_err(|_| corrupt(ANSWERS, "a finding"))
        }
        ("no_match", ..) => Ok(AnswerContent::NoMatch),
        ("pending", _, Some(handle), Some(ready_at)) => Ok(AnswerContent::Pending { handle, ready_at }),
        _ => Err(corrupt(ANSWERS, "an outcome")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_confidence_that_cannot_be_read_settles_nothing() {
        let sure = Some(Confidence::literal(0.75));
        let read = Confidences { name: sure, social: sure, ..Confidences::default() };
        assert_eq!(recorded_of(Some(r#"{"name": 0.75, "social": 0.75}"#)), read);
        for unreadable in [None, Some("{}"), Some(r#"{"name": "very"}"#), Some("[0.75"), Some("null")] {
            assert_eq!(recorded_of(unreadable), Confidences::default(), "{unreadable:?}");
        }
    }
}
