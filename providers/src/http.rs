//! The only door to the network.
//!
//! Every call of every provider passes the same gates in the same order: address guard, concurrency permit,
//! pause, quota, send, capped body, status. What a status means is the provider's own, from a common default.
//!
//! Invariant: no other file builds an HTTP client, and no answer is read without bound.

use std::num::NonZeroU32;
use std::time::Duration;

use secrecy::SecretString;
use serde::de::DeserializeOwned;
use url::Url;

use crate::clock::SharedClock;
use crate::error::LookupError;
use crate::provider::{Quota, Reach};

/// How one provider may be reached: limits, deadlines, manners.
#[derive(Clone, Debug)]
pub struct Limits {
    pub quota: Quota,
    pub reach: Reach,
    /// The origin that the operator chose (vendor's endpoint or override); always allowed.
    pub trusted: Option<Url>,
    /// Calls in flight at once.
    pub concurrency: NonZeroU32,
    /// The longest wait for our own quota inside a lookup; a longer one is answered with `RateLimited`.
    pub max_wait: Duration,
    pub connect_timeout: Duration,
    /// The longest silence while reading.
    pub read_timeout: Duration,
    /// One attempt from connect to the last byte.
    pub total_timeout: Duration,
    /// The largest body read, after decompression.
    pub max_body_bytes: usize,
    /// Attempts for one call, the first included (short retries of passing faults).
    pub attempts: u32,
}

impl Limits {
    pub fn for_quota(quota: Quota) -> Self {
        Self {
            quota,
            reach: Reach::Vendor,
            trusted: None,
            concurrency: NonZeroU32::MIN.saturating_add(7),
            max_wait: Duration::from_secs(10),
            connect_timeout: Duration::from_secs(5),
            read_timeout: Duration::from_secs(5),
            total_timeout: Duration::from_secs(15),
            max_body_bytes: 1 << 20,
            attempts: 3,
        }
    }
}

/// The connections that all providers share. Built once a process.
#[derive(Clone, Debug)]
pub struct Network {
    _private: (),
}

impl Network {
    /// `contact` is the operator's URL or address in the user agent: `Gleaner/0.1 (+contact)`.
    pub fn new(contact: Option<&str>, clock: SharedClock) -> Result<Self, NetworkError> {
        let _ = (contact, clock);
        Ok(Self { _private: () })
    }

    /// One provider's door: cheap to clone, its clones share permits, pause and quota.
    pub fn client(&self, provider: &str, limits: Limits) -> HttpClient {
        let _ = (provider, limits);
        HttpClient { _private: () }
    }
}

/// The door could not be built.
#[derive(Debug, thiserror::Error)]
#[error("cannot set up the HTTP client: {0}")]
pub struct NetworkError(pub String);

/// One provider's door to the network.
#[derive(Clone, Debug)]
pub struct HttpClient {
    _private: (),
}

impl HttpClient {
    pub fn get(&self, url: Url) -> Request<'_> {
        Request { _client: self, _url: url }
    }

    /// Today's date (UTC): the day on which an age in an answer is true.
    pub fn today(&self) -> jiff::civil::Date {
        jiff::civil::Date::constant(2026, 1, 1)
    }

    /// The same door, counting the calls of one lookup apart.
    #[must_use]
    pub fn for_one_lookup(&self) -> Self {
        self.clone()
    }

    /// How many calls left the house since [`Self::for_one_lookup`].
    pub fn calls_in_this_lookup(&self) -> u32 {
        0
    }

    /// What went through this door since the process started.
    pub fn traffic(&self) -> Traffic {
        Traffic::default()
    }
}

/// Calls counted at one door since the process started.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct Traffic {
    /// Requests sent, retries included.
    pub calls: u64,
    /// Requests sent again after a passing fault.
    pub retries: u64,
    /// Answers that said "slow down".
    pub throttled: u64,
}

/// A call being built.
#[derive(Debug)]
pub struct Request<'a> {
    _client: &'a HttpClient,
    _url: Url,
}

/// What a status means to a provider: `None` is an answer to read (a match, or a "no match" in its own words),
/// `Some` is what went wrong.
pub type StatusMeaning = fn(&Response) -> Option<LookupError>;

impl Request<'_> {
    /// Adds a query parameter, percent-encoded.
    #[must_use]
    pub fn query(self, _name: &str, _value: &str) -> Self {
        self
    }

    #[must_use]
    pub fn header(self, _name: &'static str, _value: &'static str) -> Self {
        self
    }

    /// Adds a header whose value is a secret: `prefix` and the key.
    #[must_use]
    pub fn secret_header(
        self,
        _name: &'static str,
        _prefix: &'static str,
        _secret: Option<&SecretString>,
    ) -> Self {
        self
    }

    /// Reads statuses as this provider means them, in place of [`default_meaning`].
    #[must_use]
    pub fn meaning(self, _meaning: StatusMeaning) -> Self {
        self
    }

    /// Goes through the gates.
    pub async fn send(self) -> Result<Response, LookupError> {
        std::future::ready(Err(LookupError::unavailable("not built yet"))).await
    }
}

/// The common reading of a status: 2xx and 404 are answers; 429 is "slow down"; 402 is out of credit; 401 and 403
/// deny us; 408, 425 and 5xx pass; the rest refuses the question.
pub fn default_meaning(_response: &Response) -> Option<LookupError> {
    None
}

/// An answer, read whole and capped.
#[derive(Debug)]
pub struct Response {
    _private: (),
}

impl Response {
    pub fn status(&self) -> u16 {
        0
    }

    /// A header as text, if it is there and is text.
    pub fn header(&self, _name: &str) -> Option<&str> {
        None
    }

    pub fn body(&self) -> &[u8] {
        &[]
    }

    /// Whether the body was cut at the cap.
    pub fn is_truncated(&self) -> bool {
        false
    }

    /// Where the answer came from, after redirects.
    pub fn url(&self) -> &Url {
        todo_url()
    }

    /// Reads the body as JSON; the error names line and column, never content.
    pub fn json<T: DeserializeOwned>(&self) -> Result<T, LookupError> {
        Err(LookupError::malformed("not built yet"))
    }

    /// How long the answer asks us to wait, from `Retry-After` in both forms or the common rate-limit headers.
    pub fn retry_after(&self) -> Option<Duration> {
        None
    }
}

fn todo_url() -> &'static Url {
    static URL: std::sync::OnceLock<Url> = std::sync::OnceLock::new();
    #[expect(clippy::expect_used, reason = "placeholder")]
    URL.get_or_init(|| Url::parse("http://localhost/").expect("a URL"))
}
