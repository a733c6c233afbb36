//! GitLab: the account whose public e-mail address is the person's.
//!
//! With a (free) token, one lookup is one search and, on a match, one read of the account. Without one, GitLab answers
//! questions about an account's name only: then it is a second hop, and tells the name beside the account.
//!
//! Invariant: an account found by its address is taken only where it shows the address: the search is fuzzy.

mod answer;
#[cfg(test)]
#[cfg(feature = "contract")]
mod tests;

use std::num::NonZeroU32;
use std::sync::Arc;

use async_trait::async_trait;
use serde::de::DeserializeOwned;
use url::Url;

use self::answer::{Item, SHOWN, User};
use crate::access::Access;
use crate::email::EmailAddress;
use crate::error::LookupError;
use crate::finding::{Claim, Confidence};
use crate::http::HttpClient;
use crate::provider::{Descriptor, Field, Identifier, KeyNeed, Lookup, Price, Provider, Quota, Reach};
use crate::settings::{ProviderSettings, SettingsError};
use crate::social::SocialProfile;
use crate::subject::Subject;

/// The vendor's quotas a minute are 500 by address of the caller and 2000 by token, for all that an operator does there.
const QUOTA: Quota = Quota::per_minute(120).with_burst(NonZeroU32::MIN.saturating_add(4));
/// Search is fuzzy: this many of its accounts are read to find the one with the address.
const CANDIDATES: usize = 3;
const READS: &[&str] = &["gitlab"];
/// The account exists; whose it is was found elsewhere.
const EXISTS: Confidence = Confidence::literal(0.95);

/// Asks `GET /api/v4/users`, then the account.
#[derive(Debug)]
pub struct GitLab {
    access: Access,
}

/// What GitLab is, without a token.
pub fn descriptor() -> Descriptor {
    Descriptor {
        name: "gitlab".into(),
        title: "GitLab".into(),
        docs: "https://docs.gitlab.com/api/users/".into(),
        endpoint: "https://gitlab.com/".into(),
        reach: Reach::Vendor,
        supplies: &[Field::Name, Field::Social],
        told: Identifier::Handle,
        reads: READS,
        takes_hash: false,
        quota: QUOTA,
        price: Price::FREE,
        key: KeyNeed::Optional,
        terms: None,
        opt_in: false,
    }
}

/// Builds it from an operator's settings; `endpoint` may be a server of their own.
pub fn build(settings: &ProviderSettings) -> Result<Arc<dyn Provider>, SettingsError> {
    let mut access = Access::without_options(settings, descriptor())?;
    if access.key.is_some() {
        access.descriptor.told = Identifier::Address;
    }
    Ok(Arc::new(GitLab { access }))
}

#[async_trait]
impl Provider for GitLab {
    fn descriptor(&self) -> &Descriptor {
        &self.access.descriptor
    }

    async fn lookup(&self, subject: &Subject, http: &HttpClient) -> Result<Lookup, LookupError> {
        match subject.account_on(READS) {
            Some(account) => self.by_account(account, http).await,
            None if self.access.key.is_some() => self.by_address(subject.email(), http).await,
            None => Ok(Lookup::NoMatch),
        }
    }
}

impl GitLab {
    async fn by_address(&self, email: &EmailAddress, http: &HttpClient) -> Result<Lookup, LookupError> {
        let found = self.search("search", email.expose(), http).await?;
        for item in found.iter().filter(|item| item.is_active()).take(CANDIDATES) {
            if let Some(user) =
                self.user(item, http).await?.filter(|user| user.is_person() && user.shows(email))
            {
                return Ok(Lookup::Match(user.finding(SHOWN)));
            }
        }
        Ok(Lookup::NoMatch)
    }

    async fn by_account(
        &self,
        account: &Claim<SocialProfile>,
        http: &HttpClient,
    ) -> Result<Lookup, LookupError> {
        let handle = account.value.handle().unwrap_or_default();
        let found = self.search("username", handle, http).await?;
        let Some(item) = found.iter().find(|item| item.is_active() && item.is_called(handle)) else {
            return Ok(Lookup::NoMatch);
        };
        let finding = match self.access.key {
            Some(_) => self.user(item, http).await?.filter(User::is_person).map(|user| user.finding(EXISTS)),
            // Strangers are not shown the rest of an account.
            None => Some(item.finding(EXISTS)),
        };
        Ok(finding.map_or(Lookup::NoMatch, |finding| Lookup::Match(finding.reached_through(account))))
    }

    async fn search(&self, by: &str, what: &str, http: &HttpClient) -> Result<Vec<Item>, LookupError> {
        let found = self.get(self.access.url(&["api", "v4", "users"]), Some((by, what)), http).await?;
        found.ok_or_else(|| LookupError::malformed("the search is not there: check `endpoint`"))
    }

    /// The whole of an account, if it is still there.
    async fn user(&self, item: &Item, http: &HttpClient) -> Result<Option<User>, LookupError> {
        self.get(self.access.url(&["api", "v4", "users", &item.id.to_string()]), None, http).await
    }

    /// Reads an answer; `None` where there is none.
    async fn get<T: DeserializeOwned>(
        &self,
        url: Url,
        query: Option<(&str, &str)>,
        http: &HttpClient,
    ) -> Result<Option<T>, LookupError> {
        let request = http.get(url).header("accept", "application/json").secret_header(
            "private-token",
            "",
            self.access.key.as_ref(),
        );
        let request = query.into_iter().fold(request, |request, (name, value)| request.query(name, value));
        let response = request.send().await?;
        if response.status() == 404 { Ok(None) } else { response.json().map(Some) }
    }
}
