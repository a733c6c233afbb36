//! How sure a record is of each field.
//!
//! Invariant: pure; a field that is not filled has no confidence.

use gleaner_providers::{Confidence, Field, SocialProfile};
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
    pub const fn of(self, field: Field) -> Option<Confidence> {
        match field {
            Field::Name => self.name,
            Field::Age => self.age,
            Field::Social => self.social,
        }
    }

    /// Whether the field is filled, and at least so surely.
    pub fn reaches(self, field: Field, least: Confidence) -> bool {
        self.of(field).is_some_and(|sure| sure >= least)
    }

    pub(crate) fn surest(profiles: &[Sourced<SocialProfile>]) -> Option<Confidence> {
        profiles.iter().map(|profile| profile.confidence).max_by(|a, b| a.get().total_cmp(&b.get()))
    }
}
