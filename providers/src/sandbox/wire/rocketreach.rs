//! RocketReach: `GET /api/v2/person/lookup` and `…/checkStatus`.
//!
//! Invariant: a 200 may be an order under way; looking at an order is free, and its answer billed once.

use std::sync::Arc;

use axum::Router;
use axum::body::Body;
use axum::extract::{RawQuery, State};
use axum::http::{HeaderMap, Response, StatusCode};
use axum::routing::get;
use jiff::Timestamp;
use serde_json::{Value, json};
use tokio::time::Instant;

use super::{Question, Reply, Wire, exchange, header, parameter, url_on};
use crate::provider::Identifier;
use crate::sandbox::ledger::Answered;
use crate::sandbox::orders::Standing;
use crate::sandbox::population::{Asked, Distortion, Portrait};
use crate::sandbox::quota::Allowance;
use crate::sandbox::service::Service;
use crate::sandbox::world::World;

pub(in crate::sandbox) fn routes() -> Router<Arc<World>> {
    Router::new()
        .route("/rocketreach/api/v2/person/lookup", get(lookup))
        .route("/rocketreach/api/v2/person/checkStatus", get(check_status))
}

struct RocketReach;

impl Wire for RocketReach {
    const SERVICE: Service = Service::Rocketreach;
    const WRONG_TYPE: &'static str =
        r#"{"id":"990000003","status":["complete"],"links":"none","birth_year":"1987"}"#;
    const BROKEN_SYNTAX: &'static str = r#"{"id":990000003,"status":"comple"#;

    fn rate_limited(retry_after_secs: u64, _now: Timestamp) -> Reply {
        message(429, Answered::OverQuota).with_header("retry-after", retry_after_secs)
    }

    fn over_quota(allowance: Allowance, _now: Timestamp) -> Reply {
        let wait = allowance.resets_in.as_secs().saturating_add(1);
        message(429, Answered::OverQuota).with_header("retry-after", wait)
    }

    fn server_error() -> Reply {
        message(500, Answered::Refused)
    }

    fn quota_headers(_allowance: Allowance, _now: Timestamp, _headers: &mut HeaderMap) {}
}

fn message(status: u16, answered: Answered) -> Reply {
    let text = match status {
        400 => "Missing required parameters",
        401 => "Invalid API Key",
        403 => "Your plan does not allow this",
        404 => "Profile not found.",
        429 => "Too Many Requests",
        _ => "Internal Server Error",
    };
    let body = json!({"status": status, "message": text});
    let status = StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    Reply::json(status, answered, &body)
}

fn refusal(headers: &HeaderMap, is_a_question: bool) -> Option<Reply> {
    match header(headers, "api-key") {
        None | Some("" | "wrong") => Some(message(401, Answered::Refused)),
        Some("exhausted") => Some(message(403, Answered::Refused)),
        Some(_) => (!is_a_question).then(|| message(400, Answered::Refused)),
    }
}

async fn lookup(
    State(world): State<Arc<World>>,
    RawQuery(query): RawQuery,
    headers: HeaderMap,
) -> Response<Body> {
    let email = parameter(query.as_deref(), "email").unwrap_or_default();
    let asked = Asked::by_address(&email);
    let refusal = refusal(&headers, email.contains('@'));
    let mailbox = Some(asked.key);
    let question = Question { operation: "lookup", told: Identifier::Address, identifier: &email, mailbox };
    exchange::<RocketReach>(&world, question, refusal, || {
        match world.population.portrait(Service::Rocketreach, asked) {
            None => message(404, Answered::NoMatch),
            Some(portrait) if portrait.has(Distortion::Queued) => {
                let order = world.orders.place(Service::Rocketreach, asked, Instant::now());
                Reply::json(StatusCode::OK, Answered::Pending, &searching(order))
                    .with_header("retry-after", 1)
            }
            Some(portrait) => {
                let id = u64::from_le_bytes(asked.key.bytes()) >> 12;
                Reply::json(StatusCode::OK, Answered::Match, &profile(&portrait, id))
            }
        }
    })
    .await
}

async fn check_status(
    State(world): State<Arc<World>>,
    RawQuery(query): RawQuery,
    headers: HeaderMap,
) -> Response<Body> {
    let id = parameter(query.as_deref(), "ids").unwrap_or_default();
    let number = id.parse::<u64>().ok();
    let refusal = refusal(&headers, number.is_some());
    // An id of its own making: it tells nobody's address.
    let question =
        Question { operation: "checkStatus", told: Identifier::Handle, identifier: &id, mailbox: None };
    exchange::<RocketReach>(&world, question, refusal, || {
        let number = number.unwrap_or_default();
        let standing = world.orders.look(Service::Rocketreach, number, Instant::now());
        let (answered, entry) = match standing {
            None => return message(404, Answered::NoMatch),
            Some(Standing::Searching) => (Answered::Pending, searching(number)),
            Some(Standing::Ready { asked, is_first }) => {
                let Some(portrait) = world.population.portrait(Service::Rocketreach, asked) else {
                    return message(404, Answered::NoMatch);
                };
                let answered = if is_first { Answered::Match } else { Answered::Repeated };
                (answered, profile(&portrait, number))
            }
        };
        Reply::json(StatusCode::OK, answered, &[entry]).with_header("retry-after", 1)
    })
    .await
}

fn searching(id: u64) -> Value {
    json!({"id": id, "status": "searching", "name": null, "linkedin_url": null, "links": null, "birth_year": null, "emails": [], "phones": []})
}

fn profile(portrait: &Portrait, id: u64) -> Value {
    let person = &portrait.person;
    let year = person.birth_date.year() - i16::from(portrait.has(Distortion::StaleBirth));
    let links: serde_json::Map<String, Value> =
        person.accounts.iter().map(|account| (account.network.to_owned(), json!(account.url))).collect();
    json!({
        "id": id,
        "status": "complete",
        "name": person.name.full,
        "linkedin_url": url_on(person, "linkedin"),
        "links": links,
        "location": person.location,
        "current_title": person.job_title,
        "current_employer": person.company,
        "birth_year": (!portrait.has(Distortion::NoBirth)).then_some(year),
        "emails": [],
        "phones": [],
    })
}
