//! Which names can be one person's, and which of their spellings is shown.
//!
//! Invariant: symmetric in the sources; a spelling is shown as some source wrote it, never composed.

use gleaner_providers::PersonName;
use gleaner_providers::name::{Agreement, Fullness};

use super::question::{Candidate, MOST_VOTES, number};
use super::voices::Said;

/// The different names that were said, and groups of them that agree, each with each.
pub(super) struct Names {
    /// By vote: which of the different names it is.
    pub(super) of_vote: Vec<usize>,
    fullness: Vec<Fullness>,
    pub(super) candidates: Vec<Candidate>,
}

impl Names {
    pub(super) fn of(said: &[Said<'_, PersonName>]) -> Self {
        let said = said.get(..MOST_VOTES).unwrap_or(said);
        let mut different: Vec<&PersonName> = Vec::new();
        let mut of_vote = Vec::with_capacity(said.len());
        for said in said {
            let known = different.iter().position(|name| name.full() == said.value.full());
            of_vote.push(known.unwrap_or_else(|| {
                different.push(said.value);
                different.len() - 1
            }));
        }
        let fullness: Vec<Fullness> = different.iter().map(|name| name.fullness()).collect();
        let groups = groups(&different, &of_vote, &fullness);
        let candidates = groups
            .into_iter()
            .map(|group| {
                let votes = of_vote.iter().enumerate().filter(|(_, name)| group.contains(name));
                let supporters = votes.fold(0, |bits, (vote, _)| bits | 1 << vote);
                let breadth = group.iter().filter_map(|name| fullness.get(*name)).map(breadth);
                Candidate { supporters, breadth: breadth.fold(f64::INFINITY, f64::min).min(3.0) }
            })
            .collect();
        Self { of_vote, fullness, candidates }
    }

    /// How vague the name of a vote is.
    pub(super) fn breadth(&self, vote: usize) -> f64 {
        self.fullness_of(vote).map_or(1.0, breadth)
    }

    /// In what form the name of a vote is written, and which of the different names it is.
    pub(super) fn wording(&self, vote: usize) -> (u8, u8) {
        let small = |count: usize, most: usize| u8::try_from(count.min(most)).unwrap_or_default();
        let form = self.fullness_of(vote).map_or(0, |fullness| {
            small(fullness.words, 3) * 8 + small(fullness.initials, 3) * 2 + small(fullness.nicknames, 1)
        });
        (form, self.of_vote.get(vote).map_or(0, |name| small(*name, 255)))
    }

    fn fullness_of(&self, vote: usize) -> Option<&Fullness> {
        self.fullness.get(*self.of_vote.get(vote)?)
    }

    /// Of the spellings that support a candidate, the one to show: that which most weight stands behind, unless another
    /// one writes out what it cuts short. `gain` is the weight of a vote.
    pub(super) fn best_spelling(
        &self,
        said: &[Said<'_, PersonName>],
        candidate: &Candidate,
        gain: impl Fn(usize) -> f64,
    ) -> Option<usize> {
        /// What each word cut short, each pet name and each missing part takes from a spelling's weight.
        const INITIAL: f64 = 12.0;
        const SINGLE: f64 = 20.0;
        const NICKNAME: f64 = 4.0;
        const NO_PARTS: f64 = 0.5;
        let votes: Vec<usize> = (0..self.of_vote.len()).filter(|vote| candidate.has(*vote)).collect();
        let score = |vote: usize| {
            let value = said.get(vote).map(|said| said.value)?;
            let fullness = self.fullness_of(vote)?;
            let same = votes.iter().filter(|other| {
                said.get(**other).is_some_and(|other| other.value.agreement(value) == Agreement::Equal)
            });
            let weight: f64 = same.map(|other| gain(*other)).sum();
            let single = f64::from(u8::from(fullness.words + fullness.initials < 2)) * SINGLE;
            let parts = f64::from(u8::from(value.given().is_none() || value.family().is_none())) * NO_PARTS;
            let accents = if value.full().is_ascii() { 0.0 } else { 0.7 };
            Some(
                weight - single - parts + accents
                    - number(fullness.initials) * INITIAL
                    - number(fullness.nicknames) * NICKNAME,
            )
        };
        let key = |vote: usize| (score(vote), said.get(vote).map(|said| said.value.full()));
        votes.iter().copied().max_by(|a, b| {
            let ((a, a_text), (b, b_text)) = (key(*a), key(*b));
            let by_score = a.unwrap_or(f64::MIN).total_cmp(&b.unwrap_or(f64::MIN));
            by_score.then_with(|| b_text.cmp(&a_text))
        })
    }
}

/// How many names a spelling could stand for, roughly: it may be right by chance that much more easily.
fn breadth(fullness: &Fullness) -> f64 {
    match (fullness.words, fullness.initials) {
        (0 | 1, 0) => 3.0,
        (_, 0) => 1.0,
        _ => 2.0,
    }
}

/// Largest groups of names that agree, each with each, grown from every name. Agreement is not transitive: `J. Doe` can be
/// Jane or John, who are not each other.
fn groups(different: &[&PersonName], of_vote: &[usize], fullness: &[Fullness]) -> Vec<Vec<usize>> {
    let count = different.len();
    let mut agree = vec![true; count * count];
    for one in 0..count {
        for other in 0..one {
            let agrees = different[one].agrees_with(different[other]);
            agree[one * count + other] = agrees;
            agree[other * count + one] = agrees;
        }
    }
    let said_by = |name: &usize| of_vote.iter().filter(|other| *other == name).count();
    let mut order: Vec<usize> = (0..count).collect();
    order.sort_by_key(|name| {
        (std::cmp::Reverse(fullness[*name].words), std::cmp::Reverse(said_by(name)), different[*name].full())
    });
    let mut groups: Vec<Vec<usize>> = Vec::new();
    for seed in &order {
        let mut group = vec![*seed];
        for name in &order {
            if name != seed && group.iter().all(|member| agree[member * count + name]) {
                group.push(*name);
            }
        }
        group.sort_unstable();
        groups.push(group);
    }
    groups.sort();
    groups.dedup();
    let inside = |small: &Vec<usize>, large: &Vec<usize>| {
        small.len() < large.len() && small.iter().all(|name| large.contains(name))
    };
    let largest: Vec<_> =
        groups.iter().filter(|group| !groups.iter().any(|other| inside(group, other))).cloned().collect();
    largest
}
