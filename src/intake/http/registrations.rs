//! `/v1/registrations`: take in, and say where a member is.
//!
//! Invariant: all of a request is taken in, or nothing of it.

use std::borrow::Cow;
use std::sync::Arc;

use axum::body::Bytes;
use axum::extract::rejection::PathRejection;
use axum::extract::{Extension, FromRequest as _, Path, Request, State};
use axum::http::StatusCode;
use axum::http::header::{CONTENT_ENCODING, CONTENT_LENGTH, CONTENT_TYPE, HeaderMap};
use axum::response::Response;
use percent_encoding::percent_decode_str;

use super::Desk;
use super::answer::{self, Problem};
use super::body::{self, Attributes, Format, Read, is_json};
use super::guard::Caller;
use super::idempotency;
use crate::intake::group::HandInError;
use crate::job::{Delivered, Delivery, Intake, Item, Once};
use crate::keyring::Keyring;
use crate::member::MemberId;

/// `POST /v1/registrations`.
pub(super) async fn create(
    State(desk): State<Arc<Desk>>,
    Extension(Caller(caller)): Extension<Caller>,
    request: Request,
) -> Result<Response, Problem> {
    let _room = desk.room.try_acquire().map_err(|_| Problem::busy())?;
    let mode = Mode::of(request.headers())?;
    let key = idempotency::key(request.headers())?.map(|key| desk.reception.keyring.request(&caller, key));
    match desk.backlog.has_room().await {
        Ok(true) => {}
        Ok(false) => return Err(Problem::backlog()),
        Err(_) => return Err(Problem::unavailable()),
    }
    let body = read_body(&desk, request).await?;
    let keyring = &desk.reception.keyring;
    let (items, is_single) = read(&mode, &body, &desk)?;
    let once = key.map(|key| Once { key, content: content(&mode, &body, keyring) });
    let _held = match once {
        Some(once) => Some(desk.under_way.take(once.key).ok_or_else(Problem::key_under_way)?),
        None => None,
    };
    let delivery = Delivery { once, items };
    let items = delivery.items.clone();
    let became = hand_in(&desk, delivery).await?;
    Ok(answer::accepted(&items, &became, is_single))
}

/// `GET /v1/registrations/{member_id}`.
pub(super) async fn place(
    State(desk): State<Arc<Desk>>,
    member: Result<Path<String>, PathRejection>,
) -> Result<Response, Problem> {
    let unknown = || Problem::not_found("nothing is kept of such a member");
    let Path(member) = member.map_err(|_| unknown())?;
    let member = MemberId::parse(&member).map_err(|_| unknown())?;
    let asked = desk.reception.store.place(&member, desk.reception.clock.now());
    match tokio::time::timeout(desk.settings.timeout(), asked).await {
        Ok(Ok(Some(place))) => Ok(answer::place(&member, &place)),
        Ok(Ok(None)) => Err(unknown()),
        Ok(Err(error)) => {
            tracing::warn!(%error, "a member's place could not be read");
            Err(Problem::unavailable())
        }
        Err(_) => Err(Problem::unavailable()),
    }
}

/// Waits for the commit, as long as a caller would.
async fn hand_in(desk: &Desk, delivery: Delivery) -> Result<Vec<Intake>, Problem> {
    let handed_in = desk.group.hand_in(delivery);
    match tokio::time::timeout(desk.settings.timeout(), handed_in).await {
        Ok(Ok(Delivered::Taken(became))) => {
            let jobs = became.iter().filter(|became| **became == Intake::Queued).count();
            desk.backlog.add(jobs).await;
            Ok(became)
        }
        Ok(Ok(Delivered::Again(became))) => Ok(became),
        Ok(Ok(Delivered::Conflict)) => Err(Problem::key_reused()),
        Ok(Err(HandInError::Unavailable)) | Err(_) => Err(Problem::unavailable()),
        Ok(Err(HandInError::Refused)) => Err(Problem::internal()),
    }
}

/// How a request says what it brings.
#[derive(Debug)]
enum Mode {
    Whole(Format),
    /// A `CloudEvent` whose attributes are headers: id, source, version, type.
    Binary([Option<String>; 4]),
}

impl Mode {
    fn of(headers: &HeaderMap) -> Result<Self, Problem> {
        if headers.get(CONTENT_ENCODING).is_some_and(|encoding| encoding != "identity") {
            return Err(Problem::unsupported("bodies are read uncompressed"));
        }
        let content_type =
            headers.get(CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
        let mut parts = content_type.split(';').map(str::trim);
        let essence = parts.next().unwrap_or_default().to_ascii_lowercase();
        let utf8 = |parameter: &str| match parameter.split_once('=') {
            Some((name, value)) if name.trim().eq_ignore_ascii_case("charset") => {
                matches!(
                    value.trim().trim_matches('"').to_ascii_lowercase().as_str(),
                    "utf-8" | "utf8" | "us-ascii"
                )
            }
            _ => true,
        };
        if !parts.all(utf8) {
            return Err(Problem::unsupported("bodies are UTF-8"));
        }
        match essence.as_str() {
            "application/cloudevents+json" => Ok(Self::Whole(Format::Event)),
            "application/cloudevents-batch+json" => Ok(Self::Whole(Format::EventBatch)),
            other if is_json(other) && headers.contains_key("ce-specversion") => {
                Ok(Self::Binary(attributes(headers)))
            }
            "application/json" => Ok(Self::Whole(Format::Json)),
            "" => Err(Problem::unsupported("there is no `Content-Type`")),
            _ => Err(Problem::unsupported("this `Content-Type` is not read")),
        }
    }
}

/// The attributes that count, percent-decoded as the HTTP binding of `CloudEvents` asks.
fn attributes(headers: &HeaderMap) -> [Option<String>; 4] {
    ["ce-id", "ce-source", "ce-specversion", "ce-type"].map(|name| {
        let text = headers.get(name)?.to_str().ok()?;
        let decoded = percent_decode_str(text.trim().trim_matches('"')).decode_utf8().map(Cow::into_owned);
        decoded.ok()
    })
}

/// The whole body, which the router has given its limit.
async fn read_body(desk: &Desk, request: Request) -> Result<Bytes, Problem> {
    let limit = desk.settings.max_body_bytes.get();
    let length =
        request.headers().get(CONTENT_LENGTH).and_then(|value| value.to_str().ok()?.parse::<u64>().ok());
    if length.is_some_and(|length| length > limit as u64) {
        return Err(Problem::too_large(limit));
    }
    match tokio::time::timeout(desk.settings.timeout(), Bytes::from_request(request, &())).await {
        Ok(Ok(body)) => Ok(body),
        Ok(Err(error)) if error.status() == StatusCode::PAYLOAD_TOO_LARGE => Err(Problem::too_large(limit)),
        Ok(Err(_)) => Err(Problem::malformed("the body broke off")),
        Err(_) => Err(Problem::slow_body()),
    }
}

/// The items of a body, and whether it was one and no array.
fn read(mode: &Mode, body: &[u8], desk: &Desk) -> Result<(Vec<Item>, bool), Problem> {
    let (keyring, limit) = (&desk.reception.keyring, desk.settings.max_items.get());
    let unreadable = |error: body::Unreadable| Problem::malformed(error.to_string());
    let judged = match mode {
        Mode::Binary([id, source, specversion, r#type]) => {
            let attributes = Attributes {
                id: id.as_deref(),
                source: source.as_deref(),
                specversion: specversion.as_deref(),
                r#type: r#type.as_deref(),
            };
            Read::One(body::read_binary(&attributes, body, keyring).map_err(unreadable)?)
        }
        Mode::Whole(format) => body::read(body, *format, limit, keyring).map_err(unreadable)?,
    };
    let (judged, is_single) = match judged {
        Read::One(item) => (vec![item], true),
        Read::Many(items) => (items, false),
        Read::TooMany(count) => return Err(Problem::too_many(count, limit)),
        Read::Shape(fault) => (vec![Err(fault)], true),
    };
    let faults =
        |(index, item): (usize, &Result<Item, body::Fault>)| Some((index, item.as_ref().err()?.clone()));
    if judged.iter().any(Result::is_err) {
        return Err(Problem::unfit(judged.iter().enumerate().filter_map(faults)));
    }
    Ok((judged.into_iter().flatten().collect(), is_single))
}

/// What tells whether two requests said the same: their bytes and how these were to be read.
fn content(mode: &Mode, body: &[u8], keyring: &Keyring) -> crate::keyring::SeenKey {
    keyring.content(&[format!("{mode:?}").as_bytes(), body])
}
