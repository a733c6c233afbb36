//! The ground truth: who a person really is, and what each service makes of them.
//!
//! Invariant: not a vendor's answer: never in the ledger, never late, never spoilt.

use std::collections::BTreeMap;
use std::fmt;

use jiff::civil::Date;
use serde::Serialize;

use super::population::{Account, Asked, BirthShown, Distortion, Layout, MailboxKey, Page, Population};
use super::service::Service;

/// What is true of one address.
#[derive(Clone, PartialEq, Serialize)]
pub struct Truth {
    pub listed: bool,
    pub is_organization: bool,
    pub full_name: String,
    pub given_name: String,
    pub family_name: Option<String>,
    /// Null for organisations.
    pub birth_date: Option<Date>,
    pub accounts: Vec<Account>,
    /// The person's own sites, each as `https://host/`.
    pub websites: Vec<String>,
    /// By service: those that know the address.
    pub known_to: BTreeMap<&'static str, KnownTo>,
}

/// What one service makes of the person.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct KnownTo {
    /// What it gets wrong.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub distortions: Vec<Distortion>,
    /// How the page is made, for `homepage`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub layout: Option<Layout>,
    /// Whether the page states the address, for `homepage`: without that nothing but the name ties the two.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub states_address: Option<bool>,
    /// How much of the birth date the page tells, for `homepage`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub birth_shown: Option<BirthShown>,
}

impl fmt::Debug for Truth {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Truth(redacted)")
    }
}

impl Population {
    /// What is true of an address. A page that robots may not read does not count as knowing it.
    pub fn truth(&self, email: &str) -> Truth {
        let asked = Asked::by_address(email);
        let person = self.person(asked.key);
        let mut known_to = BTreeMap::new();
        let mut accounts = person.accounts.clone();
        let mut websites = vec![format!("https://{}/", person.site())];
        for service in Service::ALL.into_iter().filter(|service| *service != Service::Homepage) {
            if let Some(portrait) = self.portrait(service, asked) {
                if service == Service::Gravatar {
                    accounts.push(person.gravatar());
                }
                if service == Service::Keybase {
                    accounts.push(person.keybase());
                }
                if service == Service::Orcid {
                    accounts.push(person.orcid());
                }
                let known = KnownTo { distortions: portrait.distortions, ..KnownTo::default() };
                known_to.insert(service.as_str(), known);
            }
        }
        if let Some(page) = self.page_about(email, person.identity) {
            websites.push(format!("https://{}/", page.domain));
            let (layout, birth_shown) = (Some(page.layout), Some(page.birth));
            let states_address = Some(page.states_address);
            let known = KnownTo { distortions: Vec::new(), layout, states_address, birth_shown };
            known_to.insert(Service::Homepage.as_str(), known);
        }
        Truth {
            listed: self.is_listed(asked.key),
            is_organization: person.is_organization,
            birth_date: (!person.is_organization).then_some(person.birth_date),
            full_name: person.name.full,
            given_name: person.name.given,
            family_name: person.name.family,
            accounts,
            websites,
            known_to,
        }
    }

    fn page_about(&self, email: &str, identity: MailboxKey) -> Option<Page> {
        let (_, domain) = email.trim().rsplit_once('@')?;
        self.page(domain).filter(|page| page.is_about(identity))
    }
}
