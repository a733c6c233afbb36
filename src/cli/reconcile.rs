//! `gleaner reconcile`: the service's own list of members against what is known of them.

use std::path::Path;
use std::sync::Arc;

use anyhow::Context as _;
use gleaner::intake::file::Source;
use gleaner::intake::reconcile::{self, Members, Queried, Reconciled};
use gleaner::store::members::MemberQuery;

use super::host::{Host, Vault};
use super::progress::Progress;
use super::{Exit, Global, out};

#[derive(clap::Args, Debug)]
pub(crate) struct Args {
    /// The members that the service has: CSV, TSV, JSON lines or a list of addresses; `-` is standard input
    #[arg(value_name = "FILE|-", required_unless_present = "query", conflicts_with = "query")]
    file: Option<String>,
    /// In place of a file, a query at the service's own database, such as "SELECT id, email FROM members"
    #[arg(long, value_name = "SQL", requires = "from")]
    query: Option<String>,
    /// That database, `postgres://…`; read in one read-only transaction
    #[arg(
        long,
        value_name = "URL",
        requires = "query",
        env = "GLEANER_RECONCILE_FROM",
        hide_env_values = true
    )]
    from: Option<String>,
    /// Only compare; take nothing in. Ends with 3 where something is missing
    #[arg(long)]
    dry_run: bool,
}

pub(crate) async fn run(global: &Global, args: Args) -> anyhow::Result<Exit> {
    let host = Host::open(global)?;
    let vault = host.vault().await?;
    let (mut members, progress) = open(&args, &vault).await?;
    let told = |report: &Reconciled| progress.compared(report);
    let report = reconcile::reconcile(&mut *members, &*vault.store, &*host.clock, args.dry_run, told).await?;
    drop(progress);
    vault.store.close().await;
    if global.json {
        out::json(&report)?;
    } else {
        print(&report);
    }
    Ok(if args.dry_run && report.differs() { Exit::Nothing } else { Exit::Done })
}

async fn open(args: &Args, vault: &Vault) -> anyhow::Result<(Box<dyn Members>, Progress)> {
    let keyring = Arc::clone(&vault.keyring);
    if let (Some(query), Some(from)) = (&args.query, &args.from) {
        let query = MemberQuery::open(from, query).await.context("cannot read the list of members")?;
        return Ok((Box::new(Queried::new(query, keyring)), Progress::querying()));
    }
    let file = args.file.as_deref().unwrap_or("-");
    let source = Source::open(Path::new(file), keyring).await?;
    let progress = Progress::reading(&source);
    Ok((Box::new(source), progress))
}

fn print(report: &Reconciled) {
    let mut table = out::table(["Members of the service", ""], &[1]);
    for (what, count) in [
        ("waiting or running", report.jobs),
        ("with a record", report.records),
        ("dead letters", report.dead_letters),
        ("suppressed", report.suppressed),
        ("missing", report.missing),
        ("with another address", report.changed),
        ("refused", report.refused),
    ] {
        table.add_row([what.to_owned(), count.to_string()]);
    }
    out::line(table);
    for (what, shown, count) in [
        ("missing", &report.first_missing, report.missing),
        ("another address", &report.first_changed, report.changed),
    ] {
        for member in shown {
            out::line(format_args!("  {what}: {member}"));
        }
        let rest = count.saturating_sub(shown.len() as u64);
        if rest > 0 {
            out::line(format_args!("  {what}: and {rest} more"));
        }
    }
    for refusal in &report.first_refusals {
        out::line(format_args!("  {}: {}", refusal.origin, refusal.reason));
    }
    let (rows, differing) = (report.rows, report.missing + report.changed);
    out::line(match (report.dry_run, differing) {
        (_, 0) => format!("{rows} rows compared: everyone is known"),
        (true, _) => {
            format!("{rows} rows compared: {differing} would be taken in; nothing was done (--dry-run)")
        }
        (false, _) => format!("{rows} rows compared: {} taken in", report.enqueued),
    });
}
