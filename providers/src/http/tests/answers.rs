//! What becomes of answers, good and bad.

use std::time::Duration;

use super::server::{Script, Server};
use super::{client, vendor};
use crate::error::LookupError;
use crate::http::Traffic;

#[tokio::test]
async fn a_match_is_read() {
    let server = Server::start(vec![Server::answer("200 OK", &[], r#"{"name":"Ada Example"}"#)]).await;
    let client = client(vendor(&server));
    let response =
        client.get(server.url("/person")).query("email", "ada+x@example.com").send().await.unwrap();
    assert_eq!(response.status(), 200);
    assert_eq!(response.json::<serde_json::Value>().unwrap()["name"], "Ada Example");
    assert_eq!(client.traffic(), Traffic { calls: 1, retries: 0, throttled: 0 });
    let head = &server.heard()[0];
    assert!(head.starts_with("GET /person?email=ada%2Bx%40example.com HTTP/1.1\r\n"), "{head}");
    let agent = concat!("user-agent: Gleaner/", env!("CARGO_PKG_VERSION"), " (+https://example.org/gleaner)");
    assert!(head.to_lowercase().contains(&agent.to_lowercase()), "{head}");
}

#[tokio::test]
async fn a_fault_that_passes_is_retried() {
    let fault = Server::answer("500 Internal Server Error", &[], "");
    let server = Server::start(vec![fault, Server::answer("200 OK", &[], "yes")]).await;
    let client = client(vendor(&server));
    let response = client.get(server.url("/")).send().await.unwrap();
    assert_eq!(response.body(), b"yes");
    assert_eq!(client.traffic(), Traffic { calls: 2, retries: 1, throttled: 0 });
}

#[tokio::test]
async fn a_throttle_of_nothing_ends_after_three_calls() {
    let server = Server::start(vec![Server::answer("429 Too Many", &["retry-after: 0"], "")]).await;
    let client = client(vendor(&server));
    let error = client.get(server.url("/")).send().await.unwrap_err();
    assert_eq!(error, LookupError::RateLimited { after: Duration::from_secs(30) });
    assert_eq!(server.connections(), 3);
    assert_eq!(client.traffic(), Traffic { calls: 3, retries: 2, throttled: 3 });
    // And everyone is held back now.
    let error = client.get(server.url("/")).send().await.unwrap_err();
    assert!(matches!(error, LookupError::RateLimited { after } if after > Duration::from_secs(29)));
    assert_eq!(server.connections(), 3);
}

#[tokio::test]
async fn an_endless_body_is_cut_at_the_cap() {
    let head = b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n".to_vec();
    let server = Server::start(vec![Script::Endless(head, b"4\r\nabcd\r\n".to_vec())]).await;
    let mut limits = vendor(&server);
    limits.max_body_bytes = 10;
    let response = client(limits).get(server.url("/")).send().await.unwrap();
    assert!(response.is_truncated());
    assert_eq!(response.body(), b"abcdabcdab");
    assert!(matches!(response.json::<Vec<u8>>(), Err(LookupError::Malformed { .. })));
}
