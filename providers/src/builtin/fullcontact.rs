//! FullContact: a data broker that sells name, age and profiles by e-mail address or its hash.
//!
//! It searches while one waits: 202 means "ask the same again in two minutes". A 403 is a wrong key or a spent quota.
//!
//! Invariant: what it says is a broker's word; its three grids of ages are intersected, never averaged.

#[cfg(test)]
#[cfg(feature = "contract")]
mod tests;

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use jiff::civil::Date;
use serde::Deserialize;
use serde_json::{Value, json};

use super::{broker, stated};
use crate::access::Access;
use crate::age::BirthInterval;
use crate::error::LookupError;
use crate::finding::{Confidence, Finding};
use crate::http::{HttpClient, Response, default_meaning};
use crate::name::Parts;
use crate::provider::{
    Descriptor, Field, Identifier, KeyNeed, Lookup, Micros, Price, Provider, Quota, Reach,
};
use crate::settings::{ProviderSettings, SettingsError};
use crate::social::SocialProfile;
use crate::subject::Subject;

/// It answers only where it is sure (`confidence` HIGH, its default), and says no more about how sure.
const MATCHED: Confidence = Confidence::literal(0.75);
const CALLS_PER_MINUTE: u32 = 6000;
/// "Please retry your query within about 2 minutes."
const QUEUED: Duration = Duration::from_mins(2);
/// It holds a call back for up to a second before it refuses one: at once is soon enough, a second is polite.
const THROTTLED: Duration = Duration::from_secs(1);
/// Sold by contract, no list: assumed until `price` says what yours is. A search that finds nothing counts as a call.
const ASSUMED: Price =
    Price { per_match: Micros::from_cents(10), per_miss: Micros::from_cents(10), only_wanted: false };

/// Asks `POST /v3/person.enrich`.
#[derive(Debug)]
pub struct FullContact {
    access: Access,
}

/// What FullContact is.
pub fn descriptor() -> Descriptor {
    Descriptor {
        name: "fullcontact".into(),
        title: "FullContact".into(),
        docs: "https://docs.fullcontact.com/docs/tool-reference-enrich_person".into(),
        endpoint: "https://api.fullcontact.com/".into(),
        reach: Reach::Vendor,
        supplies: &[Field::Name, Field::Age, Field::Social],
        told: Identifier::Address,
        reads: &[],
        takes_hash: true,
        quota: Quota::per_minute(CALLS_PER_MINUTE),
        price: ASSUMED,
        key: KeyNeed::Required,
        terms: Some(
            "a data broker in the United States, sold by contract: needs a legal ground for every member"
                .into(),
        ),
        opt_in: false,
    }
}

/// Builds it from an operator's settings.
pub fn build(settings: &ProviderSettings) -> Result<Arc<dyn Provider>, SettingsError> {
    let access = Access::without_options(settings, descriptor())?;
    Ok(Arc::new(FullContact { access }))
}

#[async_trait]
impl Provider for FullContact {
    fn descriptor(&self) -> &Descriptor {
        &self.access.descriptor
    }

    /// A queued search is collected by asking the same again, which is what [`Provider::collect`] provides.
    async fn lookup(&self, subject: &Subject, http: &HttpClient) -> Result<Lookup, LookupError> {
        let email = subject.email();
        // The field takes either; a hash is told by its shape.
        let email = match self.access.descriptor.told {
            Identifier::AddressHash => email.sha256(),
            _ => email.expose().to_owned(),
        };
        let response = http
            .post_json(self.access.url(&["v3", "person.enrich"]), &json!({ "email": email }))
            .header("accept", "application/json")
            .secret_header("authorization", "Bearer ", self.access.key.as_ref())
            .meaning(meaning)
            .send()
            .await?;
        match response.status() {
            202 => Ok(queued(&response)),
            404 => broker::no_match_if(broker::said(&response, "/message").contains("profile not found")),
            _ => {
                let answer: Answer = response.json()?;
                Ok(Lookup::Match(answer.finding(http.today())))
            }
        }
    }
}

fn queued(response: &Response) -> Lookup {
    let after = response.told_to_wait().unwrap_or(QUEUED);
    Lookup::Pending { handle: "the-same-again".into(), after }
}

/// Its rate headers are relics with fixed values: they are not read.
fn meaning(response: &Response) -> Option<LookupError> {
    match response.status() {
        403 => Some(refusal(&broker::said(response, "/message"))),
        429 => Some(LookupError::RateLimited { after: response.told_to_wait().unwrap_or(THROTTLED) }),
        _ => default_meaning(response),
    }
}

/// Which of the two things a 403 means.
fn refusal(message: &str) -> LookupError {
    let says = |words: &[&str]| words.iter().any(|word| message.contains(word));
    if !says(&["invalid", "missing"]) && says(&["quota", "exceeded", "limit"]) {
        let reason =
            "the matches of the contract are used: talk to FullContact or wait for the next month".into();
        return LookupError::QuotaExhausted { reason, after: None };
    }
    LookupError::Denied { reason: "status 403: the key is wrong or may not do this".into() }
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Answer {
    #[serde(deserialize_with = "broker::nullable")]
    full_name: Option<String>,
    age_range: Option<String>,
    linkedin: Option<String>,
    twitter: Option<String>,
    facebook: Option<String>,
    website: Option<String>,
    /// Only with the insight bundles of the contract.
    details: Option<Details>,
}

#[derive(Default, Deserialize)]
struct Details {
    name: Option<Name>,
    age: Option<Age>,
    demographics: Option<Demographics>,
    /// A map by network; the vendor's own client reads a list.
    #[serde(default)]
    profiles: Value,
    urls: Option<Vec<Labelled>>,
}

#[derive(Default, Deserialize)]
struct Name {
    given: Option<String>,
    family: Option<String>,
    full: Option<String>,
}

#[derive(Deserialize)]
struct Demographics {
    age: Option<Age>,
}

#[derive(Deserialize)]
struct Age {
    range: Option<String>,
    value: Option<u8>,
}

#[derive(Deserialize)]
struct Labelled {
    value: Option<String>,
}

impl Answer {
    fn finding(mut self, today: Date) -> Finding {
        let mut details = self.details.take().unwrap_or_default();
        let name = details.name.take().unwrap_or_default();
        let parts =
            Parts { full: name.full.or(self.full_name.take()), given: name.given, family: name.family };
        Finding {
            name: broker::name(parts, MATCHED),
            birth: broker::birth(self.births(&details, today), MATCHED),
            profiles: broker::profiles(self.profiles(&details), MATCHED),
        }
    }

    /// Three places state an age, in grids of their own.
    fn births(&self, details: &Details, today: Date) -> Vec<BirthInterval> {
        let demographics = details.demographics.as_ref().and_then(|demographics| demographics.age.as_ref());
        let ages = [details.age.as_ref(), demographics].into_iter().flatten();
        let ranges = ages.clone().filter_map(|age| age.range.as_deref()).chain(self.age_range.as_deref());
        let ranges = ranges.filter_map(|range| BirthInterval::parse_age(stated(Some(range))?, today).ok());
        let values = ages.filter_map(|age| {
            let years = age.value.filter(|years| *years > 0)?;
            BirthInterval::from_ages(years, years, today).ok()
        });
        values.chain(ranges).collect()
    }

    fn profiles(&self, details: &Details) -> Vec<SocialProfile> {
        let listed: Vec<&Value> = match &details.profiles {
            Value::Object(by_network) => by_network.values().collect(),
            Value::Array(list) => list.iter().collect(),
            _ => Vec::new(),
        };
        let listed = listed.into_iter().filter_map(|entry| broker::at(entry.get("url")?.as_str()));
        let flat = [&self.linkedin, &self.twitter, &self.facebook, &self.website];
        let flat = flat.into_iter().filter_map(|url| broker::at(url.as_deref()));
        let pages = details.urls.iter().flatten().filter_map(|url| broker::at(url.value.as_deref()));
        listed.chain(flat).chain(pages).collect()
    }
}
