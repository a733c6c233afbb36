//! Wikidata: what is published of the few who are notable and whose address stands there.
//!
//! One SPARQL query: the birth date with its precision, and accounts. Public domain (CC0).
//!
//! Invariant: a living person, and the only one with the address; a date says no more than its precision.

#[cfg(test)]
#[cfg(feature = "contract")]
mod tests;

use std::collections::BTreeSet;
use std::sync::Arc;

use async_trait::async_trait;
use jiff::civil::Date;
use serde::Deserialize;
use serde_json::{Map, Value};

use super::{Accounts, birth_of, named, seen_at, stated};
use crate::access::Access;
use crate::age::BirthInterval;
use crate::email::EmailAddress;
use crate::error::LookupError;
use crate::finding::{Assurance, Claim, Confidence, Finding};
use crate::http::HttpClient;
use crate::name::Parts;
use crate::provider::{Descriptor, Field, Identifier, KeyNeed, Lookup, Price, Provider, Quota, Reach};
use crate::settings::{ProviderSettings, SettingsError};
use crate::social::SocialProfile;
use crate::subject::Subject;

/// What many have read and could mend.
const PUBLISHED: Confidence = Confidence::literal(0.85);
/// Of several dates that contradict each other, the most exact.
const CONTRADICTED: Confidence = Confidence::literal(0.5);

/// The vendor counts a minute of computing a minute: a question takes about half a second.
const QUOTA: Quota = Quota::per_second(1);

/// Variables of the answer, the networks that they are accounts on, and their properties.
const ACCOUNTS: [(&str, &str); 8] = [
    ("twitter", "P2002"),
    ("facebook", "P2013"),
    ("instagram", "P2003"),
    ("github", "P2037"),
    ("linkedin", "P6634"),
    ("orcid", "P496"),
    ("mastodon", "P4033"),
    ("bluesky", "P12361"),
];

/// Asks `GET /sparql`.
#[derive(Debug)]
pub struct Wikidata {
    access: Access,
}

/// What Wikidata is.
pub fn descriptor() -> Descriptor {
    Descriptor {
        name: "wikidata".into(),
        title: "Wikidata".into(),
        docs: "https://www.mediawiki.org/wiki/Wikidata_Query_Service/User_Manual".into(),
        endpoint: "https://query.wikidata.org/".into(),
        reach: Reach::Vendor,
        supplies: &Field::ALL,
        told: Identifier::Address,
        reads: &[],
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
    Ok(Arc::new(Wikidata { access }))
}

#[async_trait]
impl Provider for Wikidata {
    fn descriptor(&self) -> &Descriptor {
        &self.access.descriptor
    }

    async fn lookup(&self, subject: &Subject, http: &HttpClient) -> Result<Lookup, LookupError> {
        let email = subject.email();
        if !is_plain(email) {
            return Ok(Lookup::NoMatch);
        }
        let response = http
            .get(self.access.url(&["sparql"]))
            .header("accept", "application/sparql-results+json")
            .query("format", "json")
            .query("query", &query(email))
            .send()
            .await?;
        if response.status() == 404 {
            return Err(LookupError::malformed("no such call: check `endpoint`"));
        }
        let answer: Answer = response.json()?;
        let finding = answer.results.person()?.map(|rows| finding(&rows, http.today()));
        Ok(finding.map_or(Lookup::NoMatch, Lookup::Match))
    }
}

/// Whether the address can stand in an IRI as it is: no other stands in Wikidata.
fn is_plain(email: &EmailAddress) -> bool {
    let is_plain =
        |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'_' | b'-' | b'+' | b'@');
    email.expose().bytes().all(is_plain)
}

/// People with this address (P968), who are human (P31 Q5) and not dead (P570).
fn query(email: &EmailAddress) -> String {
    let (address, lower) = (email.expose(), email.expose().to_lowercase());
    let variables = ACCOUNTS.map(|(name, _)| format!("?{name}")).join(" ");
    let optional =
        ACCOUNTS.map(|(name, property)| format!("OPTIONAL {{ ?p wdt:{property} ?{name} }}")).join(" ");
    format!(
        "SELECT ?p ?pLabel ?born ?precision {variables} WHERE {{ \
         VALUES ?mail {{ <mailto:{address}> <mailto:{lower}> }} \
         ?p wdt:P968 ?mail; wdt:P31 wd:Q5. FILTER NOT EXISTS {{ ?p wdt:P570 [] }} \
         OPTIONAL {{ ?p p:P569/psv:P569 [ wikibase:timeValue ?born; wikibase:timePrecision ?precision ] }} \
         {optional} SERVICE wikibase:label {{ bd:serviceParam wikibase:language \"mul,en\" }} }} LIMIT 50"
    )
}

/// `application/sparql-results+json`
#[derive(Deserialize)]
struct Answer {
    results: Results,
}

#[derive(Deserialize)]
struct Results {
    bindings: Vec<Row>,
}

/// By variable: `{type, value, …}`.
type Row = Map<String, Value>;

/// The value of a variable, if it is bound.
fn value<'a>(row: &'a Row, variable: &str) -> Option<&'a str> {
    stated(row.get(variable)?.get("value")?.as_str())
}

impl Results {
    /// The rows about the one person with the address; an office's address has many, and says nothing of any.
    fn person(self) -> Result<Option<Vec<Row>>, LookupError> {
        let people: BTreeSet<_> = self.bindings.iter().filter_map(|row| value(row, "p")).collect();
        match people.len() {
            0 if !self.bindings.is_empty() => Err(LookupError::malformed("rows about nobody")),
            1 => Ok(Some(self.bindings)),
            _ => Ok(None),
        }
    }
}

/// All that stands in the rows, each value once: they are the product of what there is several of.
fn finding(rows: &[Row], today: Date) -> Finding {
    let values = |name: &str| -> BTreeSet<&str> { rows.iter().filter_map(|row| value(row, name)).collect() };
    let item = values("p").into_iter().next().and_then(|item| item.rsplit('/').next().map(str::to_owned));
    // Without a label in our languages the item's number stands in its place.
    let label = values("pLabel").into_iter().next().filter(|label| Some(*label) != item.as_deref());
    let name = named(Parts { full: label.map(str::to_owned), ..Parts::default() }, &[]);

    let births = rows.iter().filter_map(|row| born(row, today));
    let birth = birth_of(births).map(|(birth, agreed)| {
        Claim::new(birth, if agreed { PUBLISHED } else { CONTRADICTED }, Assurance::Broker)
    });

    let mut accounts = Accounts::default();
    for (network, _) in ACCOUNTS {
        let profiles =
            values(network).into_iter().filter_map(|id| SocialProfile::on_network(network, id).ok());
        accounts.extend(profiles.map(|profile| Claim::new(profile, PUBLISHED, Assurance::Broker)));
    }
    let finding = Finding {
        name: name.map(|name| Claim::new(name, PUBLISHED, Assurance::Broker)),
        birth,
        profiles: accounts.into_claims(),
    };
    let is_item = |item: &String| {
        item.len() > 1 && item.starts_with('Q') && item[1..].bytes().all(|b| b.is_ascii_digit())
    };
    let evidence = item.filter(is_item).map(|item| format!("https://www.wikidata.org/wiki/{item}"));
    seen_at(finding, evidence.as_deref())
}

/// The date as exactly as it is known: 11 is a day, 10 a month, 9 a year; what is vaguer is no age.
fn born(row: &Row, today: Date) -> Option<BirthInterval> {
    let date = value(row, "born")?.get(..10)?;
    let known = match value(row, "precision")? {
        "11" => date,
        "10" => date.get(..7)?,
        "9" => date.get(..4)?,
        _ => return None,
    };
    BirthInterval::parse_birth_date(known, today).ok()
}
