//! What differs between two records of one member, field by field.
//!
//! Invariant: pure; tells which field and how, never the values.

use std::collections::BTreeSet;

use gleaner_providers::Confidence;

use super::{Record, Sourced};

/// One field that differs.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub struct Change {
    /// `name`, `age` or `social`.
    pub field: &'static str,
    pub kind: ChangeKind,
}

/// How it differs.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub enum ChangeKind {
    /// There was no value before.
    Filled,
    /// There is none any more.
    Lost,
    /// Another value.
    Changed,
    /// The same value, more or less sure.
    Surety,
}

impl ChangeKind {
    pub const ALL: [Self; 4] = [Self::Filled, Self::Lost, Self::Changed, Self::Surety];

    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Filled => "filled",
            Self::Lost => "lost",
            Self::Changed => "changed",
            Self::Surety => "confidence",
        }
    }
}

/// What a new record changes of an old one; of none, everything that it holds is filled.
pub fn changes(before: Option<&Record>, after: &Record) -> Vec<Change> {
    let name = compare(before.and_then(|record| record.name.as_ref()), after.name.as_ref());
    let age = compare(before.and_then(|record| record.birth.as_ref()), after.birth.as_ref());
    let social = profiles(before, after);
    [("name", name), ("age", age), ("social", social)]
        .into_iter()
        .filter_map(|(field, kind)| Some(Change { field, kind: kind? }))
        .collect()
}

fn compare<T: PartialEq>(before: Option<&Sourced<T>>, after: Option<&Sourced<T>>) -> Option<ChangeKind> {
    match (before, after) {
        (None, None) => None,
        (None, Some(_)) => Some(ChangeKind::Filled),
        (Some(_), None) => Some(ChangeKind::Lost),
        (Some(old), Some(new)) if old.value != new.value => Some(ChangeKind::Changed),
        (Some(old), Some(new)) => differs(old.confidence, new.confidence).then_some(ChangeKind::Surety),
    }
}

fn profiles(before: Option<&Record>, after: &Record) -> Option<ChangeKind> {
    let old = before.map(|record| record.profiles.as_slice()).unwrap_or_default();
    let urls = |profiles: &[Sourced<gleaner_providers::SocialProfile>]| {
        profiles.iter().map(|profile| profile.value.url().to_owned()).collect::<BTreeSet<_>>()
    };
    match (old.is_empty(), after.profiles.is_empty()) {
        (true, true) => None,
        (true, false) => Some(ChangeKind::Filled),
        (false, true) => Some(ChangeKind::Lost),
        (false, false) if urls(old) != urls(&after.profiles) => Some(ChangeKind::Changed),
        (false, false) => {
            let sureness = |profiles: &[Sourced<gleaner_providers::SocialProfile>]| {
                let mut all: Vec<_> = profiles
                    .iter()
                    .map(|profile| (profile.value.url().to_owned(), profile.confidence.get()))
                    .collect();
                all.sort_by(|a, b| a.0.cmp(&b.0));
                all
            };
            let (old, new) = (sureness(old), sureness(&after.profiles));
            old.iter().zip(&new).any(|(a, b)| (a.1 - b.1).abs() > TOLERANCE).then_some(ChangeKind::Surety)
        }
    }
}

/// Below it, two confidences are the same number written twice.
const TOLERANCE: f64 = 0.000_001;

fn differs(old: Confidence, new: Confidence) -> bool {
    (old.get() - new.get()).abs() > TOLERANCE
}
