//! `gleaner enqueue`: take members in without looking them up.

use super::host::Host;
use super::{Exit, Global, out, report, sources};

#[derive(clap::Args, Debug)]
pub(crate) struct Args {
    /// Files of members, `-` for standard input, or e-mail addresses
    #[arg(value_name = "FILE|-|EMAIL", required = true)]
    sources: Vec<String>,
}

pub(crate) async fn run(global: &Global, args: Args) -> anyhow::Result<Exit> {
    let host = Host::open(global)?;
    let vault = host.vault().await?;
    let taken_in = sources::take_in(&args.sources, &host, &vault).await?;
    vault.store.close().await;
    if global.json {
        out::json(&taken_in)?;
    } else {
        report::print_intake(&taken_in);
    }
    Ok(Exit::Done)
}
