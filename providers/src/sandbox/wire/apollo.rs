//! Apollo: `POST /api/v1/people/match`.
//!
//! Invariant: a miss is a 200 without a person; it counts in three windows at once.

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
use crate::sandbox::population::{Asked, MailboxKey, Portrait};
use crate::sandbox::quota::Allowance;
use crate::sandbox::service::Service;
use crate::sandbox::world::World;

pub(in crate::sandbox) fn routes() -> Router<Arc<World>> {
    Router::new().route("/apollo/api/v1/people/match", post(people_match))
}

struct Apollo;

impl Wire for Apollo {
    const SERVICE: Service = Service::Apollo;
    const WRONG_TYPE: &'static str =
        r#"{"person":[{"name":{"first":"Ada"}}],"request_id":1039995589705121900}"#;
    const BROKEN_SYNTAX: &'static str = "<!DOCTYPE html><title>Error 502</title>";

    fn rate_limited(retry_after_secs: u64, _now: Timestamp) -> Reply {
        too_many().with_header("retry-after", retry_after_secs)
    }

    fn over_quota(allowance: Allowance, _now: Timestamp) -> Reply {
        too_many().with_header("retry-after", allowance.resets_in.as_secs().saturating_add(1))
    }

    fn server_error() -> Reply {
        Reply::json(StatusCode::INTERNAL_SERVER_ERROR, Answered::Refused, &json!({"error": "Internal error"}))
    }

    fn quota_headers(allowance: Allowance, _now: Timestamp, headers: &mut HeaderMap) {
        headers.insert("x-rate-limit-minute", allowance.limit.into());
        headers.insert("x-minute-requests-left", allowance.remaining.into());
        // A window without a limit is told as an empty text.
        for unlimited in ["x-rate-limit-hourly", "x-hourly-requests-left", "x-24-hour-requests-left"] {
            headers.insert(unlimited, axum::http::HeaderValue::from_static(""));
        }
    }
}

fn too_many() -> Reply {
    let body =
        json!({"message": "The maximum number of api calls allowed for api/v1/people/match is reached."});
    Reply::json(StatusCode::TOO_MANY_REQUESTS, Answered::OverQuota, &body)
}

fn inaccessible() -> Reply {
    let body = json!({"error": "This API key is not authorized to access api/v1/people/match.", "error_code": "API_INACCESSIBLE"});
    Reply::json(StatusCode::FORBIDDEN, Answered::Refused, &body)
}

async fn people_match(State(world): State<Arc<World>>, headers: HeaderMap, body: Bytes) -> Response<Body> {
    let body: Value = serde_json::from_slice(&body).unwrap_or_default();
    let text = |name: &str| body.get(name).and_then(Value::as_str);
    let (told, identifier, asked) = match (text("email"), text("hashed_email")) {
        (Some(email), _) => (Identifier::Address, email, Some(Asked::by_address(email))),
        (None, hash) => {
            let hash = hash.unwrap_or_default();
            (Identifier::AddressHash, hash, MailboxKey::of_hash(hash).map(Asked::by_key))
        }
    };
    let refusal = match header(&headers, "x-api-key") {
        None | Some("" | "wrong") => {
            let plain = "Invalid access credentials.";
            let reply = Reply::refused(StatusCode::UNAUTHORIZED, plain);
            Some(reply.with_header("content-type", axum::http::HeaderValue::from_static("text/plain")))
        }
        Some("exhausted") => Some(inaccessible()),
        Some(_) => asked.is_none().then(|| {
            Reply::json(
                StatusCode::UNPROCESSABLE_ENTITY,
                Answered::Refused,
                &json!({"error": "No identifier"}),
            )
        }),
    };
    let mailbox = asked.map(|asked| asked.key);
    let question = Question { operation: "people/match", told, identifier, mailbox };
    exchange::<Apollo>(&world, question, refusal, || {
        let portrait = asked.and_then(|asked| world.population.portrait(Service::Apollo, asked));
        let answered = if portrait.is_some() { Answered::Match } else { Answered::NoMatch };
        let body =
            json!({"person": portrait.as_ref().map(person), "request_id": 1_039_995_589_705_121_900_i64});
        Reply::json(StatusCode::OK, answered, &body)
    })
    .await
}

fn person(portrait: &Portrait) -> Value {
    let person = &portrait.person;
    json!({
        "first_name": person.name.given,
        "last_name": person.name.family,
        "name": person.name.full,
        // Without the `s`, as it writes them.
        "linkedin_url": url_on(person, "linkedin").map(|url| url.replacen("https:", "http:", 1)),
        "twitter_url": url_on(person, "twitter").map(|url| url.replacen("x.com", "twitter.com", 1)),
        "github_url": url_on(person, "github"),
        "facebook_url": url_on(person, "facebook"),
        "title": person.job_title,
        "headline": format!("{} at {}", person.job_title, person.company),
        "email_status": "verified",
        "employment_history": [],
    })
}
