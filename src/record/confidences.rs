//! How sure a record is of each field.
//!
//! Invariant: pure; a field that is not filled has no confidence.

use gleaner_providers::{BirthInterval, Confidence, Field, PersonName, SocialProfile};
use serde::{Deserialize, Serialize};

use super::Sourced;

/// One confidence for each field that is filled.
#[derive(Clone, Copy, Debug, Default, Deserialize, PartialEq, Serialize)]
#[serde(default)]
pub struct Confidences {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<Confidence>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub age: Option<Confidence>,
    /// Of several profiles, the surest one counts.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub social: Option<Confidence>,
}

impl Confidences {
    pub(crate) fn of(
        name: Option<&Sourced<PersonName>>,
        birth: Option<&Sourced<BirthInterval>>,
        profiles: &[Sourced<SocialProfile>],
    ) -> Self {
        let of_profiles = profiles.iter().map(|profile| profile.confidence);
        Self {
            name: name.map(|name| name.confidence),
            age: birth.map(|birth| birth.confidence),
            social: of_profiles.max_by(|a, b| a.get().total_cmp(&b.get())),
        }
    }

    pub const fn get(self, field: Field) -> Option<Confidence> {
        match field {
            Field::Name => self.name,
            Field::Age => self.age,
            Field::Social => self.social,
        }
    }

    /// Whether the field is filled, and at least so surely.
    pub fn reaches(self, field: Field, least: Confidence) -> bool {
        self.get(field).is_some_and(|sure| sure >= least)
    }
}
