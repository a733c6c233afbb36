//! Personal pages: `GET /homepage/{domain}/`, and the site's `robots.txt`.
//!
//! Invariant: everything that comes from a name is escaped; a `robots.txt` is not a lookup and not in the ledger.

mod html;

use std::sync::Arc;

use axum::Router;
use axum::body::Body;
use axum::extract::{Path, State};
use axum::http::{HeaderMap, HeaderValue, Response, StatusCode};
use axum::response::IntoResponse as _;
use axum::routing::get;
use jiff::Timestamp;

use super::{Question, Reply, Wire, exchange};
use crate::provider::Identifier;
use crate::sandbox::ledger::Answered;
use crate::sandbox::population::{Layout, MailboxKey};
use crate::sandbox::quota::Allowance;
use crate::sandbox::service::Service;
use crate::sandbox::world::World;

pub(in crate::sandbox) fn routes() -> Router<Arc<World>> {
    Router::new()
        .route("/homepage/{domain}", get(page))
        .route("/homepage/{domain}/", get(page))
        .route("/homepage/{domain}/robots.txt", get(robots))
        .route("/robots.txt", get(|| async { "User-agent: *\nAllow: /\n" }))
}

struct Homepage;

impl Wire for Homepage {
    const SERVICE: Service = Service::Homepage;
    const WRONG_TYPE: &'static str = "<!doctype html><script type=\"application/ld+json\">{\"@type\":{\"a\":1},\"name\":[[]],\
         \"birthDate\":1987.5,\"sameAs\":{\"x\":null}}</script>";
    const BROKEN_SYNTAX: &'static str = "<!doctype html><div class=\"h-card\"><a class=p-name href=\"><table><tr><script type=\"application/ld+json\">\
         {\"@type\":\"Person\",\"name\":\"Ada";
    const CONTENT_TYPE: &'static str = "text/html; charset=utf-8";

    fn rate_limited(retry_after_secs: u64, _now: Timestamp) -> Reply {
        Reply::new(StatusCode::TOO_MANY_REQUESTS, Answered::OverQuota, "<!doctype html><title>429</title>")
            .with_header("retry-after", retry_after_secs)
    }

    fn over_quota(allowance: Allowance, now: Timestamp) -> Reply {
        Self::rate_limited(allowance.resets_in.as_secs().saturating_add(1), now)
    }

    fn server_error() -> Reply {
        let body = "<!doctype html><title>500 Internal Server Error</title>";
        Reply::new(StatusCode::INTERNAL_SERVER_ERROR, Answered::Refused, body)
    }

    fn quota_headers(_allowance: Allowance, _now: Timestamp, _headers: &mut HeaderMap) {}
}

async fn page(State(world): State<Arc<World>>, Path(domain): Path<String>) -> Response<Body> {
    let mailbox = MailboxKey::of_address(&format!("me@{domain}"));
    let question =
        Question { operation: "page", told: Identifier::Domain, identifier: &domain, mailbox: Some(mailbox) };
    exchange::<Homepage>(&world, question, None, || {
        let Some(page) = world.population.page(&domain) else {
            let body = "<!doctype html><title>404 Not Found</title><h1>Not Found</h1>";
            return Reply::new(StatusCode::NOT_FOUND, Answered::NoMatch, body);
        };
        let answered = if page.people.is_empty() { Answered::NoMatch } else { Answered::Match };
        let reply = Reply::new(StatusCode::OK, answered, html::render(&page));
        if page.layout == Layout::NoIndex {
            return reply.with_header("x-robots-tag", HeaderValue::from_static("noindex, noai"));
        }
        reply
    })
    .await
}

async fn robots(State(world): State<Arc<World>>, Path(domain): Path<String>) -> Response<Body> {
    match world.population.page(&domain).map(|page| page.layout) {
        None => StatusCode::NOT_FOUND.into_response(),
        Some(Layout::Disallowed) => "User-agent: *\nDisallow: /\n".into_response(),
        Some(_) => "User-agent: *\nDisallow: /private/\n".into_response(),
    }
}
