//! Settings: read from one TOML file, checked once, then passed on as plain values.
//!
//! Every key has a default, and `config/gleaner.toml` shows them all; an unknown key is refused with the nearest
//! known one. Secrets come from the environment or from files, never from the configuration itself.
//!
//! Invariant: the only room that reads the environment. What leaves it is valid: ranges, names and tiers are checked.

use std::collections::BTreeMap;
use std::num::NonZeroU32;
use std::path::{Path, PathBuf};
use std::time::Duration;

use gleaner_providers::catalog::Catalog;
use jiff::SignedDuration;
use serde::Deserialize;

mod breaker;
mod brokers;
mod check;
mod database;
mod declared;
mod edit;
mod enrich;
mod http;
mod key;
mod metrics;
mod money;
mod provider;
mod source;
mod web;

pub use breaker::BreakerRule;
pub use brokers::{Nats, RabbitMq};
pub use check::Problem;
pub use database::{Database, DatabaseUrl};
pub use declared::read as read_declaration;
pub use edit::{Switch, switch};
pub use enrich::{Enrich, Order, Send, Thresholds};
pub use http::Http;
pub use metrics::Metrics;
pub use money::MoneyText;
pub use provider::{Budget, ProviderConfig, RateText};
pub use source::{ConfigError, Loaded};
pub use web::Web;

/// Everything an operator can set.
#[derive(Clone, Debug, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Config {
    /// The folder for what Gleaner keeps: database and key.
    pub data_dir: PathBuf,
    /// Where jobs and records live; `None` is `gleaner.db` in the data folder.
    pub database: Option<DatabaseUrl>,
    /// Whether a pooler in transaction mode stands before the PostgreSQL server.
    pub database_pooler: bool,
    /// The version of the privacy policy in force: every record carries it.
    pub policy_version: String,
    /// A page or address where the owner of a server can reach the operator; part of the user agent.
    pub contact: Option<String>,
    pub web: Web,
    pub http: Http,
    pub enrich: Enrich,
    pub worker: Worker,
    pub retry: Retry,
    pub breaker: BreakerRule,
    pub retention: Retention,
    pub metrics: Metrics,
    pub nats: Nats,
    pub rabbitmq: RabbitMq,
    /// The folder of files that declare providers; `None` is `providers` beside the settings file.
    pub providers_dir: Option<PathBuf>,
    pub providers: BTreeMap<String, ProviderConfig>,
    /// The providers that there are: the built-ins, the binary's own, the declared ones. No file can set it.
    #[serde(skip)]
    pub catalog: Catalog,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            data_dir: PathBuf::from("gleaner-data"),
            database: None,
            database_pooler: false,
            policy_version: "1".to_owned(),
            contact: None,
            web: Web::default(),
            http: Http::default(),
            enrich: Enrich::default(),
            worker: Worker::default(),
            retry: Retry::default(),
            breaker: BreakerRule::default(),
            retention: Retention::default(),
            metrics: Metrics::default(),
            nats: Nats::default(),
            rabbitmq: RabbitMq::default(),
            providers_dir: None,
            providers: BTreeMap::new(),
            catalog: Catalog::default(),
        }
    }
}

impl Config {
    /// The file of the keyed hash's secret: beside the database, never inside it.
    pub fn key_file(&self) -> PathBuf {
        self.data_dir.join("gleaner.key")
    }

    /// The database.
    pub fn database(&self) -> Database {
        match &self.database {
            Some(url) => url.database(self.database_pooler),
            None => Database::Sqlite(self.data_dir.join("gleaner.db")),
        }
    }

    /// The settings of a provider; defaults where the file has none.
    pub fn provider(&self, name: &str) -> ProviderConfig {
        self.providers.get(name).cloned().unwrap_or_default()
    }

    /// Reads the file, or the first of the usual places, or falls back to the defaults; and the providers that files
    /// declare, which join those of the catalog.
    pub fn load(file: Option<&Path>, catalog: &Catalog) -> Result<Loaded, ConfigError> {
        let mut loaded = source::load(file)?;
        let folder = loaded.config.declared_in(loaded.file.as_deref());
        let is_named = loaded.config.providers_dir.is_some();
        loaded.config.catalog = declared::add(catalog.clone(), &folder, is_named)?;
        Ok(loaded)
    }

    /// Reads settings from text; `origin` names it in errors.
    pub fn parse(text: &str, origin: &str) -> Result<Self, ConfigError> {
        source::parse(text, origin)
    }

    /// What is wrong with these settings; empty when nothing is.
    pub fn problems(&self) -> Vec<Problem> {
        check::problems(self)
    }
}

/// How one worker process goes about its work.
#[derive(Clone, Debug, Deserialize, PartialEq)]
#[serde(default, deny_unknown_fields)]
pub struct Worker {
    /// Members looked up at the same time.
    pub concurrency: NonZeroU32,
    /// Jobs claimed in one statement.
    pub claim_batch: NonZeroU32,
    /// How long a claimed job stays ours without a sign of life. A crash costs at most this.
    pub lease_secs: u32,
    /// How long an idle worker waits before it looks again.
    pub poll_ms: u32,
    /// Members written in one transaction.
    pub commit_batch: NonZeroU32,
    /// How long the first of them waits for company, where many are under way.
    pub commit_linger_ms: u32,
    /// How long members in flight may take to finish after a stop signal.
    pub drain_secs: u32,
}

impl Worker {
    pub fn lease(&self) -> Duration {
        Duration::from_secs(self.lease_secs.into())
    }

    pub fn poll(&self) -> Duration {
        Duration::from_millis(self.poll_ms.into())
    }

    pub fn commit_linger(&self) -> Duration {
        Duration::from_millis(self.commit_linger_ms.into())
    }

    pub fn drain(&self) -> Duration {
        Duration::from_secs(self.drain_secs.into())
    }
}

impl Default for Worker {
    fn default() -> Self {
        Self {
            concurrency: count::<64>(),
            claim_batch: count::<100>(),
            lease_secs: 60,
            poll_ms: 500,
            commit_batch: count::<100>(),
            commit_linger_ms: 5,
            drain_secs: 25,
        }
    }
}

/// When a job that failed is tried again, and when it stops for good.
#[derive(Clone, Debug, Deserialize, PartialEq)]
#[serde(default, deny_unknown_fields)]
pub struct Retry {
    pub max_attempts: NonZeroU32,
    /// The longest first delay; each further attempt doubles it.
    pub base_ms: u32,
    /// No delay is longer.
    pub cap_secs: u32,
    /// The delay when a provider says "later" and not when.
    pub snooze_secs: u32,
    /// A job older than this is not put off any more.
    pub max_age_hours: u32,
}

impl Retry {
    pub fn base(&self) -> Duration {
        Duration::from_millis(self.base_ms.into())
    }

    pub fn cap(&self) -> Duration {
        Duration::from_secs(self.cap_secs.into())
    }

    pub fn snooze(&self) -> Duration {
        Duration::from_secs(self.snooze_secs.into())
    }

    pub fn max_age(&self) -> SignedDuration {
        SignedDuration::from_hours(self.max_age_hours.into())
    }
}

impl Default for Retry {
    fn default() -> Self {
        Self {
            max_attempts: count::<8>(),
            base_ms: 30_000,
            cap_secs: 6 * 3600,
            snooze_secs: 15 * 60,
            max_age_hours: 72,
        }
    }
}

/// How long things are kept.
#[derive(Clone, Debug, Deserialize, PartialEq)]
#[serde(default, deny_unknown_fields)]
pub struct Retention {
    pub record_days: u32,
    /// Answers that matched.
    pub match_days: u32,
    /// "No match" answers: people appear.
    pub no_match_days: u32,
    /// Keys of requests and ids of events: how late a repeat may come and is still known.
    pub request_hours: u32,
}

impl Retention {
    pub fn records(&self) -> SignedDuration {
        days(self.record_days)
    }

    pub fn matches(&self) -> SignedDuration {
        days(self.match_days)
    }

    pub fn no_matches(&self) -> SignedDuration {
        days(self.no_match_days)
    }

    pub fn requests(&self) -> SignedDuration {
        SignedDuration::from_hours(self.request_hours.into())
    }
}

impl Default for Retention {
    fn default() -> Self {
        Self { record_days: 365, match_days: 90, no_match_days: 30, request_hours: 72 }
    }
}

/// A count that is not zero, checked when it is compiled.
const fn count<const N: u32>() -> NonZeroU32 {
    const { NonZeroU32::new(N).expect("a count of at least one") }
}

fn days(days: u32) -> SignedDuration {
    SignedDuration::from_hours(i64::from(days) * 24)
}

#[cfg(test)]
mod tests;
