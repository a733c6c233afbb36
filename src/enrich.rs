//! One member from claim to verdict: ask tier after tier, merge what was found, decide how the job ends.
//!
//! Invariant: reads and writes no table. What it knows of earlier answers is handed in; what it learned is handed
//! out as an [`Outcome`], but for answers that cost money, which are kept through [`Keep`] before they are used.

use std::fmt::Debug;

use async_trait::async_trait;
use futures_util::future::join_all;
use gleaner_providers::clock::SharedClock;
use gleaner_providers::{Claim, Confidence, Field, SocialProfile, Subject};

use crate::config::{Config, Retention, Retry};
use crate::job::{Answer, BatchId, Claimed, Hold, Outcome};
use crate::record::Sourced;

mod dossier;
mod lookup;
pub mod merge;
pub mod panel;
mod schedule;
mod verdict;
mod waterfall;

use dossier::Dossier;
use merge::Merged;
pub use panel::Panel;
use waterfall::{Known, Wanted};

/// Stores an answer that cost money before it is used, so that no crash makes us pay for it twice.
#[async_trait]
pub trait Keep: Debug + Send + Sync {
    /// Returns when the answer is on disk, or could not be stored and stays with the outcome.
    async fn keep(&self, answer: &Answer) -> Kept;

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
    pub wanted: Vec<Field>,
    pub min_confidence: Confidence,
    pub minimum_age: u8,
    pub policy_version: String,
    pub retry: Retry,
    pub retention: Retention,
}

impl Policy {
    pub fn from_config(config: &Config) -> Self {
        Self {
            wanted: config.enrich.wanted.clone(),
            min_confidence: config.enrich.min_confidence,
            minimum_age: config.enrich.minimum_age,
            policy_version: config.policy_version.clone(),
            retry: config.retry.clone(),
            retention: config.retention.clone(),
        }
    }
}

/// Takes members through the waterfall.
#[derive(Debug)]
pub struct Enricher {
    panel: Panel,
    policy: Policy,
    clock: SharedClock,
}

impl Enricher {
    pub const fn new(panel: Panel, policy: Policy, clock: SharedClock) -> Self {
        Self { panel, policy, clock }
    }

    pub const fn panel(&self) -> &Panel {
        &self.panel
    }

    /// Enriches one member. `stored` are the unexpired answers about the subject: they are not asked for again.
    pub async fn enrich(&self, job: &Claimed, stored: Vec<Answer>, keep: &dyn Keep) -> Outcome {
        let stored = stored.into_iter().filter(|answer| job.takes(answer)).collect();
        let mut dossier = Dossier::open(stored, self.clock.now());
        let last_chance = schedule::is_last_chance(job, &self.policy.retry, self.clock.now());
        let wanted = Wanted { fields: &self.policy.wanted, min_confidence: self.policy.min_confidence };

        let tiers = self.panel.tiers();
        for at in 0..=tiers.len() {
            let found = dossier.merged();
            let subject = Subject::new(job.email.clone()).with_accounts(self.accounts(&found));
            let known = Known { dossier: &dossier, found: &found, subject: &subject, last_chance };
            let round = waterfall::round(tiers, at, &wanted, &known);
            let lookups = round.iter().map(|question| {
                let handle = dossier.handle(question.provider.name());
                lookup::ask(*question, handle, &subject, job, &self.policy.retention, &self.clock, keep)
            });
            for reply in join_all(lookups).await {
                dossier.file(reply);
            }
            if dossier.is_objected() {
                break;
            }
        }
        verdict::conclude(job, dossier, &self.policy, last_chance, self.clock.now())
    }

    /// The accounts that a later tier may be asked about: those sure enough to be the person's.
    fn accounts(&self, found: &Merged) -> Vec<Claim<SocialProfile>> {
        let is_sure = |profile: &&Sourced<SocialProfile>| profile.confidence >= self.policy.min_confidence;
        let claim = |profile: &Sourced<SocialProfile>| {
            Claim::new(profile.value.clone(), profile.confidence, profile.assurance)
        };
        found.profiles.iter().filter(is_sure).map(claim).collect()
    }
}

#[cfg(test)]
mod tests;
