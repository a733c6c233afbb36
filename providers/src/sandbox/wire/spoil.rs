//! Sending an answer well or badly: whole, truncated, drop by drop or not at all.
//!
//! Invariant: nothing here outlives the sandbox: every wait ends when it stops.

use std::io;
use std::sync::Arc;
use std::time::Duration;

use axum::body::{Body, Bytes};
use axum::http::header::CONTENT_LENGTH;
use axum::http::{Response, StatusCode};
use futures_util::stream::{self, StreamExt as _};

use super::Reply;
use crate::hostile;
use crate::sandbox::fault::Fault;
use crate::sandbox::world::{Stop, World};

/// How long a call that times out is held, at most.
const NEVER: Duration = Duration::from_secs(30);
/// A slow drip comes in this many pieces …
const DROPS: usize = 40;
/// … with this pause before each.
const PAUSE: Duration = Duration::from_millis(50);

/// More than any of our providers reads.
const OVERSIZED: usize = 2 << 20;

/// Sends a reply as its fault has it.
pub(super) async fn send(world: &World, reply: Reply, fault: Option<Fault>) -> Response<Body> {
    let Reply { mut status, headers, body, .. } = reply;
    let length = body.len();
    let body = match fault {
        Some(Fault::Timeout) => {
            world.rest(NEVER).await;
            status = StatusCode::GATEWAY_TIMEOUT;
            Body::empty()
        }
        Some(Fault::Truncated) => truncated(body),
        Some(Fault::Oversized) => oversized(body),
        Some(Fault::Dropped) => dropped(),
        Some(Fault::Hostile) => Body::from(hostile::everywhere(body)),
        Some(Fault::SlowDrip) => slow_drip(body, Arc::clone(&world.stop)),
        _ => Body::from(body),
    };
    let mut response = Response::new(body);
    *response.status_mut() = status;
    *response.headers_mut() = headers;
    if matches!(fault, Some(Fault::Truncated | Fault::SlowDrip)) {
        response.headers_mut().insert(CONTENT_LENGTH, length.into());
    }
    response
}

fn oversized(mut body: Vec<u8>) -> Body {
    body.resize(body.len() + OVERSIZED, b' ');
    Body::from(body)
}

/// Fails before the server has sent what it has, the head of the answer.
fn dropped() -> Body {
    Body::from_stream(stream::once(async { Err::<Bytes, _>(io::Error::other("dropped on purpose")) }))
}

/// Half of the body under the length of the whole; then the connection breaks.
fn truncated(mut body: Vec<u8>) -> Body {
    body.truncate(body.len() / 2);
    let half = stream::once(async move { Ok(Bytes::from(body)) });
    let broken = stream::once(async {
        // Yielding lets the server send what it has, so that the caller sees a body that stops.
        tokio::task::yield_now().await;
        Err(io::Error::other("cut off on purpose"))
    });
    Body::from_stream(half.chain(broken))
}

fn slow_drip(body: Vec<u8>, stop: Arc<Stop>) -> Body {
    let size = body.len().div_ceil(DROPS).max(1);
    Body::from_stream(stream::unfold((Bytes::from(body), stop), move |(mut rest, stop)| async move {
        if rest.is_empty() {
            return None;
        }
        stop.rest(PAUSE).await;
        let drop = rest.split_to(size.min(rest.len()));
        Some((Ok::<_, io::Error>(drop), (rest, stop)))
    }))
}
