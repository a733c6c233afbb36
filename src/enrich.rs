//! One member from claim to verdict: ask tier after tier, merge what was found, decide how the job ends.
//!
//! Invariant: reads and writes no table. What it knows of earlier answers is handed in; what it learned is handed
//! out as an [`Outcome`], but for answers that cost money, which are kept through [`Keep`] before they are used.

use std::fmt::Debug;

use async_trait::async_trait;
use futures_util::future::join_all;
use gleaner_providers::clock::SharedClock;

use crate::config::{Config, Enrich, Retention, Retry};
use crate::job::{Answer, BatchId, Claimed, Hold, Outcome, Paid};
use crate::record::Fields;

mod beliefs;
pub mod breaker;
mod course;
mod dossier;
mod lookup;
pub mod market;
pub mod merge;
pub mod panel;
pub mod plan;
pub mod rebuild;
mod schedule;
pub mod story;
mod verdict;
pub mod waterfall;

pub use beliefs::Beliefs;
use course::{Asked, Course};
use dossier::Dossier;
pub use market::Market;
pub use panel::Panel;
pub use plan::Plan;
use waterfall::{Candidate, Wanted};

/// Stores an answer that cost money before it is used, so that no crash makes us pay for it twice.
#[async_trait]
pub trait Keep: Debug + Send + Sync {
    /// Returns when the answer is on disk and its lookup in the log, or neither could be stored and both stay with the outcome.
    async fn keep(&self, paid: Paid) -> Kept;

    /// Whether this execution may still ask for money. Once its lease may have gone to somebody else, it may not: they
    /// ask the same.
    fn may_pay(&self, hold: Hold) -> bool;

    /// Reserves money of the batch's ceiling; false where none is left, or nobody can say.
    async fn reserve(&self, batch: BatchId, micros: u64) -> bool;

    /// Ends when the lease of this execution has.
    async fn lease_ended(&self, hold: Hold);
}

/// Whether an answer is on disk.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Kept {
    Yes,
    No,
}

/// What the operator wants of an enrichment.
#[derive(Clone, Debug)]
pub struct Policy {
    pub wanted: Wanted,
    /// What the answers about one member may cost together.
    pub max_cost_micros: Option<u64>,
    pub minimum_age: u8,
    pub policy_version: String,
    pub retry: Retry,
    pub retention: Retention,
    /// How far each provider is to be believed.
    pub beliefs: Beliefs,
}

impl Policy {
    pub fn from_config(config: &Config) -> Self {
        Self {
            wanted: Wanted {
                fields: Fields::of(&config.enrich.wanted),
                thresholds: config.enrich.min_confidence,
            },
            max_cost_micros: config.enrich.max_cost.map(|most| most.0.0),
            minimum_age: config.enrich.minimum_age,
            policy_version: config.policy_version.clone(),
            retry: config.retry.clone(),
            retention: config.retention.clone(),
            beliefs: Beliefs::default(),
        }
    }
}

/// Takes members through the waterfall.
#[derive(Debug)]
pub struct Enricher {
    panel: Panel,
    policy: Policy,
    market: Market,
    clock: SharedClock,
}

impl Enricher {
    /// Asks in the order of the tiers.
    pub fn new(panel: Panel, policy: Policy, clock: SharedClock) -> Self {
        let market = Market::new(&Enrich::default(), &panel);
        Self { panel, policy, market, clock }
    }

    /// Asks in the order that this market knows.
    #[must_use]
    pub fn with_market(self, market: Market) -> Self {
        Self { market, ..self }
    }

    pub const fn panel(&self) -> &Panel {
        &self.panel
    }

    pub const fn policy(&self) -> &Policy {
        &self.policy
    }

    /// What is believed of the providers when their answers are merged.
    pub const fn beliefs(&self) -> &Beliefs {
        &self.policy.beliefs
    }

    pub const fn market(&self) -> &Market {
        &self.market
    }

    /// Enriches one member. `stored` are the unexpired answers about the subject: they are not asked for again.
    pub async fn enrich(&self, job: &Claimed, stored: Vec<Answer>, keep: &dyn Keep) -> Outcome {
        let anew = job.anew();
        let stored: Vec<_> = stored.into_iter().filter(|answer| anew.takes(answer)).collect();
        // What was asked in this execution is not asked again, whatever came of it.
        let mut asked =
            if job.is_replay() { Asked::those_in_stock(&self.panel, &stored) } else { Asked::default() };
        // Also where the others' answers would be enough: what it said before is put aside.
        let mut on_purpose = anew.on_purpose().filter(|only| !stored.iter().any(|one| one.provider == *only));
        let mut dossier = Dossier::open(stored, self.clock.now());
        let last_chance = schedule::is_last_chance(job, &self.policy.retry, self.clock.now());
        let sources = self.policy.beliefs.now();
        let course = Course::of(self, job.email.segment(), &job.subject, anew.settled(job.recorded));
        let found = loop {
            let found = dossier.merged(&sources);
            let situation = course.situation(&dossier, &found, last_chance);
            let subject = course.subject(&job.email, &found);
            let candidates = course.candidates(&dossier, &subject, &asked);
            let round = match on_purpose.take().and_then(|provider| asks(&candidates, provider)) {
                Some(at) => vec![at],
                None => waterfall::round(&course.rules(), &situation, &candidates),
            };
            if round.is_empty() {
                break found;
            }
            asked.note(&round, &candidates);
            let lookups = course.questions(&round, &candidates).map(|question| {
                let handle = dossier.handle(question.provider.name());
                lookup::ask(question, handle, &subject, job, &self.policy.retention, &self.clock, keep)
            });
            for reply in join_all(lookups).await {
                dossier.file(reply);
            }
            if dossier.is_objected() {
                break found;
            }
        };
        dossier.learn(&self.policy.wanted.thresholds, &found);
        verdict::conclude(job, dossier, found, &self.policy, last_chance, self.clock.now())
    }
}

/// Where among the candidates this provider is, if it can be asked.
fn asks(candidates: &[Candidate<'_>], provider: &str) -> Option<usize> {
    candidates.iter().position(|one| one.name == provider && one.told.is_some())
}

#[cfg(test)]
mod tests;
