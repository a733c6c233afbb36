//! GitHub's answers and what they say.
//!
//! Invariant: pure.

use serde::Deserialize;

use crate::builtin::{Accounts, named, seen_at, stated};
use crate::email::EmailAddress;
use crate::error::LookupError;
use crate::finding::{Assurance, Claim, Confidence, Finding};
use crate::name::{Parts, PersonName};
use crate::social::SocialProfile;

/// The account shows the address, which GitHub lets only its owner do.
const SHOWN: Confidence = Confidence::literal(0.95);
/// GitHub's search or its link from commits names the account, though we cannot see the address there.
const NAMED_BY_GITHUB: Confidence = Confidence::literal(0.9);
/// The owner of the account typed the link in.
const OWN_LINK: Confidence = Confidence::literal(0.8);
/// The name on the account: free text, mostly a real name.
const PROFILE_NAME: Confidence = Confidence::literal(0.75);
/// The author's name of a commit: anybody can write any name and address there.
const COMMIT_NAME: Confidence = Confidence::literal(0.5);

/// How the account was found.
#[derive(Clone, Copy, Debug)]
pub(super) enum Via {
    ShownAddress,
    NoReply,
    Search,
    Commit,
    /// Named by an earlier tier, whose confidence counts besides.
    FoundElsewhere,
}

impl Via {
    const fn confidence(self) -> Confidence {
        match self {
            Self::ShownAddress | Self::NoReply | Self::FoundElsewhere => SHOWN,
            Self::Search | Self::Commit => NAMED_BY_GITHUB,
        }
    }
}

/// `GET /search/users`
#[derive(Deserialize)]
pub(super) struct Users {
    incomplete_results: bool,
    items: Vec<Item>,
}

#[derive(Deserialize)]
pub(super) struct Item {
    pub(super) login: String,
    r#type: Option<String>,
}

impl Item {
    pub(super) fn is_person(&self) -> bool {
        is_person(self.r#type.as_deref()) && is_login(&self.login)
    }
}

impl Users {
    /// What was found, unless the search gave up half way: then an empty list is no answer.
    pub(super) fn into_complete(self) -> Result<Vec<Item>, LookupError> {
        complete(self.items, self.incomplete_results)
    }
}

/// `GET /search/commits`
#[derive(Deserialize)]
pub(super) struct Commits {
    incomplete_results: bool,
    items: Vec<CommitItem>,
}

#[derive(Deserialize)]
struct CommitItem {
    commit: Commit,
    /// The account that GitHub ties to the author's address, if any.
    author: Option<Item>,
}

#[derive(Deserialize)]
struct Commit {
    author: CommitAuthor,
}

#[derive(Deserialize)]
struct CommitAuthor {
    name: Option<String>,
    email: Option<String>,
}

/// The author of the newest commit that carries the address.
pub(super) struct Author {
    name: Option<String>,
    login: Option<String>,
}

impl Commits {
    pub(super) fn into_author(self, email: &EmailAddress) -> Result<Option<Author>, LookupError> {
        let items = complete(self.items, self.incomplete_results)?;
        let mut ours = items
            .into_iter()
            .filter(|item| item.commit.author.email.as_deref().is_some_and(|text| is_same(text, email)));
        Ok(ours.next().map(|item| Author {
            name: item.commit.author.name,
            login: item.author.filter(Item::is_person).map(|account| account.login),
        }))
    }
}

impl Author {
    pub(super) fn login(&self) -> Option<&str> {
        self.login.as_deref()
    }

    /// The name alone, where no account is tied to the address.
    pub(super) fn finding(&self, email: &EmailAddress) -> Option<Finding> {
        let name = self.claim(&[email.local_part()])?;
        Some(Finding { name: Some(name), ..Finding::default() })
    }

    fn claim(&self, handles: &[&str]) -> Option<Claim<PersonName>> {
        claim_of(self.name.as_deref(), handles, COMMIT_NAME)
    }
}

/// `GET /users/{login}`
#[derive(Deserialize)]
pub(super) struct User {
    pub(super) login: String,
    pub(super) id: u64,
    r#type: Option<String>,
    name: Option<String>,
    email: Option<String>,
    blog: Option<String>,
    twitter_username: Option<String>,
}

/// One of `GET /users/{login}/social_accounts`
#[derive(Deserialize)]
pub(super) struct Link {
    url: Option<String>,
}

impl User {
    pub(super) fn is_person(&self) -> bool {
        is_person(self.r#type.as_deref()) && is_login(&self.login)
    }

    /// Whether the account shows this address; nothing where it shows none.
    pub(super) fn shows(&self, email: &EmailAddress) -> Option<bool> {
        stated(self.email.as_deref()).map(|text| is_same(text, email))
    }

    pub(super) fn finding(&self, via: Via, links: &[Link], author: Option<&Author>) -> Finding {
        let handles = [self.login.as_str()];
        let name = claim_of(self.name.as_deref(), &handles, PROFILE_NAME)
            .or_else(|| author.and_then(|author| author.claim(&handles)));

        let own = SocialProfile::on_network("github", &self.login).ok();
        let evidence = own.as_ref().map(|own| own.url().to_owned());
        let mut accounts = Accounts::default();
        accounts.extend(own.map(|own| Claim::new(own, via.confidence(), Assurance::Proven)));
        let twitter = stated(self.twitter_username.as_deref())
            .and_then(|account| SocialProfile::on_network("twitter", account).ok());
        let linked = links.iter().map(|link| link.url.as_deref()).chain([self.blog.as_deref()]);
        let linked = linked.filter_map(|url| SocialProfile::parse(stated(url)?).ok());
        let asserted = twitter.into_iter().chain(linked);
        accounts.extend(asserted.map(|profile| Claim::new(profile, OWN_LINK, Assurance::SelfAsserted)));
        seen_at(Finding { name, birth: None, profiles: accounts.into_claims() }, evidence.as_deref())
    }
}

fn claim_of(name: Option<&str>, handles: &[&str], confidence: Confidence) -> Option<Claim<PersonName>> {
    let full = stated(name)?.to_owned();
    let name = named(Parts { full: Some(full), ..Parts::default() }, handles)?;
    Some(Claim::new(name, confidence, Assurance::SelfAsserted))
}

/// An organisation or a bot is nobody; an absent type is a user's.
fn is_person(kind: Option<&str>) -> bool {
    kind.is_none_or(|kind| kind == "User")
}

/// Whether a text can be an account's name: what else an answer calls one is never put into a URL.
pub(super) fn is_login(text: &str) -> bool {
    (1..=39).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
}

fn is_same(text: &str, email: &EmailAddress) -> bool {
    EmailAddress::parse(text).is_ok_and(|shown| shown.canonical() == email.canonical())
}

fn complete<T>(items: Vec<T>, is_incomplete: bool) -> Result<Vec<T>, LookupError> {
    if items.is_empty() && is_incomplete {
        return Err(LookupError::unavailable("github's search timed out before it found anything"));
    }
    Ok(items)
}
