//! The page at the e-mail address's own domain, where it is the person's.
//!
//! The page of a domain is the same for all its members, so that what it says is remembered for a day: ten thousand
//! sign-ups at somebody else's domain cost that domain one visit.
//!
//! Invariant: only the domain is told, to the domain's own host; nothing is taken from a page that does not prove
//! to be this address's (see `page::owner_of`); and a page that asks machines to keep out is not read.

#[cfg(test)]
#[cfg(feature = "contract")]
mod tests;

use std::num::NonZeroU32;
use std::sync::Arc;

use async_trait::async_trait;
use jiff::civil::Date;
use url::Url;

use super::site::{self, Template};
use super::{Accounts, birth_of, named, seen_at};
use crate::age::BirthInterval;
use crate::email::EmailAddress;
use crate::error::LookupError;
use crate::finding::{Assurance, Claim, Confidence, Finding};
use crate::http::{HttpClient, Response};
use crate::memo::Memo;
use crate::name::Parts;
use crate::page::{self, Facts, Owner, Person, Proof};
use crate::provider::{Descriptor, Field, Identifier, KeyNeed, Lookup, Price, Provider, Quota, Reach};
use crate::settings::{ProviderSettings, SettingsError};
use crate::social::SocialProfile;
use crate::subject::Subject;

/// Our own manners towards all sites together. A page comes with its robots.txt, so these are about half as many pages.
const CALLS_PER_SECOND: u32 = 10;
const BURST: NonZeroU32 = NonZeroU32::MIN.saturating_add(4);

/// Domains whose page is remembered, and the bytes of facts that are worth it: 64 MiB at most.
const MOST_PAGES: usize = 1_024;
const HEAVIEST_FACTS: usize = 64 << 10;

/// Asks `https://{domain}/`.
#[derive(Debug)]
pub struct Homepage {
    descriptor: Descriptor,
    template: Template,
    pages: Memo<Visited>,
}

/// What became of a visit to a domain.
#[derive(Clone, Debug)]
enum Visited {
    /// The page, and where it was found.
    Page(Arc<(Facts, Url)>),
    /// Nothing to read for us.
    Nothing,
    /// The site's own fault or wish: asking again today would not help.
    Failed(LookupError),
}

/// What the page is.
pub fn descriptor() -> Descriptor {
    Descriptor {
        name: "homepage".into(),
        title: "Personal home page".into(),
        docs: "https://microformats.org/wiki/h-card".into(),
        endpoint: "https://{domain}/".into(),
        reach: Reach::Web,
        supplies: &Field::ALL,
        told: Identifier::Domain,
        reads: &[],
        takes_hash: false,
        quota: Quota::per_second(CALLS_PER_SECOND).with_burst(BURST),
        price: Price::FREE,
        key: KeyNeed::None,
        terms: None,
        opt_in: false,
    }
}

/// Builds it from an operator's settings; `endpoint` is a template that holds `{domain}`.
pub fn build(settings: &ProviderSettings) -> Result<Arc<dyn Provider>, SettingsError> {
    settings.refuse_options()?;
    let descriptor = descriptor();
    let template = Template::of(settings, &descriptor)?;
    Ok(Arc::new(Homepage::new(descriptor, template)))
}

#[async_trait]
impl Provider for Homepage {
    fn descriptor(&self) -> &Descriptor {
        &self.descriptor
    }

    async fn lookup(&self, subject: &Subject, http: &HttpClient) -> Result<Lookup, LookupError> {
        let email = subject.email();
        let Some(url) = self.template.of_person(email) else { return Ok(Lookup::NoMatch) };
        let key = url.to_string();
        match self.pages.get(&key, visit(url, http)).await? {
            Visited::Page(page) => {
                let (facts, url) = &*page;
                Ok(finding(facts, url, email, http.today()).map_or(Lookup::NoMatch, Lookup::Match))
            }
            Visited::Nothing => Ok(Lookup::NoMatch),
            Visited::Failed(error) => Err(error),
        }
    }
}

/// Asks for the page and reads it. An error is one of ours, such as a spent quota, and says nothing of the site.
async fn visit(url: Url, http: &HttpClient) -> Result<Visited, LookupError> {
    let response = match site::ask(http.get(url).header("accept", "text/html")).await {
        Ok(Some(response)) => response,
        // A domain without a site is an answer, and remembered like one.
        Ok(None) => return Ok(Visited::Nothing),
        Err(error @ LookupError::RateLimited { .. }) => return Err(error),
        Err(error) => return Ok(Visited::Failed(error)),
    };
    if !is_readable(&response) {
        return Ok(Visited::Nothing);
    }
    let url = response.url().clone();
    Ok(match read(response).await {
        Ok(facts) => Visited::Page(Arc::new((facts, url))),
        Err(error) => Visited::Failed(error),
    })
}

/// About how many bytes a visit takes to remember.
fn weight(visited: &Visited) -> usize {
    let Visited::Page(page) = visited else { return 0 };
    let (facts, url) = &**page;
    let texts = |texts: &[String]| texts.iter().map(String::len).sum::<usize>();
    let urls = |urls: &[Url]| urls.iter().map(|url| url.as_str().len()).sum::<usize>();
    let person = |person: &Person| {
        let Parts { full, given, family } = &person.name;
        let name: usize = [full, given, family].into_iter().flatten().map(String::len).sum();
        let other = texts(&person.nicknames) + texts(&person.hashes) + texts(&person.births);
        name + other + texts(&person.emails) + urls(&person.links)
    };
    let people: usize = facts.people.iter().map(person).sum();
    let links = urls(&facts.me) + urls(&facts.creators) + urls(&facts.foaf);
    people + texts(&facts.addresses) + texts(&facts.hashes) + links + url.as_str().len()
}

impl Homepage {
    fn new(descriptor: Descriptor, template: Template) -> Self {
        Self { descriptor, template, pages: Memo::new(MOST_PAGES, weight, HEAVIEST_FACTS) }
    }
}

/// Whether the answer is a page that we may read.
fn is_readable(response: &Response) -> bool {
    let kind = site::content_type(response);
    let is_html = matches!(kind.as_str(), "text/html" | "application/xhtml+xml");
    (200..300).contains(&response.status()) && is_html && !site::is_closed(response)
}

/// Parses off the runtime's threads: a page may take its time. A body that was cut at the cap is read as far as it
/// goes.
async fn read(response: Response) -> Result<Facts, LookupError> {
    let parsing = tokio::task::spawn_blocking(move || {
        page::read_as(response.body(), response.header("content-type"), response.url())
    });
    let facts = parsing.await.map_err(|_| LookupError::malformed("the page could not be parsed"))?;
    facts.map_err(|error| LookupError::malformed(error.to_string()))
}

/// What the page says of the person behind the address, if it is theirs and may be kept.
pub fn finding(facts: &Facts, url: &Url, email: &EmailAddress, today: Date) -> Option<Finding> {
    if facts.is_closed {
        return None;
    }
    let Owner { person, proof, .. } = page::owner_of(facts, email)?;
    let confidence = confidence(proof);
    let name = named(person.name.clone(), &[email.local_part()]);
    let births = person.births.iter().filter_map(|text| BirthInterval::parse_birth_date(text, today).ok());
    let birth = birth_of(births).filter(|(_, agreed)| *agreed);

    let mut accounts = Accounts::default();
    for link in &person.links {
        let profile =
            SocialProfile::parse(link.as_str()).ok().filter(|profile| is_theirs(profile, link, email));
        accounts.extend(profile.map(|profile| Claim::new(profile, confidence, Assurance::SelfAsserted)));
    }
    let finding = Finding {
        name: name.map(|name| Claim::new(name, confidence, Assurance::SelfAsserted)),
        birth: birth.map(|(birth, _)| Claim::new(birth, confidence, Assurance::SelfAsserted)),
        profiles: accounts.into_claims(),
    };
    Some(seen_at(finding, Some(&evidence(url))))
}

/// Whether a link is an account or the person's own site: other sites are articles, employers and friends.
fn is_theirs(profile: &SocialProfile, link: &Url, email: &EmailAddress) -> bool {
    let host = link.host_str().unwrap_or_default();
    let is_below =
        host.strip_suffix(email.domain()).is_some_and(|rest| rest.is_empty() || rest.ends_with('.'));
    profile.network() != "website" || is_below
}

/// The page's address, without what a redirect may have hung on it.
fn evidence(url: &Url) -> String {
    let mut url = url.clone();
    url.set_query(None);
    url.set_fragment(None);
    url.into()
}

/// How sure a fact is when its page is tied to the address in this way.
const fn confidence(proof: Proof) -> Confidence {
    match proof {
        Proof::Stated => Confidence::literal(0.9),
        Proof::Hashed => Confidence::literal(0.85),
        Proof::OnlyPerson => Confidence::literal(0.8),
        Proof::NameAgrees => Confidence::literal(0.6),
    }
}
