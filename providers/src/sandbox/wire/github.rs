//! GitHub REST: user search by e-mail, a user, their social accounts, commit search by author.
//!
//! Invariant: a miss of a search is a 200 with `total_count` 0; `email` is null to callers without a token.

mod answers;

use std::sync::Arc;

use axum::Router;
use axum::body::Body;
use axum::extract::{Path, RawQuery, State};
use axum::http::header::USER_AGENT;
use axum::http::{HeaderMap, HeaderValue, Response, StatusCode};
use axum::routing::get;
use jiff::Timestamp;

use super::{Question, Reply, Wire, bearer, exchange, parameter};
use crate::provider::Identifier;
use crate::sandbox::ledger::Answered;
use crate::sandbox::population::{Asked, Distortion, Portrait};
use crate::sandbox::quota::Allowance;
use crate::sandbox::service::Service;
use crate::sandbox::world::World;

pub(in crate::sandbox) fn routes() -> Router<Arc<World>> {
    Router::new()
        .route("/github/search/users", get(search_users))
        .route("/github/search/commits", get(search_commits))
        .route("/github/users/{login}", get(user))
        .route("/github/users/{login}/social_accounts", get(social_accounts))
}

struct Github;

impl Wire for Github {
    const SERVICE: Service = Service::Github;
    const WRONG_TYPE: &'static str = r#"{"total_count":"one","items":{"login":7},"login":["ada-example"],"id":"x","name":{"first":"Ada"}}"#;
    const BROKEN_SYNTAX: &'static str = r#"{"total_count":1,"incomplete_results":false,"items":[{"login":"#;

    /// The secondary limit, which tells how long to wait.
    fn rate_limited(retry_after_secs: u64, _now: Timestamp) -> Reply {
        let body = br#"{"message":"You have exceeded a secondary rate limit. Please wait a few minutes before you try again.","documentation_url":"https://docs.github.com/rest/using-the-rest-api/rate-limits-for-the-rest-api#about-secondary-rate-limits","status":"429"}"#;
        Reply::new(StatusCode::TOO_MANY_REQUESTS, Answered::OverQuota, *body)
            .with_header("retry-after", retry_after_secs)
    }

    /// The primary limit: a 403 whose `x-ratelimit-remaining` is 0.
    fn over_quota(_allowance: Allowance, _now: Timestamp) -> Reply {
        let body = br#"{"message":"API rate limit exceeded for 192.0.2.1. (But here's the good news: Authenticated requests get a higher rate limit. Check out the documentation for more details.)","documentation_url":"https://docs.github.com/rest/overview/resources-in-the-rest-api#rate-limiting","status":"403"}"#;
        Reply::new(StatusCode::FORBIDDEN, Answered::OverQuota, *body)
    }

    fn server_error() -> Reply {
        let body = r#"{"message":"Server Error","status":"500"}"#;
        Reply::new(StatusCode::INTERNAL_SERVER_ERROR, Answered::Refused, body)
    }

    fn quota_headers(allowance: Allowance, now: Timestamp, headers: &mut HeaderMap) {
        let reset = now.as_second().saturating_add_unsigned(allowance.resets_in.as_secs().saturating_add(1));
        headers.insert("x-ratelimit-limit", allowance.limit.into());
        headers.insert("x-ratelimit-remaining", allowance.remaining.into());
        headers.insert("x-ratelimit-used", (allowance.limit.saturating_sub(allowance.remaining)).into());
        headers.insert("x-ratelimit-reset", HeaderValue::from(reset));
        headers.entry("x-ratelimit-resource").or_insert(HeaderValue::from_static("core"));
        headers.insert("x-github-media-type", HeaderValue::from_static("github.v3; format=json"));
    }
}

/// What GitHub refuses before it looks at the question.
fn refusal(headers: &HeaderMap) -> Option<Reply> {
    if headers.get(USER_AGENT).is_none_or(HeaderValue::is_empty) {
        let text = "Request forbidden by administrative rules. Please make sure your request has a User-Agent \
                    header (https://docs.github.com/en/rest/overview/resources-in-the-rest-api#user-agent-required). \
                    Check https://developer.github.com for other possible causes.\n";
        return Some(
            Reply::refused(StatusCode::FORBIDDEN, text)
                .with_header("content-type", HeaderValue::from_static("text/plain; charset=utf-8")),
        );
    }
    let body =
        r#"{"message":"Bad credentials","documentation_url":"https://docs.github.com/rest","status":"401"}"#;
    (bearer(headers) == Some("wrong")).then(|| Reply::refused(StatusCode::UNAUTHORIZED, body))
}

/// A search that names nothing to search for.
fn unprocessable() -> Reply {
    let body = r#"{"message":"Validation Failed","errors":[{"resource":"Search","field":"q","code":"missing"}],"documentation_url":"https://docs.github.com/rest/search/search","status":"422"}"#;
    Reply::refused(StatusCode::UNPROCESSABLE_ENTITY, body)
}

fn not_found() -> Reply {
    let body = r#"{"message":"Not Found","documentation_url":"https://docs.github.com/rest","status":"404"}"#;
    Reply::new(StatusCode::NOT_FOUND, Answered::NoMatch, body)
}

async fn search_users(
    State(world): State<Arc<World>>,
    RawQuery(query): RawQuery,
    headers: HeaderMap,
) -> Response<Body> {
    let q = parameter(query.as_deref(), "q").unwrap_or_default();
    let in_email = q.split_whitespace().any(|word| word == "in:email");
    // A quoted local part may hold spaces: the address is all but the qualifier.
    let email = q.trim().strip_suffix("in:email").unwrap_or(&q).trim();
    let refusal = refusal(&headers).or_else(|| q.trim().is_empty().then(unprocessable));
    let asked = Asked::by_address(email);
    exchange::<Github>(&world, search("search_users", email, asked), refusal, || {
        // Without the qualifier GitHub searches names and logins, where an address is never found.
        let portrait = world
            .population
            .portrait(Service::Github, asked)
            .filter(|portrait| in_email && !email.is_empty() && !portrait.has(Distortion::CommitsOnly));
        found(portrait.is_some(), &answers::Users::of(portrait.as_ref()))
    })
    .await
}

async fn search_commits(
    State(world): State<Arc<World>>,
    RawQuery(query): RawQuery,
    headers: HeaderMap,
) -> Response<Body> {
    let q = parameter(query.as_deref(), "q").unwrap_or_default();
    let email = q.trim().strip_prefix("author-email:").unwrap_or_default();
    let refusal = refusal(&headers).or_else(|| q.trim().is_empty().then(unprocessable));
    let asked = Asked::by_address(email);
    exchange::<Github>(&world, search("search_commits", email, asked), refusal, || {
        let portrait = world.population.portrait(Service::Github, asked).filter(|_| !email.is_empty());
        found(portrait.is_some(), &answers::Commits::of(portrait.as_ref(), email))
    })
    .await
}

fn search<'a>(operation: &'static str, email: &'a str, asked: Asked) -> Question<'a> {
    Question { operation, told: Identifier::Address, identifier: email, mailbox: Some(asked.key) }
}

fn found(any: bool, body: &impl serde::Serialize) -> Reply {
    let answered = if any { Answered::Match } else { Answered::NoMatch };
    Reply::json(StatusCode::OK, answered, body)
        .with_header("x-ratelimit-resource", HeaderValue::from_static("search"))
}

async fn user(
    State(world): State<Arc<World>>,
    Path(login): Path<String>,
    headers: HeaderMap,
) -> Response<Body> {
    let signed_in = bearer(&headers).is_some();
    about_login(&world, "user", &login, &headers, |portrait| {
        Reply::json(StatusCode::OK, Answered::Match, &answers::User::of(portrait, signed_in))
    })
    .await
}

async fn social_accounts(
    State(world): State<Arc<World>>,
    Path(login): Path<String>,
    headers: HeaderMap,
) -> Response<Body> {
    about_login(&world, "social_accounts", &login, &headers, |portrait| {
        Reply::json(StatusCode::OK, Answered::Match, &answers::social_accounts(&portrait.person))
    })
    .await
}

async fn about_login(
    world: &World,
    operation: &'static str,
    login: &str,
    headers: &HeaderMap,
    show: impl FnOnce(&Portrait) -> Reply + Send,
) -> Response<Body> {
    let mailbox = world.population.mailbox_of_login(login);
    let question = Question { operation, told: Identifier::Handle, identifier: login, mailbox };
    exchange::<Github>(world, question, refusal(headers), || {
        let portrait = world.population.portrait_of_account(Service::Github, login);
        portrait
            .filter(|portrait| !portrait.has(Distortion::CommitsOnly))
            .as_ref()
            .map_or_else(not_found, show)
    })
    .await
}
