//! A server that crashes and comes back, again and again.

use std::time::Duration;

use serde_json::json;
use sqlx::AssertSqlSafe;
use tokio::time::Instant;

use super::story::Story;
use crate::support::PrivateService;

const RESTARTS: usize = 10;
/// How long a rate is measured.
const WINDOW: f64 = 2.0;

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_crashes_ten_times_is_waited_for() {
    let server = PrivateService::start("postgres").await;
    // Bound by the providers' latency, so that the rate says how many members are in flight.
    let extra = "[worker]\nlease_secs = 15\nconcurrency = 6\nclaim_batch = 6\ncommit_linger_ms = 0\n";
    let story = Story::begin(&server.url, &server.url, (150, 200), extra, 2_000).await;
    let mut workers = vec![story.worker(), story.worker()];
    tokio::time::sleep(Duration::from_secs(8)).await;
    let before = rate(&story, "clock_timestamp()", 5.0).await;
    assert!(before > 0.0, "members are written");
    let mut recovered = Vec::new();
    for _ in 0..RESTARTS {
        server.crash().await;
        let up = Instant::now();
        // From the moment at which the server is up again: the first window in which the rate is back.
        loop {
            tokio::time::sleep(Duration::from_millis(100)).await;
            for worker in &mut workers {
                assert!(worker.try_wait().unwrap().is_none(), "a worker gave up by itself");
            }
            assert!(up.elapsed() < Duration::from_secs(30), "not back after {:?}", up.elapsed());
            if rate(&story, "clock_timestamp()", WINDOW).await >= 0.9 * before {
                break;
            }
        }
        recovered.push(up.elapsed().as_secs_f64());
        assert!(story.left().await > 0, "the queue is too short to measure anything");
    }
    recovered.sort_by(f64::total_cmp);
    let (median, worst) = (recovered[RESTARTS / 2], recovered[RESTARTS - 1]);
    let figures = json!({ "restarts": RESTARTS, "records_per_second_before": before,
        "seconds_to_recover_median": median, "seconds_to_recover_worst": worst });
    story.end("server crashes", workers, figures).await;
    assert!(median <= 20.0, "{recovered:?}");
}

/// Records written a second over the last `seconds` before `at`, by the database's own clock.
#[expect(clippy::cast_precision_loss, reason = "a rate for people")]
async fn rate(story: &Story, at: &'static str, seconds: f64) -> f64 {
    let sql =
        format!("SELECT count(*) FROM watched_writes WHERE at > {at} - {seconds} * interval '1 second'");
    loop {
        if let Ok(count) =
            sqlx::query_scalar::<_, i64>(AssertSqlSafe(sql.clone())).fetch_one(&story.database).await
        {
            return count as f64 / seconds;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}
