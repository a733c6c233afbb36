//! Where claims begin on PostgreSQL: not at the dead rows that somebody's snapshot keeps, and yet nothing is passed over.

use std::time::Duration;

use gleaner::clock::{Clock as _, SystemClock};
use gleaner::store::Store as _;
use gleaner::store::postgres::{Clock, statements};
use sqlx::{AssertSqlSafe, PgConnection, Row as _};

use super::support::{PostgresDatabase, claim, claim_one, claim_one_soon, registrations};

async fn run(connection: &mut PgConnection, sql: &str) {
    sqlx::raw_sql(AssertSqlSafe(sql)).execute(connection).await.unwrap();
}

#[tokio::test]
async fn a_claim_does_not_read_what_a_held_snapshot_keeps() {
    let database = PostgresDatabase::new();
    drop(database.store(Clock::Database).await);
    let (mut reader, mut consumer) = (database.consumer().await, database.consumer().await);
    run(&mut reader, "BEGIN ISOLATION LEVEL REPEATABLE READ; SELECT count(*) FROM meta").await;
    let come_and_go = "
        INSERT INTO enrichment_jobs (member_id, email, subject, run_at, queued_at)
        SELECT 'm-' || n, 'a@example.com', sha256(convert_to('m-' || n, 'UTF8')), now() - interval '1 minute', now()
        FROM generate_series(1, 20000) AS n;
        DELETE FROM enrichment_jobs;";
    run(&mut consumer, come_and_go).await;
    run(&mut consumer, &format!("PREPARE claim AS {}", statements::CLAIM)).await;
    let from_the_mark = pages_read(&mut consumer, "now() - interval '5 seconds'").await;
    let from_the_front = pages_read(&mut consumer, "'-infinity'").await;
    assert!(from_the_mark < 20, "{from_the_mark} pages");
    assert!(from_the_front > 200, "{from_the_front} pages: the snapshot keeps nothing");
}

/// Of a claim that finds nothing.
async fn pages_read(connection: &mut PgConnection, mark: &str) -> u32 {
    let explain = format!(
        "EXPLAIN (ANALYZE, BUFFERS, TIMING OFF)
         EXECUTE claim (NULL, 60000000, 'worker-1', 100, ARRAY[0]::smallint[], ARRAY[{mark}]::timestamptz[])"
    );
    let plan = sqlx::raw_sql(AssertSqlSafe(explain)).fetch_all(connection).await.unwrap();
    let lines: Vec<String> = plan.iter().map(|row| row.get(0)).collect();
    let buffers = lines.iter().find(|line| line.contains("Buffers: shared")).expect("a count of buffers");
    let counted = buffers.split_whitespace().filter_map(|word| word.split_once('='));
    counted
        .filter(|(what, _)| matches!(*what, "hit" | "read"))
        .map(|(_, pages)| pages.parse::<u32>().unwrap())
        .sum()
}

/// A job that is put back with its old time, and a level of priority that was not there before.
#[tokio::test]
async fn what_lies_before_the_mark_is_found_by_the_next_look() {
    let database = PostgresDatabase::new();
    let store = database.store(Clock::Database).await;
    let now = || SystemClock.now();
    store.enqueue(&registrations(2), now()).await.unwrap();
    let job = claim_one(&*store, now()).await;
    let mut consumer = database.consumer().await;
    run(
        &mut consumer,
        "UPDATE enrichment_jobs SET run_at = run_at - interval '1 hour' WHERE state = 'running'",
    )
    .await;
    assert_ne!(claim_one(&*store, now()).await.member, job.member);
    store.release(&[job.hold], now()).await.unwrap();
    assert_eq!(claim_one_soon(&*store, now).await.member, job.member);

    store.enqueue(&registrations(3)[2..], now()).await.unwrap();
    run(&mut consumer, "UPDATE enrichment_jobs SET priority = 40 WHERE state = 'waiting'").await;
    claim_one_soon(&*store, now).await;
}

/// Where a look takes long, claims do not wait for it; what it finds rings the bell.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_slow_look_is_taken_beside_the_claims() {
    let database = PostgresDatabase::new();
    let store = database.store(Clock::Database).await;
    let now = || SystemClock.now();
    store.enqueue(&registrations(1), now()).await.unwrap();
    let mut consumer = database.consumer().await;
    run(&mut consumer, "BEGIN; LOCK TABLE enrichment_jobs IN ACCESS EXCLUSIVE MODE").await;
    let first = tokio::spawn({
        let store = std::sync::Arc::clone(&store);
        async move { claim_one(&*store, SystemClock.now()).await }
    });
    let waiting =
        "SELECT count(*) > 0 FROM pg_locks WHERE NOT granted AND relation = 'enrichment_jobs'::regclass";
    while !sqlx::query_scalar::<_, bool>(waiting).fetch_one(&mut consumer).await.unwrap() {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    tokio::time::sleep(Duration::from_millis(10)).await;
    run(&mut consumer, "COMMIT").await;
    let job = first.await.unwrap();

    run(&mut consumer, "UPDATE enrichment_jobs SET run_at = run_at - interval '1 hour'").await;
    store.release(&[job.hold], now()).await.unwrap();
    let found = async {
        loop {
            if let [found] = &*claim(&*store, 1, now()).await {
                return found.member.clone();
            }
            let _ = tokio::time::timeout(Duration::from_millis(100), store.wait_for_jobs()).await;
        }
    };
    let found = tokio::time::timeout(Duration::from_secs(30), found).await.expect("found by the next look");
    assert_eq!(found, job.member);
}
