//! Which members a replay is about.
//!
//! Invariant: pure; holds no personal data but member ids, which stand in a table of their own.

use gleaner_providers::Field;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::job::{BatchId, DeadReason};

/// What a member must be like. Everything that is given must hold; nothing given selects everybody.
#[derive(Clone, Debug, Default, Deserialize, PartialEq, Serialize)]
#[serde(default, deny_unknown_fields)]
pub struct Selection {
    /// Where the member stands: any of these.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub standing: Option<Vec<Standing>>,
    /// When the record was written, or the dead letter: from, and before.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub since: Option<Timestamp>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub until: Option<Timestamp>,
    /// Handed over with this batch, or replayed by it last.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub batch: Option<BatchId>,
    /// This provider has answered about the member.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub provider: Option<String>,
    /// And did so before: an older version of the provider, or of our reading of it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub answered_before: Option<Timestamp>,
    /// A lookup of the member ended so (of `provider`, where one is given).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub error_class: Option<String>,
    /// The field is empty.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub missing: Option<Field>,
    /// The field is less sure, or empty.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub below: Option<Below>,
    /// The record has expired.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub expired: bool,
    /// The members are those of a list.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub listed: bool,
    /// Of dead letters, those of this reason, of this error, or with these ids.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub dead_reason: Option<DeadReason>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub dead_error: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub dead_ids: Option<Vec<i64>>,
}

/// A field and how sure it must not be.
#[derive(Clone, Copy, Debug, Deserialize, PartialEq, Serialize)]
pub struct Below {
    pub field: Field,
    pub confidence: f64,
}

/// Where a member can stand who may be looked up again.
#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Standing {
    Complete,
    Partial,
    NoMatch,
    DeadLetter,
}

impl Standing {
    pub const ALL: [Self; 4] = [Self::Complete, Self::Partial, Self::NoMatch, Self::DeadLetter];

    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Complete => "complete",
            Self::Partial => "partial",
            Self::NoMatch => "no_match",
            Self::DeadLetter => "dead_letter",
        }
    }
}

impl Selection {
    /// The record's states that it selects; `None`: all. Empty where it is about dead letters alone.
    pub(in crate::store) fn statuses(&self) -> Option<Vec<&'static str>> {
        if self.is_about_letters() {
            return Some(Vec::new());
        }
        let words = |standing: &Vec<Standing>| {
            standing.iter().filter(|one| **one != Standing::DeadLetter).map(|one| one.as_str()).collect()
        };
        self.standing.as_ref().map(words)
    }

    /// Whether it selects dead letters at all.
    pub(in crate::store) fn takes_letters(&self) -> bool {
        self.standing.as_ref().is_none_or(|standing| standing.contains(&Standing::DeadLetter))
    }

    const fn is_about_letters(&self) -> bool {
        self.dead_reason.is_some() || self.dead_error.is_some() || self.dead_ids.is_some()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_comes_back_as_it_was_written() {
        let selection = Selection {
            standing: Some(vec![Standing::Partial, Standing::DeadLetter]),
            below: Some(Below { field: Field::Age, confidence: 0.7 }),
            expired: true,
            ..Selection::default()
        };
        let text = serde_json::to_string(&selection).unwrap();
        insta::assert_snapshot!(text, @r#"{"standing":["partial","dead_letter"],"below":{"field":"age","confidence":0.7},"expired":true}"#);
        assert_eq!(serde_json::from_str::<Selection>(&text).unwrap(), selection);
        assert_eq!(serde_json::to_string(&Selection::default()).unwrap(), "{}");
    }

    #[test]
    fn what_is_asked_of_a_letter_selects_letters_alone() {
        let letters = Selection { dead_reason: Some(DeadReason::LeaseExpired), ..Selection::default() };
        assert_eq!((letters.statuses(), letters.takes_letters()), (Some(vec![]), true));
        let records = Selection { standing: Some(vec![Standing::NoMatch]), ..Selection::default() };
        assert_eq!((records.statuses(), records.takes_letters()), (Some(vec!["no_match"]), false));
    }
}
