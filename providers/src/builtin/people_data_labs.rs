//! People Data Labs: a data broker that sells name, birth date and profiles by e-mail address.
//!
//! Invariant: only the fields that we keep are asked for (`data_include`), and what it says is a broker's word.

#[cfg(test)]
#[cfg(feature = "contract")]
mod tests;

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use jiff::civil::Date;
use serde::Deserialize;
use serde_json::{Map, Value};

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

/// The vendor's own scale, 0 to 10, as confidence: its documentation calls 6 and more good for most uses.
const LIKELIHOOD: [Confidence; 11] = [
    Confidence::literal(0.0),
    Confidence::literal(0.1),
    Confidence::literal(0.2),
    Confidence::literal(0.3),
    Confidence::literal(0.4),
    Confidence::literal(0.5),
    Confidence::literal(0.6),
    Confidence::literal(0.68),
    Confidence::literal(0.75),
    Confidence::literal(0.82),
    Confidence::literal(0.88),
];

/// The fields we keep, and no other: contact data and careers stay with the vendor.
const WANTED: &str = "full_name,first_name,last_name,birth_date,birth_year,profiles,\
                      linkedin_url,facebook_url,twitter_url,github_url";
/// Calls a minute on the free plan; paying plans have ten times as many.
const CALLS_PER_MINUTE: u32 = 100;
/// The vendor counts in fixed minutes, so that a minute is always enough.
const WINDOW: Duration = Duration::from_mins(1);
/// List price of a match: about $98 for 350 on the smallest paying plan. Misses are free.
const CENTS_PER_MATCH: u64 = 28;

/// Asks `GET /v5/person/enrich`.
#[derive(Debug)]
pub struct PeopleDataLabs {
    access: Access,
    options: Options,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct Options {
    /// A match below this likelihood (0 to 10) is neither returned nor billed.
    min_likelihood: u8,
    /// Sends the SHA-256 of the address in place of the address.
    hash_only: bool,
}

impl Default for Options {
    fn default() -> Self {
        Self { min_likelihood: 6, hash_only: false }
    }
}

/// What People Data Labs is, on its free plan.
pub fn descriptor() -> Descriptor {
    Descriptor {
        name: "people_data_labs".into(),
        title: "People Data Labs".into(),
        docs: "https://docs.peopledatalabs.com/docs/reference-person-enrichment-api".into(),
        endpoint: "https://api.peopledatalabs.com/".into(),
        reach: Reach::Vendor,
        supplies: &[Field::Name, Field::Age, Field::Social],
        told: Identifier::Address,
        reads: &[],
        takes_hash: true,
        quota: Quota::per_minute(CALLS_PER_MINUTE),
        price: Price::per_match(Micros::from_cents(CENTS_PER_MATCH)).only_wanted(),
        key: KeyNeed::Required,
        terms: Some("a data broker in the United States: needs a legal ground for every member".into()),
        opt_in: false,
    }
}

/// Builds it from an operator's settings. The vendor's sandbox (`https://sandbox.api.peopledatalabs.com/`) is an
/// `endpoint` like another, and free.
pub fn build(settings: &ProviderSettings) -> Result<Arc<dyn Provider>, SettingsError> {
    let options: Options = settings.options()?;
    if options.min_likelihood > 10 {
        return Err(SettingsError::Options { reason: "`min_likelihood` lies between 0 and 10".into() });
    }
    let mut access = Access::of(settings, descriptor())?;
    if access.endpoint.host_str() == Some("sandbox.api.peopledatalabs.com") {
        access.descriptor.price = Price::FREE;
    }
    if options.hash_only {
        access.descriptor.told = Identifier::AddressHash;
    }
    Ok(Arc::new(PeopleDataLabs { access, options }))
}

#[async_trait]
impl Provider for PeopleDataLabs {
    fn descriptor(&self) -> &Descriptor {
        &self.access.descriptor
    }

    async fn lookup(&self, subject: &Subject, http: &HttpClient) -> Result<Lookup, LookupError> {
        let request = http
            .get(self.access.url(&["v5", "person", "enrich"]))
            .header("accept", "application/json")
            .secret_header("x-api-key", "", self.access.key.as_ref())
            .query("data_include", WANTED)
            .query("min_likelihood", &self.options.min_likelihood.to_string())
            .query("titlecase", "true")
            .meaning(meaning);
        let email = subject.email();
        let request = match self.access.descriptor.told {
            Identifier::AddressHash => request.query("email_hash", &email.sha256()),
            _ => request.query("email", email.expose()),
        };
        let request = match required(subject.wanted()) {
            Some(expression) => request.query("required", &expression),
            None => request,
        };
        let response = request.send().await?;
        if response.status() == 404 {
            return broker::no_match_if(broker::said(&response, "/error/type") == "not_found");
        }
        let answer: Answer = response.json()?;
        Ok(Lookup::Match(answer.finding(http.today())))
    }
}

/// A record with none of the fields that are still missing is neither returned nor billed.
fn required(wanted: &[Field]) -> Option<String> {
    let fields = |field: &Field| match field {
        Field::Name => "full_name",
        Field::Age => "birth_date OR birth_year",
        Field::Social => "profiles",
    };
    (!wanted.is_empty()).then(|| wanted.iter().map(fields).collect::<Vec<_>>().join(" OR "))
}

/// The vendor names the end of a pause as an ISO date-time in `x-ratelimit-reset` and sends no `Retry-After`.
fn meaning(response: &Response) -> Option<LookupError> {
    match response.status() {
        402 => Some(LookupError::QuotaExhausted {
            reason: "all matches of the plan are used: buy credits or wait for the next month".into(),
            after: None,
        }),
        429 => Some(LookupError::RateLimited { after: response.retry_after().unwrap_or(WINDOW) }),
        _ => default_meaning(response),
    }
}

#[derive(Deserialize)]
struct Answer {
    likelihood: u8,
    /// A record, field by field: on restricted plans one that exists but is not sold comes as `true`, which
    /// [`text`] reads as absent.
    data: Map<String, Value>,
}

impl Answer {
    fn finding(&self, today: Date) -> Finding {
        let confidence = LIKELIHOOD.get(usize::from(self.likelihood)).copied().unwrap_or(LIKELIHOOD[0]);
        Finding {
            name: broker::name(self.name(), confidence),
            birth: broker::birth(self.births(today), confidence),
            profiles: broker::profiles(self.profiles(), confidence),
        }
    }

    fn field(&self, name: &str) -> Option<&str> {
        self.data.get(name).and_then(text)
    }

    fn name(&self) -> Parts {
        let part = |name| self.field(name).map(str::to_owned);
        Parts { full: part("full_name"), given: part("first_name"), family: part("last_name") }
    }

    fn births(&self, today: Date) -> impl Iterator<Item = BirthInterval> {
        let date = self.field("birth_date");
        let date = date.and_then(|text| BirthInterval::parse_birth_date(text, today).ok());
        // The vendor's description types the year as text, its answers as a number.
        let year =
            self.data.get("birth_year").and_then(|year| year.as_i64().or_else(|| text(year)?.parse().ok()));
        let year = year.and_then(|year| i16::try_from(year).ok());
        let year = year.and_then(|year| BirthInterval::from_year(year, today).ok());
        date.into_iter().chain(year)
    }

    /// The list and the flat fields, which repeat some of it.
    fn profiles(&self) -> Vec<SocialProfile> {
        let listed = self.data.get("profiles").and_then(Value::as_array);
        let listed = listed.map(Vec::as_slice).unwrap_or_default();
        let is_listed = |url: &str| listed.iter().any(|entry| entry.get("url").and_then(text) == Some(url));
        let flat = ["linkedin_url", "facebook_url", "twitter_url", "github_url"];
        let flat = flat.into_iter().filter_map(|name| self.field(name)).filter(|url| !is_listed(url));
        let flat = flat.filter_map(|url| SocialProfile::parse(url).ok());
        listed.iter().filter_map(listed_profile).chain(flat).collect()
    }
}

/// `{network, id, url, username}`, any of them null. The URL says most; a number alone is worth a try.
fn listed_profile(entry: &Value) -> Option<SocialProfile> {
    let field = |name: &str| entry.get(name).and_then(text);
    let by_url = field("url").and_then(|url| SocialProfile::parse(url).ok());
    by_url.or_else(|| {
        let account = field("username").or_else(|| field("id"))?;
        SocialProfile::on_network(field("network")?, account).ok()
    })
}

/// The text of a field, if it is one and says something.
fn text(value: &Value) -> Option<&str> {
    stated(value.as_str())
}
