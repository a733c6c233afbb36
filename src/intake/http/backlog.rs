//! Back-pressure: how much waits already, and whether more may come.
//!
//! The jobs are counted at most once a second, and those taken in here since are added, so that the check costs a request
//! nothing. Other doors and processes are seen a second late.
//!
//! Invariant: what does not fit is refused before it is read.

use jiff::{SignedDuration, Timestamp};
use tokio::sync::Mutex;

use crate::clock::SharedClock;
use crate::intake::doors::Reception;
use crate::store::{SharedStore, StoreError};

const COUNT_HOLDS: SignedDuration = SignedDuration::from_secs(1);

/// How many jobs wait, as far as this door knows.
pub(super) struct Backlog {
    store: SharedStore,
    clock: SharedClock,
    at_most: u64,
    counted: Mutex<Counted>,
}

#[derive(Default)]
struct Counted {
    waiting: u64,
    at: Option<Timestamp>,
}

impl Backlog {
    pub(super) fn new(reception: &Reception, at_most: u64) -> Self {
        let (store, clock) = (reception.store.clone(), reception.clock.clone());
        Self { store, clock, at_most, counted: Mutex::default() }
    }

    /// Whether anything more may be taken in.
    pub(super) async fn has_room(&self) -> Result<bool, StoreError> {
        let mut counted = self.counted.lock().await;
        let now = self.clock.now();
        // A clock that was set back makes the count look like one of the future: it is taken anew.
        let holds = counted.at.is_some_and(|at| {
            let age = now.duration_since(at);
            !age.is_negative() && age < COUNT_HOLDS
        });
        if !holds {
            counted.waiting = self.store.backlog(self.at_most).await?;
            counted.at = Some(now);
        }
        Ok(counted.waiting < self.at_most)
    }

    /// Adds jobs that were made through this door.
    pub(super) async fn add(&self, jobs: usize) {
        self.counted.lock().await.waiting += jobs as u64;
    }
}
