//! What all handlers share.
//!
//! Invariant: nothing here changes an answer but the counters that quotas and faults are defined by.

use std::collections::HashSet;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::watch;
use tokio::time::Instant;

use super::SAMPLE_MEMBERS;
use super::fault::Fates;
use super::ledger::Ledger;
use super::members;
use super::orders::Orders;
use super::population::{MailboxKey, Population};
use super::quota::Quotas;
use super::service::{COUNT, Service};
use super::settings::SandboxSettings;
use crate::clock::{SharedClock, SystemClock};
use crate::provider::Micros;

/// One sandbox's population, books and clocks.
pub(super) struct World {
    pub(super) population: Population,
    pub(super) fates: Fates,
    pub(super) quotas: Quotas,
    pub(super) ledger: Ledger,
    pub(super) orders: Orders,
    objected: HashSet<MailboxKey>,
    pub(super) clock: SharedClock,
    pub(super) retry_after_secs: u64,
    pub(super) stop: Arc<Stop>,
    prices: [(Micros, Micros); COUNT],
}

impl World {
    pub(super) fn new(settings: &SandboxSettings) -> Self {
        let sample = if settings.sample_members { members::addresses(SAMPLE_MEMBERS) } else { Vec::new() };
        let listed = sample.iter().chain(&settings.members).map(String::as_str);
        Self {
            population: Population::with_settings(settings, listed),
            fates: Fates::new(settings),
            quotas: Quotas::new(settings),
            ledger: Ledger::new(Instant::now(), &Service::ALL.map(|service| settings.quota(service))),
            orders: Orders::new(Duration::from_millis(settings.search_ms)),
            objected: settings.objected.iter().map(|address| MailboxKey::of_address(address)).collect(),
            clock: SystemClock::shared(),
            retry_after_secs: settings.retry_after_secs,
            stop: Arc::new(Stop::default()),
            prices: Service::ALL.map(|service| settings.price(service)),
        }
    }

    /// Whether the owner of this mailbox has objected.
    pub(super) fn has_objected(&self, mailbox: Option<MailboxKey>) -> bool {
        mailbox.is_some_and(|mailbox| self.objected.contains(&mailbox))
    }

    /// What a match and a miss cost.
    pub(super) fn price(&self, service: Service) -> (Micros, Micros) {
        self.prices.get(service.index()).copied().unwrap_or_default()
    }

    /// Waits, but not beyond the sandbox's end.
    pub(super) async fn rest(&self, duration: Duration) {
        self.stop.rest(duration).await;
    }
}

/// The end of a sandbox, which every wait races.
#[derive(Debug)]
pub(super) struct Stop(watch::Sender<bool>);

impl Default for Stop {
    fn default() -> Self {
        Self(watch::Sender::new(false))
    }
}

impl Stop {
    pub(super) fn now(&self) {
        self.0.send_replace(true);
    }

    /// Waits for the end.
    pub(super) async fn reached(&self) {
        // An error means that the sender is gone, which is the end too.
        let _ = self.0.subscribe().wait_for(|stopped| *stopped).await;
    }

    /// Waits this long, or until the end.
    pub(super) async fn rest(&self, duration: Duration) {
        let _ = tokio::time::timeout(duration, self.reached()).await;
    }
}
