//! Of whom each source speaks. Two people under one address must not become one record with the name of one and the age
//! of the other.
//!
//! Whoever agrees with the record's name speaks of the person. Whoever contradicts it speaks of the person all the same
//! if they give the same birth date or the same account (then the name is misspelt, or an old one), and also where they
//! share those with a third source whose name is yet another (then names mean little here); of somebody else, if another
//! field contradicts too. Where nothing else can be compared, what such contradictions turned out to mean in
//! general decides ([`Sources::same_person`]). A source without a name goes with those whose statements it shares.
//!
//! Invariant: pure; without a contradiction in the name nobody is a stranger.

use std::collections::BTreeSet;

use gleaner_providers::SocialProfile;

use super::accounts;
use super::inquiry::{Answered, Inquiry};
use super::sources::Sources;
use super::voices::{CORRECTION, Voices};

/// Births that agree say something only where both are narrow.
const NARROW_DAYS: i64 = 750;

/// Who speaks of the person, and who of somebody else.
pub(super) struct Cast<'a> {
    strangers: BTreeSet<&'a str>,
    /// The chance that the record's person is the right one, and that the stranger is; both 1 where there is no stranger.
    pub(super) ours: f64,
    pub(super) theirs: f64,
}

impl<'a> Cast<'a> {
    pub(super) fn of(voices: &Voices<'a>, inquiry: &Inquiry, named: &Answered, sources: &Sources) -> Self {
        let alone = Self { strangers: BTreeSet::new(), ours: 1.0, theirs: 1.0 };
        let order = named.by_chance();
        let Some(winner) = order.first().and_then(|index| inquiry.names.candidates.get(*index)) else {
            return alone;
        };
        let by_side = |wanted: bool| {
            let named = voices.names.iter().enumerate().filter(move |(vote, _)| winner.has(*vote) == wanted);
            named.map(|(_, said)| said.provider).collect::<BTreeSet<_>>()
        };
        let (mut ours, others) = (by_side(true), by_side(false));
        if others.is_empty() {
            return alone;
        }
        let mut theirs = BTreeSet::new();
        for provider in others {
            let spoken = compare_with(voices, provider, &ours);
            let same = names_mean_little(voices, provider)
                || is_in_another_script(voices, provider, &ours)
                || match spoken {
                    Comparison::Same => true,
                    Comparison::Different => false,
                    Comparison::Nothing => sources.same_person >= 0.5,
                };
            if same {
                ours.insert(provider)
            } else {
                theirs.insert(provider)
            };
        }
        let nameless: BTreeSet<&str> = providers(voices)
            .filter(|provider| !ours.contains(provider) && !theirs.contains(provider))
            .collect();
        for provider in nameless {
            let with_us = compare_with(voices, provider, &ours) == Comparison::Same;
            if !with_us && compare_with(voices, provider, &theirs) == Comparison::Same {
                theirs.insert(provider);
            }
        }
        if theirs.is_empty() {
            return alone;
        }
        let chance_of = |side: &BTreeSet<&str>| {
            let chances = order.iter().filter(|index| {
                let supports = |vote: usize| {
                    inquiry.names.candidates.get(**index).is_some_and(|candidate| candidate.has(vote))
                };
                voices
                    .names
                    .iter()
                    .enumerate()
                    .any(|(vote, said)| supports(vote) && side.contains(said.provider))
            });
            chances.map(|index| named.chance(*index)).sum::<f64>().min(1.0)
        };
        let (our_chance, their_chance) = (chance_of(&ours), chance_of(&theirs));
        let both = (our_chance + their_chance).max(f64::MIN_POSITIVE);
        Self { strangers: theirs, ours: our_chance / both, theirs: their_chance / both }
    }

    pub(super) fn is_stranger(&self, provider: &str) -> bool {
        provider != CORRECTION && self.strangers.contains(provider)
    }

    pub(super) fn are_strangers(&self) -> bool {
        !self.strangers.is_empty()
    }
}

/// Whether the source's name is written in other letters than those of a side: nobody can say that they contradict.
fn is_in_another_script(voices: &Voices<'_>, provider: &str, side: &BTreeSet<&str>) -> bool {
    let is_latin = |name: &str| name.chars().any(|c| c.is_alphabetic() && c < '\u{250}');
    let own =
        voices.names.iter().find(|said| said.provider == provider).map(|said| is_latin(said.value.full()));
    let mut theirs = voices.names.iter().filter(|said| side.contains(said.provider));
    own.is_some_and(|own| theirs.all(|said| is_latin(said.value.full()) != own))
}

/// Whether the source shares a birth date or an account with another one, and not the name.
fn names_mean_little(voices: &Voices<'_>, provider: &str) -> bool {
    let own = voices.names.iter().find(|said| said.provider == provider);
    own.is_some_and(|own| {
        let mut others = voices.names.iter().filter(|other| !other.value.agrees_with(own.value));
        others.any(|other| compare(voices, provider, other.provider) == Comparison::Same)
    })
}

fn providers<'a>(voices: &Voices<'a>) -> impl Iterator<Item = &'a str> {
    let births = voices.births.iter().map(|said| said.provider);
    births.chain(voices.profiles.iter().map(|said| said.provider))
}

/// What two sides' statements, names apart, say of whether they mean one person.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Comparison {
    Same,
    Different,
    /// Nothing of them can be compared.
    Nothing,
}

/// Compares one source's birth and accounts with those of a side.
fn compare_with(voices: &Voices<'_>, provider: &str, side: &BTreeSet<&str>) -> Comparison {
    let comparisons = side.iter().map(|other| compare(voices, provider, other));
    comparisons.fold(Comparison::Nothing, |so_far, next| match (so_far, next) {
        (Comparison::Same, _) | (_, Comparison::Same) => Comparison::Same,
        (Comparison::Different, _) | (_, Comparison::Different) => Comparison::Different,
        _ => Comparison::Nothing,
    })
}

/// Compares the births and accounts of two sources.
pub(super) fn compare(voices: &Voices<'_>, one: &str, other: &str) -> Comparison {
    let birth =
        |provider: &str| voices.births.iter().find(|said| said.provider == provider).map(|said| said.value);
    let births = birth(one).zip(birth(other)).map(|(a, b)| {
        let narrow = a.width_in_days() <= NARROW_DAYS && b.width_in_days() <= NARROW_DAYS;
        (a.intersect(b).is_some(), narrow)
    });
    let of = |provider: &str| {
        voices
            .profiles
            .iter()
            .filter(move |said| said.provider == provider)
            .map(|said| said.value)
            .collect::<Vec<&SocialProfile>>()
    };
    let (ours, theirs) = (of(one), of(other));
    let shared = ours.iter().any(|a| theirs.iter().any(|b| a.key() == b.key()));
    if shared || births == Some((true, true)) {
        return Comparison::Same;
    }
    let rivals = |a: &&SocialProfile| {
        let space = accounts::space(a);
        !accounts::is_open(space) && theirs.iter().any(|b| accounts::space(b) == space)
    };
    if births.is_some_and(|(agree, _)| !agree) || ours.iter().any(rivals) {
        Comparison::Different
    } else {
        Comparison::Nothing
    }
}
