//! The HTTP door over PostgreSQL: several doors on one database, killed doors, a database that crashes.

use std::collections::BTreeSet;
use std::time::Duration;

use serde_json::json;
use sqlx::{Connection as _, PgConnection};

use super::process::{holds, killed_again_and_again, numbers};
use super::running::{Callers, home, start};
use super::support::{OpenDoor, registration};
use crate::store::support::{Database as _, PostgresDatabase};
use crate::support::{PrivateService, postgres_database};

async fn members(url: &str) -> BTreeSet<usize> {
    let mut connection = PgConnection::connect(url).await.unwrap();
    numbers(
        sqlx::query_scalar("SELECT member_id FROM enrichment_jobs").fetch_all(&mut connection).await.unwrap(),
    )
}

#[tokio::test(flavor = "multi_thread")]
async fn one_request_at_two_doors_is_done_once() {
    let database = PostgresDatabase::new();
    let doors =
        [OpenDoor::over(database.open().await, "").await, OpenDoor::over(database.open().await, "").await];
    for round in 0..5 {
        let body = json!([registration(round * 2), registration(round * 2 + 1)]);
        let keyed = |door: &OpenDoor| door.post(&body).header("idempotency-key", &format!("k-{round}"));
        let sent: Vec<_> = (0..12).map(|n| tokio::spawn(keyed(&doors[n % 2]).send())).collect();
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
        assert!(accepted > 1, "both doors answer");
        let other = doors[1].post(&registration(99)).header("idempotency-key", &format!("k-{round}"));
        assert_eq!(other.send().await.problem(), "key-reused");
        let place = doors[1].ask("GET", &format!("/v1/registrations/m-{}", round * 2)).send().await;
        assert_eq!(place.body["status"], "waiting");
    }
    let census = doors[0].census().await;
    assert_eq!((census.taken_in, census.repeated), (10, 0), "no second effect");
}

#[tokio::test(flavor = "multi_thread")]
async fn killed_again_and_again_it_loses_nothing_that_was_acknowledged() {
    let url = postgres_database().await;
    let (home, token) = home(&format!("database = {url:?}"), "").await;
    let acknowledged = killed_again_and_again(&home, &token).await;
    holds(&home, &acknowledged, &members(&url).await).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_database_that_crashes_under_load_loses_nothing_that_was_acknowledged() {
    const CRASHES: usize = 4;
    let postgres = PrivateService::start("postgres").await;
    let (home, token) = home(&format!("database = {:?}", postgres.url), "timeout_secs = 2\n").await;
    let mut door = start(&home, &["intake"]).await;
    let callers = Callers::start(16, &token);
    callers.at(Some(door.address));
    for _ in 0..CRASHES {
        let before = callers.count();
        while callers.count() < before + 30 {
            tokio::time::sleep(Duration::from_millis(2)).await;
        }
        postgres.crash().await;
    }
    let before = callers.count();
    while callers.count() < before + 30 {
        tokio::time::sleep(Duration::from_millis(2)).await;
    }
    let refused = callers.refused();
    let acknowledged = callers.finish().await;
    assert!(door.process.try_wait().unwrap().is_none(), "the process goes on");
    door.signal("-TERM").await;
    assert!(door.process.wait().await.unwrap().success());
    println!(
        "{}",
        json!({ "crashes": CRASHES, "acknowledged": acknowledged.len(), "told_to_come_again": refused })
    );
    assert!(refused > 0, "no request met a database that was away: the test proves too little");
    holds(&home, &acknowledged, &members(&postgres.url).await).await;
}
