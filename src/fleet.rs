//! This worker as one of many: the quota that it shares with the others, what it tells them, and its sign of life.
//!
//! Invariant: nothing here decides what is granted; the store does, in one statement.

use std::borrow::Cow;
use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use gleaner_providers::clock::SharedClock;
use gleaner_providers::limit::{Ask, Away, Grant, SharedQuota};
use jiff::{SignedDuration, Timestamp};
use tokio::sync::mpsc;

use crate::config::{BreakerRule, Budget};
use crate::store::fleet::{Beat, GateRefusal, Granted, Probe, SlotClaim, Trip};
use crate::store::{SharedStore, StoreError};

/// A budget that waits for its bills only is not worth a word.
const SOON: SignedDuration = SignedDuration::from_secs(10);
/// How long one worker may take to find out whether a provider works again.
const PROBE_LEASE: Duration = Duration::from_mins(1);
/// Nobody has to know later that a provider works again: whoever tries it finds out.
const GOOD_NEWS_FOR: Duration = Duration::from_mins(1);
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

/// What this worker has to tell the others of a provider.
#[derive(Debug)]
struct Report {
    provider: String,
    news: News,
}

#[derive(Debug)]
enum News {
    /// It told this worker that nobody may call it for a while.
    StayAway { wait: Duration, why: Cow<'static, str> },
    /// It failed again and again.
    Fails { first: Duration, longest: Duration, why: String },
    /// It works again.
    Works,
}

/// This worker's word about one provider to the fleet, and the fleet's leave to try it.
#[derive(Clone)]
pub struct ProviderLine {
    desk: Arc<Desk>,
    provider: String,
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
        Arc::new(StoredQuota { line: self.line(provider), budget, last_said: Mutex::default() })
    }

    /// This worker's line to the fleet about one provider.
    pub fn line(&self, provider: &str) -> ProviderLine {
        ProviderLine { desk: Arc::clone(&self.desk), provider: provider.to_owned() }
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
    async fn write(&self, Report { provider, news }: Report) {
        let began = tokio::time::Instant::now();
        let mut pause = Duration::from_millis(50);
        loop {
            let left = news.lasts().saturating_sub(began.elapsed());
            if left.is_zero() {
                return;
            }
            let now = self.clock.now();
            let written = match &news {
                News::StayAway { why, .. } => self.store.block(&provider, left, why, now).await,
                News::Fails { first, longest, why } => {
                    let trip = Trip { first: *first, longest: *longest, why };
                    self.store.trip(&provider, &trip, now).await
                }
                News::Works => self.store.mend(&provider, now).await,
            };
            match written {
                Ok(()) => return,
                Err(error) => {
                    tracing::warn!(%error, provider, "news of a provider could not be passed on");
                }
            }
            tokio::time::sleep(pause).await;
            pause = (pause * 2).min(LONGEST_PAUSE);
        }
    }
}

impl News {
    fn lasts(&self) -> Duration {
        match self {
            Self::StayAway { wait, .. } => *wait,
            Self::Fails { first, .. } => *first,
            Self::Works => GOOD_NEWS_FOR,
        }
    }
}

impl ProviderLine {
    /// Closes the provider for everybody: it failed again and again.
    pub fn trip(&self, rule: &BreakerRule, why: &str) {
        let (provider, secs) = (&self.provider, rule.open().as_secs());
        tracing::warn!(provider, why, "`{provider}` fails again and again; not asked for at least {secs} s");
        self.tell(News::Fails { first: rule.open(), longest: rule.longest(), why: why.to_owned() });
    }

    /// Opens it for everybody.
    pub fn mend(&self) {
        let provider = &self.provider;
        tracing::info!(provider, "`{provider}` works again");
        self.tell(News::Works);
    }

    /// Whether this worker may try it.
    pub async fn probe(&self) -> Result<Probe, StoreError> {
        let Desk { store, clock, owner, .. } = &*self.desk;
        store.probe(&self.provider, owner, PROBE_LEASE, clock.now()).await
    }

    fn tell(&self, news: News) {
        // Nobody listens any more when the worker ends.
        let _ = self.desk.reports.send(Report { provider: self.provider.clone(), news });
    }
}

impl fmt::Debug for ProviderLine {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("ProviderLine").field(&self.provider).finish()
    }
}

/// A provider's quota as it is kept in the store.
#[derive(Debug)]
struct StoredQuota {
    line: ProviderLine,
    budget: Budget,
    /// Until when a budget is spent, as it was last said in the log.
    last_said: Mutex<Option<Timestamp>>,
}

#[async_trait]
impl SharedQuota for StoredQuota {
    async fn grant(&self, ask: Ask) -> Result<Grant, Away> {
        let ProviderLine { desk, provider } = &self.line;
        let Desk { store, clock, owner, .. } = &**desk;
        let claim = SlotClaim { provider, owner, ask, budget: self.budget };
        match store.grant(&claim, clock.now()).await {
            Ok(granted) => {
                self.say(&granted);
                let ample = !granted.contended && !self.budget.counts();
                Ok(Grant { now: granted.now, slots: granted.slots, ample })
            }
            Err(error) => {
                tracing::warn!(%error, provider, "the shared quota cannot be reached; nothing leaves");
                Err(Away)
            }
        }
    }

    fn stay_away(&self, wait: Duration, why: Cow<'static, str>) {
        self.line.tell(News::StayAway { wait, why });
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
            let (provider, budget) = (&self.line.provider, refusal.as_str());
            tracing::warn!(provider, budget, %until, "the budget of `{provider}` is spent; its lookups wait");
        }
    }
}
