//! Pages made to hurt, read by the provider that reads pages.

use std::io::Write as _;
use std::num::NonZeroU32;
use std::time::Duration;

use flate2::Compression;
use flate2::write::GzEncoder;
use tokio::time::Instant;

use super::server::{Script, Server};
use super::{client, web};
use crate::http::{Limits, SiteLimits};
use crate::{EmailAddress, ProviderSettings, Subject, builtin::homepage};

const TOTAL: Duration = Duration::from_secs(1);

fn html(head: &str, body: &[u8]) -> Script {
    let head = format!("HTTP/1.1 200 OK\r\ncontent-length: {}\r\n{head}\r\n\r\n", body.len());
    Script::Say([head.as_bytes(), body].concat())
}

fn page(body: &str) -> Script {
    html("content-type: text/html", body.as_bytes())
}

fn zipped(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

fn corpus() -> Vec<(&'static str, Script)> {
    const GZIP: &str = "content-type: text/html\r\ncontent-encoding: gzip";
    const CHUNKED: &[u8] =
        b"HTTP/1.1 200 OK\r\ncontent-type: text/html\r\ntransfer-encoding: chunked\r\n\r\n";
    let bomb = zipped(&vec![b'<'; 32 << 20]);
    let attributes: Vec<_> = (0..60_000).map(|number| format!("a{number}=b")).collect();
    let json = format!("<script type=\"application/ld+json\">{}</script>", "[".repeat(300_000));
    vec![
        ("deep nesting", page(&"<div>".repeat(200_000))),
        ("deep lists", page(&"<ul><li>".repeat(100_000))),
        ("deep tables", page(&"<table><tr><td>".repeat(60_000))),
        ("deep svg", page(&format!("<svg>{}", "<g>".repeat(200_000)))),
        ("deep templates", page(&"<template>".repeat(80_000))),
        ("attributes", page(&format!("<a {}>", attributes.join(" ")))),
        ("formatting", page(&"<font></p>".repeat(100_000))),
        ("adoption agency", page(&"<i><b></i>".repeat(100_000))),
        ("links", page(&"<a href=x>".repeat(100_000))),
        ("one line", page(&"x".repeat(10 << 20))),
        ("entities", page(&"&amp;&#x41;&notit;".repeat(60_000))),
        ("comments", page(&"<!--".repeat(250_000))),
        ("doctypes", page(&"<!doctype html>".repeat(60_000))),
        ("null characters", page(&"\0".repeat(1 << 20))),
        ("nested JSON", page(&json)),
        ("cards", page(&"<div class=h-card><p class=p-name>Ada Example</p></div>".repeat(10_000))),
        ("bases", page(&format!("<base href=https://example.org/{}>", "x/".repeat(100_000)))),
        (
            "UTF-16",
            html("content-type: text/html; charset=utf-16", &[0xff, 0xfe, b'<', 0, b'p', 0, b'>', 0, b'x']),
        ),
        ("bad UTF-8", html("content-type: text/html; charset=utf-8", &[0xff; 50_000])),
        ("UTF-7", html("content-type: text/html; charset=utf-7", b"+ADw-script+AD4-")),
        ("wrong type", html("content-type: application/zip", &bomb)),
        ("no type", html("x: y", b"<p>x")),
        ("gzip bomb", html(GZIP, &bomb)),
        ("nested gzip", html(GZIP, &zipped(&bomb))),
        ("broken gzip", html(GZIP, &bomb[..bomb.len() / 2])),
        (
            "too short",
            Script::Say(
                b"HTTP/1.1 200 OK\r\ncontent-type: text/html\r\ncontent-length: 99\r\n\r\n<p>".to_vec(),
            ),
        ),
        ("no end", Script::Endless(CHUNKED.to_vec(), b"5\r\n<div>\r\n".to_vec())),
        (
            "drip",
            Script::Drip(
                b"HTTP/1.1 200 OK\r\ncontent-type: text/html\r\ncontent-length: 9999\r\n\r\n".to_vec(),
                20,
            ),
        ),
        ("silence", Script::Stall(b"HTTP/1.1 200 OK\r\n".to_vec())),
        ("hints for ever", Script::Endless(Vec::new(), b"HTTP/1.1 103 Early Hints\r\n\r\n".to_vec())),
    ]
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_hostile_page_ends_in_time_and_says_nothing() {
    let endpoint = Some("http://{domain}/".to_owned());
    let provider = homepage::build(&ProviderSettings { endpoint, ..ProviderSettings::default() }).unwrap();
    let daily = NonZeroU32::new(1_000).unwrap();
    let http = client(Limits {
        per_site: Some(SiteLimits { interval: Duration::ZERO, daily }),
        connect_timeout: TOTAL,
        read_timeout: TOTAL,
        total_timeout: TOTAL,
        ..web()
    });
    let corpus = corpus();
    assert!(corpus.len() >= 25);
    for (what, script) in corpus {
        let server = Server::start(vec![Server::answer("404 Not Found", &[], ""), script]).await;
        let email = format!("grace@{}", server.named("/").host_str().unwrap());
        let subject = Subject::new(EmailAddress::parse(&email).unwrap());
        let begun = Instant::now();
        let outcome = provider.lookup(&subject, &http).await;
        let took = begun.elapsed();
        // Reading has a second of its own.
        assert!(took < TOTAL + Duration::from_secs(1) + Duration::from_millis(500), "{what} took {took:?}");
        let is_match = matches!(outcome, Ok(crate::Lookup::Match(_)));
        assert!(!is_match, "{what}: {outcome:?}");
        assert_eq!(server.connections(), 2, "{what}");
    }
}
