//! What sources' births and accounts say of whether they mean one person; names apart.
//!
//! Invariant: pure and symmetric.

use std::collections::BTreeSet;

use gleaner_providers::{BirthInterval, SocialProfile};

use super::accounts;
use super::voices::Voices;

/// Births that agree say something only where both are narrow, and much only where both are exact.
const NARROW_DAYS: i64 = 750;
const EXACT_DAYS: i64 = 31;

/// What it comes to.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Comparison {
    Same,
    Different,
    /// Nothing of them can be compared.
    Nothing,
}

/// How births and accounts of two sources, or of a source and a side, go together.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Likeness {
    /// They share an account.
    shared: bool,
    /// They have different ones on one network.
    rivals: bool,
    births: Births,
}

/// How births go together, in the order in which it counts.
#[derive(Clone, Copy, Debug, Default, Eq, Ord, PartialEq, PartialOrd)]
enum Births {
    /// Not both know one.
    #[default]
    Unknown,
    Apart,
    /// One of them is too wide to say much.
    Overlapping,
    /// Within two years.
    Narrow,
    /// Within some days.
    Exact,
}

/// Compares the births and accounts of two sources.
pub(super) fn compare(voices: &Voices<'_>, one: &str, other: &str) -> Comparison {
    Likeness::of(voices, one, other).judge()
}

/// Compares one source's birth and accounts with those of a side.
pub(super) fn compare_with(voices: &Voices<'_>, provider: &str, side: &BTreeSet<&str>) -> Comparison {
    Likeness::with_side(voices, provider, side).judge()
}

impl Likeness {
    fn of(voices: &Voices<'_>, one: &str, other: &str) -> Self {
        let birth = |provider: &str| {
            voices.births.iter().find(|said| said.provider == provider).map(|said| said.value)
        };
        let of = |provider: &str| {
            let of = voices.profiles.iter().filter(move |said| said.provider == provider);
            of.map(|said| said.value).collect::<Vec<&SocialProfile>>()
        };
        let (ours, theirs) = (of(one), of(other));
        let is_rival = |a: &&SocialProfile| {
            let space = accounts::space(a);
            !accounts::is_open(space) && theirs.iter().any(|b| accounts::space(b) == space)
        };
        Self {
            shared: ours.iter().any(|a| theirs.iter().any(|b| a.key() == b.key())),
            rivals: ours.iter().any(is_rival),
            births: birth(one).zip(birth(other)).map_or(Births::Unknown, |(a, b)| Births::of(*a, *b)),
        }
    }

    /// Whoever agrees with one of a side agrees with it.
    pub(super) fn with_side(voices: &Voices<'_>, provider: &str, side: &BTreeSet<&str>) -> Self {
        let each = side.iter().map(|other| Self::of(voices, provider, other));
        each.fold(Self::default(), |all, one| Self {
            shared: all.shared || one.shared,
            rivals: all.rivals || one.rivals,
            births: all.births.max(one.births),
        })
    }

    /// Birth and accounts both contradict, and nothing agrees.
    pub(super) fn is_apart_throughout(self) -> bool {
        self.births == Births::Apart && self.rivals && !self.shared
    }

    fn judge(self) -> Comparison {
        match self.births {
            _ if self.shared => Comparison::Same,
            Births::Exact => Comparison::Same,
            Births::Narrow if !self.rivals => Comparison::Same,
            Births::Apart => Comparison::Different,
            // People of one age are many: another name and other accounts outweigh that.
            _ if self.rivals => Comparison::Different,
            _ => Comparison::Nothing,
        }
    }
}

impl Births {
    fn of(a: BirthInterval, b: BirthInterval) -> Self {
        let within = |days: i64| a.width_in_days() <= days && b.width_in_days() <= days;
        match a.intersect(&b) {
            None => Self::Apart,
            Some(_) if within(EXACT_DAYS) => Self::Exact,
            Some(_) if within(NARROW_DAYS) => Self::Narrow,
            Some(_) => Self::Overlapping,
        }
    }
}
