//! What came through a broker's door, counted.
//!
//! Invariant: counters only grow; they count what happened in this process since it started.

use std::sync::atomic::{AtomicU64, Ordering};

use serde::Serialize;

use crate::job::{Delivered, Intake};

/// Counters of one door.
#[derive(Debug, Default)]
pub struct Report {
    connections: AtomicU64,
    messages: AtomicU64,
    redelivered: AtomicU64,
    acknowledged: AtomicU64,
    queued: AtomicU64,
    repeated: AtomicU64,
    fresh: AtomicU64,
    suppressed: AtomicU64,
    refused: AtomicU64,
    store_faults: AtomicU64,
}

/// The counters at one moment.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq, Serialize)]
pub struct Summary {
    /// Connections made, the first included.
    pub connections: u64,
    /// Messages received, redelivered ones included.
    pub messages: u64,
    /// Messages that the broker had delivered before.
    pub redelivered: u64,
    /// Messages whose content is committed.
    pub acknowledged: u64,
    /// What became of the registrations in them.
    pub queued: u64,
    pub repeated: u64,
    pub fresh: u64,
    pub suppressed: u64,
    /// Entries that became dead letters.
    pub refused: u64,
    /// Attempts to commit that failed because the database was away.
    pub store_faults: u64,
}

impl Report {
    pub fn summary(&self) -> Summary {
        let now = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
        Summary {
            connections: now(&self.connections),
            messages: now(&self.messages),
            redelivered: now(&self.redelivered),
            acknowledged: now(&self.acknowledged),
            queued: now(&self.queued),
            repeated: now(&self.repeated),
            fresh: now(&self.fresh),
            suppressed: now(&self.suppressed),
            refused: now(&self.refused),
            store_faults: now(&self.store_faults),
        }
    }

    pub(super) fn connected(&self) {
        add(&self.connections, 1);
    }

    pub(super) fn received(&self, redelivered: bool) {
        add(&self.messages, 1);
        add(&self.redelivered, redelivered.into());
    }

    pub(super) fn acknowledged(&self, messages: usize) {
        add(&self.acknowledged, messages as u64);
    }

    pub(super) fn taken_in(&self, delivered: &Delivered) {
        let (Delivered::Taken(outcomes) | Delivered::Again(outcomes)) = delivered else { return };
        for outcome in outcomes {
            let counter = match outcome {
                Intake::Queued => &self.queued,
                Intake::Repeated => &self.repeated,
                Intake::Fresh => &self.fresh,
                Intake::Suppressed => &self.suppressed,
            };
            add(counter, 1);
        }
    }

    pub(super) fn refused(&self, entries: usize) {
        add(&self.refused, entries as u64);
    }

    pub(super) fn store_fault(&self) {
        add(&self.store_faults, 1);
    }
}

fn add(counter: &AtomicU64, count: u64) {
    counter.fetch_add(count, Ordering::Relaxed);
}
