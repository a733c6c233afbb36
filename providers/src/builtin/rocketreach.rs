//! RocketReach: a data broker that sells name, birth year and profiles by e-mail address.
//!
//! It searches while one waits: a 200 whose `status` is not `complete` is an order, collected by its profile id.
//!
//! Invariant: contact data is not asked for (`lookup_type`), and an order is placed once.

#[cfg(test)]
#[cfg(feature = "contract")]
mod tests;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use jiff::civil::Date;
use serde::Deserialize;
use serde_json::Value;

use super::broker;
use crate::access::Access;
use crate::age::BirthInterval;
use crate::error::LookupError;
use crate::finding::{Confidence, Finding};
use crate::http::{HttpClient, Request, Response};
use crate::name::Parts;
use crate::provider::{
    Descriptor, Field, Identifier, KeyNeed, Lookup, Micros, Price, Provider, Quota, Reach,
};
use crate::settings::{ProviderSettings, SettingsError};
use crate::subject::Subject;

/// It does not say how sure it is; addresses are its weaker key.
const MATCHED: Confidence = Confidence::literal(0.7);
/// Lookups a minute on the smallest plan.
const CALLS_PER_MINUTE: u32 = 15;
/// A search takes about so long; the vendor asks not to look more often than every three seconds.
const SEARCHING: Duration = Duration::from_secs(5);
/// The vendor publishes no prices: assumed until `price` says what yours is. Only what is found costs a credit.
const ASSUMED_CENTS: u64 = 30;

/// Asks `GET /api/v2/person/lookup`, and `…/checkStatus` for what was not ready.
#[derive(Debug)]
pub struct RocketReach {
    access: Access,
    options: Options,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct Options {
    /// Which credit a lookup takes: `enrich` is the one without contact data.
    lookup_type: String,
}

impl Default for Options {
    fn default() -> Self {
        Self { lookup_type: "enrich".into() }
    }
}

/// What RocketReach is.
pub fn descriptor() -> Descriptor {
    Descriptor {
        name: "rocketreach".into(),
        title: "RocketReach".into(),
        docs: "https://docs.rocketreach.co/reference/people-data-api".into(),
        endpoint: "https://api.rocketreach.co/".into(),
        reach: Reach::Vendor,
        supplies: &[Field::Name, Field::Age, Field::Social],
        told: Identifier::Address,
        reads: &[],
        takes_hash: false,
        quota: Quota::per_minute(CALLS_PER_MINUTE),
        price: Price::per_match(Micros::from_cents(ASSUMED_CENTS)),
        key: KeyNeed::Required,
        terms: Some("a data broker in the United States: needs a legal ground for every member".into()),
        opt_in: false,
    }
}

/// Builds it from an operator's settings.
pub fn build(settings: &ProviderSettings) -> Result<Arc<dyn Provider>, SettingsError> {
    let options: Options = settings.options()?;
    let access = Access::of(settings, descriptor())?;
    Ok(Arc::new(RocketReach { access, options }))
}

#[async_trait]
impl Provider for RocketReach {
    fn descriptor(&self) -> &Descriptor {
        &self.access.descriptor
    }

    async fn lookup(&self, subject: &Subject, http: &HttpClient) -> Result<Lookup, LookupError> {
        let request = self.call(http, "lookup").query("email", subject.email().expose());
        let response = request.query("lookup_type", &self.options.lookup_type).send().await?;
        if response.status() == 404 {
            return no_match(&response);
        }
        response.json::<Profile>()?.lookup(&response, http.today())
    }

    /// Looking at an order costs nothing.
    async fn collect(
        &self,
        handle: &str,
        subject: &Subject,
        http: &HttpClient,
    ) -> Result<Lookup, LookupError> {
        let response = self.call(http, "checkStatus").query("ids", handle).send().await?;
        // It does not keep orders for ever.
        if response.status() == 404 {
            return self.lookup(subject, http).await;
        }
        let profiles: Vec<Profile> = response.json()?;
        let ordered = profiles.into_iter().find(|profile| profile.id.to_string() == handle);
        ordered
            .ok_or(LookupError::malformed("the order is not among the answers"))?
            .lookup(&response, http.today())
    }
}

impl RocketReach {
    fn call<'h>(&self, http: &'h HttpClient, what: &str) -> Request<'h> {
        http.get(self.access.url(&["api", "v2", "person", what]))
            .header("accept", "application/json")
            .secret_header("api-key", "", self.access.key.as_ref())
    }
}

fn no_match(response: &Response) -> Result<Lookup, LookupError> {
    let answer: Value = response.json()?;
    broker::no_match_if(answer.get("status").and_then(Value::as_u64) == Some(404))
}

/// A profile, or the order of one: every field but the first two is null until it is complete.
#[derive(Deserialize)]
struct Profile {
    id: u64,
    status: String,
    name: Option<String>,
    birth_year: Option<i16>,
    linkedin_url: Option<String>,
    /// URLs by network.
    links: Option<BTreeMap<String, Value>>,
}

impl Profile {
    fn lookup(self, response: &Response, today: Date) -> Result<Lookup, LookupError> {
        match self.status.as_str() {
            "complete" => Ok(Lookup::Match(self.finding(today))),
            "failed" => Ok(Lookup::NoMatch),
            "progress" | "searching" | "waiting" | "not queued" => {
                let after = response.told_to_wait().unwrap_or(SEARCHING);
                Ok(Lookup::Pending { handle: self.id.to_string(), after })
            }
            _ => Err(LookupError::malformed("a status of its own")),
        }
    }

    fn finding(self, today: Date) -> Finding {
        let year = self.birth_year.and_then(|year| BirthInterval::from_year(year, today).ok());
        let links = self.links.iter().flatten().filter_map(|(_, url)| broker::at(url.as_str()));
        let profiles = broker::at(self.linkedin_url.as_deref()).into_iter().chain(links);
        Finding {
            profiles: broker::profiles(profiles, MATCHED),
            birth: broker::birth(year, MATCHED),
            name: broker::name(Parts { full: self.name, ..Parts::default() }, MATCHED),
        }
    }
}
