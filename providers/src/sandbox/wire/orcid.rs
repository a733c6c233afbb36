//! ORCID's public API: the expanded search by address, and the person part of a record.
//!
//! Invariant: nobody is `null` with a count of 0; a spent allowance is a 429 in plain text, "slow down" a 503.

use std::sync::Arc;

use axum::Router;
use axum::body::Body;
use axum::extract::{Path, RawQuery, State};
use axum::http::{HeaderMap, HeaderValue, Response, StatusCode};
use axum::routing::get;
use jiff::Timestamp;
use serde_json::json;

use super::{Question, Reply, Wire, bearer, exchange, parameter};
use crate::provider::Identifier;
use crate::sandbox::ledger::Answered;
use crate::sandbox::population::{Asked, Portrait};
use crate::sandbox::quota::Allowance;
use crate::sandbox::service::Service;
use crate::sandbox::world::World;

pub(in crate::sandbox) fn routes() -> Router<Arc<World>> {
    Router::new()
        .route("/orcid/v3.0/expanded-search/", get(search))
        .route("/orcid/v3.0/{id}/person", get(person))
}

struct Orcid;

impl Wire for Orcid {
    const SERVICE: Service = Service::Orcid;
    const WRONG_TYPE: &'static str =
        r#"{"expanded-result":{"orcid-id":7},"num-found":"one","researcher-urls":[]}"#;
    const BROKEN_SYNTAX: &'static str = r#"{"expanded-result":[{"orcid-id":"0000-0000"#;
    const CONTENT_TYPE: &'static str = "application/json;charset=UTF-8";

    fn rate_limited(retry_after_secs: u64, _now: Timestamp) -> Reply {
        Reply::new(StatusCode::SERVICE_UNAVAILABLE, Answered::OverQuota, "<h1>503 Service Unavailable</h1>")
            .with_header("retry-after", retry_after_secs)
    }

    fn over_quota(_allowance: Allowance, _now: Timestamp) -> Reply {
        let text = "Too Many Requests. You have exceeded the daily quota for anonymous usage of this API.";
        Reply::new(StatusCode::TOO_MANY_REQUESTS, Answered::OverQuota, text)
            .with_header("content-type", HeaderValue::from_static("text/plain"))
    }

    fn server_error() -> Reply {
        let body =
            r#"{"response-code":500,"developer-message":"Something went wrong in ORCID.","error-code":9008}"#;
        Reply::new(StatusCode::INTERNAL_SERVER_ERROR, Answered::Refused, body)
    }

    fn quota_headers(_allowance: Allowance, _now: Timestamp, _headers: &mut HeaderMap) {}
}

fn refusal(headers: &HeaderMap) -> Option<Reply> {
    let body = r#"{"error":"invalid_token","error_description":"Invalid access token: wrong"}"#;
    (bearer(headers) == Some("wrong")).then(|| Reply::refused(StatusCode::UNAUTHORIZED, body))
}

async fn search(
    State(world): State<Arc<World>>,
    RawQuery(query): RawQuery,
    headers: HeaderMap,
) -> Response<Body> {
    let q = parameter(query.as_deref(), "q").unwrap_or_default();
    let quoted = q.strip_prefix("email:\"").and_then(|rest| rest.strip_suffix('"')).unwrap_or_default();
    let email = quoted.replace('\\', "");
    let asked = Asked::by_address(&email);
    let question = Question {
        operation: "search",
        told: Identifier::Address,
        identifier: &email,
        mailbox: Some(asked.key),
    };
    exchange::<Orcid>(&world, question, refusal(&headers), || {
        let portrait = world.population.portrait(Service::Orcid, asked).filter(|_| !email.is_empty());
        match portrait {
            None => Reply::json(
                StatusCode::OK,
                Answered::NoMatch,
                &json!({"expanded-result": null, "num-found": 0}),
            ),
            Some(portrait) => {
                let person = &portrait.person;
                let item = json!({
                    "orcid-id": person.orcid().handle,
                    "given-names": person.name.given,
                    "family-names": person.name.family,
                    "credit-name": null,
                    "other-name": [],
                    "email": [email],
                    "institution-name": [person.company],
                });
                let body = json!({"expanded-result": [item], "num-found": 1});
                Reply::json(StatusCode::OK, Answered::Match, &body)
            }
        }
    })
    .await
}

async fn person(
    State(world): State<Arc<World>>,
    Path(id): Path<String>,
    headers: HeaderMap,
) -> Response<Body> {
    let mailbox = world.population.mailbox_of_orcid(&id);
    let question = Question { operation: "person", told: Identifier::Handle, identifier: &id, mailbox };
    exchange::<Orcid>(&world, question, refusal(&headers), || {
        let portrait = mailbox.and_then(|key| world.population.portrait(Service::Orcid, Asked::by_key(key)));
        match portrait {
            None => {
                let body = r#"{"response-code":404,"developer-message":"404 Not Found","error-code":9016}"#;
                Reply::new(StatusCode::NOT_FOUND, Answered::NoMatch, body)
            }
            Some(portrait) => Reply::json(StatusCode::OK, Answered::Match, &record(&portrait, &id)),
        }
    })
    .await
}

/// The person's own site and one account.
fn record(portrait: &Portrait, id: &str) -> serde_json::Value {
    let person = &portrait.person;
    let site = format!("https://{}", person.site());
    let account = person.account("linkedin").map(|account| account.url.clone());
    let urls = [Some(("Site", site)), account.map(|url| ("LinkedIn", url))];
    let urls: Vec<_> = urls
        .into_iter()
        .flatten()
        .zip(1..)
        .map(|((name, url), place)| {
            json!({"url-name": name, "url": {"value": url}, "visibility": "public", "put-code": place})
        })
        .collect();
    json!({
        "last-modified-date": null,
        "name": {
            "given-names": {"value": person.name.given},
            "family-name": person.name.family.as_ref().map(|family| json!({"value": family})),
            "credit-name": null, "visibility": "public", "path": id,
        },
        "researcher-urls": {"researcher-url": urls, "path": format!("/{id}/researcher-urls")},
        "emails": {"email": []},
        "external-identifiers": {"external-identifier": []},
        "path": format!("/{id}/person"),
    })
}
