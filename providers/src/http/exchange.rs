//! One attempt: through the gates, out, and back with an answer; redirects are further calls through the same gates.
//!
//! Invariant: nothing is sent that `guard` has not judged, no hop leaves without its turn, and a secret never
//! follows a redirect to another origin.

use std::time::Duration;

use reqwest::header::{HeaderMap, LOCATION};
use reqwest::{Method, StatusCode};
use tokio::time::{Instant, timeout_at};
use url::Url;

use super::body::{self, Allowance, Body};
use super::guard::{self, Route};
use super::headers::LONGEST_WAIT;
use super::manners::Visit;
use super::request::Errand;
use super::{Door, Request, Response, count, fault, permission, trail};
use crate::error::LookupError;
use crate::limit::{Held, Pass};
use crate::provider::Reach;
use crate::retry::spread_out;
use crate::robots;

/// Why an attempt brought no answer.
#[derive(Debug)]
pub(super) enum Miss {
    /// It did not leave: a gate would hold it for too long.
    Held(Held),
    /// It failed. The server may have asked for a wait, or have given an answer that was lost on its way.
    Failed { error: LookupError, asked: Option<Duration>, is_lost: bool },
}

/// Why a call and its redirects did not come to an answer.
#[derive(Debug)]
pub(super) enum Halt {
    /// Nothing left: a gate would hold it for too long.
    Held(Held),
    /// A gate would hold a redirect for too long.
    Stranded,
    /// The site has had all the calls that we make to it in a day.
    Spent,
    Failed(LookupError),
    /// The question left, and its answer did not arrive.
    Lost(LookupError),
}

impl From<LookupError> for Halt {
    fn from(error: LookupError) -> Self {
        Self::Failed(error)
    }
}

impl From<LookupError> for Miss {
    fn from(error: LookupError) -> Self {
        Self::Failed { error, asked: None, is_lost: false }
    }
}

impl From<Halt> for Miss {
    fn from(halt: Halt) -> Self {
        match halt {
            Halt::Held(held) => Self::Held(held),
            // Not `Held`, which costs no attempt: a chain longer than the quota would be begun anew for ever.
            Halt::Stranded => LookupError::unavailable("no quota left to follow a redirect").into(),
            Halt::Spent => {
                LookupError::Forbidden { reason: "the site has been asked often enough today".into() }.into()
            }
            Halt::Failed(error) => error.into(),
            Halt::Lost(error) => Self::Failed { error, asked: None, is_lost: true },
        }
    }
}

/// One attempt, with every gate in its order. Takes what it waited off `patience`.
pub(super) async fn attempt(
    request: &Request<'_>,
    number: u32,
    patience: &mut Duration,
) -> Result<Response, Miss> {
    let door = &*request.client.door;
    let route = guard::route(&request.url, &door.limits)?;
    let (begun, patience_before) = (Instant::now(), *patience);
    let followed = match follow(request, route, patience).await.map_err(Miss::from) {
        Err(Miss::Held(held)) => return Err(Miss::Held(held)),
        followed => followed,
    };
    if number == 1 {
        door.retries.earn();
    } else {
        count(&door.counters.retries);
    }
    let outcome = followed.and_then(|response| judge(request, response));
    if let Err(Miss::Failed { error, .. }) = &outcome {
        request.client.note("failed", || error.to_string());
    }
    let waited = patience_before.saturating_sub(*patience);
    report(door, &outcome, number, begun.elapsed().saturating_sub(waited));
    outcome
}

/// Sends, and follows redirects until there is an answer.
pub(super) async fn follow(
    request: &Request<'_>,
    route: Route,
    patience: &mut Duration,
) -> Result<Response, Halt> {
    let door = &*request.client.door;
    let allowance = Allotment::of(request);
    let mut deadline = Instant::now() + allowance.time;
    let mut hop = Hop { url: request.url.clone(), route, takes_secrets: true };
    let mut visited = Vec::new();
    loop {
        let begun = Instant::now();
        let leave = leave(request, &hop, visited.is_empty(), patience).await;
        let leave = leave.map_err(|halt| match halt {
            Halt::Held(_) if !visited.is_empty() => Halt::Stranded,
            other => other,
        })?;
        // Waiting for a turn is bounded by the patience, and takes nothing from the time for the exchange.
        deadline += begun.elapsed();
        let response = send(request, &hop, allowance.body_bytes, deadline).await?;
        drop(leave);
        let Some(target) = redirect_target(request, &response) else { return Ok(response) };
        if visited.len() == allowance.redirects {
            return Err(refused("too many redirects"));
        }
        let next = judge_hop(door, &hop, target)?;
        visited.push(std::mem::replace(&mut hop, next).url);
        if visited.contains(&hop.url) {
            return Err(refused("a redirect in a circle"));
        }
    }
}

/// What one errand may take.
struct Allotment {
    redirects: usize,
    body_bytes: usize,
    time: Duration,
}

impl Allotment {
    fn of(request: &Request<'_>) -> Self {
        let limits = &request.client.door.limits;
        match request.errand {
            Errand::Page => {
                Self { redirects: 3, body_bytes: limits.max_body_bytes, time: limits.total_timeout }
            }
            // RFC 9309 sections 2.3.1.2 and 2.5. A byte more than is read shows whether the last line is whole.
            Errand::Robots => Self {
                redirects: 5,
                body_bytes: robots::MOST_BYTES + 1,
                time: limits.total_timeout.min(permission::FETCH_TIMEOUT),
            },
        }
    }
}

/// Leave to make one call, given back when it is over.
struct Leave<'a> {
    _visit: Option<Visit>,
    _pass: Pass<'a>,
}

/// Waits until every gate lets the call pass: the site's rules, our turn at the site, our own permits and quota. The
/// quota comes last, so that it is judged when the call really leaves; whoever waits at a site holds no permit.
async fn leave<'a>(
    request: &Request<'a>,
    hop: &Hop,
    is_first: bool,
    patience: &mut Duration,
) -> Result<Leave<'a>, Halt> {
    let door = &*request.client.door;
    let mut crawl_delay = None;
    if let Some(manners) = &door.manners
        && request.errand == Errand::Page
    {
        let delay = manners.permissions.ask(request, hop, patience).await?;
        // A redirect belongs to the page before it.
        crawl_delay = is_first.then_some(delay);
    }
    let begun = Instant::now();
    let mut visit = match &door.manners {
        Some(manners) if hop.route == Route::Guarded => {
            Some(manners.visit(&hop.url, crawl_delay, *patience).await?)
        }
        _ => None,
    };
    *patience = patience.saturating_sub(begun.elapsed());
    let begun = Instant::now();
    let entered = door.limiter.enter(*patience).await;
    *patience = patience.saturating_sub(begun.elapsed());
    let pass = entered.map_err(Halt::Held)?;
    visit.iter_mut().for_each(Visit::leave);
    Ok(Leave { _visit: visit, _pass: pass })
}

/// Where to send next, and what may go along.
#[derive(Debug)]
pub(super) struct Hop {
    pub(super) url: Url,
    pub(super) route: Route,
    pub(super) takes_secrets: bool,
}

/// The URL that a redirect names, whatever it is; `None` for an answer.
fn redirect_target(request: &Request<'_>, response: &Response) -> Option<Result<Url, url::ParseError>> {
    let is_redirect = matches!(
        response.status,
        StatusCode::MOVED_PERMANENTLY
            | StatusCode::FOUND
            | StatusCode::SEE_OTHER
            | StatusCode::TEMPORARY_REDIRECT
            | StatusCode::PERMANENT_REDIRECT
    );
    if !is_redirect || request.method != Method::GET {
        return None;
    }
    let location = response.header(LOCATION.as_str())?;
    Some(response.url.join(location))
}

/// The next hop, if it may be taken from the one before it.
pub(super) fn judge_hop(door: &Door, from: &Hop, target: Result<Url, url::ParseError>) -> Result<Hop, Halt> {
    let mut url = target.map_err(|_| LookupError::malformed("a redirect to no URL"))?;
    url.set_fragment(None);
    if from.url.scheme() == "https" && url.scheme() != "https" {
        return Err(refused("a redirect from https to http"));
    }
    let route = guard::route(&url, &door.limits)?;
    // What the operator allows us is not allowed to strangers: the origin may lie in a private network.
    if from.route == Route::Guarded && route == Route::Trusted {
        return Err(refused("a stranger's redirect to the operator's own origin"));
    }
    let takes_secrets = from.takes_secrets && guard::same_origin(&from.url, &url);
    Ok(Hop { url, route, takes_secrets })
}

fn refused(reason: &'static str) -> Halt {
    LookupError::Forbidden { reason: reason.into() }.into()
}

/// Sends one request and reads its answer.
async fn send(
    request: &Request<'_>,
    hop: &Hop,
    body_bytes: usize,
    deadline: Instant,
) -> Result<Response, Halt> {
    let door = &*request.client.door;
    let limits = &door.limits;
    let client = match hop.route {
        Route::Trusted => door.network.vendors(),
        Route::Guarded => door.web()?,
    };
    let mut outgoing = reqwest::Request::new(request.method.clone(), hop.url.clone());
    *outgoing.headers_mut() = headers(&request.headers, hop.takes_secrets);
    *outgoing.body_mut() = request.body.clone().map(Into::into);

    request.client.count_call();
    request.client.note("sent", || format!("{} {}", request.method, hop.url));
    trail::shown(outgoing.headers()).for_each(|header| request.client.note("header", || header));
    let begun = Instant::now();
    let silence_ends = Instant::now() + limits.connect_timeout + limits.read_timeout;
    let mut answer = match timeout_at(silence_ends.min(deadline), client.execute(outgoing)).await {
        Ok(Ok(answer)) => answer,
        Ok(Err(error)) => {
            let found = fault::while_sending(&error, hop.route);
            if fault::had_left(&error) {
                return Err(Halt::Lost(found));
            }
            // Nothing of it was heard.
            request.client.count_answer();
            return Err(found.into());
        }
        Err(_) => return Err(Halt::Lost(LookupError::unavailable("timed out while waiting for an answer"))),
    };
    if hop.route == Route::Guarded {
        judge_peer(&answer, door)?;
    }
    let allowance = Allowance { bytes: body_bytes, silence: limits.read_timeout, deadline };
    let body = if answer.status().is_redirection() {
        Body::default()
    } else {
        body::read(&mut answer, allowance).await.map_err(Halt::Lost)?
    };
    request.client.count_answer();
    let response = Response {
        status: answer.status(),
        headers: std::mem::take(answer.headers_mut()),
        body,
        url: hop.url.clone(),
        received: request.client.now(),
    };
    request.client.note("answer", || {
        let kind = response.header("content-type").unwrap_or("no content type");
        let cut = if response.is_truncated() { ", cut at the cap" } else { "" };
        let (status, bytes, took) = (response.status(), response.body().len(), begun.elapsed().as_millis());
        format!("status {status}, {bytes} bytes{cut}, {kind}, after {took} ms")
    });
    Ok(response)
}

impl Door {
    /// The client for guarded calls.
    fn web(&self) -> Result<&reqwest::Client, LookupError> {
        if let Some(client) = self.guarded.get() {
            return Ok(client);
        }
        let client = self
            .network
            .web(&self.limits.nets)
            .map_err(|_| LookupError::unavailable("cannot set up the HTTP client"))?;
        Ok(self.guarded.get_or_init(|| client))
    }
}

fn headers(all: &HeaderMap, takes_secrets: bool) -> HeaderMap {
    let mut headers = all.clone();
    if !takes_secrets {
        let secret: Vec<_> =
            all.iter().filter(|(_, value)| value.is_sensitive()).map(|(name, _)| name.clone()).collect();
        for name in secret {
            headers.remove(name);
        }
    }
    headers
}

/// The address that really answered, judged once more: the resolver has done so already, and a second look is
/// cheaper than trusting that it always will.
fn judge_peer(answer: &reqwest::Response, door: &Door) -> Result<(), LookupError> {
    let peer = answer.remote_addr().ok_or_else(|| LookupError::unavailable("unknown peer address"))?;
    let admitted = door.limits.nets.admit(peer.ip());
    admitted.map_err(|refusal| LookupError::Forbidden { reason: refusal.reason().into() })
}

/// Reads the status as the provider means it, and lets the limiter know what was learnt.
fn judge(request: &Request<'_>, response: Response) -> Result<Response, Miss> {
    let door = &*request.client.door;
    let error = match (request.meaning)(&response) {
        Some(LookupError::RateLimited { after }) => {
            Some(LookupError::RateLimited { after: after.min(LONGEST_WAIT) })
        }
        other => other,
    };
    let (pause, why, asked) = match &error {
        Some(LookupError::RateLimited { after }) => {
            count(&door.counters.throttled);
            (Some(*after), "it said \"slow down\"", response.retry_after())
        }
        // Only what it says outright: that its window begins anew in an hour does not mean that it is down till then.
        Some(LookupError::Unavailable { .. }) => {
            (response.told_to_wait(), "it is down and asked for a pause", response.told_to_wait())
        }
        _ => (response.spent_for(), "it said that the quota is spent", None),
    };
    // One stranger's "slow down" must not stop the lookups of all others.
    if let Some(wait) = pause.filter(|_| door.limits.reach == Reach::Vendor) {
        door.limiter.pause(spread_out(wait), why);
    }
    match error {
        None => Ok(response),
        Some(error) => Err(Miss::Failed { error, asked, is_lost: false }),
    }
}

/// Tells the trace what came of an attempt: provider, status, duration; never the address or the body.
fn report(door: &Door, outcome: &Result<Response, Miss>, number: u32, took: Duration) {
    let duration_ms = u64::try_from(took.as_millis()).unwrap_or(u64::MAX);
    match outcome {
        Ok(response) => tracing::debug!(
            provider.name = &*door.provider,
            http.status = response.status(),
            attempt.number = number,
            duration_ms,
            "provider answered"
        ),
        Err(Miss::Failed { error, .. }) => tracing::debug!(
            provider.name = &*door.provider,
            error.class = error.class(),
            %error,
            attempt.number = number,
            duration_ms,
            "provider call failed"
        ),
        Err(Miss::Held(_)) => {}
    }
}
