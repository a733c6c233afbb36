//! One invented person: the truth that providers tell more or less well.
//!
//! Invariant: follows from the seed and the mailbox alone.

use std::fmt;

use jiff::ToSpan as _;
use jiff::civil::{Date, date};
use serde::Serialize;

use super::mailbox::{Listed, MailboxKey};
use super::name::Name;
use super::words;
use crate::sandbox::draw::{self, chance};

/// An invented person or organisation.
#[derive(Clone)]
pub struct Person {
    pub(in crate::sandbox) key: MailboxKey,
    /// The key of the mailbox without its tag.
    pub(in crate::sandbox) identity: MailboxKey,
    /// The listed address; unlisted people are known by their hash only.
    pub(in crate::sandbox) address: Option<String>,
    pub is_organization: bool,
    pub name: Name,
    pub birth_date: Date,
    pub accounts: Vec<Account>,
    pub(in crate::sandbox) location: &'static str,
    pub(in crate::sandbox) job_title: &'static str,
    pub(in crate::sandbox) company: String,
}

/// An account on a network.
#[derive(Clone, Eq, PartialEq, Serialize)]
pub struct Account {
    pub network: &'static str,
    pub handle: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub id: Option<String>,
    /// The canonical address of the profile.
    pub url: String,
}

impl fmt::Debug for Person {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Person(redacted)")
    }
}

impl fmt::Debug for Account {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Account({}: redacted)", self.network)
    }
}

impl Person {
    /// The person behind a mailbox that is not listed.
    pub(super) fn unlisted(seed: u64, key: MailboxKey) -> Self {
        let about = key.bytes();
        let mut rng = draw::stream(seed, "name", &[&about]);
        let is_organization = chance(&mut rng, 0.04);
        let name = if is_organization { Name::organization(None, &mut rng) } else { Name::invent(&mut rng) };
        let login = format!("{}-{}", login_stem(&name), key.label());
        Self::with_name(seed, key, key, name, is_organization, login)
    }

    /// The person behind a listed address. All spellings of one mailbox are one person.
    pub(super) fn listed(seed: u64, key: MailboxKey, listed: &Listed) -> Self {
        let about = listed.identity.bytes();
        let mut rng = draw::stream(seed, "name", &[&about]);
        let name = if listed.is_role {
            Name::organization(Some(&listed.domain), &mut rng)
        } else {
            Name::of_local_part(&listed.local, &mut rng)
        };
        let stem = login_stem(&name);
        let login = if listed.plain_login { stem } else { format!("{stem}-{}", listed.identity.label()) };
        let person = Self::with_name(seed, key, listed.identity, name, listed.is_role, login);
        Self { address: Some(listed.address.clone()), ..person }
    }

    /// Somebody else, whom a provider mistakes for the person behind this mailbox.
    pub(super) fn stranger(seed: u64, key: MailboxKey) -> Self {
        let other = MailboxKey(draw::digest(seed, "stranger", &[&key.bytes()]));
        let mut stranger = Self::unlisted(seed, other);
        if stranger.is_organization {
            let mut rng = draw::stream(seed, "stranger's name", &[&key.bytes()]);
            stranger.name = Name::invent(&mut rng);
            stranger.is_organization = false;
        }
        stranger.key = key;
        stranger
    }

    fn with_name(
        seed: u64,
        key: MailboxKey,
        identity: MailboxKey,
        name: Name,
        is_organization: bool,
        login: String,
    ) -> Self {
        let about = identity.bytes();
        let mut life = draw::stream(seed, "life", &[&about]);
        Self {
            key,
            identity,
            address: None,
            is_organization,
            birth_date: birth_date(&mut life),
            location: words::thing("place", &mut life),
            job_title: words::thing("job", &mut life),
            company: format!("{} {}", words::thing("adjective", &mut life), words::thing("trade", &mut life)),
            accounts: accounts(&name, login, is_organization, &mut draw::stream(seed, "accounts", &[&about])),
            name,
        }
    }

    /// The account on this network.
    pub(in crate::sandbox) fn account(&self, network: &str) -> Option<&Account> {
        self.accounts.iter().find(|account| account.network == network)
    }

    /// The Gravatar profile, which those have whom Gravatar knows.
    pub(in crate::sandbox) fn gravatar(&self) -> Account {
        let handle = self.name.ascii.concat();
        Account { network: "gravatar", url: format!("https://gravatar.com/{handle}"), handle, id: None }
    }

    /// The Keybase account, which those have whom Keybase knows.
    pub(in crate::sandbox) fn keybase(&self) -> Account {
        let handle: String = self.name.ascii.concat().chars().take(16).collect();
        Account { network: "keybase", url: format!("https://keybase.io/{handle}"), handle, id: None }
    }

    /// The ORCID record, which those have whom ORCID knows. The last character is a check (ISO 7064, mod 11-2).
    pub(in crate::sandbox) fn orcid(&self) -> Account {
        let digits = format!("{:015}", self.key.orcid_number());
        let sum = digits.bytes().fold(0, |sum, digit| (sum + u32::from(digit - b'0')) * 2 % 11);
        let check = match (12 - sum) % 11 {
            10 => 'X',
            rest => char::from_digit(rest, 10).unwrap_or('0'),
        };
        let all: Vec<char> = digits.chars().chain([check]).collect();
        let groups: Vec<String> = all.chunks(4).map(|group| group.iter().collect()).collect();
        let id = groups.join("-");
        Account { network: "orcid", url: format!("https://orcid.org/{id}"), handle: id, id: None }
    }

    /// The person's own site, apart from their mail domain's: what profiles elsewhere link to.
    pub(in crate::sandbox) fn site(&self) -> String {
        format!("{}.example.com", self.login())
    }

    /// The GitHub login: everybody has one, whether or not GitHub knows the address.
    pub(in crate::sandbox) fn login(&self) -> &str {
        self.account("github").map_or("", |account| &account.handle)
    }
}

/// Mostly adults; one in fifty is under sixteen, as registrations have it.
fn birth_date(rng: &mut fastrand::Rng) -> Date {
    let (first, days) = if chance(rng, 0.02) { (date(2011, 1, 1), 1000) } else { (date(1940, 1, 1), 25_200) };
    let born = first.saturating_add(i64::from(rng.u32(..days)).days());
    // 1 January is what vendors pad a bare year with: nobody here is truly born on it.
    if born.month() == 1 && born.day() == 1 { born.saturating_add(1.day()) } else { born }
}

/// The first part of a GitHub login; with a hyphen and a mailbox's label at most 39 characters.
pub(super) fn login_stem(name: &Name) -> String {
    let stem: String = name.ascii.join("-").chars().take(24).collect();
    stem.trim_end_matches('-').to_owned()
}

fn accounts(name: &Name, login: String, is_organization: bool, rng: &mut fastrand::Rng) -> Vec<Account> {
    let number = rng.u32(10_000_000..99_999_999);
    let short = |separator: &str, most: usize| -> String {
        let joined: String = name.ascii.join(separator).chars().take(most.saturating_sub(3)).collect();
        format!("{}{}", joined.trim_end_matches(separator), number % 97)
    };
    let slug = format!("{}-{:06x}", name.ascii.join("-"), number & 0x00ff_ffff);
    let mut accounts = vec![Account {
        network: "github",
        url: format!("https://github.com/{login}"),
        id: Some((900_000_000 + u64::from(number)).to_string()),
        handle: login.clone(),
    }];
    let mut add = |share: f64, network: &'static str, handle: String, id: Option<String>, base: &str| {
        if chance(rng, share) {
            accounts.push(Account { network, url: format!("{base}{handle}"), handle, id });
        }
    };
    if is_organization {
        add(0.8, "twitter", short("_", 15), None, "https://x.com/");
        return accounts;
    }
    add(0.7, "linkedin", slug, Some(format!("9{number}")), "https://www.linkedin.com/in/");
    add(0.5, "twitter", short("_", 15), None, "https://x.com/");
    add(0.4, "facebook", short(".", 40), Some(format!("1000000{number}")), "https://www.facebook.com/");
    add(0.3, "instagram", short(".", 28), None, "https://www.instagram.com/");
    add(0.3, "mastodon", short("_", 28), None, "https://social.example.com/@");
    let bluesky = format!("{login}.bsky.social");
    add(0.2, "bluesky", bluesky, None, "https://bsky.app/profile/");
    add(0.2, "youtube", short("", 28), None, "https://www.youtube.com/@");
    add(0.15, "pinterest", short("", 28), None, "https://www.pinterest.com/");
    add(0.15, "medium", short("", 28), None, "https://medium.com/@");
    add(
        0.1,
        "stackoverflow",
        number.to_string(),
        Some(number.to_string()),
        "https://stackoverflow.com/users/",
    );
    add(0.25, "gitlab", login, Some((9_000_000 + u64::from(number)).to_string()), "https://gitlab.com/");
    accounts
}
