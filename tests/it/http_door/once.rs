//! What comes twice is taken in once: idempotency keys, events, members.

use std::sync::Arc;

use gleaner::clock::{Clock as _, ManualClock};
use gleaner::config::Config;
use gleaner::intake::doors::{Doors, Reception};
use gleaner::job::{Delivery, Item, Registration, SuppressionReason};
use gleaner::store::Requests as _;
use gleaner::store::sqlite::SqliteStore;
use gleaner_providers::EmailAddress;
use jiff::SignedDuration;
use serde_json::json;
use sqlx::Connection as _;

use super::support::{OpenDoor, keyring, registration};
use crate::support::until;

#[tokio::test(flavor = "multi_thread")]
async fn a_key_is_answered_as_the_first_time() {
    let door = OpenDoor::new("").await;
    let keyed = |key: &str, n: usize| door.post(&registration(n)).header("idempotency-key", key);
    let first = keyed("\"k-1\"", 1).send().await;
    assert_eq!(first.outcomes(), ["accepted"]);
    let again = keyed("k-1", 1).send().await;
    assert_eq!(
        (again.status, &again.body, &again.headers["location"]),
        (202, &first.body, &first.headers["location"])
    );
    assert_eq!(
        door.post(&registration(1)).send().await.outcomes(),
        ["repeated"],
        "without the key it is news"
    );

    let other = keyed("k-1", 2).send().await;
    assert_eq!((other.status, other.problem()), (422, "key-reused"));
    let unfit = door.post(&json!({ "email": "nobody" })).header("idempotency-key", "k-2");
    assert_eq!(unfit.send().await.problem(), "unfit");
    assert_eq!(keyed("k-2", 2).send().await.outcomes(), ["accepted"], "what was refused is not remembered");

    door.clock.advance(SignedDuration::from_hours(71));
    assert_eq!(keyed("k-1", 2).send().await.problem(), "key-reused");
    door.clock.advance(SignedDuration::from_hours(1));
    assert_eq!(keyed("k-1", 2).send().await.outcomes(), ["repeated"], "after three days the key is free");
}

#[tokio::test(flavor = "multi_thread")]
async fn one_key_sent_many_times_at_once_is_one_request() {
    let door = OpenDoor::new("").await;
    let keyed = door.post(&json!([registration(1), registration(2)])).header("idempotency-key", "k");
    let sent: Vec<_> = (0..20).map(|_| tokio::spawn(keyed.clone().send())).collect();
    let mut accepted = 0;
    for answer in sent {
        let answer = answer.await.unwrap();
        match answer.status {
            202 => {
                assert_eq!(answer.outcomes(), ["accepted", "accepted"]);
                accepted += 1;
            }
            _ => assert_eq!(answer.problem(), "key-under-way"),
        }
    }
    assert!(accepted > 0);
    let census = door.census().await;
    assert_eq!((census.taken_in, census.repeated), (2, 0), "no second effect");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_event_is_taken_in_once_in_whatever_mode_it_comes() {
    let door = OpenDoor::new("").await;
    let event = |id: &str, address: &str| {
        json!({
            "specversion": "1.0", "id": id, "source": "/sign ups", "type": "com.example.member.registered",
            "time": "2026-03-01T12:00:00Z", "subject": "member", "traceparent": "00-x", "datacontenttype": "application/json",
            "data": { "member_id": "m-1", "email": address, "plan": "gold" },
        })
    };
    assert_eq!(door.tell(&event("e-1", "old@example.com")).send().await.outcomes(), ["accepted"]);
    assert_eq!(door.tell(&event("e-2", "new@example.com")).send().await.outcomes(), ["repeated"]);
    // The first one again, late: in structured mode, in binary mode, in a batch.
    assert_eq!(door.tell(&event("e-1", "old@example.com")).send().await.outcomes(), ["repeated"]);
    let binary = |id: &str| {
        door.post(&json!({ "member_id": "m-1", "email": "old@example.com", "plan": "gold" }))
            .header("ce-specversion", "1.0")
            .header("ce-id", id)
            .header("ce-source", "/sign%20ups")
            .header("ce-type", "com.example.member.registered")
    };
    assert_eq!(binary("e-1").send().await.outcomes(), ["repeated"]);
    let batch = json!([event("e-1", "old@example.com"), event("e-1", "old@example.com")]);
    let batch = door.post(&batch).header("content-type", "application/cloudevents-batch+json; charset=UTF-8");
    assert_eq!(batch.send().await.outcomes(), ["repeated", "repeated"]);

    let claim = gleaner::store::Claim {
        owner: "worker-1",
        limit: 10,
        lease: std::time::Duration::from_mins(1),
        now: gleaner::clock::Clock::now(&*door.clock),
    };
    let jobs = door.store.claim(claim).await.unwrap();
    assert_eq!((jobs.len(), jobs[0].email.expose()), (1, "new@example.com"), "the newest address stays");

    let nameless = binary("").send().await;
    assert_eq!((nameless.status, &nameless.body["errors"][0]["field"]), (422, &json!("id")));
    let unknown = binary("e-9").header("ce-specversion", "0.3").send().await;
    assert_eq!(unknown.body["errors"][0]["field"], "specversion");
}

#[tokio::test(flavor = "multi_thread")]
async fn that_a_person_must_not_be_looked_up_is_not_told() {
    let door = OpenDoor::new("").await;
    let subject = keyring().subject(&EmailAddress::parse("person1@example.com").unwrap());
    let now = gleaner::clock::Clock::now(&*door.clock);
    door.store.suppress(subject, SuppressionReason::Objected, now).await.unwrap();
    let answer = door.post(&json!([registration(1), registration(2)])).send().await;
    assert_eq!(answer.outcomes(), ["accepted", "accepted"]);
    assert_eq!(door.ask("GET", "/v1/registrations/m-1").send().await.status, 404, "nothing is kept");
    let census = door.census().await;
    assert_eq!((census.suppressed, census.waiting), (1, 1));
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_over_is_forgotten_while_doors_stand_open() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("token");
    gleaner::keyring::create_token(&file).unwrap();
    let settings =
        format!("[http]\nlisten = \"127.0.0.1:0\"\ntoken_file = {:?}\n", file.display().to_string());
    let path = folder.path().join("gleaner.db");
    let store = Arc::new(SqliteStore::open(&path, &keyring().fingerprint()).await.unwrap());
    let clock = ManualClock::at("2026-03-01T12:00:00Z".parse().unwrap());
    let remember = SignedDuration::from_hours(72);
    let reception =
        Reception { store: store.clone(), keyring: Arc::new(keyring()), clock: clock.clone(), remember };
    let email = EmailAddress::parse("ada@example.com").unwrap();
    let registration = Registration {
        member: "m".to_owned().try_into().unwrap(),
        subject: keyring().subject(&email),
        email,
        batch: None,
    };
    let event = |id: &str| Item { registration: registration.clone(), event: Some(keyring().event("s", id)) };
    let now = clock.now();
    let items = (0..6_000).map(|n| event(&format!("old-{n}"))).collect();
    store.enqueue_once(&[Delivery { once: None, items }], now, reception.forget_at(now)).await.unwrap();
    clock.advance(remember);
    let later = clock.now();
    let news = Delivery { once: None, items: vec![event("new")] };
    store.enqueue_once(&[news], later, reception.forget_at(later)).await.unwrap();

    let options = sqlx::sqlite::SqliteConnectOptions::new().filename(&path);
    let mut database = sqlx::SqliteConnection::connect_with(&options).await.unwrap();
    let mut doors = Doors::open(&Config::parse(&settings, "test").unwrap(), &reception).await.unwrap();
    let counting = async || {
        let count = sqlx::query_scalar("SELECT count(*) FROM seen_requests");
        count.fetch_one(&mut database).await.unwrap()
    };
    until("only the new one is remembered", counting, |count: &u32| *count == 1).await;
    doors.shut().await;
}
