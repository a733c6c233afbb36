//! The text that Prometheus reads (exposition format 0.0.4,
//! <https://prometheus.io/docs/instrumenting/exposition_formats/>).
//!
//! Invariant: pure. Money is in millionths, as everywhere: a counter that adds up.

use std::fmt::{Display, Write as _};

use super::Reading;
use crate::store::fleet::{ClosedBy, WorkerSeen};
use crate::telemetry::counters;

/// One metric being written: its samples follow its head.
struct Family<'a> {
    text: &'a mut String,
    name: &'static str,
}

pub(super) fn render(reading: &Reading) -> String {
    let mut text = String::with_capacity(4096);
    registrations(&mut text, reading);
    providers(&mut text, reading);
    workers(&mut text, reading);
    this_process(&mut text);
    text
}

fn registrations(text: &mut String, reading: &Reading) {
    let census = &reading.census;
    family(
        text,
        "gleaner_taken_in_total",
        "counter",
        "Registrations and malformed rows acknowledged, each once.",
    )
    .sample(&[], census.taken_in);
    family(text, "gleaner_repeated_total", "counter", "Registrations of members who were known already.")
        .sample(&[], census.repeated);
    let mut places = family(text, "gleaner_registrations", "gauge", "Where what was taken in is now.");
    for (place, count) in census.places() {
        places.sample(&[("place", place)], count);
    }
    family(text, "gleaner_adds_up", "gauge", "1 while the places add up to what was taken in; 0 is a bug.")
        .sample(&[], u64::from(census.adds_up()));
    family(text, "gleaner_records", "gauge", "Records; with gleaner_records_with, the fill rate.")
        .sample(&[], census.complete + census.partial + census.no_match);
    let age = &reading.age;
    family(
        text,
        "gleaner_queue_oldest_due_seconds",
        "gauge",
        "For how long the oldest due job has been due.",
    )
    .sample(&[], age.oldest_due_secs);
    family(
        text,
        "gleaner_queue_oldest_taken_in_seconds",
        "gauge",
        "How long ago the oldest waiting job was taken in.",
    )
    .sample(&[], age.oldest_queued_secs);
    let mut batches = family(text, "gleaner_batches", "gauge", "Imports and replays by state.");
    for (state, count) in &reading.batches {
        batches.sample(&[("state", state)], *count);
    }
    let mut filled = family(text, "gleaner_records_with", "gauge", "Records by field filled.");
    for (field, count) in
        [("name", census.with_name), ("age", census.with_age), ("social", census.with_social)]
    {
        filled.sample(&[("field", field)], count);
    }
}

fn providers(text: &mut String, reading: &Reading) {
    let mut lookups = family(text, "gleaner_lookups_total", "counter", "Lookups by provider and outcome.");
    for row in &reading.lookups {
        lookups.sample(&[("provider", &row.provider), ("outcome", &row.outcome)], row.lookups);
    }
    let mut cost = family(text, "gleaner_cost_micros_total", "counter", "Money spent, in millionths.");
    for row in &reading.lookups {
        cost.sample(&[("provider", &row.provider), ("outcome", &row.outcome)], row.cost_micros);
    }
    let mut seconds =
        family(text, "gleaner_lookup_seconds_total", "counter", "How long lookups took together.");
    for row in &reading.lookups {
        #[expect(clippy::cast_precision_loss, reason = "exact for centuries")]
        let seconds_of_row = row.duration_us as f64 / 1e6;
        seconds.sample(&[("provider", &row.provider), ("outcome", &row.outcome)], seconds_of_row);
    }
    let mut calls = family(text, "gleaner_provider_calls", "gauge", "Calls this day and this month (UTC).");
    for row in &reading.usage {
        calls.sample(&[("provider", &row.provider), ("window", "day")], row.calls_today);
        calls.sample(&[("provider", &row.provider), ("window", "month")], row.calls_this_month);
    }
    let mut closed = family(
        text,
        "gleaner_provider_closed",
        "gauge",
        "1 while a provider may not be asked, by whose word.",
    );
    for gate in &reading.gates {
        for (by, word) in [
            (ClosedBy::Operator, "operator"),
            (ClosedBy::Provider, "provider"),
            (ClosedBy::Breaker, "breaker"),
        ] {
            let is_closed = gate.closed.as_ref().is_some_and(|closed| closed.by == by);
            closed.sample(&[("provider", &gate.provider), ("by", word)], u64::from(is_closed));
        }
    }
    let mut trips = family(
        text,
        "gleaner_provider_trips",
        "gauge",
        "How often in a row a provider was left alone because it failed; 0 while it works.",
    );
    for gate in &reading.gates {
        trips.sample(&[("provider", &gate.provider)], u64::from(gate.trips));
    }
}

fn this_process(text: &mut String) {
    let (rescued, stale) = (counters::rescued(), counters::stale());
    family(
        text,
        "gleaner_leases_rescued_total",
        "counter",
        "Leases that had run out, taken back by this process.",
    )
    .sample(&[], rescued);
    family(
        text,
        "gleaner_stale_completions_total",
        "counter",
        "Outcomes of this process that came too late and were dropped.",
    )
    .sample(&[], stale);
}

fn workers(text: &mut String, reading: &Reading) {
    let alive = reading.workers.iter().filter(|worker| worker.alive).count();
    let mut states = family(text, "gleaner_workers", "gauge", "Workers by state.");
    states.sample(&[("state", "alive")], alive as u64);
    states.sample(&[("state", "silent")], (reading.workers.len() - alive) as u64);
    let age = |worker: &WorkerSeen| {
        u64::try_from(reading.now.duration_since(worker.beat_at).as_secs()).unwrap_or_default()
    };
    let mut each = |name, kind, help, value: &dyn Fn(&WorkerSeen) -> u64| {
        let mut samples = family(text, name, kind, help);
        for worker in &reading.workers {
            samples.sample(&[("worker", &worker.incarnation), ("host", &worker.host)], value(worker));
        }
    };
    each("gleaner_worker_beat_age_seconds", "gauge", "Seconds since a worker's last beat.", &age);
    each("gleaner_worker_in_flight", "gauge", "Members that a worker holds.", &|worker| worker.in_flight);
    each("gleaner_worker_finished_total", "counter", "Members that a worker has finished.", &|worker| {
        worker.finished
    });
}

fn family<'a>(text: &'a mut String, name: &'static str, kind: &str, help: &str) -> Family<'a> {
    // Writing to a `String` never fails.
    let _ = writeln!(text, "# HELP {name} {help}\n# TYPE {name} {kind}");
    Family { text, name }
}

impl Family<'_> {
    fn sample(&mut self, labels: &[(&str, &str)], value: impl Display) {
        self.text.push_str(self.name);
        for (position, (label, content)) in labels.iter().enumerate() {
            self.text.push(if position == 0 { '{' } else { ',' });
            let _ = write!(self.text, "{label}=\"{}\"", escaped(content));
        }
        self.text.push_str(if labels.is_empty() { " " } else { "} " });
        let _ = writeln!(self.text, "{value}");
    }
}

fn escaped(content: &str) -> String {
    content.replace('\\', r"\\").replace('"', "\\\"").replace('\n', r"\n")
}

#[cfg(test)]
mod tests {
    use jiff::{SignedDuration, Timestamp};

    use super::*;
    use crate::store::batches::QueueAge;
    use crate::store::fleet::{Closed, GateState, Usage};
    use crate::store::{Census, LookupTotals};

    #[test]
    fn everything_has_its_line() {
        let now: Timestamp = "2026-03-01T12:00:00Z".parse().unwrap();
        let closed = Closed { by: ClosedBy::Operator, why: Some("invoice".to_owned()), until: None };
        let counted = Census { taken_in: 9, waiting: 4, complete: 3, dead_letters: 2, ..Census::default() };
        let reading = Reading {
            now,
            census: Census { with_name: 3, ..counted },
            lookups: vec![LookupTotals {
                provider: "github".to_owned(),
                outcome: "match".to_owned(),
                lookups: 3,
                cost_micros: 840_000,
                duration_us: 1_250_000,
            }],
            usage: vec![Usage {
                provider: "github".to_owned(),
                calls_today: 7,
                calls_this_month: 70,
                ..Usage::default()
            }],
            age: QueueAge { oldest_due_secs: 8, oldest_queued_secs: 90 },
            batches: [("running", 2)].into(),
            gates: vec![GateState {
                provider: "github".to_owned(),
                epoch: 0,
                trips: 0,
                closed: Some(closed),
            }],
            workers: vec![WorkerSeen {
                incarnation: "1-ab".to_owned(),
                host: "a \"quoted\"\\host".to_owned(),
                pid: 1,
                version: "0.1.0".to_owned(),
                started_at: now,
                beat_at: now - SignedDuration::from_secs(3),
                alive: true,
                in_flight: 5,
                finished: 6,
            }],
        };
        insta::assert_snapshot!(render(&reading));
    }

    #[test]
    fn labels_cannot_break_a_line() {
        assert_eq!(escaped("a\"b\\c\nd"), r#"a\"b\\c\nd"#);
    }
}
