//! The summary at the end of a run.

use std::path::PathBuf;

use gleaner::intake::IntakeReport;
use gleaner::store::Census;
use gleaner::worker::Summary;
use gleaner_providers::Field;
use gleaner_providers::http::Traffic;
use jiff::Timestamp;
use serde::Serialize;

use super::out;
use super::view::{money, percent};

/// Everything that a run of `enrich` has to tell.
#[derive(Serialize)]
pub(crate) struct RunReport {
    pub(crate) intake: IntakeReport,
    pub(crate) work: Summary,
    pub(crate) traffic: Vec<(String, Traffic)>,
    pub(crate) census: Census,
    pub(crate) next_due: Option<Timestamp>,
    pub(crate) seconds: f64,
    pub(crate) data_dir: PathBuf,
}

impl RunReport {
    pub(crate) fn print(&self, json: bool) -> anyhow::Result<()> {
        if json {
            return out::json(self);
        }
        print_intake(&self.intake);
        self.print_members();
        self.print_fields();
        self.print_providers();
        self.print_end();
        Ok(())
    }

    fn print_members(&self) {
        let work = &self.work;
        let mut table = out::table(["Members", "", ""], &[1, 2]);
        for (outcome, count) in [
            ("complete", work.complete),
            ("partial", work.partial),
            ("no match", work.no_match),
            ("suppressed", work.suppressed),
            ("dead letter", work.dead),
            ("still waiting", self.census.waiting),
        ] {
            if count > 0 || outcome == "complete" {
                let whole = work.finished() + self.census.waiting;
                table.add_row([outcome.to_owned(), count.to_string(), percent(count, whole)]);
            }
        }
        out::line(format_args!("{table}\n"));
    }

    fn print_fields(&self) {
        let mut table = out::table(["Fields filled", "", ""], &[1, 2]);
        for field in Field::ALL {
            let filled = self.work.filled(field);
            let share = percent(filled, self.work.finished());
            table.add_row([field.as_str().to_owned(), filled.to_string(), share]);
        }
        out::line(format_args!("{table}\n"));
    }

    fn print_providers(&self) {
        let header = ["Providers", "lookups", "matched", "failed", "calls", "retries", "throttled", "cost"];
        let mut table = out::table(header, &[1, 2, 3, 4, 5, 6, 7]);
        for (name, traffic) in &self.traffic {
            let provider = self.work.providers.get(name).cloned().unwrap_or_default();
            table.add_row([
                name.clone(),
                provider.lookups.to_string(),
                percent(provider.matches, provider.matches + provider.no_matches),
                provider.failures.values().sum::<u64>().to_string(),
                traffic.calls.to_string(),
                traffic.retries.to_string(),
                traffic.throttled.to_string(),
                money(provider.cost_micros),
            ]);
        }
        out::line(format_args!("{table}\n"));
    }

    fn print_end(&self) {
        let (finished, again) = (self.work.finished(), self.work.retries + self.work.snoozes);
        #[expect(clippy::cast_precision_loss, reason = "a rate for people")]
        let rate = finished as f64 / self.seconds.max(0.001);
        out::line(format_args!(
            "{finished} members in {:.1} s ({rate:.0} a second), {again} put off and taken up again",
            self.seconds
        ));
        let data_dir = self.data_dir.display();
        if self.census.waiting > 0 {
            let due = self.next_due.map(|due| format!(", the next at {}", due.strftime("%H:%M:%S UTC")));
            out::line(format_args!(
                "{} wait for a provider{}; `gleaner --data-dir {data_dir} worker` goes on with them",
                self.census.waiting,
                due.unwrap_or_default()
            ));
            if let Some(problem) = &self.work.last_problem {
                out::line(format_args!("the last of them because of {problem}"));
            }
        }
        out::line(format_args!(
            "look closer: gleaner --data-dir {data_dir} status | dead-letters list | member show ID"
        ));
    }
}

/// What was taken in, and the first rows that were not.
pub(crate) fn print_intake(intake: &IntakeReport) {
    out::line(format_args!(
        "{} rows read: {} queued, {} repeated, {} fresh, {} suppressed, {} refused",
        intake.rows, intake.queued, intake.repeated, intake.fresh, intake.suppressed, intake.refused
    ));
    for refusal in &intake.first_refusals {
        out::line(format_args!("  {}: {}", refusal.origin, refusal.reason));
    }
    let shown = u64::try_from(intake.first_refusals.len()).unwrap_or(u64::MAX);
    if intake.refused > shown {
        let rest = intake.refused - shown;
        out::line(format_args!("  and {rest} more: `gleaner dead-letters list`"));
    }
    out::line("");
}
