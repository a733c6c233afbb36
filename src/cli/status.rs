//! `gleaner status`: what was taken in, what became of it, and who works on it.

use gleaner::store::fleet::{GateState, Usage, WorkerSeen};
use gleaner::store::{Census, LookupTotals};
use jiff::{SignedDuration, Timestamp};
use serde::Serialize;

use super::host::Host;
use super::provider::gate::words_of;
use super::view::{money, percent};
use super::{Exit, Global, out};

#[derive(Serialize)]
struct Status {
    #[serde(flatten)]
    census: Census,
    adds_up: bool,
    lookups: Vec<LookupTotals>,
    /// What each provider was asked today and this month.
    usage: Vec<Usage>,
    /// Providers that may not be asked now.
    closed: Vec<GateState>,
    workers: Vec<WorkerSeen>,
}

pub(crate) async fn run(global: &Global) -> anyhow::Result<Exit> {
    let host = Host::open(global)?;
    let vault = host.vault().await?;
    let census = vault.store.census().await?;
    let now = host.clock.now();
    let mut closed = vault.store.pulse(now).await?.gates;
    closed.retain(|gate| gate.closed.is_some() || gate.trips > 0);
    let status = Status {
        census,
        adds_up: census.adds_up(),
        lookups: vault.store.lookup_totals().await?,
        usage: vault.store.usage(now).await?,
        closed,
        workers: vault.store.workers(now).await?,
    };
    if global.json {
        out::json(&status)?;
    } else {
        print(&status);
        print_fleet(&status, now);
    }
    Ok(if status.adds_up { Exit::Done } else { Exit::Nothing })
}

fn print(status: &Status) {
    let census = &status.census;
    let mut places = out::table(["Registrations", "", ""], &[1, 2]);
    for (place, count) in census.places() {
        places.add_row([place.to_owned(), count.to_string(), percent(count, census.taken_in)]);
    }
    out::line(places);
    if status.adds_up {
        out::line(format_args!("  together {}: as many as were taken in", census.taken_in));
    } else {
        let (found, taken_in) = (census.accounted_for(), census.taken_in);
        out::line(format_args!(
            "  together {found}, but {taken_in} were taken in: this is a bug, please report it"
        ));
    }
    if census.inbox > 0 {
        out::line(format_args!(
            "  {} more are in the inbox, where no worker has read them yet",
            census.inbox
        ));
    }
    if census.repeated > 0 {
        out::line(format_args!("  {} more were repeats of known members", census.repeated));
    }
    if !status.lookups.is_empty() {
        let mut lookups = out::table(["Lookups", "outcome", "count", "cost"], &[2, 3]);
        for row in &status.lookups {
            lookups.add_row([
                row.provider.clone(),
                row.outcome.clone(),
                row.lookups.to_string(),
                money(row.cost_micros),
            ]);
        }
        out::line(format_args!("\n{lookups}"));
    }
}

fn print_fleet(status: &Status, now: Timestamp) {
    if !status.usage.is_empty() {
        let mut usage = out::table(["Spent", "calls today", "cost", "this month", "cost"], &[1, 2, 3, 4]);
        for row in &status.usage {
            usage.add_row([
                row.provider.clone(),
                row.calls_today.to_string(),
                money(row.cost_micros_today),
                row.calls_this_month.to_string(),
                money(row.cost_micros_this_month),
            ]);
        }
        out::line(format_args!("\n{usage}"));
    }
    for gate in &status.closed {
        if let Some(words) = words_of(gate) {
            out::line(format_args!("\n  `{}` is {words}", gate.provider));
        }
    }
    if !status.workers.is_empty() {
        let header = ["Workers", "host", "version", "since", "state", "in flight", "finished"];
        let mut workers = out::table(header, &[5, 6]);
        for worker in &status.workers {
            let state = if worker.alive {
                "alive".to_owned()
            } else {
                format!("silent for {}", coarse(now.duration_since(worker.beat_at)))
            };
            workers.add_row([
                worker.incarnation.clone(),
                format!("{}:{}", worker.host, worker.pid),
                worker.version.clone(),
                worker.started_at.strftime("%Y-%m-%d %H:%M:%S UTC").to_string(),
                state,
                worker.in_flight.to_string(),
                worker.finished.to_string(),
            ]);
        }
        out::line(format_args!("\n{workers}"));
    }
}

/// A length of time to the largest whole unit.
fn coarse(length: SignedDuration) -> String {
    match length.as_secs() {
        seconds @ ..=119 => format!("{seconds} s"),
        seconds @ 120..=7_199 => format!("{} min", seconds / 60),
        seconds => format!("{} h", seconds / 3600),
    }
}
