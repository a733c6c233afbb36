//! This worker as one of many: the quota that it shares with the others, what it tells them, and its sign of life.
//!
//! Invariant: nothing here decides what is granted; the store does, in one statement.

use std::borrow::Cow;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use gleaner_providers::clock::SharedClock;
use gleaner_providers::limit::{Ask, Away, Grant, SharedQuota};
use jiff::{SignedDuration, Timestamp};
use tokio::sync::mpsc;

use crate::config::Budget;
use crate::store::fleet::{Beat, GateRefusal, Granted, SlotClaim};
use crate::store::{SharedStore, StoreError};

/// A budget that waits for its bills only is not worth a word.
const SOON: SignedDuration = SignedDuration::from_secs(10);
/// The longest pause before a report is written again.
const LONGEST_PAUSE: Duration = Duration::from_secs(2);

/// One worker's membership in the fleet.
#[derive(Debug)]
pub struct Fleet {
    desk: Arc<Desk>,
    reports: Mutex<Option<mpsc::UnboundedReceiver<Report>>>,
    started_at: Timestamp,
    host: String,
}

/// What all of a worker's shared quotas have in common.
#[derive(Debug)]
struct Desk {
    store: SharedStore,
    clock: SharedClock,
    owner: String,
    reports: mpsc::UnboundedSender<Report>,
}

/// A provider told this worker that nobody may call it for a while.
#[derive(Debug)]
struct Report {
    provider: String,
    wait: Duration,
    why: Cow<'static, str>,
}

impl Fleet {
    /// `owner` is the incarnation of the worker: never used twice.
    pub fn join(store: SharedStore, clock: SharedClock, owner: String) -> Self {
        let (told, reports) = mpsc::unbounded_channel();
        Self {
            started_at: clock.now(),
            host: gethostname::gethostname().to_string_lossy().into_owned(),
            desk: Arc::new(Desk { store, clock, owner, reports: told }),
            reports: Mutex::new(Some(reports)),
        }
    }

    /// The incarnation of this worker.
    pub fn owner(&self) -> &str {
        &self.desk.owner
    }

    /// This worker's way to the quota of one provider.
    pub fn quota(&self, provider: &str, budget: Budget) -> Arc<dyn SharedQuota> {
        Arc::new(StoredQuota {
            desk: Arc::clone(&self.desk),
            provider: provider.to_owned(),
            budget,
            last_said: Mutex::default(),
        })
    }

    /// Passes on what providers tell this worker, until it is dropped. Only its first caller does.
    pub async fn pass_on(&self) {
        let taken = self.reports.lock().unwrap_or_else(PoisonError::into_inner).take();
        let Some(mut reports) = taken else { return };
        while let Some(report) = reports.recv().await {
            self.desk.write(report).await;
        }
    }

    /// Tells the others that this worker lives.
    pub async fn beat(&self, in_flight: u64, finished: u64) -> Result<(), StoreError> {
        let beat = Beat {
            incarnation: self.desk.owner.clone(),
            host: self.host.clone(),
            pid: std::process::id(),
            version: env!("CARGO_PKG_VERSION").to_owned(),
            started_at: self.started_at,
            in_flight,
            finished,
        };
        self.desk.store.beat(&beat, self.desk.clock.now()).await
    }

    /// Tells the others that this worker has ended.
    pub async fn leave(&self) -> Result<(), StoreError> {
        self.desk.store.leave(&self.desk.owner).await
    }
}

impl Desk {
    /// Writes until it is written: a database that is away for a moment must not cost the others their warning. What has been
    /// waited out by then is dropped.
    async fn write(&self, report: Report) {
        let began = tokio::time::Instant::now();
        let mut pause = Duration::from_millis(50);
        loop {
            let left = report.wait.saturating_sub(began.elapsed());
            if left.is_zero() {
                return;
            }
            match self.store.block(&report.provider, left, &report.why, self.clock.now()).await {
                Ok(()) => return,
                Err(error) => tracing::warn!(%error, report.provider, "a pause could not be passed on"),
            }
            tokio::time::sleep(pause).await;
            pause = (pause * 2).min(LONGEST_PAUSE);
        }
    }
}

/// A provider's quota as it is kept in the store.
#[derive(Debug)]
struct StoredQuota {
    desk: Arc<Desk>,
    provider: String,
    budget: Budget,
    /// Until when a budget is spent, as it was last said in the log.
    last_said: Mutex<Option<Timestamp>>,
}

#[async_trait]
impl SharedQuota for StoredQuota {
    async fn grant(&self, ask: Ask) -> Result<Grant, Away> {
        let Desk { store, clock, owner, .. } = &*self.desk;
        let claim = SlotClaim { provider: &self.provider, owner, ask, budget: self.budget };
        match store.grant(&claim, clock.now()).await {
            Ok(granted) => {
                self.say(&granted);
                let ample = !granted.contended && !self.budget.counts();
                Ok(Grant { now: granted.now, slots: granted.slots, ample })
            }
            Err(error) => {
                tracing::warn!(%error, self.provider, "the shared quota cannot be reached; nothing leaves");
                Err(Away)
            }
        }
    }

    fn stay_away(&self, wait: Duration, why: Cow<'static, str>) {
        // Nobody listens any more when the worker ends.
        let _ = self.desk.reports.send(Report { provider: self.provider.clone(), wait, why });
    }
}

impl StoredQuota {
    /// Tells the log once that a budget is spent.
    fn say(&self, granted: &Granted) {
        use gleaner_providers::limit::Slots::NoneBefore;
        let (
            Some(refusal @ (GateRefusal::DailyBudget | GateRefusal::MonthlyBudget)),
            NoneBefore(Some(until)),
        ) = (granted.refusal, granted.slots)
        else {
            return;
        };
        if until.duration_since(granted.now) < SOON {
            return;
        }
        let mut last_said = self.last_said.lock().unwrap_or_else(PoisonError::into_inner);
        if last_said.replace(until) != Some(until) {
            let (provider, budget) = (&self.provider, refusal.as_str());
            tracing::warn!(provider, budget, %until, "the budget of `{provider}` is spent; its lookups wait");
        }
    }
}
