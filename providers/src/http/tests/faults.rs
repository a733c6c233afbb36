//! Servers that break off, dawdle, flood and lie.

use std::io::Write as _;
use std::time::Duration;

use flate2::Compression;
use flate2::write::GzEncoder;
use tokio::time::Instant;

use super::server::{Script, Server};
use super::{client, error_of, hasty, unavailable, vendor};
use crate::error::LookupError;
use crate::http::{Limits, Traffic};

const CHUNKED: &[u8] = b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n";

fn say(text: &str) -> Script {
    Script::Say(text.as_bytes().to_vec())
}

#[tokio::test]
async fn answers_that_break_off_are_passing_faults() {
    let table = [
        ("HTTP/1.1 200 OK\r\ncontent-length: 1000\r\n\r\nshort", "connection closed early"),
        ("HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n5\r\nab", "connection closed early"),
        ("HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\nzz\r\nab\r\n", "answer is garbled"),
        ("HTTP/1.1 200 OK\r\ncontent-encoding: gzip\r\ncontent-length: 5\r\n\r\nplain", "answer is garbled"),
        ("HTTP/1.1 200 OK\r\ncontent-le", "connection closed early"),
        ("", "connection closed early"),
        ("SSH-2.0-OpenSSH_9.9\r\n\r\n", "answer is not HTTP"),
        ("HTTP/1.1 200 OK\r\ncontent-length: -1\r\n\r\n", "answer is not HTTP"),
        ("HTTP/1.1 99999 OK\r\n\r\n", "answer is not HTTP"),
    ];
    for (text, reason) in table {
        let server = Server::start(vec![say(text)]).await;
        assert_eq!(error_of(vendor(&server), server.url("/")).await, unavailable(reason), "{text:?}");
    }
}

#[tokio::test]
async fn header_bombs_are_refused() {
    let many = format!("HTTP/1.1 200 OK\r\n{}\r\n", "x-bomb: boom\r\n".repeat(2_000));
    let long = format!("HTTP/1.1 200 OK\r\nx-bomb: {}\r\n\r\n", "b".repeat(2 << 20));
    for text in [many, long] {
        let server = Server::start(vec![say(&text)]).await;
        let error = error_of(vendor(&server), server.url("/")).await;
        assert!(matches!(error, LookupError::Unavailable { .. }), "{error}");
    }
    for (first, again) in [("HTTP/1.1 200 OK\r\n", "x-bomb: boom\r\n"), ("", "HTTP/1.1 100 Continue\r\n\r\n")]
    {
        let script = Script::Endless(first.as_bytes().to_vec(), again.as_bytes().to_vec());
        let server = Server::start(vec![script]).await;
        let error = error_of(hasty(&server), server.url("/")).await;
        assert!(matches!(error, LookupError::Unavailable { .. }), "{again:?}: {error}");
    }
}

#[tokio::test]
async fn what_is_not_tls_fails_as_tls() {
    let server = Server::start(vec![Script::Greet(b"HTTP/1.1 400 Bad Request\r\n\r\n".to_vec())]).await;
    let mut url = server.url("/");
    url.set_scheme("https").unwrap();
    let limits = Limits { trusted: Some(url.clone()), ..vendor(&server) };
    assert_eq!(error_of(limits, url).await, unavailable("TLS failed"));
}

#[tokio::test]
async fn an_endless_body_is_cut_at_the_cap() {
    let server = Server::start(vec![Script::Endless(CHUNKED.to_vec(), b"4\r\nabcd\r\n".to_vec())]).await;
    let limits = Limits { max_body_bytes: 10, ..vendor(&server) };
    let response = client(limits).get(server.url("/")).send().await.unwrap();
    assert!(response.is_truncated());
    assert_eq!(response.body(), b"abcdabcdab");
    assert!(matches!(response.json::<Vec<u8>>(), Err(LookupError::Malformed { .. })));
}

#[tokio::test]
async fn the_cap_is_exact() {
    for (cap, expected, is_truncated) in
        [(4, "four", false), (3, "fou", true), (0, "", true), (5, "four", false)]
    {
        let server = Server::start(vec![Server::answer("200 OK", &[], "four")]).await;
        let limits = Limits { max_body_bytes: cap, ..vendor(&server) };
        let response = client(limits).get(server.url("/")).send().await.unwrap();
        assert_eq!(
            (response.body(), response.is_truncated()),
            (expected.as_bytes(), is_truncated),
            "cap {cap}"
        );
    }
}

#[tokio::test]
async fn a_body_in_many_pieces_is_whole() {
    let numbers: Vec<_> = (1_000..1_500).map(|number: u32| number.to_string()).collect();
    let pieces = format!("4\r\n{}\r\n0\r\n\r\n", numbers.join("\r\n4\r\n"));
    let server = Server::start(vec![Script::Say([CHUNKED, pieces.as_bytes()].concat())]).await;
    let response = client(vendor(&server)).get(server.url("/")).send().await.unwrap();
    assert_eq!(response.body(), numbers.concat().as_bytes());
}

#[tokio::test]
async fn a_gzip_bomb_is_stopped_at_the_cap() {
    let mut bomb = GzEncoder::new(Vec::new(), Compression::fast());
    let zeros = vec![0; 1 << 20];
    for _ in 0..64 {
        bomb.write_all(&zeros).unwrap();
    }
    let bomb = bomb.finish().unwrap();
    assert!(bomb.len() < 1 << 20, "64 MiB in less than one");
    let head = format!("HTTP/1.1 200 OK\r\ncontent-encoding: gzip\r\ncontent-length: {}\r\n\r\n", bomb.len());
    let server = Server::start(vec![Script::Say([head.as_bytes(), &bomb].concat())]).await;
    let response = client(vendor(&server)).get(server.url("/")).send().await.unwrap();
    assert!(response.is_truncated());
    assert_eq!(response.body().len(), 1 << 20);
}

#[tokio::test]
async fn dawdlers_are_left() {
    let table = [
        // Says nothing: the longest silence.
        (Script::Stall(Vec::new()), "timed out while waiting for an answer"),
        (Script::Stall(b"HTTP/1.1 200 OK\r\n".to_vec()), "timed out while waiting for an answer"),
        (
            Script::Stall(b"HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\nabc".to_vec()),
            "timed out while reading",
        ),
        // Never silent for long: the total deadline.
        (Script::Drip(b"HTTP/1.1 200 OK\r\nx-slow: ".to_vec(), 20), "timed out while waiting for an answer"),
        (
            Script::Drip(b"HTTP/1.1 200 OK\r\ncontent-length: 999\r\n\r\n".to_vec(), 20),
            "timed out while reading",
        ),
    ];
    for (script, reason) in table {
        let server = Server::start(vec![script.clone()]).await;
        let begun = Instant::now();
        assert_eq!(error_of(hasty(&server), server.url("/")).await, unavailable(reason), "{script:?}");
        let took = begun.elapsed();
        assert!(took < Duration::from_secs(2), "{script:?} took {took:?}");
    }
}

#[tokio::test]
async fn a_fault_that_passes_is_retried() {
    let fault = Server::answer("500 Internal Server Error", &[], "");
    let scripts = vec![fault, say("HTTP/1.1 200 OK\r\n"), Server::answer("200 OK", &[], "yes")];
    let server = Server::start(scripts).await;
    let client = client(vendor(&server));
    let response = client.get(server.url("/")).send().await.unwrap();
    assert_eq!(response.body(), b"yes");
    assert_eq!(client.traffic(), Traffic { calls: 3, retries: 2, throttled: 0 });
}

#[tokio::test]
async fn a_fault_that_stays_ends_after_the_attempts() {
    let server = Server::start(vec![Server::answer("502 Bad Gateway", &[], "")]).await;
    let client = client(vendor(&server));
    let error = client.get(server.url("/")).send().await.unwrap_err();
    assert_eq!(error, unavailable("status 502"));
    assert_eq!(server.connections(), 3);
}

#[tokio::test]
async fn a_dead_provider_is_not_hammered() {
    let server = Server::start(vec![Server::answer("500 Internal Server Error", &[], "")]).await;
    let client = client(Limits { attempts: 2, ..vendor(&server) });
    let begun = Instant::now();
    for _ in 0..60 {
        client.get(server.url("/")).send().await.unwrap_err();
    }
    // Ten saved up, a tenth of the calls, and one a second.
    let most = 10 + 6 + begun.elapsed().as_secs() + 1;
    let Traffic { calls, retries, .. } = client.traffic();
    assert_eq!(calls, 60 + retries);
    assert!((10..=most).contains(&retries), "{retries} of at most {most}");
}

/// What may have been answered, and billed, is not asked for again within the call; what was not answered is.
#[tokio::test]
async fn an_answer_that_costs_money_is_not_asked_for_again_because_it_was_lost() {
    let good = || Server::answer("200 OK", &[], "good");
    let half = "HTTP/1.1 200 OK\r\ncontent-length: 1000\r\n\r\nshort";
    for (first, is_lost) in [
        (Script::Stall(Vec::new()), true),
        (say(half), true),
        (say(""), true),
        (Server::answer("503 Service Unavailable", &[], ""), false),
        (Server::answer("429 Too Many Requests", &["retry-after: 0"], ""), false),
    ] {
        for is_billed in [false, true] {
            let server = Server::start(vec![first.clone(), good()]).await;
            let limits = Limits { is_billed, attempts: 3, ..hasty(&server) };
            let outcome = client(limits).get(server.url("/")).send().await;
            let gives_up = is_billed && is_lost;
            assert_eq!(outcome.is_err(), gives_up, "{first:?}, billed: {is_billed}: {outcome:?}");
            assert_eq!(server.connections(), if gives_up { 1 } else { 2 }, "{first:?}, billed: {is_billed}");
        }
    }
}

#[tokio::test]
async fn a_question_that_never_left_is_asked_again_whatever_it_costs() {
    let port = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let url = url::Url::parse(&format!("http://127.0.0.1:{port}/")).unwrap();
    let limits = Limits {
        is_billed: true,
        attempts: 2,
        trusted: Some(url.clone()),
        ..Limits::for_quota(crate::provider::Quota::per_second(100))
    };
    let http = client(limits);
    assert_eq!(http.get(url).send().await.unwrap_err(), unavailable("connection refused"));
    assert_eq!(http.traffic(), Traffic { calls: 2, retries: 1, ..http.traffic() });
}
