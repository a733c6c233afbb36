//! What differs between two records of one member, field by field.
//!
//! Invariant: pure; tells which field and how, never the values.

use std::collections::{BTreeMap, BTreeSet};

use gleaner_providers::{Assurance, SocialProfile};

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
        (Some(old), Some(new)) => (support(old) != support(new)).then_some(ChangeKind::Surety),
    }
}

fn profiles(before: Option<&Record>, after: &Record) -> Option<ChangeKind> {
    let old = before.map(|record| record.profiles.as_slice()).unwrap_or_default();
    let by_url = |profiles: &[Sourced<SocialProfile>]| {
        let supported = profiles.iter().map(|profile| (profile.value.url().to_owned(), support(profile)));
        supported.collect::<BTreeMap<_, _>>()
    };
    match (old.is_empty(), after.profiles.is_empty()) {
        (true, true) => None,
        (true, false) => Some(ChangeKind::Filled),
        (false, true) => Some(ChangeKind::Lost),
        (false, false) => {
            let (old, new) = (by_url(old), by_url(&after.profiles));
            if old.keys().eq(new.keys()) {
                (old != new).then_some(ChangeKind::Surety)
            } else {
                Some(ChangeKind::Changed)
            }
        }
    }
}

/// What a value rests on, as far as a reader would see a difference: how sure to a millionth, how proven, by whom.
fn support<T>(sourced: &Sourced<T>) -> (i64, Assurance, BTreeSet<String>) {
    #[expect(clippy::cast_possible_truncation, reason = "0 to a million")]
    let millionths = (sourced.confidence.get() * 1_000_000.0).round() as i64;
    let providers = sourced.sources.iter().map(|source| source.provider.clone()).collect();
    (millionths, sourced.assurance, providers)
}

#[cfg(test)]
mod tests {
    use gleaner_providers::{Confidence, EmailAddress, PersonName};
    use jiff::Timestamp;

    use super::super::{Fields, RecordStatus, Source};
    use super::*;
    use crate::member::MemberId;

    fn sourced<T>(value: T, confidence: f64) -> Sourced<T> {
        let source =
            Source { provider: "github".to_owned(), fetched_at: Timestamp::UNIX_EPOCH, evidence: None };
        let confidence = Confidence::clamped(confidence);
        Sourced { value, confidence, assurance: Assurance::Broker, sources: vec![source] }
    }

    fn record(name: Option<(&str, f64)>, profiles: &[(&str, f64)]) -> Record {
        Record {
            member: MemberId::parse("m").unwrap(),
            email: EmailAddress::parse("ada@example.com").unwrap(),
            name: name.map(|(name, sure)| sourced(PersonName::parse(name).unwrap(), sure)),
            birth: None,
            profiles: profiles
                .iter()
                .map(|(url, sure)| sourced(SocialProfile::parse(url).unwrap(), *sure))
                .collect(),
            conflicts: Fields::NONE,
            status: RecordStatus::Complete,
            policy_version: "1".to_owned(),
            collected_at: Timestamp::UNIX_EPOCH,
            updated_at: Timestamp::UNIX_EPOCH,
            expires_at: Timestamp::UNIX_EPOCH,
        }
    }

    #[test]
    fn each_field_differs_in_one_way() {
        let (ada, hub) = (Some(("Ada Example", 0.5)), ("https://github.com/ada-example", 0.5));
        let hub_surer = (hub.0, 0.6);
        let other = ("https://github.com/ada", 0.5);
        for (before, after, expected) in [
            ((None, &[][..]), (None, &[][..]), vec![]),
            ((ada, &[hub][..]), (ada, &[hub][..]), vec![]),
            ((None, &[]), (ada, &[hub]), vec!["name filled", "social filled"]),
            ((ada, &[hub]), (None, &[]), vec!["name lost", "social lost"]),
            ((ada, &[]), (Some(("Bea Example", 0.5)), &[]), vec!["name changed"]),
            ((ada, &[]), (Some(("Ada Example", 0.7)), &[]), vec!["name confidence"]),
            ((None, &[hub]), (None, &[other]), vec!["social changed"]),
            ((None, &[hub]), (None, &[hub, other]), vec!["social changed"]),
            ((None, &[hub]), (None, &[hub_surer]), vec!["social confidence"]),
            ((None, &[hub, other]), (None, &[other, hub]), vec![]),
        ] {
            let (before, after) = (record(before.0, before.1), record(after.0, after.1));
            let told: Vec<_> = changes(Some(&before), &after)
                .iter()
                .map(|change| format!("{} {}", change.field, change.kind.as_str()))
                .collect();
            assert_eq!(told, expected);
        }
        let first = changes(None, &record(ada, &[]));
        assert_eq!(first, [Change { field: "name", kind: ChangeKind::Filled }]);
    }
}
