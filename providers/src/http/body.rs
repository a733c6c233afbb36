//! Reading a body without trusting its length.
//!
//! Invariant: counts bytes after decompression, and stops at the cap whatever the headers promised.

use std::time::Duration;

use bytes::{Bytes, BytesMut};
use tokio::time::{Instant, timeout_at};

use super::fault;
use crate::error::LookupError;

/// How much may be read, and how long it may take.
#[derive(Clone, Copy, Debug)]
pub(super) struct Allowance {
    pub(super) bytes: usize,
    /// The longest silence between two pieces.
    pub(super) silence: Duration,
    pub(super) deadline: Instant,
}

/// A body, and whether it was cut at the cap.
#[derive(Debug, Default)]
pub(super) struct Body {
    pub(super) bytes: Bytes,
    pub(super) is_truncated: bool,
}

/// Reads until the end or the cap. What lies beyond the cap is never read: the connection is dropped instead.
pub(super) async fn read(
    response: &mut reqwest::Response,
    allowance: Allowance,
) -> Result<Body, LookupError> {
    // Most answers come in one piece, which is kept as it is.
    let mut whole = Bytes::new();
    let mut pieces = BytesMut::new();
    loop {
        let silence_ends = Instant::now() + allowance.silence;
        let next = timeout_at(silence_ends.min(allowance.deadline), response.chunk());
        let piece = match next.await {
            Ok(Ok(Some(piece))) => piece,
            Ok(Ok(None)) => break,
            Ok(Err(error)) => return Err(fault::while_reading(&error)),
            Err(_) => return Err(LookupError::unavailable("timed out while reading")),
        };
        let room = allowance.bytes.saturating_sub(whole.len() + pieces.len());
        let is_truncated = piece.len() > room;
        let piece = if is_truncated { piece.slice(..room) } else { piece };
        if whole.is_empty() && pieces.is_empty() {
            whole = piece;
        } else {
            if pieces.is_empty() {
                pieces.reserve(expected(response, allowance.bytes).max(whole.len() + piece.len()));
                pieces.extend_from_slice(&std::mem::take(&mut whole));
            }
            pieces.extend_from_slice(&piece);
        }
        if is_truncated {
            return Ok(Body { bytes: one_of(whole, pieces), is_truncated });
        }
    }
    Ok(Body { bytes: one_of(whole, pieces), is_truncated: false })
}

fn one_of(whole: Bytes, pieces: BytesMut) -> Bytes {
    if pieces.is_empty() { whole } else { pieces.freeze() }
}

/// The length the headers promise, believed up to the cap.
fn expected(response: &reqwest::Response, cap: usize) -> usize {
    response.content_length().and_then(|length| usize::try_from(length).ok()).unwrap_or_default().min(cap)
}
