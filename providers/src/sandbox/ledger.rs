//! The ledger: every call received, in order, as the vendors' own books would show it.
//!
//! Invariant: an entry is written once, when its call arrives; the lock is held for one push or one page, never
//! for a walk over all entries.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use serde::Serialize;
use tokio::time::Instant;

use super::fault::Fault;
use super::service::{COUNT, Service};
use super::settings::QuotaSettings;
use crate::provider::{Identifier, Micros};

/// How many entries are copied out under one lock.
const PAGE: usize = 4096;

/// What a call was answered with.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Answered {
    Match,
    NoMatch,
    /// The answer will be ready later.
    Pending,
    /// The answer to an order, given before: it is billed once.
    Repeated,
    /// The person asked the vendor to stop.
    Objected,
    /// Not a question that can be answered: no key, a wrong one, no `User-Agent`.
    Refused,
    /// Above the enforced quota.
    OverQuota,
    Fault(Fault),
}

impl Answered {
    /// The word for it in the ledger.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Match => "match",
            Self::NoMatch => "no_match",
            Self::Pending => "pending",
            Self::Repeated => "repeated",
            Self::Objected => "objected",
            Self::Refused => "refused",
            Self::OverQuota => "over_quota",
            Self::Fault(Fault::RateLimited) => "rate_limited",
            Self::Fault(Fault::ServerError) => "server_error",
            Self::Fault(Fault::Timeout) => "timeout",
            Self::Fault(Fault::Truncated) => "truncated",
            Self::Fault(Fault::WrongType) => "wrong_type",
            Self::Fault(Fault::BrokenSyntax) => "broken_syntax",
            Self::Fault(Fault::SlowDrip) => "slow_drip",
            Self::Fault(Fault::Empty) => "empty",
            Self::Fault(Fault::StrangePage) => "strange_page",
            Self::Fault(Fault::Oversized) => "oversized",
            Self::Fault(Fault::Dropped) => "dropped",
            Self::Fault(Fault::Hostile) => "hostile",
        }
    }
}

/// One call, as it is kept.
#[derive(Clone)]
pub(super) struct Call {
    pub(super) service: Service,
    pub(super) told: Identifier,
    pub(super) identifier: Box<str>,
    pub(super) answered: Answered,
    /// 0 where no status was sent.
    pub(super) status: u16,
    pub(super) billed: Micros,
}

/// One call, as it is shown. Holds the identifier: as personal as the addresses that the sandbox was asked about.
#[derive(Clone, Serialize)]
pub struct Entry {
    /// Counted from 1, and on after the ledger was cleared.
    pub seq: u64,
    /// Since the sandbox started, in milliseconds.
    pub at_ms: u64,
    pub provider: &'static str,
    /// What kind of identifier the provider was told: `address`, `address_hash`, `domain`, `handle`.
    pub told: &'static str,
    pub identifier: Box<str>,
    pub answer: &'static str,
    /// Null where no status was sent.
    pub status: Option<u16>,
    pub billed_micros: Micros,
}

impl fmt::Debug for Entry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Entry({} {} {})", self.seq, self.provider, self.answer)
    }
}

/// What the ledger adds up to.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct Summary {
    pub calls: u64,
    pub billed_micros: Micros,
    pub providers: BTreeMap<&'static str, ServiceSummary>,
}

/// One provider's part of the ledger.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct ServiceSummary {
    pub calls: u64,
    pub billed_micros: Micros,
    /// Calls by what they were answered with.
    pub answers: BTreeMap<&'static str, u64>,
    /// The most calls that arrived within any second.
    pub peak_per_second: u64,
    /// The length of the quota's window: the enforced one, else the vendor's published one.
    pub window_secs: u64,
    /// The most calls that arrived within any window of that length.
    pub peak_per_window: u64,
    /// The enforced quota; null where none is.
    pub quota_calls: Option<u32>,
}

/// The calls received since the start, or since the ledger was cleared.
pub(super) struct Ledger {
    started: Instant,
    quotas: [Option<QuotaSettings>; COUNT],
    kept: Mutex<Kept>,
}

#[derive(Default)]
struct Kept {
    /// How many entries were cleared away.
    cleared: u64,
    entries: Vec<(Duration, Call)>,
}

impl Ledger {
    pub(super) fn new(started: Instant, quotas: &[Option<QuotaSettings>; COUNT]) -> Self {
        Self { started, quotas: *quotas, kept: Mutex::default() }
    }

    /// Writes one call down. The time is taken under the lock, so that entries are in the order of their times.
    pub(super) fn push(&self, call: Call) {
        let mut kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        let at = self.started.elapsed();
        kept.entries.push((at, call));
    }

    pub(super) fn clear(&self) {
        let old = {
            let mut kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
            kept.cleared += kept.entries.len() as u64;
            std::mem::take(&mut kept.entries)
        };
        drop(old); // a million entries are freed outside the lock
    }

    /// The next entries after a sequence number, at most a page; empty at the end.
    pub(super) fn page(&self, after: u64) -> Vec<Entry> {
        self.read(after, |seq, at, call| Entry {
            seq,
            at_ms: u64::try_from(at.as_millis()).unwrap_or(u64::MAX),
            provider: call.service.as_str(),
            told: call.told.as_str(),
            identifier: call.identifier.clone(),
            answer: call.answered.as_str(),
            status: (call.status != 0).then_some(call.status),
            billed_micros: call.billed,
        })
    }

    fn read<T>(&self, after: u64, mut show: impl FnMut(u64, Duration, &Call) -> T) -> Vec<T> {
        let kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        let skip = usize::try_from(after.saturating_sub(kept.cleared)).unwrap_or(usize::MAX);
        let first = kept.cleared + 1;
        let entries = kept.entries.iter().enumerate().skip(skip).take(PAGE);
        entries.map(|(index, (at, call))| show(first + index as u64, *at, call)).collect()
    }

    pub(super) fn summary(&self) -> Summary {
        let mut summary = Summary::default();
        let mut times: [Vec<Duration>; COUNT] = Default::default();
        let mut after = 0;
        loop {
            let page = self.read(after, |seq, at, call| (seq, at, call.service, call.answered, call.billed));
            let Some((last, ..)) = page.last() else { break };
            after = *last;
            for (_, at, service, answered, billed) in page {
                let part = summary.providers.entry(service.as_str()).or_default();
                part.calls += 1;
                part.billed_micros = part.billed_micros + billed;
                *part.answers.entry(answered.as_str()).or_default() += 1;
                if let Some(times) = times.get_mut(service.index()) {
                    times.push(at);
                }
            }
        }
        for ((service, times), quota) in Service::ALL.into_iter().zip(times).zip(self.quotas) {
            let part = summary.providers.entry(service.as_str()).or_default();
            part.quota_calls = quota.map(|quota| quota.calls);
            part.window_secs = quota.unwrap_or(service.facts().quota).window_secs;
            part.peak_per_second = peak(&times, Duration::from_secs(1));
            part.peak_per_window = peak(&times, Duration::from_secs(part.window_secs));
        }
        summary.calls = summary.providers.values().map(|part| part.calls).sum();
        summary.billed_micros = summary.providers.values().map(|part| part.billed_micros).sum();
        summary
    }
}

/// The most of these times (ascending) that fall within any half-open window of this length.
fn peak(times: &[Duration], window: Duration) -> u64 {
    let mut most = 0;
    let mut inside = times.iter().peekable();
    let mut left = 0_usize;
    for (index, at) in times.iter().enumerate() {
        while inside.next_if(|oldest| oldest.saturating_add(window) <= *at).is_some() {
            left += 1;
        }
        most = most.max(index + 1 - left);
    }
    most as u64
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(milliseconds: &[u64]) -> Vec<Duration> {
        milliseconds.iter().map(|ms| Duration::from_millis(*ms)).collect()
    }

    #[test]
    fn the_peak_is_that_of_any_window_not_of_the_clocks_seconds() {
        let second = Duration::from_secs(1);
        assert_eq!(peak(&[], second), 0);
        assert_eq!(peak(&at(&[0, 1000, 2000]), second), 1, "half open");
        assert_eq!(peak(&at(&[0, 900, 950, 1050, 1899, 1900]), second), 4);
    }

    #[test]
    fn a_million_calls_stay_in_order_and_a_cleared_ledger_counts_on() {
        let ledger = Ledger::new(Instant::now(), &[None; COUNT]);
        let call = |billed| Call {
            service: Service::PeopleDataLabs,
            told: Identifier::Address,
            identifier: "ada.example@example.com".into(),
            answered: Answered::Match,
            status: 200,
            billed: Micros(billed),
        };
        for _ in 0..1_000_000 {
            ledger.push(call(3));
        }
        let summary = ledger.summary();
        assert_eq!((summary.calls, summary.billed_micros), (1_000_000, Micros(3_000_000)));
        assert_eq!(
            ledger.page(999_990).iter().map(|entry| entry.seq).collect::<Vec<_>>(),
            (999_991..=1_000_000).collect::<Vec<_>>()
        );
        ledger.clear();
        ledger.push(call(1));
        assert_eq!(ledger.page(0).first().map(|entry| entry.seq), Some(1_000_001));
        assert!(ledger.page(u64::MAX).is_empty());
    }
}
