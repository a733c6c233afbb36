//! What went wrong on the wire, in our words.
//!
//! Invariant: reasons are static; a URL, a host or a server's own text never becomes part of an error.

use std::error::Error;
use std::io::ErrorKind;

use super::guard::Route;
use super::resolve::RefusedAddress;
use crate::error::LookupError;

/// Names the fault of a call that brought no answer.
pub(super) fn while_sending(error: &reqwest::Error, route: Route) -> LookupError {
    if let Some(refused) = causes(error).find_map(|cause| cause.downcast_ref::<RefusedAddress>()) {
        return LookupError::Forbidden { reason: refused.0.reason().into() };
    }
    let reason = if error.is_dns() {
        "name did not resolve"
    } else if error.is_connect() {
        connecting(error)
    } else {
        return LookupError::unavailable(exchanging(error, "request could not be sent"));
    };
    match route {
        Route::Trusted => LookupError::unavailable(reason),
        // Most domains that receive mail have no site: that is no fault that passes.
        Route::Guarded => LookupError::Unreachable { reason: reason.into() },
    }
}

/// Whether the question may have reached the server.
pub(super) fn had_left(error: &reqwest::Error) -> bool {
    let was_refused = causes(error).find_map(|cause| cause.downcast_ref::<RefusedAddress>()).is_some();
    !(was_refused || error.is_dns() || error.is_connect())
}

/// Names the fault of an answer that broke off.
pub(super) fn while_reading(error: &reqwest::Error) -> LookupError {
    LookupError::unavailable(exchanging(error, "answer is garbled"))
}

fn connecting(error: &reqwest::Error) -> &'static str {
    if error.is_timeout() {
        return "timed out while connecting";
    }
    if causes(error).any(is_tls) {
        return "TLS failed";
    }
    match io_kind(error) {
        Some(ErrorKind::ConnectionRefused) => "connection refused",
        Some(ErrorKind::NetworkUnreachable | ErrorKind::HostUnreachable) => "host unreachable",
        Some(ErrorKind::UnexpectedEof | ErrorKind::ConnectionReset) => "connection closed early",
        _ => "could not connect",
    }
}

fn exchanging(error: &reqwest::Error, otherwise: &'static str) -> &'static str {
    if error.is_timeout() {
        return "timed out while reading";
    }
    let is_incomplete = |cause: &(dyn Error + 'static)| {
        cause
            .downcast_ref::<hyper::Error>()
            .is_some_and(|hyper| hyper.is_incomplete_message() || hyper.is_closed())
    };
    let is_not_http = |cause: &(dyn Error + 'static)| {
        cause.downcast_ref::<hyper::Error>().is_some_and(hyper::Error::is_parse)
    };
    let early = [ErrorKind::UnexpectedEof, ErrorKind::ConnectionReset, ErrorKind::BrokenPipe];
    if causes(error).any(is_incomplete) || io_kind(error).is_some_and(|kind| early.contains(&kind)) {
        "connection closed early"
    } else if causes(error).any(is_not_http) {
        "answer is not HTTP"
    } else if causes(error).any(is_tls) {
        "TLS failed"
    } else {
        otherwise
    }
}

/// The error and what caused it, outermost first.
///
/// An `io::Error` that wraps another error hides it from `source`, so it is looked into.
fn causes<'a>(error: &'a reqwest::Error) -> impl Iterator<Item = &'a (dyn Error + 'static)> {
    let first: &'a (dyn Error + 'static) = error;
    std::iter::successors(Some(first), |&cause| {
        match cause.downcast_ref::<std::io::Error>().and_then(std::io::Error::get_ref) {
            Some(inner) => Some(inner as &(dyn Error + 'static)),
            None => cause.source(),
        }
    })
}

fn is_tls(cause: &(dyn Error + 'static)) -> bool {
    cause.is::<rustls::Error>()
}

fn io_kind(error: &reqwest::Error) -> Option<ErrorKind> {
    causes(error).find_map(|cause| cause.downcast_ref::<std::io::Error>()).map(std::io::Error::kind)
}
