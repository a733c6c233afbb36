//! Permits, quota, secrets and bodies on the way out.

use std::num::NonZeroU32;
use std::sync::Arc;
use std::time::Duration;

use secrecy::SecretString;
use tokio::sync::Barrier;
use tokio::task::JoinSet;

use super::server::{Script, Server};
use super::{client, unavailable, vendor};
use crate::clock::{Clock as _, ManualClock};
use crate::error::LookupError;
use crate::http::{Limits, Network, Traffic};
use crate::provider::Quota;

const DONE: &[u8] = b"HTTP/1.1 200 OK\r\nconnection: close\r\ncontent-length: 0\r\n\r\n";

/// The server answers only when three are there at once, so fewer would hang.
#[tokio::test]
async fn as_many_calls_are_out_as_there_are_permits() {
    let barrier = Arc::new(Barrier::new(3));
    let server = Server::start(vec![Script::Meet(Arc::clone(&barrier), DONE.to_vec())]).await;
    let limits = Limits { concurrency: NonZeroU32::new(3).unwrap(), attempts: 1, ..vendor(&server) };
    let client = client(limits);
    let calls: Vec<_> = (0..12)
        .map(|_| {
            let (client, url) = (client.clone(), server.url("/"));
            tokio::spawn(async move { client.get(url).send().await.map(|response| response.status()) })
        })
        .collect();
    for call in calls {
        assert_eq!(call.await.unwrap(), Ok(200));
    }
}

#[tokio::test]
async fn no_more_calls_are_out_than_there_are_permits() {
    let server = Server::start(vec![Script::Stall(Vec::new())]).await;
    let limits = Limits {
        concurrency: NonZeroU32::new(2).unwrap(),
        max_wait: Duration::from_millis(50),
        attempts: 1,
        ..vendor(&server)
    };
    let client = client(limits);
    let mut calls = JoinSet::new();
    for _ in 0..10 {
        let (client, url) = (client.clone(), server.url("/"));
        calls.spawn(async move { client.get(url).send().await });
    }
    for _ in 0..8 {
        let outcome = calls.join_next().await.unwrap().unwrap();
        assert!(matches!(outcome, Err(LookupError::RateLimited { .. })), "{outcome:?}");
    }
    // Two are still out, waiting for the server.
    assert_eq!((calls.len(), client.traffic().calls), (2, 2));
}

#[tokio::test]
async fn a_spent_quota_is_told_at_once_and_nothing_is_sent() {
    let server = Server::start(vec![Script::Say(DONE.to_vec())]).await;
    let client = client(Limits { quota: Quota::per_hour(1), ..vendor(&server) });
    client.get(server.url("/")).send().await.unwrap();
    let mut last = Duration::ZERO;
    for number in 1..=5 {
        let Err(LookupError::RateLimited { after }) = client.get(server.url("/")).send().await else {
            panic!("the quota is spent")
        };
        assert!(after > last + Duration::from_secs(3_590), "call {number} has a moment of its own");
        last = after;
    }
    assert_eq!(client.traffic(), Traffic { calls: 1, retries: 0, throttled: 0 });
}

/// Told "rate limited", a job would come back for ever without spending an attempt.
#[tokio::test]
async fn a_fault_stays_a_fault_when_the_quota_allows_no_retry() {
    let server = Server::start(vec![Server::answer("500 Internal Server Error", &[], "")]).await;
    let client = client(Limits { quota: Quota::per_hour(1), ..vendor(&server) });
    assert_eq!(client.get(server.url("/")).send().await.unwrap_err(), unavailable("status 500"));
    assert_eq!(server.connections(), 1);
}

#[tokio::test]
async fn no_retry_waits_longer_than_the_callers_patience() {
    let fault = Server::answer("503 Service Unavailable", &["retry-after: 4"], "");
    let server = Server::start(vec![fault]).await;
    let client = client(vendor(&server));
    assert_eq!(client.get(server.url("/")).send().await.unwrap_err(), unavailable("status 503"));
    assert_eq!(client.traffic(), Traffic { calls: 1, retries: 0, throttled: 0 });
    assert!(client.paused_for().unwrap() > Duration::from_secs(3), "the others wait for it all the same");
}

#[tokio::test]
async fn a_secret_is_sent_and_not_shown() {
    let server = Server::start(vec![Script::Say(DONE.to_vec())]).await;
    let client = client(vendor(&server));
    let key = SecretString::from("k-canary-1");
    let request = client
        .get(server.url("/"))
        .header("accept", "application/json")
        .header_value("x-request", "42".to_owned())
        .secret_header("authorization", "Bearer ", Some(&key))
        .secret_header("x-other", "", None);
    assert!(!format!("{request:?}").contains("canary"));
    request.send().await.unwrap();
    let head = &server.heard()[0];
    assert!(head.contains("authorization: Bearer k-canary-1\r\n"), "{head}");
    assert!(head.contains("accept: application/json\r\n") && head.contains("x-request: 42\r\n"), "{head}");
    assert!(!head.contains("x-other"), "{head}");
}

#[tokio::test]
async fn what_is_no_header_is_not_sent() {
    let server = Server::start(vec![Script::Say(DONE.to_vec())]).await;
    let client = client(vendor(&server));
    let key = SecretString::from("k-canary\r\nx-injected: 1");
    let error = client.get(server.url("/")).secret_header("x-key", "", Some(&key)).send().await.unwrap_err();
    assert!(matches!(error, LookupError::Denied { .. }));
    assert!(!error.to_string().contains("canary"));
    let value = "a\nb".to_owned();
    let error = client.get(server.url("/")).header_value("x-key", value).send().await.unwrap_err();
    assert!(matches!(error, LookupError::Refused { .. }));
    assert_eq!(server.connections(), 0);
}

#[tokio::test]
async fn a_question_can_be_posted() {
    let server = Server::start(vec![Script::Say(DONE.to_vec())]).await;
    let client = client(vendor(&server));
    client.post_json(server.url("/"), &serde_json::json!({"email": "ada@example.com"})).send().await.unwrap();
    let head = &server.heard()[0];
    assert!(head.starts_with("POST / HTTP/1.1\r\n"), "{head}");
    assert!(head.contains("content-type: application/json\r\n"), "{head}");
    assert!(head.contains("content-length: 27\r\n"), "{head}");
}

#[tokio::test]
async fn connections_are_kept() {
    let server =
        Server::start(vec![Script::Keep(b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok".to_vec())]).await;
    let client = client(vendor(&server));
    for _ in 0..20 {
        assert_eq!(client.get(server.url("/")).send().await.unwrap().body(), b"ok");
    }
    assert_eq!((server.heard().len(), server.connections()), (20, 1));
}

#[tokio::test]
async fn the_calendar_is_the_clocks() {
    let noon: jiff::Timestamp = "2026-11-23T12:00:00Z".parse().unwrap();
    let clock = ManualClock::at(noon);
    let network = Network::new(None, Arc::clone(&clock) as _).unwrap();
    let client = network.client("test", Limits::for_quota(Quota::per_second(1)));
    assert_eq!((client.now(), client.today()), (noon, clock.today()));
    assert!(Network::new(Some("bad\ncontact"), clock).is_err());
}
