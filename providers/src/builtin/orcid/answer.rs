//! ORCID's answers and what they say.
//!
//! Invariant: pure.

use serde::Deserialize;

use crate::builtin::{Accounts, named, seen_at, stated};
use crate::email::EmailAddress;
use crate::error::LookupError;
use crate::finding::{Assurance, Claim, Confidence, Finding};
use crate::name::{Parts, PersonName};
use crate::social::SocialProfile;

/// The record shows the address, which ORCID has verified.
const SHOWN: Confidence = Confidence::literal(0.95);
/// Given and family name, each in its own field, as on the person's papers.
const NAME: Confidence = Confidence::literal(0.9);
/// The owner of the record typed the link in.
const OWN_LINK: Confidence = Confidence::literal(0.8);

/// `GET /expanded-search/`. Nobody is null, not an empty list.
#[derive(Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(super) struct Search {
    num_found: u64,
    expanded_result: Option<Vec<Item>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(super) struct Item {
    orcid_id: String,
    given_names: Option<String>,
    family_names: Option<String>,
    credit_name: Option<String>,
    email: Option<Vec<String>>,
}

impl Search {
    /// The record that shows this address: the search reads words, and may find others.
    pub(super) fn showing(self, email: &EmailAddress) -> Result<Option<Item>, LookupError> {
        let items = match (self.num_found, self.expanded_result) {
            (0, _) => return Ok(None),
            (_, Some(items)) => items,
            (_, None) => return Err(LookupError::malformed("records that are counted and not there")),
        };
        Ok(items.into_iter().find(|item| item.shows(email)))
    }
}

impl Item {
    fn shows(&self, email: &EmailAddress) -> bool {
        let shown = self.email.iter().flatten().filter_map(|text| EmailAddress::parse(text).ok());
        shown.into_iter().any(|shown| shown.canonical() == email.canonical())
    }

    /// The iD, if its check digit is right.
    pub(super) fn id(&self) -> Option<String> {
        let profile = SocialProfile::on_network("orcid", &self.orcid_id).ok()?;
        Some(profile.url().rsplit('/').next()?.to_owned())
    }

    fn name(&self) -> Option<PersonName> {
        let part = |text: &Option<String>| stated(text.as_deref()).map(str::to_owned);
        let (given, family) = (part(&self.given_names), part(&self.family_names));
        let full = if given.is_none() && family.is_none() { part(&self.credit_name) } else { None };
        named(Parts { full, given, family }, &[])
    }

    pub(super) fn finding(&self, id: &str, person: Option<&Person>) -> Finding {
        let own = SocialProfile::on_network("orcid", id).ok();
        let evidence = own.as_ref().map(|own| own.url().to_owned());
        let mut accounts = Accounts::default();
        accounts.extend(own.map(|own| Claim::new(own, SHOWN, Assurance::Proven)));
        let linked = person.into_iter().flat_map(Person::links);
        let linked = linked.filter_map(|url| SocialProfile::parse(url).ok());
        accounts.extend(linked.map(|profile| Claim::new(profile, OWN_LINK, Assurance::SelfAsserted)));
        let name = self.name().map(|name| Claim::new(name, NAME, Assurance::SelfAsserted));
        seen_at(Finding { name, birth: None, profiles: accounts.into_claims() }, evidence.as_deref())
    }
}

/// `GET /{id}/person`
#[derive(Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(super) struct Person {
    researcher_urls: Option<Urls>,
}

#[derive(Deserialize)]
#[serde(rename_all = "kebab-case")]
struct Urls {
    researcher_url: Option<Vec<Link>>,
}

#[derive(Deserialize)]
struct Link {
    url: Option<Value>,
}

#[derive(Deserialize)]
struct Value {
    value: Option<String>,
}

impl Person {
    fn links(&self) -> impl Iterator<Item = &str> {
        let links = self.researcher_urls.iter().filter_map(|urls| urls.researcher_url.as_ref()).flatten();
        links.filter_map(|link| stated(link.url.as_ref()?.value.as_deref()))
    }
}
