//! What workers share beyond the queue: one quota and one budget a provider, whether it may be asked at all, and who is there.
//!
//! Invariant: a slot is granted once, whoever asks and however often; a closed provider or a spent budget grants none.

use std::collections::BTreeMap;
use std::fmt::Debug;
use std::time::Duration;

use async_trait::async_trait;
use gleaner_providers::limit::{Ask, Slots};
use jiff::Timestamp;
use jiff::civil::Date;
use jiff::tz::TimeZone;
use serde::Serialize;

use super::StoreError;
use crate::config::Budget;
use crate::job::LookupEntry;

pub(super) mod gate;

/// A worker that has not beaten for so long counts as silent.
pub const SILENT_AFTER: Duration = Duration::from_secs(15);
/// A silent worker is listed for so long.
pub const FORGOTTEN_AFTER: Duration = Duration::from_hours(24);

/// The part of a store that workers share their knowledge of providers and of each other through.
#[async_trait]
pub trait Fleet: Debug + Send + Sync {
    /// Reserves slots of a provider's quota, in one statement and by one clock.
    async fn grant(&self, claim: &SlotClaim<'_>, now: Timestamp) -> Result<Granted, StoreError>;

    /// Closes a provider for everybody: it told one of us so. A shorter block never ends a longer one.
    async fn block(
        &self,
        provider: &str,
        wait: Duration,
        why: &str,
        now: Timestamp,
    ) -> Result<(), StoreError>;

    /// Closes a provider for everybody because it failed again and again: each time in a row twice as long. Where it is closed
    /// already, somebody else was faster.
    async fn trip(&self, provider: &str, trip: &Trip<'_>, now: Timestamp) -> Result<(), StoreError>;

    /// Asks for leave to try a provider that has been closed so. One worker at a time has it, and keeps it for `lease`.
    async fn probe(
        &self,
        provider: &str,
        owner: &str,
        lease: Duration,
        now: Timestamp,
    ) -> Result<Probe, StoreError>;

    /// A provider works again that was closed so.
    async fn mend(&self, provider: &str, now: Timestamp) -> Result<(), StoreError>;

    /// Closes a provider for everybody, for so long or until [`resume`](Self::resume).
    async fn pause(
        &self,
        provider: &str,
        length: Option<Duration>,
        why: Option<&str>,
        now: Timestamp,
    ) -> Result<(), StoreError>;

    /// Opens a provider, whoever closed it, and makes the jobs that wait for it due.
    async fn resume(&self, provider: &str, now: Timestamp) -> Result<Resumed, StoreError>;

    /// Makes the jobs due that wait for a provider which was opened: a worker that had not heard of it may have put some off
    /// since. Returns how many.
    async fn make_due(&self, provider: &str, now: Timestamp) -> Result<u64, StoreError>;

    /// What every worker has to know at any moment, in one cheap read.
    async fn pulse(&self, now: Timestamp) -> Result<Pulse, StoreError>;

    /// Ends when a provider may have been closed or opened. A hint that may be missed or come for nothing: whoever waits looks now
    /// and then all the same.
    async fn wait_for_gates(&self);

    /// What every provider was asked today and this month (UTC).
    async fn usage(&self, now: Timestamp) -> Result<Vec<Usage>, StoreError>;

    /// Says that a worker lives. Forgets those that have been silent for long.
    async fn beat(&self, beat: &Beat, now: Timestamp) -> Result<(), StoreError>;

    /// Says that a worker has ended in good order.
    async fn leave(&self, incarnation: &str) -> Result<(), StoreError>;

    /// The workers, the oldest first.
    async fn workers(&self, now: Timestamp) -> Result<Vec<WorkerSeen>, StoreError>;
}

/// How long a provider that fails is left alone.
#[derive(Clone, Copy, Debug)]
pub struct Trip<'a> {
    pub first: Duration,
    pub longest: Duration,
    pub why: &'a str,
}

/// Whether a provider that was left alone may be tried.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Probe {
    Go,
    /// Not for so long: it is still closed, or another worker tries.
    Wait(Duration),
}

/// A worker's wish for slots.
#[derive(Clone, Copy, Debug)]
pub struct SlotClaim<'a> {
    pub provider: &'a str,
    /// The incarnation of the worker.
    pub owner: &'a str,
    pub ask: Ask,
    pub budget: Budget,
}

/// What came of it.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Granted {
    /// When it was decided, by the store's clock.
    pub now: Timestamp,
    pub slots: Slots,
    /// Why there are none.
    pub refusal: Option<GateRefusal>,
    /// Somebody else wanted slots lately.
    pub contended: bool,
}

/// Why no slot was granted.
#[derive(Clone, Copy, Debug, Eq, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum GateRefusal {
    /// By an operator.
    Paused,
    /// By the provider's word.
    Blocked,
    DailyBudget,
    MonthlyBudget,
    /// All slots up to the horizon are given away.
    GivenAway,
}

impl GateRefusal {
    pub const ALL: [Self; 5] =
        [Self::Paused, Self::Blocked, Self::DailyBudget, Self::MonthlyBudget, Self::GivenAway];

    pub(super) fn from_word(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|known| known.as_str() == word)
    }

    /// The word, in statements as in answers.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Paused => "paused",
            Self::Blocked => "blocked",
            Self::DailyBudget => "daily_budget",
            Self::MonthlyBudget => "monthly_budget",
            Self::GivenAway => "given_away",
        }
    }
}

/// What a resume did.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq, Serialize)]
pub struct Resumed {
    /// Whether the provider was closed at all.
    pub was_closed: bool,
    /// Jobs that waited for it and are due now.
    pub jobs_due: u64,
}

/// The state of the fleet at one moment.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Pulse {
    /// The store's clock.
    pub now: Timestamp,
    /// Every provider that was ever asked or closed.
    pub gates: Vec<GateState>,
    /// Workers that beat.
    pub alive: u32,
}

/// Whether a provider may be asked.
#[derive(Clone, Debug, Eq, PartialEq, Serialize)]
pub struct GateState {
    pub provider: String,
    /// Raised by every resume.
    pub epoch: u64,
    /// How often in a row it was left alone because it failed. Where it is not closed, one lookup tries whether it works again.
    pub trips: u32,
    pub closed: Option<Closed>,
}

/// Why a provider may not be asked, and until when.
#[derive(Clone, Debug, Eq, PartialEq, Serialize)]
pub struct Closed {
    pub by: ClosedBy,
    pub why: Option<String>,
    /// `None`: until somebody resumes it.
    pub until: Option<Timestamp>,
}

/// Who closed a provider.
#[derive(Clone, Copy, Debug, Eq, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum ClosedBy {
    Operator,
    /// Its own word: a `Retry-After`, a spent quota, a refused key.
    Provider,
    /// It failed again and again.
    Breaker,
}

impl ClosedBy {
    /// Who closed a provider that is not paused, but tripped so often.
    pub(super) const fn of_block(trips: u32) -> Self {
        if trips > 0 { Self::Breaker } else { Self::Provider }
    }
}

/// What one provider was asked, and what it cost.
#[derive(Clone, Debug, Default, Eq, PartialEq, Serialize)]
pub struct Usage {
    pub provider: String,
    pub lookups_today: u64,
    pub calls_today: u64,
    pub cost_micros_today: u64,
    pub lookups_this_month: u64,
    pub calls_this_month: u64,
    pub cost_micros_this_month: u64,
}

/// A sign of life.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Beat {
    pub incarnation: String,
    pub host: String,
    pub pid: u32,
    pub version: String,
    pub started_at: Timestamp,
    /// Members that it holds.
    pub in_flight: u64,
    /// Members that it has finished.
    pub finished: u64,
}

/// A worker, as others see it.
#[derive(Clone, Debug, Eq, PartialEq, Serialize)]
pub struct WorkerSeen {
    pub incarnation: String,
    pub host: String,
    pub pid: u32,
    pub version: String,
    pub started_at: Timestamp,
    pub beat_at: Timestamp,
    pub alive: bool,
    pub in_flight: u64,
    pub finished: u64,
}

/// What lookups of one provider on one day add to the books.
#[derive(Clone, Debug, Eq, PartialEq, Serialize)]
pub(super) struct Bill<'a> {
    pub(super) provider: &'a str,
    /// When the lookups began: on that day their calls were given leave.
    pub(super) day: i64,
    pub(super) lookups: u64,
    pub(super) calls: u64,
    pub(super) cost_micros: u64,
}

impl<'a> Bill<'a> {
    /// The bills for these lookups, one a provider and day, always in the same order: two transactions never wait for each other.
    pub(super) fn of(lookups: impl Iterator<Item = &'a LookupEntry>) -> Vec<Self> {
        let mut bills: BTreeMap<(&str, i64), Self> = BTreeMap::new();
        for entry in lookups {
            let began = entry.at.saturating_sub(entry.duration).unwrap_or(entry.at);
            let bill = bills.entry((&entry.provider, day(began))).or_insert_with(|| Self {
                provider: &entry.provider,
                day: day(began),
                lookups: 0,
                calls: 0,
                cost_micros: 0,
            });
            bill.lookups += 1;
            bill.calls += u64::from(entry.calls);
            bill.cost_micros += entry.cost_micros;
        }
        bills.into_values().collect()
    }
}

/// A day, from its number.
pub(super) fn date_of(day: i64) -> Date {
    let noon = Timestamp::from_second(day.saturating_mul(86_400).saturating_add(43_200)).unwrap_or_default();
    noon.to_zoned_datetime(TimeZone::UTC).date()
}

/// The UTC day of a moment, in days since 1970.
pub(super) fn day(at: Timestamp) -> i64 {
    at.as_second().div_euclid(86_400)
}

/// The UTC month of a moment, in months since year 0.
pub(super) fn month(at: Timestamp) -> i64 {
    let date = at.to_zoned_datetime(TimeZone::UTC).date();
    i64::from(date.year()) * 12 + i64::from(date.month()) - 1
}

/// The first day of the moment's month, in days since 1970.
pub(super) fn first_of_month(at: Timestamp) -> i64 {
    day(at) + 1 - i64::from(at.to_zoned_datetime(TimeZone::UTC).date().day())
}
