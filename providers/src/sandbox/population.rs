//! The invented population: a person for every mailbox, and who knows whom.
//!
//! Invariant: what is said of a mailbox follows from the seed, the list of members and the mailbox itself; never
//! from what was asked before.

mod distortion;
mod mailbox;
mod name;
mod page;
mod person;
mod words;

use std::collections::HashMap;
use std::fmt;

pub use distortion::Distortion;
pub(super) use distortion::Portrait;
use mailbox::Listed;
pub use mailbox::MailboxKey;
pub(super) use mailbox::is_free_mail;
pub use name::Name;
pub(super) use page::Page;
pub use page::{BirthShown, Layout};
pub use person::{Account, Person};

use super::draw;
use super::service::{COUNT, Service};
use super::settings::{MatchRate, SandboxSettings};

/// Every person there is: those listed, and one for any other address or hash.
pub struct Population {
    seed: u64,
    distortion: f64,
    rates: [MatchRate; COUNT],
    listed: HashMap<MailboxKey, Listed>,
    /// The plain GitHub logins of listed people.
    logins: HashMap<String, MailboxKey>,
    /// The numbers of listed people's ORCID iDs, which lead back to no mailbox by themselves.
    orcids: HashMap<u64, MailboxKey>,
    /// Listed addresses by domain, in the order of the list.
    domains: HashMap<String, Vec<MailboxKey>>,
}

/// A mailbox as a provider is asked about it. A hash does not tell at what kind of host it is.
#[derive(Clone, Copy, Debug)]
pub(super) struct Asked {
    pub(super) key: MailboxKey,
    is_free_mail: Option<bool>,
}

impl Asked {
    pub(super) fn by_address(address: &str) -> Self {
        let domain = address.trim().rsplit_once('@').map_or("", |(_, domain)| domain).to_lowercase();
        Self { key: MailboxKey::of_address(address), is_free_mail: Some(is_free_mail(&domain)) }
    }

    pub(super) const fn by_key(key: MailboxKey) -> Self {
        Self { key, is_free_mail: None }
    }
}

impl Population {
    /// The population of a seed; `listed` addresses get names that agree with them. Malformed ones are passed over.
    pub fn new<'a>(seed: u64, listed: impl IntoIterator<Item = &'a str>) -> Self {
        let settings = SandboxSettings { seed, ..SandboxSettings::default() };
        Self::with_settings(&settings, listed)
    }

    /// The population of these settings: its match rates and distortions too.
    pub fn with_settings<'a>(settings: &SandboxSettings, listed: impl IntoIterator<Item = &'a str>) -> Self {
        let mut population = Self {
            seed: settings.seed,
            distortion: settings.distortion,
            rates: Service::ALL.map(|service| settings.match_rate(service)),
            listed: HashMap::new(),
            logins: HashMap::new(),
            orcids: HashMap::new(),
            domains: HashMap::new(),
        };
        for address in listed {
            population.list(address);
        }
        population
    }

    fn list(&mut self, address: &str) {
        let Some(mut listed) = Listed::read(address) else { return };
        let key = MailboxKey::of_address(address);
        let neighbours = self.domains.entry(listed.domain.clone()).or_default();
        if neighbours.contains(&key) {
            return;
        }
        neighbours.push(key);
        listed.plain_login = true;
        let login = Person::listed(self.seed, key, &listed).login().to_owned();
        let owner = *self.logins.entry(login).or_insert(listed.identity);
        listed.plain_login = owner == listed.identity;
        if listed.identity != key && !self.listed.contains_key(&listed.identity) {
            self.list_untagged(&listed);
        }
        self.orcids.entry(key.orcid_number()).or_insert(key);
        self.listed.insert(key, listed);
    }

    /// The mailbox behind a tagged address is the same person's, so that both lead to one login.
    fn list_untagged(&mut self, tagged: &Listed) {
        let untagged = format!("{}@{}", name::plain_local_part(&tagged.local), tagged.domain);
        if let Some(listed) = Listed::read(&untagged) {
            self.listed.insert(tagged.identity, Listed { plain_login: tagged.plain_login, ..listed });
        }
    }

    /// The person behind a mailbox.
    pub fn person(&self, key: MailboxKey) -> Person {
        match self.listed.get(&key) {
            Some(listed) => Person::listed(self.seed, key, listed),
            None => Person::unlisted(self.seed, key),
        }
    }

    /// Whether the address is listed.
    pub fn is_listed(&self, key: MailboxKey) -> bool {
        self.listed.contains_key(&key)
    }

    /// The listed mailbox behind an ORCID iD.
    pub(super) fn mailbox_of_orcid(&self, id: &str) -> Option<MailboxKey> {
        let digits: String = id.chars().filter(char::is_ascii_digit).take(15).collect();
        self.orcids.get(&digits.parse().ok()?).copied()
    }

    /// The mailbox behind a GitHub login.
    pub(super) fn mailbox_of_login(&self, login: &str) -> Option<MailboxKey> {
        let login = login.to_ascii_lowercase();
        let key = self.logins.get(&login).copied().or_else(|| {
            let (_, label) = login.rsplit_once('-')?;
            MailboxKey::of_label(label)
        })?;
        (self.person(key).login() == login).then_some(key)
    }

    /// What a service says of the person behind a mailbox; `None` where it does not know them.
    pub(super) fn portrait(&self, service: Service, asked: Asked) -> Option<Portrait> {
        let key = asked.key;
        let by_login =
            matches!(service, Service::Github | Service::Gitlab | Service::Keybase | Service::Bluesky);
        if by_login && self.listed.get(&key).is_some_and(|listed| listed.identity != key) {
            // A login leads back to one address only: the one without the tag.
            return None;
        }
        let mut luck = draw::stream(self.seed, "match", &[service.as_str().as_bytes(), &key.bytes()]);
        if luck.f64() >= self.rate_for(service, asked) {
            return None;
        }
        let person = self.person(key);
        let knows_people_only = service.sells_people()
            || matches!(service, Service::Keybase | Service::Orcid | Service::Wikidata);
        if knows_people_only && person.is_organization {
            return None;
        }
        if account_needed(service).is_some_and(|network| person.account(network).is_none()) {
            return None;
        }
        Some(Portrait::draw(self.seed, service, key, person, self.distortion))
    }

    /// What a service shows of an account, whoever asks for it by name: no address has to be known there.
    pub(super) fn portrait_of_account(&self, service: Service, login: &str) -> Option<Portrait> {
        let key = self.mailbox_of_login(login)?;
        let person = self.person(key);
        if account_needed(service).is_some_and(|network| person.account(network).is_none()) {
            return None;
        }
        Some(Portrait::draw(self.seed, service, key, person, self.distortion))
    }

    /// The page at a domain.
    pub(super) fn page(&self, domain: &str) -> Option<Page> {
        Page::draw(self, &domain.to_lowercase())
    }

    fn rate(&self, service: Service) -> MatchRate {
        self.rates.get(service.index()).copied().unwrap_or(service.facts().match_rate)
    }

    fn rate_for(&self, service: Service, asked: Asked) -> f64 {
        let rate = self.rate(service);
        let listed = self.listed.get(&asked.key).map(|listed| listed.is_free_mail);
        match listed.or(if service == Service::Gravatar { None } else { asked.is_free_mail }) {
            Some(true) => rate.free_mail,
            Some(false) => rate.own_domain,
            // Gravatar is asked by hash alone, so an unlisted address has no kind there.
            None if service == Service::Gravatar => f64::midpoint(rate.free_mail, rate.own_domain),
            // A login was found by its address, which passed one of the two.
            None => rate.free_mail.max(rate.own_domain),
        }
    }

    fn listed_at(&self, domain: &str) -> impl Iterator<Item = &str> {
        let keys = self.domains.get(domain).map_or(&[][..], Vec::as_slice);
        keys.iter().filter_map(|key| self.listed.get(key)).map(|listed| listed.address.as_str())
    }
}

/// The network on which a person has to be for a service to know anything of them.
const fn account_needed(service: Service) -> Option<&'static str> {
    match service {
        Service::Webfinger => Some("mastodon"),
        Service::Gitlab => Some("gitlab"),
        Service::Bluesky => Some("bluesky"),
        _ => None,
    }
}

impl fmt::Debug for Population {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Population(seed {}, {} listed)", self.seed, self.listed.len())
    }
}
