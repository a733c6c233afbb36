//! What an operator may set for one provider, and how it becomes limits and a key.

use std::fmt;
use std::num::{NonZeroU32, NonZeroU64};
use std::path::PathBuf;
use std::time::Duration;

use gleaner_providers::ProviderSettings;
use gleaner_providers::email::Segment;
use gleaner_providers::http::Limits;
use gleaner_providers::provider::{Descriptor, Quota};
use secrecy::SecretString;
use serde::{Deserialize, Serialize};

use super::Web;
use super::key;
use super::money::MoneyText;
use super::source::ConfigError;

/// One table `[providers.NAME]`. Everything is optional: the provider's own defaults hold otherwise.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct ProviderConfig {
    /// `true`: on, and a missing key is an error. `false`: off. Absent: on if it has all it needs.
    pub enabled: Option<bool>,
    /// Another base URL: a vendor's sandbox host, a proxy.
    pub endpoint: Option<String>,
    /// The environment variable that holds the key; by default `GLEANER_<NAME>_KEY`.
    pub key_env: Option<String>,
    /// The file that holds the key; it wins over the environment.
    pub key_file: Option<PathBuf>,
    /// The kinds of address that it is asked about; absent: all.
    pub only_for: Option<Vec<Segment>>,
    /// At most this many calls in any such window: `10/s`, `100/h`.
    pub quota: Option<RateText>,
    /// How many calls may follow each other without a pause.
    pub burst: Option<NonZeroU32>,
    /// Calls in a UTC day, and in a UTC month.
    pub daily_calls: Option<NonZeroU64>,
    pub monthly_calls: Option<NonZeroU64>,
    /// What a UTC day, and a UTC month, may cost: `$5.00`.
    pub daily_budget: Option<MoneyText>,
    pub monthly_budget: Option<MoneyText>,
    /// What a match costs by the operator's contract: `$0.10`.
    pub price: Option<MoneyText>,
    /// Calls in flight at once.
    pub concurrency: Option<NonZeroU32>,
    /// The longest wait for our own quota inside a lookup; a longer one puts the job off.
    pub max_wait_ms: Option<u32>,
    /// One call from connect to the last byte.
    pub timeout_ms: Option<u32>,
    /// Attempts for one call within a lookup, the first included.
    pub attempts: Option<NonZeroU32>,
    /// What only this provider knows.
    pub options: toml::Table,
    /// A key handed over in memory, as the sandbox does. No file can set it.
    #[serde(skip)]
    pub key: Option<SecretString>,
}

impl ProviderConfig {
    /// The settings that the provider itself sees; reads the key.
    pub fn settings(&self, name: &str) -> Result<ProviderSettings, ConfigError> {
        let key = match &self.key {
            Some(key) => Some(key.clone()),
            None => key::read(name, self.key_file.as_deref(), &self.key_variable(name))?,
        };
        Ok(ProviderSettings {
            endpoint: self.endpoint.clone(),
            key,
            options: self.options.clone(),
            price: self.price.map(|price| price.0),
            ..ProviderSettings::default()
        })
    }

    /// The name of the environment variable that may hold the key.
    pub fn key_variable(&self, name: &str) -> String {
        self.key_env.clone().unwrap_or_else(|| format!("GLEANER_{}_KEY", name.to_uppercase()))
    }

    /// What the provider may take.
    pub fn budget(&self, descriptor: &Descriptor) -> Budget {
        let micros = |text: MoneyText| text.0.0;
        let price = descriptor.price;
        Budget {
            daily_calls: self.daily_calls.map(NonZeroU64::get),
            monthly_calls: self.monthly_calls.map(NonZeroU64::get),
            daily_micros: self.daily_budget.map(micros),
            monthly_micros: self.monthly_budget.map(micros),
            call_micros: price.per_match.0.max(price.per_miss.0),
        }
    }

    /// The limits of the door that the provider goes through.
    pub fn limits(&self, descriptor: &Descriptor, settings: &ProviderSettings, web: &Web) -> Limits {
        let burst = self.burst.unwrap_or(descriptor.quota.burst);
        let quota = self.quota.map_or(descriptor.quota, |rate| rate.0).with_burst(burst);
        let defaults = Limits::for_quota(quota);
        let milliseconds =
            |given: Option<u32>, default| given.map_or(default, |given| Duration::from_millis(given.into()));
        Limits {
            reach: descriptor.reach,
            trusted: settings.trusted_origin(&descriptor.endpoint),
            nets: web.nets().sparing_this_machine(),
            per_site: Some(web.per_site()),
            concurrency: self.concurrency.unwrap_or(defaults.concurrency),
            max_wait: milliseconds(self.max_wait_ms, defaults.max_wait),
            total_timeout: milliseconds(self.timeout_ms, defaults.total_timeout),
            attempts: self.attempts.map_or(defaults.attempts, NonZeroU32::get),
            is_billed: !descriptor.price.is_free(),
            ..defaults
        }
    }
}

/// How much of a provider's time and of our money a day and a month may take.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq, Serialize)]
pub struct Budget {
    pub daily_calls: Option<u64>,
    pub monthly_calls: Option<u64>,
    pub daily_micros: Option<u64>,
    pub monthly_micros: Option<u64>,
    /// The most that one call may cost: what a call is taken to have cost until its lookup is in the log.
    pub call_micros: u64,
}

impl Budget {
    /// Whether calls are counted against it at all.
    pub const fn counts(&self) -> bool {
        let money = self.daily_micros.is_some() || self.monthly_micros.is_some();
        self.daily_calls.is_some() || self.monthly_calls.is_some() || (money && self.call_micros > 0)
    }
}

/// A quota as written in the configuration: calls, a slash, a window (`s`, `min`, `h`, `day`, with a number before
/// it where it is not one: `40/10s`).
#[derive(Clone, Copy, Deserialize, PartialEq)]
#[serde(try_from = "String")]
pub struct RateText(pub Quota);

impl RateText {
    pub fn parse(text: &str) -> Result<Self, String> {
        text.parse().map(Self)
    }
}

impl TryFrom<String> for RateText {
    type Error = String;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        Self::parse(&text)
    }
}

impl fmt::Debug for RateText {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}s", self.0.calls, self.0.window.as_secs())
    }
}
