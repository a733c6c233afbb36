//! What becomes of answers that are HTTP.

use std::time::Duration;

use serde_json::Value;

use super::server::Server;
use super::{client, error_of, vendor};
use crate::error::LookupError;
use crate::http::{Limits, Traffic, default_meaning};

#[tokio::test]
async fn a_match_is_read() {
    let server = Server::start(vec![Server::answer("200 OK", &[], r#"{"name":"Ada Example"}"#)]).await;
    let client = client(vendor(&server));
    let request =
        client.get(server.url("/person")).query("email", "ada+x@example.com").query("min", "a&b=c #");
    let response = request.send().await.unwrap();
    assert_eq!(response.status(), 200);
    assert_eq!(response.json::<Value>().unwrap()["name"], "Ada Example");
    assert_eq!(client.traffic(), Traffic { calls: 1, retries: 0, throttled: 0 });
    let head = &server.heard()[0];
    assert!(
        head.starts_with("GET /person?email=ada%2Bx%40example.com&min=a%26b%3Dc+%23 HTTP/1.1\r\n"),
        "{head}"
    );
    let agent =
        concat!("user-agent: Gleaner/", env!("CARGO_PKG_VERSION"), " (+https://example.org/gleaner)\r\n");
    assert!(head.contains(agent), "{head}");
    assert!(head.contains("accept-encoding: gzip\r\n"), "{head}");
}

#[tokio::test]
async fn statuses_mean_what_is_documented() {
    let table = [
        ("200 OK", "answer"),
        ("204 No Content", "answer"),
        ("301 Moved Permanently", "refused"),
        ("304 Not Modified", "refused"),
        ("400 Bad Request", "refused"),
        ("401 Unauthorized", "denied"),
        ("402 Payment Required", "quota_exhausted"),
        ("403 Forbidden", "denied"),
        ("404 Not Found", "answer"),
        ("408 Request Timeout", "unavailable"),
        ("410 Gone", "refused"),
        ("422 Unprocessable Content", "refused"),
        ("425 Too Early", "unavailable"),
        ("429 Too Many Requests", "rate_limited"),
        ("451 Unavailable For Legal Reasons", "refused"),
        ("500 Internal Server Error", "unavailable"),
        ("503 Service Unavailable", "unavailable"),
        ("599 Odd", "unavailable"),
        ("999 Odder", "refused"),
    ];
    for (status, expected) in table {
        let server = Server::start(vec![Server::answer(status, &[], "")]).await;
        let client = client(Limits { attempts: 1, ..vendor(&server) });
        let outcome = client.get(server.url("/")).send().await;
        let class = outcome.as_ref().map_or_else(LookupError::class, |_| "answer");
        assert_eq!(class, expected, "{status}");
        if let Err(error) = outcome {
            let text = error.to_string();
            assert!(!text.contains("127.0.0.1"), "{text}");
        }
    }
}

#[tokio::test]
async fn a_provider_reads_statuses_its_own_way() {
    let server = Server::start(vec![Server::answer("403 Forbidden", &[], "")]).await;
    let client = client(vendor(&server));
    let meaning = |response: &crate::http::Response| match response.status() {
        403 => Some(LookupError::RateLimited { after: Duration::MAX }),
        _ => default_meaning(response),
    };
    let error = client.get(server.url("/")).meaning(meaning).send().await.unwrap_err();
    assert_eq!(error, LookupError::RateLimited { after: Duration::from_hours(24) });
    assert!(client.paused_for().unwrap() > Duration::from_secs(86_000), "all are held back");
    assert_eq!(client.traffic().throttled, 1);
}

#[tokio::test]
async fn a_throttle_is_believed_up_to_a_day() {
    let table = [
        ("retry-after: 120", 120),
        ("retry-after: 315360000", 86_400),
        ("retry-after: Mon, 23 Nov 2099 12:00:00 GMT", 86_400),
        ("x-ratelimit-reset: 600", 600),
        ("retry-after: whenever", 30),
        ("x-nothing: said", 30),
    ];
    for (header, seconds) in table {
        let server = Server::start(vec![Server::answer("429 Too Many Requests", &[header], "")]).await;
        let client = client(vendor(&server));
        let after = Duration::from_secs(seconds);
        let error = client.get(server.url("/")).send().await.unwrap_err();
        assert_eq!(error, LookupError::RateLimited { after }, "{header}");
        let paused = client.paused_for().unwrap();
        assert!(paused > after.mul_f64(0.99) && paused <= after.mul_f64(1.1), "{header}: {paused:?}");
        assert_eq!(server.connections(), 1, "a wait this long is not for us");
    }
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

/// A job told "again in no time" would be brought back in a tight loop.
#[tokio::test]
async fn a_throttle_of_nothing_is_never_passed_on() {
    let server = Server::start(vec![Server::answer("429 Too Many", &["retry-after: 0"], "")]).await;
    let limits = Limits { attempts: 1, ..vendor(&server) };
    assert_eq!(
        error_of(limits, server.url("/")).await,
        LookupError::RateLimited { after: Duration::from_secs(30) }
    );
}

#[tokio::test]
async fn an_outage_that_says_for_how_long_is_a_pause() {
    let fault = Server::answer("503 Service Unavailable", &["retry-after: 60"], "");
    let server = Server::start(vec![fault]).await;
    let client = client(vendor(&server));
    let error = client.get(server.url("/")).send().await.unwrap_err();
    assert_eq!(error, LookupError::RateLimited { after: Duration::from_mins(1) });
    assert!(client.paused_for().unwrap() > Duration::from_secs(59));
    assert_eq!(server.connections(), 1);
}

#[tokio::test]
async fn the_last_call_of_a_window_pauses_though_it_was_answered() {
    let headers = ["x-ratelimit-remaining: 0", "x-ratelimit-reset: 300"];
    let server = Server::start(vec![Server::answer("200 OK", &headers, "yes")]).await;
    let client = client(vendor(&server));
    assert_eq!(client.get(server.url("/")).send().await.unwrap().body(), b"yes");
    let error = client.get(server.url("/")).send().await.unwrap_err();
    assert!(matches!(error, LookupError::RateLimited { after } if after > Duration::from_secs(299)));
    assert_eq!(server.connections(), 1);
}

#[tokio::test]
async fn a_window_with_calls_left_pauses_nobody() {
    let headers = ["x-ratelimit-remaining: 1", "x-ratelimit-reset: 300"];
    let server = Server::start(vec![Server::answer("200 OK", &headers, "yes")]).await;
    let client = client(vendor(&server));
    for _ in 0..3 {
        client.get(server.url("/")).send().await.unwrap();
    }
}

#[tokio::test]
async fn json_of_another_shape_is_malformed_and_keeps_its_content_to_itself() {
    #[derive(Debug, serde::Deserialize)]
    struct Person {
        #[expect(dead_code, reason = "only its type matters")]
        age: u8,
    }
    for body in ["{\"age\": \"Ada Example\"}", "{\"age\": 4", "<html>Ada Example", "", "{\"age\": 4000}"] {
        let server = Server::start(vec![Server::answer("200 OK", &[], body)]).await;
        let response = client(vendor(&server)).get(server.url("/")).send().await.unwrap();
        let error = response.json::<Person>().unwrap_err();
        assert!(matches!(error, LookupError::Malformed { .. }), "{body}");
        let text = error.to_string();
        assert!(!text.contains("Ada") && !text.contains("4000"), "{text}");
        assert!(text.contains("line 1") || body.is_empty(), "{text}");
    }
}

#[tokio::test]
async fn what_is_shown_of_a_call_holds_nothing_personal() {
    let server = Server::start(vec![Server::answer("200 OK", &["x-name: Ada"], "Ada Example")]).await;
    let client = client(vendor(&server));
    let request = client.get(server.url("/ada")).query("email", "ada@example.com");
    insta::assert_snapshot!(format!("{request:?}"), @"Request { method: GET, .. }");
    let response = request.send().await.unwrap();
    insta::assert_snapshot!(format!("{response:?}"), @"Response { status: 200, bytes: 11, is_truncated: false, .. }");
    insta::assert_snapshot!(format!("{client:?}"), @r#"HttpClient { provider: "test", .. }"#);
}

#[tokio::test]
async fn the_error_of_a_dead_server_does_not_name_it() {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url: url::Url = format!("http://{}/ada", listener.local_addr().unwrap()).parse().unwrap();
    drop(listener);
    let server = Server::start(vec![]).await;
    let limits = Limits { trusted: Some(url.clone()), ..vendor(&server) };
    assert_eq!(error_of(limits, url).await, super::unavailable("connection refused"));
}
