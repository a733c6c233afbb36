//! A call being built, and its attempts.
//!
//! Invariant: every attempt passes all gates anew. `Debug` shows the method only: the address is personal data.

use std::fmt;
use std::time::Duration;

use bytes::Bytes;
use reqwest::Method;
use reqwest::header::{CONTENT_TYPE, HeaderMap, HeaderName, HeaderValue};
use secrecy::{ExposeSecret as _, SecretString};
use tokio::time::{Instant, sleep};
use tracing::Instrument as _;
use url::Url;

use super::exchange::{self, Miss};
use super::response::UNSAID_WAIT;
use super::{HttpClient, Response, StatusMeaning, default_meaning};
use crate::error::LookupError;
use crate::retry::{LONGEST_ASKED, Retries};

/// A call being built.
pub struct Request<'a> {
    pub(super) client: &'a HttpClient,
    pub(super) method: Method,
    pub(super) url: Url,
    pub(super) headers: HeaderMap,
    pub(super) body: Option<Bytes>,
    pub(super) meaning: StatusMeaning<'a>,
    pub(super) errand: Errand,
    /// Why it cannot be sent: found while building, told by `send`.
    fault: Option<LookupError>,
}

/// What is fetched.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Errand {
    /// An answer to the caller's question.
    Page,
    Robots,
}

impl<'a> Request<'a> {
    pub(super) fn new(client: &'a HttpClient, method: Method, url: Url) -> Self {
        Self {
            client,
            method,
            url,
            headers: HeaderMap::new(),
            body: None,
            meaning: Box::new(default_meaning),
            errand: Errand::Page,
            fault: None,
        }
    }

    /// The question that comes before a page: what robots may read.
    pub(super) fn for_robots(client: &'a HttpClient, url: Url) -> Self {
        Self { errand: Errand::Robots, ..Self::new(client, Method::GET, url) }
    }

    pub(super) fn json<T: serde::Serialize + ?Sized>(mut self, body: &T) -> Self {
        match serde_json::to_vec(body) {
            Ok(bytes) => self.body = Some(bytes.into()),
            Err(_) => self.fault = Some(LookupError::Refused { reason: "the question is not JSON".into() }),
        }
        self.headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
        self
    }

    pub(super) fn form(mut self, fields: &[(&str, &str)]) -> Self {
        let mut body = url::form_urlencoded::Serializer::new(String::new());
        self.body = Some(body.extend_pairs(fields).finish().into());
        self.headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/x-www-form-urlencoded"));
        self
    }

    /// Adds a query parameter, percent-encoded.
    #[must_use]
    pub fn query(mut self, name: &str, value: &str) -> Self {
        self.url.query_pairs_mut().append_pair(name, value);
        self
    }

    /// Adds a header that never changes. A name or value that is no header makes `send` fail.
    #[must_use]
    pub fn header(self, name: &str, value: &str) -> Self {
        self.with_header(name, HeaderValue::try_from(value).ok())
    }

    /// Adds a header whose value is made for this call.
    #[must_use]
    pub fn header_value(self, name: &str, value: String) -> Self {
        self.with_header(name, HeaderValue::try_from(value).ok())
    }

    /// Adds a header whose value is a secret: `prefix` and the key. Without a secret it adds nothing. A redirect to
    /// another origin does not take it along.
    #[must_use]
    pub fn secret_header(mut self, name: &str, prefix: &str, secret: Option<&SecretString>) -> Self {
        let Some(secret) = secret else { return self };
        if let Ok(mut value) = HeaderValue::try_from(format!("{prefix}{}", secret.expose_secret())) {
            value.set_sensitive(true);
            return self.with_header(name, Some(value));
        }
        let reason = "the key holds characters that no header may: set it anew";
        self.fault = Some(LookupError::Denied { reason: reason.into() });
        self
    }

    fn with_header(mut self, name: &str, value: Option<HeaderValue>) -> Self {
        match (HeaderName::try_from(name), value) {
            (Ok(name), Some(value)) => {
                self.headers.insert(name, value);
            }
            _ => self.fault = Some(LookupError::Refused { reason: "a header that cannot be sent".into() }),
        }
        self
    }

    /// Reads statuses as this provider means them, in place of [`default_meaning`].
    #[must_use]
    pub fn meaning(self, meaning: impl Fn(&Response) -> Option<LookupError> + Send + Sync + 'a) -> Self {
        Self { meaning: Box::new(meaning), ..self }
    }

    /// Goes through the gates.
    pub async fn send(self) -> Result<Response, LookupError> {
        if let Some(fault) = self.fault {
            return Err(fault);
        }
        let span = tracing::debug_span!("http.request", provider.name = &*self.client.door.provider);
        self.attempts().instrument(span).await
    }

    /// Tries, and tries again what may pass within seconds. What takes longer is the caller's to bring back.
    async fn attempts(self) -> Result<Response, LookupError> {
        let door = &*self.client.door;
        let mut retries = Retries::new(door.limits.attempts);
        let mut patience = door.limits.max_wait;
        let mut number = 1_u32;
        let mut last: Option<LookupError> = None;
        loop {
            let (error, asked) = match exchange::attempt(&self, number, &mut patience).await {
                Ok(response) => return Ok(response),
                // It may have been given, and billed: the worker's next attempt asks again, and no sooner.
                Err(Miss::Failed { error, is_lost: true, .. }) if door.limits.is_billed => return Err(error),
                Err(Miss::Failed { error, asked, .. }) => (error, asked),
                // Sent away by our own quota while waiting for a retry: what counts is the fault, which costs an
                // attempt. To call it rate limited would let a failing provider be asked for ever.
                Err(Miss::Held(held)) => {
                    return Err(last.unwrap_or(LookupError::RateLimited { after: held.after }));
                }
            };
            let affordable = |delay: &Duration| *delay <= patience && door.retries.spend();
            let Some(delay) = retries.delay(&error, asked).filter(affordable) else {
                return Err(self.given_up(error, asked, number));
            };
            last = Some(error);
            wait(delay, &mut patience).await;
            number += 1;
        }
    }

    /// The error that the caller gets when there is no further attempt.
    fn given_up(&self, error: LookupError, asked: Option<Duration>, number: u32) -> LookupError {
        let least = if number > 1 { UNSAID_WAIT } else { Duration::from_secs(1) };
        match error {
            // "Come back in an hour" is worth more than "not now", and costs the job no attempt.
            LookupError::Unavailable { .. } if asked.is_some_and(|asked| asked > LONGEST_ASKED) => {
                LookupError::RateLimited { after: asked.unwrap_or_default() }
            }
            // It said "in a moment" and did not mean it, or "at once", which would be a loop: leave it alone.
            LookupError::RateLimited { after } if after < least => {
                self.client.pause(UNSAID_WAIT, "it said \"slow down\" again and again");
                LookupError::RateLimited { after: UNSAID_WAIT }
            }
            other => other,
        }
    }
}

/// Sleeps, and takes it off the patience that is left for waiting.
async fn wait(delay: Duration, patience: &mut Duration) {
    let begun = Instant::now();
    sleep(delay).await;
    *patience = patience.saturating_sub(begun.elapsed());
}

impl fmt::Debug for Request<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Request").field("method", &self.method).finish_non_exhaustive()
    }
}
