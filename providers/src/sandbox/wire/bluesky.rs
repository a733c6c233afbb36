//! Bluesky's public `AppView`: `GET /xrpc/app.bsky.actor.getProfile?actor={handle}`.
//!
//! Invariant: a miss is a 400 that says so; who asks not to be shown to strangers is shown with a label that says so.

use std::sync::Arc;

use axum::Router;
use axum::body::Body;
use axum::extract::{RawQuery, State};
use axum::http::{HeaderMap, HeaderValue, Response, StatusCode};
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

pub(in crate::sandbox) fn routes() -> Router<Arc<World>> {
    Router::new().route("/bluesky/xrpc/app.bsky.actor.getProfile", get(profile))
}

struct Bluesky;

impl Wire for Bluesky {
    const SERVICE: Service = Service::Bluesky;
    const WRONG_TYPE: &'static str =
        r#"{"did":7,"handle":["ada"],"displayName":{"text":"Ada"},"labels":"none"}"#;
    const BROKEN_SYNTAX: &'static str = r#"{"did":"did:plc:testdouble","handle":"ada.bsky"#;

    fn rate_limited(retry_after_secs: u64, _now: Timestamp) -> Reply {
        Reply::new(StatusCode::TOO_MANY_REQUESTS, Answered::OverQuota, TOO_MANY)
            .with_header("retry-after", retry_after_secs)
    }

    fn over_quota(_allowance: Allowance, _now: Timestamp) -> Reply {
        Reply::new(StatusCode::TOO_MANY_REQUESTS, Answered::OverQuota, TOO_MANY)
    }

    fn server_error() -> Reply {
        let body = r#"{"error":"InternalServerError","message":"Internal Server Error"}"#;
        Reply::new(StatusCode::INTERNAL_SERVER_ERROR, Answered::Refused, body)
    }

    fn quota_headers(allowance: Allowance, now: Timestamp, headers: &mut HeaderMap) {
        let reset = now.as_second().saturating_add_unsigned(allowance.resets_in.as_secs().saturating_add(1));
        headers.insert("ratelimit-limit", allowance.limit.into());
        headers.insert("ratelimit-remaining", allowance.remaining.into());
        headers.insert("ratelimit-reset", HeaderValue::from(reset));
    }
}

const TOO_MANY: &str = r#"{"error":"RateLimitExceeded","message":"Rate Limit Exceeded"}"#;
const NOT_FOUND: &str = r#"{"error":"InvalidRequest","message":"Profile not found"}"#;
const NO_ACTOR: &str =
    r#"{"error":"InvalidRequest","message":"Error: Params must have the property \"actor\""}"#;

async fn profile(State(world): State<Arc<World>>, RawQuery(query): RawQuery) -> Response<Body> {
    let actor = parameter(query.as_deref(), "actor").unwrap_or_default();
    let refusal = actor.is_empty().then(|| Reply::refused(StatusCode::BAD_REQUEST, NO_ACTOR));
    let mailbox =
        actor.strip_suffix(".bsky.social").and_then(|login| world.population.mailbox_of_login(login));
    let question = Question { operation: "profile", told: Identifier::Handle, identifier: &actor, mailbox };
    exchange::<Bluesky>(&world, question, refusal, || {
        let portrait =
            mailbox.and_then(|key| world.population.portrait(Service::Bluesky, Asked::by_key(key)));
        let shown = portrait.as_ref().and_then(|shown| Some((shown, shown.person.account("bluesky")?)));
        match shown {
            None => Reply::new(StatusCode::BAD_REQUEST, Answered::NoMatch, NOT_FOUND),
            Some((portrait, account)) => {
                Reply::json(StatusCode::OK, Answered::Match, &view(portrait, account))
            }
        }
    })
    .await
}

fn view(portrait: &Portrait, account: &Account) -> Value {
    let person = &portrait.person;
    let mut rng = draw::stream(0, "bluesky profile", &[account.handle.as_bytes()]);
    let nickname = person.name.nickname(&mut rng);
    let display_name = if portrait.has(Distortion::NullName) {
        String::new()
    } else if portrait.has(Distortion::Nickname) {
        nickname
    } else {
        person.name.full.clone()
    };
    let did: String = (0..24).map(|_| rng.char('a'..='z')).collect();
    let did = format!("did:plc:{did}");
    let labels = if portrait.has(Distortion::AsksToBeLeftOut) {
        json!([{"src": did, "val": "!no-unauthenticated", "cts": "2024-01-01T00:00:00.000Z"}])
    } else {
        json!([])
    };
    json!({
        "did": did,
        "handle": account.handle,
        "displayName": display_name,
        "description": person.job_title,
        "followersCount": rng.u32(..2000),
        "followsCount": rng.u32(..300),
        "postsCount": rng.u32(..5000),
        "indexedAt": "2026-01-01T00:00:00.000Z",
        "createdAt": "2024-01-01T00:00:00.000Z",
        "labels": labels,
    })
}
