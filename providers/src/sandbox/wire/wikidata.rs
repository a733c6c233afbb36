//! Wikidata's query service: `GET /sparql?query=…`, of which only `<mailto:…>` is read.
//!
//! Invariant: an unknown month or day is a 1, and the precision says so.

use std::sync::Arc;

use axum::Router;
use axum::body::Body;
use axum::extract::{RawQuery, State};
use axum::http::{HeaderMap, HeaderValue, Response, StatusCode};
use axum::routing::get;
use jiff::Timestamp;
use serde_json::{Map, Value, json};

use super::{Question, Reply, Wire, exchange, parameter};
use crate::provider::Identifier;
use crate::sandbox::ledger::Answered;
use crate::sandbox::population::{Asked, Distortion, Portrait};
use crate::sandbox::quota::Allowance;
use crate::sandbox::service::Service;
use crate::sandbox::world::World;

pub(in crate::sandbox) fn routes() -> Router<Arc<World>> {
    Router::new().route("/wikidata/sparql", get(sparql))
}

struct Wikidata;

impl Wire for Wikidata {
    const SERVICE: Service = Service::Wikidata;
    const WRONG_TYPE: &'static str = r#"{"head":{"vars":["p"]},"results":{"bindings":{"p":"Q990000001"}}}"#;
    const BROKEN_SYNTAX: &'static str =
        "SPARQL-QUERY: queryStr=SELECT ?p java.util.concurrent.TimeoutException";
    const CONTENT_TYPE: &'static str = "application/sparql-results+json;charset=utf-8";

    fn rate_limited(retry_after_secs: u64, _now: Timestamp) -> Reply {
        Reply::new(StatusCode::TOO_MANY_REQUESTS, Answered::OverQuota, "Rate limit exceeded\n")
            .with_header("content-type", HeaderValue::from_static("text/plain"))
            .with_header("retry-after", retry_after_secs)
    }

    fn over_quota(allowance: Allowance, now: Timestamp) -> Reply {
        Self::rate_limited(allowance.resets_in.as_secs().saturating_add(1), now)
    }

    fn server_error() -> Reply {
        let body = "java.util.concurrent.TimeoutException\n";
        Reply::new(StatusCode::INTERNAL_SERVER_ERROR, Answered::Refused, body)
    }

    fn quota_headers(_allowance: Allowance, _now: Timestamp, _headers: &mut HeaderMap) {}
}

async fn sparql(State(world): State<Arc<World>>, RawQuery(query): RawQuery) -> Response<Body> {
    let query = parameter(query.as_deref(), "query").unwrap_or_default();
    let email =
        query.split_once("<mailto:").and_then(|(_, rest)| rest.split_once('>')).map(|(email, _)| email);
    let refusal = email.is_none().then(|| {
        Reply::refused(StatusCode::BAD_REQUEST, "SPARQL-QUERY: org.openrdf.query.MalformedQueryException\n")
    });
    let email = email.unwrap_or_default();
    let asked = Asked::by_address(email);
    let question = Question {
        operation: "sparql",
        told: Identifier::Address,
        identifier: email,
        mailbox: Some(asked.key),
    };
    exchange::<Wikidata>(&world, question, refusal, || {
        let rows: Vec<Value> = world.population.portrait(Service::Wikidata, asked).iter().map(row).collect();
        let answered = if rows.is_empty() { Answered::NoMatch } else { Answered::Match };
        let body =
            json!({"head": {"vars": ["p", "pLabel", "born", "precision"]}, "results": {"bindings": rows}});
        Reply::json(StatusCode::OK, answered, &body)
    })
    .await
}

fn row(portrait: &Portrait) -> Value {
    let person = &portrait.person;
    let item = 990_000_000 + person.key.number() % 1_000_000;
    let literal = |text: &str| json!({"type": "literal", "value": text});
    let mut row = Map::new();
    row.insert(
        "p".into(),
        json!({"type": "uri", "value": format!("http://www.wikidata.org/entity/Q{item}")}),
    );
    row.insert("pLabel".into(), json!({"xml:lang": "en", "type": "literal", "value": person.name.full}));
    if !portrait.has(Distortion::NoBirth) {
        let year_only = portrait.has(Distortion::YearOnly);
        let day = if year_only {
            format!("{:04}-01-01", person.birth_date.year())
        } else {
            person.birth_date.to_string()
        };
        let typed = |text: &str, kind: &str| json!({"datatype": format!("http://www.w3.org/2001/XMLSchema#{kind}"), "type": "literal", "value": text});
        row.insert("born".into(), typed(&format!("{day}T00:00:00Z"), "dateTime"));
        row.insert("precision".into(), typed(if year_only { "9" } else { "11" }, "integer"));
    }
    for network in ["twitter", "facebook", "instagram", "github", "linkedin", "bluesky"] {
        if let Some(account) = person.account(network) {
            row.insert(network.into(), literal(&account.handle));
        }
    }
    if let Some(account) = person.account("mastodon") {
        row.insert("mastodon".into(), literal(&format!("{}@social.example.com", account.handle)));
    }
    Value::Object(row)
}
