//! Keybase: whoever has proven there that an account found by an earlier tier is theirs, and what else they have proven.
//!
//! Frozen since 2020, and up. There is no lookup by e-mail address, so that it is a second hop: it is told a handle and
//! nothing else.
//!
//! Invariant: a person is taken only for a proof of the very account that was asked about; a proof that Keybase cannot
//! verify any more counts for nothing.

#[cfg(test)]
#[cfg(feature = "contract")]
mod tests;

use std::num::NonZeroU32;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use serde::Deserialize;

use super::{Accounts, named, seen_at, stated};
use crate::access::Access;
use crate::error::LookupError;
use crate::finding::{Assurance, Claim, Confidence, Finding};
use crate::http::HttpClient;
use crate::name::Parts;
use crate::provider::{Descriptor, Field, Identifier, KeyNeed, Lookup, Price, Provider, Quota, Reach};
use crate::settings::{ProviderSettings, SettingsError};
use crate::social::SocialProfile;
use crate::subject::Subject;

/// The account at Keybase itself, tied to the one asked about by a signature.
const OWN: Confidence = Confidence::literal(0.95);
/// Another account, tied to it in the same way.
const PROVEN: Confidence = Confidence::literal(0.9);
/// The name on the account: free text, mostly a real name.
const FULL_NAME: Confidence = Confidence::literal(0.75);

/// The vendor publishes no quota; these are our manners.
const QUOTA: Quota = Quota::per_second(1).with_burst(NonZeroU32::MIN);
/// How long to leave it alone when it says "slow down", which it says without a time.
const UNNAMED_WAIT: Duration = Duration::from_mins(1);
/// Networks that it can be asked about. `usernames` is what it calls its own.
const READS: &[&str] = &["keybase", "github", "twitter", "reddit", "hackernews"];
/// Accounts that are asked about, the surest first, until one is known.
const MOST_ASKED: usize = 2;

/// Asks `GET /_/api/1.0/user/lookup.json`.
#[derive(Debug)]
pub struct Keybase {
    access: Access,
}

/// What Keybase is.
pub fn descriptor() -> Descriptor {
    Descriptor {
        name: "keybase".into(),
        title: "Keybase".into(),
        docs: "https://keybase.io/docs/api/1.0/call/user/lookup".into(),
        endpoint: "https://keybase.io/".into(),
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
    Ok(Arc::new(Keybase { access }))
}

#[async_trait]
impl Provider for Keybase {
    fn descriptor(&self) -> &Descriptor {
        &self.access.descriptor
    }

    async fn lookup(&self, subject: &Subject, http: &HttpClient) -> Result<Lookup, LookupError> {
        for account in subject.accounts_on(READS).take(MOST_ASKED) {
            let (network, handle) = (account.value.network(), account.value.handle().unwrap_or_default());
            let parameter = if network == "keybase" { "usernames" } else { network };
            let response = http
                .get(self.access.url(&["_", "api", "1.0", "user", "lookup.json"]))
                .header("accept", "application/json")
                .query(parameter, handle)
                .query("fields", "basics,profile,proofs_summary")
                .send()
                .await?;
            let wait = response.retry_after().unwrap_or(UNNAMED_WAIT);
            let them = response.json::<Answer>()?.into_them(wait)?;
            let theirs = them.iter().find(|user| user.has_proven(network, handle));
            if let Some(user) = theirs {
                return Ok(Lookup::Match(user.finding().reached_through(account)));
            }
        }
        Ok(Lookup::NoMatch)
    }
}

/// Always with HTTP status 200: what came of it stands in the body.
#[derive(Deserialize)]
struct Answer {
    status: Status,
    /// One for each account asked about, null for one that nobody has proven.
    them: Option<Vec<Option<User>>>,
}

#[derive(Deserialize)]
struct Status {
    code: i64,
}

impl Answer {
    /// Whom it knows, by the codes of Keybase's own client. `wait` is how long it wants to be left alone where it says so.
    fn into_them(self, wait: Duration) -> Result<Vec<User>, LookupError> {
        match (self.status.code, self.them) {
            (0, Some(them)) => Ok(them.into_iter().flatten().collect()),
            // Not found, deleted, not public.
            (205 | 216 | 276, _) => Ok(Vec::new()),
            (100 | 101, _) => Err(LookupError::refused("keybase does not take this account's name")),
            (210, _) => Err(LookupError::RateLimited { after: wait }),
            (0, None) => Err(LookupError::malformed("an answer about nobody")),
            _ => Err(LookupError::unavailable("keybase names a fault of its own")),
        }
    }
}

#[derive(Deserialize)]
struct User {
    basics: Basics,
    profile: Option<Profile>,
    proofs_summary: Option<Proofs>,
}

#[derive(Deserialize)]
struct Basics {
    username: String,
}

#[derive(Deserialize)]
struct Profile {
    full_name: Option<String>,
}

#[derive(Deserialize)]
struct Proofs {
    all: Vec<Proof>,
}

#[derive(Deserialize)]
struct Proof {
    /// A network's name, the host of a server of the fediverse, or `generic_web_site` and `dns`.
    #[serde(rename = "proof_type")]
    kind: String,
    nametag: String,
    /// 1 where Keybase has verified it and still can.
    state: i64,
    service_url: Option<String>,
}

impl Proof {
    fn profile(&self) -> Option<SocialProfile> {
        match self.kind.as_str() {
            "generic_web_site" | "dns" => SocialProfile::parse(&format!("https://{}", self.nametag)).ok(),
            network => SocialProfile::on_network(network, &self.nametag)
                .or_else(|_| SocialProfile::parse(self.service_url.as_deref().unwrap_or_default()))
                .ok(),
        }
    }
}

impl User {
    fn proofs(&self) -> impl Iterator<Item = &Proof> {
        self.proofs_summary.iter().flat_map(|proofs| &proofs.all).filter(|proof| proof.state == 1)
    }

    fn has_proven(&self, network: &str, handle: &str) -> bool {
        if network == "keybase" {
            return self.basics.username.eq_ignore_ascii_case(handle);
        }
        let mut proofs = self.proofs();
        proofs.any(|proof| proof.kind == network && proof.nametag.eq_ignore_ascii_case(handle))
    }

    fn finding(&self) -> Finding {
        let handle = self.basics.username.as_str();
        let full = self.profile.as_ref().and_then(|profile| stated(profile.full_name.as_deref()));
        let name = named(Parts { full: full.map(str::to_owned), ..Parts::default() }, &[handle]);

        let own = SocialProfile::on_network("keybase", handle).ok();
        let evidence = own.as_ref().map(|own| own.url().to_owned());
        let mut accounts = Accounts::default();
        accounts.extend(own.map(|own| Claim::new(own, OWN, Assurance::Proven)));
        let proven = self.proofs().filter_map(Proof::profile);
        accounts.extend(proven.map(|profile| Claim::new(profile, PROVEN, Assurance::Proven)));
        let finding = Finding {
            name: name.map(|name| Claim::new(name, FULL_NAME, Assurance::SelfAsserted)),
            birth: None,
            profiles: accounts.into_claims(),
        };
        seen_at(finding, evidence.as_deref())
    }
}
