//! Every answer that the document promises, and none that it does not.

use std::collections::BTreeSet;
use std::sync::Arc;

use gleaner::store::sqlite::SqliteStore;
use serde_json::{Value, json};
use tokio::io::AsyncWriteExt as _;
use tokio::net::TcpStream;
use tokio::sync::watch;

use super::support::{Answer, Ask, OpenDoor, document, keyring, read_to_end, registration, validator};
use crate::faulty::{AtTheDoor, Faulty};

/// Which answers were seen.
#[derive(Default)]
struct Seen(BTreeSet<(String, u16)>);

impl Seen {
    async fn send(&mut self, method: &str, template: &str, ask: Ask) -> Answer {
        let answer = ask.send().await;
        self.0.insert((format!("{method} {template}"), answer.status));
        answer
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn every_documented_answer_is_given() {
    let mut seen = Seen::default();
    let store = SqliteStore::open(SqliteStore::MEMORY, &keyring().fingerprint()).await.unwrap();
    let (switch, intake) = watch::channel(AtTheDoor::Open);
    let faulty = Faulty::over(Arc::new(store)).switched(intake).not_taking("refused");
    let door = OpenDoor::over(Arc::new(faulty), "timeout_secs = 1\nmax_items = 3").await;
    let (post, place) = ("/v1/registrations", "/v1/registrations/{member_id}");
    let foreign = |ask: Ask| ask.header("host", "evil.example.com");
    let crossing = |ask: Ask| ask.header("sec-fetch-site", "cross-site");
    let get = |path| door.ask("GET", path);
    let one = || door.post(&registration(1));

    for (kind, ask) in [
        ("none", one()),
        ("malformed", door.post_text("{")),
        ("malformed", one().header("idempotency-key", "a\"b")),
        ("unauthorized", one().without("authorization")),
        ("cross-site", crossing(one())),
        ("too-large", door.post_text(vec![b' '; 1_048_577])),
        ("too-large", door.post(&json!([1, 2, 3, 4]))),
        ("unsupported-type", one().header("content-type", "text/csv")),
        ("unsupported-type", one().header("content-encoding", "gzip")),
        ("foreign-host", foreign(one())),
        ("unfit", door.post(&json!({ "email": "nobody" }))),
        ("internal", door.post(&json!({ "member_id": "refused", "email": "a@example.com" }))),
    ] {
        let answer = seen.send("post", post, ask).await;
        assert_eq!(answer.problem(), kind, "{answer:?}");
    }
    for (kind, ask) in [
        ("none", get("/v1/registrations/m-1")),
        ("not-found", get("/v1/registrations/m-2")),
        ("unauthorized", get("/v1/registrations/m-1").without("authorization")),
        ("cross-site", crossing(get("/v1/registrations/m-1"))),
        ("foreign-host", foreign(get("/v1/registrations/m-1"))),
    ] {
        let answer = seen.send("get", place, ask).await;
        assert_eq!(answer.problem(), kind, "{answer:?}");
    }
    for path in ["/healthz", "/readyz", "/openapi.json"] {
        assert_eq!(seen.send("get", path, get(path).without("authorization")).await.problem(), "none");
        assert_eq!(seen.send("get", path, crossing(get(path))).await.problem(), "cross-site");
    }
    seen.send("get", "/openapi.json", foreign(get("/openapi.json"))).await;
    assert_eq!(foreign(get("/healthz")).send().await.status, 200, "probes come with an address");

    switch.send(AtTheDoor::Away).unwrap();
    for (method, template, ask) in [
        ("post", post, one()),
        ("get", place, get("/v1/registrations/m-1")),
        ("get", "/readyz", get("/readyz")),
    ] {
        door.clock.advance(jiff::SignedDuration::from_secs(2));
        assert_eq!(seen.send(method, template, ask).await.problem(), "unavailable");
    }
    switch.send(AtTheDoor::Open).unwrap();
    slow(&door, &mut seen, post).await;
    locked(&door, &mut seen, post, place).await;
    under_way(&mut seen, post).await;

    let missing: Vec<_> = promised().difference(&seen.0).cloned().collect();
    assert!(missing.is_empty(), "promised, never given: {missing:?}");
}

/// Every answer of the document.
fn promised() -> BTreeSet<(String, u16)> {
    let mut promised = BTreeSet::new();
    for (path, methods) in document()["paths"].as_object().unwrap() {
        for (method, operation) in methods.as_object().unwrap() {
            for status in operation["responses"].as_object().unwrap().keys() {
                promised.insert((format!("{method} {path}"), status.parse().unwrap()));
            }
        }
    }
    promised
}

/// A body that does not arrive.
async fn slow(door: &OpenDoor, seen: &mut Seen, post: &str) {
    let mut stream = TcpStream::connect(door.address).await.unwrap();
    let head = format!(
        "POST {post} HTTP/1.1\r\nhost: localhost\r\nauthorization: Bearer {}\r\ncontent-type: application/json\r\n\
         content-length: 50\r\n\r\n{{\"email\":",
        door.token
    );
    stream.write_all(head.as_bytes()).await.unwrap();
    let text = read_to_end(&mut stream).await;
    assert!(text.starts_with("HTTP/1.1 408 ") && text.contains("#problem-slow-body"), "{text}");
    let body: Value = serde_json::from_str(text.split("\r\n\r\n").nth(1).unwrap()).unwrap();
    assert!(validator(&document()["components"]["schemas"]["Problem"]).is_valid(&body));
    seen.0.insert((format!("post {post}"), 408));
}

/// Wrong tokens until the source is locked; a right one is let in all the same.
async fn locked(door: &OpenDoor, seen: &mut Seen, post: &str, place: &str) {
    let wrong = |ask: Ask| ask.header("authorization", "Bearer wrong");
    let tries = (0..12).map(|_| tokio::spawn(wrong(door.post(&registration(1))).send()));
    let mut locked = 0;
    for answer in tries.collect::<Vec<_>>() {
        locked += u32::from(answer.await.unwrap().problem() == "locked");
    }
    // Two requests without a token were counted before.
    assert_eq!(locked, 4);
    assert_eq!(seen.send("post", post, wrong(door.post(&registration(1)))).await.problem(), "locked");
    let answer = seen.send("get", place, wrong(door.ask("GET", "/v1/registrations/m-1"))).await;
    assert_eq!(answer.problem(), "locked");
    let wait: u64 = answer.headers["retry-after"].parse().unwrap();
    assert!((1..=60).contains(&wait), "{wait}");
    assert_eq!(seen.send("post", post, door.post(&registration(1))).await.status, 202);
}

/// A key whose first request is not answered yet.
async fn under_way(seen: &mut Seen, post: &str) {
    let store = SqliteStore::open(SqliteStore::MEMORY, &keyring().fingerprint()).await.unwrap();
    let (switch, intake) = watch::channel(AtTheDoor::Stuck);
    let faulty = Arc::new(Faulty::over(Arc::new(store)).switched(intake));
    let door = OpenDoor::over(faulty.clone(), "").await;
    let keyed = door.post(&registration(1)).header("idempotency-key", "k-1");
    let first = tokio::spawn(keyed.clone().send());
    while faulty.groups() == 0 {
        tokio::task::yield_now().await;
    }
    assert_eq!(seen.send("post", post, keyed.clone()).await.problem(), "key-under-way");
    switch.send(AtTheDoor::Open).unwrap();
    assert_eq!(first.await.unwrap().outcomes(), ["accepted"]);
    assert_eq!(keyed.send().await.outcomes(), ["accepted"], "the stored answer");
}

#[tokio::test(flavor = "multi_thread")]
async fn one_is_told_where_to_ask_and_many_are_told_one_by_one() {
    let door = OpenDoor::new("").await;
    let odd = json!({ "member_id": "Zoë 7/ä?#%", "email": "zoe@example.com" });
    let answer = door.post(&odd).send().await;
    assert_eq!(answer.outcomes(), ["accepted"]);
    let url = answer.headers["location"].clone();
    assert_eq!(answer.body["registrations"][0]["url"], json!(url));
    let place = door.ask("GET", &url).send().await;
    assert_eq!((place.status, &place.body["member_id"]), (200, &odd["member_id"]));
    assert_eq!((&place.body["status"], &place.body["attempts"]), (&json!("waiting"), &json!(0)));
    assert_eq!(place.body["next_run"], "2026-03-01T12:00:00.000Z");
    assert!(!place.text.contains("zoe@"), "no personal data");

    let several =
        json!([registration(1), registration(2), { "email": "person1@example.com" }, registration(1)]);
    let answer = door.post(&several).send().await;
    assert_eq!(answer.outcomes(), ["accepted", "accepted", "accepted", "repeated"]);
    assert!(!answer.headers.contains_key("location"));
    assert!(answer.body["registrations"][2]["member_id"].as_str().unwrap().starts_with("m_"));
    assert_eq!(door.post(&json!([])).send().await.outcomes(), Vec::<&str>::new());
    assert_eq!(door.census().await.taken_in, 4);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_request_with_one_bad_item_takes_nothing_in_and_tells_each() {
    let door = OpenDoor::new("").await;
    let body = json!([
        registration(1),
        { "member_id": "m-2", "email": "canary.example.com" },
        { "member_id": "canary@example.com", "email": "canary@example.com" },
        { "canary@example.com": 1, "email": "canary@example.com" },
        "canary@example.com",
    ]);
    let answer = door.post(&body).send().await;
    assert_eq!((answer.status, answer.problem()), (422, "unfit"));
    let told: Vec<_> = answer.body["errors"]
        .as_array()
        .unwrap()
        .iter()
        .map(|error| (&error["index"], &error["field"]))
        .collect();
    let expected = [
        (json!(1), json!("email")),
        (json!(2), json!("member_id")),
        (json!(3), Value::Null),
        (json!(4), Value::Null),
    ];
    assert!(told.into_iter().eq(expected.iter().map(|(index, field)| (index, field))), "{}", answer.text);
    assert!(!answer.text.contains("canary"), "{}", answer.text);
    assert_eq!(door.census().await.taken_in, 0);

    let many = door.post(&Value::from(vec![json!(7); 250])).send().await;
    assert_eq!(many.body["errors"].as_array().unwrap().len(), 100);
    assert_eq!(many.body["more_errors"], 150);
}

#[tokio::test(flavor = "multi_thread")]
async fn other_paths_and_methods_are_problems_too() {
    let door = OpenDoor::new("").await;
    for (method, path, status, allow) in [
        ("GET", "/", 404, None),
        ("GET", "/v1/nothing", 404, None),
        ("GET", "/v1/registrations/", 404, None),
        ("GET", "/v1/registrations/a/b", 404, None),
        ("GET", "/v1/registrations", 405, Some("POST")),
        ("DELETE", "/v1/registrations/m-1", 405, Some("GET,HEAD")),
        ("POST", "/healthz", 405, Some("GET,HEAD")),
    ] {
        let answer = door.ask(method, path).send_unchecked().await;
        assert_eq!((answer.status, &answer.body["status"]), (status, &json!(status)), "{method} {path}");
        assert_eq!(answer.headers.get("allow").map(String::as_str), allow, "{method} {path}");
        assert_eq!(answer.headers["content-type"], "application/problem+json");
    }
    let head = door.ask("HEAD", "/healthz").send_unchecked().await;
    assert_eq!((head.status, head.text.as_str()), (200, ""));
    // What cannot be a member's id is nobody's.
    for id in ["ada%40example.com", "%00", "%ff", &"x".repeat(201), "%20"] {
        let answer = door.ask("GET", &format!("/v1/registrations/{id}")).send().await;
        assert_eq!(answer.status, 404, "{id}");
        assert!(!answer.text.contains("ada"), "{}", answer.text);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_document_describes_itself() {
    let door = OpenDoor::new("").await;
    let served = door.ask("GET", "/openapi.json").send().await;
    assert_eq!(&served.body, document());
    for (media_type, content) in
        document()["paths"]["/v1/registrations"]["post"]["requestBody"]["content"].as_object().unwrap()
    {
        let schema = validator(&content["schema"]);
        for (name, example) in content["examples"].as_object().into_iter().flatten() {
            assert!(schema.is_valid(&example["value"]), "{name}");
            let ask = door.post(&example["value"]).header("content-type", media_type);
            assert_eq!(ask.send().await.status, 202, "the example `{name}` is taken in");
        }
        assert!(!schema.is_valid(&json!({ "member_id": "m-1" })), "an address is needed");
    }
    // Every kind of problem is explained where its `type` points to.
    let explained = include_str!("../../../docs/operate.md");
    for kind in [
        "malformed",
        "unauthorized",
        "cross-site",
        "foreign-host",
        "not-found",
        "slow-body",
        "too-large",
        "unsupported-type",
        "unfit",
        "key-reused",
        "key-under-way",
        "locked",
        "busy",
        "backlog",
        "unavailable",
        "internal",
        "method",
    ] {
        assert!(explained.contains(&format!("<a id=\"problem-{kind}\"></a>")), "{kind}");
    }
}
