//! `gleaner replay`: a selection of members looked up again, previewed and priced before.

use std::sync::Arc;

use anyhow::{Context as _, bail};
use gleaner::config::MoneyText;
use gleaner::enrich::{Enricher, Market, Policy};
use gleaner::job::{BatchName, Refresh};
use gleaner::member::MemberId;
use gleaner::replay::Filler;
use gleaner::store::batches::{Batch, BatchKind, NewBatch, Selection};
use gleaner::worker::learner::weigh_stock;

use super::batch::follow;
use super::host::{Host, Vault};
use super::{Exit, Global, out};

pub(crate) mod moment;
mod preview;
mod select;

use select::Select;

/// Members of the sample that the forecast is made for.
const SAMPLE: u32 = 500;
/// Members of a list handed over at a time.
const LISTED_AT_ONCE: usize = 5_000;

#[derive(clap::Args, Debug)]
pub(crate) struct Args {
    #[command(flatten)]
    select: Select,
    #[command(flatten)]
    run: Run,
    /// Ask again what is in stock (of `--provider` alone, where it is given); otherwise unexpired answers are taken
    #[arg(long, conflicts_with = "renormalize")]
    refresh: bool,
    /// Look nobody up: make the records again from the answers in stock, after a change of how they are read or merged
    #[arg(long)]
    renormalize: bool,
}

/// How it is run
#[derive(clap::Args, Debug, Default)]
#[expect(clippy::struct_field_names, reason = "options are called as they are typed")]
pub(crate) struct Run {
    /// What the batch is called [default: replay-DATE-TIME]
    #[arg(long, value_name = "NAME", value_parser = BatchName::parse)]
    pub(crate) name: Option<BatchName>,
    /// What it may cost at most, whatever the forecast says: it is held back before it costs more
    #[arg(long, value_name = "AMOUNT", value_parser = MoneyText::parse)]
    pub(crate) max_cost: Option<MoneyText>,
    /// Only show what it would do
    #[arg(long)]
    pub(crate) dry_run: bool,
    /// Do not ask
    #[arg(long)]
    pub(crate) yes: bool,
    /// Wait until workers are done with it, and show how far they are
    #[arg(long)]
    pub(crate) follow: bool,
}

/// What is asked for, once it is read.
pub(crate) struct Wish {
    pub(crate) kind: BatchKind,
    pub(crate) selection: Selection,
    pub(crate) refresh: Option<Refresh>,
    /// The members of a list.
    pub(crate) listed: Vec<MemberId>,
}

pub(crate) async fn run(global: &Global, args: Args) -> anyhow::Result<Exit> {
    let host = Host::open(global)?;
    let vault = host.vault().await?;
    let exit = async {
        let now = host.clock.now();
        let (selection, listed) = args.select.read(&host, &vault, now).await?;
        let refresh = args.refresh.then(|| Refresh { before: now, provider: args.select.provider.clone() });
        let kind = if args.renormalize { BatchKind::Renormalize } else { BatchKind::Replay };
        carry_out(global, &host, &vault, Wish { kind, selection, refresh, listed }, args.run).await
    }
    .await;
    vault.store.close().await;
    exit
}

/// Previews, asks, and puts the members in.
pub(crate) async fn carry_out(
    global: &Global,
    host: &Host,
    vault: &Vault,
    wish: Wish,
    run: Run,
) -> anyhow::Result<Exit> {
    let batch = draft(host, vault, &wish, &run).await?;
    let filler = filler(host, vault, wish.kind).await;
    let decided = decide(global, host, vault, &filler, &wish, &run, &batch).await;
    if !matches!(decided, Ok(Decision::Go { .. })) {
        vault.store.discard_batch(batch.id).await?;
    }
    let (selected, preview) = match decided? {
        Decision::Nobody => return Ok(Exit::Nothing),
        Decision::OnlyShown => return Ok(Exit::Done),
        Decision::Declined => {
            out::note("nothing was done");
            return Ok(Exit::Nothing);
        }
        Decision::Go { selected, preview } => (selected, preview),
    };
    if !vault.store.approve_batch(batch.id, selected).await? {
        bail!("somebody else has taken the name `{}` meanwhile; nothing was done", batch.name);
    }
    let progress = super::progress::Progress::filling(selected);
    let (mut seen, mut made) = (0, 0);
    let ended = filler
        .fill(batch.id, batch.kind, |step| {
            seen += step.seen;
            made += step.made;
            progress.filled(seen);
        })
        .await;
    drop(progress);
    let ended = ended.with_context(|| {
        let name = &batch.name;
        format!(
            "batch `{name}` is approved and not filled yet; a worker goes on with it, `gleaner batch show {name}`"
        )
    })?;
    let what = if wish.kind == BatchKind::Renormalize { "made anew" } else { "put into the queue" };
    if global.json {
        let told = serde_json::json!({
            "batch": batch.name, "seen": seen, "made": made, "held": ended.is_held, "preview": preview,
        });
        out::json(&told)?;
    } else {
        out::line(format_args!("{made} of {seen} {what} as batch `{}`", batch.name));
        if ended.is_held {
            out::line("it is held back; `gleaner batch resume` lets it go on");
        } else if !run.follow {
            out::line(format_args!("follow it: gleaner batch show {} --follow", batch.name));
        }
    }
    if run.follow && wish.kind == BatchKind::Replay {
        return follow::until_over(host, vault, &batch.name).await;
    }
    Ok(Exit::Done)
}

/// What came of the preview.
enum Decision {
    Nobody,
    OnlyShown,
    Declined,
    Go { selected: u64, preview: serde_json::Value },
}

async fn decide(
    global: &Global,
    host: &Host,
    vault: &Vault,
    filler: &Filler,
    wish: &Wish,
    run: &Run,
    batch: &Batch,
) -> anyhow::Result<Decision> {
    if let Some(class) = &wish.selection.error_class {
        let provider = wish.selection.provider.as_deref();
        let and_listed = !wish.listed.is_empty();
        vault.store.list_by_error(batch.id, class, provider, and_listed).await?;
    }
    let selected = vault.store.count_selected(batch.id, host.clock.now()).await?;
    let members = selected.members();
    let preview = if wish.kind == BatchKind::Renormalize {
        let examples = if run.dry_run { 10 } else { 0 };
        let forecast = filler.forecast(batch.id, examples).await?;
        if !global.json {
            preview::print_forecast(&batch.name, &forecast);
        }
        preview::forecast_as_json(&batch.name, &forecast)
    } else {
        let now = host.clock.now();
        let sample = vault.store.sample_selected(batch.id, selected, SAMPLE, now).await?;
        let subjects: Vec<_> = sample.iter().map(|member| member.subject).collect();
        let stored = vault.store.answers(&subjects, now).await?;
        let enricher = enricher(host, vault).await?;
        let paces = preview::paces(host, &enricher);
        let asked = members.saturating_sub(selected.have_a_job);
        let estimate = gleaner::replay::estimate::estimate(
            &enricher,
            asked,
            &sample,
            stored,
            wish.refresh.as_ref(),
            &paces,
        );
        if !global.json {
            preview::print(batch, &selected, &estimate);
        }
        preview::as_json(batch, &selected, &estimate)
    };
    if members == 0 {
        out::note("the selection is empty; nothing was done");
        return Ok(Decision::Nobody);
    }
    if run.dry_run {
        if global.json {
            out::json(&preview)?;
        } else {
            out::line("nothing was done (--dry-run)");
        }
        return Ok(Decision::OnlyShown);
    }
    let go = run.yes || out::asks("Start it?")?;
    Ok(if go { Decision::Go { selected: members, preview } } else { Decision::Declined })
}

async fn draft(host: &Host, vault: &Vault, wish: &Wish, run: &Run) -> anyhow::Result<Batch> {
    let now = host.clock.now();
    let new = |name: BatchName| NewBatch {
        name,
        kind: wish.kind,
        selection: wish.selection.clone(),
        refresh: wish.refresh.clone(),
        ceiling_micros: run.max_cost.map(|most| most.0.0),
    };
    let batch = if let Some(name) = &run.name {
        let made = vault.store.create_batch(&new(name.clone()), now).await?;
        made.with_context(|| format!("there is a batch `{name}` already; take another name"))?
    } else {
        let word = wish.kind.as_str();
        let mut tries = (0..100).map(|n| {
            let at = now.strftime("%Y%m%d-%H%M%S");
            if n == 0 { format!("{word}-{at}") } else { format!("{word}-{at}-{n}") }
        });
        loop {
            let Some(name) = tries.next() else {
                bail!("no name is free for the batch; give one with `--name`")
            };
            if let Some(batch) = vault.store.create_batch(&new(BatchName::parse(&name)?), now).await? {
                break batch;
            }
        }
    };
    for members in wish.listed.chunks(LISTED_AT_ONCE) {
        vault.store.list_members(batch.id, members).await?;
    }
    Ok(batch)
}

async fn filler(host: &Host, vault: &Vault, kind: BatchKind) -> Filler {
    let policy = Policy::from_config(&host.config);
    if kind == BatchKind::Renormalize {
        // Records are merged as workers would: with what they have learned of the sources.
        weigh_stock(&vault.store, &policy.beliefs).await;
    }
    Filler { store: Arc::clone(&vault.store), clock: Arc::clone(&host.clock), policy }
}

/// The planner that workers would have, with all that was learned.
async fn enricher(host: &Host, vault: &Vault) -> anyhow::Result<Enricher> {
    let panel = host.panel(None)?;
    let market = Market::new(&host.config.enrich, &panel);
    market.learn(&vault.store.lessons().await?);
    let policy = Policy::from_config(&host.config);
    Ok(Enricher::new(panel, policy, Arc::clone(&host.clock)).with_market(market))
}
