//! A merged record as it is written.
//!
//! Invariant: every field is there, null or empty where nobody told it; confidences have four digits.

use gleaner::enrich::merge::Merged;
use gleaner::record::Sourced;
use gleaner_providers::{BirthInterval, Field, PersonName, SocialProfile};
use jiff::civil::Date;
use serde::Serialize;

/// One line of the answer.
#[derive(Serialize)]
pub(super) struct MergedView<'a> {
    subject: &'a str,
    name: Option<Answer<'a, NameView<'a>>>,
    age: Option<Answer<'a, AgeView>>,
    social: Vec<Answer<'a, ProfileView<'a>>>,
    /// The fields about which sources contradict each other in earnest.
    conflict: Vec<&'static str>,
    /// Accounts that were told and are not believed, or are somebody else's.
    rejected_social: Vec<Alternative<'a, ProfileView<'a>>>,
}

/// A value with what it rests on.
#[derive(Serialize)]
struct Answer<'a, T> {
    #[serde(flatten)]
    value: T,
    confidence: f64,
    supported_by: Vec<&'a str>,
    contradicted_by: Vec<&'a str>,
    conflict: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    assurance: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    alternatives: Option<Vec<Alternative<'a, T>>>,
}

/// A value that is not believed.
#[derive(Serialize)]
struct Alternative<'a, T> {
    #[serde(flatten)]
    value: T,
    confidence: f64,
    supported_by: Vec<&'a str>,
}

#[derive(Serialize)]
struct NameView<'a> {
    value: &'a str,
    given: Option<&'a str>,
    family: Option<&'a str>,
}

#[derive(Serialize)]
struct AgeView {
    /// Completed years, where the interval allows only one value.
    value: Option<u8>,
    min: u8,
    max: u8,
    birth_earliest: Date,
    birth_latest: Date,
    /// Where the interval lies within one year.
    birth_year: Option<i16>,
}

#[derive(Serialize)]
struct ProfileView<'a> {
    network: &'a str,
    handle: Option<&'a str>,
    url: &'a str,
}

impl<'a> MergedView<'a> {
    pub(super) fn of(subject: &'a str, merged: &'a Merged, today: Date) -> Self {
        let rejected = &merged.rejected;
        let in_conflict = |field: Field| merged.conflicts.contains(&field);
        let age = |birth: &BirthInterval| AgeView::of(*birth, today);
        Self {
            subject,
            name: merged
                .name
                .as_ref()
                .map(|name| answer(name, &rejected.names, in_conflict(Field::Name), NameView::of)),
            age: merged
                .birth
                .as_ref()
                .map(|birth| answer(birth, &rejected.births, in_conflict(Field::Age), age)),
            social: merged.profiles.iter().map(|profile| profile_answer(profile, merged)).collect(),
            conflict: merged.conflicts.iter().map(|field| field.as_str()).collect(),
            rejected_social: rejected
                .profiles
                .iter()
                .map(|other| alternative(other, ProfileView::of))
                .collect(),
        }
    }
}

fn answer<'a, V, T>(
    field: &'a Sourced<V>,
    rejected: &'a [Sourced<V>],
    conflict: bool,
    view: impl Fn(&'a V) -> T,
) -> Answer<'a, T> {
    let supported_by = providers(field);
    let against = rejected.iter().flat_map(providers).filter(|provider| !supported_by.contains(provider));
    let mut contradicted_by: Vec<&str> = against.collect();
    contradicted_by.sort_unstable();
    contradicted_by.dedup();
    Answer {
        value: view(&field.value),
        confidence: round(field.confidence.get()),
        supported_by,
        contradicted_by,
        conflict,
        assurance: None,
        alternatives: Some(rejected.iter().map(|other| alternative(other, &view)).collect()),
    }
}

/// An account; what contradicts it are other accounts on its network.
fn profile_answer<'a>(
    profile: &'a Sourced<SocialProfile>,
    merged: &'a Merged,
) -> Answer<'a, ProfileView<'a>> {
    let supported_by = providers(profile);
    let rivals =
        merged.rejected.profiles.iter().filter(|other| other.value.network() == profile.value.network());
    let mut contradicted_by: Vec<&str> =
        rivals.flat_map(providers).filter(|provider| !supported_by.contains(provider)).collect();
    contradicted_by.sort_unstable();
    contradicted_by.dedup();
    Answer {
        value: ProfileView::of(&profile.value),
        confidence: round(profile.confidence.get()),
        supported_by,
        conflict: !contradicted_by.is_empty() && merged.conflicts.contains(&Field::Social),
        contradicted_by,
        assurance: Some(profile.assurance.as_str()),
        alternatives: None,
    }
}

fn alternative<'a, V, T>(other: &'a Sourced<V>, view: impl Fn(&'a V) -> T) -> Alternative<'a, T> {
    Alternative {
        value: view(&other.value),
        confidence: round(other.confidence.get()),
        supported_by: providers(other),
    }
}

fn providers<V>(field: &Sourced<V>) -> Vec<&str> {
    let mut providers: Vec<_> = field.sources.iter().map(|source| source.provider.as_str()).collect();
    providers.sort_unstable();
    providers.dedup();
    providers
}

impl<'a> NameView<'a> {
    fn of(name: &'a PersonName) -> Self {
        Self { value: name.full(), given: name.given(), family: name.family() }
    }
}

impl AgeView {
    fn of(birth: BirthInterval, today: Date) -> Self {
        let (min, max) = birth.ages_on(today);
        let (first, last) = (birth.earliest().year(), birth.latest().year());
        Self {
            value: birth.age_on(today),
            min,
            max,
            birth_earliest: birth.earliest(),
            birth_latest: birth.latest(),
            birth_year: (first == last).then_some(first),
        }
    }
}

impl<'a> ProfileView<'a> {
    fn of(profile: &'a SocialProfile) -> Self {
        Self { network: profile.network(), handle: profile.handle(), url: profile.url() }
    }
}

fn round(confidence: f64) -> f64 {
    (confidence * 10_000.0).round() / 10_000.0
}
