//! Hunter: a vendor of business contacts that tells name and account handles by e-mail address.
//!
//! Its statuses are turned around: 403 is "slow down", 429 is "out of credit", and 451 is "this person objected".
//!
//! Invariant: an objection is told as one; it is never a miss.

#[cfg(test)]
#[cfg(feature = "contract")]
mod tests;

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use serde::Deserialize;
use serde_json::Value;

use super::{broker, stated};
use crate::access::Access;
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

/// It found the very address somewhere.
const MATCHED: Confidence = Confidence::literal(0.75);
/// `fuzzy`: it is not sure that it is this person.
const FUZZY: Confidence = Confidence::literal(0.4);
const CALLS_PER_MINUTE: u32 = 500;
/// It says "slow down" without saying for how long, and counts by the second and by the minute.
const THROTTLED: Duration = Duration::from_secs(15);
/// One credit of the smallest paying plan: $49 for 2,000. Misses are free.
const MICROS_PER_MATCH: u64 = 24_500;

/// Asks `GET /v2/people/find`.
#[derive(Debug)]
pub struct Hunter {
    access: Access,
}

/// What Hunter is.
pub fn descriptor() -> Descriptor {
    Descriptor {
        name: "hunter".into(),
        title: "Hunter".into(),
        docs: "https://hunter.io/api-documentation/v2".into(),
        endpoint: "https://api.hunter.io/".into(),
        reach: Reach::Vendor,
        supplies: &[Field::Name, Field::Social],
        told: Identifier::Address,
        reads: &[],
        takes_hash: false,
        quota: Quota::per_minute(CALLS_PER_MINUTE),
        price: Price::per_match(Micros(MICROS_PER_MATCH)),
        key: KeyNeed::Required,
        terms: Some("a vendor of business contacts: needs a legal ground for every member".into()),
        opt_in: false,
    }
}

/// Builds it from an operator's settings.
pub fn build(settings: &ProviderSettings) -> Result<Arc<dyn Provider>, SettingsError> {
    let access = Access::without_options(settings, descriptor())?;
    Ok(Arc::new(Hunter { access }))
}

#[async_trait]
impl Provider for Hunter {
    fn descriptor(&self) -> &Descriptor {
        &self.access.descriptor
    }

    async fn lookup(&self, subject: &Subject, http: &HttpClient) -> Result<Lookup, LookupError> {
        let response = http
            .get(self.access.url(&["v2", "people", "find"]))
            .header("accept", "application/json")
            .secret_header("x-api-key", "", self.access.key.as_ref())
            .query("email", subject.email().expose())
            .meaning(meaning)
            .send()
            .await?;
        match response.status() {
            451 => Ok(Lookup::Objected),
            404 => broker::no_match_if(is_its_own(&response)),
            _ => {
                let answer: Answer = response.json()?;
                Ok(Lookup::Match(answer.data.finding()))
            }
        }
    }
}

fn meaning(response: &Response) -> Option<LookupError> {
    match response.status() {
        // A proxy's 403 means what it says.
        403 if is_its_own(response) => {
            Some(LookupError::RateLimited { after: response.told_to_wait().unwrap_or(THROTTLED) })
        }
        429 => Some(LookupError::QuotaExhausted {
            reason: "the credits of the plan are used: buy more or wait for the next period".into(),
            after: None,
        }),
        451 => None,
        _ => default_meaning(response),
    }
}

/// Whether the vendor itself wrote this error: `{"errors":[{id, code, details}]}`, with the status repeated.
fn is_its_own(response: &Response) -> bool {
    let code = |error: &Value| error.pointer("/errors/0/code").and_then(Value::as_u64);
    response.json().is_ok_and(|error: Value| code(&error) == Some(response.status().into()))
}

#[derive(Deserialize)]
struct Answer {
    data: Person,
}

#[derive(Deserialize)]
struct Person {
    #[serde(deserialize_with = "broker::nullable")]
    name: Option<Name>,
    facebook: Option<Account>,
    github: Option<Account>,
    twitter: Option<Account>,
    linkedin: Option<Account>,
    site: Option<String>,
    fuzzy: Option<bool>,
}

#[derive(Default, Deserialize)]
struct Name {
    #[serde(rename = "fullName")]
    full: Option<String>,
    #[serde(rename = "givenName")]
    given: Option<String>,
    #[serde(rename = "familyName")]
    family: Option<String>,
}

#[derive(Deserialize)]
struct Account {
    handle: Option<String>,
}

impl Person {
    fn finding(self) -> Finding {
        let confidence = if self.fuzzy == Some(true) { FUZZY } else { MATCHED };
        let accounts = [
            ("linkedin", &self.linkedin),
            ("twitter", &self.twitter),
            ("github", &self.github),
            ("facebook", &self.facebook),
        ];
        let accounts = accounts.into_iter().filter_map(|(network, account)| on(network, account.as_ref()?));
        let profiles = accounts.chain(broker::at(self.site.as_deref()));
        let profiles = broker::profiles(profiles, confidence);
        let name = self.name.unwrap_or_default();
        let parts = Parts { full: name.full, given: name.given, family: name.family };
        Finding { name: broker::name(parts, confidence), birth: None, profiles }
    }
}

/// A bare handle; on LinkedIn it may be the path of the profile, `in/ada-example`.
fn on(network: &str, account: &Account) -> Option<SocialProfile> {
    let handle = stated(account.handle.as_deref())?;
    SocialProfile::on_network(network, handle.strip_prefix("in/").unwrap_or(handle)).ok()
}
