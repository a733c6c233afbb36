//! Faults: which call meets which, by script or by draw.
//!
//! Invariant: drawn from seed, provider, identifier and the n-th call for it, so that a run can be repeated and a
//! retry meets another draw.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError, RwLock};

use serde::{Deserialize, Serialize};

use super::draw;
use super::population::MailboxKey;
use super::service::{COUNT, Service};
use super::settings::{FaultRates, Latency, SandboxSettings, When};

/// One way in which an answer goes wrong.
#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Fault {
    RateLimited,
    ServerError,
    Timeout,
    Truncated,
    WrongType,
    BrokenSyntax,
    SlowDrip,
    /// 200 without a body.
    Empty,
    /// 200 with a page of somebody else's: a gateway's, a captive portal's.
    StrangePage,
    /// The answer, and two megabytes of blanks.
    Oversized,
    /// The connection is gone before a byte of the answer came.
    Dropped,
    /// The answer with an attacker's words in the place of its texts; one that is no text (a key) stays as it is.
    Hostile,
}

impl Fault {
    pub const ALL: [Self; 12] = [
        Self::RateLimited,
        Self::ServerError,
        Self::Timeout,
        Self::Truncated,
        Self::WrongType,
        Self::BrokenSyntax,
        Self::SlowDrip,
        Self::Empty,
        Self::StrangePage,
        Self::Oversized,
        Self::Dropped,
        Self::Hostile,
    ];

    /// The fault that a number in 0..1 stands for.
    pub(super) fn of_draw(draw: f64, rates: FaultRates) -> Option<Self> {
        let shares = [
            (Self::RateLimited, rates.rate_limited),
            (Self::ServerError, rates.server_error),
            (Self::Timeout, rates.timeout),
            (Self::Truncated, rates.truncated),
            (Self::WrongType, rates.malformed / 2.0),
            (Self::BrokenSyntax, rates.malformed / 2.0),
            (Self::SlowDrip, rates.slow_drip),
        ];
        let mut reached = 0.0;
        shares.into_iter().find_map(|(fault, share)| {
            reached += share;
            (draw < reached).then_some(fault)
        })
    }
}

/// What befalls one call.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(super) struct Fate {
    pub(super) fault: Option<Fault>,
    pub(super) latency_ms: u64,
}

/// What is fixed to happen, with the addresses already read.
struct Line {
    service: Service,
    mailbox: Option<MailboxKey>,
    when: When,
    fault: Fault,
}

/// Hands every call its fate.
pub(super) struct Fates {
    seed: u64,
    /// As set at the start, and as switched since.
    usual: [FaultRates; COUNT],
    rates: RwLock<[FaultRates; COUNT]>,
    latency: [Latency; COUNT],
    script: Vec<Line>,
    /// How often each question was asked. Empty where nothing depends on it.
    asked: Mutex<HashMap<u64, u32>>,
}

impl Fates {
    pub(super) fn new(settings: &SandboxSettings) -> Self {
        let script = settings.scripts.iter().map(|script| Line {
            service: script.provider,
            mailbox: script.email.as_deref().map(MailboxKey::of_address),
            when: script.when,
            fault: script.fault,
        });
        let usual = Service::ALL.map(|service| settings.faults(service));
        Self {
            seed: settings.seed,
            usual,
            rates: RwLock::new(usual),
            latency: Service::ALL.map(|service| settings.latency(service)),
            script: script.collect(),
            asked: Mutex::default(),
        }
    }

    /// How often each fault happens to this service now.
    pub(super) fn rates(&self, service: Service) -> FaultRates {
        let rates = self.rates.read().unwrap_or_else(PoisonError::into_inner);
        rates.get(service.index()).copied().unwrap_or_default()
    }

    /// From now on faults happen so often; with `None` as often as they were set to at the start.
    pub(super) fn switch(&self, service: Service, rates: Option<FaultRates>) {
        let usual = self.usual.get(service.index()).copied().unwrap_or_default();
        let mut now = self.rates.write().unwrap_or_else(PoisonError::into_inner);
        if let Some(slot) = now.get_mut(service.index()) {
            *slot = rates.unwrap_or(usual);
        }
    }

    /// The fate of the next call of this kind for this identifier.
    pub(super) fn next(
        &self,
        service: Service,
        operation: &str,
        identifier: &str,
        mailbox: Option<MailboxKey>,
    ) -> Fate {
        let rates = self.rates(service);
        let latency = self.latency.get(service.index()).copied().unwrap_or_default();
        let drawn = latency.max_ms > 0 || Fault::of_draw(0.0, rates).is_some();
        if !drawn && self.script.is_empty() {
            return Fate::default();
        }
        let about = [service.as_str().as_bytes(), operation.as_bytes(), identifier.as_bytes()];
        let nth = self.count(draw::digest(self.seed, "question", &about));
        let scripted = self.script.iter().find(|line| {
            line.service == service
                && line.mailbox.is_none_or(|only| Some(only) == mailbox)
                && (line.when == When::Always || line.when == When::Nth(nth))
        });
        let [first, second, third] = about;
        let mut rng = draw::stream(self.seed, "fate", &[first, second, third, &nth.to_le_bytes()]);
        let fault = Fault::of_draw(rng.f64(), rates);
        Fate {
            fault: scripted.map(|line| line.fault).or(fault),
            latency_ms: rng.u64(latency.min_ms.min(latency.max_ms)..=latency.max_ms),
        }
    }

    fn count(&self, question: u64) -> u32 {
        let mut asked = self.asked.lock().unwrap_or_else(PoisonError::into_inner);
        let count = asked.entry(question).or_default();
        *count = count.saturating_add(1);
        *count
    }
}
