//! Whom to ask next, and why somebody is not asked.
//!
//! Free providers go before paid ones where Gleaner decides (`order = "auto"`), and nobody is asked who supplies nothing that is
//! missing. One that costs money waits for the free answers that are still owed: they may make it unnecessary; on the last
//! chance it waits no more.
//!
//! Invariant: pure. It knows providers by what they say of themselves and by what they brought so far, nothing else.

use gleaner_providers::provider::Price;
use gleaner_providers::{Field, Identifier};
use serde::Serialize;

use super::merge::Merged;
use crate::config::Thresholds;
use crate::record::{Confidences, Fields};

pub mod advice;
pub mod forecast;
pub(super) mod prior;
pub mod ranking;
pub mod worth;

#[cfg(test)]
mod tests;

use ranking::Ranking;

/// The fields to fill, and how sure is sure enough.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Wanted {
    pub fields: Fields,
    pub thresholds: Thresholds,
}

impl Wanted {
    /// Those of them that are not filled surely enough. What is found again, and was sure enough when it was `recorded`, is.
    pub fn missing_in(&self, found: &Merged, recorded: Confidences) -> Fields {
        let found = found.confidences();
        let missing = |field: &Field| {
            let least = self.thresholds.of(*field);
            found.get(*field).is_none_or(|sure| sure < least && !recorded.reaches(*field, least))
        };
        Fields::of(&self.fields.iter().filter(missing).collect::<Vec<_>>())
    }
}

/// What the operator allows.
#[derive(Clone, Copy, Debug)]
pub struct Rules<'a> {
    pub wanted: Fields,
    pub max_cost_micros: Option<u64>,
    /// Who comes first of those that cost money; `None`: the tiers.
    pub ranking: Option<&'a Ranking>,
    /// One that costs money and that too little is known of: it comes before the ranking's choice.
    pub explore: Option<&'a str>,
}

/// How far one member's enrichment has come.
#[derive(Clone, Copy, Debug)]
pub struct Situation {
    /// Wanted fields that are not filled.
    pub missing: Fields,
    pub spent_micros: u64,
    /// An answer is still owed.
    pub waits: bool,
    pub last_chance: bool,
}

/// One provider, as one member's enrichment sees it.
#[derive(Clone, Debug)]
pub struct Candidate<'a> {
    pub name: &'a str,
    pub supplies: Fields,
    pub price: Price,
    pub tier: usize,
    /// Whether it is asked about this kind of address.
    pub admitted: bool,
    /// What it would be told; `None` where nothing was found yet that it could be asked about.
    pub told: Option<Identifier>,
    pub standing: Standing,
}

/// What became of asking it so far.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Standing {
    /// It was not asked.
    Open,
    /// The answer that was ordered from it can be fetched now.
    Ready,
    /// It did not know the address, and was not asked about an account yet.
    Missed,
    Answered,
    /// It was asked and still owes an answer.
    Owes,
    /// It was asked in this execution, and gave no answer that will ever come.
    GaveUp,
}

/// Why a provider is not asked.
#[derive(Clone, Copy, Debug, Eq, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Skip {
    /// Its answer is in stock.
    Answered,
    Owes,
    GaveUp,
    /// `only_for` has no such addresses.
    Segment,
    /// It supplies none of the wanted fields.
    NotWanted,
    /// What it supplies is filled.
    Filled,
    /// Nothing was found yet that it could be asked about.
    NoAccount,
    /// It costs money, and free answers are still owed.
    Waits,
    /// It might cost more than is left of `max_cost`.
    MaxCost,
}

impl Skip {
    /// The reason in a few words.
    pub const fn words(self) -> &'static str {
        match self {
            Self::Answered => "its answer is in stock",
            Self::Owes => "it still owes its answer",
            Self::GaveUp => "it refused the question",
            Self::Segment => "`only_for` has no such addresses",
            Self::NotWanted => "it supplies nothing that is wanted",
            Self::Filled => "what it supplies is filled",
            Self::NoAccount => "no account was found that it could be asked about",
            Self::Waits => "it costs money, and free answers are still awaited",
            Self::MaxCost => "it might cost more than is left of `max_cost`",
        }
    }
}

/// The positions of those to ask now, at the same time; none when nobody is worth asking (any more).
pub fn round(rules: &Rules<'_>, situation: &Situation, candidates: &[Candidate<'_>]) -> Vec<usize> {
    let open: Vec<usize> =
        (0..candidates.len()).filter(|&at| judge(rules, situation, &candidates[at]).is_ok()).collect();
    let ready = |at: &usize| candidates[*at].standing == Standing::Ready;
    if open.iter().any(ready) {
        return open.into_iter().filter(ready).collect();
    }
    let of_first_tier = |open: &[usize]| -> Vec<usize> {
        let first = open.iter().map(|&at| candidates[at].tier).min();
        open.iter().copied().filter(|&at| Some(candidates[at].tier) == first).collect()
    };
    let Some(ranking) = rules.ranking else {
        return within(rules, situation, candidates, of_first_tier(&open));
    };
    let free: Vec<usize> = open.iter().copied().filter(|&at| candidates[at].price.is_free()).collect();
    if !free.is_empty() {
        return of_first_tier(&free);
    }
    let place = |name: &str| open.iter().copied().find(|&at| candidates[at].name == name);
    let names: Vec<&str> = open.iter().map(|&at| candidates[at].name).collect();
    let explored = rules.explore.and_then(place);
    let ranked = || ranking.choose(situation.missing, &names).and_then(place);
    explored.or_else(ranked).or_else(|| open.first().copied()).into_iter().collect()
}

/// Those that can be paid together; the others come after their answers.
fn within(
    rules: &Rules<'_>,
    situation: &Situation,
    candidates: &[Candidate<'_>],
    tier: Vec<usize>,
) -> Vec<usize> {
    let Some(most) = rules.max_cost_micros else { return tier };
    let mut left = most.saturating_sub(situation.spent_micros);
    let affordable = |at: &usize| {
        let enough = left.checked_sub(most_of(candidates[*at].price));
        left = enough.unwrap_or(left);
        enough.is_some()
    };
    tier.into_iter().filter(affordable).collect()
}

/// Whether this one may be asked now.
pub fn judge(rules: &Rules<'_>, situation: &Situation, candidate: &Candidate<'_>) -> Result<(), Skip> {
    let is_free = candidate.price.is_free();
    match candidate.standing {
        Standing::Open => {}
        // What was ordered is taken, whoever else has filled the field meanwhile.
        Standing::Ready => return Ok(()),
        // A second chance by an account is only taken where it costs nothing.
        Standing::Missed if candidate.told == Some(Identifier::Handle) && is_free => {}
        Standing::Missed | Standing::Answered => return Err(Skip::Answered),
        Standing::Owes => return Err(Skip::Owes),
        Standing::GaveUp => return Err(Skip::GaveUp),
    }
    if !candidate.admitted {
        Err(Skip::Segment)
    } else if candidate.supplies.and(rules.wanted).is_empty() {
        Err(Skip::NotWanted)
    } else if candidate.supplies.and(situation.missing).is_empty() {
        Err(Skip::Filled)
    } else if candidate.told.is_none() {
        Err(Skip::NoAccount)
    } else if !is_free && situation.waits && !situation.last_chance {
        Err(Skip::Waits)
    } else if rules.max_cost_micros.is_some_and(|most| {
        situation.spent_micros.saturating_add(most_of(candidate.price)) > most && !is_free
    }) {
        Err(Skip::MaxCost)
    } else {
        Ok(())
    }
}

/// The most that asking may cost.
pub(super) fn most_of(price: Price) -> u64 {
    price.per_match.0.max(price.per_miss.0)
}
