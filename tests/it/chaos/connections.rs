//! Connections that are cut, that are too few, and a table that somebody else has locked.

use std::time::Duration;

use serde_json::json;
use sqlx::{AssertSqlSafe, Connection as _, PgConnection};
use tokio::time::Instant;

use super::story::Story;
use crate::support::{members, postgres_database, until};

const CUT_ONE: &str = "
    SELECT count(pg_terminate_backend(pid)) FROM (
        SELECT pid FROM pg_stat_activity
        WHERE datname = current_database() AND application_name LIKE 'gleaner%'
        ORDER BY random() LIMIT 1
    ) AS victim";

#[tokio::test(flavor = "multi_thread")]
async fn connections_cut_three_hundred_times_lose_nothing() {
    const CUTS: i64 = 300;
    let url = postgres_database().await;
    let extra = "[worker]\nlease_secs = 5\nconcurrency = 12\nclaim_batch = 12\n";
    let story = Story::begin(&url, &url, (20, 60), extra, 900).await;
    let workers = vec![story.worker(), story.worker(), story.worker()];
    let written = "SELECT count(*) FROM watched_writes";
    until("they work", async || story.number(written).await, |count| *count > 0).await;
    let (mut cut, began) = (0, Instant::now());
    while cut < CUTS {
        assert!(began.elapsed() < Duration::from_mins(1), "only {cut} connections were cut");
        cut += story.number(CUT_ONE).await;
        tokio::time::sleep(Duration::from_millis(30)).await;
    }
    let figures =
        json!({ "cuts": cut, "seconds": began.elapsed().as_secs_f64(), "left_then": story.left().await });
    story.end("connections cut", workers, figures).await;
}

/// The bell works again after its connection was cut, also while nothing else looks.
#[tokio::test(flavor = "multi_thread")]
async fn an_idle_worker_is_woken_after_its_bell_was_cut() {
    let url = postgres_database().await;
    let story = Story::begin(&url, &url, (5, 10), "[worker]\npoll_ms = 600000\n", 1).await;
    let workers = vec![story.worker()];
    until("it has nothing to do", async || story.left().await, |left| *left == 0).await;
    let listening = "SELECT count(*) FROM pg_stat_activity
        WHERE datname = current_database() AND application_name = 'gleaner listening' AND state = 'idle'
            AND query LIKE 'LISTEN%'";
    for _ in 0..5 {
        until("it listens", async || story.number(listening).await, |count| *count == 1).await;
        let cut = "SELECT count(pg_terminate_backend(pid, 5000)) FROM pg_stat_activity
                   WHERE datname = current_database() AND application_name = 'gleaner listening'";
        assert_eq!(story.number(cut).await, 1);
    }
    until("it listens again", async || story.number(listening).await, |count| *count == 1).await;
    // The first of the two is known already.
    let file = story.home.write("late.csv", members(2, super::story::address));
    let began = Instant::now();
    story.home.json(&["enqueue", file.to_str().unwrap()]).await;
    let records = "SELECT count(*) FROM supplemental_member_information";
    until("it is woken", async || story.number(records).await, |count| *count == 2).await;
    let woken = began.elapsed();
    assert!(woken < Duration::from_secs(20), "{woken:?}, and the poll is after ten minutes");
    story.with_members(2).end("bell cut", workers, json!({ "seconds_to_wake": woken.as_secs_f64() })).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn too_few_connections_and_a_locked_table_pass() {
    let server = postgres_database().await;
    let mut url = url::Url::parse(&server).unwrap();
    let name = url.path().trim_start_matches('/').to_owned();
    let mut owner = PgConnection::connect(&server).await.unwrap();
    // For everyone but a superuser, who is the test.
    for statement in [
        format!("CREATE ROLE {name}_few LOGIN CONNECTION LIMIT 14"),
        format!("ALTER DATABASE {name} OWNER TO {name}_few"),
        format!("ALTER SCHEMA public OWNER TO {name}_few"),
    ] {
        sqlx::raw_sql(AssertSqlSafe(statement)).execute(&mut owner).await.unwrap();
    }
    url.set_username(&format!("{name}_few")).unwrap();
    url.set_query(Some("options=-c%20lock_timeout%3D1s%20-c%20statement_timeout%3D3s"));
    let extra = "[worker]\nlease_secs = 5\nconcurrency = 8\nclaim_batch = 8\n";
    let story = Story::begin(url.as_str(), &server, (20, 60), extra, 500).await;
    let grant = format!("GRANT ALL ON watched_writes TO {name}_few");
    sqlx::raw_sql(AssertSqlSafe(grant)).execute(&mut owner).await.unwrap();
    let workers = vec![story.worker(), story.worker(), story.worker()];
    let written = "SELECT count(*) FROM watched_writes";
    until("they work", async || story.number(written).await, |count| *count > 0).await;
    let mut seconds = Vec::new();
    for _ in 0..3 {
        let mut blocking = owner.begin().await.unwrap();
        let lock = "LOCK TABLE enrichment_jobs IN ACCESS EXCLUSIVE MODE";
        sqlx::raw_sql(lock).execute(&mut *blocking).await.unwrap();
        tokio::time::sleep(Duration::from_secs(4)).await;
        blocking.rollback().await.unwrap();
        let (freed, before) = (Instant::now(), story.number(written).await);
        until("they work again", async || story.number(written).await, |count| *count > before).await;
        seconds.push(freed.elapsed().as_secs_f64());
    }
    let figures =
        json!({ "locks": seconds.len(), "seconds_to_recover": seconds, "left_then": story.left().await });
    story.end("too few connections", workers, figures).await;
    drop(owner);
}
