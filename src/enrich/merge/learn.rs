//! How good the sources are, learned from how they agree.
//!
//! Expectation maximization over the model of `weigh.rs`: weigh every question with what is believed of the sources,
//! then believe of each source what its answers then turn out to be worth, and again until nothing changes (Dawid and
//! Skene 1979; ACCU of Dong, Berti-Équille and Srivastava 2009). A source's accuracy is a logistic function of itself,
//! its own confidence, the age of the answer and a link back; priors on the weights are what few answers cannot move. Only
//! answers that can be held against another source's count: from one nobody contradicts there is nothing to learn.
//!
//! Invariant: pure, and the same whatever the order of the questions, but for the last digits.

use super::question::{Question, Topic};
use super::sources::{Kin, Prior, Sources, TRAITS};
use super::weigh::{self, Term};

/// Rounds at most; the changes are small long before.
const ROUNDS: usize = 60;
const SETTLED: f64 = 1e-3;
/// What the prior says of copying shares: 0.8, as if seen five times.
const SHARE: (f64, f64) = (4.0, 5.0);
/// As if as many wrong answers had been seen to coincide by chance.
const COINCIDENCES: f64 = 2.0;

/// Learns from questions, given who belongs to whose family. The second is how well the beliefs explain the answers.
pub(super) fn learn(
    questions: &[&Question],
    names: &[&str],
    kin: &[[Option<Kin>; 3]],
    prior: Prior,
    rounds: usize,
) -> (Sources, f64) {
    let mut sources = Sources::unlearned(names.iter().copied(), prior);
    for (seat, kin) in kin.iter().enumerate() {
        let means = sources.providers.get_mut(seat).map(|provider| {
            provider.kin = *kin;
            provider.clone()
        });
        let means = means.map(|provider| Topic::ALL.map(|topic| sources.means(&provider, topic)));
        if let (Some(means), Some(provider)) = (means, sources.providers.get_mut(seat)) {
            for (skill, weights) in provider.skills.iter_mut().zip(means) {
                skill.weights = weights;
            }
        }
    }
    let neutral = Sources::unlearned(names.iter().copied(), prior);
    let mut fit = f64::NEG_INFINITY;
    for _ in 0..rounds.min(ROUNDS) {
        let tally = Tally::of(&sources, &neutral, questions);
        fit = tally.likelihood + plausibility(&sources);
        if tally.update(&mut sources) < SETTLED {
            break;
        }
    }
    (sources, fit)
}

/// The logarithm of the prior of these beliefs.
fn plausibility(sources: &Sources) -> f64 {
    let mut sum = 0.0;
    for provider in &sources.providers {
        for topic in Topic::ALL {
            let weights = provider.skills[topic.index()].weights;
            let expected = sources.means(provider, topic).into_iter().zip(sources.prior.spread);
            sum -= weights
                .iter()
                .zip(expected)
                .map(|(weight, (mean, spread))| ((weight - mean) / spread).powi(2))
                .sum::<f64>()
                / 2.0;
        }
    }
    let kin = sources.providers.iter().flat_map(|provider| provider.kin.into_iter().flatten());
    let shares = kin.filter(|kin| kin.rank > 0);
    let copying = |kin: Kin| SHARE.0.mul_add(kin.share.ln(), (SHARE.1 - SHARE.0) * (1.0 - kin.share).ln());
    sum + shares.map(copying).sum::<f64>()
}

/// What one round of weighing says of the sources.
struct Tally {
    skills: Vec<[Slope; 3]>,
    /// Copied answers and answers that could have been, by source.
    copies: Vec<[(f64, f64); 3]>,
    /// By topic: pairs of wrong answers that agree, and all pairs of them.
    coincidences: [(f64, f64); 3],
    likelihood: f64,
}

/// First and second derivative of a source's likelihood by its weights, and counts.
#[derive(Clone, Copy, Default)]
struct Slope {
    gradient: [f64; TRAITS],
    curvature: [[f64; TRAITS]; TRAITS],
    compared: f64,
    right: f64,
}

impl Tally {
    /// Where the sources speak of two people, only how many speak of each counts: were the better ones believed there, too,
    /// then whoever seems a little better at first would seem better with every round, for nothing.
    fn of(sources: &Sources, neutral: &Sources, questions: &[&Question]) -> Self {
        let mut tally = Self {
            skills: vec![[Slope::default(); 3]; sources.providers.len()],
            copies: vec![[(0.0, 0.0); 3]; sources.providers.len()],
            coincidences: [(0.0, 0.0); 3],
            likelihood: 0.0,
        };
        for question in questions {
            let terms = weigh::terms(sources, question);
            let weighed = if question.of_two {
                weigh::weigh(neutral, question, &weigh::terms(neutral, question))
            } else {
                weigh::weigh(sources, question, &terms)
            };
            tally.likelihood += weighed.likelihood;
            tally.count_votes(sources, question, &terms, &weighed);
            tally.count_coincidences(sources, question, &weighed.single);
        }
        tally
    }

    fn count_votes(
        &mut self,
        sources: &Sources,
        question: &Question,
        terms: &[Term],
        weighed: &weigh::Weighed,
    ) {
        for (index, (vote, term)) in question.votes.iter().zip(terms).enumerate() {
            let Some(seat) = vote.seat else { continue };
            let supported = question.candidates.iter().zip(&weighed.chances);
            let right: f64 =
                supported.filter(|(candidate, _)| candidate.has(index)).map(|(_, chance)| chance).sum();
            let right = right.clamp(0.0, 1.0);
            let own = 1.0 - term.share;
            let own_if_right = own * term.accuracy / term.if_right();
            let own_if_wrong = own * (1.0 - term.accuracy) * term.coincidence / term.if_wrong();
            let (good, bad) = (right * own_if_right, (1.0 - right) * own_if_wrong);
            if term.share > 0.0 {
                let copies = &mut self.copies[seat][question.topic.index()];
                copies.0 += 1.0 - good - bad;
                copies.1 += 1.0;
            }
            let slope = &mut self.skills[seat][question.topic.index()];
            slope.compared += good + bad;
            slope.right += good;
            let traits = sources.traits(vote);
            let pull = (good + bad).mul_add(-term.accuracy, good);
            let stiff = (good + bad) * term.accuracy * (1.0 - term.accuracy);
            for (row, one) in traits.iter().enumerate() {
                slope.gradient[row] += pull * one;
                for (column, other) in traits.iter().enumerate() {
                    slope.curvature[row][column] += stiff * one * other;
                }
            }
        }
    }

    /// Pairs of independent answers that are both wrong: do they agree?
    fn count_coincidences(&mut self, sources: &Sources, question: &Question, single: &[f64]) {
        const VAGUE: f64 = 1.5;
        if question.many > 0.5 {
            return;
        }
        let (together, all) = &mut self.coincidences[question.topic.index()];
        for one in 0..question.votes.len() {
            for other in 0..one {
                let (a, b) = (&question.votes[one], &question.votes[other]);
                let related = matches!((sources.kin(question.topic, a.seat), sources.kin(question.topic, b.seat)), (Some(a), Some(b)) if a.family == b.family);
                if related || a.seat == b.seat || a.breadth > VAGUE || b.breadth > VAGUE {
                    continue;
                }
                let truths = question.candidates.iter().zip(single);
                let neither = truths
                    .filter(|(truth, _)| !truth.has(one) && !truth.has(other))
                    .map(|(_, chance)| chance);
                let both_wrong = neither.sum::<f64>() + single.last().copied().unwrap_or_default();
                *all += both_wrong;
                if question.agree(one, other) {
                    *together += both_wrong;
                }
            }
        }
    }

    /// Believes what was counted; the largest change of a weight.
    fn update(&self, sources: &mut Sources) -> f64 {
        const LONGEST_STEP: f64 = 2.0;
        let prior = sources.prior;
        let mut change: f64 = 0.0;
        let means: Vec<_> = sources
            .providers
            .iter()
            .map(|provider| Topic::ALL.map(|topic| sources.means(provider, topic)))
            .collect();
        let means = means.into_iter();
        for (((provider, slopes), copies), means) in
            sources.providers.iter_mut().zip(&self.skills).zip(&self.copies).zip(means)
        {
            for topic in Topic::ALL {
                let slope = &slopes[topic.index()];
                let skill = &mut provider.skills[topic.index()];
                let (mut gradient, mut curvature) = (slope.gradient, slope.curvature);
                for (index, mean) in means[topic.index()].iter().enumerate() {
                    let precision = prior.spread[index].powi(-2);
                    gradient[index] -= precision * (skill.weights[index] - mean);
                    curvature[index][index] += precision;
                }
                let step = solve(curvature, gradient);
                for (weight, step) in skill.weights.iter_mut().zip(step) {
                    let step = step.clamp(-LONGEST_STEP, LONGEST_STEP);
                    *weight += step;
                    change = change.max(step.abs());
                }
                skill.compared = slope.compared;
                skill.right = slope.right;
            }
            for (kin, copies) in provider.kin.iter_mut().zip(copies) {
                if let Some(kin) = kin {
                    kin.share = ((copies.0 + SHARE.0) / (copies.1 + SHARE.1)).min(0.995);
                }
            }
        }
        for topic in Topic::ALL {
            let (together, all) = self.coincidences[topic.index()];
            let usual = prior.wrong_answers[topic.index()];
            let rate = (together + COINCIDENCES) / COINCIDENCES.mul_add(usual, all);
            sources.wrong_answers[topic.index()] = (1.0 / rate).clamp(2.0, 1000.0);
            sources.aging[topic.index()] = self.aging(sources, topic);
        }
        change
    }
}

impl Tally {
    /// What a year takes, over all sources: those with many answers say most.
    fn aging(&self, sources: &Sources, topic: Topic) -> f64 {
        const MANY: f64 = 100.0;
        const PRIOR: f64 = 0.5;
        let of = |(provider, slopes): (&super::sources::Provider, &[Slope; 3])| {
            let weight = (slopes[topic.index()].compared / MANY).min(1.0);
            (weight, weight * provider.skills[topic.index()].weights[2])
        };
        let sums = sources.providers.iter().zip(&self.skills).map(of);
        let (weight, sum) =
            sums.fold((PRIOR, PRIOR * sources.prior.aging[topic.index()]), |a, b| (a.0 + b.0, a.1 + b.1));
        sum / weight
    }
}

/// Solves a small, positive definite system (Gauss, without pivoting: the prior keeps the diagonal away from zero).
fn solve(mut matrix: [[f64; TRAITS]; TRAITS], mut right: [f64; TRAITS]) -> [f64; TRAITS] {
    for pivot in 0..TRAITS {
        let pivot_row = matrix[pivot];
        for row in pivot + 1..TRAITS {
            let factor = matrix[row][pivot] / pivot_row[pivot];
            for (value, above) in matrix[row].iter_mut().zip(pivot_row) {
                *value -= factor * above;
            }
            right[row] -= factor * right[pivot];
        }
    }
    for row in (0..TRAITS).rev() {
        let known: f64 = (row + 1..TRAITS).map(|column| matrix[row][column] * right[column]).sum();
        right[row] = (right[row] - known) / matrix[row][row];
    }
    right
}
