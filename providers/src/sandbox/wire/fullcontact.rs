//! FullContact: `POST /v3/person.enrich`.
//!
//! Invariant: a 202 is followed by the answer to the same question; rate headers are relics; three grids of ages.

use std::sync::Arc;

use axum::Router;
use axum::body::{Body, Bytes};
use axum::extract::State;
use axum::http::{HeaderMap, Response, StatusCode};
use axum::routing::post;
use jiff::Timestamp;
use serde_json::{Value, json};
use tokio::time::Instant;

use super::{Question, Reply, Wire, bearer, exchange, url_on};
use crate::provider::Identifier;
use crate::sandbox::ledger::Answered;
use crate::sandbox::orders::Standing;
use crate::sandbox::population::{Asked, Distortion, MailboxKey, Portrait};
use crate::sandbox::quota::Allowance;
use crate::sandbox::service::Service;
use crate::sandbox::world::World;

pub(in crate::sandbox) fn routes() -> Router<Arc<World>> {
    Router::new().route("/fullcontact/v3/person.enrich", post(enrich))
}

struct FullContact;

impl Wire for FullContact {
    const SERVICE: Service = Service::Fullcontact;
    const WRONG_TYPE: &'static str =
        r#"{"fullName":{"given":"Ada"},"ageRange":39,"details":[],"updated":null}"#;
    const BROKEN_SYNTAX: &'static str = r#"{"fullName":"Ada Example","ageRange":"37-"#;

    fn rate_limited(_retry_after_secs: u64, _now: Timestamp) -> Reply {
        message(429, Answered::OverQuota)
    }

    fn over_quota(_allowance: Allowance, _now: Timestamp) -> Reply {
        message(429, Answered::OverQuota)
    }

    fn server_error() -> Reply {
        message(500, Answered::Refused)
    }

    fn quota_headers(_allowance: Allowance, _now: Timestamp, headers: &mut HeaderMap) {
        // Fixed values, whatever is left.
        headers.insert("x-rate-limit-limit", 600.into());
        headers.insert("x-rate-limit-remaining", 10.into());
        headers.insert("x-rate-limit-reset", 60.into());
    }
}

fn message(status: u16, answered: Answered) -> Reply {
    let text = match status {
        202 => "Queued for search. Please retry your query within about 2 minutes.",
        401 | 403 => "The API Key is missing or invalid.",
        404 => "Profile not found",
        422 => "Invalid or missing parameter",
        429 => "Rate limit exceeded",
        _ => "An internal error occurred",
    };
    let body = json!({"status": status, "message": text});
    let status = StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    Reply::json(status, answered, &body)
}

/// The field takes an address or its hash.
fn asked(email: &str) -> Option<(Identifier, Asked)> {
    if email.contains('@') {
        return Some((Identifier::Address, Asked::by_address(email)));
    }
    MailboxKey::of_hash(email).map(|key| (Identifier::AddressHash, Asked::by_key(key)))
}

async fn enrich(State(world): State<Arc<World>>, headers: HeaderMap, body: Bytes) -> Response<Body> {
    let body: Value = serde_json::from_slice(&body).unwrap_or_default();
    let email = body.get("email").and_then(Value::as_str).unwrap_or_default();
    let asked = asked(email);
    let refusal = match bearer(&headers) {
        None | Some("" | "wrong") => Some(message(403, Answered::Refused)),
        Some("exhausted") => {
            let body = json!({"status": 403, "message": "API Key has exceeded its quota of matches"});
            Some(Reply::json(StatusCode::FORBIDDEN, Answered::Refused, &body))
        }
        Some(_) => asked.is_none().then(|| message(422, Answered::Refused)),
    };
    let told = asked.map_or(Identifier::Address, |(told, _)| told);
    let mailbox = asked.map(|(_, asked)| asked.key);
    let question = Question { operation: "person.enrich", told, identifier: email, mailbox };
    exchange::<FullContact>(&world, question, refusal, || {
        let portrait = asked.and_then(|(_, asked)| world.population.portrait(Service::Fullcontact, asked));
        match (portrait, asked) {
            (Some(portrait), Some((_, asked))) if is_searching(&world, &portrait, asked) => {
                message(202, Answered::Pending).with_header("retry-after", 1)
            }
            (Some(portrait), _) => Reply::json(StatusCode::OK, Answered::Match, &person(&portrait)),
            (None, _) => message(404, Answered::NoMatch),
        }
    })
    .await
}

/// Some it has to search for: the first question is the order, the next one after the search gets the answer.
fn is_searching(world: &World, portrait: &Portrait, asked: Asked) -> bool {
    let (number, now) = (u64::from_le_bytes(asked.key.bytes()), Instant::now());
    portrait.has(Distortion::Queued)
        && (world.orders.place_once(Service::Fullcontact, number, asked, now)
            || matches!(world.orders.look(Service::Fullcontact, number, now), Some(Standing::Searching)))
}

fn person(portrait: &Portrait) -> Value {
    let person = &portrait.person;
    // The vendor's sample is of 2026; so is the sandbox.
    let years = (2026 - person.birth_date.year()).max(1);
    let grid = |lowest: i16, width: i16| {
        let low = (years - lowest).div_euclid(width) * width + lowest;
        format!("{}-{}", low.max(0), low + width - 1)
    };
    let has_birth = !portrait.has(Distortion::NoBirth);
    let other = if portrait.has(Distortion::OtherAge) { years + 13 } else { years };
    let age = |years: i16| has_birth.then(|| json!({"range": grid(5, 10), "value": years}));
    let accounts = person.accounts.iter().map(|account| {
        let entry = json!({"service": account.network, "username": account.handle, "url": account.url});
        (account.network.to_owned(), entry)
    });
    let profiles: serde_json::Map<String, Value> = accounts.collect();
    json!({
        "fullName": person.name.full,
        "ageRange": has_birth.then(|| grid(7, 11)),
        "location": person.location,
        "twitter": url_on(person, "twitter"),
        "linkedin": url_on(person, "linkedin"),
        "facebook": url_on(person, "facebook"),
        "website": format!("http://{}/", person.site()),
        "details": {
            "name": {"given": person.name.given, "family": person.name.family, "full": person.name.full},
            "age": age(years),
            "demographics": {"age": age(other)},
            "profiles": profiles,
            "urls": [{"label": "other", "value": format!("http://{}/", person.site())}],
        },
        "updated": "2026-05-31",
    })
}
