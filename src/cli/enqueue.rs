//! `gleaner enqueue`: take members in without looking them up.

use gleaner::intake::{self, Source};

use super::host::Host;
use super::progress::Progress;
use super::{Exit, Global, out, report};

#[derive(clap::Args, Debug)]
pub(crate) struct Args {
    /// Files of members, `-` for standard input, or e-mail addresses
    #[arg(value_name = "FILE|-|EMAIL", required = true)]
    sources: Vec<String>,
}

pub(crate) async fn run(global: &Global, args: Args) -> anyhow::Result<Exit> {
    let host = Host::open(global)?;
    let vault = host.vault().await?;
    let mut taken_in = intake::Report::default();
    for source in &args.sources {
        let source = Source::named(source)?;
        let progress = Progress::reading(&source);
        let on_batch = |report: &intake::Report| progress.read(report);
        taken_in += intake::take_in(source, &vault.store, &vault.keyring, &host.clock, on_batch).await?;
    }
    vault.store.close().await;
    if global.json {
        out::json(&taken_in)?;
    } else {
        report::print_intake(&taken_in);
    }
    Ok(Exit::Done)
}
