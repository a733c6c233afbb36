//! enrich.so: a vendor that tells name and LinkedIn profile by e-mail address.
//!
//! Invariant: what it says is a broker's word.

#[cfg(test)]
#[cfg(feature = "contract")]
mod tests;

use std::sync::Arc;

use async_trait::async_trait;
use serde::Deserialize;
use serde_json::json;

use super::broker;
use crate::access::Access;
use crate::error::LookupError;
use crate::finding::{Confidence, Finding};
use crate::http::HttpClient;
use crate::name::Parts;
use crate::provider::{
    Descriptor, Field, Identifier, KeyNeed, Lookup, Micros, Price, Provider, Quota, Reach,
};
use crate::settings::{ProviderSettings, SettingsError};
use crate::subject::Subject;

/// It does not say how sure it is.
const MATCHED: Confidence = Confidence::literal(0.7);
/// Calls a minute on the free plan.
const CALLS_PER_MINUTE: u32 = 10;
/// Ten credits of the smallest paying plan: $49 for 100,000. Misses are paid back.
const MICROS_PER_MATCH: u64 = 4_900;

/// Asks `POST /reverse-lookup/lookup`.
#[derive(Debug)]
pub struct EnrichSo {
    access: Access,
}

/// What enrich.so is, on its free plan.
pub fn descriptor() -> Descriptor {
    Descriptor {
        name: "enrich_so".into(),
        title: "enrich.so".into(),
        docs: "https://doc.enrich.so/look-up-a-professional-profile-by-email-27483203e0".into(),
        // Its production host is really called so.
        endpoint: "https://dev.enrich.so/api/v3/".into(),
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
    Ok(Arc::new(EnrichSo { access }))
}

#[async_trait]
impl Provider for EnrichSo {
    fn descriptor(&self) -> &Descriptor {
        &self.access.descriptor
    }

    async fn lookup(&self, subject: &Subject, http: &HttpClient) -> Result<Lookup, LookupError> {
        let question = json!({ "email": subject.email().expose() });
        let response = http
            .post_json(self.access.url(&["reverse-lookup", "lookup"]), &question)
            .header("accept", "application/json")
            .secret_header("x-api-key", "", self.access.key.as_ref())
            .send()
            .await?;
        if response.status() == 404 {
            // The documents name it for other calls; a miss should be a 200.
            let kind = broker::said(&response, "/type");
            return broker::no_match_if(kind.ends_with("/errors/not-found"));
        }
        let answer: Answer = response.json()?;
        let found = answer.data.filter(|data| data.found != Some(false));
        Ok(found.filter(|_| answer.success).map_or(Lookup::NoMatch, |data| Lookup::Match(data.finding())))
    }
}

#[derive(Deserialize)]
struct Answer {
    success: bool,
    #[serde(deserialize_with = "broker::nullable")]
    data: Option<Data>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Data {
    found: Option<bool>,
    display_name: Option<String>,
    first_name: Option<String>,
    last_name: Option<String>,
    profile_url: Option<String>,
}

impl Data {
    fn finding(self) -> Finding {
        let profile = broker::at(self.profile_url.as_deref());
        let parts = Parts { full: self.display_name, given: self.first_name, family: self.last_name };
        Finding {
            name: broker::name(parts, MATCHED),
            birth: None,
            profiles: broker::profiles(profile, MATCHED),
        }
    }
}
