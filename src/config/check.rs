//! What a type cannot say about settings: ranges, names, and what belongs together.

use std::collections::BTreeSet;
use std::fmt;

use gleaner_providers::catalog::Catalog;
use serde::Serialize;

use super::{Config, DatabaseUrl, brokers};

/// One thing that is wrong, at one key.
#[derive(Clone, Debug, Eq, PartialEq, Serialize)]
pub struct Problem {
    /// The dotted key.
    pub key: String,
    /// What is wrong and what to do.
    pub message: String,
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "`{}`: {}", self.key, self.message)
    }
}

pub(super) fn problems(config: &Config) -> Vec<Problem> {
    let mut found = Vec::new();
    let mut problem = |key: &str, message: String| {
        found.push(Problem { key: key.to_owned(), message });
    };
    if config.policy_version.trim().is_empty() {
        problem("policy_version", "must not be empty: every record carries it".to_owned());
    }
    if let Some(message) = config.database.as_ref().and_then(DatabaseUrl::problem) {
        problem("database", message);
    }
    if config.enrich.wanted.is_empty() {
        problem("enrich.wanted", "must name at least one of name, age, social".to_owned());
    }
    for (key, value, least) in [
        ("worker.lease_secs", config.worker.lease_secs, 5),
        ("worker.poll_ms", config.worker.poll_ms, 1),
        ("retry.base_ms", config.retry.base_ms, 1),
        ("retry.cap_secs", config.retry.cap_secs, 1),
        ("retry.snooze_secs", config.retry.snooze_secs, 1),
        ("retry.max_age_hours", config.retry.max_age_hours, 1),
        ("retention.record_days", config.retention.record_days, 1),
        ("retention.match_days", config.retention.match_days, 1),
        ("retention.no_match_days", config.retention.no_match_days, 1),
        ("retention.request_hours", config.retention.request_hours, 1),
    ] {
        if value < least {
            problem(key, format!("must be at least {least}, and is {value}"));
        }
    }
    if let Some((key, message)) = config.web.problem() {
        problem(key, message);
    }
    if let Some((key, message)) = config.breaker.problem() {
        problem(key, message);
    }
    for (key, message) in config.http.problems() {
        problem(key, message);
    }
    for name in config.providers.keys() {
        if let Some(message) = unknown_provider(name, &config.catalog) {
            problem(&format!("providers.{name}"), message);
        }
        if config.provider(name).only_for.is_some_and(|segments| segments.is_empty()) {
            let message = "names no kind of address; set `enabled = false` to ask nobody".to_owned();
            problem(&format!("providers.{name}.only_for"), message);
        }
    }
    let mut seen = BTreeSet::new();
    for name in config.enrich.tiers.iter().flatten() {
        if let Some(message) = unknown_provider(name, &config.catalog) {
            problem("enrich.tiers", message);
        } else if !seen.insert(name) {
            problem("enrich.tiers", format!("names `{name}` twice; a provider is asked once"));
        }
    }
    found.extend(brokers::problems(&config.nats, &config.rabbitmq));
    found
}

fn unknown_provider(name: &str, catalog: &Catalog) -> Option<String> {
    catalog.find(name).err().map(|error| error.to_string())
}
