//! Shows a person who waits that something happens: a bar on a terminal, a plain line now and then elsewhere.

use std::io::IsTerminal as _;
use std::sync::Arc;
use std::time::Duration;

use gleaner::intake::IntakeReport;
use gleaner::intake::file::Source;
use gleaner::intake::reconcile::Reconciled;
use gleaner::worker::Report;
use indicatif::{ProgressBar, ProgressStyle};
use tokio::sync::oneshot;
use tokio::task::JoinHandle;
use tokio::time::Instant;

use super::out;

/// How often a line is written where nobody watches.
pub(crate) const LINE_EVERY: Duration = Duration::from_secs(10);

/// A stretch of work being shown.
pub(crate) struct Progress {
    bar: Option<ProgressBar>,
    watching: Option<(oneshot::Sender<()>, JoinHandle<()>)>,
}

impl Progress {
    /// Reading a source: by bytes, where its size is known.
    pub(crate) fn reading(source: &Source) -> Self {
        let bar = std::io::stderr().is_terminal().then(|| {
            let bar = ProgressBar::new(source.total_bytes().unwrap_or(0));
            let template = if source.total_bytes().is_some() {
                "reading    [{bar:30}] {percent} %  {msg}"
            } else {
                "reading    {spinner}  {msg}"
            };
            bar.with_style(style(template))
        });
        Self { bar, watching: None }
    }

    /// Reading the rows of a query, whose number nobody knows.
    pub(crate) fn querying() -> Self {
        let bar = std::io::stderr()
            .is_terminal()
            .then(|| ProgressBar::no_length().with_style(style("comparing  {spinner}  {msg}")));
        Self { bar, watching: None }
    }

    /// Putting members into the queue: by members looked at.
    pub(crate) fn filling(members: u64) -> Self {
        let bar = std::io::stderr().is_terminal().then(|| {
            let template = "filling    [{bar:30}] {pos}/{len}  {per_sec}, {eta} left";
            ProgressBar::new(members).with_style(style(template))
        });
        Self { bar, watching: None }
    }

    /// How many were looked at so far.
    pub(crate) fn filled(&self, members: u64) {
        if let Some(bar) = &self.bar {
            bar.set_position(members);
        }
    }

    /// What was compared so far.
    pub(crate) fn compared(&self, report: &Reconciled) {
        if let Some(bar) = &self.bar {
            bar.set_position(report.bytes_read);
            bar.set_message(format!("{} rows, {} missing", report.rows, report.missing));
        }
    }

    /// What was read so far.
    pub(crate) fn read(&self, report: &IntakeReport) {
        if let Some(bar) = &self.bar {
            bar.set_position(report.bytes_read);
            bar.set_message(format!("{} rows", report.rows));
        }
    }

    /// Enriching members: by members finished.
    pub(crate) fn enriching(members: u64, report: &Arc<Report>) -> Self {
        let bar = std::io::stderr().is_terminal().then(|| {
            let template = "enriching  [{bar:30}] {pos}/{len}  {per_sec}, {eta} left  {msg}";
            ProgressBar::new(members).with_style(style(template))
        });
        let (done, mut asked) = oneshot::channel();
        let watching = tokio::spawn({
            let (report, bar) = (Arc::clone(report), bar.clone());
            async move {
                let mut next_line = Instant::now() + LINE_EVERY;
                let mut ticks = tokio::time::interval(Duration::from_millis(100));
                loop {
                    tokio::select! {
                        _ = ticks.tick() => {}
                        _ = &mut asked => break,
                    }
                    let summary = report.summary();
                    let (finished, again) = (summary.finished(), summary.retries + summary.snoozes);
                    if let Some(bar) = &bar {
                        bar.set_position(finished);
                        bar.set_message(if again > 0 { format!("{again} put off") } else { String::new() });
                    } else if Instant::now() >= next_line {
                        out::note(format_args!("enriching  {finished}/{members}, {again} put off"));
                        next_line += LINE_EVERY;
                    }
                }
            }
        });
        Self { bar, watching: Some((done, watching)) }
    }

    /// Takes the bar away.
    pub(crate) async fn finish(mut self) {
        if let Some((done, watching)) = self.watching.take() {
            // It ends by itself if it has not ended already.
            let _ = done.send(());
            let _ = watching.await;
        }
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        if let Some(bar) = &self.bar {
            bar.finish_and_clear();
        }
    }
}

pub(crate) fn style(template: &str) -> ProgressStyle {
    ProgressStyle::with_template(template)
        .unwrap_or_else(|_| ProgressStyle::default_bar())
        .progress_chars("=> ")
}
