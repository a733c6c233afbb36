//! Keybase: `GET /_/api/1.0/user/lookup.json?github={login}`.
//!
//! Invariant: HTTP says 200 whatever came of it, and `them` holds a null for an account that nobody has proven.

use std::sync::Arc;

use axum::Router;
use axum::body::Body;
use axum::extract::{RawQuery, State};
use axum::http::{HeaderMap, Response, StatusCode};
use axum::routing::get;
use jiff::Timestamp;
use serde_json::{Value, json};

use super::{Question, Reply, Wire, exchange, parameter};
use crate::provider::Identifier;
use crate::sandbox::ledger::Answered;
use crate::sandbox::population::{Account, Asked, Distortion, Portrait};
use crate::sandbox::quota::Allowance;
use crate::sandbox::service::Service;
use crate::sandbox::world::World;

pub(in crate::sandbox) fn routes() -> Router<Arc<World>> {
    Router::new().route("/keybase/_/api/1.0/user/lookup.json", get(lookup))
}

struct Keybase;

impl Wire for Keybase {
    const SERVICE: Service = Service::Keybase;
    const WRONG_TYPE: &'static str = r#"{"status":"OK","them":{"basics":["adaexample"]}}"#;
    const BROKEN_SYNTAX: &'static str = r#"{"status":{"code":0,"name":"OK"},"them":[{"id":"0000"#;

    fn rate_limited(retry_after_secs: u64, _now: Timestamp) -> Reply {
        Reply::new(StatusCode::TOO_MANY_REQUESTS, Answered::OverQuota, THROTTLED)
            .with_header("retry-after", retry_after_secs)
    }

    /// In its own way: a status in the body, and no time.
    fn over_quota(_allowance: Allowance, _now: Timestamp) -> Reply {
        Reply::new(StatusCode::OK, Answered::OverQuota, THROTTLED)
    }

    fn server_error() -> Reply {
        Reply::new(StatusCode::BAD_GATEWAY, Answered::Refused, "<html><h1>502 Bad Gateway</h1></html>")
    }

    fn quota_headers(_allowance: Allowance, _now: Timestamp, _headers: &mut HeaderMap) {}
}

const THROTTLED: &str = r#"{"status":{"code":210,"desc":"too many requests","name":"THROTTLE_CONTROL"}}"#;
const NO_INPUT: &str = r#"{"status":{"code":100,"desc":"missing or invalid input","name":"INPUT_ERROR"}}"#;

async fn lookup(State(world): State<Arc<World>>, RawQuery(query): RawQuery) -> Response<Body> {
    let networks = ["usernames", "github", "twitter", "reddit", "hackernews"];
    let asked = networks.into_iter().find_map(|network| {
        Some((network, parameter(query.as_deref(), network).filter(|handle| !handle.is_empty())?))
    });
    let refusal = asked.is_none().then(|| Reply::new(StatusCode::OK, Answered::Refused, NO_INPUT));
    let (network, handle) = asked.unwrap_or_default();
    // Of the accounts, only GitHub's name leads back to its person.
    let mailbox = (network == "github").then(|| world.population.mailbox_of_login(&handle)).flatten();
    let question = Question { operation: "lookup", told: Identifier::Handle, identifier: &handle, mailbox };
    exchange::<Keybase>(&world, question, refusal, || {
        let portrait =
            mailbox.and_then(|key| world.population.portrait(Service::Keybase, Asked::by_key(key)));
        let answered = if portrait.is_some() { Answered::Match } else { Answered::NoMatch };
        let body = json!({"status": {"code": 0, "name": "OK"}, "them": [portrait.as_ref().map(user)]});
        Reply::json(StatusCode::OK, answered, &body)
    })
    .await
}

fn user(portrait: &Portrait) -> Value {
    let person = &portrait.person;
    let full_name = if portrait.has(Distortion::NullName) { "" } else { &person.name.full };
    let proven = person.accounts.iter().filter(|account| matches!(account.network, "github" | "twitter"));
    let proofs: Vec<Value> = proven.map(|account| proof(portrait, account)).collect();
    json!({
        "id": format!("{:032x}", person.key.bytes().iter().fold(0_u64, |id, byte| (id << 8) | u64::from(*byte))),
        "basics": {"username": person.keybase().handle, "ctime": 1_400_000_000, "mtime": 1_500_000_000},
        "profile": {"mtime": 1_500_000_000, "full_name": full_name, "location": person.location, "bio": ""},
        "proofs_summary": {"all": proofs},
    })
}

/// The proof of GitHub holds: without it nobody would be found by it. One of twitter may be long out of date.
fn proof(portrait: &Portrait, account: &Account) -> Value {
    let is_stale = account.network == "twitter" && portrait.has(Distortion::StaleProof);
    json!({
        "proof_type": account.network,
        "nametag": account.handle,
        "state": if is_stale { 2 } else { 1 },
        "service_url": account.url,
        "proof_url": format!("{}/proof", account.url),
        "human_url": format!("{}/proof", account.url),
    })
}
