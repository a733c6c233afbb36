//! Gravatar REST v3: `GET /v3/profiles/{sha256}`.
//!
//! Invariant: required strings are `""`, never null; without a key at most four accounts and no names apart.

use std::sync::Arc;

use axum::Router;
use axum::body::Body;
use axum::extract::{Path, State};
use axum::http::{HeaderMap, HeaderValue, Response, StatusCode};
use axum::routing::get;
use jiff::Timestamp;
use serde::Serialize;

use super::{Question, Reply, Wire, bearer, exchange};
use crate::provider::Identifier;
use crate::sandbox::draw;
use crate::sandbox::ledger::Answered;
use crate::sandbox::population::{Account, Asked, Distortion, MailboxKey, Person, Portrait};
use crate::sandbox::quota::Allowance;
use crate::sandbox::service::Service;
use crate::sandbox::world::World;

/// The networks that Gravatar verifies, and their labels.
const VERIFIABLE: &[(&str, &str)] = &[
    ("github", "GitHub"),
    ("mastodon", "Mastodon"),
    ("bluesky", "Bluesky"),
    ("twitter", "X"),
    ("instagram", "Instagram"),
    ("stackoverflow", "Stack Overflow"),
    ("youtube", "YouTube"),
];
const KEYLESS_ACCOUNTS: usize = 4;

pub(in crate::sandbox) fn routes() -> Router<Arc<World>> {
    Router::new().route("/gravatar/v3/profiles/{hash}", get(profile))
}

struct Gravatar;

impl Wire for Gravatar {
    const SERVICE: Service = Service::Gravatar;
    const WRONG_TYPE: &'static str =
        r#"{"hash":42,"display_name":["Ada","Example"],"profile_url":null,"verified_accounts":"none"}"#;
    const BROKEN_SYNTAX: &'static str = r#"{"hash":"c9a113580a216ed5","display_name":"Ada Exam"#;

    fn rate_limited(retry_after_secs: u64, _now: Timestamp) -> Reply {
        Reply::new(StatusCode::TOO_MANY_REQUESTS, Answered::OverQuota, TOO_MANY)
            .with_header("retry-after", retry_after_secs)
    }

    fn over_quota(_allowance: Allowance, _now: Timestamp) -> Reply {
        Reply::new(StatusCode::TOO_MANY_REQUESTS, Answered::OverQuota, TOO_MANY)
    }

    fn server_error() -> Reply {
        let body = r#"{"error":"Internal server error","code":"internal_server_error"}"#;
        Reply::new(StatusCode::INTERNAL_SERVER_ERROR, Answered::Refused, body)
    }

    fn quota_headers(allowance: Allowance, now: Timestamp, headers: &mut HeaderMap) {
        // A Unix time, rounded up so that whoever waits for it does not come too early.
        let reset = now.as_second().saturating_add_unsigned(allowance.resets_in.as_secs().saturating_add(1));
        headers.insert("x-ratelimit-limit", allowance.limit.into());
        headers.insert("x-ratelimit-remaining", allowance.remaining.into());
        headers.insert("x-ratelimit-reset", HeaderValue::from(reset));
    }
}

const TOO_MANY: &str = r#"{"error":"Rate limit exceeded","code":"rate_limit_exceeded"}"#;
const NOT_FOUND: &str = r#"{"error":"Profile not found","code":"not_found"}"#;
const UNAUTHORIZED: &str = r#"{"error":"Invalid API key","code":"unauthorized"}"#;

async fn profile(
    State(world): State<Arc<World>>,
    Path(hash): Path<String>,
    headers: HeaderMap,
) -> Response<Body> {
    let key = bearer(&headers);
    let refusal = (key == Some("wrong")).then(|| Reply::refused(StatusCode::UNAUTHORIZED, UNAUTHORIZED));
    let mailbox = MailboxKey::of_hash(&hash);
    let question =
        Question { operation: "profile", told: Identifier::AddressHash, identifier: &hash, mailbox };
    exchange::<Gravatar>(&world, question, refusal, || {
        let portrait =
            mailbox.and_then(|key| world.population.portrait(Service::Gravatar, Asked::by_key(key)));
        match portrait {
            None => Reply::new(StatusCode::NOT_FOUND, Answered::NoMatch, NOT_FOUND),
            Some(portrait) => {
                Reply::json(StatusCode::OK, Answered::Match, &Answer::of(&portrait, &hash, key.is_some()))
            }
        }
    })
    .await
}

#[derive(Serialize)]
struct Answer<'a> {
    hash: String,
    display_name: String,
    profile_url: String,
    avatar_url: String,
    avatar_alt_text: &'a str,
    location: &'a str,
    description: &'a str,
    job_title: &'a str,
    company: &'a str,
    verified_accounts: Vec<VerifiedAccount<'a>>,
    pronunciation: &'a str,
    pronouns: &'a str,
    #[serde(flatten, skip_serializing_if = "Option::is_none")]
    keyed: Option<Keyed<'a>>,
    number_verified_accounts: usize,
    last_profile_edit: &'a str,
    registration_date: &'a str,
}

/// What only a caller with a key is told.
#[derive(Serialize)]
struct Keyed<'a> {
    first_name: &'a str,
    last_name: &'a str,
    is_organization: bool,
    links: Vec<Link>,
}

#[derive(Serialize)]
struct Link {
    label: &'static str,
    url: String,
}

#[derive(Serialize)]
struct VerifiedAccount<'a> {
    service_type: &'a str,
    service_label: &'a str,
    service_icon: String,
    url: &'a str,
    is_hidden: bool,
}

impl<'a> Answer<'a> {
    fn of(portrait: &'a Portrait, asked_hash: &str, keyed: bool) -> Self {
        let person = &portrait.person;
        let mut rng = draw::stream(0, "gravatar profile", &[asked_hash.as_bytes()]);
        let nickname = person.name.nickname(&mut rng);
        let hash = if portrait.has(Distortion::OtherHash) {
            format!("{}{}", asked_hash.get(32..).unwrap_or(""), asked_hash.get(..32).unwrap_or(""))
        } else {
            asked_hash.to_lowercase()
        };
        let mut accounts: Vec<VerifiedAccount<'_>> = person.accounts.iter().filter_map(verified).collect();
        if portrait.has(Distortion::HiddenAccount)
            && let Some(last) = accounts.last_mut()
        {
            last.is_hidden = true;
        }
        let number_verified_accounts = accounts.len();
        if !keyed {
            accounts.truncate(KEYLESS_ACCOUNTS);
        }
        Self {
            profile_url: person.gravatar().url,
            avatar_url: format!("https://0.gravatar.com/avatar/{hash}"),
            hash,
            display_name: if portrait.has(Distortion::Nickname) {
                nickname
            } else {
                person.name.full.clone()
            },
            avatar_alt_text: "",
            location: person.location,
            description: "",
            job_title: if rng.bool() { person.job_title } else { "" },
            company: if rng.bool() { &person.company } else { "" },
            verified_accounts: accounts,
            pronunciation: "",
            pronouns: "",
            keyed: keyed.then(|| Keyed {
                first_name: &person.name.given,
                last_name: person.name.family.as_deref().unwrap_or(""),
                is_organization: person.is_organization,
                links: own_link(person),
            }),
            number_verified_accounts,
            last_profile_edit: "2026-03-01T12:00:00Z",
            registration_date: "2019-10-01T12:00:00Z",
        }
    }
}

/// What the person says of themself, in contrast to the accounts that Gravatar has verified.
fn own_link(person: &Person) -> Vec<Link> {
    let url = format!("https://{}", person.site());
    if person.is_organization { Vec::new() } else { vec![Link { label: "Site", url }] }
}

fn verified(account: &Account) -> Option<VerifiedAccount<'_>> {
    let (service_type, service_label) = VERIFIABLE.iter().find(|(network, _)| *network == account.network)?;
    Some(VerifiedAccount {
        service_type,
        service_label,
        service_icon: format!("https://gravatar.com/icons/{service_type}.svg"),
        url: &account.url,
        is_hidden: false,
    })
}
