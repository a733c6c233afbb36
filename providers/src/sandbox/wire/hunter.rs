//! Hunter: `GET /v2/people/find`.
//!
//! Invariant: 403 is "slow down", 429 is "out of credit", 451 is "this person objected"; no quota is told in headers.

use std::sync::Arc;

use axum::Router;
use axum::body::Body;
use axum::extract::{RawQuery, State};
use axum::http::{HeaderMap, Response, StatusCode};
use axum::routing::get;
use jiff::Timestamp;
use serde_json::{Value, json};

use super::{Question, Reply, Wire, exchange, handle_on, header, parameter};
use crate::provider::Identifier;
use crate::sandbox::ledger::Answered;
use crate::sandbox::population::{Asked, Distortion, Portrait};
use crate::sandbox::quota::Allowance;
use crate::sandbox::service::Service;
use crate::sandbox::world::World;

pub(in crate::sandbox) fn routes() -> Router<Arc<World>> {
    Router::new().route("/hunter/v2/people/find", get(find))
}

struct Hunter;

impl Wire for Hunter {
    const SERVICE: Service = Service::Hunter;
    const WRONG_TYPE: &'static str =
        r#"{"data":{"name":"Ada Example","twitter":["ada"],"linkedin":7},"meta":[]}"#;
    const BROKEN_SYNTAX: &'static str = r#"{"data":{"name":{"fullName":"Ada Ex"#;

    fn rate_limited(_retry_after_secs: u64, _now: Timestamp) -> Reply {
        error(403, Answered::OverQuota)
    }

    fn over_quota(_allowance: Allowance, _now: Timestamp) -> Reply {
        error(403, Answered::OverQuota)
    }

    fn server_error() -> Reply {
        error(500, Answered::Refused)
    }

    fn quota_headers(_allowance: Allowance, _now: Timestamp, _headers: &mut HeaderMap) {}
}

fn error(status: u16, answered: Answered) -> Reply {
    let (id, details) = match status {
        400 => ("wrong_params", "You are missing the email parameter"),
        401 => ("authentication_failed", "No user found for the API key supplied"),
        403 => ("rate_limit_reached", "You have reached the rate limit. Please slow down your requests."),
        404 => ("not_found", "The requested resource couldn't be found."),
        429 => {
            ("too_many_requests", "You've reached the limit for the billing period included in your plan.")
        }
        451 => (
            "claimed_email",
            "The person owning this email address asked us to stop the processing of their personal data.",
        ),
        _ => ("internal_error", "Something went wrong on Hunter's end."),
    };
    let body = json!({"errors": [{"id": id, "code": status, "details": details}]});
    let status = StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    Reply::json(status, answered, &body)
}

async fn find(
    State(world): State<Arc<World>>,
    RawQuery(query): RawQuery,
    headers: HeaderMap,
) -> Response<Body> {
    let key =
        header(&headers, "x-api-key").map(str::to_owned).or_else(|| parameter(query.as_deref(), "api_key"));
    let email = parameter(query.as_deref(), "email").unwrap_or_default();
    let asked = Asked::by_address(&email);
    let refusal = match key.as_deref() {
        None | Some("" | "wrong") => Some(error(401, Answered::Refused)),
        Some("exhausted") => Some(error(429, Answered::Refused)),
        Some(_) => (!email.contains('@')).then(|| error(400, Answered::Refused)),
    };
    let mailbox = Some(asked.key);
    let question =
        Question { operation: "people/find", told: Identifier::Address, identifier: &email, mailbox };
    exchange::<Hunter>(&world, question, refusal, || {
        if world.has_objected(mailbox) {
            return error(451, Answered::Objected);
        }
        match world.population.portrait(Service::Hunter, asked) {
            None => error(404, Answered::NoMatch),
            Some(portrait) => {
                let body = json!({"data": person(&portrait, &email), "meta": {"params": {"email": email}}});
                Reply::json(StatusCode::OK, Answered::Match, &body)
            }
        }
    })
    .await
}

fn person(portrait: &Portrait, email: &str) -> Value {
    let person = &portrait.person;
    let name = if portrait.has(Distortion::NullName) {
        json!({"fullName": null, "givenName": null, "familyName": null})
    } else {
        json!({"fullName": person.name.full, "givenName": person.name.given, "familyName": person.name.family})
    };
    // A heritage of the format that it took over: the path of the profile, not its handle.
    let linkedin = handle_on(person, "linkedin").map(|handle| format!("in/{handle}"));
    json!({
        "name": name,
        "email": email,
        "location": person.location,
        "site": person.site(),
        "employment": {"name": person.company, "title": person.job_title},
        "facebook": {"handle": handle_on(person, "facebook")},
        "github": {"handle": handle_on(person, "github")},
        "twitter": {"handle": handle_on(person, "twitter")},
        "linkedin": {"handle": linkedin},
        "fuzzy": portrait.has(Distortion::Fuzzy),
        "indexedAt": "2026-01-15",
        "inactiveAt": null,
    })
}
