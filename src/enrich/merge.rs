//! Findings become one record: per field the best supported value, and how sure that is.
//!
//! Each field is a question that sources answer (`weigh`); how far each source is to be believed, and who only
//! repeats whom, is learned from how they agree ([`Learner`]). Names agree across spellings, birth intervals intersect,
//! accounts unite by canonical form. Values are never averaged, and never mixed: sources that speak of somebody else
//! (`person`) give nothing to the record. `docs/merge.md` explains all of it on a page.
//!
//! Invariant: pure, and independent of the order in which answers arrived.

use std::cmp::Reverse;

use gleaner_providers::{Assurance, BirthInterval, Confidence, Field, PersonName, SocialProfile};
use jiff::Timestamp;

use crate::record::{Confidences, Source, Sourced};

mod accounts;
mod births;
mod copies;
mod handles;
mod identity;
mod inquiry;
mod learn;
mod learner;
mod likeness;
mod names;
mod person;
mod question;
mod report;
mod sources;
mod voices;
mod weigh;
mod wording;

use inquiry::{Answered, Inquiry};
pub use learner::{ENOUGH_ANSWERS, Learner, Trust};
use person::Cast;
pub use report::{Copies, SourceReport};
pub use sources::Sources;
pub use voices::{CORRECTION, Said, Statement, Voices};

/// No agreement of sources makes certain: they may copy from each other, or all be out of date.
const CEILING: f64 = 0.99;
/// From this chance on, what contradicts a value is a conflict, and not just somebody's mistake.
const CONFLICT: f64 = 0.05;
/// An account that is likelier wrong than right is only shown where it is the best of its network.
const LIKELY: f64 = 0.5;

/// The fields of a record before it is one.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Merged {
    pub name: Option<Sourced<PersonName>>,
    pub birth: Option<Sourced<BirthInterval>>,
    /// Best assurance first, then most confident.
    pub profiles: Vec<Sourced<SocialProfile>>,
    /// What was said and is not believed, likeliest first, each with its own chance.
    pub rejected: Rejected,
    /// The fields about which sources contradict each other in earnest.
    pub conflicts: Vec<Field>,
}

/// Values that contradict those of the record, or belong to somebody else.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Rejected {
    pub names: Vec<Sourced<PersonName>>,
    pub births: Vec<Sourced<BirthInterval>>,
    pub profiles: Vec<Sourced<SocialProfile>>,
}

impl Merged {
    /// Whether nothing at all was found.
    pub const fn is_empty(&self) -> bool {
        self.name.is_none() && self.birth.is_none() && self.profiles.is_empty()
    }

    /// How sure each field is.
    pub fn confidences(&self) -> Confidences {
        Confidences::of(self.name.as_ref(), self.birth.as_ref(), &self.profiles)
    }
}

/// Merges what several providers said about one subject, believing each as far as is known of it.
pub fn merge(statements: &[Statement<'_>], sources: &Sources) -> Merged {
    merge_voices(&Voices::of(statements), sources)
}

/// Merges what was said about one subject.
pub fn merge_voices(voices: &Voices<'_>, sources: &Sources) -> Merged {
    let inquiry = Inquiry::of(voices, sources, voices.newest());
    let answered = inquiry.name(sources);
    let cast = Cast::of(voices, &inquiry, &answered, sources);
    let mut merged = Merged::default();

    let name = |(index, chance): (usize, f64)| {
        let candidate = inquiry.names.candidates.get(index)?;
        let spelling = inquiry.names.best_spelling(&voices.names, candidate, |vote| answered.gain(vote))?;
        let supporters = supporters(&voices.names, candidate.supporters);
        Some(sourced(voices.names.get(spelling)?.value.clone(), chance, &supporters))
    };
    let mut names: Vec<_> = cast.names(&answered).into_iter().filter_map(name).collect();
    if cast.name.is_some() && !names.is_empty() {
        merged.name = Some(names.remove(0));
    }
    merged.rejected.names = names;

    // What strangers say is no evidence about this person; that they are strangers is as sure as the name.
    let (strange_births, births) = apart(&voices.births, &cast);
    let (strange_profiles, profiles) = apart(&voices.profiles, &cast);
    let newest = voices.newest();

    let mut born = merge_births(&births, sources, newest, cast.ours);
    if !born.is_empty() {
        merged.birth = Some(born.remove(0));
    }
    merged.rejected.births = born;
    merged.rejected.births.extend(merge_births(&strange_births, sources, newest, cast.theirs));

    let (shown, rejected) = merge_profiles(&profiles, sources, newest, cast.ours);
    merged.profiles = shown;
    merged.rejected.profiles = rejected;
    let known = |key: &str| merged.profiles.iter().any(|shown| shown.value.key() == key);
    let (strange, stranger) = merge_profiles(&strange_profiles, sources, newest, cast.theirs);
    merged
        .rejected
        .profiles
        .extend(strange.into_iter().chain(stranger).filter(|profile| !known(profile.value.key())));

    merged.conflicts = conflicts(&merged, &cast);
    merged
}

/// What strangers say, and what the others do.
fn apart<'a, T>(said: &[Said<'a, T>], cast: &Cast<'_>) -> (Vec<Said<'a, T>>, Vec<Said<'a, T>>) {
    said.iter().partition(|said| cast.is_stranger(said.provider))
}

/// The fields in earnest conflict: the best value is doubtful, or something else is likely enough, or somebody else is
/// spoken of.
fn conflicts(merged: &Merged, cast: &Cast<'_>) -> Vec<Field> {
    let likely = |confidence: Confidence| confidence.get() >= CONFLICT;
    let strangers = cast.are_strangers();
    let name = merged.rejected.names.iter().any(|other| strangers || likely(other.confidence));
    let age = merged.rejected.births.iter().any(|other| strangers || likely(other.confidence));
    let on_same = |other: &SocialProfile| {
        let space = accounts::space(other);
        !accounts::is_open(space)
            && merged.profiles.iter().any(|shown| accounts::space(&shown.value) == space)
    };
    let social = merged
        .rejected
        .profiles
        .iter()
        .any(|other| strangers || (likely(other.confidence) && on_same(&other.value)));
    let all = [(Field::Name, name), (Field::Age, age), (Field::Social, social)];
    all.into_iter().filter(|(_, conflict)| *conflict).map(|(field, _)| field).collect()
}

fn merge_births(
    said: &[Said<'_, BirthInterval>],
    sources: &Sources,
    newest: Option<Timestamp>,
    person: f64,
) -> Vec<Sourced<BirthInterval>> {
    let (cells, question) = inquiry::births(said, sources, newest);
    let answered = Answered::of(sources, &question);
    let spans = births::spans(&cells, answered.chances());
    spans
        .into_iter()
        .map(|span| sourced(span.interval, span.chance * person, &supporters(said, span.supporters)))
        .collect()
}

/// The accounts to show, and the others.
fn merge_profiles(
    said: &[Said<'_, SocialProfile>],
    sources: &Sources,
    newest: Option<Timestamp>,
    person: f64,
) -> (Vec<Sourced<SocialProfile>>, Vec<Sourced<SocialProfile>>) {
    let (mut shown, mut rejected) = (Vec::new(), Vec::new());
    for network in inquiry::networks(said, sources, newest) {
        let answered = Answered::of(sources, &network.question);
        for (rank, index) in answered.by_chance().into_iter().enumerate() {
            let Some(supporters) = network.accounts.get(index) else { continue };
            let Some(best) = supporters.first() else { continue };
            let chance = answered.chance(index);
            let profile = sourced(best.value.clone(), chance * person, supporters);
            if rank == 0 || chance >= LIKELY || best.is_correction() {
                shown.push(profile);
            } else {
                rejected.push(profile);
            }
        }
    }
    for profiles in [&mut shown, &mut rejected] {
        profiles.sort_by(|a, b| {
            let by_assurance = Reverse(a.assurance).cmp(&Reverse(b.assurance));
            let by_confidence = by_assurance.then_with(|| b.confidence.get().total_cmp(&a.confidence.get()));
            by_confidence.then_with(|| a.value.key().cmp(b.value.key()))
        });
    }
    (shown, rejected)
}

fn supporters<'s, 'a, T>(said: &'s [Said<'a, T>], bits: u128) -> Vec<&'s Said<'a, T>> {
    said.iter()
        .take(question::MOST_VOTES)
        .enumerate()
        .filter(|(vote, _)| bits >> vote & 1 == 1)
        .map(|(_, said)| said)
        .collect()
}

/// A value with the sources that support it, best first.
fn sourced<T>(value: T, chance: f64, supporters: &[&Said<'_, T>]) -> Sourced<T> {
    let corrected = supporters.iter().any(|said| said.is_correction());
    let confidence = if corrected { 1.0 } else { chance.min(CEILING) };
    let mut supporters = supporters.to_vec();
    let sure = |said: &Said<'_, T>| said.confidence.map_or(-1.0, Confidence::get);
    supporters.sort_by(|a, b| {
        let by_assurance = b.assurance.cmp(&a.assurance).then_with(|| sure(b).total_cmp(&sure(a)));
        by_assurance.then_with(|| a.provider.cmp(b.provider))
    });
    let source = |said: &&Said<'_, T>| Source {
        provider: said.provider.to_owned(),
        fetched_at: said.at.unwrap_or(Timestamp::UNIX_EPOCH),
        evidence: said.evidence.map(str::to_owned),
    };
    Sourced {
        value,
        confidence: Confidence::clamped(confidence),
        assurance: supporters.iter().map(|said| said.assurance).max().unwrap_or(Assurance::Broker),
        sources: supporters.iter().map(source).collect(),
    }
}

#[cfg(test)]
mod tests;
