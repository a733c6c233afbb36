//! What the store reaches: jobs a second on PostgreSQL beside pgbench running the same statements, on SQLite, and how long one
//! member takes from the door to the record.
//!
//! `cargo bench --bench store` runs everything, on the server that `GLEANER_TEST_POSTGRES` names or on one of its own. Both sides
//! of a comparison take turns, because machines drift; quote the ratios of one run. `… -- ours` is one drain, for
//! `benches/peers/run`; `… -- latency` and `… -- members` are the other parts alone; `… -- large` and `… -- pinned` run only
//! when they are asked for.

#![expect(
    clippy::print_stdout,
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::cast_precision_loss,
    reason = "a benchmark, not a product"
)]

use std::time::Duration;

use clap::{Parser, ValueEnum};
use gleaner::keyring::Keyring;
use gleaner::store::SharedStore;
use gleaner::store::sqlite::SqliteStore;

mod aged;
mod ceiling;
mod drain;
mod latency;
mod server;

use ceiling::Ceiling;
use drain::{Payload, drain};
use server::{Databank, Server};

/// As in the worker's binary.
#[global_allocator]
static ALLOCATOR: tikv_jemallocator::Jemalloc = tikv_jemallocator::Jemalloc;

const WORKERS: u32 = 4;

#[derive(Parser)]
struct Arguments {
    /// Which part to run; all of them by default.
    #[arg(value_enum)]
    part: Option<Part>,
    /// Jobs in a drain; a multiple of 400.
    #[arg(long, default_value_t = 100_000)]
    jobs: u32,
    /// Drains of each side.
    #[arg(long, default_value_t = 5)]
    rounds: usize,
    /// Finished members in `large`.
    #[arg(long, default_value_t = 10_000_000)]
    finished: u32,
    /// How long the snapshot is held in `pinned`.
    #[arg(long, default_value_t = 10)]
    minutes: u32,
    /// Passed by `cargo bench`.
    #[arg(long, hide = true)]
    bench: bool,
    /// Passed by `cargo test --benches`: a benchmark says nothing there.
    #[arg(long, hide = true)]
    test: bool,
}

#[derive(Clone, Copy, Eq, PartialEq, ValueEnum)]
enum Part {
    /// One drain on PostgreSQL; prints jobs a second and nothing else.
    Ours,
    /// Drains on PostgreSQL and the same by pgbench, in turn; then SQLite.
    Drains,
    /// Whole members: record, answers and lookups. Bytes of log a member, and of each table.
    Members,
    /// From the door to the record.
    Latency,
    /// Claims beside millions of finished members and waiting jobs (only when asked for: makes 10⁷ rows).
    Large,
    /// Claims while a reader holds its snapshot (only when asked for: takes minutes).
    Pinned,
}

#[tokio::main]
async fn main() {
    let arguments = Arguments::parse();
    if arguments.test {
        return;
    }
    let server = Server::find_or_start().await;
    let is_wanted = |part| arguments.part.is_none_or(|wanted| wanted == part);
    if arguments.part == Some(Part::Ours) {
        let databank = server.database("bench_store_ours").await;
        let store = databank.store(&keyring().fingerprint()).await;
        println!("{:.0}", on_postgres(&databank, &store, arguments.jobs, Payload::Record).await);
        return;
    }
    if is_wanted(Part::Drains) {
        drains(&server, arguments.jobs, arguments.rounds).await;
    }
    if is_wanted(Part::Members) {
        members(&server, arguments.jobs, arguments.rounds).await;
    }
    if is_wanted(Part::Latency) {
        latency::measure(&server.database("bench_store_latency").await).await;
    }
    if arguments.part == Some(Part::Large) {
        aged::large(&server, arguments.finished, arguments.rounds).await;
    }
    if arguments.part == Some(Part::Pinned) {
        aged::pinned(&server.database("bench_store_pinned").await, arguments.minutes).await;
    }
}

fn keyring() -> Keyring {
    Keyring::from_bytes([7; 32])
}

/// Ours and pgbench in turn, then SQLite.
async fn drains(server: &Server, jobs: u32, rounds: usize) {
    let databank = server.database("bench_store_drain").await;
    let store = databank.store(&keyring().fingerprint()).await;
    println!(
        "{jobs} jobs, {WORKERS} workers, batches of {}: claim, then the record and the completion",
        drain::BATCH
    );
    // Once for nothing: pages, plans and connections.
    on_postgres(&databank, &store, jobs / 10, Payload::Record).await;
    let ceiling = Ceiling::like_the_rows_of(&databank).await;
    let (mut ours, mut theirs, mut ratios) = (Vec::new(), Vec::new(), Vec::new());
    for round in 1..=rounds {
        let our = on_postgres(&databank, &store, jobs, Payload::Record).await;
        databank.refill(jobs).await;
        let their = rate(jobs, ceiling.drain(&databank, jobs, WORKERS).await);
        println!(
            "round {round}: ours {our:>6.0} jobs/s, pgbench {their:>6.0} jobs/s, ratio {:.2}",
            our / their
        );
        ours.push(our);
        theirs.push(their);
        ratios.push(our / their);
    }
    println!(
        "median: ours {:.0} jobs/s, pgbench {:.0} jobs/s, ratio {:.2} (goal: at least 0.70)",
        median(&mut ours),
        median(&mut theirs),
        median(&mut ratios)
    );
    let mut embedded = Vec::new();
    for _ in 0..rounds.min(3) {
        embedded.push(on_sqlite(jobs / 2, Payload::Record).await);
    }
    println!("SQLite, one process: median {:.0} jobs/s", median(&mut embedded));
}

/// What whole members cost.
async fn members(server: &Server, members: u32, rounds: usize) {
    let databank = server.database("bench_store_members").await;
    let store = databank.store(&keyring().fingerprint()).await;
    println!("{members} members: record, three answers, three log entries each");
    on_postgres(&databank, &store, members / 10, Payload::Member).await;
    let (mut rates, mut written) = (Vec::new(), 0);
    for _ in 0..rounds.min(3) {
        databank.refill(members).await;
        let before = databank.log_position().await;
        rates.push(rate(members, drain(&store, WORKERS, Payload::Member).await));
        written = databank.log_position().await - before;
    }
    println!("PostgreSQL: median {:.0} members/s", median(&mut rates));
    println!("{:>6.0} bytes of write-ahead log a member", written as f64 / f64::from(members));
    for (table, rows, indexes) in databank.sizes().await {
        let each = |bytes: i64| bytes as f64 / f64::from(members);
        println!(
            "{:>6.0} bytes of rows and {:>4.0} of indexes a member in {table}",
            each(rows),
            each(indexes)
        );
    }
    let embedded = on_sqlite(members / 2, Payload::Member).await;
    println!("SQLite, one process: {embedded:.0} members/s");
}

/// Jobs a second of one drain over a queue filled for it.
async fn on_postgres(databank: &Databank, store: &SharedStore, jobs: u32, payload: Payload) -> f64 {
    databank.refill(jobs).await;
    let took = drain(store, WORKERS, payload).await;
    check(store, jobs).await;
    rate(jobs, took)
}

async fn on_sqlite(jobs: u32, payload: Payload) -> f64 {
    let folder = tempfile::tempdir().unwrap();
    let keyring = keyring();
    let store = SqliteStore::open(folder.path().join("bench.db"), &keyring.fingerprint()).await.unwrap();
    let store: SharedStore = std::sync::Arc::new(store);
    let numbers: Vec<u32> = (0..jobs).collect();
    for chunk in numbers.chunks(1_000) {
        let registrations: Vec<_> = chunk.iter().map(|n| latency::registration(&keyring, "m", *n)).collect();
        store.enqueue(&registrations, latency::now()).await.unwrap();
    }
    let took = drain(&store, WORKERS, payload).await;
    check(&store, jobs).await;
    store.close().await;
    rate(jobs, took)
}

/// Every job became one record.
async fn check(store: &SharedStore, jobs: u32) {
    let census = store.census().await.unwrap();
    assert!(census.adds_up() && census.complete == u64::from(jobs), "{census:?}");
}

fn rate(jobs: u32, took: Duration) -> f64 {
    f64::from(jobs) / took.as_secs_f64()
}

fn median(values: &mut [f64]) -> f64 {
    values.sort_by(f64::total_cmp);
    values[values.len() / 2]
}
