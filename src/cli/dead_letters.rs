//! `gleaner dead-letters`: what stopped for good, and why; replayed, or thrown away.

use anyhow::{Context as _, bail};
use gleaner::job::{BatchName, DeadReason};
use gleaner::store::Page;
use gleaner::store::batches::{BatchKind, LetterFilter, Selection, Standing};
use jiff::Timestamp;

use super::host::{Host, Vault};
use super::replay::{self, Run, Wish, moment};
use super::view::money;
use super::{Exit, Global, batch, out};

#[derive(clap::Subcommand, Debug)]
pub(crate) enum Command {
    /// List dead letters, newest first
    List {
        #[command(flatten)]
        filter: Filter,
        /// At most this many
        #[arg(long, value_name = "COUNT", default_value_t = 50)]
        limit: u32,
        /// Only those older than this id: the next page of a list
        #[arg(long, value_name = "ID")]
        before: Option<i64>,
    },
    /// Count them by reason and error
    Group {
        #[command(flatten)]
        filter: Filter,
    },
    /// Show one, with every lookup that was tried
    Show {
        #[arg(value_name = "ID")]
        id: i64,
    },
    /// Look them up again: some by their ids, or all that pass the filter. A row that never was a registration has to be
    /// mended and handed over again
    Replay {
        #[arg(value_name = "ID")]
        ids: Vec<i64>,
        #[command(flatten)]
        filter: Filter,
        /// All of them
        #[arg(long)]
        all: bool,
        #[command(flatten)]
        run: Box<Run>,
    },
    /// Throw them away: some by their ids, or all that pass the filter
    Purge {
        #[arg(value_name = "ID")]
        ids: Vec<i64>,
        #[command(flatten)]
        filter: Filter,
        /// All of them
        #[arg(long)]
        all: bool,
        /// Only say what would be thrown away
        #[arg(long)]
        dry_run: bool,
        /// Do not ask
        #[arg(long)]
        yes: bool,
    },
}

/// Which of them. Everything that is given must hold
#[derive(clap::Args, Debug, Default)]
pub(crate) struct Filter {
    /// `malformed`, `attempts_exhausted`, `lease_expired`, `cancelled`
    #[arg(long, value_name = "REASON", value_parser = reason)]
    reason: Option<DeadReason>,
    /// The error holds this text, such as `github: unavailable`
    #[arg(long, value_name = "TEXT")]
    error: Option<String>,
    /// Of this import or replay
    #[arg(long, value_name = "NAME", value_parser = BatchName::parse)]
    batch: Option<BatchName>,
    /// Written at this moment or later: 2026-11-25, or how long ago: 36h, 7d
    #[arg(long, value_name = "WHEN", value_parser = moment::parse)]
    since: Option<moment::Moment>,
    /// And before this one
    #[arg(long, value_name = "WHEN", value_parser = moment::parse)]
    until: Option<moment::Moment>,
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
        Command::List { filter, limit, before } => {
            let filter = filter.read(Vec::new(), host, vault).await?;
            list(global, vault, &filter, Page { limit, before }).await
        }
        Command::Group { filter } => group(global, vault, &filter.read(Vec::new(), host, vault).await?).await,
        Command::Show { id } => show(global, vault, id).await,
        Command::Replay { ids, filter, all, run } => {
            let filter = filter.read(ids, host, vault).await?;
            must_select(&filter, all)?;
            let selection = Selection {
                standing: Some(vec![Standing::DeadLetter]),
                since: filter.since,
                until: filter.until,
                batch: filter.batch,
                dead_reason: filter.reason,
                dead_error: filter.error,
                dead_ids: filter.ids,
                ..Selection::default()
            };
            let wish = Wish { kind: BatchKind::Replay, selection, refresh: None, listed: Vec::new() };
            replay::carry_out(global, host, vault, wish, *run).await
        }
        Command::Purge { ids, filter, all, dry_run, yes } => {
            let filter = filter.read(ids, host, vault).await?;
            must_select(&filter, all)?;
            purge(global, vault, &filter, dry_run, yes).await
        }
    }
}

/// What changes data is not done to everything by an oversight.
fn must_select(filter: &LetterFilter, all: bool) -> anyhow::Result<()> {
    if *filter == LetterFilter::default() && !all {
        bail!("nothing selects any; give ids or a filter, or say `--all`");
    }
    Ok(())
}

async fn list(global: &Global, vault: &Vault, filter: &LetterFilter, page: Page) -> anyhow::Result<Exit> {
    let letters = vault.store.find_dead_letters(filter, page).await?;
    if global.json {
        letters.iter().try_for_each(out::json)?;
        return Ok(Exit::Done);
    }
    if letters.is_empty() {
        out::line("no dead letters");
        return Ok(Exit::Done);
    }
    let mut table = out::table(["Id", "member or origin", "reason", "tries", "what happened"], &[0, 3]);
    for letter in &letters {
        let member = letter.member_id.as_ref().map(ToString::to_string);
        table.add_row([
            letter.id.to_string(),
            member.or_else(|| letter.origin.clone()).unwrap_or_default(),
            letter.reason.as_str().to_owned(),
            letter.attempts.to_string(),
            letter.error.clone(),
        ]);
    }
    out::line(table);
    if let Some(last) = letters.last().filter(|_| u32::try_from(letters.len()) == Ok(page.limit)) {
        out::line(format_args!("\nolder ones: gleaner dead-letters list --before {}", last.id));
    }
    Ok(Exit::Done)
}

async fn group(global: &Global, vault: &Vault, filter: &LetterFilter) -> anyhow::Result<Exit> {
    let groups = vault.store.group_dead_letters(filter).await?;
    if global.json {
        groups.iter().try_for_each(out::json)?;
        return Ok(Exit::Done);
    }
    if groups.is_empty() {
        out::line("no dead letters");
        return Ok(Exit::Done);
    }
    let mut table = out::table(["Letters", "reason", "newest", "what happened"], &[0]);
    for group in &groups {
        table.add_row([
            group.letters.to_string(),
            group.reason.as_str().to_owned(),
            stamp(group.newest),
            group.error.clone(),
        ]);
    }
    out::line(table);
    Ok(Exit::Done)
}

async fn show(global: &Global, vault: &Vault, id: i64) -> anyhow::Result<Exit> {
    let filter = LetterFilter { ids: Some(vec![id]), ..LetterFilter::default() };
    let letters = vault.store.find_dead_letters(&filter, Page { limit: 1, before: None }).await?;
    let letter = letters.into_iter().next();
    let letter = letter.with_context(|| format!("there is no dead letter {id}"))?;
    let lookups = match &letter.member_id {
        Some(member) => vault.store.lookups_of(member).await?,
        None => Vec::new(),
    };
    if global.json {
        out::json(&serde_json::json!({ "letter": letter, "lookups": lookups }))?;
        return Ok(Exit::Done);
    }
    let who = letter.member_id.as_ref().map(ToString::to_string).or(letter.origin).unwrap_or_default();
    out::line(format_args!("dead letter {id}: {who}"));
    out::line(format_args!(
        "  {} after {} attempts, {}",
        letter.reason.as_str(),
        letter.attempts,
        stamp(letter.at)
    ));
    out::line(format_args!("  {}", letter.error));
    if !lookups.is_empty() {
        let mut table = out::table(["Lookups", "when", "told", "outcome", "took", "cost"], &[4, 5]);
        for lookup in &lookups {
            table.add_row([
                lookup.provider.clone(),
                stamp(lookup.at),
                lookup.told.clone(),
                lookup.outcome.clone(),
                format!("{} ms", lookup.milliseconds),
                money(lookup.cost_micros),
            ]);
        }
        out::line(format_args!("\n{table}"));
    }
    Ok(Exit::Done)
}

async fn purge(
    global: &Global,
    vault: &Vault,
    filter: &LetterFilter,
    dry_run: bool,
    yes: bool,
) -> anyhow::Result<Exit> {
    let groups = vault.store.group_dead_letters(filter).await?;
    if !global.json {
        for group in &groups {
            out::line(format_args!("  {}  {}  {}", group.letters, group.reason.as_str(), group.error));
        }
    }
    if groups.is_empty() {
        out::note("no dead letter passes the filter; nothing was done");
        return Ok(Exit::Nothing);
    }
    if dry_run {
        if global.json {
            out::json(&serde_json::json!({ "would_purge": groups }))?;
        } else {
            out::line("nothing was done (--dry-run)");
        }
        return Ok(Exit::Done);
    }
    if !yes && !out::asks("Throw them away for good?")? {
        out::note("nothing was done");
        return Ok(Exit::Nothing);
    }
    let purged = vault.store.purge_dead_letters(filter).await?;
    if global.json {
        out::json(&serde_json::json!({ "purged": purged }))?;
    } else {
        out::line(format_args!("{purged} dead letters were thrown away"));
    }
    Ok(Exit::Done)
}

impl Filter {
    async fn read(&self, ids: Vec<i64>, host: &Host, vault: &Vault) -> anyhow::Result<LetterFilter> {
        let batch = match &self.batch {
            Some(name) => Some(batch::find(name, host, vault).await?.id),
            None => None,
        };
        let now = host.clock.now();
        Ok(LetterFilter {
            ids: (!ids.is_empty()).then_some(ids),
            reason: self.reason,
            error: self.error.clone(),
            batch,
            since: self.since.map(|moment| moment.before(now)),
            until: self.until.map(|moment| moment.before(now)),
        })
    }
}

fn reason(text: &str) -> Result<DeadReason, String> {
    let known = DeadReason::ALL.into_iter().find(|reason| reason.as_str() == text);
    known.ok_or_else(|| {
        let all = DeadReason::ALL.map(DeadReason::as_str).join(", ");
        format!("`{text}` is no reason; there are {all}")
    })
}

fn stamp(at: Timestamp) -> String {
    at.strftime("%Y-%m-%d %H:%M:%S UTC").to_string()
}
