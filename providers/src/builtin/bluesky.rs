//! Bluesky: the public profile of an account that an earlier tier found.
//!
//! Asked at the public `AppView`, which takes no key. A second hop: it is told a handle and nothing else.
//!
//! Invariant: the profile of somebody who asks not to be shown to strangers (`!no-unauthenticated`) is not read.

#[cfg(test)]
#[cfg(feature = "contract")]
mod tests;

use std::num::NonZeroU32;
use std::sync::Arc;

use async_trait::async_trait;
use serde::Deserialize;

use super::{named, seen_at, stated};
use crate::access::Access;
use crate::error::LookupError;
use crate::finding::{Assurance, Claim, Confidence, Finding};
use crate::http::{HttpClient, Response, default_meaning};
use crate::name::Parts;
use crate::provider::{Descriptor, Field, Identifier, KeyNeed, Lookup, Price, Provider, Quota, Reach};
use crate::settings::{ProviderSettings, SettingsError};
use crate::social::SocialProfile;
use crate::subject::Subject;

/// The account exists; whose it is was found elsewhere.
const EXISTS: Confidence = Confidence::literal(0.95);
/// The display name: often a real name, sometimes a nickname.
const DISPLAY_NAME: Confidence = Confidence::literal(0.65);

/// The vendor's quota by address of the caller.
const QUOTA: Quota = Quota::per_minute(600).with_burst(NonZeroU32::MIN.saturating_add(9));
const READS: &[&str] = &["bluesky"];

/// Labels by which the person or the service takes the profile out of what everybody may see.
const CLOSED: [&str; 3] = ["!no-unauthenticated", "!hide", "!takedown"];

/// Asks `GET /xrpc/app.bsky.actor.getProfile`.
#[derive(Debug)]
pub struct Bluesky {
    access: Access,
}

/// What Bluesky is.
pub fn descriptor() -> Descriptor {
    Descriptor {
        name: "bluesky".into(),
        title: "Bluesky".into(),
        docs: "https://docs.bsky.app/docs/api/app-bsky-actor-get-profile".into(),
        endpoint: "https://public.api.bsky.app/".into(),
        reach: Reach::Vendor,
        supplies: &[Field::Name, Field::Social],
        told: Identifier::Handle,
        reads: READS,
        takes_hash: false,
        quota: QUOTA,
        price: Price::FREE,
        key: KeyNeed::None,
        terms: None,
        opt_in: false,
    }
}

/// Builds it from an operator's settings.
pub fn build(settings: &ProviderSettings) -> Result<Arc<dyn Provider>, SettingsError> {
    let access = Access::without_options(settings, descriptor())?;
    Ok(Arc::new(Bluesky { access }))
}

#[async_trait]
impl Provider for Bluesky {
    fn descriptor(&self) -> &Descriptor {
        &self.access.descriptor
    }

    async fn lookup(&self, subject: &Subject, http: &HttpClient) -> Result<Lookup, LookupError> {
        let Some(account) = subject.account_on(READS) else { return Ok(Lookup::NoMatch) };
        let response = http
            .get(self.access.url(&["xrpc", "app.bsky.actor.getProfile"]))
            .header("accept", "application/json")
            .query("actor", account.value.handle().unwrap_or_default())
            .meaning(meaning)
            .send()
            .await?;
        if response.status() == 400 {
            return Ok(Lookup::NoMatch);
        }
        let profile: Profile = response.json()?;
        let finding = profile.finding().map(|finding| finding.reached_through(account));
        Ok(finding.map_or(Lookup::NoMatch, Lookup::Match))
    }
}

/// A miss is a 400 that says so; any other 400 is a question that it does not take, and a 404 a wrong `endpoint`.
fn meaning(response: &Response) -> Option<LookupError> {
    match response.status() {
        400 if is_miss(response) => None,
        404 => Some(LookupError::malformed("no such call: check `endpoint`")),
        _ => default_meaning(response),
    }
}

fn is_miss(response: &Response) -> bool {
    let Ok(Fault { error, message }) = response.json::<Fault>() else { return false };
    matches!(error.as_str(), "AccountTakedown" | "AccountDeactivated")
        || (error == "InvalidRequest" && message.as_deref() == Some("Profile not found"))
}

/// An XRPC error.
#[derive(Deserialize)]
struct Fault {
    error: String,
    message: Option<String>,
}

/// `app.bsky.actor.defs#profileViewDetailed`, as far as we need it.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Profile {
    handle: String,
    display_name: Option<String>,
    #[serde(default)]
    labels: Vec<Label>,
}

#[derive(Deserialize)]
struct Label {
    val: String,
}

impl Profile {
    fn finding(&self) -> Option<Finding> {
        if self.labels.iter().any(|label| CLOSED.contains(&label.val.as_str())) {
            return None;
        }
        // `handle.invalid` where the name does not lead back to the account any more.
        let own = SocialProfile::on_network("bluesky", &self.handle).ok()?;
        let first = self.handle.split('.').next().unwrap_or_default();
        let full = stated(self.display_name.as_deref()).map(str::to_owned);
        let name = named(Parts { full, ..Parts::default() }, &[&self.handle, first]);
        let evidence = own.url().to_owned();
        let finding = Finding {
            name: name.map(|name| Claim::new(name, DISPLAY_NAME, Assurance::SelfAsserted)),
            birth: None,
            profiles: vec![Claim::new(own, EXISTS, Assurance::Proven)],
        };
        Some(seen_at(finding, Some(&evidence)))
    }
}
