//! The story of one batch: taken in, outcomes, fill rate, spend, errors, time left.

use std::collections::BTreeMap;

use gleaner::store::batches::{Batch, BatchKind, BatchStanding, BatchState, Counts};
use gleaner_providers::Field;
use jiff::{SignedDuration, Timestamp};
use serde::Serialize;

use super::super::host::{Host, Vault};
use super::super::view::{money, percent};
use super::out;

#[derive(Serialize)]
pub(crate) struct Story {
    #[serde(flatten)]
    pub(crate) batch: Batch,
    pub(crate) counts: Counts,
    pub(crate) standing: BatchStanding,
    /// Members that were put in, and that reached an end.
    pub(crate) put_in: u64,
    pub(crate) finished: u64,
    pub(crate) cost_micros: u64,
    /// At the rate so far.
    pub(crate) seconds_left: Option<u64>,
}

/// Members that a batch is about: those who have, or had, a job of it.
pub(crate) fn put_in(batch: &Batch, counts: &Counts) -> u64 {
    counts.of(if batch.kind == BatchKind::Renormalize { "seen" } else { "queued" })
}

/// Members that reached their end in it.
pub(crate) fn finished(batch: &Batch, counts: &Counts) -> u64 {
    match batch.kind {
        BatchKind::Renormalize => counts.of("seen"),
        BatchKind::Import | BatchKind::Replay => counts.finished() + counts.of("cancelled"),
    }
}

impl Story {
    pub(crate) async fn read(batch: Batch, host: &Host, vault: &Vault) -> anyhow::Result<Self> {
        let counts = vault.store.batch_counts(batch.id).await?;
        let standing = vault.store.batch_standing(&batch).await?;
        let (put_in, finished) = (put_in(&batch, &counts), finished(&batch, &counts));
        let left = standing.waiting + standing.running;
        let seconds_left = seconds_left(&batch, finished, left, host.clock.now());
        Ok(Self {
            cost_micros: counts.cost_micros(),
            batch,
            counts,
            standing,
            put_in,
            finished,
            seconds_left,
        })
    }

    pub(crate) fn print(&self) {
        let (batch, counts) = (&self.batch, &self.counts);
        let why = batch.why.as_ref().map(|why| format!(" ({why})")).unwrap_or_default();
        out::line(format_args!(
            "{} `{}`: {}{why}, made {}",
            batch.kind.as_str(),
            batch.name,
            batch.state.as_str(),
            batch.created_at.strftime("%Y-%m-%d %H:%M:%S UTC")
        ));
        if batch.kind == BatchKind::Renormalize {
            out::line(format_args!(
                "  {} records read, {} made anew; no lookup. `gleaner batch diff {}` shows what changed",
                counts.of("seen"),
                counts.of("rebuilt"),
                batch.name
            ));
            return;
        }
        self.print_members();
        self.print_fields();
        self.print_lookups();
        self.print_money();
    }

    fn print_members(&self) {
        let (counts, standing) = (&self.counts, &self.standing);
        let mut table = out::table(["Members", "", ""], &[1, 2]);
        let asked = counts.of("queued") + counts.of("joined") + counts.of("fresh");
        for (what, count) in [
            ("put in", counts.of("queued")),
            ("had a job already", counts.of("joined")),
            ("had a fresh record", counts.of("fresh")),
        ] {
            if count > 0 || what == "put in" {
                table.add_row([what.to_owned(), count.to_string(), percent(count, asked)]);
            }
        }
        for (what, count) in [
            ("waiting", standing.waiting),
            ("running", standing.running),
            ("complete", counts.of("complete")),
            ("partial", counts.of("partial")),
            ("no match", counts.of("no_match")),
            ("suppressed", counts.of("suppressed")),
            ("dead letter", counts.of("dead")),
            ("cancelled", counts.of("cancelled")),
        ] {
            if count > 0 {
                table.add_row([format!("  {what}"), count.to_string(), percent(count, self.put_in)]);
            }
        }
        out::line(format_args!("\n{table}"));
        let again = counts.of("retries") + counts.of("snoozes");
        if again > 0 {
            out::line(format_args!("  put off and taken up again {again} times"));
        }
        if let Some(seconds) = self.seconds_left {
            out::line(format_args!("  about {} left at the rate so far", length(seconds)));
        }
    }

    fn print_fields(&self) {
        let mut table = out::table(["Fields filled", "", ""], &[1, 2]);
        for field in Field::ALL {
            let filled = self.counts.of(&format!("with.{}", field.as_str()));
            table.add_row([
                field.as_str().to_owned(),
                filled.to_string(),
                percent(filled, self.counts.finished()),
            ]);
        }
        out::line(format_args!("\n{table}"));
    }

    fn print_lookups(&self) {
        let mut lookups: BTreeMap<&str, Vec<(&str, u64)>> = BTreeMap::new();
        for (provider, outcome, count) in self.counts.lookups() {
            lookups.entry(provider).or_default().push((outcome, count));
        }
        if lookups.is_empty() {
            out::line("\nno lookups: answers in stock were enough");
        } else {
            let mut table = out::table(["Lookups", "outcome", "count"], &[2]);
            for (provider, outcomes) in lookups {
                for (outcome, count) in outcomes {
                    table.add_row([provider.to_owned(), outcome.to_owned(), count.to_string()]);
                }
            }
            out::line(format_args!("\n{table}"));
        }
        if !self.standing.dead_letters.is_empty() {
            let mut table = out::table(["Dead letters", ""], &[1]);
            for (reason, count) in &self.standing.dead_letters {
                table.add_row([reason.as_str().to_owned(), count.to_string()]);
            }
            out::line(format_args!("\n{table}"));
            out::line(format_args!("  look closer: gleaner dead-letters group --batch {}", self.batch.name));
        }
    }

    fn print_money(&self) {
        let ceiling =
            self.batch.ceiling_micros.map_or_else(String::new, |most| format!(" of at most {}", money(most)));
        let kept = match self.batch.reserved_micros {
            0 => String::new(),
            micros => format!(", {} kept for lookups under way or lost", money(micros)),
        };
        out::line(format_args!("\nSpent {}{ceiling}{kept}", money(self.cost_micros)));
        if self.batch.state == BatchState::Paused {
            let more = if self.batch.ceiling_micros.is_some() { " [--max-cost AMOUNT]" } else { "" };
            out::line(format_args!("Let it go on: gleaner batch resume {}{more}", self.batch.name));
        }
    }
}

fn seconds_left(batch: &Batch, finished: u64, left: u64, now: Timestamp) -> Option<u64> {
    if batch.state != BatchState::Running || finished == 0 || left == 0 {
        return None;
    }
    let since =
        now.duration_since(batch.created_at).max(SignedDuration::from_secs(1)).as_secs().unsigned_abs();
    Some((since * left).div_ceil(finished))
}

/// A length of time to the largest whole unit.
pub(crate) fn length(seconds: u64) -> String {
    match seconds {
        ..120 => format!("{seconds} s"),
        120..7_200 => format!("{} min", seconds / 60),
        7_200..172_800 => format!("{} h", seconds / 3_600),
        _ => format!("{} days", seconds / 86_400),
    }
}
