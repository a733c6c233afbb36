//! The only door to the network.
//!
//! Every call of every provider passes the same gates in the same order: address guard, concurrency permit,
//! pause, quota, send, capped body, status. What a status means is the provider's own, from a common default.
//!
//! Invariant: no other file builds an HTTP client, and no answer is read without bound.

mod body;
mod exchange;
mod fault;
pub mod guard;
pub mod headers;
mod manners;
mod network;
mod permission;
mod request;
mod resolve;
mod response;
mod trail;

use std::borrow::Cow;
use std::fmt;
use std::num::NonZeroU32;
use std::sync::atomic::{AtomicU32, AtomicU64, Ordering};
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use jiff::Timestamp;
use jiff::civil::Date;
use reqwest::Method;
use serde::Serialize;
use url::Url;

use crate::limit::{Gate, Limiter, SharedQuota};
use crate::provider::{Quota, Reach};
use crate::retry::RetryBudget;

pub use guard::Nets;
use manners::Manners;
pub use manners::SiteLimits;
pub use network::{Network, NetworkError};
pub use permission::PRODUCT;
pub use request::Request;
pub use response::{Response, StatusMeaning, default_meaning};
pub use trail::{Step, Trail};

/// How one provider may be reached: limits, deadlines, manners.
#[derive(Clone, Debug)]
pub struct Limits {
    pub quota: Quota,
    pub reach: Reach,
    /// The origin that the operator chose (vendor's endpoint or override); always allowed.
    pub trusted: Option<Url>,
    /// The operator's own exceptions for [`Reach::Web`].
    pub nets: Nets,
    /// How a stranger's site is treated in [`Reach::Web`]: its robots.txt is kept to, and calls to it are spread out
    /// (not so behind the trusted origin, which is no stranger). `None`: neither, for hosts that are all one's own.
    pub per_site: Option<SiteLimits>,
    /// Calls in flight at once.
    pub concurrency: NonZeroU32,
    /// The longest wait of one call for permits, pauses, our own quota and between attempts, all together. Who would
    /// have to wait longer for its turn is answered with `RateLimited`.
    pub max_wait: Duration,
    /// The longest wait for a connection. The shared client gives up after 5 s, whatever is set here.
    pub connect_timeout: Duration,
    /// The longest silence while reading.
    pub read_timeout: Duration,
    /// One attempt from connect to the last byte, redirects included.
    pub total_timeout: Duration,
    /// The largest body read, after decompression.
    pub max_body_bytes: usize,
    /// Attempts for one call, the first included (short retries of passing faults).
    pub attempts: u32,
    /// Whether answers cost money: one that was lost on its way (a timeout, a body that broke off) may have been billed,
    /// and is not asked for again within the call.
    pub is_billed: bool,
}

impl Limits {
    pub fn for_quota(quota: Quota) -> Self {
        Self {
            quota,
            reach: Reach::Vendor,
            trusted: None,
            nets: Nets::default(),
            per_site: Some(SiteLimits::default()),
            concurrency: NonZeroU32::MIN.saturating_add(7),
            max_wait: Duration::from_secs(10),
            connect_timeout: Duration::from_secs(5),
            read_timeout: Duration::from_secs(5),
            total_timeout: Duration::from_secs(15),
            max_body_bytes: 1 << 20,
            attempts: 3,
            is_billed: false,
        }
    }

    /// No deadline beyond a day, which the runtime's clock can always hold.
    fn within_a_day(self) -> Self {
        let cut = |wait: Duration| wait.min(headers::LONGEST_WAIT);
        Self {
            max_wait: cut(self.max_wait),
            connect_timeout: cut(self.connect_timeout),
            read_timeout: cut(self.read_timeout),
            total_timeout: cut(self.total_timeout),
            per_site: self.per_site.map(|site| SiteLimits { interval: cut(site.interval), ..site }),
            ..self
        }
    }
}

/// One provider's door to the network. Cheap to clone; clones share permits, pause, quota and counters.
#[derive(Clone)]
pub struct HttpClient {
    door: Arc<Door>,
    /// Calls made through this client and its clones since [`HttpClient::for_one_lookup`].
    lookup_calls: Arc<AtomicU32>,
    /// Those of them of which no whole answer came.
    lookup_unanswered: Arc<AtomicU32>,
    /// Only while somebody tries a provider out.
    trail: Option<Trail>,
}

/// What the clones of one client share.
struct Door {
    provider: Box<str>,
    network: Network,
    /// The client for guarded calls, built at the first one.
    guarded: OnceLock<reqwest::Client>,
    limits: Limits,
    limiter: Limiter,
    /// Only where strangers are called.
    manners: Option<Manners>,
    retries: RetryBudget,
    counters: Counters,
}

impl HttpClient {
    fn new(provider: &str, network: Network, limits: Limits, shared: Option<Arc<dyn SharedQuota>>) -> Self {
        let limits = limits.within_a_day();
        let limiter = match shared {
            Some(shared) => Limiter::sharing(limits.quota, limits.concurrency, shared),
            None => Limiter::new(limits.quota, limits.concurrency),
        };
        let manners = limits.per_site.filter(|_| limits.reach == Reach::Web).map(Manners::new);
        Self {
            door: Arc::new(Door {
                provider: provider.into(),
                network,
                guarded: OnceLock::new(),
                limits,
                limiter,
                manners,
                retries: RetryBudget::new(),
                counters: Counters::default(),
            }),
            lookup_calls: Arc::default(),
            lookup_unanswered: Arc::default(),
            trail: None,
        }
    }

    pub fn get(&self, url: Url) -> Request<'_> {
        Request::new(self, Method::GET, url)
    }

    /// A question that does not fit into a URL. Asked again after a passing fault like any other; never redirected.
    pub fn post_json<T: Serialize + ?Sized>(&self, url: Url, body: &T) -> Request<'_> {
        Request::new(self, Method::POST, url).json(body)
    }

    /// A form, for vendors that take no JSON. What must not stand in a URL, which proxies log, can stand here.
    pub fn post_form(&self, url: Url, fields: &[(&str, &str)]) -> Request<'_> {
        Request::new(self, Method::POST, url).form(fields)
    }

    /// The present moment.
    pub fn now(&self) -> Timestamp {
        self.door.network.clock().now()
    }

    /// Today's date (UTC): the day on which an age in an answer is true.
    pub fn today(&self) -> Date {
        self.door.network.clock().today()
    }

    /// Lets no call leave for this long, from this process or any that shares the quota. A shorter pause never ends a longer
    /// one. `why` is for operators and holds no personal data.
    pub fn pause(&self, wait: Duration, why: impl Into<Cow<'static, str>>) {
        self.door.limiter.pause(wait, why);
    }

    /// Does what the fleet says of this provider. Tells whether an operator has opened it again since the last time.
    pub fn obey(&self, gate: Gate) -> bool {
        self.door.limiter.obey(gate)
    }

    /// How long the provider is still paused, by an answer or by [`HttpClient::pause`].
    pub fn paused_for(&self) -> Option<Duration> {
        self.door.limiter.paused_for()
    }

    /// The same door, counting the calls of one lookup apart.
    #[must_use]
    pub fn for_one_lookup(&self) -> Self {
        Self {
            door: Arc::clone(&self.door),
            lookup_calls: Arc::default(),
            lookup_unanswered: Arc::default(),
            trail: self.trail.clone(),
        }
    }

    /// The same door, whose lookups leave a trail.
    #[must_use]
    pub fn with_trail(&self, trail: &Trail) -> Self {
        Self { trail: Some(trail.clone()), ..self.for_one_lookup() }
    }

    /// Notes a step of the lookup, where somebody wants to see them. May hold personal data, and no secret.
    pub fn note(&self, step: &'static str, text: impl FnOnce() -> String) {
        if let Some(trail) = &self.trail {
            trail.note(step, text());
        }
    }

    /// How many calls left the house through this client since [`Self::for_one_lookup`].
    pub fn calls_in_this_lookup(&self) -> u32 {
        self.lookup_calls.load(Ordering::Relaxed)
    }

    /// How many of them were sent and brought no whole answer: a vendor may have billed them, and nobody here knows.
    pub fn unanswered_in_this_lookup(&self) -> u32 {
        self.lookup_unanswered.load(Ordering::Relaxed)
    }

    fn count_call(&self) {
        count(&self.door.counters.calls);
        self.lookup_calls.fetch_add(1, Ordering::Relaxed);
        self.lookup_unanswered.fetch_add(1, Ordering::Relaxed);
    }

    fn count_answer(&self) {
        self.lookup_unanswered.fetch_sub(1, Ordering::Relaxed);
    }

    /// What went through this door since the process started.
    pub fn traffic(&self) -> Traffic {
        self.door.counters.read()
    }
}

impl fmt::Debug for HttpClient {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("HttpClient").field("provider", &self.door.provider).finish_non_exhaustive()
    }
}

/// Calls counted at one door since the process started.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq, Serialize)]
pub struct Traffic {
    /// Requests sent, retries and redirects included.
    pub calls: u64,
    /// Requests sent again after a passing fault.
    pub retries: u64,
    /// Answers that said "slow down".
    pub throttled: u64,
}

#[derive(Debug, Default)]
struct Counters {
    calls: AtomicU64,
    retries: AtomicU64,
    throttled: AtomicU64,
}

impl Counters {
    fn read(&self) -> Traffic {
        Traffic {
            calls: self.calls.load(Ordering::Relaxed),
            retries: self.retries.load(Ordering::Relaxed),
            throttled: self.throttled.load(Ordering::Relaxed),
        }
    }
}

fn count(counter: &AtomicU64) {
    counter.fetch_add(1, Ordering::Relaxed);
}

#[cfg(test)]
mod tests;
