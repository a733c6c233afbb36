//! FullEnrich: `POST /contact/reverse/email/bulk` and `GET …/bulk/{id}`.
//!
//! Invariant: every question is an order, billed once when it is finished and found; no quota is told in headers.

use std::sync::Arc;

use axum::Router;
use axum::body::{Body, Bytes};
use axum::extract::{Path, State};
use axum::http::{HeaderMap, Response, StatusCode};
use axum::routing::{get, post};
use jiff::Timestamp;
use serde_json::{Value, json};
use tokio::time::Instant;

use super::{Question, Reply, Wire, bearer, exchange, handle_on, url_on};
use crate::provider::Identifier;
use crate::sandbox::ledger::Answered;
use crate::sandbox::orders::Standing;
use crate::sandbox::population::{Asked, Portrait};
use crate::sandbox::quota::Allowance;
use crate::sandbox::service::Service;
use crate::sandbox::world::World;

pub(in crate::sandbox) fn routes() -> Router<Arc<World>> {
    Router::new()
        .route("/fullenrich/api/v2/contact/reverse/email/bulk", post(order))
        .route("/fullenrich/api/v2/contact/reverse/email/bulk/{id}", get(result))
}

struct FullEnrich;

impl Wire for FullEnrich {
    const SERVICE: Service = Service::Fullenrich;
    const WRONG_TYPE: &'static str =
        r#"{"enrichment_id":7,"id":null,"status":{"FINISHED":true},"data":"none"}"#;
    const BROKEN_SYNTAX: &'static str = r#"{"enrichment_id":"0000"#;

    fn rate_limited(_retry_after_secs: u64, _now: Timestamp) -> Reply {
        error(429, Answered::OverQuota)
    }

    fn over_quota(_allowance: Allowance, _now: Timestamp) -> Reply {
        error(429, Answered::OverQuota)
    }

    fn server_error() -> Reply {
        error(500, Answered::Refused)
    }

    fn quota_headers(_allowance: Allowance, _now: Timestamp, _headers: &mut HeaderMap) {}
}

fn error(status: u16, answered: Answered) -> Reply {
    let (code, message) = match status {
        400 => ("error.reverse.email.invalid", "Email is invalid"),
        401 => ("error.unauthorized", "Unauthorized"),
        402 => ("error.not_enough_credits", "Not enough credits"),
        404 => ("error.not_found", "Enrichment not found"),
        429 => ("error.too_many_requests", "Too many requests"),
        _ => ("error.internal", "Internal error"),
    };
    let status = StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    Reply::json(status, answered, &json!({"code": code, "message": message}))
}

fn refusal(headers: &HeaderMap, is_a_question: bool) -> Option<Reply> {
    match bearer(headers) {
        None | Some("" | "wrong") => Some(error(401, Answered::Refused)),
        Some("exhausted") => Some(error(402, Answered::Refused)),
        Some(_) => (!is_a_question).then(|| error(400, Answered::Refused)),
    }
}

async fn order(State(world): State<Arc<World>>, headers: HeaderMap, body: Bytes) -> Response<Body> {
    let body: Value = serde_json::from_slice(&body).unwrap_or_default();
    let email = body.pointer("/data/0/email").and_then(Value::as_str).unwrap_or_default();
    let asked = Asked::by_address(email);
    let refusal = refusal(&headers, email.contains('@'));
    let mailbox = Some(asked.key);
    let question = Question { operation: "order", told: Identifier::Address, identifier: email, mailbox };
    exchange::<FullEnrich>(&world, question, refusal, || {
        let number = world.orders.place(Service::Fullenrich, asked, Instant::now());
        let body = json!({"enrichment_id": id_of(number)});
        Reply::json(StatusCode::OK, Answered::Pending, &body).with_header("retry-after", 1)
    })
    .await
}

async fn result(
    State(world): State<Arc<World>>,
    Path(id): Path<String>,
    headers: HeaderMap,
) -> Response<Body> {
    let refusal = refusal(&headers, true);
    // An id of its own making: it tells nobody's address.
    let question = Question { operation: "result", told: Identifier::Handle, identifier: &id, mailbox: None };
    exchange::<FullEnrich>(&world, question, refusal, || {
        let standing =
            number_of(&id).and_then(|number| world.orders.look(Service::Fullenrich, number, Instant::now()));
        match standing {
            None => error(404, Answered::Refused),
            Some(Standing::Searching) => {
                finished(&id, "IN_PROGRESS", Answered::Pending, None).with_header("retry-after", 1)
            }
            Some(Standing::Ready { asked, is_first }) => {
                let portrait = world.population.portrait(Service::Fullenrich, asked);
                let answered = match (&portrait, is_first) {
                    (None, _) => Answered::NoMatch,
                    (Some(_), true) => Answered::Match,
                    (Some(_), false) => Answered::Repeated,
                };
                finished(&id, "FINISHED", answered, portrait.as_ref())
            }
        }
    })
    .await
}

/// The number of an order as the vendor writes it.
fn id_of(number: u64) -> String {
    format!("{:08x}-0000-4000-8000-{:012x}", number >> 32, number & 0xffff_ffff)
}

fn number_of(id: &str) -> Option<u64> {
    let (high, rest) = id.split_once('-')?;
    let (_, low) = rest.rsplit_once('-')?;
    let part = |text: &str| u64::from_str_radix(text, 16).ok();
    Some((part(high)? << 32) | part(low)?)
}

fn finished(id: &str, status: &str, answered: Answered, portrait: Option<&Portrait>) -> Reply {
    let mut entry = json!({"input": {}, "custom": {}});
    if let Some(portrait) = portrait {
        entry["profile"] = profile(portrait);
    }
    let credits = u8::from(portrait.is_some());
    let body =
        json!({"id": id, "name": "Gleaner", "status": status, "cost": {"credits": credits}, "data": [entry]});
    Reply::json(StatusCode::OK, answered, &body)
}

fn profile(portrait: &Portrait) -> Value {
    let person = &portrait.person;
    let network = json!({"url": url_on(person, "linkedin"), "handle": handle_on(person, "linkedin")});
    json!({
        "full_name": person.name.full,
        "first_name": person.name.given,
        "last_name": person.name.family,
        "headline": person.job_title,
        "location": {"city": person.location},
        "social_profiles": {"professional_network": network},
    })
}
