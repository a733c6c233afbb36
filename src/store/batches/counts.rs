//! What is counted of a batch: words and numbers.
//!
//! Invariant: pure. The words are closed sets and names of providers, never anything of a member.

use std::collections::BTreeMap;

use serde::Serialize;

use crate::job::{BatchId, Intake};

/// Counts to be added to those of batches.
#[derive(Debug, Default)]
pub(in crate::store) struct Counting(BTreeMap<(i64, String), u64>);

impl Counting {
    pub(in crate::store) fn add(&mut self, batch: BatchId, what: impl Into<String>, count: u64) {
        if count > 0 {
            *self.0.entry((batch.0, what.into())).or_default() += count;
        }
    }

    pub(in crate::store) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// In the order in which the rows are locked.
    pub(in crate::store) fn rows(&self) -> impl Iterator<Item = (i64, &str, u64)> {
        self.0.iter().map(|((batch, what), count)| (*batch, what.as_str(), *count))
    }

    pub(in crate::store) fn took_in(&mut self, batch: BatchId, outcome: Intake) {
        self.add(
            batch,
            match outcome {
                Intake::Queued => "queued",
                Intake::Repeated => "joined",
                Intake::Fresh => "fresh",
                Intake::Suppressed => "refused_suppressed",
            },
            1,
        );
    }
}

/// What was counted of one batch.
#[derive(Clone, Debug, Default, Eq, PartialEq, Serialize)]
#[serde(transparent)]
pub struct Counts(pub BTreeMap<String, u64>);

impl Counts {
    pub fn of(&self, what: &str) -> u64 {
        self.0.get(what).copied().unwrap_or(0)
    }

    /// Members that reached their end in this batch.
    pub fn finished(&self) -> u64 {
        ["complete", "partial", "no_match", "suppressed", "dead"].iter().map(|what| self.of(what)).sum()
    }

    /// What lookups cost, over all providers.
    pub fn cost_micros(&self) -> u64 {
        self.under("cost.").map(|(_, cost)| cost).sum()
    }

    /// Every word that begins so, without its beginning.
    pub fn under<'a>(&'a self, prefix: &'a str) -> impl Iterator<Item = (&'a str, u64)> {
        self.0.iter().filter_map(move |(what, count)| Some((what.strip_prefix(prefix)?, *count)))
    }

    /// Lookups by provider and outcome.
    pub fn lookups(&self) -> impl Iterator<Item = (&str, &str, u64)> {
        self.under("lookup.").filter_map(|(rest, count)| {
            let (provider, outcome) = rest.rsplit_once('.')?;
            Some((provider, outcome, count))
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counts_add_up_and_are_told_apart() {
        let mut counting = Counting::default();
        let batch = BatchId(7);
        for _ in 0..3 {
            counting.add(batch, "complete", 1);
        }
        counting.add(batch, "lookup.people.data.match", 2);
        counting.add(batch, "cost.people.data", 560_000);
        counting.add(batch, "nothing", 0);
        let counts = Counts(counting.rows().map(|(_, what, count)| (what.to_owned(), count)).collect());
        assert_eq!((counts.finished(), counts.cost_micros()), (3, 560_000));
        assert_eq!(counts.lookups().collect::<Vec<_>>(), [("people.data", "match", 2)]);
        assert!(!counts.0.contains_key("nothing"));
    }
}
