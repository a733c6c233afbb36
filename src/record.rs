//! The supplemental record: one member's name, age and profiles, with where each of them came from.
//!
//! Invariant: pure types; what is derived from the clock (today's age) is computed, never stored as truth.

use std::fmt;

use gleaner_providers::{
    Assurance, BirthInterval, Confidence, EmailAddress, Field, PersonName, SocialProfile,
};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::member::MemberId;

mod change;
mod confidences;
mod fields;

pub use change::{Change, ChangeKind, changes};
pub use confidences::Confidences;
pub use fields::Fields;

/// One row of `supplemental_member_information`. `Debug` shows no personal data.
#[derive(Clone, Debug, PartialEq)]
pub struct Record {
    pub member: MemberId,
    pub email: EmailAddress,
    pub name: Option<Sourced<PersonName>>,
    pub birth: Option<Sourced<BirthInterval>>,
    pub profiles: Vec<Sourced<SocialProfile>>,
    /// The fields about which providers contradict each other in earnest.
    pub conflicts: Fields,
    pub status: RecordStatus,
    /// The version of the privacy policy under which it was collected.
    pub policy_version: String,
    pub collected_at: Timestamp,
    pub updated_at: Timestamp,
    pub expires_at: Timestamp,
}

impl Record {
    /// Whether the field holds a value.
    pub const fn has(&self, field: Field) -> bool {
        match field {
            Field::Name => self.name.is_some(),
            Field::Age => self.birth.is_some(),
            Field::Social => !self.profiles.is_empty(),
        }
    }

    pub fn confidences(&self) -> Confidences {
        Confidences::of(self.name.as_ref(), self.birth.as_ref(), &self.profiles)
    }
}

/// How far a record got.
#[derive(Clone, Copy, Debug, Deserialize, Eq, Hash, Ord, PartialEq, PartialOrd, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum RecordStatus {
    /// Every provider that had to be asked has answered, and something was found.
    Complete,
    /// Something was found, and a provider's answer is still awaited or was given up.
    Partial,
    /// Every provider that had to be asked has answered, and nobody knew anything.
    NoMatch,
}

impl RecordStatus {
    pub const ALL: [Self; 3] = [Self::Complete, Self::Partial, Self::NoMatch];

    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Complete => "complete",
            Self::Partial => "partial",
            Self::NoMatch => "no_match",
        }
    }
}

/// A value of the record with its confidence and the sources that support it.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
pub struct Sourced<T> {
    pub value: T,
    pub confidence: Confidence,
    pub assurance: Assurance,
    /// Who says so, best first. Never empty.
    pub sources: Vec<Source>,
}

/// Which provider said it, when, and where it can be seen.
#[derive(Clone, Deserialize, PartialEq, Serialize)]
pub struct Source {
    pub provider: String,
    pub fetched_at: Timestamp,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub evidence: Option<String>,
}

/// Without the evidence: it may be the address of somebody's profile.
impl fmt::Debug for Source {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Source")
            .field("provider", &self.provider)
            .field("fetched_at", &self.fetched_at)
            .finish_non_exhaustive()
    }
}
