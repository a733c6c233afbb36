//! The client against hostile servers on loopback.

mod answers;
mod faults;
mod guests;
mod hostile_pages;
mod manners;
pub(super) mod names;
mod proxy;
mod rebinding;
mod redirects;
mod server;

use std::time::Duration;

use url::Url;

use super::{HttpClient, Limits, Nets, Network};
use crate::clock::SystemClock;
use crate::error::LookupError;
use crate::provider::{Quota, Reach};
use server::Server;

/// Limits for calls to this server as a vendor: no quota to speak of.
fn vendor(server: &Server) -> Limits {
    Limits {
        trusted: Some(server.url("/")),
        max_wait: Duration::from_secs(2),
        ..Limits::for_quota(Quota::per_second(10_000))
    }
}

/// The same with deadlines of at most 300 ms, for servers that let us wait.
fn hasty(server: &Server) -> Limits {
    Limits {
        read_timeout: Duration::from_millis(150),
        connect_timeout: Duration::from_millis(100),
        total_timeout: Duration::from_millis(300),
        ..vendor(server)
    }
}

/// Limits for calls on the web, where loopback addresses are a permitted exception.
fn web() -> Limits {
    Limits {
        reach: Reach::Web,
        nets: Nets { allow: vec!["127.0.0.0/8".parse().unwrap()], ..Nets::default() },
        per_site: None,
        attempts: 1,
        ..Limits::for_quota(Quota::per_second(10_000))
    }
}

fn client(limits: Limits) -> HttpClient {
    Network::new(Some("https://example.org/gleaner"), SystemClock::shared()).unwrap().client("test", limits)
}

/// One attempt that goes wrong.
async fn error_of(limits: Limits, url: Url) -> LookupError {
    client(Limits { attempts: 1, ..limits }).get(url).send().await.unwrap_err()
}

fn unavailable(reason: &'static str) -> LookupError {
    LookupError::unavailable(reason)
}

fn forbidden(reason: &'static str) -> LookupError {
    LookupError::Forbidden { reason: reason.into() }
}
