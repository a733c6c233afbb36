//! enrich.so: `POST /api/v3/reverse-lookup/lookup`.
//!
//! Invariant: a miss is a 200 that found nothing, an error a problem document (RFC 9457).

use std::sync::Arc;

use axum::Router;
use axum::body::{Body, Bytes};
use axum::extract::State;
use axum::http::{HeaderMap, Response, StatusCode};
use axum::routing::post;
use jiff::Timestamp;
use serde_json::{Value, json};

use super::{Question, Reply, Wire, exchange, header, url_on};
use crate::provider::Identifier;
use crate::sandbox::ledger::Answered;
use crate::sandbox::population::{Asked, Portrait};
use crate::sandbox::quota::Allowance;
use crate::sandbox::service::Service;
use crate::sandbox::world::World;

pub(in crate::sandbox) fn routes() -> Router<Arc<World>> {
    Router::new().route("/enrich_so/api/v3/reverse-lookup/lookup", post(lookup))
}

struct EnrichSo;

impl Wire for EnrichSo {
    const SERVICE: Service = Service::EnrichSo;
    const WRONG_TYPE: &'static str = r#"{"success":"yes","data":[{"displayName":["Ada"]}],"meta":null}"#;
    const BROKEN_SYNTAX: &'static str = "<html><head><title>502 Bad Gateway</title></head></html>";
    const CONTENT_TYPE: &'static str = "application/json";

    fn rate_limited(retry_after_secs: u64, _now: Timestamp) -> Reply {
        problem(429, Answered::OverQuota).with_header("retry-after", retry_after_secs)
    }

    fn over_quota(allowance: Allowance, _now: Timestamp) -> Reply {
        let wait = allowance.resets_in.as_secs().saturating_add(1);
        problem(429, Answered::OverQuota).with_header("retry-after", wait)
    }

    fn server_error() -> Reply {
        problem(500, Answered::Refused)
    }

    fn quota_headers(allowance: Allowance, _now: Timestamp, headers: &mut HeaderMap) {
        headers.insert("x-ratelimit-limit", allowance.limit.into());
        headers.insert("x-ratelimit-remaining", allowance.remaining.into());
        // Seconds until the window ends, not a moment.
        headers.insert("x-ratelimit-reset", allowance.resets_in.as_secs().saturating_add(1).into());
    }
}

fn problem(status: u16, answered: Answered) -> Reply {
    let (kind, title) = match status {
        400 => ("validation-error", "Validation Error"),
        401 => ("unauthorized", "Unauthorized"),
        402 => ("insufficient-credits", "Insufficient Credits"),
        429 => ("rate-limit-exceeded", "Too Many Requests"),
        _ => ("internal-error", "Internal Server Error"),
    };
    let body =
        json!({"type": format!("https://dev.enrich.so/errors/{kind}"), "title": title, "status": status});
    let status = StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    Reply::json(status, answered, &body)
}

async fn lookup(State(world): State<Arc<World>>, headers: HeaderMap, body: Bytes) -> Response<Body> {
    let body: Value = serde_json::from_slice(&body).unwrap_or_default();
    let email = body.get("email").and_then(Value::as_str).unwrap_or_default();
    let asked = Asked::by_address(email);
    let refusal = match header(&headers, "x-api-key") {
        None | Some("" | "wrong") => Some(problem(401, Answered::Refused)),
        Some("exhausted") => Some(problem(402, Answered::Refused)),
        Some(_) => (!email.contains('@')).then(|| problem(400, Answered::Refused)),
    };
    let question = Question {
        operation: "reverse-lookup",
        told: Identifier::Address,
        identifier: email,
        mailbox: Some(asked.key),
    };
    exchange::<EnrichSo>(&world, question, refusal, || {
        match world.population.portrait(Service::EnrichSo, asked) {
            None => answer(Answered::NoMatch, &json!({"found": false})),
            Some(portrait) => answer(Answered::Match, &profile(&portrait)),
        }
    })
    .await
}

fn answer(answered: Answered, data: &Value) -> Reply {
    let credits = if answered == Answered::Match { 10 } else { 0 };
    let meta =
        json!({"requestId": "665d1e4a9c5b2a0015d0bc01", "creditsUsed": credits, "creditsRemaining": 90});
    Reply::json(StatusCode::OK, answered, &json!({"success": true, "data": data, "meta": meta}))
}

fn profile(portrait: &Portrait) -> Value {
    let person = &portrait.person;
    json!({
        "displayName": person.name.full,
        "firstName": person.name.given,
        "lastName": person.name.family,
        "headline": person.job_title,
        "companyName": person.company,
        "location": person.location,
        "profileUrl": url_on(person, "linkedin"),
        "isPublic": true,
        "skills": [],
        "creditsConsumed": 10,
    })
}
