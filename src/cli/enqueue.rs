//! `gleaner enqueue`: take members in without looking them up.

use anyhow::bail;
use gleaner::job::BatchName;
use gleaner::store::batches::{BatchKind, NewBatch, Selection};

use super::batch::follow;
use super::host::{Host, Vault};
use super::{Exit, Global, out, report, sources};

#[derive(clap::Args, Debug)]
pub(crate) struct Args {
    /// Files of members, `-` for standard input, or e-mail addresses
    #[arg(value_name = "FILE|-|EMAIL", required = true)]
    sources: Vec<String>,
    /// Follow these members under a name: `gleaner batch show NAME`. They wait behind single registrations. The same name
    /// again goes on with the same batch
    #[arg(long, value_name = "NAME", value_parser = BatchName::parse)]
    batch: Option<BatchName>,
    /// Wait until workers have looked everybody of the batch up, and show how far they are
    #[arg(long, requires = "batch")]
    follow: bool,
}

pub(crate) async fn run(global: &Global, args: Args) -> anyhow::Result<Exit> {
    let host = Host::open(global)?;
    let vault = host.vault().await?;
    if let Some(name) = &args.batch {
        open_import(name, &host, &vault).await?;
    }
    let taken_in = sources::take_in(&args.sources, args.batch.as_ref(), &host, &vault).await?;
    if let Some(name) = &args.batch
        && let Some(batch) = vault.store.batch(name, host.clock.now()).await?
    {
        vault.store.close_import(batch.id, host.clock.now()).await?;
    }
    if global.json {
        out::json(&taken_in)?;
    } else {
        report::print_intake(&taken_in);
    }
    let exit = match &args.batch {
        Some(name) if args.follow => follow::until_over(&host, &vault, name).await?,
        _ => Exit::Done,
    };
    vault.store.close().await;
    Ok(exit)
}

/// Makes the batch, or goes on with one that an earlier import or a door has made.
async fn open_import(name: &BatchName, host: &Host, vault: &Vault) -> anyhow::Result<()> {
    let new = NewBatch {
        name: name.clone(),
        kind: BatchKind::Import,
        selection: Selection::default(),
        refresh: None,
        ceiling_micros: None,
    };
    if vault.store.create_batch(&new, host.clock.now()).await?.is_some() {
        return Ok(());
    }
    match vault.store.batch(name, host.clock.now()).await? {
        Some(batch) if batch.kind == BatchKind::Import && !batch.state.is_over() => Ok(()),
        Some(batch) => bail!(
            "there is a batch `{name}` already, a {} that is {}; take another name",
            batch.kind.as_str(),
            batch.state.as_str()
        ),
        None => bail!("a replay `{name}` is being prepared; take another name"),
    }
}
