//! GitLab's answers and what they say.
//!
//! Invariant: pure.

use serde::Deserialize;

use crate::builtin::{Accounts, named, seen_at, stated};
use crate::email::EmailAddress;
use crate::finding::{Assurance, Claim, Confidence, Finding};
use crate::name::Parts;
use crate::social::SocialProfile;

/// The account shows the address, which GitLab lets only those do who have confirmed it.
pub(super) const SHOWN: Confidence = Confidence::literal(0.95);
/// The owner of the account typed the account in.
const OWN_LINK: Confidence = Confidence::literal(0.8);
/// The name on the account: free text, mostly a real name.
const PROFILE_NAME: Confidence = Confidence::literal(0.75);

/// One of `GET /users`
#[derive(Deserialize)]
pub(super) struct Item {
    pub(super) id: u64,
    username: String,
    name: Option<String>,
    state: Option<String>,
}

impl Item {
    /// Blocked and deactivated accounts are nobody's any more.
    pub(super) fn is_active(&self) -> bool {
        self.state.as_deref().is_none_or(|state| state == "active")
    }

    pub(super) fn is_called(&self, handle: &str) -> bool {
        self.username.eq_ignore_ascii_case(handle)
    }

    pub(super) fn finding(&self, own: Confidence) -> Finding {
        finding(&self.username, self.name.as_deref(), own, [])
    }
}

/// `GET /users/{id}`: absent texts are `""` or null.
#[derive(Deserialize)]
pub(super) struct User {
    username: String,
    name: Option<String>,
    public_email: Option<String>,
    bot: Option<bool>,
    /// A slug or a URL.
    linkedin: Option<String>,
    twitter: Option<String>,
    github: Option<String>,
    /// A DID.
    bluesky: Option<String>,
    mastodon: Option<String>,
    orcid: Option<String>,
    website_url: Option<String>,
}

impl User {
    pub(super) fn is_person(&self) -> bool {
        self.bot != Some(true)
    }

    pub(super) fn shows(&self, email: &EmailAddress) -> bool {
        let shown = stated(self.public_email.as_deref()).and_then(|text| EmailAddress::parse(text).ok());
        shown.is_some_and(|shown| shown.canonical() == email.canonical())
    }

    /// What the account says, which is the person's as surely as `own`.
    pub(super) fn finding(&self, own: Confidence) -> Finding {
        let fields = [
            ("linkedin", &self.linkedin),
            ("twitter", &self.twitter),
            ("github", &self.github),
            ("bluesky", &self.bluesky),
            ("mastodon", &self.mastodon),
            ("orcid", &self.orcid),
            ("website", &self.website_url),
        ];
        let linked = fields.into_iter().filter_map(|(network, account)| {
            SocialProfile::on_network(network, stated(account.as_deref())?).ok()
        });
        finding(&self.username, self.name.as_deref(), own, linked)
    }
}

fn finding(
    username: &str,
    name: Option<&str>,
    own: Confidence,
    linked: impl IntoIterator<Item = SocialProfile>,
) -> Finding {
    let full = stated(name).map(str::to_owned);
    let name = named(Parts { full, ..Parts::default() }, &[username]);
    let profile = SocialProfile::on_network("gitlab", username).ok();
    let evidence = profile.as_ref().map(|profile| profile.url().to_owned());
    let mut accounts = Accounts::default();
    accounts.extend(profile.map(|profile| Claim::new(profile, own, Assurance::Proven)));
    let linked = linked.into_iter().map(|profile| Claim::new(profile, OWN_LINK, Assurance::SelfAsserted));
    accounts.extend(linked);
    let finding = Finding {
        name: name.map(|name| Claim::new(name, PROFILE_NAME, Assurance::SelfAsserted)),
        birth: None,
        profiles: accounts.into_claims(),
    };
    seen_at(finding, evidence.as_deref())
}
