//! `WebFinger` (RFC 7033) at the e-mail address's own domain, and the `ActivityPub` actor that it leads to: Mastodon and
//! its kin.
//!
//! One lookup is one question to the domain and, where it knows the account, one to the server of the fediverse. Unlike
//! a page, the answer is about one mailbox; what is remembered for a day is only which domains do not answer at all.
//!
//! Invariant: the address is told to its own domain's host and to nobody else; nothing is taken of an account that asks
//! not to be found, not to be indexed, or that is no living person's.

mod answer;
#[cfg(test)]
#[cfg(feature = "contract")]
mod tests;

use std::num::NonZeroU32;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use async_trait::async_trait;
use serde::de::DeserializeOwned;
use url::Url;

use self::answer::{Actor, Descriptor as Jrd};
use super::site::{self, Template};
use crate::error::LookupError;
use crate::http::{HttpClient, Request, Response};
use crate::memo::Shelf;
use crate::provider::{Descriptor, Field, Identifier, KeyNeed, Lookup, Price, Provider, Quota, Reach};
use crate::settings::{ProviderSettings, SettingsError};
use crate::subject::Subject;

/// Our own manners towards all hosts together.
const CALLS_PER_SECOND: u32 = 10;
const BURST: NonZeroU32 = NonZeroU32::MIN.saturating_add(4);
/// Domains of which it is remembered whether they answer.
const MOST_DOMAINS: usize = 4_096;

/// Asks `https://{domain}/.well-known/webfinger`, then the actor.
#[derive(Debug)]
pub struct WebFinger {
    descriptor: Descriptor,
    template: Template,
    /// By domain: whether it has turned out not to speak `WebFinger`.
    deaf: Shelf<AtomicBool>,
}

/// What `WebFinger` is.
pub fn descriptor() -> Descriptor {
    Descriptor {
        name: "webfinger".into(),
        title: "WebFinger and ActivityPub".into(),
        docs: "https://docs.joinmastodon.org/spec/webfinger/".into(),
        endpoint: "https://{domain}/".into(),
        reach: Reach::Web,
        supplies: &[Field::Name, Field::Social],
        told: Identifier::Address,
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
    Ok(Arc::new(WebFinger { descriptor, template, deaf: Shelf::new(MOST_DOMAINS) }))
}

#[async_trait]
impl Provider for WebFinger {
    fn descriptor(&self) -> &Descriptor {
        &self.descriptor
    }

    async fn lookup(&self, subject: &Subject, http: &HttpClient) -> Result<Lookup, LookupError> {
        let email = subject.email();
        let Some(root) = self.template.of_person(email).filter(|_| is_account(email.local_part())) else {
            return Ok(Lookup::NoMatch);
        };
        let deaf = self.deaf.get(email.domain(), AtomicBool::default);
        if deaf.load(Ordering::Relaxed) {
            return Ok(Lookup::NoMatch);
        }
        let account = format!("acct:{}@{}", email.local_part(), email.domain());
        let (speaks, jrd) = finger(&root, &account, http).await?;
        deaf.store(!speaks, Ordering::Relaxed);
        let Some(url) = jrd.as_ref().and_then(|jrd| jrd.actor(&root)) else { return Ok(Lookup::NoMatch) };
        let actor: Option<Actor> = read(http.get(url).header("accept", answer::ACTIVITY)).await?;
        let finding = actor.and_then(|actor| actor.finding(jrd.as_ref()?, email.local_part()));
        Ok(finding.map_or(Lookup::NoMatch, Lookup::Match))
    }
}

/// Whether an account of the fediverse can have this name: no other is worth a question.
fn is_account(local_part: &str) -> bool {
    local_part.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'.' | b'-'))
}

/// Whether the domain speaks `WebFinger`, and what it knows of the account.
async fn finger(root: &Url, account: &str, http: &HttpClient) -> Result<(bool, Option<Jrd>), LookupError> {
    let Ok(url) = root.join(".well-known/webfinger") else { return Ok((false, None)) };
    let request = http.get(url).header("accept", "application/jrd+json").query("resource", account);
    let Some(response) = site::ask(request).await? else { return Ok((false, None)) };
    let jrd = document(&response);
    // Who has nothing to say of an account says so without a page around it; who has a page for everything does not
    // speak it at all.
    let speaks = jrd.is_some() || site::content_type(&response) != "text/html" || response.body().is_empty();
    Ok((speaks, jrd))
}

/// The document behind a request; `None` where there is none that we may read. That includes a server that answers signed
/// requests only (401), which ours are not.
async fn read<T: DeserializeOwned>(request: Request<'_>) -> Result<Option<T>, LookupError> {
    Ok(site::ask(request).await?.as_ref().and_then(document))
}

fn document<T: DeserializeOwned>(response: &Response) -> Option<T> {
    let is_open = (200..300).contains(&response.status()) && !site::is_closed(response);
    is_open.then(|| response.json().ok()).flatten()
}
