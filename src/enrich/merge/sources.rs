//! What is known of the sources: how often each is right, about what, and who copies from whom.
//!
//! Invariant: numbers about sources, never about people. Nothing learned means the prior, never certainty.

use std::collections::BTreeMap;

use super::identity::Identity;
use super::question::{Topic, Vote};

/// How many traits of an answer have a weight: one for the source itself, its own confidence, years, a link back.
pub(super) const TRAITS: usize = 4;
/// Older answers are no worse than this, in years.
const OLDEST: f64 = 15.0;

/// Every source that something is known of, and the prior for the others.
#[derive(Clone, Debug)]
pub struct Sources {
    seats: BTreeMap<String, usize>,
    pub(super) providers: Vec<Provider>,
    /// By topic: how many wrong answers there are to choose from.
    pub(super) wrong_answers: [f64; 3],
    /// How often several people share an address.
    pub(super) identity: Identity,
    /// By topic: what a year of age takes from an answer of any source.
    pub(super) aging: [f64; 3],
    pub(super) prior: Prior,
}

/// One source.
#[derive(Clone, Debug)]
pub(super) struct Provider {
    pub(super) name: String,
    pub(super) skills: [Skill; 3],
    /// By topic: a data set of ages may be resold, and one of names not.
    pub(super) kin: [Option<Kin>; 3],
}

/// What is learned about one source and one topic.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Skill {
    /// Log-odds of being right: of itself, for each unit of its own confidence's log-odds above the prior, for each
    /// year of age, for a link back.
    pub(super) weights: [f64; TRAITS],
    /// The claims made.
    pub(super) claims: u64,
    /// The claims that another source's could be held against.
    pub(super) compared: f64,
    /// How many of those were right, as far as can be told.
    pub(super) right: f64,
}

/// That a source belongs to a family of which one copies from the other, or all from something unseen.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Kin {
    pub(super) family: usize,
    /// The first of a family speaks for itself; the others may repeat those before them.
    pub(super) rank: usize,
    /// The share of its answers that it copies.
    pub(super) share: f64,
}

/// What is assumed of a source before anything is learned: means and standard deviations.
#[derive(Clone, Copy, Debug)]
pub(super) struct Prior {
    pub(super) accuracy: f64,
    /// How far a source's own confidence is believed: 1 is fully.
    pub(super) trust: f64,
    /// What a year of age takes, by topic.
    pub(super) aging: [f64; 3],
    /// What a link back adds.
    pub(super) proven: f64,
    pub(super) spread: [f64; TRAITS],
    /// How many wrong answers there are to choose from, by topic.
    pub(super) wrong_answers: [f64; 3],
    pub(super) identity: Identity,
}

impl Prior {
    /// For sources of any kind: their own confidence is half believed.
    pub(super) const STRANGERS: Self = Self {
        accuracy: 0.8,
        trust: 0.5,
        aging: [-0.03, 0.0, -0.1],
        proven: 1.5,
        spread: [1.0, 0.7, 0.2, 0.7],
        wrong_answers: [30.0, 20.0, 30.0],
        identity: Identity { same_person: 0.1, two_people: 0.5 },
    };
    /// For our own providers: their confidence was weighed where they were written.
    pub(super) const BUILT_IN: Self = Self { trust: 1.0, proven: 0.3, ..Self::STRANGERS };

    pub(super) fn weights(&self, topic: Topic) -> [f64; TRAITS] {
        [logit(self.accuracy), self.trust, self.aging[topic.index()], self.proven]
    }
}

impl Sources {
    /// Nothing learned yet about any of these.
    pub(super) fn unlearned<'a>(names: impl IntoIterator<Item = &'a str>, prior: Prior) -> Self {
        let mut names: Vec<&str> = names.into_iter().collect();
        names.sort_unstable();
        names.dedup();
        let skill = |topic: Topic| Skill { weights: prior.weights(topic), ..Skill::default() };
        let providers = names
            .iter()
            .map(|name| Provider { name: (*name).to_owned(), skills: Topic::ALL.map(skill), kin: [None; 3] })
            .collect();
        let seats = names.iter().enumerate().map(|(seat, name)| ((*name).to_owned(), seat)).collect();
        let Prior { wrong_answers, identity, aging, .. } = prior;
        Self { seats, providers, wrong_answers, identity, aging, prior }
    }

    /// Nothing learned, and nobody known: every source gets the prior of our own providers.
    pub fn shipped() -> Self {
        Self::unlearned([], Prior::BUILT_IN)
    }

    /// The place of a source.
    pub(super) fn seat(&self, name: &str) -> Option<usize> {
        self.seats.get(name).copied()
    }

    pub(super) fn kin(&self, topic: Topic, seat: Option<usize>) -> Option<Kin> {
        self.providers.get(seat?)?.kin[topic.index()]
    }

    /// What is assumed of a source's weights: of one that copies, less.
    pub(super) fn means(&self, provider: &Provider, topic: Topic) -> [f64; TRAITS] {
        const COPYING: f64 = -0.5;
        let [own, trust, _, proven] = self.prior.weights(topic);
        let own = if provider.kin[topic.index()].is_some() { own + COPYING } else { own };
        [own, trust, self.aging[topic.index()], proven]
    }

    pub(super) const fn wrong_answers(&self, topic: Topic) -> f64 {
        self.wrong_answers[topic.index()]
    }

    /// How much is known of a source's answers to such questions: those that could be compared, and the prior's few.
    pub(super) fn experience(&self, topic: Topic, name: &str) -> f64 {
        const BEFORE: f64 = 4.0;
        let known = self.seat(name).and_then(|seat| self.providers.get(seat));
        BEFORE + known.map_or(0.0, |known| known.skills[topic.index()].compared)
    }

    /// How likely an answer is right, before it is held against others.
    pub(super) fn accuracy(&self, topic: Topic, vote: &Vote) -> f64 {
        let known = vote.seat.and_then(|seat| self.providers.get(seat));
        let weights =
            known.map_or_else(|| self.prior.weights(topic), |known| known.skills[topic.index()].weights);
        let traits = self.traits(vote);
        logistic(weights.iter().zip(traits).map(|(weight, value)| weight * value).sum())
    }

    /// The traits of an answer as numbers, one a weight.
    pub(super) fn traits(&self, vote: &Vote) -> [f64; TRAITS] {
        let stated = vote
            .traits
            .confidence
            .map_or(0.0, |confidence| logit(confidence.clamp(0.02, 0.98)) - logit(self.prior.accuracy));
        [1.0, stated, vote.traits.years.clamp(0.0, OLDEST), f64::from(u8::from(vote.traits.is_proven))]
    }
}

pub(super) fn logit(chance: f64) -> f64 {
    (chance / (1.0 - chance)).ln()
}

pub(super) fn logistic(odds: f64) -> f64 {
    1.0 / (1.0 + (-odds).exp())
}
