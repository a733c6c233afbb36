//! Answers: what was accepted, and problems after RFC 9457.
//!
//! A handler gives a [`Problem`]; the guard, which knows the request's id, writes it out.
//!
//! Invariant: nothing of a request is shown but member ids that were accepted.

use std::fmt::Write as _;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use axum::body::Body;
use axum::http::header::{ALLOW, CONTENT_TYPE, HeaderName, RETRY_AFTER, WWW_AUTHENTICATE};
use axum::http::{HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use serde::Serialize;

use super::body::Fault;
use crate::job::{Intake, Item};
use crate::keyring::incarnation;
use crate::member::MemberId;
use crate::store::{Place, PlaceStatus};

/// Faults that are told of one request; further ones are counted.
const FAULTS_TOLD: usize = 100;
/// Where every kind of problem is explained.
const PROBLEMS: &str = "https://github.com/gleaner-rs/gleaner/blob/main/docs/operate.md#";
/// What needs no escape in a path's segment (RFC 3986).
const SEGMENT: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');

pub(super) const ACCEPT_POST: HeaderName = HeaderName::from_static("accept-post");
pub(super) const ACCEPTED_TYPES: &str =
    "application/json, application/cloudevents+json, application/cloudevents-batch+json";

/// Names requests: `5f2c8a01-17`.
pub(super) struct RequestIds {
    process: String,
    last: AtomicU64,
}

impl RequestIds {
    pub(super) fn new() -> Result<Self, getrandom::Error> {
        let incarnation = incarnation()?;
        let process = incarnation.get(incarnation.len().saturating_sub(8)..).unwrap_or_default().to_owned();
        Ok(Self { process, last: AtomicU64::new(0) })
    }

    pub(super) fn next(&self) -> String {
        format!("{}-{}", self.process, self.last.fetch_add(1, Ordering::Relaxed) + 1)
    }
}

/// A request that was not done, and why.
#[derive(Clone, Debug)]
pub(super) struct Problem(Box<Told>);

#[derive(Clone, Debug)]
struct Told {
    status: StatusCode,
    kind: &'static str,
    title: &'static str,
    detail: String,
    faults: Vec<FaultBody>,
    /// Faults beyond those that are told.
    more_faults: usize,
    header: Option<(HeaderName, HeaderValue)>,
}

/// What is wrong with one registration.
#[derive(Clone, Debug, Serialize)]
struct FaultBody {
    index: usize,
    #[serde(skip_serializing_if = "Option::is_none")]
    field: Option<&'static str>,
    reason: String,
}

#[derive(Serialize)]
struct ProblemBody<'a> {
    r#type: String,
    title: &'a str,
    status: u16,
    detail: &'a str,
    request_id: &'a str,
    #[serde(skip_serializing_if = "<[FaultBody]>::is_empty")]
    errors: &'a [FaultBody],
    #[serde(skip_serializing_if = "Option::is_none")]
    more_errors: Option<usize>,
}

impl Problem {
    fn new(status: StatusCode, kind: &'static str, title: &'static str, detail: impl Into<String>) -> Self {
        let detail = detail.into();
        Self(Box::new(Told { status, kind, title, detail, faults: Vec::new(), more_faults: 0, header: None }))
    }

    fn with(mut self, name: HeaderName, value: impl TryInto<HeaderValue>) -> Self {
        self.0.header = value.try_into().ok().map(|value| (name, value));
        self
    }

    fn again_after(self, wait: Duration) -> Self {
        self.with(RETRY_AFTER, wait.as_secs().max(1).to_string())
    }

    pub(super) fn status(&self) -> StatusCode {
        self.0.status
    }

    pub(super) fn kind(&self) -> &'static str {
        self.0.kind
    }

    pub(super) fn malformed(detail: impl Into<String>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, "malformed", "The request cannot be read", detail)
    }

    pub(super) fn unauthorized(known_scheme: bool) -> Self {
        let detail =
            if known_scheme { "the token is not known here" } else { "send `Authorization: Bearer TOKEN`" };
        let challenge = if known_scheme {
            r#"Bearer realm="gleaner", error="invalid_token""#
        } else {
            r#"Bearer realm="gleaner""#
        };
        Self::new(StatusCode::UNAUTHORIZED, "unauthorized", "A valid token is needed", detail)
            .with(WWW_AUTHENTICATE, HeaderValue::from_static(challenge))
    }

    pub(super) fn cross_site() -> Self {
        let detail = "a page of another site sent this request; browsers are not served here";
        Self::new(StatusCode::FORBIDDEN, "cross-site", "Requests of other sites are refused", detail)
    }

    pub(super) fn foreign_host() -> Self {
        let detail = "the `Host` is none of this door's names; its operator lists them in `http.hosts`";
        Self::new(StatusCode::MISDIRECTED_REQUEST, "foreign-host", "The host name is not served here", detail)
    }

    pub(super) fn not_found(detail: &str) -> Self {
        Self::new(StatusCode::NOT_FOUND, "not-found", "There is nothing here", detail)
    }

    pub(super) fn slow_body() -> Self {
        let detail = "the body did not arrive in time; nothing was taken in";
        Self::new(StatusCode::REQUEST_TIMEOUT, "slow-body", "The body did not arrive in time", detail)
    }

    pub(super) fn too_large(limit: usize) -> Self {
        let detail = format!("the body may have {limit} bytes; send several requests");
        Self::new(StatusCode::PAYLOAD_TOO_LARGE, "too-large", "The body is too large", detail)
    }

    pub(super) fn too_many(count: usize, limit: usize) -> Self {
        let detail =
            format!("{count} registrations, and one request may bring {limit}; send several requests");
        Self::new(StatusCode::PAYLOAD_TOO_LARGE, "too-large", "The body is too large", detail)
    }

    pub(super) fn unsupported(detail: &str) -> Self {
        let title = "The body's type is not read here";
        let detail = format!("{detail}; accepted are {ACCEPTED_TYPES}");
        Self::new(StatusCode::UNSUPPORTED_MEDIA_TYPE, "unsupported-type", title, detail)
            .with(ACCEPT_POST, HeaderValue::from_static(ACCEPTED_TYPES))
    }

    /// Registrations that cannot be taken in: none of the request was.
    pub(super) fn unfit(faults: impl IntoIterator<Item = (usize, Fault)>) -> Self {
        let mut faults = faults.into_iter();
        let body =
            |(index, fault): (usize, Fault)| FaultBody { index, field: fault.field, reason: fault.reason };
        let told: Vec<_> = faults.by_ref().take(FAULTS_TOLD).map(body).collect();
        let more_faults = faults.count();
        let count = told.len() + more_faults;
        let detail =
            format!("{count} wrong, and nothing of the request was taken in: mend it and send it again");
        let title = "Registrations cannot be taken in";
        let mut problem = Self::new(StatusCode::UNPROCESSABLE_ENTITY, "unfit", title, detail);
        (problem.0.faults, problem.0.more_faults) = (told, more_faults);
        problem
    }

    pub(super) fn key_reused() -> Self {
        let detail = "another request came with this `Idempotency-Key`; make a new key for each request";
        let title = "The Idempotency-Key was used before";
        Self::new(StatusCode::UNPROCESSABLE_ENTITY, "key-reused", title, detail)
    }

    pub(super) fn key_under_way() -> Self {
        let detail = "a request with this `Idempotency-Key` is being worked on; ask again in a moment";
        Self::new(StatusCode::CONFLICT, "key-under-way", "The same request is under way", detail)
            .again_after(Duration::from_secs(1))
    }

    pub(super) fn locked(wait: Duration) -> Self {
        let detail = "too many requests came from this address with wrong tokens";
        Self::new(StatusCode::TOO_MANY_REQUESTS, "locked", "Too many wrong tokens", detail).again_after(wait)
    }

    pub(super) fn busy() -> Self {
        let detail = "too many requests are worked on at this moment; nothing was taken in";
        Self::new(StatusCode::TOO_MANY_REQUESTS, "busy", "Too many requests at once", detail)
            .again_after(Duration::from_secs(1))
    }

    pub(super) fn backlog() -> Self {
        let detail = "too many registrations wait to be looked up; nothing was taken in";
        Self::new(StatusCode::TOO_MANY_REQUESTS, "backlog", "Too much is waiting", detail)
            .again_after(Duration::from_secs(10))
    }

    pub(super) fn unavailable() -> Self {
        let detail = "the database does not answer; with the same `Idempotency-Key` the request can safely be sent again";
        Self::new(StatusCode::SERVICE_UNAVAILABLE, "unavailable", "The database is unavailable", detail)
            .again_after(Duration::from_secs(5))
    }

    pub(super) fn internal() -> Self {
        let detail = "the log has more under the request's id";
        Self::new(StatusCode::INTERNAL_SERVER_ERROR, "internal", "The request failed", detail)
    }

    /// The answer in full.
    pub(super) fn write(&self, request_id: &str) -> Response {
        let Self(told) = self;
        let body = ProblemBody {
            r#type: format!("{PROBLEMS}problem-{}", told.kind),
            title: told.title,
            status: told.status.as_u16(),
            detail: &told.detail,
            request_id,
            errors: &told.faults,
            more_errors: Some(told.more_faults).filter(|more| *more > 0),
        };
        let mut response = json(told.status, "application/problem+json", &body);
        if let Some((name, value)) = &told.header {
            response.headers_mut().insert(name, value.clone());
        }
        response
    }
}

/// For handlers: the guard sees the problem and writes it.
impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let mut response = Response::new(Body::empty());
        *response.status_mut() = self.status();
        response.extensions_mut().insert(self);
        response
    }
}

pub(super) fn json(status: StatusCode, content_type: &'static str, body: &impl Serialize) -> Response {
    let Ok(text) = serde_json::to_vec(body) else {
        return StatusCode::INTERNAL_SERVER_ERROR.into_response();
    };
    (status, [(CONTENT_TYPE, content_type)], text).into_response()
}

pub(super) async fn no_such_path() -> Problem {
    Problem::not_found("no such path; `/openapi.json` has them all")
}

pub(super) async fn no_such_method(uri: axum::http::Uri) -> Problem {
    let allowed = if uri.path() == "/v1/registrations" { "POST" } else { "GET,HEAD" };
    let detail = "the path is asked with another method; `/openapi.json` has them all";
    Problem::new(StatusCode::METHOD_NOT_ALLOWED, "method", "The method is not served here", detail)
        .with(ALLOW, HeaderValue::from_static(allowed))
}

/// The answer to registrations that were taken in.
#[derive(Serialize)]
struct AcceptedBody<'a> {
    registrations: Vec<AcceptedItem<'a>>,
}

#[derive(Serialize)]
struct AcceptedItem<'a> {
    member_id: &'a str,
    outcome: &'static str,
    url: String,
}

/// Says what became of registrations, in their order. `locate`: the request brought one, not an array.
pub(super) fn accepted(items: &[Item], became: &[Intake], locate: bool) -> Response {
    let item = |(item, became): (&'_ Item, &Intake)| (url(&item.registration.member), *became);
    let urls: Vec<_> = items.iter().zip(became).map(item).collect();
    let registrations = items.iter().zip(&urls).map(|(item, (url, became))| AcceptedItem {
        member_id: item.registration.member.as_str(),
        outcome: outcome(*became),
        url: url.clone(),
    });
    let body = AcceptedBody { registrations: registrations.collect() };
    let mut response = json(StatusCode::ACCEPTED, "application/json", &body);
    if locate
        && let Some((url, _)) = urls.first()
        && let Ok(location) = HeaderValue::from_str(url)
    {
        response.headers_mut().insert(axum::http::header::LOCATION, location);
    }
    response
}

/// What a caller hears. That a person must not be looked up is between them and the operator: it is answered as any
/// other acceptance (docs/decisions/0014).
const fn outcome(became: Intake) -> &'static str {
    match became {
        Intake::Queued | Intake::Suppressed => "accepted",
        Intake::Repeated => "repeated",
        Intake::Fresh => "fresh",
    }
}

fn url(member: &MemberId) -> String {
    let mut url = "/v1/registrations/".to_owned();
    let _ = write!(url, "{}", utf8_percent_encode(member.as_str(), SEGMENT));
    url
}

#[derive(Serialize)]
struct PlaceBody<'a> {
    member_id: &'a str,
    status: PlaceStatus,
    at: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    attempts: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    next_run: Option<String>,
}

pub(super) fn place(member: &MemberId, place: &Place) -> Response {
    let stamp = |at: jiff::Timestamp| format!("{at:.3}");
    let body = PlaceBody {
        member_id: member.as_str(),
        status: place.status,
        at: stamp(place.at),
        attempts: place.attempts,
        next_run: place.next_run.map(stamp),
    };
    json(StatusCode::OK, "application/json", &body)
}
