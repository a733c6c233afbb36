//! What replays promise: a quick preview, a quick filling, answers in stock instead of lookups, and nobody fresh who waits.
//!
//! `cargo bench --bench replay` runs everything, on the PostgreSQL server that `GLEANER_TEST_POSTGRES` names or on one of its own;
//! `… -- preview`, `… -- stock` and `… -- overtake` are the parts alone. The real command and the real worker do the work, each in a
//! process of its own; the providers are a sandbox in this one.

#![expect(
    clippy::print_stdout,
    clippy::unwrap_used,
    clippy::cast_precision_loss,
    reason = "a benchmark, not a product"
)]

use clap::{Parser, ValueEnum};

mod home;
mod million;
mod overtake;
#[expect(dead_code, reason = "the store's bench asks for more of it")]
#[path = "../store/server.rs"]
mod server;
mod stock;

use server::Server;

#[derive(Parser)]
struct Arguments {
    /// Which part to run; all of them by default.
    #[arg(value_enum)]
    part: Option<Part>,
    /// Finished members for the preview and the filling.
    #[arg(long, default_value_t = 1_000_000)]
    members: u32,
    /// Members looked up and then replayed from stock.
    #[arg(long, default_value_t = 10_000)]
    stock: u32,
    /// Members of the replays beside which fresh registrations are measured: more than are worked off meanwhile.
    #[arg(long, default_value_t = 20_000)]
    replayed: u32,
    /// How often fresh registrations are measured, with and without a replay in turn.
    #[arg(long, default_value_t = 5)]
    rounds: usize,
    /// Passed by `cargo bench`.
    #[arg(long, hide = true)]
    bench: bool,
    /// Passed by `cargo test --benches`: a benchmark says nothing there.
    #[arg(long, hide = true)]
    test: bool,
}

#[derive(Clone, Copy, Eq, PartialEq, ValueEnum)]
enum Part {
    /// Previewing and filling a replay of very many members.
    Preview,
    /// A first run against the same members replayed from answers in stock.
    Stock,
    /// The wait of fresh registrations, beside a running replay and without one.
    Overtake,
}

#[tokio::main]
async fn main() {
    let arguments = Arguments::parse();
    if arguments.test {
        return;
    }
    let server = Server::find_or_start().await;
    let is_wanted = |part| arguments.part.is_none_or(|wanted| wanted == part);
    if is_wanted(Part::Preview) {
        million::measure(&server.database("bench_replay_million").await, arguments.members).await;
    }
    if is_wanted(Part::Stock) {
        stock::measure("SQLite", None, arguments.stock).await;
        let databank = server.database("bench_replay_stock").await;
        stock::measure("PostgreSQL", Some(&databank), arguments.stock).await;
    }
    if is_wanted(Part::Overtake) {
        let databank = server.database("bench_replay_overtake").await;
        overtake::measure(&databank, arguments.replayed, arguments.rounds).await;
    }
}

fn median(values: &mut [f64]) -> f64 {
    values.sort_by(f64::total_cmp);
    values[values.len() / 2]
}
