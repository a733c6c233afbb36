//! What stands at a domain: its owner's page, a staff page, nobody's page or nothing.
//!
//! Invariant: a mail host that strangers share has no page.

use serde::Serialize;

use super::person::Person;
use super::{MailboxKey, Population, is_free_mail};
use crate::sandbox::draw::{self, chance};
use crate::sandbox::service::Service;

/// How a page states what it states.
#[derive(Clone, Copy, Debug, Eq, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Layout {
    /// microformats2 h-card.
    HCard,
    /// schema.org JSON-LD, the person referred to by `@id` in an `@graph`.
    JsonLd,
    /// Links with `rel=me` and nothing more.
    RelMe,
    /// Several people, each with their address.
    Staff,
    /// A page that speaks of nobody.
    Nobody,
    /// An h-card on a page that asks robots not to index it.
    NoIndex,
    /// An h-card on a site whose robots.txt keeps everybody out.
    Disallowed,
}

/// How much of the birth date a page tells.
#[derive(Clone, Copy, Debug, Eq, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum BirthShown {
    Full,
    Month,
    Year,
    /// `--06-07`: says nothing about the age.
    DayWithoutYear,
    Nothing,
}

/// One domain's page.
pub(in crate::sandbox) struct Page {
    pub(in crate::sandbox) domain: String,
    pub(in crate::sandbox) layout: Layout,
    /// Whether it states the address: without that nothing ties the page to the member.
    pub(in crate::sandbox) states_address: bool,
    pub(in crate::sandbox) birth: BirthShown,
    /// The owner first, with the addresses as they are written there.
    pub(in crate::sandbox) people: Vec<(String, Person)>,
}

impl Page {
    /// Draws the page at a domain (lower case); `None` where there is none.
    pub(super) fn draw(population: &Population, domain: &str) -> Option<Self> {
        if is_free_mail(domain) || !domain.contains('.') {
            return None;
        }
        let mut rng = draw::stream(population.seed, "page", &[domain.as_bytes()]);
        let found: f64 = rng.f64();
        let layout = layout(rng.f64());
        let states_address = chance(&mut rng, 0.85);
        let birth = birth_shown(rng.f64());
        let rate = population.rate(Service::Homepage).own_domain;
        if found >= rate {
            // Half of those who show nothing of themselves still have something at their domain.
            let nobodys = (found - rate) / (1.0 - rate) < 0.5;
            let people = Vec::new();
            let birth = BirthShown::Nothing;
            let page =
                Self { domain: domain.into(), layout: Layout::Nobody, states_address: false, birth, people };
            return nobodys.then_some(page);
        }
        let people = people(population, domain, layout);
        Some(Self { domain: domain.into(), layout, states_address, birth, people })
    }

    /// Whether it says, to a robot that keeps the rules, something about the person at this address; whether it
    /// also states the address is another question.
    pub(in crate::sandbox) fn is_about(&self, identity: MailboxKey) -> bool {
        let readable = !matches!(self.layout, Layout::Nobody | Layout::NoIndex | Layout::Disallowed);
        readable && self.people.iter().any(|(_, person)| person.identity == identity)
    }
}

fn people(population: &Population, domain: &str, layout: Layout) -> Vec<(String, Person)> {
    let listed = population.listed_at(domain);
    let mut addresses: Vec<String> = listed.map(str::to_owned).collect();
    if addresses.is_empty() {
        addresses.push(format!("me@{domain}"));
    }
    if layout == Layout::Staff {
        addresses.extend(["kim", "robin"].map(|name| format!("{name}@{domain}")));
    } else {
        addresses.truncate(1);
    }
    let person = |address: String| {
        let person = population.person(MailboxKey::of_address(&address));
        (address, person)
    };
    addresses.into_iter().map(person).collect()
}

fn layout(draw: f64) -> Layout {
    match draw {
        d if d < 0.40 => Layout::HCard,
        d if d < 0.70 => Layout::JsonLd,
        d if d < 0.78 => Layout::RelMe,
        d if d < 0.90 => Layout::Staff,
        d if d < 0.95 => Layout::NoIndex,
        _ => Layout::Disallowed,
    }
}

fn birth_shown(draw: f64) -> BirthShown {
    match draw {
        d if d < 0.15 => BirthShown::Full,
        d if d < 0.25 => BirthShown::Month,
        d if d < 0.35 => BirthShown::Year,
        d if d < 0.50 => BirthShown::DayWithoutYear,
        _ => BirthShown::Nothing,
    }
}
