//! What is most likely true, given who says what.
//!
//! The model is ACCU with copying (Dong, Berti-Équille, Srivastava: Integrating Conflicting Data, VLDB 2009): a source is
//! right with its accuracy A; where it is wrong, it says one of n other things. So each vote multiplies the odds of what it
//! supports by A·n / (1 − A), and a vote that repeats what a source of the same family said counts only as far as it was
//! not copied. That nothing which was said is true is one of the possibilities.
//!
//! Invariant: pure; the order of the votes does not matter; one more vote for an answer never lowers its chance.

use super::question::{Question, Topic, number};
use super::sources::Sources;

/// What one vote does to the odds of the answers that it supports.
#[derive(Clone, Copy, Debug)]
pub(super) struct Term {
    pub(super) accuracy: f64,
    /// The chance that a wrong answer happens to be a given one.
    pub(super) coincidence: f64,
    /// The share of answers that are copied, where a source of its family said the same (`repeats`) or something else.
    pub(super) share: f64,
    pub(super) repeats: bool,
}

impl Term {
    /// The likelihood of the vote where it supports the truth.
    pub(super) fn if_right(&self) -> f64 {
        self.copied() + (1.0 - self.share) * self.accuracy
    }

    /// The likelihood of the vote where it does not.
    pub(super) fn if_wrong(&self) -> f64 {
        self.copied() + (1.0 - self.share) * (1.0 - self.accuracy) * self.coincidence
    }

    /// The logarithm of the likelihood of the vote where it does not support the truth.
    fn loss(&self) -> f64 {
        self.if_wrong().ln()
    }

    pub(super) const fn copied(&self) -> f64 {
        if self.repeats { self.share } else { 0.0 }
    }

    /// The logarithm of what the vote multiplies the odds by: never below 0.
    pub(super) fn gain(&self) -> f64 {
        (self.if_right() / self.if_wrong()).ln().max(0.0)
    }
}

/// The chance of each candidate to be true.
#[derive(Clone, Debug)]
pub(super) struct Weighed {
    pub(super) chances: Vec<f64>,
    /// The chance that one answer, and which of them, is the only true one; and last, that none is.
    pub(super) single: Vec<f64>,
    /// The logarithm of the likelihood of all votes together.
    pub(super) likelihood: f64,
}

/// The terms of all votes of a question.
pub(super) fn terms(sources: &Sources, question: &Question) -> Vec<Term> {
    let space = space(sources, question.topic);
    let kin = |vote: usize| question.votes.get(vote).and_then(|vote| sources.kin(question.topic, vote.seat));
    let votes = question.votes.iter().enumerate();
    votes
        .map(|(index, vote)| {
            let breadth = vote.breadth.min(space / 2.0);
            let coincidence = 1.0 / (space / breadth - 1.0);
            // Better than chance: who is wrong more often than that is not heard, rather than believed the contrary.
            let least = coincidence / (1.0 + coincidence);
            let accuracy = sources.accuracy(question.topic, vote).clamp(least.min(0.99), 0.999);
            let elders = kin(index).map(|own| {
                let before = |other: &usize| {
                    kin(*other).is_some_and(|kin| kin.family == own.family && kin.rank < own.rank)
                };
                (own.share, (0..question.votes.len()).filter(before).collect::<Vec<_>>())
            });
            match elders {
                Some((share, elders)) if !elders.is_empty() => {
                    let repeats = elders.iter().any(|elder| question.agree(*elder, index));
                    Term { accuracy, coincidence, share, repeats }
                }
                _ => Term { accuracy, coincidence, share: 0.0, repeats: false },
            }
        })
        .collect()
}

/// How many answers there are in all, in units of breadth.
fn space(sources: &Sources, topic: Topic) -> f64 {
    sources.wrong_answers(topic) + 1.0
}

/// Weighs the answers to a question.
pub(super) fn weigh(sources: &Sources, question: &Question, terms: &[Term]) -> Weighed {
    let space = space(sources, question.topic);
    let gains: Vec<f64> = terms.iter().map(Term::gain).collect();
    let mut covered = 0.0;
    let mut scores: Vec<f64> = Vec::with_capacity(question.candidates.len() + 1);
    for candidate in &question.candidates {
        let gain: f64 = ordered_sum(
            gains.iter().enumerate().filter(|(vote, _)| candidate.has(*vote)).map(|(_, gain)| *gain),
        );
        covered += candidate.breadth;
        scores.push(candidate.breadth.ln() + gain);
    }
    let unsaid = (space - covered).max(0.5);
    scores.push(unsaid.ln());
    let most = scores.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    let sum: f64 = scores.iter().map(|score| (score - most).exp()).sum();
    let single: Vec<f64> = scores.iter().map(|score| (score - most).exp() / sum).collect();
    let alone = |candidate: &f64, breadth: f64| {
        let odds = candidate.exp() / (space - breadth).max(0.5);
        odds / (1.0 + odds)
    };
    let chances = question
        .candidates
        .iter()
        .zip(&scores)
        .zip(&single)
        .map(|((candidate, score), single)| {
            let side_by_side = alone(score, candidate.breadth);
            (1.0 - question.many).mul_add(*single, question.many * side_by_side)
        })
        .collect();
    let base: f64 = terms.iter().map(Term::loss).sum();
    // Which answers there are to choose from does not matter, only which of them agree.
    let ways: f64 = (1..question.different).map(|taken| (space - number(taken)).max(0.5).ln()).sum();
    Weighed { chances, single, likelihood: base + ways + most + sum.ln() }
}

/// A sum that does not depend on the order of what is summed.
fn ordered_sum(values: impl Iterator<Item = f64>) -> f64 {
    let mut values: Vec<f64> = values.collect();
    values.sort_by(f64::total_cmp);
    values.into_iter().sum()
}
