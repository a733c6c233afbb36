//! GitHub: the account whose public profile, commits or no-reply address carry the person's e-mail address.
//!
//! One lookup is one search and, on a match, two reads of the account; a search that finds no profile is followed
//! by one over the authors of commits. Where an earlier tier has found the account, it is read and nothing is searched.
//!
//! Invariant: an account is taken only when GitHub itself ties it to the address; a name in a commit proves nothing
//! and is marked as weak.

mod answer;
#[cfg(test)]
#[cfg(feature = "contract")]
mod tests;

use std::num::NonZeroU32;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use serde::Deserialize;
use serde::de::DeserializeOwned;
use url::Url;

use self::answer::{Commits, Link, User, Users, Via, is_login};
use crate::access::Access;
use crate::email::EmailAddress;
use crate::error::LookupError;
use crate::finding::Claim;
use crate::http::{HttpClient, Response, default_meaning};
use crate::provider::{Descriptor, Field, Identifier, KeyNeed, Lookup, Price, Provider, Quota, Reach};
use crate::settings::{ProviderSettings, SettingsError};
use crate::social::SocialProfile;
use crate::subject::Subject;

/// The narrowest of the vendor's quotas. Without a token: 60 calls an hour, and 10 searches a minute, which this burst
/// stays within.
const KEYLESS: Quota = Quota::per_hour(60).with_burst(NonZeroU32::MIN.saturating_add(7));
/// With a token: 30 searches a minute.
const KEYED: Quota = Quota::per_minute(30);
/// What the vendor asks for where it names no time: "at least one minute".
const UNNAMED_WAIT: Duration = Duration::from_mins(1);
/// Search is fuzzy: this many of its accounts are read to find the one with the address.
const CANDIDATES: usize = 3;
/// Networks of which it can be asked about an account.
const READS: &[&str] = &["github"];
/// The domain of the addresses that hide a person's own in commits, and name their account.
const NOREPLY: &str = "users.noreply.github.com";

/// Asks the search, then the account.
#[derive(Debug)]
pub struct GitHub {
    access: Access,
    search_commits: bool,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct Options {
    /// Whether the authors of commits are searched when no profile shows the address.
    search_commits: bool,
}

impl Default for Options {
    fn default() -> Self {
        Self { search_commits: true }
    }
}

/// What GitHub is, without a token.
pub fn descriptor() -> Descriptor {
    Descriptor {
        name: "github".into(),
        title: "GitHub".into(),
        docs: "https://docs.github.com/en/rest/search/search".into(),
        endpoint: "https://api.github.com/".into(),
        reach: Reach::Vendor,
        supplies: &[Field::Name, Field::Social],
        told: Identifier::Address,
        reads: READS,
        takes_hash: false,
        quota: KEYLESS,
        price: Price::FREE,
        key: KeyNeed::Optional,
        terms: Some("forbids selling the data and using it for spam".into()),
        opt_in: false,
    }
}

/// Builds it from an operator's settings.
pub fn build(settings: &ProviderSettings) -> Result<Arc<dyn Provider>, SettingsError> {
    let Options { search_commits } = settings.options()?;
    let mut access = Access::of(settings, descriptor())?;
    if access.key.is_some() {
        access.descriptor.quota = KEYED;
    }
    Ok(Arc::new(GitHub { access, search_commits }))
}

#[async_trait]
impl Provider for GitHub {
    fn descriptor(&self) -> &Descriptor {
        &self.access.descriptor
    }

    async fn lookup(&self, subject: &Subject, http: &HttpClient) -> Result<Lookup, LookupError> {
        if let Some(account) = subject.account_on(READS) {
            return self.by_account(account, http).await;
        }
        let email = subject.email();
        if email.domain() == NOREPLY {
            return match NoReply::parse(email.local_part()) {
                Some(noreply) => self.by_noreply(&noreply, http).await,
                None => Ok(Lookup::NoMatch),
            };
        }
        if !is_searchable(email) {
            return Err(LookupError::Refused { reason: "the address would be read as search syntax".into() });
        }
        match self.by_profile(email, http).await? {
            Lookup::NoMatch if self.search_commits => self.by_commits(email, http).await,
            answer => Ok(answer),
        }
    }
}

impl GitHub {
    async fn by_noreply(&self, noreply: &NoReply<'_>, http: &HttpClient) -> Result<Lookup, LookupError> {
        match self.user(noreply.login, http).await? {
            // A login can be given up and taken by somebody else; the number never is.
            Some(user) if noreply.id.is_none_or(|id| id == user.id) => {
                self.account(&user, Via::NoReply, None, http).await
            }
            _ => Ok(Lookup::NoMatch),
        }
    }

    /// The second hop: the account is known, and no address is told.
    async fn by_account(
        &self,
        account: &Claim<SocialProfile>,
        http: &HttpClient,
    ) -> Result<Lookup, LookupError> {
        let handle = account.value.handle().unwrap_or_default();
        let Some(user) = self.user(handle, http).await? else { return Ok(Lookup::NoMatch) };
        Ok(match self.account(&user, Via::FoundElsewhere, None, http).await? {
            Lookup::Match(finding) => Lookup::Match(finding.reached_through(account)),
            other => other,
        })
    }

    async fn by_profile(&self, email: &EmailAddress, http: &HttpClient) -> Result<Lookup, LookupError> {
        let query = format!("{} in:email", email.expose());
        let found: Users = self.search("users", &query, http).await?;
        let found = found.into_complete()?;
        let is_only = found.len() == 1;
        for item in found.iter().filter(|item| item.is_person()).take(CANDIDATES) {
            let Some(user) = self.user(&item.login, http).await? else { continue };
            match user.shows(email) {
                Some(true) => return self.account(&user, Via::ShownAddress, None, http).await,
                // Without a token GitHub hides the address that its search has just matched.
                None if is_only => return self.account(&user, Via::Search, None, http).await,
                _ => {}
            }
        }
        Ok(Lookup::NoMatch)
    }

    async fn by_commits(&self, email: &EmailAddress, http: &HttpClient) -> Result<Lookup, LookupError> {
        let query = format!("author-email:{}", email.expose());
        let commits: Commits = self.search("commits", &query, http).await?;
        let Some(author) = commits.into_author(email)? else { return Ok(Lookup::NoMatch) };
        let user = match author.login() {
            Some(login) => self.user(login, http).await?,
            None => None,
        };
        match user {
            Some(user) => self.account(&user, Via::Commit, Some(&author), http).await,
            None => Ok(author.finding(email).map_or(Lookup::NoMatch, Lookup::Match)),
        }
    }

    /// Reads the rest of an account that is known to be the person's.
    async fn account(
        &self,
        user: &User,
        via: Via,
        author: Option<&answer::Author>,
        http: &HttpClient,
    ) -> Result<Lookup, LookupError> {
        if !user.is_person() {
            return Ok(Lookup::NoMatch);
        }
        let url = self.access.url(&["users", &user.login, "social_accounts"]);
        let links: Vec<Link> = self.get(url, &[], http).await?.unwrap_or_default();
        Ok(Lookup::Match(user.finding(via, &links, author)))
    }

    /// The account of this name, if it still exists.
    async fn user(&self, login: &str, http: &HttpClient) -> Result<Option<User>, LookupError> {
        self.get(self.access.url(&["users", login]), &[], http).await
    }

    async fn search<T: DeserializeOwned>(
        &self,
        what: &str,
        query: &str,
        http: &HttpClient,
    ) -> Result<T, LookupError> {
        let url = self.access.url(&["search", what]);
        let found = self.get(url, &[("q", query), ("per_page", "5")], http).await?;
        found.ok_or_else(|| LookupError::malformed("the search is not there: check `endpoint`"))
    }

    /// The answer at `url`, or nothing where there is none (404).
    async fn get<T: DeserializeOwned>(
        &self,
        url: Url,
        query: &[(&str, &str)],
        http: &HttpClient,
    ) -> Result<Option<T>, LookupError> {
        let request = http
            .get(url)
            .header("accept", "application/vnd.github+json")
            .header("x-github-api-version", "2022-11-28")
            .secret_header("authorization", "Bearer ", self.access.key.as_ref())
            .meaning(meaning);
        let request = query.iter().fold(request, |request, (name, value)| request.query(name, value));
        let response = request.send().await?;
        if response.status() == 404 { Ok(None) } else { response.json().map(Some) }
    }
}

/// GitHub says "slow down" with 403 as well as 429, and means it as a refusal without the headers of a limit.
fn meaning(response: &Response) -> Option<LookupError> {
    let is_spent = response.header("x-ratelimit-remaining") == Some("0");
    let is_limit = is_spent || response.header("retry-after").is_some();
    match response.status() {
        429 => Some(LookupError::RateLimited { after: wait(response) }),
        403 if is_limit => Some(LookupError::RateLimited { after: wait(response) }),
        403 => {
            Some(LookupError::Denied { reason: "github answers 403: check the token and its scopes".into() })
        }
        422 => Some(LookupError::Refused { reason: "github does not search for this address".into() }),
        _ => default_meaning(response),
    }
}

fn wait(response: &Response) -> Duration {
    response.retry_after().unwrap_or(UNNAMED_WAIT)
}

/// Whether the search takes the address as one word: a quoted local part could hold spaces and qualifiers.
fn is_searchable(email: &EmailAddress) -> bool {
    !email.expose().contains(|c: char| c.is_whitespace() || c.is_control() || matches!(c, '"' | ':' | '\\'))
}

/// What a no-reply address says: `{id}+{login}`, or `{login}` alone before 2017.
#[derive(Debug, Eq, PartialEq)]
struct NoReply<'a> {
    id: Option<u64>,
    login: &'a str,
}

impl<'a> NoReply<'a> {
    fn parse(local_part: &'a str) -> Option<Self> {
        let (id, login) = match local_part.split_once('+') {
            Some((id, login)) => (Some(id.parse().ok()?), login),
            None => (None, local_part),
        };
        is_login(login).then_some(Self { id, login })
    }
}
