//! What a replay would do, as it is shown before.

use std::collections::BTreeMap;

use gleaner::enrich::Enricher;
use gleaner::job::BatchName;
use gleaner::record::{ChangeKind, Record};
use gleaner::replay::estimate::{Estimate, Pace};
use gleaner::replay::{Forecast, Preview};
use gleaner::store::batches::{Batch, Selected};
use gleaner_providers::Field;
use serde_json::{Value, json};

use super::super::batch::length;
use super::super::host::Host;
use super::super::view::money;
use super::out;

/// How fast each provider may be asked.
pub(super) fn paces(host: &Host, enricher: &Enricher) -> BTreeMap<String, Pace> {
    let pace = |installed: &std::sync::Arc<gleaner::enrich::panel::Installed>| {
        let own = host.config.provider(installed.name());
        let quota = own.quota.map_or(installed.descriptor().quota, |rate| rate.0);
        let daily_calls = own.budget(installed.descriptor()).daily_calls;
        (installed.name().to_owned(), Pace { quota, daily_calls })
    };
    enricher.panel().installed().map(pace).collect()
}

pub(super) fn as_json(batch: &Batch, selected: &Selected, estimate: &Estimate) -> Value {
    json!({
        "batch": batch.name, "selected": selected, "estimate": estimate, "max_cost_micros": batch.ceiling_micros,
    })
}

pub(super) fn print(batch: &Batch, selected: &Selected, estimate: &Estimate) {
    let mut table = out::table([format!("Replay `{}`", batch.name).as_str(), ""], &[1]);
    table.add_row(["members with a record".to_owned(), selected.with_record.to_string()]);
    table.add_row(["dead letters".to_owned(), selected.dead_letters.to_string()]);
    if selected.have_a_job > 0 {
        let passed_over = format!("{} (passed over)", selected.have_a_job);
        table.add_row(["of them in the queue already".to_owned(), passed_over]);
    }
    out::line(format_args!("{table}\n"));
    let mut table = out::table(["Expected", "lookups", "cost", "time"], &[1, 2, 3]);
    for (provider, part) in &estimate.providers {
        table.add_row([
            provider.clone(),
            part.lookups.to_string(),
            money(part.expected_micros),
            length(part.seconds),
        ]);
    }
    table.add_row([
        "together".to_owned(),
        estimate.lookups.to_string(),
        money(estimate.expected_micros),
        length(estimate.seconds),
    ]);
    out::line(table);
    out::line(format_args!(
        "  at most {} if every provider had to be asked and knew everybody; time is the quotas' alone",
        money(estimate.most_micros)
    ));
    if estimate.sampled < selected.members() {
        out::line(format_args!("  forecast from {} of them", estimate.sampled));
    }
    match batch.ceiling_micros {
        Some(ceiling) => {
            out::line(format_args!("  it is held back before it costs more than {}", money(ceiling)));
        }
        None if estimate.most_micros > 0 => {
            out::line("  no ceiling: `--max-cost` sets one that it never exceeds");
        }
        None => {}
    }
}

pub(super) fn forecast_as_json(name: &BatchName, forecast: &Forecast) -> Value {
    let changes: BTreeMap<String, u64> =
        forecast.changes.iter().map(|((field, kind), count)| (format!("{field}.{kind}"), *count)).collect();
    json!({
        "batch": name, "records": forecast.records, "changed": forecast.changed, "skipped": forecast.skipped,
        "changes": changes,
    })
}

pub(super) fn print_forecast(name: &BatchName, forecast: &Forecast) {
    out::line(format_args!(
        "Renormalize `{name}`: {} records, {} would change, {} stay because an answer they rest on is gone; no lookup",
        forecast.records, forecast.changed, forecast.skipped
    ));
    let mut table = out::table(["Field", "filled", "lost", "changed", "confidence only"], &[1, 2, 3, 4]);
    for field in Field::ALL {
        let mut row = vec![field.as_str().to_owned()];
        let count = |kind: ChangeKind| forecast.changes.get(&(field.as_str(), kind.as_str())).copied();
        row.extend(ChangeKind::ALL.into_iter().map(|kind| count(kind).unwrap_or(0).to_string()));
        table.add_row(row);
    }
    out::line(table);
    for Preview { before, after } in &forecast.first {
        out::line(format_args!("  {}", before.member));
        for (field, old, new) in values(before, after) {
            if old != new {
                out::line(format_args!("    {field}: {old} -> {new}"));
            }
        }
    }
}

/// What the operator asked to see.
fn values(before: &Record, after: &Record) -> [(&'static str, String, String); 4] {
    let name = |record: &Record| {
        record.name.as_ref().map_or_else(nothing, |name| sure(name.value.full(), name.confidence.get()))
    };
    let born = |record: &Record| {
        record.birth.as_ref().map_or_else(nothing, |birth| {
            let interval = format!("{} to {}", birth.value.earliest(), birth.value.latest());
            sure(&interval, birth.confidence.get())
        })
    };
    let profiles = |record: &Record| {
        let urls: Vec<_> = record
            .profiles
            .iter()
            .map(|profile| sure(profile.value.url(), profile.confidence.get()))
            .collect();
        if urls.is_empty() { nothing() } else { urls.join(", ") }
    };
    let status = |record: &Record| record.status.as_str().to_owned();
    [
        ("name", name(before), name(after)),
        ("age", born(before), born(after)),
        ("social", profiles(before), profiles(after)),
        ("status", status(before), status(after)),
    ]
}

fn sure(value: &str, confidence: f64) -> String {
    format!("{value} ({confidence:.2})")
}

fn nothing() -> String {
    "nothing".to_owned()
}
