//! Many at once: one commit for many, and a word in time when it is too much.

use std::sync::Arc;

use gleaner::store::sqlite::SqliteStore;
use jiff::SignedDuration;
use serde_json::{Value, json};
use tokio::sync::watch;
use tokio::task::JoinHandle;

use super::support::{Answer, Ask, OpenDoor, keyring, registration};
use crate::faulty::{AtTheDoor, Faulty};

async fn faulty() -> (Faulty, watch::Sender<AtTheDoor>) {
    let store = SqliteStore::open(SqliteStore::MEMORY, &keyring().fingerprint()).await.unwrap();
    let (switch, intake) = watch::channel(AtTheDoor::Open);
    (Faulty::over(Arc::new(store)).switched(intake), switch)
}

/// Sends so many requests to a door that has room for just so many, and returns once all of them are in.
async fn hand_in(door: &OpenDoor, count: usize) -> Vec<JoinHandle<Answer>> {
    let patient = |ask: Ask| async move {
        loop {
            let answer = ask.clone().send().await;
            if answer.problem() != "busy" {
                return answer;
            }
        }
    };
    let sent = (0..count).map(|n| tokio::spawn(patient(door.post(&registration(n))))).collect();
    // What cannot be read is answered at once where there is room, and as one too many where there is none.
    while door.post_text("{").send().await.problem() != "busy" {
        tokio::task::yield_now().await;
    }
    sent
}

#[tokio::test(flavor = "multi_thread")]
async fn requests_that_come_during_a_commit_share_the_next() {
    const REQUESTS: usize = 64;
    let (store, switch) = faulty().await;
    let store = Arc::new(store);
    switch.send(AtTheDoor::Stuck).unwrap();
    let door = OpenDoor::over(store.clone(), &format!("max_requests = {REQUESTS}")).await;
    let sent = hand_in(&door, REQUESTS).await;
    switch.send(AtTheDoor::Open).unwrap();
    for (n, answer) in sent.into_iter().enumerate() {
        let answer = answer.await.unwrap();
        assert_eq!(answer.outcomes(), ["accepted"]);
        assert_eq!(answer.body["registrations"][0]["member_id"], format!("m-{n}"), "each its own answer");
    }
    // The first alone, the others together; one may just have missed the second group.
    assert!(store.groups() <= 4, "{} commits for {REQUESTS} requests", store.groups());
    assert!(door.census().await.taken_in >= REQUESTS as u64);
}

#[tokio::test(flavor = "multi_thread")]
async fn one_that_the_database_refuses_costs_no_other() {
    let (store, switch) = faulty().await;
    let store = Arc::new(store.not_taking("m-5"));
    switch.send(AtTheDoor::Stuck).unwrap();
    let door = OpenDoor::over(store.clone(), "max_requests = 11").await;
    let sent = hand_in(&door, 11).await;
    switch.send(AtTheDoor::Open).unwrap();
    for (n, answer) in sent.into_iter().enumerate() {
        let answer = answer.await.unwrap();
        assert_eq!(answer.status, if n == 5 { 500 } else { 202 }, "{n}");
    }
    assert_eq!(
        door.store
            .place(&"m-5".to_owned().try_into().unwrap(), gleaner::clock::Clock::now(&*door.clock))
            .await
            .unwrap(),
        None
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn too_much_that_waits_is_answered_with_later() {
    let door = OpenDoor::new("max_waiting = 3").await;
    assert_eq!(door.post(&json!([registration(1), registration(2)])).send().await.status, 202);
    // What is taken in at once may go over: the next is refused.
    assert_eq!(door.post(&json!([registration(3), registration(4)])).send().await.status, 202);
    let refused = door.post(&registration(5)).send().await;
    assert_eq!((refused.status, refused.problem()), (429, "backlog"));
    assert_eq!(refused.headers["retry-after"], "10");
    assert_eq!(door.census().await.taken_in, 4);

    let now = gleaner::clock::Clock::now(&*door.clock);
    let claim =
        gleaner::store::Claim { owner: "worker-1", limit: 2, lease: std::time::Duration::from_mins(1), now };
    door.store.claim(claim).await.unwrap();
    assert_eq!(
        door.post(&registration(5)).send().await.problem(),
        "backlog",
        "counted once a second at most"
    );
    door.clock.advance(SignedDuration::from_secs(1));
    assert_eq!(door.post(&registration(5)).send().await.status, 202);
}

#[tokio::test(flavor = "multi_thread")]
async fn ten_thousand_come_in_one_request_and_not_one_more() {
    let door = OpenDoor::new("").await;
    let many: Vec<Value> = (0..10_000).map(registration).collect();
    let answer = door.post(&Value::from(many.clone())).header("idempotency-key", "k").send().await;
    assert_eq!(answer.outcomes(), vec!["accepted"; 10_000]);
    let again = door.post(&Value::from(many.clone())).header("idempotency-key", "k").send().await;
    assert_eq!(again.body, answer.body, "also so many are remembered");
    assert_eq!(door.census().await.taken_in, 10_000);
    let more = [many, vec![registration(10_000)]].concat();
    let refused = door.post(&Value::from(more)).send().await;
    assert_eq!((refused.status, refused.problem()), (413, "too-large"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_database_that_is_away_comes_back() {
    let (store, switch) = faulty().await;
    let store = Arc::new(store);
    let door = OpenDoor::over(store.clone(), "").await;
    let keyed = || door.post(&registration(1)).header("idempotency-key", "k");
    switch.send(AtTheDoor::Away).unwrap();
    let refused = keyed().send().await;
    assert_eq!((refused.status, refused.headers["retry-after"].as_str()), (503, "5"));
    assert_eq!(door.ask("GET", "/readyz").send().await.status, 503);
    assert_eq!(door.ask("GET", "/healthz").send().await.status, 200, "the process is well");
    switch.send(AtTheDoor::Open).unwrap();
    assert_eq!(keyed().send().await.outcomes(), ["accepted"]);
    // Away between the count and the commit.
    switch.send(AtTheDoor::Away).unwrap();
    assert_eq!(door.post(&registration(2)).send().await.problem(), "unavailable");
    assert_eq!(door.census().await.taken_in, 1);
}
