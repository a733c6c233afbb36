//! What one worker process did, counted as it is committed.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use gleaner_providers::Field;
use serde::Serialize;

use crate::job::{Committed, LookupEntry, Outcome, Verdict};
use crate::record::{Record, RecordStatus};

/// Counts that the committer writes and a progress bar reads.
#[derive(Debug, Default)]
pub struct Report {
    summary: Mutex<Summary>,
}

/// What was done so far.
#[derive(Clone, Debug, Default, Eq, PartialEq, Serialize)]
pub struct Summary {
    pub complete: u64,
    pub partial: u64,
    pub no_match: u64,
    pub suppressed: u64,
    pub dead: u64,
    /// Executions that end with "again later", counting an attempt.
    pub retries: u64,
    /// Executions that end with "again later", counting none.
    pub snoozes: u64,
    /// Outcomes dropped because the lease had gone to someone else.
    pub stale: u64,
    /// Finished members by field filled.
    pub with_name: u64,
    pub with_age: u64,
    pub with_social: u64,
    pub providers: BTreeMap<String, ProviderSummary>,
    /// Why a member was last put off or given up, without personal data.
    pub last_problem: Option<String>,
}

/// What one provider was asked, and what came of it.
#[derive(Clone, Debug, Default, Eq, PartialEq, Serialize)]
pub struct ProviderSummary {
    pub lookups: u64,
    pub matches: u64,
    pub no_matches: u64,
    /// Lookups that brought no answer, by error class.
    pub failures: BTreeMap<&'static str, u64>,
    pub cost_micros: u64,
    pub busy: Duration,
}

impl Summary {
    /// Members that reached their end.
    pub const fn finished(&self) -> u64 {
        self.complete + self.partial + self.no_match + self.suppressed + self.dead
    }

    /// Members whose field was filled.
    pub const fn filled(&self, field: Field) -> u64 {
        match field {
            Field::Name => self.with_name,
            Field::Age => self.with_age,
            Field::Social => self.with_social,
        }
    }

    fn count(&mut self, outcome: &Outcome) {
        let record = match &outcome.verdict {
            Verdict::Written(record) => {
                match record.status {
                    RecordStatus::Complete => self.complete += 1,
                    RecordStatus::Partial => self.partial += 1,
                    RecordStatus::NoMatch => self.no_match += 1,
                }
                Some(record)
            }
            Verdict::Suppressed(_) => {
                self.suppressed += 1;
                None
            }
            Verdict::Dead { partial, error, .. } => {
                self.dead += 1;
                self.last_problem = Some(error.clone());
                partial.as_ref()
            }
            Verdict::Retry { error, .. } => {
                self.retries += 1;
                self.last_problem = Some(error.clone());
                None
            }
            Verdict::Snooze { reason, .. } => {
                self.snoozes += 1;
                self.last_problem = Some(reason.clone());
                None
            }
        };
        if let Some(record) = record {
            self.count_fields(record);
        }
    }

    fn count_fields(&mut self, record: &Record) {
        self.with_name += u64::from(record.has(Field::Name));
        self.with_age += u64::from(record.has(Field::Age));
        self.with_social += u64::from(record.has(Field::Social));
    }

    fn count_lookup(&mut self, entry: &LookupEntry) {
        let provider = self.providers.entry(entry.provider.clone()).or_default();
        provider.lookups += 1;
        provider.cost_micros += entry.cost_micros;
        provider.busy += entry.duration;
        match entry.outcome {
            "match" => provider.matches += 1,
            "no_match" => provider.no_matches += 1,
            // Neither is a fault: an order was placed, a person had objected.
            "pending" | "objected" => {}
            class => *provider.failures.entry(class).or_default() += 1,
        }
    }
}

impl Report {
    /// Counts a group of outcomes by what the store did with them.
    pub(super) fn record(&self, outcomes: &[Outcome], committed: &[Committed]) {
        let mut summary = self.summary.lock().unwrap_or_else(PoisonError::into_inner);
        for (outcome, committed) in outcomes.iter().zip(committed) {
            match committed {
                Committed::Applied => summary.count(outcome),
                Committed::Stale => summary.stale += 1,
                Committed::Suppressed => summary.suppressed += 1,
            }
            outcome.lookups.iter().for_each(|entry| summary.count_lookup(entry));
        }
    }

    /// What was done so far.
    pub fn summary(&self) -> Summary {
        self.summary.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}
