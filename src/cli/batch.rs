//! `gleaner batch`: imports and replays, followed, held back and stopped as one.

use anyhow::{Context as _, bail};
use gleaner::config::MoneyText;
use gleaner::job::BatchName;
use gleaner::store::batches::{Batch, BatchState};

use super::host::{Host, Vault};
use super::view::money;
use super::{Exit, Global, out};

mod diff;
pub(crate) mod follow;
mod story;

pub(crate) use story::length;

#[derive(clap::Subcommand, Debug)]
pub(crate) enum Command {
    /// List imports and replays, newest first
    List,
    /// Tell the story of one: taken in, outcomes, fill rate, spend, errors, time left
    Show {
        #[arg(value_name = "NAME", value_parser = BatchName::parse)]
        name: BatchName,
        /// Go on showing how far it is until it is over
        #[arg(long)]
        follow: bool,
    },
    /// Hold a batch back: nobody of it is taken up any more; who runs is finished
    Pause {
        #[arg(value_name = "NAME", value_parser = BatchName::parse)]
        name: BatchName,
        /// Why, for who looks at it later
        #[arg(long, value_name = "TEXT", default_value = "by an operator")]
        why: String,
    },
    /// Let a batch go on
    Resume {
        #[arg(value_name = "NAME", value_parser = BatchName::parse)]
        name: BatchName,
        /// Let it cost so much in all, from its first lookup on
        #[arg(long, value_name = "AMOUNT", value_parser = MoneyText::parse)]
        max_cost: Option<MoneyText>,
    },
    /// Stop a batch for good: who waits keeps their record, or becomes a dead letter where there is none
    Cancel {
        #[arg(value_name = "NAME", value_parser = BatchName::parse)]
        name: BatchName,
        /// Only say what would be done
        #[arg(long)]
        dry_run: bool,
        /// Do not ask
        #[arg(long)]
        yes: bool,
    },
    /// Show what a replay has changed, field by field
    Diff {
        #[arg(value_name = "NAME", value_parser = BatchName::parse)]
        name: BatchName,
        /// Each member with the fields that changed
        #[arg(long)]
        members: bool,
    },
}

pub(crate) async fn run(global: &Global, command: Command) -> anyhow::Result<Exit> {
    let host = Host::open(global)?;
    let vault = host.vault().await?;
    let exit = act(global, command, &host, &vault).await;
    vault.store.close().await;
    exit
}

async fn act(global: &Global, command: Command, host: &Host, vault: &Vault) -> anyhow::Result<Exit> {
    match command {
        Command::List => list(global, host, vault).await,
        Command::Show { name, follow: true } => follow::until_over(host, vault, &name).await,
        Command::Show { name, follow: false } => {
            let batch = find(&name, host, vault).await?;
            let story = story::Story::read(batch, host, vault).await?;
            if global.json {
                out::json(&story)?;
            } else {
                story.print();
            }
            Ok(Exit::Done)
        }
        Command::Pause { name, why } => {
            let batch = find(&name, host, vault).await?;
            if vault.store.pause_batch(batch.id, &why).await?.is_none() {
                bail!("batch `{name}` is {}", batch.state.as_str());
            }
            said(global, &name, BatchState::Paused, "is held back; who runs is finished")
        }
        Command::Resume { name, max_cost } => {
            let batch = find(&name, host, vault).await?;
            let ceiling = max_cost.map(|most| most.0.0);
            match vault.store.resume_batch(batch.id, ceiling).await? {
                Some(state) => said(global, &name, state, "goes on"),
                None => bail!("batch `{name}` is {}: it cannot go on", batch.state.as_str()),
            }
        }
        Command::Cancel { name, dry_run, yes } => cancel(global, host, vault, &name, dry_run, yes).await,
        Command::Diff { name, members } => {
            let batch = find(&name, host, vault).await?;
            diff::show(global, vault, &batch, members).await
        }
    }
}

/// The batch of this name.
pub(crate) async fn find(name: &BatchName, host: &Host, vault: &Vault) -> anyhow::Result<Batch> {
    let batch = vault.store.batch(name, host.clock.now()).await?.filter(|one| one.state != BatchState::Draft);
    batch.with_context(|| format!("there is no batch `{name}`; `gleaner batch list` shows those that are"))
}

fn said(global: &Global, name: &BatchName, state: BatchState, what: &str) -> anyhow::Result<Exit> {
    if global.json {
        out::json(&serde_json::json!({ "batch": name, "state": state }))?;
    } else {
        out::line(format_args!("batch `{name}` {what} ({})", state.as_str()));
    }
    Ok(Exit::Done)
}

async fn list(global: &Global, host: &Host, vault: &Vault) -> anyhow::Result<Exit> {
    let batches = vault.store.batches(host.clock.now()).await?;
    if global.json {
        batches.iter().try_for_each(out::json)?;
        return Ok(Exit::Done);
    }
    if batches.is_empty() {
        out::line("no batches");
        return Ok(Exit::Done);
    }
    let header = ["Batch", "kind", "state", "in", "finished", "cost", "made"];
    let mut table = out::table(header, &[3, 4, 5]);
    for batch in &batches {
        let counts = vault.store.batch_counts(batch.id).await?;
        let state = match &batch.why {
            Some(why) => format!("{} ({why})", batch.state.as_str()),
            None => batch.state.as_str().to_owned(),
        };
        table.add_row([
            batch.name.to_string(),
            batch.kind.as_str().to_owned(),
            state,
            story::put_in(batch, &counts).to_string(),
            story::finished(batch, &counts).to_string(),
            money(counts.cost_micros()),
            batch.created_at.strftime("%Y-%m-%d %H:%M:%S UTC").to_string(),
        ]);
    }
    out::line(table);
    Ok(Exit::Done)
}

async fn cancel(
    global: &Global,
    host: &Host,
    vault: &Vault,
    name: &BatchName,
    dry_run: bool,
    yes: bool,
) -> anyhow::Result<Exit> {
    let batch = find(name, host, vault).await?;
    if batch.state == BatchState::Done {
        bail!("batch `{name}` is done: there is nothing to cancel");
    }
    let standing = vault.store.batch_standing(&batch).await?;
    let (waiting, running) = (standing.waiting, standing.running);
    if !global.json {
        out::line(format_args!(
            "batch `{name}`: {waiting} wait and would not be looked up, {running} run and are finished"
        ));
    }
    if dry_run {
        if global.json {
            out::json(&serde_json::json!({ "batch": name, "would_remove": waiting, "running": running }))?;
        } else {
            out::line("nothing was done (--dry-run)");
        }
        return Ok(Exit::Done);
    }
    if !yes && !out::asks("Cancel it?")? {
        out::note("nothing was done");
        return Ok(Exit::Nothing);
    }
    let done = vault.store.cancel_batch(batch.id, host.clock.now()).await?;
    if global.json {
        out::json(&serde_json::json!({ "batch": name, "removed": done.removed, "buried": done.buried }))?;
    } else {
        out::line(format_args!(
            "cancelled: {} taken out of the queue, {} of them are dead letters now (reason `cancelled`)",
            done.removed, done.buried
        ));
    }
    Ok(Exit::Done)
}
