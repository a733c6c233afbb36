//! The wire formats, one file a vendor, and the way of one call through the sandbox.
//!
//! Invariant: a vendor's file knows its words, statuses and headers; which call is refused, counted, delayed,
//! spoilt or billed is decided here, in one order for all.

pub(super) mod apollo;
pub(super) mod bluesky;
pub(super) mod enrich_so;
pub(super) mod fullcontact;
pub(super) mod fullenrich;
pub(super) mod github;
pub(super) mod gitlab;
pub(super) mod gravatar;
pub(super) mod homepage;
pub(super) mod hunter;
pub(super) mod keybase;
pub(super) mod openpgp;
pub(super) mod orcid;
pub(super) mod people_data_labs;
pub(super) mod pipl;
pub(super) mod rocketreach;
mod spoil;
pub(super) mod webfinger;
pub(super) mod wikidata;

use std::time::Duration;

use axum::body::Body;
use axum::http::header::{AUTHORIZATION, CONTENT_TYPE};
use axum::http::{HeaderMap, HeaderName, HeaderValue, Response, StatusCode};
use jiff::Timestamp;
use serde::Serialize;
use tokio::time::Instant;

use super::fault::Fault;
use super::ledger::{Answered, Call};
use super::population::{MailboxKey, Person};
use super::quota::Allowance;
use super::service::Service;
use super::world::World;
use crate::provider::{Identifier, Micros};

/// What a network says that wants somebody to sign in first.
const STRANGE_PAGE: &str = "<!doctype html><html><title>Sign in</title><body><h1>Welcome</h1></body></html>";

/// How a vendor speaks, whatever the question.
pub(super) trait Wire {
    const SERVICE: Service;
    /// A body of valid syntax whose types are not the documented ones.
    const WRONG_TYPE: &'static str;
    /// A body that cannot be read at all.
    const BROKEN_SYNTAX: &'static str;
    const CONTENT_TYPE: &'static str = "application/json; charset=utf-8";

    /// "Slow down", as a passing fault.
    fn rate_limited(retry_after_secs: u64, now: Timestamp) -> Reply;

    /// The quota is overrun.
    fn over_quota(allowance: Allowance, now: Timestamp) -> Reply;

    fn server_error() -> Reply;

    /// What its headers tell of the quota.
    fn quota_headers(allowance: Allowance, now: Timestamp, headers: &mut HeaderMap);
}

/// One question, as it was put.
pub(super) struct Question<'a> {
    /// Which of the vendor's calls it is.
    pub(super) operation: &'static str,
    pub(super) told: Identifier,
    pub(super) identifier: &'a str,
    pub(super) mailbox: Option<MailboxKey>,
}

/// One answer, before anything befalls it.
pub(super) struct Reply {
    pub(super) status: StatusCode,
    pub(super) answered: Answered,
    pub(super) headers: HeaderMap,
    pub(super) body: Vec<u8>,
}

impl Reply {
    pub(super) fn new(status: StatusCode, answered: Answered, body: impl Into<Vec<u8>>) -> Self {
        Self { status, answered, headers: HeaderMap::new(), body: body.into() }
    }

    pub(super) fn json(status: StatusCode, answered: Answered, body: &impl Serialize) -> Self {
        // Our own types always serialise; an empty body would show at once in the snapshots.
        Self::new(status, answered, serde_json::to_vec(body).unwrap_or_default())
    }

    pub(super) fn refused(status: StatusCode, body: impl Into<Vec<u8>>) -> Self {
        Self::new(status, Answered::Refused, body)
    }

    #[must_use]
    pub(super) fn with_header(mut self, name: &'static str, value: impl Into<HeaderValue>) -> Self {
        self.headers.insert(HeaderName::from_static(name), value.into());
        self
    }
}

/// Takes one call through: refusal, quota, fault, answer, ledger, latency.
pub(super) async fn exchange<W: Wire>(
    world: &World,
    question: Question<'_>,
    refusal: Option<Reply>,
    answer: impl FnOnce() -> Reply + Send,
) -> Response<Body> {
    let now = world.clock.now();
    let Question { operation, told, identifier, mailbox } = question;
    let refused = refusal.is_some();
    let mut latency = Duration::ZERO;
    let mut fault = None;
    let mut reply = if let Some(refusal) = refusal {
        refusal
    } else {
        let allowance = world.quotas.take(W::SERVICE, Instant::now());
        let mut reply = if allowance.granted {
            let fate = world.fates.next(W::SERVICE, operation, identifier, mailbox);
            latency = Duration::from_millis(fate.latency_ms);
            fault = fate.fault;
            match fault {
                Some(Fault::RateLimited) => W::rate_limited(world.retry_after_secs, now),
                Some(Fault::ServerError) => W::server_error(),
                Some(Fault::WrongType) => Reply::new(StatusCode::OK, Answered::Refused, W::WRONG_TYPE),
                Some(Fault::BrokenSyntax) => Reply::new(StatusCode::OK, Answered::Refused, W::BROKEN_SYNTAX),
                Some(Fault::Empty) => Reply::new(StatusCode::OK, Answered::Refused, ""),
                Some(Fault::StrangePage) => Reply::new(StatusCode::OK, Answered::Refused, STRANGE_PAGE)
                    .with_header("content-type", HeaderValue::from_static("text/html")),
                // Given, and spoilt on the way.
                Some(
                    Fault::Timeout
                    | Fault::Truncated
                    | Fault::SlowDrip
                    | Fault::Oversized
                    | Fault::Dropped
                    | Fault::Hostile,
                )
                | None => answer(),
            }
        } else {
            W::over_quota(allowance, now)
        };
        W::quota_headers(allowance, now, &mut reply.headers);
        reply
    };
    let billed = if refused { Micros::ZERO } else { bill(world, W::SERVICE, fault, reply.answered) };
    world.ledger.push(Call {
        service: W::SERVICE,
        told,
        identifier: identifier.into(),
        answered: fault.map_or(reply.answered, Answered::Fault),
        status: if matches!(fault, Some(Fault::Timeout | Fault::Dropped)) {
            0
        } else {
            reply.status.as_u16()
        },
        billed,
    });
    reply.headers.entry(CONTENT_TYPE).or_insert(HeaderValue::from_static(W::CONTENT_TYPE));
    if !latency.is_zero() {
        world.rest(latency).await;
    }
    spoil::send(world, reply, fault).await
}

/// What the vendor bills: an answer that is lost or spoilt on the way was still given, and one that never came was not.
fn bill(world: &World, service: Service, fault: Option<Fault>, answered: Answered) -> Micros {
    let (per_match, per_miss) = world.price(service);
    match answered {
        _ if fault == Some(Fault::Timeout) => Micros::ZERO,
        Answered::Match => per_match,
        Answered::NoMatch => per_miss,
        _ => Micros::ZERO,
    }
}

/// The token of an `Authorization: Bearer …` (or GitHub's `token …`) header.
fn bearer(headers: &HeaderMap) -> Option<&str> {
    let value = headers.get(AUTHORIZATION)?.to_str().ok()?;
    let (scheme, token) = value.split_once(' ')?;
    (scheme.eq_ignore_ascii_case("bearer") || scheme.eq_ignore_ascii_case("token")).then_some(token)
}

/// A header as text.
fn header<'h>(headers: &'h HeaderMap, name: &str) -> Option<&'h str> {
    headers.get(name)?.to_str().ok()
}

/// The address of the person's profile on this network.
fn url_on<'p>(person: &'p Person, network: &str) -> Option<&'p str> {
    person.account(network).map(|account| account.url.as_str())
}

/// The person's account name on this network.
fn handle_on<'p>(person: &'p Person, network: &str) -> Option<&'p str> {
    person.account(network).map(|account| account.handle.as_str())
}

/// The first value of a query parameter.
pub(super) fn parameter(query: Option<&str>, name: &str) -> Option<String> {
    let pairs = url::form_urlencoded::parse(query.unwrap_or_default().as_bytes());
    pairs.into_iter().find(|(key, _)| key == name).map(|(_, value)| value.into_owned())
}
