//! An answer, and what its status commonly means.
//!
//! Invariant: `Debug` shows status and size, never the address, a header or the body.

use std::fmt;
use std::time::Duration;

use jiff::Timestamp;
use reqwest::StatusCode;
use reqwest::header::{HeaderMap, RETRY_AFTER};
use serde::de::DeserializeOwned;
use url::Url;

use super::body::Body;
use super::headers;
use crate::error::LookupError;

/// How long to leave a provider alone that says "slow down" and not for how long.
pub(super) const UNSAID_WAIT: Duration = Duration::from_secs(30);

/// What a status means to a provider: `None` is an answer to read (a match, or a "no match" in its own words),
/// `Some` is what went wrong.
pub type StatusMeaning<'a> = Box<dyn Fn(&Response) -> Option<LookupError> + Send + Sync + 'a>;

/// The common reading of a status: 2xx and 404 are answers; 429 is "slow down"; 402 is out of credit; 401 and 403
/// deny us; 408, 425 and 5xx pass; the rest refuses the question.
pub fn default_meaning(response: &Response) -> Option<LookupError> {
    let status = response.status();
    let reason = || format!("status {status}").into();
    match status {
        200..=299 | 404 => None,
        429 => Some(LookupError::RateLimited { after: response.retry_after().unwrap_or(UNSAID_WAIT) }),
        402 => Some(LookupError::QuotaExhausted { reason: reason(), after: response.retry_after() }),
        401 | 403 => Some(LookupError::Denied { reason: reason() }),
        408 | 425 | 500..=599 => Some(LookupError::Unavailable { reason: reason() }),
        _ => Some(LookupError::Refused { reason: reason() }),
    }
}

/// An answer, read whole and capped.
pub struct Response {
    pub(super) status: StatusCode,
    pub(super) headers: HeaderMap,
    pub(super) body: Body,
    pub(super) url: Url,
    pub(super) received: Timestamp,
}

impl Response {
    pub fn status(&self) -> u16 {
        self.status.as_u16()
    }

    /// A header as text, if it is there and is text.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name)?.to_str().ok()
    }

    pub fn body(&self) -> &[u8] {
        &self.body.bytes
    }

    /// Whether the body was cut at the cap.
    pub fn is_truncated(&self) -> bool {
        self.body.is_truncated
    }

    /// Where the answer came from, after redirects.
    pub fn url(&self) -> &Url {
        &self.url
    }

    /// Reads the body as JSON; the error names line and column, never content.
    pub fn json<T: DeserializeOwned>(&self) -> Result<T, LookupError> {
        if self.is_truncated() {
            return Err(LookupError::malformed("the body is longer than we read"));
        }
        serde_json::from_slice(self.body()).map_err(|error| {
            let what = match error.classify() {
                serde_json::error::Category::Data => "JSON of another shape",
                serde_json::error::Category::Eof => "JSON that breaks off",
                serde_json::error::Category::Syntax | serde_json::error::Category::Io => "not JSON",
            };
            LookupError::malformed(format!("{what} at line {}, column {}", error.line(), error.column()))
        })
    }

    /// How long the answer asks us to wait, from `Retry-After` in both forms or the common rate-limit headers;
    /// at most 24 hours. A window with calls left asks for nothing.
    pub fn retry_after(&self) -> Option<Duration> {
        headers::wait(&self.headers, self.received)
    }

    /// How long `Retry-After` itself asks us to wait.
    pub fn told_to_wait(&self) -> Option<Duration> {
        headers::retry_after(self.header(RETRY_AFTER.as_str())?, self.received)
    }

    /// How long until calls are left again, if the answer says that this was the last one of its window.
    pub(super) fn spent_for(&self) -> Option<Duration> {
        headers::spent(&self.headers, self.received)
    }
}

impl fmt::Debug for Response {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Response")
            .field("status", &self.status())
            .field("bytes", &self.body.bytes.len())
            .field("is_truncated", &self.is_truncated())
            .finish_non_exhaustive()
    }
}
