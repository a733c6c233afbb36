//! Pipl: an identity broker that sells name, a range of birth dates and profiles by e-mail address.
//!
//! Hit, several candidates and miss are all a 200; a 403 is "slow down", "out of quota" or "no", told apart by its
//! text. Every repeat is billed again: an answer is stored, and asked for once.
//!
//! Invariant: names that software made up, and what is sponsored or inferred, are left out.

#[cfg(test)]
#[cfg(feature = "contract")]
mod tests;

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use jiff::civil::Date;
use secrecy::ExposeSecret;
use serde::Deserialize;

use super::{broker, stated};
use crate::access::Access;
use crate::age::BirthInterval;
use crate::error::LookupError;
use crate::finding::{Confidence, Finding};
use crate::http::{HttpClient, Response, default_meaning};
use crate::name::Parts;
use crate::provider::{
    Descriptor, Field, Identifier, KeyNeed, Lookup, Micros, Price, Provider, Quota, Reach,
};
use crate::settings::{ProviderSettings, SettingsError};
use crate::social::SocialProfile;
use crate::subject::Subject;

/// What its own certainty (`@match`, 0 to 1) is worth at most.
const CERTAIN: f64 = 0.85;
/// A range of birth dates that is wider says nothing about an age.
const WIDEST_DAYS: i64 = 10 * 366;
const CALLS_PER_SECOND: u32 = 10;
const THROTTLED: Duration = Duration::from_secs(1);
/// A match that has none of these is neither returned nor billed.
const REQUIRED: &str = "name OR dob OR social_profiles";
/// Sold by contract, no list: assumed until `price` says what yours is. Misses are free.
const ASSUMED_CENTS: u64 = 50;

/// Asks `POST /search/`: the key is a field of the form, which no proxy logs.
#[derive(Debug)]
pub struct Pipl {
    access: Access,
}

/// What Pipl is.
pub fn descriptor() -> Descriptor {
    Descriptor {
        name: "pipl".into(),
        title: "Pipl".into(),
        docs: "https://docs.pipl.com/reference".into(),
        endpoint: "https://api.pipl.com/".into(),
        reach: Reach::Vendor,
        supplies: &[Field::Name, Field::Age, Field::Social],
        told: Identifier::Address,
        reads: &[],
        takes_hash: false,
        quota: Quota::per_second(CALLS_PER_SECOND),
        price: Price::per_match(Micros::from_cents(ASSUMED_CENTS)),
        key: KeyNeed::Required,
        terms: Some(
            "an identity broker, sold by contract after vetting: no decisions on credit, work or housing may rest on it"
                .into(),
        ),
        opt_in: false,
    }
}

/// Builds it from an operator's settings.
pub fn build(settings: &ProviderSettings) -> Result<Arc<dyn Provider>, SettingsError> {
    let access = Access::without_options(settings, descriptor())?;
    Ok(Arc::new(Pipl { access }))
}

#[async_trait]
impl Provider for Pipl {
    fn descriptor(&self) -> &Descriptor {
        &self.access.descriptor
    }

    async fn lookup(&self, subject: &Subject, http: &HttpClient) -> Result<Lookup, LookupError> {
        let form = [
            ("key", self.access.key.as_ref().map_or("", ExposeSecret::expose_secret)),
            ("email", subject.email().expose()),
            ("match_requirements", REQUIRED),
        ];
        let response = http
            .post_form(self.access.url(&["search", ""]), &form)
            .header("accept", "application/json")
            .meaning(meaning)
            .send()
            .await?;
        if response.status() == 404 {
            return broker::no_match_if(false);
        }
        let answer: Answer = response.json()?;
        match (answer.persons, answer.person) {
            (0, None) => Ok(Lookup::NoMatch),
            (1, Some(person)) => Ok(Lookup::Match(person.finding(http.today()))),
            (0 | 1, _) => Err(LookupError::malformed("the number of persons and the persons disagree")),
            // Several people share the address, or it cannot tell who has it: billed, and nothing that could be kept.
            _ => Ok(Lookup::Match(Finding::default())),
        }
    }
}

fn meaning(response: &Response) -> Option<LookupError> {
    match response.status() {
        403 => Some(refusal(&broker::said(response, "/error"), response.told_to_wait())),
        _ => default_meaning(response),
    }
}

/// Which of the three things a 403 means.
fn refusal(message: &str, told_to_wait: Option<Duration>) -> LookupError {
    let says = |words: &[&str]| words.iter().any(|word| message.contains(word));
    if says(&["per second", "per minute"]) {
        LookupError::RateLimited { after: told_to_wait.unwrap_or(THROTTLED) }
    } else if says(&["quota", "limit", "spend"]) {
        let reason = "the quota of the contract is used: talk to Pipl or wait for the next period".into();
        LookupError::QuotaExhausted { reason, after: None }
    } else {
        LookupError::Denied { reason: "status 403: the key is wrong, or suspended".into() }
    }
}

#[derive(Deserialize)]
struct Answer {
    #[serde(rename = "@persons_count")]
    persons: u32,
    person: Option<Person>,
}

#[derive(Deserialize)]
struct Person {
    #[serde(rename = "@match")]
    certainty: Option<f64>,
    #[serde(default)]
    names: Vec<Name>,
    dob: Option<Born>,
    #[serde(default)]
    urls: Vec<Link>,
    #[serde(default)]
    usernames: Vec<Content>,
    #[serde(default)]
    user_ids: Vec<Content>,
}

#[derive(Deserialize)]
struct Name {
    #[serde(rename = "@type")]
    kind: Option<String>,
    #[serde(flatten)]
    marks: Marks,
    first: Option<String>,
    last: Option<String>,
    display: Option<String>,
}

#[derive(Deserialize)]
struct Born {
    date_range: Option<DateRange>,
}

#[derive(Deserialize)]
struct DateRange {
    start: Option<String>,
    end: Option<String>,
}

#[derive(Deserialize)]
struct Link {
    #[serde(rename = "@category")]
    category: Option<String>,
    #[serde(flatten)]
    marks: Marks,
    url: Option<String>,
}

/// `ada_example@twitter`: an account and the network it is on.
#[derive(Deserialize)]
struct Content {
    #[serde(flatten)]
    marks: Marks,
    content: Option<String>,
}

#[derive(Deserialize)]
struct Marks {
    #[serde(rename = "@sponsored")]
    sponsored: Option<bool>,
    #[serde(rename = "@inferred")]
    inferred: Option<bool>,
}

impl Marks {
    fn are_clean(&self) -> bool {
        self.sponsored != Some(true) && self.inferred != Some(true)
    }
}

impl Person {
    fn finding(self, today: Date) -> Finding {
        let confidence = Confidence::clamped(self.certainty.unwrap_or(1.0).clamp(0.0, 1.0) * CERTAIN);
        let birth = self.dob.as_ref().and_then(|born| born.date_range.as_ref()?.interval(today));
        let profiles = broker::profiles(self.profiles(), confidence);
        let is_present =
            |name: &Name| name.marks.are_clean() && name.kind.as_deref().is_none_or(|kind| kind == "present");
        let name = self.names.into_iter().find(is_present).and_then(|name| {
            broker::name(Parts { full: name.display, given: name.first, family: name.last }, confidence)
        });
        Finding { name, birth: broker::birth(birth, confidence), profiles }
    }

    fn profiles(&self) -> Vec<SocialProfile> {
        let is_profile = |link: &&Link| {
            let category = link.category.as_deref();
            link.marks.are_clean()
                && matches!(category, Some("personal_profiles" | "professional_and_business"))
        };
        let urls = self.urls.iter().filter(is_profile).filter_map(|link| broker::at(link.url.as_deref()));
        let contents =
            self.usernames.iter().chain(&self.user_ids).filter(|content| content.marks.are_clean());
        let accounts = contents.filter_map(|content| {
            let (account, network) = stated(content.content.as_deref())?.rsplit_once('@')?;
            SocialProfile::on_network(network, account).ok()
        });
        urls.chain(accounts).collect()
    }
}

impl DateRange {
    /// The true date lies somewhere in it; the ends are equal where it is known.
    fn interval(&self, today: Date) -> Option<BirthInterval> {
        let end =
            |text: &Option<String>| BirthInterval::parse_birth_date(stated(text.as_deref())?, today).ok();
        let (start, end) = (end(&self.start)?, end(&self.end)?);
        let range = BirthInterval::between(start.earliest(), end.latest()).ok()?;
        (range.width_in_days() <= WIDEST_DAYS).then_some(range)
    }
}
