//! What the process says about itself while it runs: logs on standard error.
//!
//! Invariant: no personal data and no secret in any of it. Logs carry the member id at most; libraries below us speak
//! at `warn` and above only, because at lower levels they print URLs; a panic says where, never what with.

use std::io::IsTerminal as _;

use tracing_subscriber::filter::{LevelFilter, Targets};
use tracing_subscriber::layer::SubscriberExt as _;
use tracing_subscriber::util::SubscriberInitExt as _;
use tracing_subscriber::{Layer as _, fmt};

/// How logs are written.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub enum LogFormat {
    #[default]
    Text,
    /// One JSON object a line.
    Json,
}

/// Starts logging, once a process. A second call changes nothing.
pub fn init(level: LevelFilter, format: LogFormat) {
    let ours = Targets::new()
        .with_default(level.min(LevelFilter::WARN))
        // Calls every lost connection an error, and so does the door that waits for it, in words that say what to do.
        .with_target("lapin", LevelFilter::OFF)
        .with_target("gleaner", level)
        .with_target("gleaner_providers", level);
    let output = fmt::layer().with_writer(std::io::stderr);
    let layer = match format {
        LogFormat::Text => {
            output.with_ansi(std::io::stderr().is_terminal()).with_target(false).with_filter(ours).boxed()
        }
        LogFormat::Json => output.json().with_filter(ours).boxed(),
    };
    // Fails only where a test has set one already.
    let _ = tracing_subscriber::registry().with(layer).try_init();
    std::panic::set_hook(Box::new(|panic| {
        let place = panic.location().map_or_else(|| "an unknown place".to_owned(), ToString::to_string);
        tracing::error!(place, "a bug: panicked; please report where");
    }));
}

/// What this process counts for its metrics, beside what the database tells of the whole fleet.
pub mod counters {
    use std::sync::atomic::{AtomicU64, Ordering};

    static RESCUED: AtomicU64 = AtomicU64::new(0);
    static STALE: AtomicU64 = AtomicU64::new(0);

    /// Leases that had run out and were taken back.
    pub fn rescued() -> u64 {
        RESCUED.load(Ordering::Relaxed)
    }

    /// Outcomes that came too late and were dropped.
    pub fn stale() -> u64 {
        STALE.load(Ordering::Relaxed)
    }

    pub(crate) fn add_rescued(count: u64) {
        RESCUED.fetch_add(count, Ordering::Relaxed);
    }

    pub(crate) fn add_stale() {
        STALE.fetch_add(1, Ordering::Relaxed);
    }
}
