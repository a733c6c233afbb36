//! What an enrichment is expected to ask and to cost, before anybody is asked: every way it may take, by the very rules it will
//! follow.
//!
//! Invariant: pure; asks nobody. The chances of all ways sum to one.

use std::collections::BTreeMap;

use gleaner_providers::Field;

use super::worth::{Worth, billed};
use super::{Candidate, Rules, Situation, Standing, round};
use crate::record::Fields;

/// The whole enrichment, as expected.
#[derive(Clone, Debug)]
pub struct Forecast {
    /// Those that may be asked, in the order in which they may first be.
    pub steps: Vec<Step>,
    /// In millionths.
    pub expected_micros: f64,
    pub least_micros: u64,
    pub most_micros: u64,
    /// How likely each wanted field is filled in the end.
    pub filled: Vec<(Field, f64)>,
}

/// One question, as expected.
#[derive(Clone, Debug, PartialEq)]
pub struct Step {
    /// The candidate's position.
    pub at: usize,
    /// The first round in which it may be asked, from 1.
    pub round: usize,
    /// How likely it is asked at all.
    pub chance: f64,
    pub expected_micros: f64,
}

/// A point on the way: who was asked, what is missing, and what was spent (where a ceiling makes that matter).
type Point = (u64, Fields, u64);

/// How a point is reached.
#[derive(Clone, Copy, Debug)]
struct Reached {
    chance: f64,
    least: u64,
    most: u64,
}

/// Foresees an enrichment. `worths` are those of the candidates, in the same order; beyond 64 candidates none is foreseen.
pub fn forecast(
    rules: &Rules<'_>,
    situation: &Situation,
    candidates: &[Candidate<'_>],
    worths: &[Worth],
) -> Forecast {
    let mut steps: BTreeMap<usize, Step> = BTreeMap::new();
    let mut ends: Vec<(Fields, Reached)> = Vec::new();
    let start = Reached { chance: 1.0, least: 0, most: 0 };
    let mut points = BTreeMap::from([((0, situation.missing, 0), start)]);
    for number in 1.. {
        let mut next: BTreeMap<Point, Reached> = BTreeMap::new();
        for ((asked, missing, spent), reached) in points {
            let here = Situation {
                missing,
                spent_micros: situation.spent_micros.saturating_add(spent),
                ..*situation
            };
            let questions = round(rules, &here, &still_open(candidates, asked));
            if questions.is_empty() || questions.iter().any(|&at| at >= 64) {
                ends.push((missing, reached));
                continue;
            }
            for &at in &questions {
                let price = candidates[at].price;
                let expected = reached.chance * worths[at].expected_micros(price, missing);
                let step =
                    steps.entry(at).or_insert(Step { at, round: number, chance: 0.0, expected_micros: 0.0 });
                step.chance += reached.chance;
                step.expected_micros += expected;
            }
            let asked = questions.iter().fold(asked, |asked, &at| asked | 1 << at);
            let answered = answers(rules, candidates, worths, &questions, ((missing, spent), reached));
            for ((missing, spent), arrived) in answered {
                next.entry((asked, missing, spent))
                    .and_modify(|known| known.join(arrived))
                    .or_insert(arrived);
            }
        }
        if next.is_empty() {
            break;
        }
        points = next;
    }
    let mut steps: Vec<_> = steps.into_values().collect();
    steps.sort_by(|a, b| a.round.cmp(&b.round).then(b.chance.total_cmp(&a.chance)));
    let filled = |field: Field| {
        let ends = ends.iter().filter(|(missing, _)| !missing.contains(field));
        (field, ends.map(|(_, reached)| reached.chance).sum())
    };
    Forecast {
        expected_micros: steps.iter().map(|step| step.expected_micros).sum(),
        least_micros: ends.iter().map(|(_, reached)| reached.least).min().unwrap_or(0),
        most_micros: ends.iter().map(|(_, reached)| reached.most).max().unwrap_or(0),
        filled: rules.wanted.iter().map(filled).collect(),
        steps,
    }
}

impl Reached {
    fn join(&mut self, other: Self) {
        self.chance += other.chance;
        self.least = self.least.min(other.least);
        self.most = self.most.max(other.most);
    }
}

fn still_open<'a>(candidates: &[Candidate<'a>], asked: u64) -> Vec<Candidate<'a>> {
    let standing = |(at, candidate): (usize, &Candidate<'a>)| {
        let was_asked = at < 64 && asked & (1 << at) != 0;
        let standing = if was_asked { Standing::GaveUp } else { candidate.standing };
        Candidate { standing, ..candidate.clone() }
    };
    candidates.iter().enumerate().map(standing).collect()
}

/// Everything that may be missing, and spent, after these questions.
fn answers(
    rules: &Rules<'_>,
    candidates: &[Candidate<'_>],
    worths: &[Worth],
    questions: &[usize],
    from: ((Fields, u64), Reached),
) -> BTreeMap<(Fields, u64), Reached> {
    // Those of a round are asked at the same time, for what is missing before it.
    let from_missing = from.0.0;
    let mut spread = BTreeMap::from([from]);
    for &at in questions {
        let mut next: BTreeMap<(Fields, u64), Reached> = BTreeMap::new();
        for ((missing, spent), reached) in spread {
            for (brought, likely) in worths[at].lasting() {
                let price = candidates[at].price;
                let cost = billed(price, brought, from_missing);
                let spent = if rules.max_cost_micros.is_some() { spent + cost } else { 0 };
                let left = missing.without(brought.unwrap_or_default());
                let arrived = Reached {
                    chance: reached.chance * likely,
                    least: reached.least + cost,
                    most: reached.most + cost,
                };
                next.entry((left, spent)).and_modify(|known| known.join(arrived)).or_insert(arrived);
            }
        }
        spread = next;
    }
    spread
}
