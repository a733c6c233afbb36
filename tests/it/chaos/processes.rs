//! Worker processes that are killed, or put to sleep until their leases are somebody else's.

use std::time::Duration;

use serde_json::json;

use super::story::{Story, signal};
use crate::support::{Dice, postgres_database, until};

#[tokio::test(flavor = "multi_thread")]
async fn workers_killed_a_hundred_times_lose_nothing() {
    const KILLS: u32 = 100;
    let url = postgres_database().await;
    let extra = "[worker]\nlease_secs = 5\nconcurrency = 16\nclaim_batch = 8\n";
    let story = Story::begin(&url, &url, (80, 240), extra, 4_000).await;
    let mut workers = vec![story.worker(), story.worker(), story.worker()];
    let mut dice = Dice(2026);
    let (mut struck, mut left) = (0, 0);
    for kill in 0..KILLS {
        tokio::time::sleep(Duration::from_millis(dice.between(150, 450))).await;
        // The oldest of the three.
        let mut victim = workers.remove(0);
        let pid = i64::from(victim.id().unwrap());
        assert!(victim.try_wait().unwrap().is_none(), "a worker gave up by itself");
        victim.kill().await.unwrap();
        workers.push(story.worker());
        let running = "SELECT count(*) FROM enrichment_jobs AS job JOIN workers ON incarnation = lease_owner
                       WHERE pid = $1";
        let running: i64 = sqlx::query_scalar(running).bind(pid).fetch_one(&story.database).await.unwrap();
        struck += u32::from(running > 0);
        if kill == KILLS - 1 {
            left = story.left().await;
        }
    }
    assert!(left > 0, "it was finished before the last kill: the test proves too little");
    assert!(struck * 20 >= KILLS, "only {struck} of {KILLS} kills struck running jobs");
    let figures = json!({ "kills": KILLS, "struck_running_jobs": struck, "left_at_the_last": left });
    story.end("killed", workers, figures).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_worker_that_wakes_after_its_lease_writes_nothing() {
    let url = postgres_database().await;
    let extra = "[worker]\nlease_secs = 5\nconcurrency = 24\nclaim_batch = 24\n";
    let story = Story::begin(&url, &url, (200, 400), extra, 400).await;
    let zombie = story.home.command(&["--json", "worker", "--until-idle", "8"]);
    let zombie = { zombie }.stdout(std::process::Stdio::piped()).spawn().unwrap();
    let written = "SELECT count(*) FROM watched_writes";
    until("it works", async || story.number(written).await, |count| *count > 0).await;
    signal(&zombie, "STOP").await;
    let asleep = story.number("SELECT count(*) FROM enrichment_jobs WHERE state = 'running'").await;
    assert!(asleep > 0, "it was stopped in the middle of something");

    let other = story.worker();
    let taken_over = "SELECT count(*) FROM enrichment_jobs WHERE state = 'running' AND fence > 1";
    until("the other has taken over", async || story.number(taken_over).await, |count| *count > 0).await;
    signal(&zombie, "CONT").await;
    let woken = zombie.wait_with_output().await.unwrap();
    assert!(woken.status.success());
    let summary: serde_json::Value = serde_json::from_slice(&woken.stdout).unwrap();
    assert!(summary["stale"].as_u64().unwrap() > 0, "{summary}");
    let figures = json!({ "held_when_stopped": asleep, "stale": summary["stale"] });
    let story = story.excusing(usize::try_from(asleep).unwrap());
    story.end("asleep past the lease", vec![other], figures).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn ten_first_starts_at_once_make_the_tables_once() {
    let url = postgres_database().await;
    let extra = format!("database = {url:?}");
    let home = crate::support::Home::new(gleaner_providers::sandbox::SandboxSettings::calm(7), &extra).await;
    // The key that they share, as a fleet does.
    home.json(&["status"]).await;
    let database = sqlx::PgPool::connect(&url).await.unwrap();
    sqlx::raw_sql("DROP SCHEMA public CASCADE; CREATE SCHEMA public").execute(&database).await.unwrap();
    let start =
        |n| home.command(if n % 2 == 0 { &["migrate"] } else { &["worker", "--until-idle"] }).output();
    for ended in futures_util::future::join_all((0..10).map(start)).await {
        let ended = ended.unwrap();
        assert!(ended.status.success(), "{}", crate::support::text(&ended.stderr));
    }
    let stripes: i64 =
        sqlx::query_scalar("SELECT count(*) FROM intake_tally").fetch_one(&database).await.unwrap();
    assert_eq!(stripes, 16);
}
