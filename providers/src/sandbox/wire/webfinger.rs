//! `WebFinger` at every domain, and the actor that it leads to: `GET /webfinger/{domain}/.well-known/webfinger`.
//!
//! Invariant: the links lead back to this sandbox; an account's wishes are flags in the actor, as Mastodon sends them.

use std::sync::Arc;

use axum::Router;
use axum::body::Body;
use axum::extract::{Path, RawQuery, State};
use axum::http::header::HOST;
use axum::http::{HeaderMap, Response, StatusCode};
use axum::response::IntoResponse as _;
use axum::routing::get;
use jiff::Timestamp;
use serde_json::{Value, json};

use super::{Question, Reply, Wire, exchange, parameter};
use crate::provider::Identifier;
use crate::sandbox::draw;
use crate::sandbox::ledger::Answered;
use crate::sandbox::population::{Account, Asked, Distortion, Portrait};
use crate::sandbox::quota::Allowance;
use crate::sandbox::service::Service;
use crate::sandbox::world::World;

/// The fields that Mastodon lets people fill.
const FIELDS: usize = 4;

pub(in crate::sandbox) fn routes() -> Router<Arc<World>> {
    Router::new()
        .route("/webfinger/{domain}/.well-known/webfinger", get(finger))
        .route("/webfinger/{domain}/.well-known/robots.txt", get(|| async { StatusCode::NOT_FOUND }))
        .route("/webfinger/{domain}/users/robots.txt", get(|| async { StatusCode::NOT_FOUND }))
        .route("/webfinger/{domain}/users/{name}", get(actor))
}

struct WebFinger;

impl Wire for WebFinger {
    const SERVICE: Service = Service::Webfinger;
    const WRONG_TYPE: &'static str =
        r#"{"subject":7,"links":{"rel":"self"},"type":["Person"],"name":[["Ada"]]}"#;
    const BROKEN_SYNTAX: &'static str = r#"{"subject":"acct:ada@example.com","links":[{"rel":"#;
    const CONTENT_TYPE: &'static str = "application/jrd+json; charset=utf-8";

    fn rate_limited(retry_after_secs: u64, _now: Timestamp) -> Reply {
        Reply::new(StatusCode::TOO_MANY_REQUESTS, Answered::OverQuota, r#"{"error":"Too many requests"}"#)
            .with_header("retry-after", retry_after_secs)
    }

    fn over_quota(allowance: Allowance, now: Timestamp) -> Reply {
        Self::rate_limited(allowance.resets_in.as_secs().saturating_add(1), now)
    }

    fn server_error() -> Reply {
        let body = r#"{"error":"Internal server error"}"#;
        Reply::new(StatusCode::INTERNAL_SERVER_ERROR, Answered::Refused, body)
    }

    fn quota_headers(_allowance: Allowance, _now: Timestamp, _headers: &mut HeaderMap) {}
}

fn unknown() -> Reply {
    Reply::new(StatusCode::NOT_FOUND, Answered::NoMatch, "")
}

async fn finger(
    State(world): State<Arc<World>>,
    Path(domain): Path<String>,
    RawQuery(query): RawQuery,
    headers: HeaderMap,
) -> Response<Body> {
    let resource = parameter(query.as_deref(), "resource").unwrap_or_default();
    let address = resource.strip_prefix("acct:").unwrap_or_default();
    let asked = Asked::by_address(address);
    let refusal = address.is_empty().then(|| Reply::refused(StatusCode::BAD_REQUEST, ""));
    let question = Question {
        operation: "finger",
        told: Identifier::Address,
        identifier: address,
        mailbox: Some(asked.key),
    };
    exchange::<WebFinger>(&world, question, refusal, || {
        let host = headers.get(HOST).and_then(|host| host.to_str().ok()).unwrap_or_default();
        let name = address.split('@').next().unwrap_or_default();
        let portrait = world.population.portrait(Service::Webfinger, asked);
        portrait.as_ref().and_then(|portrait| portrait.person.account("mastodon")).map_or_else(unknown, |account| {
            let jrd = json!({
                "subject": resource,
                "aliases": [account.url],
                "links": [
                    {"rel": "http://webfinger.net/rel/profile-page", "type": "text/html", "href": account.url},
                    {"rel": "self", "type": "application/activity+json",
                     "href": format!("http://{host}/webfinger/{domain}/users/{name}")},
                ],
            });
            Reply::json(StatusCode::OK, Answered::Match, &jrd)
        })
    })
    .await
}

async fn actor(
    State(world): State<Arc<World>>,
    Path((domain, name)): Path<(String, String)>,
) -> Response<Body> {
    let address = format!("{name}@{domain}");
    let asked = Asked::by_address(&address);
    let question = Question {
        operation: "actor",
        told: Identifier::Handle,
        identifier: &address,
        mailbox: Some(asked.key),
    };
    exchange::<WebFinger>(&world, question, None, || {
        let portrait = world.population.portrait(Service::Webfinger, asked);
        let Some(portrait) = portrait else { return unknown() };
        if portrait.has(Distortion::SignedOnly) {
            let body = r#"{"error":"Request not signed"}"#;
            return Reply::refused(StatusCode::UNAUTHORIZED, body);
        }
        portrait.person.account("mastodon").map_or_else(unknown, |account| {
            Reply::json(StatusCode::OK, Answered::Match, &document(&portrait, account))
        })
    })
    .await
    .into_response()
}

fn document(portrait: &Portrait, account: &Account) -> Value {
    let person = &portrait.person;
    let mut rng = draw::stream(0, "actor", &[account.handle.as_bytes()]);
    let nickname = person.name.nickname(&mut rng);
    let name = if portrait.has(Distortion::Nickname) { nickname } else { person.name.full.clone() };
    let name = if rng.u8(..5) == 0 { format!("{name} :verified:") } else { name };
    let elsewhere = person.accounts.iter().filter(|account| account.network != "mastodon").take(FIELDS);
    let fields: Vec<Value> = elsewhere.map(field).collect();
    let may_be_found = !portrait.has(Distortion::AsksToBeLeftOut);
    json!({
        "@context": ["https://www.w3.org/ns/activitystreams", "https://w3id.org/security/v1"],
        "id": account.url.replace("/@", "/users/"),
        "type": "Person",
        "preferredUsername": account.handle,
        "name": name,
        "summary": "<p>Hi</p>",
        "url": account.url,
        "published": "2019-11-10T00:00:00Z",
        "discoverable": may_be_found,
        "indexable": may_be_found,
        "memorial": false,
        "attachment": fields,
    })
}

fn field(account: &Account) -> Value {
    let shown = account.url.trim_start_matches("https://");
    let value = format!(
        "<a href=\"{}\" target=\"_blank\" rel=\"nofollow noopener me\" translate=\"no\">\
         <span class=\"invisible\">https://</span><span class=\"\">{shown}</span></a>",
        account.url
    );
    json!({"type": "PropertyValue", "name": account.network, "value": value})
}
