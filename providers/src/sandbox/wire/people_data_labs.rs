//! People Data Labs: `GET` or `POST /v5/person/enrich`.
//!
//! Invariant: names lower-case, URLs without a scheme, a miss is a 404, an empty account a 402, no `Retry-After`.

mod record;

use std::sync::Arc;

use axum::Router;
use axum::body::{Body, Bytes};
use axum::extract::{RawQuery, State};
use axum::http::{HeaderMap, HeaderValue, Response, StatusCode};
use axum::routing::get;
use jiff::Timestamp;
use serde::Serialize;
use serde_json::Value;

use super::{Question, Reply, Wire, exchange, parameter};
use crate::provider::Identifier;
use crate::sandbox::ledger::Answered;
use crate::sandbox::population::{Asked, MailboxKey, Portrait};
use crate::sandbox::quota::Allowance;
use crate::sandbox::service::Service;
use crate::sandbox::world::World;

pub(in crate::sandbox) fn routes() -> Router<Arc<World>> {
    Router::new().route("/people_data_labs/v5/person/enrich", get(enrich).post(enrich))
}

struct PeopleDataLabs;

impl Wire for PeopleDataLabs {
    const SERVICE: Service = Service::PeopleDataLabs;
    const WRONG_TYPE: &'static str =
        r#"{"status":"200","likelihood":"high","data":[{"full_name":{"first":"ada"},"birth_year":[1987]}]}"#;
    const BROKEN_SYNTAX: &'static str = "<html><head><title>502 Bad Gateway</title></head></html>";
    const CONTENT_TYPE: &'static str = "application/json";

    fn rate_limited(retry_after_secs: u64, now: Timestamp) -> Reply {
        let reset = instant(now, retry_after_secs);
        error(429, Answered::OverQuota).with_header("x-ratelimit-reset", reset)
    }

    fn over_quota(_allowance: Allowance, _now: Timestamp) -> Reply {
        error(429, Answered::OverQuota)
    }

    fn server_error() -> Reply {
        error(500, Answered::Refused)
    }

    fn quota_headers(allowance: Allowance, now: Timestamp, headers: &mut HeaderMap) {
        let minute = |calls: u32| {
            let text = format!(r#"{{"minute":{calls},"day":null,"month":null}}"#);
            HeaderValue::from_maybe_shared(Bytes::from(text)).unwrap_or(HeaderValue::from_static("{}"))
        };
        headers.insert("x-ratelimit-limit", minute(allowance.limit));
        headers.insert("x-ratelimit-remaining", minute(allowance.remaining));
        headers.insert("x-ratelimit-remaining.minute", allowance.remaining.into());
        headers
            .entry("x-ratelimit-reset")
            .or_insert_with(|| instant(now, allowance.resets_in.as_secs().saturating_add(1)));
    }
}

/// A moment in so many seconds, as PDL writes it: ISO 8601 in UTC, whole seconds.
fn instant(now: Timestamp, after_secs: u64) -> HeaderValue {
    let second = now.as_second().saturating_add_unsigned(after_secs);
    let at = Timestamp::from_second(second).unwrap_or(Timestamp::MAX);
    HeaderValue::from_str(&at.to_string()).unwrap_or(HeaderValue::from_static(""))
}

#[derive(Serialize)]
struct Failure {
    status: u16,
    error: Cause,
}

#[derive(Serialize)]
struct Cause {
    r#type: &'static str,
    message: &'static str,
}

fn error(status: u16, answered: Answered) -> Reply {
    let (kind, message) = match status {
        400 => ("invalid_request_error", "Request contained either missing or invalid parameters"),
        401 => ("authentication_error", "Request contained a missing or invalid key"),
        402 => ("payment_required", "You have reached your account maximum (all matches have been used)"),
        404 => ("not_found", "No records were found matching your request"),
        429 => ("rate_limit_error", "An error occurred due to requests hitting the API too quickly"),
        _ => (
            "api_error",
            "The server encountered an unexpected condition which prevented it from fulfilling the request",
        ),
    };
    let body = Failure { status, error: Cause { r#type: kind, message } };
    let status = StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    Reply::json(status, answered, &body)
}

/// The parameters of a call, from the JSON body where it has them, else from the URL.
struct Parameters<'a> {
    query: Option<&'a str>,
    body: Option<Value>,
}

impl Parameters<'_> {
    fn text(&self, name: &str) -> Option<String> {
        let of_body = self.body.as_ref().and_then(|body| body.get(name)).and_then(|value| match value {
            Value::String(text) => Some(text.clone()),
            Value::Number(number) => Some(number.to_string()),
            Value::Bool(flag) => Some(flag.to_string()),
            // Several addresses may be given; the first is asked about.
            Value::Array(values) => values.first().and_then(Value::as_str).map(str::to_owned),
            _ => None,
        });
        of_body.or_else(|| parameter(self.query, name)).filter(|text| !text.trim().is_empty())
    }
}

/// Who is asked about.
fn asked(parameters: &Parameters<'_>) -> Option<(Identifier, String, Asked)> {
    if let Some(email) = parameters.text("email") {
        let asked = Asked::by_address(&email);
        return Some((Identifier::Address, email, asked));
    }
    let hash = parameters.text("email_hash")?;
    let key = MailboxKey::of_hash(&hash)?;
    Some((Identifier::AddressHash, hash, Asked::by_key(key)))
}

async fn enrich(
    State(world): State<Arc<World>>,
    RawQuery(query): RawQuery,
    headers: HeaderMap,
    body: Bytes,
) -> Response<Body> {
    let parsed = (!body.is_empty()).then(|| serde_json::from_slice::<Value>(&body).ok());
    let parameters = Parameters { query: query.as_deref(), body: parsed.clone().flatten() };
    let header_key = headers.get("x-api-key").and_then(|value| value.to_str().ok()).map(str::to_owned);
    let key = header_key.or_else(|| parameters.text("api_key"));
    let asked = asked(&parameters);
    let refusal = match (key.as_deref(), &asked) {
        (None | Some("" | "wrong"), _) => Some(error(401, Answered::Refused)),
        (Some("exhausted"), _) => {
            Some(error(402, Answered::Refused).with_header("x-totallimit-remaining", HeaderValue::from(0)))
        }
        (Some(_), None) => Some(error(400, Answered::Refused)),
        // A body that is not JSON is refused whatever the URL says.
        (Some(_), Some(_)) => matches!(parsed, Some(None)).then(|| error(400, Answered::Refused)),
    };
    let (told, identifier, asked) = asked
        .map_or((Identifier::Address, String::new(), None), |(told, text, asked)| (told, text, Some(asked)));
    let mailbox = asked.map(|asked| asked.key);
    let question = Question { operation: "enrich", told, identifier: &identifier, mailbox };
    exchange::<PeopleDataLabs>(&world, question, refusal, || {
        let portrait = asked.and_then(|asked| world.population.portrait(Service::PeopleDataLabs, asked));
        match portrait {
            Some(portrait) => matched(&portrait, told, &parameters),
            None => error(404, Answered::NoMatch).with_header("x-call-credits-spent", HeaderValue::from(0)),
        }
    })
    .await
}

fn matched(portrait: &Portrait, told: Identifier, parameters: &Parameters<'_>) -> Reply {
    let wanted = |field: &str| parameters.text(field);
    let likelihood = record::likelihood(portrait);
    let least = wanted("min_likelihood").and_then(|text| text.parse().ok()).unwrap_or(2_u8);
    let mut data = record::data(portrait, wanted("titlecase").as_deref() == Some("true"));
    let required = wanted("required").is_none_or(|expression| record::satisfies(&data, &expression));
    if likelihood < least || !required {
        return error(404, Answered::NoMatch).with_header("x-call-credits-spent", HeaderValue::from(0));
    }
    if let Some(list) = wanted("data_include") {
        record::keep_only(&mut data, &list);
    }
    let matched = wanted("include_if_matched").is_some_and(|flag| flag == "true");
    let by = if told == Identifier::Address { "email" } else { "email_hash" };
    let body = record::Body { status: 200, likelihood, matched: matched.then_some([by]), data };
    Reply::json(StatusCode::OK, Answered::Match, &body)
        .with_header("x-call-credits-spent", HeaderValue::from(1))
        .with_header("x-call-credits-type", HeaderValue::from_static("enrich"))
        .with_header("x-totallimit-remaining", HeaderValue::from(99_999))
        .with_header("x-totallimit-purchased-remaining", HeaderValue::from(99_999))
        .with_header("x-totallimit-overages-remaining", HeaderValue::from(0))
}
