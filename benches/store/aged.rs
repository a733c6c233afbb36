//! Claims on a database that was in use for long: with millions of rows, and with a reader that keeps every dead row.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use gleaner::store::{Claim, SharedStore};
use sqlx::Row as _;
use tokio::time::Instant;

use crate::drain::{BATCH, Payload, outcome};
use crate::latency::{now, registration};
use crate::server::{Databank, Server, run};
use crate::{keyring, median};

/// Rounds for nothing: plans, connections, and the image of each page that goes into the log when it is first written after a checkpoint.
const WARM_UP: usize = 10;
/// Claims timed in a round.
const CLAIMS: usize = 50;
/// Jobs that come in each second while a snapshot is held.
const ARRIVING: u32 = 500;

/// Claims on a table with so many finished members, and a tenth as many waiting jobs, beside claims on one with next to nothing.
pub(crate) async fn large(server: &Server, finished: u32, rounds: usize) {
    let jobs = u32::try_from(CLAIMS * (WARM_UP + rounds)).unwrap() * BATCH;
    let small = aged(server, "bench_store_small", 0, jobs).await;
    let large = aged(server, "bench_store_large", finished, (finished / 10).max(jobs)).await;
    println!(
        "claims of {BATCH}: {finished} finished members and a tenth as many waiting jobs, beside none and {jobs}"
    );
    let mut ratios = Vec::new();
    for _ in 0..WARM_UP {
        claims(&small).await;
        claims(&large).await;
    }
    for round in 1..=rounds {
        let (on_small, on_large) = (claims(&small).await, claims(&large).await);
        println!("round {round}: {on_small:.2} ms and {on_large:.2} ms, ratio {:.2}", on_large / on_small);
        ratios.push(on_large / on_small);
    }
    println!("median ratio {:.2} (goal: 0.85 to 1.15)", median(&mut ratios));
}

async fn aged(server: &Server, name: &str, finished: u32, jobs: u32) -> SharedStore {
    let databank = server.database(name).await;
    let store = databank.store(&keyring().fingerprint()).await;
    let mut connection = databank.connect().await;
    // An index of random keys is made faster than it is kept.
    run(&mut connection, "DROP INDEX supplemental_member_information_subject").await;
    let fill = format!(
        "INSERT INTO supplemental_member_information
             (member_id, email, subject, full_name, status, policy_version, collected_at, updated_at, expires_at)
         SELECT
             'f-' || n, 'finished' || n || '@example.org', sha256(convert_to('f-' || n, 'UTF8')), 'Ada Example',
             'complete', '2026-01', statement_timestamp(), statement_timestamp(),
             statement_timestamp() + interval '1 year'
         FROM generate_series(1, {finished}) AS n"
    );
    run(&mut connection, &fill).await;
    let index =
        "CREATE INDEX supplemental_member_information_subject ON supplemental_member_information (subject)";
    run(&mut connection, index).await;
    databank.queue(jobs).await;
    store
}

/// The median of some claims, in milliseconds. What was claimed stays so.
async fn claims(store: &SharedStore) -> f64 {
    let mut took = Vec::with_capacity(CLAIMS);
    for _ in 0..CLAIMS {
        let (jobs, lasted) = claim(store, Duration::from_hours(1)).await;
        assert_eq!(jobs.len(), BATCH as usize);
        took.push(lasted);
    }
    median(&mut took)
}

async fn claim(store: &SharedStore, lease: Duration) -> (Vec<gleaner::job::Claimed>, f64) {
    let began = Instant::now();
    let jobs = store.claim(Claim { owner: "bench", limit: BATCH, lease, now: now() }).await.unwrap();
    (jobs, began.elapsed().as_secs_f64() * 1_000.0)
}

/// Claims while somebody reads for so many minutes and jobs come and go.
pub(crate) async fn pinned(databank: &Databank, minutes: u32) {
    let store = databank.store(&keyring().fingerprint()).await;
    println!(
        "{ARRIVING} jobs a second come and are finished; a reader holds its snapshot from the second line on"
    );
    let over = Arc::new(AtomicBool::new(false));
    let arriving = tokio::spawn(arrive(Arc::clone(&store), Arc::clone(&over)));
    let mut reader = databank.connect().await;
    for minute in 0..=minutes {
        let took = minute_of_claims(&store).await;
        let sql = "SELECT n_dead_tup FROM pg_stat_user_tables WHERE relname = 'enrichment_jobs'";
        let dead: i64 = sqlx::query(sql).fetch_one(&mut databank.connect().await).await.unwrap().get(0);
        println!("minute {minute:>2}: {took}; {dead} dead rows");
        if minute == 0 {
            run(&mut reader, "BEGIN ISOLATION LEVEL REPEATABLE READ; SELECT count(*) FROM meta").await;
        }
    }
    over.store(true, Ordering::Relaxed);
    arriving.await.unwrap();
    run(&mut reader, "ROLLBACK").await;
    println!("goal: claims under 10 ms throughout");
}

async fn arrive(store: SharedStore, over: Arc<AtomicBool>) {
    let keyring = keyring();
    let mut every = tokio::time::interval(Duration::from_millis(100));
    let mut next = 0;
    while !over.load(Ordering::Relaxed) {
        every.tick().await;
        let numbers = next..next + ARRIVING / 10;
        next = numbers.end;
        let batch: Vec<_> = numbers.map(|n| registration(&keyring, "p", n)).collect();
        store.enqueue(&batch, now()).await.unwrap();
    }
}

/// Works the queue off as it fills; how long claims took, those that found something and those that found nothing.
async fn minute_of_claims(store: &SharedStore) -> String {
    let (mut found, mut empty) = (Vec::new(), Vec::new());
    let began = Instant::now();
    while began.elapsed() < Duration::from_mins(1) {
        let (jobs, took) = claim(store, Duration::from_mins(1)).await;
        if jobs.is_empty() {
            empty.push(took);
            tokio::time::sleep(Duration::from_millis(20)).await;
            continue;
        }
        found.push(took);
        let outcomes: Vec<_> = jobs.into_iter().map(|job| outcome(job, Payload::Record, now())).collect();
        store.commit(&outcomes, now()).await.unwrap();
    }
    format!("with jobs {}, without {}", say(&mut found), say(&mut empty))
}

fn say(took: &mut [f64]) -> String {
    took.sort_unstable_by(f64::total_cmp);
    let at =
        |percent: usize| took.get((took.len() * percent / 100).min(took.len().saturating_sub(1))).copied();
    let [half, most, longest] = [50, 99, 100].map(|percent| at(percent).unwrap_or_default());
    format!("median {half:.1} ms, 99 % {most:.1} ms, longest {longest:.1} ms ({})", took.len())
}
