//! `gleaner status`: what was taken in, and what became of it.

use gleaner::store::{Census, LookupTotals};
use serde::Serialize;

use super::host::Host;
use super::view::{money, percent};
use super::{Exit, Global, out};

#[derive(Serialize)]
struct Status {
    #[serde(flatten)]
    census: Census,
    adds_up: bool,
    lookups: Vec<LookupTotals>,
}

pub(crate) async fn run(global: &Global) -> anyhow::Result<Exit> {
    let vault = Host::open(global)?.vault().await?;
    let census = vault.store.census().await?;
    let status = Status { census, adds_up: census.adds_up(), lookups: vault.store.lookup_totals().await? };
    if global.json {
        out::json(&status)?;
    } else {
        print(&status);
    }
    Ok(if status.adds_up { Exit::Done } else { Exit::Nothing })
}

fn print(status: &Status) {
    let census = &status.census;
    let mut places = out::table(["Registrations", "", ""], &[1, 2]);
    for (place, count) in [
        ("waiting", census.waiting),
        ("running", census.running),
        ("complete", census.complete),
        ("partial", census.partial),
        ("no match", census.no_match),
        ("suppressed", census.suppressed),
        ("dead letters", census.dead_letters),
    ] {
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
