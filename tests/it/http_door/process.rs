//! The real binary with its door open: killed, stopped, and read for leaks.

use std::collections::BTreeSet;
use std::net::SocketAddr;
use std::time::Duration;

use serde_json::json;

use super::running::{Callers, Running, home, start};
use super::support::{Ask, raw};
use crate::support::{Dice, Home, text};

async fn members(home: &Home) -> BTreeSet<usize> {
    let ids: Vec<String> = sqlx::query_scalar("SELECT member_id FROM enrichment_jobs")
        .fetch_all(&home.database().await)
        .await
        .unwrap();
    numbers(ids)
}

#[tokio::test(flavor = "multi_thread")]
async fn killed_between_commit_and_answer_it_loses_nothing_that_was_acknowledged() {
    let (home, token) = home("", "").await;
    let acknowledged = killed_again_and_again(&home, &token).await;
    holds(&home, &acknowledged, &members(&home).await).await;
    let integrity: String =
        sqlx::query_scalar("PRAGMA integrity_check").fetch_one(&home.database().await).await.unwrap();
    assert_eq!(integrity, "ok");
}

/// Kills the door again and again while careful callers hand members in; returns what was acknowledged to them.
pub(crate) async fn killed_again_and_again(home: &Home, token: &str) -> BTreeSet<usize> {
    const KILLS: u32 = 12;
    let callers = Callers::start(16, token);
    let mut dice = Dice(7);
    for _ in 0..KILLS {
        let before = callers.count();
        let mut door = start(home, &["intake"]).await;
        callers.at(Some(door.address));
        while callers.count() < before + 20 {
            tokio::time::sleep(Duration::from_millis(2)).await;
        }
        tokio::time::sleep(Duration::from_millis(dice.between(0, 60))).await;
        door.process.kill().await.unwrap();
        callers.at(None);
    }
    let mut door = start(home, &["intake"]).await;
    callers.at(Some(door.address));
    let acknowledged = callers.finish().await;
    door.signal("-TERM").await;
    assert!(door.process.wait().await.unwrap().success());
    println!("{}", json!({ "kills": KILLS, "acknowledged": acknowledged.len() }));
    assert!(acknowledged.len() >= 20 * KILLS as usize, "the test proves too little");
    acknowledged
}

/// Everything that was acknowledged is kept, and all of it once.
pub(crate) async fn holds(home: &Home, acknowledged: &BTreeSet<usize>, kept: &BTreeSet<usize>) {
    let lost: Vec<_> = acknowledged.difference(kept).collect();
    assert!(lost.is_empty(), "acknowledged and lost: {lost:?}");
    let status = home.json(&["status"]).await;
    assert_eq!(status["adds_up"], true, "{status}");
    assert_eq!(status["taken_in"], kept.len(), "each once: {status}");
    assert_eq!(status["repeated"], 0, "a request that came again had no second effect: {status}");
}

/// Member ids of [`Callers`] as their numbers.
pub(crate) fn numbers(ids: Vec<String>) -> BTreeSet<usize> {
    ids.into_iter().map(|id| id.strip_prefix("m-").unwrap().parse().unwrap()).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stop_signal_answers_what_is_in_hand_and_shuts_the_door_first() {
    let (home, token) = home("", "").await;
    let worker = start(&home, &["worker"]).await;
    let callers = Callers::start(8, &token);
    callers.at(Some(worker.address));
    while callers.count() < 50 {
        tokio::time::sleep(Duration::from_millis(2)).await;
    }
    // One that is idle does not hold the door.
    let idle = tokio::net::TcpStream::connect(worker.address).await.unwrap();
    worker.signal("-TERM").await;
    callers.at(None);
    let acknowledged = callers.finish().await;
    let Running { mut process, log, address } = worker;
    let ended = tokio::time::timeout(Duration::from_secs(30), process.wait()).await.unwrap().unwrap();
    drop(idle);
    assert!(ended.success());
    let log = log.await.unwrap();
    assert!(tokio::net::TcpStream::connect(address).await.is_err(), "the door is shut");
    assert!(log.contains("worker ended"), "{log}");

    let status = home.json(&["status"]).await;
    assert_eq!((&status["adds_up"], &status["running"]), (&json!(true), &json!(0)), "{status}");
    assert!(status["taken_in"].as_u64().unwrap() >= acknowledged.len() as u64, "{status}");
    for n in &acknowledged {
        let known = home.database().await;
        let known: bool = sqlx::query_scalar(
            "SELECT EXISTS (SELECT 1 FROM enrichment_jobs WHERE member_id = ?1)
                OR EXISTS (SELECT 1 FROM supplemental_member_information WHERE member_id = ?1)",
        )
        .bind(format!("m-{n}"))
        .fetch_one(&known)
        .await
        .unwrap();
        assert!(known, "m-{n} was acknowledged");
        if *n > 60 {
            break;
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_member_is_followed_from_the_door_to_the_record() {
    let (home, token) = home("", "").await;
    let worker = start(&home, &["worker"]).await;
    let asked = |method, path: &str| {
        Ask::new(worker.address, method, path).header("authorization", &format!("Bearer {token}"))
    };
    let member = json!({ "member_id": "m-1", "email": "ada.example@ada-example.example.org" });
    let post = asked("POST", "/v1/registrations").header("content-type", "application/json");
    let answer = post.clone().body(member.to_string()).send().await;
    let place = async || asked("GET", &answer.headers["location"]).send().await.body;
    let mut statuses = BTreeSet::new();
    loop {
        let status = place().await["status"].as_str().unwrap().to_owned();
        statuses.insert(status.clone());
        if !matches!(status.as_str(), "waiting" | "running") {
            break;
        }
    }
    assert!(statuses.contains("complete") || statuses.contains("partial"), "{statuses:?}");
    assert!(place().await.get("attempts").is_none());
    assert_eq!(post.body(member.to_string()).send().await.outcomes(), ["fresh"]);
    worker.signal("-TERM").await;
}

/// Everything that is answered to requests that carry the canary in every place, and most of them wrong.
async fn provoke(address: SocketAddr, bearer: &str, canary: &str) -> String {
    let mut answers = String::new();
    for (content_type, body) in [
        ("application/json", json!({ "member_id": "m-1", "email": canary }).to_string()),
        ("application/json", json!({ "email": canary }).to_string()),
        ("application/json", json!({ "member_id": canary, "email": canary }).to_string()),
        ("application/json", json!({ "member_id": "m", "email": canary.replace('@', "") }).to_string()),
        ("application/json", json!({ "email": canary, "quokka.wombat@example.org": 1 }).to_string()),
        ("application/json", format!("{{\"email\":\"{canary}\"")),
        ("application/json", format!("{{\"email\":\"{canary}\"}} {canary}")),
        ("application/json", format!("{{\"email\": {canary}}}")),
        (
            "application/cloudevents+json",
            json!({ "specversion": "1.0", "id": canary, "source": canary, "type": canary, "data": canary })
                .to_string(),
        ),
        ("application/cloudevents-batch+json", json!([{ "data": { "email": canary } }]).to_string()),
        ("text/quokka.wombat", canary.to_owned()),
    ] {
        for key in ["k-1", canary] {
            let post = Ask::new(address, "POST", "/v1/registrations").body(&body);
            let post = post.header("content-type", content_type).header("authorization", bearer);
            answers.push_str(&post.header("idempotency-key", key).send().await.text);
        }
    }
    for path in
        ["/v1/registrations/quokka.wombat%40example.org", "/quokka.wombat@example.org?q=quokka.wombat"]
    {
        let ask = Ask::new(address, "GET", path).header("authorization", bearer);
        answers.push_str(&ask.send_unchecked().await.text);
    }
    for request in [
        format!("GET /{canary} HTTP/1.1\r\nhost: {canary}\r\nconnection: close\r\n\r\n"),
        format!("{canary}\r\n\r\n"),
        format!(
            "GET /v1/registrations/m HTTP/1.1\r\nhost: localhost\r\nauthorization: Bearer {canary}\r\nconnection: close\r\n\r\n"
        ),
        format!(
            "POST /v1/registrations HTTP/1.1\r\nhost: localhost\r\nauthorization: {bearer}\r\ncontent-type: application/json\r\ncontent-length: 900\r\n\r\n{{\"email\":\"{canary}\""
        ),
    ] {
        answers.push_str(&raw(address, request.as_bytes()).await);
    }
    answers
}

#[tokio::test(flavor = "multi_thread")]
async fn no_address_is_in_any_answer_or_log_line() {
    let (home, token) = home("", "timeout_secs = 1\n").await;
    let running = start(&home, &["worker"]).await;
    let canary = "quokka.wombat@example.org";
    let bearer = format!("Bearer {token}");
    let mut answers = provoke(running.address, &bearer, canary).await;
    // The database away: its file is not what it was.
    let database = home.database().await;
    sqlx::query("ALTER TABLE seen_requests RENAME TO gone").execute(&database).await.unwrap();
    let post = Ask::new(running.address, "POST", "/v1/registrations").header("authorization", &bearer);
    let post = post.header("content-type", "application/json").header("idempotency-key", "k-2");
    let failed = post.body(json!({ "member_id": "m-2", "email": canary }).to_string()).send().await;
    assert_eq!(failed.status, 500, "{failed:?}");
    answers.push_str(&failed.text);
    running.signal("-TERM").await;
    let Running { mut process, log, .. } = running;
    process.wait().await.unwrap();
    let log = log.await.unwrap();

    for (what, text) in [("an answer", &answers), ("the log", &log)] {
        let lower = text.to_lowercase();
        for word in ["quokka", "wombat"] {
            let at = lower.find(word);
            assert_eq!(at, None, "{what}: {}", &text[at.unwrap_or(0).saturating_sub(200)..][..300]);
        }
        assert!(!text.contains(&token), "{what} shows the token");
    }
    for expected in
        ["HTTP request", "requests were not taken in", "\"status\":422", "\"status\":408", "\"status\":421"]
    {
        assert!(log.contains(expected), "the log never said `{expected}`:\n{log}");
    }
    let stored: Vec<String> = sqlx::query_scalar(
        "SELECT email FROM enrichment_jobs UNION SELECT email FROM supplemental_member_information",
    )
    .fetch_all(&database)
    .await
    .unwrap();
    assert_eq!(stored, [canary], "the test can fail: the address did come in");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_cannot_open_ends_the_process_with_a_reason() {
    let (home, _) = home("", "").await;
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let taken = taken.local_addr().unwrap().to_string();
    let config = std::fs::read_to_string(home.path("gleaner.toml")).unwrap();
    for (from, to, code, reason) in [
        ("127.0.0.1:0", taken.as_str(), 1, "the door `http` cannot be opened: cannot listen on"),
        ("127.0.0.1:0", "0.0.0.0:0", 2, "is reached from other machines and speaks plain HTTP"),
        ("token_file = \"token\"", "", 2, "the HTTP door has no token"),
        ("token_file = \"token\"", "token_file = \"gone\"", 2, "cannot read `gone`"),
        ("listen = \"127.0.0.1:0\"", "", 1, "no door is configured; set `http.listen`"),
    ] {
        home.write("gleaner.toml", config.replace(from, to));
        let ended = home.run(&["intake"]).await;
        assert_eq!(ended.status.code(), Some(code), "{to}: {}", text(&ended.stderr));
        assert!(text(&ended.stderr).contains(reason), "{to}: {}", text(&ended.stderr));
    }
}
