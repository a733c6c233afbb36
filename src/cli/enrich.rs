//! `gleaner enrich`: take members in, look them up, show what was found.

use std::sync::Arc;
use std::time::Duration;

use gleaner::config::Config;
use gleaner::worker::{Ending, Report, Stop, Until};
use gleaner_providers::sandbox::{Sandbox, SandboxSettings};
use tokio::time::Instant;

use super::host::{Host, Vault};
use super::progress::Progress;
use super::report::RunReport;
use super::{Exit, Global, member, out, sandbox, sources};

#[derive(clap::Args, Debug)]
pub(crate) struct Args {
    /// Files of members, `-` for standard input, or e-mail addresses
    #[arg(value_name = "FILE|-|EMAIL", required_unless_present = "sandbox")]
    sources: Vec<String>,
    /// Ask a local sandbox of invented people instead of the real providers, in a database of its own; without a
    /// source, the built-in sample members
    #[arg(long)]
    sandbox: bool,
    /// Ask everybody again, whatever is in stock; what was paid for is paid for once more
    #[arg(long)]
    refresh: bool,
    /// How long to wait for a lookup that is put off (a quota, a retry) before leaving it to a later run, in seconds
    /// [default: 60; for a single address 10]
    #[arg(long, value_name = "SECONDS")]
    patience: Option<u64>,
}

pub(crate) async fn run(global: &Global, args: Args) -> anyhow::Result<Exit> {
    let stop = Stop::on_signals()?;
    let (host, sandbox) = if args.sandbox {
        let (host, sandbox) = in_sandbox(global).await?;
        (host, Some(sandbox))
    } else {
        (Host::open(global)?, None)
    };
    let started = Instant::now();
    let vault = host.vault().await?;

    if args.refresh {
        sources::forget(&args.sources, &host, &vault).await?;
    }
    let taken_in = if args.sources.is_empty() {
        sources::take_in_samples(&host, &vault).await?
    } else {
        sources::take_in(&args.sources, None, &host, &vault).await?
    };
    let waiting = vault.store.census().await?.waiting;

    let report = Arc::new(Report::default());
    let until = Until::Idle { patience: args.patience() };
    let worker = host.worker(&vault.store, until, &report)?;
    let enricher = Arc::clone(&worker.enricher);
    let progress = Progress::enriching(waiting, &report);
    let ending = worker.run(stop).await;
    progress.finish().await;

    let run = RunReport {
        intake: taken_in,
        work: report.summary(),
        traffic: enricher.panel().traffic(),
        census: vault.store.census().await?,
        next_due: vault.store.next_due(host.clock.now()).await?,
        seconds: started.elapsed().as_secs_f64(),
        data_dir: host.config.data_dir.clone(),
    };
    let answered = answer(args.only_address(), &run, &vault, global.json).await?;
    vault.store.close().await;
    if let Some(sandbox) = sandbox {
        sandbox.stop().await;
    }
    Ok(match ending? {
        Ending::Idle => answered,
        Ending::Stopped => Exit::Interrupted,
    })
}

/// The answer: of one address its record, of everything else the summary.
async fn answer(address: Option<&str>, run: &RunReport, vault: &Vault, json: bool) -> anyhow::Result<Exit> {
    let Some(address) = address else {
        run.print(json)?;
        return Ok(Exit::Done);
    };
    if run.intake.refused == 0 && member::show(vault, address, json).await? == Exit::Done {
        return Ok(Exit::Done);
    }
    // Refused, or put off: the summary says why.
    run.print(json)?;
    Ok(Exit::Nothing)
}

impl Args {
    fn patience(&self) -> Duration {
        let usual = if self.only_address().is_some() { 10 } else { 60 };
        Duration::from_secs(self.patience.unwrap_or(usual))
    }

    /// The address, where one address is all that was asked for: then its record is the answer.
    fn only_address(&self) -> Option<&str> {
        match self.sources.as_slice() {
            [only] if sources::is_address(only) => Some(only),
            _ => None,
        }
    }
}

/// The sandbox's own settings: every provider on, asked at the sandbox, in a database that starts empty.
async fn in_sandbox(global: &Global) -> anyhow::Result<(Host, Sandbox)> {
    let sandbox = Sandbox::start(SandboxSettings::default()).await?;
    let mut config = Config::parse(include_str!("../../config/sandbox.toml"), "config/sandbox.toml")?;
    sandbox::point_at(&mut config, &sandbox);
    if global.data_dir.is_none() {
        sandbox::forget_last_time(&config)?;
    }
    out::note(format_args!("sandbox at {} (invented people; some calls fail on purpose)", sandbox.url()));
    Ok((Host::with_config(config, global)?, sandbox))
}
