//! Apollo: a vendor of business contacts that tells name and profiles by e-mail address or its hash.
//!
//! A miss is a 200 without a person.
//!
//! Invariant: personal addresses and telephone numbers are not asked for.

#[cfg(test)]
#[cfg(feature = "contract")]
mod tests;

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use serde::Deserialize;
use serde_json::json;

use super::broker;
use crate::access::Access;
use crate::error::LookupError;
use crate::finding::{Confidence, Finding};
use crate::http::{HttpClient, Response, default_meaning};
use crate::name::Parts;
use crate::provider::{
    Descriptor, Field, Identifier, KeyNeed, Lookup, Micros, Price, Provider, Quota, Reach,
};
use crate::settings::{ProviderSettings, SettingsError};
use crate::subject::Subject;

/// It does not say how sure it is.
const MATCHED: Confidence = Confidence::literal(0.75);
/// Calls a minute on the free plan; paying plans have twenty times as many.
const CALLS_PER_MINUTE: u32 = 50;
/// The windows that it counts in at once, by the header that tells what is left of each.
const WINDOWS: [(&str, Duration); 3] = [
    ("x-24-hour-requests-left", Duration::from_hours(24)),
    ("x-hourly-requests-left", Duration::from_hours(1)),
    ("x-minute-requests-left", Duration::from_mins(1)),
];
/// Credits come with seats, without a price of their own: assumed until `price` says what yours is. Misses are free.
const ASSUMED_CENTS: u64 = 5;

/// Asks `POST /api/v1/people/match`.
#[derive(Debug)]
pub struct Apollo {
    access: Access,
}

/// What Apollo is, on its free plan.
pub fn descriptor() -> Descriptor {
    Descriptor {
        name: "apollo".into(),
        title: "Apollo".into(),
        docs: "https://docs.apollo.io/reference/people-enrichment".into(),
        endpoint: "https://api.apollo.io/".into(),
        reach: Reach::Vendor,
        supplies: &[Field::Name, Field::Social],
        told: Identifier::Address,
        reads: &[],
        takes_hash: true,
        quota: Quota::per_minute(CALLS_PER_MINUTE),
        price: Price::per_match(Micros::from_cents(ASSUMED_CENTS)),
        key: KeyNeed::Required,
        terms: Some("a vendor of business contacts: needs a legal ground for every member".into()),
        opt_in: false,
    }
}

/// Builds it from an operator's settings.
pub fn build(settings: &ProviderSettings) -> Result<Arc<dyn Provider>, SettingsError> {
    let access = Access::without_options(settings, descriptor())?;
    Ok(Arc::new(Apollo { access }))
}

#[async_trait]
impl Provider for Apollo {
    fn descriptor(&self) -> &Descriptor {
        &self.access.descriptor
    }

    async fn lookup(&self, subject: &Subject, http: &HttpClient) -> Result<Lookup, LookupError> {
        let email = subject.email();
        let mut question = match self.access.descriptor.told {
            Identifier::AddressHash => json!({ "hashed_email": email.sha256() }),
            _ => json!({ "email": email.expose() }),
        };
        for refused in ["reveal_personal_emails", "reveal_phone_number"] {
            question[refused] = false.into();
        }
        let response = http
            .post_json(self.access.url(&["api", "v1", "people", "match"]), &question)
            .header("accept", "application/json")
            .secret_header("x-api-key", "", self.access.key.as_ref())
            .meaning(meaning)
            .send()
            .await?;
        if response.status() == 404 {
            return broker::no_match_if(false);
        }
        let answer: Answer = response.json()?;
        Ok(answer.person.map_or(Lookup::NoMatch, |person| Lookup::Match(person.finding())))
    }
}

fn meaning(response: &Response) -> Option<LookupError> {
    match response.status() {
        429 => Some(LookupError::RateLimited { after: wait(response) }),
        _ => default_meaning(response),
    }
}

/// What it asks to wait; where it leaves that empty, the length of the longest window that is spent.
fn wait(response: &Response) -> Duration {
    let spent = |header: &str| response.header(header).is_some_and(|left| left.trim() == "0");
    let window = || WINDOWS.iter().find(|(header, _)| spent(header)).map(|(_, window)| *window);
    response.told_to_wait().or_else(window).unwrap_or(Duration::from_mins(1))
}

#[derive(Deserialize)]
struct Answer {
    #[serde(deserialize_with = "broker::nullable")]
    person: Option<Person>,
}

#[derive(Deserialize)]
struct Person {
    #[serde(deserialize_with = "broker::nullable")]
    name: Option<String>,
    first_name: Option<String>,
    last_name: Option<String>,
    linkedin_url: Option<String>,
    twitter_url: Option<String>,
    github_url: Option<String>,
    facebook_url: Option<String>,
}

impl Person {
    fn finding(self) -> Finding {
        let urls = [&self.linkedin_url, &self.twitter_url, &self.github_url, &self.facebook_url];
        let profiles = urls.into_iter().filter_map(|url| broker::at(url.as_deref()));
        let profiles = broker::profiles(profiles, MATCHED);
        let parts = Parts { full: self.name, given: self.first_name, family: self.last_name };
        Finding { name: broker::name(parts, MATCHED), birth: None, profiles }
    }
}
