//! `gleaner worker`: work off the queue until told to stop.

use std::sync::Arc;
use std::time::Duration;

use gleaner::intake::doors::Doors;
use gleaner::intake::inbox;
use gleaner::worker::{Report, Stop, Until};

use super::host::Host;
use super::{Exit, Global, doors, out};

#[derive(clap::Args, Debug)]
pub(crate) struct Args {
    /// End when no job is left that is due within this many seconds, instead of running until told to stop; opens no door
    #[arg(long, value_name = "SECONDS", num_args = 0..=1, default_missing_value = "0")]
    until_idle: Option<u64>,
}

pub(crate) async fn run(global: &Global, args: Args) -> anyhow::Result<Exit> {
    let stop = Stop::on_signals()?;
    let host = Host::open(global)?;
    let Some(vault) = host.vault_when_there(&stop).await? else { return Ok(Exit::Done) };
    let report = Arc::new(Report::default());
    let until = match args.until_idle {
        Some(seconds) => Until::Idle { patience: Duration::from_secs(seconds) },
        None => Until::Stopped,
    };
    let worker = host.worker(&vault.store, until, &report)?;
    let tiers = worker.enricher.panel().tiers();
    let asked: Vec<_> = tiers.iter().flatten().map(|provider| provider.name()).collect();
    let mut open = match until {
        Until::Stopped => doors::open(&host, &vault).await?,
        Until::Idle { .. } => {
            inbox::empty(&doors::reception(&host, &vault)).await?;
            Doors::default()
        }
    };
    tracing::info!(
        owner = worker.settings.owner,
        providers = asked.join(" "),
        doors = open.names().join(" "),
        "worker started"
    );
    doors::show_metrics(&mut open, &host, &vault).await?;
    let ended = doors::work(worker, open, stop).await;
    vault.store.close().await;
    let ending = ended?;
    let done = report.summary();
    tracing::info!(
        ?ending,
        finished = done.finished(),
        retries = done.retries,
        stale = done.stale,
        "worker ended"
    );
    if global.json {
        out::json(&done)?;
    }
    Ok(Exit::Done)
}
