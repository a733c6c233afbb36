//! FullEnrich: a broker of brokers that tells name and LinkedIn profile by e-mail address.
//!
//! A question is an order; its answer is collected half a minute later, and billed when it is found.
//!
//! Invariant: an order is placed once, and again only where the vendor has lost or dropped it.

#[cfg(test)]
#[cfg(feature = "contract")]
mod tests;

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use serde::Deserialize;
use serde_json::json;
use url::Url;

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
/// All endpoints together.
const CALLS_PER_MINUTE: u32 = 60;
/// Most orders take 30 to 90 seconds.
const WORKING: Duration = Duration::from_secs(30);
/// It counts in minutes, and says nothing about them.
const WINDOW: Duration = Duration::from_mins(1);
/// An order that the credits did not suffice for is placed again after so long.
const UNTIL_PAID: Duration = Duration::from_hours(1);
/// In place of a handle, of an order that has to be placed again.
const ORDER_ANEW: &str = "order-anew";
/// One credit of the smallest plan. Misses are free.
const MICROS_PER_MATCH: u64 = 58_000;

/// Asks `POST /contact/reverse/email/bulk`, and `GET …/{id}` for the answer.
#[derive(Debug)]
pub struct FullEnrich {
    access: Access,
}

/// What FullEnrich is.
pub fn descriptor() -> Descriptor {
    Descriptor {
        name: "fullenrich".into(),
        title: "FullEnrich".into(),
        docs: "https://docs.fullenrich.com/api/v2/contact/reverse/email/bulk/post".into(),
        endpoint: "https://app.fullenrich.com/api/v2/".into(),
        reach: Reach::Vendor,
        supplies: &[Field::Name, Field::Social],
        told: Identifier::Address,
        reads: &[],
        takes_hash: false,
        quota: Quota::per_minute(CALLS_PER_MINUTE),
        price: Price::per_match(Micros(MICROS_PER_MATCH)),
        key: KeyNeed::Required,
        terms: Some("asks other brokers on: needs a legal ground for every member".into()),
        opt_in: false,
    }
}

/// Builds it from an operator's settings.
pub fn build(settings: &ProviderSettings) -> Result<Arc<dyn Provider>, SettingsError> {
    let access = Access::without_options(settings, descriptor())?;
    Ok(Arc::new(FullEnrich { access }))
}

#[async_trait]
impl Provider for FullEnrich {
    fn descriptor(&self) -> &Descriptor {
        &self.access.descriptor
    }

    async fn lookup(&self, subject: &Subject, http: &HttpClient) -> Result<Lookup, LookupError> {
        let order = json!({ "name": "Gleaner", "data": [{ "email": subject.email().expose() }] });
        let response = http
            .post_json(self.orders(&[]), &order)
            .header("accept", "application/json")
            .secret_header("authorization", "Bearer ", self.access.key.as_ref())
            .meaning(meaning)
            .send()
            .await?;
        if response.status() == 404 {
            return broker::no_match_if(false);
        }
        let placed: Placed = response.json()?;
        let after = response.told_to_wait().unwrap_or(WORKING);
        Ok(Lookup::Pending { handle: broker::handle(&placed.enrichment_id)?, after })
    }

    async fn collect(
        &self,
        handle: &str,
        subject: &Subject,
        http: &HttpClient,
    ) -> Result<Lookup, LookupError> {
        if handle == ORDER_ANEW {
            return self.lookup(subject, http).await;
        }
        let response = http
            .get(self.orders(&[handle]))
            .header("accept", "application/json")
            .secret_header("authorization", "Bearer ", self.access.key.as_ref())
            .meaning(meaning_of_order)
            .send()
            .await?;
        match response.status() {
            // It keeps orders for three months.
            404 => return self.lookup(subject, http).await,
            400 => return Ok(unready(handle, &response)),
            _ => {}
        }
        let order: Order = response.json()?;
        match order.status.as_str() {
            "FINISHED" => order.answer(),
            "CREATED" | "IN_PROGRESS" | "RATE_LIMIT" => Ok(unready(handle, &response)),
            "CREDITS_INSUFFICIENT" => Ok(Lookup::Pending { handle: ORDER_ANEW.into(), after: UNTIL_PAID }),
            "CANCELED" | "UNKNOWN" => self.lookup(subject, http).await,
            _ => Err(LookupError::malformed("an order in a status of its own")),
        }
    }
}

impl FullEnrich {
    fn orders(&self, id: &[&str]) -> Url {
        self.access.url(&[&["contact", "reverse", "email", "bulk"], id].concat())
    }
}

fn unready(handle: &str, response: &Response) -> Lookup {
    Lookup::Pending { handle: handle.into(), after: response.told_to_wait().unwrap_or(WORKING) }
}

fn meaning(response: &Response) -> Option<LookupError> {
    match response.status() {
        429 => Some(LookupError::RateLimited { after: response.told_to_wait().unwrap_or(WINDOW) }),
        _ => default_meaning(response),
    }
}

/// Of an order, 400 may be "still in progress" and 402 tells of the order itself.
fn meaning_of_order(response: &Response) -> Option<LookupError> {
    match response.status() {
        400 if broker::said(response, "/code").contains("progress") => None,
        402 => None,
        _ => meaning(response),
    }
}

#[derive(Deserialize)]
struct Placed {
    enrichment_id: String,
}

#[derive(Deserialize)]
struct Order {
    status: String,
    data: Option<Vec<Entry>>,
}

#[derive(Deserialize)]
struct Entry {
    profile: Option<Profile>,
}

#[derive(Deserialize)]
struct Profile {
    full_name: Option<String>,
    first_name: Option<String>,
    last_name: Option<String>,
    social_profiles: Option<SocialProfiles>,
}

#[derive(Deserialize)]
struct SocialProfiles {
    professional_network: Option<Network>,
}

#[derive(Deserialize)]
struct Network {
    url: Option<String>,
}

impl Order {
    fn answer(self) -> Result<Lookup, LookupError> {
        let entries = self.data.ok_or(LookupError::malformed("a finished order without data"))?;
        let profile = entries.into_iter().next().and_then(|entry| entry.profile);
        Ok(profile.map_or(Lookup::NoMatch, |profile| Lookup::Match(profile.finding())))
    }
}

impl Profile {
    fn finding(self) -> Finding {
        let network = self.social_profiles.and_then(|profiles| profiles.professional_network);
        let profile = network.and_then(|network| broker::at(network.url.as_deref()));
        let parts = Parts { full: self.full_name, given: self.first_name, family: self.last_name };
        Finding {
            name: broker::name(parts, MATCHED),
            birth: None,
            profiles: broker::profiles(profile, MATCHED),
        }
    }
}
