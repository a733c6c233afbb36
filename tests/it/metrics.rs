//! Metrics of the real worker, as a scraper reads them.

use std::collections::BTreeMap;
use std::time::Duration;

use gleaner_providers::sandbox::SandboxSettings;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

use crate::support::{Home, members};

/// The samples of a scrape by their name and labels. Panics where a line is none.
fn samples(text: &str) -> BTreeMap<String, u64> {
    let mut samples = BTreeMap::new();
    let mut announced = "";
    for line in text.lines() {
        if let Some(head) = line.strip_prefix("# TYPE ") {
            announced = head.split(' ').next().unwrap();
        } else if !line.starts_with('#') {
            let (series, value) = line.rsplit_once(' ').unwrap();
            assert_eq!(series.split('{').next(), Some(announced), "a sample outside its family");
            let repeated = samples.insert(series.to_owned(), whole(value));
            assert_eq!(repeated, None, "{series} is told twice");
        }
    }
    samples
}

/// Whole numbers, but for seconds.
fn whole(value: &str) -> u64 {
    value.parse().unwrap_or_else(|_| {
        assert!(value.parse::<f64>().unwrap() >= 0.0);
        0
    })
}

/// The whole answer, headers included; `None` while nobody listens.
async fn scrape(port: u16, path: &str) -> Option<String> {
    let mut connection = TcpStream::connect(("127.0.0.1", port)).await.ok()?;
    let request = format!("GET {path} HTTP/1.1\r\nhost: 127.0.0.1\r\nconnection: close\r\n\r\n");
    connection.write_all(request.as_bytes()).await.unwrap();
    let mut answer = String::new();
    connection.read_to_string(&mut answer).await.unwrap();
    Some(answer)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_worker_tells_what_became_of_everybody() {
    // The port is free again when the worker takes it; nobody else is told of it.
    let port = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let metrics = format!("[metrics]\nlisten = \"127.0.0.1:{port}\"\nrefresh_secs = 1");
    let home = Home::new(SandboxSettings::default(), &metrics).await;
    let file = home.write("members.csv", members(40, |n| format!("canary{n}@site{n}.example.org")));
    home.run(&["enqueue", file.to_str().unwrap()]).await;
    let mut worker = home.start(&["worker"]);

    let read = async {
        loop {
            tokio::time::sleep(Duration::from_millis(100)).await;
            let Some(answer) = scrape(port, "/metrics").await else { continue };
            let (head, text) = answer.split_once("\r\n\r\n").unwrap();
            assert!(head.starts_with("HTTP/1.1 200 "), "{head}");
            assert!(head.contains("text/plain; version=0.0.4"), "{head}");
            assert!(!text.contains("canary") && !text.contains("example.org"), "personal data: {text}");
            let told = samples(text);
            // Retries may keep some waiting for longer than a test should take.
            if told["gleaner_registrations{place=\"waiting\"}"] < 20
                && told.keys().any(|key| key.starts_with("gleaner_lookups"))
            {
                return told;
            }
        }
    };
    let told = tokio::time::timeout(Duration::from_mins(1), read).await.expect("members are worked off");
    assert_eq!((told["gleaner_taken_in_total"], told["gleaner_adds_up"]), (40, 1));
    assert_eq!(told["gleaner_workers{state=\"alive\"}"], 1);
    assert_eq!((told["gleaner_stale_completions_total"], told["gleaner_leases_rescued_total"]), (0, 0));
    for (path, says) in [("/healthz", "alive"), ("/readyz", "ready")] {
        let answer = scrape(port, path).await.unwrap();
        assert!(answer.starts_with("HTTP/1.1 200 ") && answer.contains(says), "{answer}");
    }
    worker.kill().await.unwrap();
}
