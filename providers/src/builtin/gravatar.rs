//! Gravatar: the public profile that a person keeps under the hash of their address.
//!
//! Invariant: the vendor learns the SHA-256 of the address and nothing else.

#[cfg(test)]
#[cfg(feature = "contract")]
mod tests;

use std::num::NonZeroU32;
use std::sync::Arc;

use async_trait::async_trait;
use serde::Deserialize;

use super::{Accounts, named, seen_at, stated};
use crate::access::Access;
use crate::error::LookupError;
use crate::finding::{Assurance, Claim, Confidence, Finding};
use crate::http::HttpClient;
use crate::name::{Parts, PersonName};
use crate::provider::{Descriptor, Field, Identifier, KeyNeed, Lookup, Price, Provider, Quota, Reach};
use crate::settings::{ProviderSettings, SettingsError};
use crate::social::SocialProfile;
use crate::subject::Subject;

/// Gravatar verified the account by a sign-in at its service.
const VERIFIED_ACCOUNT: Confidence = Confidence::literal(0.95);
/// The owner of the address typed the link in.
const OWN_LINK: Confidence = Confidence::literal(0.75);
/// First and last name, each in its own field.
const FULL_NAME: Confidence = Confidence::literal(0.85);
/// The display name: often a real name, sometimes a nickname.
const DISPLAY_NAME: Confidence = Confidence::literal(0.65);

/// The vendor's quota an hour, by address of the caller and by key.
const KEYLESS_PER_HOUR: u32 = 100;
const KEYED_PER_HOUR: u32 = 1000;
const BURST: NonZeroU32 = NonZeroU32::MIN.saturating_add(19);

/// Asks `GET /v3/profiles/{sha256}`.
#[derive(Debug)]
pub struct Gravatar {
    access: Access,
}

/// What Gravatar is, without a key.
pub fn descriptor() -> Descriptor {
    Descriptor {
        name: "gravatar".into(),
        title: "Gravatar".into(),
        docs: "https://docs.gravatar.com/rest/".into(),
        endpoint: "https://api.gravatar.com/v3/".into(),
        reach: Reach::Vendor,
        supplies: &[Field::Name, Field::Social],
        told: Identifier::AddressHash,
        reads: &[],
        takes_hash: true,
        quota: Quota::per_hour(KEYLESS_PER_HOUR).with_burst(BURST),
        price: Price::FREE,
        key: KeyNeed::Optional,
        terms: Some("asks for attribution on the free plan".into()),
        opt_in: false,
    }
}

/// Builds it from an operator's settings.
pub fn build(settings: &ProviderSettings) -> Result<Arc<dyn Provider>, SettingsError> {
    let mut access = Access::without_options(settings, descriptor())?;
    if access.key.is_some() {
        access.descriptor.quota = Quota::per_hour(KEYED_PER_HOUR).with_burst(BURST);
    }
    Ok(Arc::new(Gravatar { access }))
}

#[async_trait]
impl Provider for Gravatar {
    fn descriptor(&self) -> &Descriptor {
        &self.access.descriptor
    }

    async fn lookup(&self, subject: &Subject, http: &HttpClient) -> Result<Lookup, LookupError> {
        let url = self.access.url(&["profiles", &subject.email().sha256()]);
        let response = http
            .get(url)
            .header("accept", "application/json")
            .secret_header("authorization", "Bearer ", self.access.key.as_ref())
            .send()
            .await?;
        if response.status() == 404 {
            return Ok(Lookup::NoMatch);
        }
        let profile: Profile = response.json()?;
        Ok(Lookup::Match(profile.finding(subject.email().local_part())))
    }
}

/// A profile as v3 sends it. Absent texts are `""`; names by part, links and all accounts come with a key only.
#[derive(Deserialize)]
struct Profile {
    #[serde(rename = "profile_url")]
    page: String,
    display_name: Option<String>,
    first_name: Option<String>,
    last_name: Option<String>,
    is_organization: Option<bool>,
    verified_accounts: Option<Vec<VerifiedAccount>>,
    links: Option<Vec<Link>>,
}

#[derive(Deserialize)]
struct VerifiedAccount {
    url: Option<String>,
    is_hidden: Option<bool>,
}

#[derive(Deserialize)]
struct Link {
    url: Option<String>,
}

impl Profile {
    fn finding(&self, local_part: &str) -> Finding {
        let own = SocialProfile::parse(&self.page).ok();
        let slug = own.as_ref().and_then(SocialProfile::handle).unwrap_or_default();
        let name = self.name(&[slug, local_part]);

        let mut accounts = Accounts::default();
        for account in
            self.verified_accounts.iter().flatten().filter(|account| account.is_hidden != Some(true))
        {
            let profile = stated(account.url.as_deref()).and_then(|url| SocialProfile::parse(url).ok());
            accounts.extend(profile.map(|profile| Claim::new(profile, VERIFIED_ACCOUNT, Assurance::Proven)));
        }
        for link in self.links.iter().flatten() {
            let profile = stated(link.url.as_deref()).and_then(|url| SocialProfile::parse(url).ok());
            accounts.extend(profile.map(|profile| Claim::new(profile, OWN_LINK, Assurance::SelfAsserted)));
        }
        let evidence = own.as_ref().map(|own| own.url().to_owned());
        accounts.extend(own.map(|own| Claim::new(own, VERIFIED_ACCOUNT, Assurance::Proven)));
        let finding = Finding { name, birth: None, profiles: accounts.into_claims() };
        seen_at(finding, evidence.as_deref())
    }

    /// The person's name; an organisation has none.
    fn name(&self, handles: &[&str]) -> Option<Claim<PersonName>> {
        if self.is_organization == Some(true) {
            return None;
        }
        let part = |text: &Option<String>| stated(text.as_deref()).map(str::to_owned);
        let (given, family) = (part(&self.first_name), part(&self.last_name));
        let by_part = given.is_some() && family.is_some();
        let (parts, confidence) = if by_part {
            (Parts { full: None, given, family }, FULL_NAME)
        } else {
            (Parts { full: part(&self.display_name), ..Parts::default() }, DISPLAY_NAME)
        };
        named(parts, handles).map(|name| Claim::new(name, confidence, Assurance::SelfAsserted))
    }
}
