//! GitLab REST v4: users by search or name, and one user.
//!
//! Invariant: a miss is a 200 with an empty list; who has no token may ask about a name and is shown little.

use std::sync::Arc;

use axum::Router;
use axum::body::Body;
use axum::extract::{Path, RawQuery, State};
use axum::http::{HeaderMap, HeaderValue, Response, StatusCode};
use axum::routing::get;
use jiff::Timestamp;
use serde_json::{Value, json};

use super::{Question, Reply, Wire, exchange, parameter};
use crate::provider::Identifier;
use crate::sandbox::draw;
use crate::sandbox::ledger::Answered;
use crate::sandbox::population::{Account, Asked, Distortion, Portrait};
use crate::sandbox::quota::Allowance;
use crate::sandbox::service::Service;
use crate::sandbox::world::World;

pub(in crate::sandbox) fn routes() -> Router<Arc<World>> {
    Router::new().route("/gitlab/api/v4/users", get(users)).route("/gitlab/api/v4/users/{id}", get(user))
}

struct Gitlab;

impl Wire for Gitlab {
    const SERVICE: Service = Service::Gitlab;
    const WRONG_TYPE: &'static str =
        r#"{"id":"one","username":["ada-example"],"name":{"first":"Ada"},"state":7}"#;
    const BROKEN_SYNTAX: &'static str = r#"[{"id":9000001,"username":"ada-exam"#;
    const CONTENT_TYPE: &'static str = "application/json";

    fn rate_limited(retry_after_secs: u64, _now: Timestamp) -> Reply {
        Reply::new(StatusCode::TOO_MANY_REQUESTS, Answered::OverQuota, "Retry later\n")
            .with_header("retry-after", retry_after_secs)
    }

    fn over_quota(allowance: Allowance, now: Timestamp) -> Reply {
        Self::rate_limited(allowance.resets_in.as_secs().saturating_add(1), now)
    }

    fn server_error() -> Reply {
        let body = r#"{"message":"500 Internal Server Error"}"#;
        Reply::new(StatusCode::INTERNAL_SERVER_ERROR, Answered::Refused, body)
    }

    fn quota_headers(allowance: Allowance, now: Timestamp, headers: &mut HeaderMap) {
        let reset = now.as_second().saturating_add_unsigned(allowance.resets_in.as_secs().saturating_add(1));
        headers.insert("ratelimit-limit", allowance.limit.into());
        headers.insert("ratelimit-observed", allowance.limit.saturating_sub(allowance.remaining).into());
        headers.insert("ratelimit-remaining", allowance.remaining.into());
        headers.insert("ratelimit-reset", HeaderValue::from(reset));
    }
}

const NOT_FOUND: &str = r#"{"message":"404 User Not Found"}"#;
const UNAUTHORIZED: &str = r#"{"message":"401 Unauthorized"}"#;
const FORBIDDEN: &str = r#"{"message":"403 Forbidden - Not authorized to access /api/v4/users"}"#;

/// The caller's token, in either of the two headers that carry it.
fn token(headers: &HeaderMap) -> Option<&str> {
    let own = headers.get("private-token").and_then(|token| token.to_str().ok());
    own.or_else(|| super::bearer(headers))
}

fn refusal(headers: &HeaderMap, needs_token: bool) -> Option<Reply> {
    match token(headers) {
        Some("wrong") => Some(Reply::refused(StatusCode::UNAUTHORIZED, UNAUTHORIZED)),
        None if needs_token => Some(Reply::refused(StatusCode::FORBIDDEN, FORBIDDEN)),
        _ => None,
    }
}

async fn users(
    State(world): State<Arc<World>>,
    RawQuery(query): RawQuery,
    headers: HeaderMap,
) -> Response<Body> {
    let username = parameter(query.as_deref(), "username");
    let search = parameter(query.as_deref(), "search").unwrap_or_default();
    let asked = Asked::by_address(&search);
    let question = match &username {
        Some(name) => Question {
            operation: "by_name",
            told: Identifier::Handle,
            identifier: name,
            mailbox: world.population.mailbox_of_login(name),
        },
        None => Question {
            operation: "search",
            told: Identifier::Address,
            identifier: &search,
            mailbox: Some(asked.key),
        },
    };
    exchange::<Gitlab>(&world, question, refusal(&headers, username.is_none()), || {
        let portrait = match &username {
            Some(name) => world.population.portrait_of_account(Service::Gitlab, name),
            None => world.population.portrait(Service::Gitlab, asked),
        };
        let items: Vec<Value> = portrait.iter().filter_map(basic).collect();
        let answered = if items.is_empty() { Answered::NoMatch } else { Answered::Match };
        Reply::json(StatusCode::OK, answered, &items)
    })
    .await
}

/// Numbers lead back to accounts by the name that came with them, which the sandbox remembers in the number itself.
async fn user(State(world): State<Arc<World>>, Path(id): Path<String>, headers: HeaderMap) -> Response<Body> {
    let mailbox = id.parse().ok().map(crate::sandbox::MailboxKey::of_number);
    let question = Question { operation: "user", told: Identifier::Handle, identifier: &id, mailbox };
    exchange::<Gitlab>(&world, question, refusal(&headers, true), || {
        let portrait = mailbox.and_then(|key| {
            let login = world.population.person(key).login().to_owned();
            world.population.portrait_of_account(Service::Gitlab, &login)
        });
        match portrait.as_ref().and_then(|portrait| Some((portrait, basic(portrait)?))) {
            None => Reply::new(StatusCode::NOT_FOUND, Answered::NoMatch, NOT_FOUND),
            Some((portrait, basic)) => Reply::json(StatusCode::OK, Answered::Match, &whole(portrait, basic)),
        }
    })
    .await
}

/// What everybody is shown.
fn basic(portrait: &Portrait) -> Option<Value> {
    let account = portrait.person.account("gitlab")?;
    Some(json!({
        "id": portrait.person.key.number(),
        "username": account.handle,
        "public_email": public_email(portrait),
        "name": name(portrait, account),
        "state": "active",
        "locked": false,
        "avatar_url": null,
        "web_url": account.url,
    }))
}

fn name(portrait: &Portrait, account: &Account) -> String {
    let name = &portrait.person.name;
    let mut rng = draw::stream(0, "gitlab user", &[account.handle.as_bytes()]);
    if portrait.has(Distortion::Nickname) { name.nickname(&mut rng) } else { name.full.clone() }
}

/// Known for listed people only: the others are known by their hash.
fn public_email(portrait: &Portrait) -> &str {
    if portrait.has(Distortion::OtherEmail) {
        return "somebody.else@example.net";
    }
    portrait.person.address.as_deref().unwrap_or_default()
}

fn whole(portrait: &Portrait, basic: Value) -> Value {
    let person = &portrait.person;
    let handle = |network: &str| person.account(network).map_or("", |account| account.handle.as_str());
    let mastodon = person
        .account("mastodon")
        .map_or_else(String::new, |account| format!("@{}@social.example.com", account.handle));
    let mut whole = json!({
        "created_at": "2016-01-01T00:00:00.000Z", "bio": "", "location": person.location,
        "linkedin": handle("linkedin"), "twitter": handle("twitter"), "discord": "",
        "github": handle("github"), "bluesky": "", "mastodon": mastodon, "orcid": "",
        "website_url": format!("https://{}", person.site()), "organization": person.company,
        "job_title": person.job_title, "pronouns": null, "bot": false,
    });
    if let (Value::Object(whole), Value::Object(basic)) = (&mut whole, basic) {
        whole.extend(basic);
    }
    whole
}
