//! ORCID: the public record of a researcher who shows the address there.
//!
//! Two calls on a match, one otherwise. Addresses are private unless their owner shows them, so that it knows few, and
//! those surely. Off by default: the public API is free for non-commercial use only.
//!
//! Invariant: a record is taken only where it shows the very address.

mod answer;
#[cfg(test)]
#[cfg(feature = "contract")]
mod tests;

use std::num::NonZeroU32;
use std::sync::Arc;

use async_trait::async_trait;
use serde::de::DeserializeOwned;
use url::Url;

use self::answer::{Person, Search};
use crate::access::Access;
use crate::email::EmailAddress;
use crate::error::LookupError;
use crate::http::{HttpClient, Response, default_meaning};
use crate::provider::{Descriptor, Field, Identifier, KeyNeed, Lookup, Price, Provider, Quota, Reach};
use crate::settings::{ProviderSettings, SettingsError};
use crate::subject::Subject;

/// A third of what the vendor allows in a second.
const QUOTA: Quota = Quota::per_second(4).with_burst(NonZeroU32::MIN.saturating_add(3));

/// Asks `GET /v3.0/expanded-search/`, then the record.
#[derive(Debug)]
pub struct Orcid {
    access: Access,
}

/// What ORCID is.
pub fn descriptor() -> Descriptor {
    Descriptor {
        name: "orcid".into(),
        title: "ORCID".into(),
        docs: "https://info.orcid.org/documentation/api-tutorials/api-tutorial-searching-the-orcid-registry/"
            .into(),
        endpoint: "https://pub.orcid.org/v3.0/".into(),
        reach: Reach::Vendor,
        supplies: &[Field::Name, Field::Social],
        told: Identifier::Address,
        reads: &[],
        takes_hash: false,
        quota: QUOTA,
        price: Price::FREE,
        key: KeyNeed::Optional,
        terms: Some("is free for non-commercial use only".into()),
        opt_in: true,
    }
}

/// Builds it from an operator's settings.
pub fn build(settings: &ProviderSettings) -> Result<Arc<dyn Provider>, SettingsError> {
    let access = Access::without_options(settings, descriptor())?;
    Ok(Arc::new(Orcid { access }))
}

#[async_trait]
impl Provider for Orcid {
    fn descriptor(&self) -> &Descriptor {
        &self.access.descriptor
    }

    async fn lookup(&self, subject: &Subject, http: &HttpClient) -> Result<Lookup, LookupError> {
        let email = subject.email();
        let url = self.access.url(&["expanded-search", ""]);
        let found: Option<Search> = self.get(url, &[("q", &query(email)), ("rows", "3")], http).await?;
        let found =
            found.ok_or_else(|| LookupError::malformed("the search is not there: check `endpoint`"))?;
        let Some(item) = found.showing(email)? else { return Ok(Lookup::NoMatch) };
        let Some(id) = item.id() else {
            return Err(LookupError::malformed("a record without a valid iD"));
        };
        let person: Option<Person> = self.get(self.access.url(&[&id, "person"]), &[], http).await?;
        Ok(Lookup::Match(item.finding(&id, person.as_ref())))
    }
}

impl Orcid {
    /// Reads an answer; `None` where there is none.
    async fn get<T: DeserializeOwned>(
        &self,
        url: Url,
        query: &[(&str, &str)],
        http: &HttpClient,
    ) -> Result<Option<T>, LookupError> {
        let request = http
            .get(url)
            .header("accept", "application/json")
            .secret_header("authorization", "Bearer ", self.access.key.as_ref())
            .meaning(meaning);
        let request = query.iter().fold(request, |request, (name, value)| request.query(name, value));
        let response = request.send().await?;
        if response.status() == 404 { Ok(None) } else { response.json().map(Some) }
    }
}

/// 429 is the end of the day's allowance; "slow down" is a 503.
fn meaning(response: &Response) -> Option<LookupError> {
    match response.status() {
        429 => Some(LookupError::QuotaExhausted {
            reason: "the day's questions are used up: a registered client has more".into(),
            after: response.retry_after(),
        }),
        _ => default_meaning(response),
    }
}

/// The question in the search's own language (Solr), with everything in the address that it would read as its own.
fn query(email: &EmailAddress) -> String {
    let escaped = email.expose().chars().fold(String::new(), |mut text, c| {
        if c.is_ascii() && !c.is_ascii_alphanumeric() && !matches!(c, '@' | '.' | '_') {
            text.push('\\');
        }
        text.push(c);
        text
    });
    format!("email:\"{escaped}\"")
}
