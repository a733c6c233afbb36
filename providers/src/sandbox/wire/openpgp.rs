//! Web Key Directories, one at every domain: `GET /.well-known/openpgpkey/hu/{hash}?l={local part}`, a bare key; and
//! keys.openpgp.org: `GET /vks/v1/by-email/{address}`, the same key armoured.
//!
//! Invariant: packets of the right shape around nonsense: nobody can encrypt to these keys.

use std::sync::Arc;

use axum::Router;
use axum::body::Body;
use axum::extract::{Path, RawQuery, State};
use axum::http::{HeaderMap, HeaderValue, Response, StatusCode};
use axum::routing::get;
use jiff::Timestamp;

use super::{Question, Reply, Wire, exchange, parameter};
use crate::builtin::openpgp::key_in_directory;
use crate::provider::Identifier;
use crate::sandbox::draw;
use crate::sandbox::ledger::Answered;
use crate::sandbox::population::{Asked, Distortion, Portrait};
use crate::sandbox::quota::Allowance;
use crate::sandbox::service::Service;
use crate::sandbox::world::World;

pub(in crate::sandbox) fn routes() -> Router<Arc<World>> {
    Router::new()
        .route("/openpgp/{domain}/.well-known/openpgpkey/hu/{hash}", get(in_directory))
        .route("/openpgp/vks/v1/by-email/{address}", get(by_email))
}

/// What a domain's own server says.
struct Directory;

impl Wire for Directory {
    const SERVICE: Service = Service::Openpgp;
    /// An armoured key is none here.
    const WRONG_TYPE: &'static str = "-----BEGIN PGP PUBLIC KEY BLOCK-----\n\nmDMEawRoGhYJ\n";
    /// No packet begins so.
    const BROKEN_SYNTAX: &'static str = "\u{19}~";
    const CONTENT_TYPE: &'static str = "application/octet-stream";

    fn rate_limited(retry_after_secs: u64, now: Timestamp) -> Reply {
        KeyServer::rate_limited(retry_after_secs, now)
    }

    fn over_quota(allowance: Allowance, now: Timestamp) -> Reply {
        KeyServer::over_quota(allowance, now)
    }

    fn server_error() -> Reply {
        KeyServer::server_error()
    }

    fn quota_headers(_allowance: Allowance, _now: Timestamp, _headers: &mut HeaderMap) {}
}

async fn in_directory(
    State(world): State<Arc<World>>,
    Path((domain, hash)): Path<(String, String)>,
    RawQuery(query): RawQuery,
) -> Response<Body> {
    let local_part = parameter(query.as_deref(), "l").unwrap_or_default();
    let address = format!("{local_part}@{domain}");
    let asked = Asked::by_address(&address);
    let question = Question {
        operation: "directory",
        told: Identifier::Address,
        identifier: &address,
        mailbox: Some(asked.key),
    };
    let refusal = (key_in_directory(&local_part) != hash)
        .then(|| Reply::refused(StatusCode::BAD_REQUEST, "the hash is not that of the local part in `l`\n"));
    exchange::<Directory>(&world, question, refusal, || {
        match world.population.portrait(Service::Openpgp, asked) {
            Some(portrait) => Reply::new(StatusCode::OK, Answered::Match, key(&portrait, &address)),
            None => Reply::new(StatusCode::NOT_FOUND, Answered::NoMatch, "<h1>404 Not Found</h1>")
                .with_header("content-type", HeaderValue::from_static("text/html")),
        }
    })
    .await
}

struct KeyServer;

impl Wire for KeyServer {
    const SERVICE: Service = Service::Openpgp;
    const WRONG_TYPE: &'static str = "-----BEGIN PGP MESSAGE-----\n\nQWRh\n-----END PGP MESSAGE-----\n";
    const BROKEN_SYNTAX: &'static str = "-----BEGIN PGP PUBLIC KEY BLOCK-----\n\nmDMEawRoGhYJ";
    const CONTENT_TYPE: &'static str = "application/pgp-keys";

    fn rate_limited(retry_after_secs: u64, _now: Timestamp) -> Reply {
        Reply::new(StatusCode::TOO_MANY_REQUESTS, Answered::OverQuota, "<h1>429 Too Many Requests</h1>")
            .with_header("content-type", HeaderValue::from_static("text/html"))
            .with_header("retry-after", retry_after_secs)
    }

    fn over_quota(allowance: Allowance, now: Timestamp) -> Reply {
        Self::rate_limited(allowance.resets_in.as_secs().saturating_add(1), now)
    }

    fn server_error() -> Reply {
        Reply::new(StatusCode::BAD_GATEWAY, Answered::Refused, "<h1>502 Bad Gateway</h1>")
    }

    fn quota_headers(_allowance: Allowance, _now: Timestamp, _headers: &mut HeaderMap) {}
}

async fn by_email(State(world): State<Arc<World>>, Path(address): Path<String>) -> Response<Body> {
    let asked = Asked::by_address(&address);
    let question = Question {
        operation: "by_email",
        told: Identifier::Address,
        identifier: &address,
        mailbox: Some(asked.key),
    };
    exchange::<KeyServer>(&world, question, None, || {
        match world.population.portrait(Service::Openpgp, asked) {
            Some(portrait) => {
                Reply::new(StatusCode::OK, Answered::Match, armoured(&key(&portrait, &address)))
            }
            None => Reply::new(
                StatusCode::NOT_FOUND,
                Answered::NoMatch,
                format!("No key found for email address {address}"),
            )
            .with_header("content-type", HeaderValue::from_static("text/plain; charset=utf-8")),
        }
    })
    .await
}

fn key(portrait: &Portrait, address: &str) -> Vec<u8> {
    let person = &portrait.person;
    let mut rng = draw::stream(0, "openpgp key", &[&person.key.bytes()]);
    let name = if portrait.has(Distortion::NullName) {
        address.to_owned()
    } else if portrait.has(Distortion::Nickname) {
        person.name.nickname(&mut rng)
    } else if rng.bool() {
        format!("{} (sandbox)", person.name.full)
    } else {
        person.name.full.clone()
    };
    let user_id = format!("{name} <{address}>");
    let public_key: Vec<u8> =
        [4, 0x6b, 4, 0x68, 0x1a, 22].into_iter().chain((0..40).map(|_| rng.u8(..))).collect();
    let signature: Vec<u8> = [4, 0x13, 0x16, 8].into_iter().chain((0..140).map(|_| rng.u8(..))).collect();
    // Old format with one byte of length, as GnuPG writes them, but for long names.
    [packet(6, &public_key), packet(13, user_id.as_bytes()), packet(2, &signature)].concat()
}

fn packet(tag: u8, body: &[u8]) -> Vec<u8> {
    let length = u16::try_from(body.len()).unwrap_or(u16::MAX);
    let header = match u8::try_from(length) {
        Ok(length) => vec![0x80 | (tag << 2), length],
        Err(_) => [vec![0x81 | (tag << 2)], length.to_be_bytes().to_vec()].concat(),
    };
    [header, body.to_vec()].concat()
}

fn armoured(bytes: &[u8]) -> String {
    let text = base64(bytes);
    let lines: Vec<&str> =
        text.as_bytes().chunks(64).filter_map(|line| std::str::from_utf8(line).ok()).collect();
    let check = base64(&crc24(bytes).to_be_bytes()[1..]);
    format!(
        "-----BEGIN PGP PUBLIC KEY BLOCK-----\n\n{}\n={check}\n-----END PGP PUBLIC KEY BLOCK-----\n",
        lines.join("\n")
    )
}

fn base64(bytes: &[u8]) -> String {
    const DIGITS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut text = String::new();
    for group in bytes.chunks(3) {
        let value =
            (0..3).fold(0_usize, |value, at| (value << 8) | usize::from(group.get(at).copied().unwrap_or(0)));
        for place in 0..4 {
            let digit = DIGITS.get((value >> (18 - 6 * place)) & 63).copied().unwrap_or(b'A');
            text.push(if place > group.len() { '=' } else { char::from(digit) });
        }
    }
    text
}

/// The checksum of RFC 9580 section 6.1.1.
fn crc24(bytes: &[u8]) -> u32 {
    bytes.iter().fold(0x00b7_04ce, |crc, byte| {
        (0..8).fold(crc ^ (u32::from(*byte) << 16), |crc, _| {
            let shifted = crc << 1;
            if shifted & 0x0100_0000 == 0 { shifted } else { shifted ^ 0x0186_4cfb }
        })
    })
}
