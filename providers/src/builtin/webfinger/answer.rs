//! The two documents, and what they say.
//!
//! Invariant: pure.

use serde::Deserialize;
use serde_json::Value;
use url::Url;

use crate::builtin::{Accounts, named, seen_at, stated};
use crate::finding::{Assurance, Claim, Confidence, Finding};
use crate::name::Parts;
use crate::page;
use crate::social::SocialProfile;

/// The type of an actor, in the older of its two spellings, which every server takes.
pub(super) const ACTIVITY: &str = "application/activity+json";
/// The newer spelling, up to its parameters.
const ACTIVITY_LD: &str = "application/ld+json";

/// The domain of the address names the account, though mail and fediverse may be run by different people.
const NAMED_BY_DOMAIN: Confidence = Confidence::literal(0.8);
/// The owner of the account typed the link in.
const OWN_LINK: Confidence = Confidence::literal(0.75);
/// The name beside the account: free text, often a real name.
const DISPLAY_NAME: Confidence = Confidence::literal(0.6);
/// More fields than any server lets people fill.
const MAX_FIELDS: usize = 32;
const MAX_FIELD_BYTES: usize = 2048;

/// A JSON resource descriptor (RFC 7033 section 4.4).
#[derive(Deserialize)]
pub(super) struct Descriptor {
    subject: String,
    links: Vec<Link>,
}

#[derive(Deserialize)]
struct Link {
    rel: String,
    r#type: Option<String>,
    href: Option<String>,
}

impl Descriptor {
    /// Where the actor is, as seen from the document.
    pub(super) fn actor(&self, base: &Url) -> Option<Url> {
        let is_actor = |link: &&Link| {
            let kind = link.r#type.as_deref().unwrap_or_default();
            link.rel == "self" && (kind == ACTIVITY || kind.starts_with(ACTIVITY_LD))
        };
        let url = base.join(self.links.iter().find(is_actor)?.href.as_deref()?).ok()?;
        matches!(url.scheme(), "http" | "https").then_some(url)
    }
}

/// An actor (`ActivityStreams` 2.0), with what Mastodon adds to it. A list of one may come as that one.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Actor {
    r#type: Value,
    preferred_username: Option<String>,
    name: Option<String>,
    /// A text, an object with `href`, or a list of either.
    #[serde(default)]
    url: Value,
    #[serde(default)]
    attachment: Value,
    /// Where the account has gone.
    moved_to: Option<String>,
    discoverable: Option<bool>,
    indexable: Option<bool>,
    noindex: Option<bool>,
    memorial: Option<bool>,
    suspended: Option<bool>,
}

impl Actor {
    /// Whether it is a living person's and does not ask to be left out of directories and search.
    fn may_be_kept(&self) -> bool {
        let is_person = each(&self.r#type).any(|kind| kind.as_str() == Some("Person"));
        let is_left_out = self.discoverable == Some(false)
            || self.indexable == Some(false)
            || [self.noindex, self.memorial, self.suspended].contains(&Some(true));
        is_person && !is_left_out
    }

    pub(super) fn finding(&self, jrd: &Descriptor, local_part: &str) -> Option<Finding> {
        if !self.may_be_kept() {
            return None;
        }
        let handle = self.preferred_username.as_deref().unwrap_or_default();
        let full = stated(self.name.as_deref()).map(str::to_owned);
        let name = named(Parts { full, ..Parts::default() }, &[handle, local_part]);
        let name = name.map(|name| Claim::new(name, DISPLAY_NAME, Assurance::SelfAsserted));

        let own = self.account(jrd);
        let evidence = own.as_ref().map(|own| own.url().to_owned());
        let mut accounts = Accounts::default();
        accounts.extend(own.map(|own| Claim::new(own, NAMED_BY_DOMAIN, Assurance::SelfAsserted)));
        let linked = self.links().filter_map(|url| SocialProfile::parse(url.as_str()).ok());
        accounts.extend(linked.map(|profile| Claim::new(profile, OWN_LINK, Assurance::SelfAsserted)));
        let finding = Finding { name, birth: None, profiles: accounts.into_claims() };
        (!finding.is_empty()).then(|| seen_at(finding, evidence.as_deref()))
    }

    /// The account itself: where it has moved, as its page has it, or else as the domain calls it.
    fn account(&self, jrd: &Descriptor) -> Option<SocialProfile> {
        let fediverse = |url: &str| SocialProfile::parse(url).ok().filter(|own| own.network() == "mastodon");
        if let Some(target) = stated(self.moved_to.as_deref()) {
            return fediverse(target);
        }
        let mut pages = each(&self.url).filter_map(|url| url.as_str().or_else(|| url.get("href")?.as_str()));
        pages.find_map(fediverse).or_else(|| fediverse(&jrd.subject))
    }

    /// The links with `rel=me` in the fields beside the profile, whose values are HTML.
    fn links(&self) -> impl Iterator<Item = Url> {
        let fields = each(&self.attachment).filter(|field| field["type"] == "PropertyValue").take(MAX_FIELDS);
        let is_short = |value: &&str| value.len() <= MAX_FIELD_BYTES;
        let values: Vec<_> = fields.filter_map(|field| field["value"].as_str()).filter(is_short).collect();
        let base = Url::parse("https://invalid.invalid/").ok();
        let facts = base.and_then(|base| page::read(values.join(" ").as_bytes(), &base).ok());
        facts.unwrap_or_default().me.into_iter()
    }
}

/// The members of a list, or the one thing that stands in its place.
fn each(value: &Value) -> impl Iterator<Item = &Value> {
    match value {
        Value::Array(values) => values.as_slice(),
        Value::Null => &[],
        one => std::slice::from_ref(one),
    }
    .iter()
}
