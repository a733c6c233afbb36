//! Acme Directory: what it is, in a line.
//!
//! Invariant: only the fields that we keep are read.

#[cfg(test)]
mod tests;

use std::sync::Arc;

use async_trait::async_trait;
use serde::Deserialize;

use gleaner_providers::access::Access;
use gleaner_providers::age::BirthInterval;
use gleaner_providers::error::LookupError;
use gleaner_providers::finding::{Assurance, Claim, Confidence, Finding};
use gleaner_providers::http::HttpClient;
use gleaner_providers::mapping::{Accounts, named, stated};
use gleaner_providers::name::Parts;
use gleaner_providers::provider::{
    Descriptor, Field, Identifier, KeyNeed, Lookup, Price, Provider, Quota, Reach,
};
use gleaner_providers::settings::{ProviderSettings, SettingsError};
use gleaner_providers::social::SocialProfile;
use gleaner_providers::subject::Subject;

/// How sure its statements are: the person wrote them.
const STATED: Confidence = Confidence::literal(0.75);
/// The vendor's quota.
const CALLS_PER_MINUTE: u32 = 60;

/// Asks `GET /v1/people?email=`.
#[derive(Debug)]
pub struct AcmeDirectory {
    access: Access,
}

/// What it says of itself.
pub fn descriptor() -> Descriptor {
    Descriptor {
        name: "acme_directory".into(),
        title: "Acme Directory".into(),
        docs: "https://example.com/api".into(),
        endpoint: "https://api.example.com/".into(),
        reach: Reach::Vendor,
        supplies: &Field::ALL,
        told: Identifier::Address,
        takes_hash: false,
        reads: &[],
        quota: Quota::per_minute(CALLS_PER_MINUTE),
        price: Price::FREE,
        key: KeyNeed::Required,
        terms: None,
        opt_in: false,
    }
}

/// Builds it from an operator's settings. What only this provider lets them choose would be read with `settings.options()`.
pub fn build(settings: &ProviderSettings) -> Result<Arc<dyn Provider>, SettingsError> {
    let access = Access::without_options(settings, descriptor())?;
    Ok(Arc::new(AcmeDirectory { access }))
}

#[async_trait]
impl Provider for AcmeDirectory {
    fn descriptor(&self) -> &Descriptor {
        &self.access.descriptor
    }

    async fn lookup(&self, subject: &Subject, http: &HttpClient) -> Result<Lookup, LookupError> {
        let response = http
            .get(self.access.url(&["v1", "people"]))
            .query("email", subject.email().expose())
            .header("accept", "application/json")
            .secret_header("authorization", "Bearer ", self.access.key.as_ref())
            .send()
            .await?;
        // Statuses are read as usual: see `default_meaning`, and `Request::meaning` where this vendor means them otherwise.
        if response.status() == 404 {
            // A miss says so in the vendor's words: any other 404 is a wrong `endpoint`.
            let Miss { error } = response.json()?;
            return match error.as_str() {
                "not_found" => Ok(Lookup::NoMatch),
                _ => Err(LookupError::malformed("a 404 that is no miss: check `endpoint`")),
            };
        }
        let answer: Answer = response.json()?;
        let mut finding = answer.person.finding();
        let born =
            answer.person.birth_year.and_then(|year| BirthInterval::from_year(year, http.today()).ok());
        finding.birth = born.map(|born| Claim::new(born, STATED, Assurance::SelfAsserted));
        Ok(Lookup::Match(finding))
    }
}

#[derive(Deserialize)]
struct Miss {
    error: String,
}

/// What a match looks like. Fields that the vendor may leave out are `Option`s.
#[derive(Deserialize)]
struct Answer {
    person: Person,
}

#[derive(Deserialize)]
struct Person {
    #[serde(rename = "id")]
    _id: String,
    name: Option<String>,
    birth_year: Option<i16>,
    links: Option<Vec<String>>,
}

impl Person {
    /// Everything passes the normalizers: whatever they refuse is left out.
    fn finding(&self) -> Finding {
        let parts = Parts { full: stated(self.name.as_deref()).map(str::to_owned), ..Parts::default() };
        let name = named(parts, &[]);
        let mut accounts = Accounts::default();
        let profiles = self.links.iter().flatten().filter_map(|link| SocialProfile::parse(link).ok());
        accounts.extend(profiles.map(|profile| Claim::new(profile, STATED, Assurance::SelfAsserted)));
        Finding {
            name: name.map(|name| Claim::new(name, STATED, Assurance::SelfAsserted)),
            birth: None,
            profiles: accounts.into_claims(),
        }
    }
}
