//! What a user of the sandbox may set: seed, population, latency, faults, quotas, prices.
//!
//! Invariant: every answer follows from these settings and the question alone; nothing here reads the
//! environment.

use std::collections::BTreeMap;
use std::fmt;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::fault::Fault;
use super::service::Service;
use crate::provider::Micros;

/// Settings of the sandbox. The default suits a demonstration: a little latency, a few faults of each kind.
#[derive(Clone, Deserialize, Serialize)]
#[serde(default, deny_unknown_fields)]
pub struct SandboxSettings {
    /// The same seed gives the same people, the same distortions and the same faults.
    pub seed: u64,
    /// The loopback port to listen on; 0 takes a free one.
    pub port: u16,
    /// Whether the sample members are listed, so that their names agree with their addresses.
    pub sample_members: bool,
    /// Further addresses to list.
    pub members: Vec<String>,
    /// Scales how often a provider spells, dates or attributes wrongly: 0 never, 1 as in life.
    pub distortion: f64,
    pub latency: Latency,
    pub faults: FaultRates,
    /// How long a vendor that searches while one waits takes over it, in milliseconds; 0: until it is asked again.
    pub search_ms: u64,
    /// Addresses whose owners have objected at a vendor that says so.
    pub objected: Vec<String>,
    /// What a rate-limit fault asks the caller to wait, in seconds.
    pub retry_after_secs: u64,
    /// What differs for one provider.
    pub providers: BTreeMap<Service, ServiceSettings>,
    /// Faults that happen for certain, before any is drawn. The first that fits wins.
    pub scripts: Vec<Script>,
}

// Members' addresses may be real ones, if an operator lists them: neither is shown.
impl fmt::Debug for SandboxSettings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SandboxSettings").field("seed", &self.seed).finish_non_exhaustive()
    }
}

impl fmt::Debug for Script {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Script({} {:?} {:?})", self.provider.as_str(), self.when, self.fault)
    }
}

/// A few of each kind.
const USUAL_FAULTS: FaultRates = FaultRates {
    rate_limited: 0.005,
    server_error: 0.02,
    timeout: 0.001,
    truncated: 0.004,
    malformed: 0.004,
    slow_drip: 0.005,
};

/// These vendors say "slow down" and not for how long: nobody who watches a demonstration wants to wait a minute.
fn unthrottled(service: Service) -> (Service, ServiceSettings) {
    let faults = Some(FaultRates { rate_limited: 0.0, ..USUAL_FAULTS });
    (service, ServiceSettings { faults, ..ServiceSettings::default() })
}

impl Default for SandboxSettings {
    fn default() -> Self {
        Self {
            // Here the first sample member is known to the most usual services, and truthfully: a walkthrough shows something.
            seed: 126,
            port: 0,
            sample_members: true,
            members: Vec::new(),
            distortion: 1.0,
            latency: Latency { min_ms: 20, max_ms: 120 },
            faults: USUAL_FAULTS,
            search_ms: 500,
            objected: vec!["beatrice.penrose@webmail.example.net".into()],
            retry_after_secs: 1,
            providers: [Service::Hunter, Service::Fullenrich].map(unthrottled).into(),
            scripts: Vec::new(),
        }
    }
}

impl SandboxSettings {
    /// No latency and no faults: for tests that add their own, and for benchmarks.
    pub fn calm(seed: u64) -> Self {
        Self {
            seed,
            latency: Latency::default(),
            faults: FaultRates::default(),
            search_ms: 0,
            objected: Vec::new(),
            providers: BTreeMap::new(),
            ..Self::default()
        }
    }

    pub(super) fn match_rate(&self, service: Service) -> MatchRate {
        self.service(service).and_then(|set| set.match_rate).unwrap_or(service.facts().match_rate)
    }

    pub(super) fn latency(&self, service: Service) -> Latency {
        self.service(service).and_then(|set| set.latency).unwrap_or(self.latency)
    }

    pub(super) fn faults(&self, service: Service) -> FaultRates {
        self.service(service).and_then(|set| set.faults).unwrap_or(self.faults)
    }

    pub(super) fn quota(&self, service: Service) -> Option<QuotaSettings> {
        self.service(service).and_then(|set| set.quota)
    }

    pub(super) fn price(&self, service: Service) -> (Micros, Micros) {
        let (list, set) = (service.facts().price, self.service(service));
        (
            set.and_then(|set| set.price_per_match_micros).unwrap_or(list.per_match),
            set.and_then(|set| set.price_per_miss_micros).unwrap_or(list.per_miss),
        )
    }

    fn service(&self, service: Service) -> Option<&ServiceSettings> {
        self.providers.get(&service)
    }
}

/// What differs for one provider; what is left out is the vendor's own or the sandbox's common setting.
#[derive(Clone, Debug, Default, Deserialize, Serialize)]
#[serde(default, deny_unknown_fields)]
pub struct ServiceSettings {
    /// Enforced, and answered in the vendor's own way when overrun. Absent: told in headers only.
    pub quota: Option<QuotaSettings>,
    pub price_per_match_micros: Option<Micros>,
    pub price_per_miss_micros: Option<Micros>,
    pub match_rate: Option<MatchRate>,
    pub latency: Option<Latency>,
    pub faults: Option<FaultRates>,
}

/// At most `calls` in a fixed window that begins with the first call in it, as most vendors count.
#[derive(Clone, Copy, Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct QuotaSettings {
    pub calls: u32,
    pub window_secs: u64,
    /// Counted strictly: at most `calls` in any window of that length, wherever it begins.
    #[serde(default)]
    pub sliding: bool,
}

impl QuotaSettings {
    pub(super) const fn window(self) -> Duration {
        Duration::from_secs(self.window_secs)
    }
}

/// The share of addresses that a provider knows, 0 to 1, by the kind of address.
#[derive(Clone, Copy, Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct MatchRate {
    pub free_mail: f64,
    pub own_domain: f64,
}

/// How long an answer takes, drawn evenly between the two, in milliseconds.
#[derive(Clone, Copy, Debug, Default, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Latency {
    pub min_ms: u64,
    pub max_ms: u64,
}

/// The share of calls that meet each fault, 0 to 1; together at most 1.
#[derive(Clone, Copy, Debug, Default, Deserialize, Serialize)]
#[serde(default, deny_unknown_fields)]
pub struct FaultRates {
    /// "Slow down", in the vendor's own words.
    pub rate_limited: f64,
    pub server_error: f64,
    /// No answer until the caller gives up, at most 30 s.
    pub timeout: f64,
    /// The body ends before its length.
    pub truncated: f64,
    /// Half of them broken syntax, half the wrong JSON types.
    pub malformed: f64,
    /// The body comes in single pieces with pauses between them.
    pub slow_drip: f64,
}

impl FaultRates {
    /// Whether each is a share, and together they are not more than all.
    pub(super) fn are_shares(self) -> bool {
        let Self { rate_limited, server_error, timeout, truncated, malformed, slow_drip } = self;
        let shares = [rate_limited, server_error, timeout, truncated, malformed, slow_drip];
        shares.iter().all(|share| (0.0..=1.0).contains(share)) && shares.iter().sum::<f64>() <= 1.0 + 1e-9
    }
}

/// A fault that happens for certain: "PDL answers 500 twice for everyone" is
/// `[{provider = "people_data_labs", when = {nth = 1}, fault = "server_error"}, {…, when = {nth = 2}, …}]`.
#[derive(Clone, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Script {
    pub provider: Service,
    /// Only for this address; absent: for everyone.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub email: Option<String>,
    pub when: When,
    pub fault: Fault,
}

/// Which calls a script meets. GitHub's four kinds of call are counted apart.
#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum When {
    Always,
    /// The n-th call of its kind for one subject, counted from 1.
    Nth(u32),
}
