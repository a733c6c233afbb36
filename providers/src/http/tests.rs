//! The client against hostile servers on loopback.

mod answers;
pub(super) mod names;
mod server;

use std::time::Duration;

use super::{HttpClient, Limits, Network};
use crate::clock::SystemClock;
use crate::provider::{Quota, Reach};
use server::Server;

/// Limits for calls to this server as a vendor: fast, and with deadlines of at most 300 ms.
fn vendor(server: &Server) -> Limits {
    Limits {
        trusted: Some(server.url("/")),
        read_timeout: Duration::from_millis(150),
        connect_timeout: Duration::from_millis(150),
        total_timeout: Duration::from_millis(300),
        max_wait: Duration::from_secs(2),
        ..Limits::for_quota(Quota::per_second(10_000))
    }
}

/// Limits for calls on the web, where loopback addresses are a permitted exception.
fn web() -> Limits {
    Limits { reach: Reach::Web, trusted: None, attempts: 1, ..Limits::for_quota(Quota::per_second(10_000)) }
}

fn client(limits: Limits) -> HttpClient {
    Network::new(Some("https://example.org/gleaner"), SystemClock::shared()).unwrap().client("test", limits)
}
