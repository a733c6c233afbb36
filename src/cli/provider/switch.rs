//! `gleaner provider enable|disable`: the settings file says who is asked, and this writes it there.
//!
//! Invariant: nothing but the settings file is changed; its comments stay, and with `--dry-run` it stays as it is.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, bail, ensure};
use gleaner::config::{Switch, switch};
use gleaner::enrich::panel::lacks;
use gleaner_providers::Descriptor;
use serde_json::json;

use crate::cli::host::Host;
use crate::cli::{Exit, out};

#[derive(clap::Args, Debug)]
pub(crate) struct Enable {
    /// The provider's name
    name: String,
    /// The tier in which it is asked, where it is in none yet: 1 is asked first, one more than there are makes a new one
    /// [default: the first for a free one, the last for others]
    #[arg(long, value_name = "NUMBER")]
    tier: Option<usize>,
    /// Show what would change in the settings file, and change nothing
    #[arg(long)]
    dry_run: bool,
}

#[derive(clap::Args, Debug)]
pub(crate) struct Disable {
    /// The provider's name
    name: String,
    /// Show what would change in the settings file, and change nothing
    #[arg(long)]
    dry_run: bool,
}

pub(super) fn enable(host: &Host, args: &Enable, json: bool) -> anyhow::Result<Exit> {
    let about = host.config.catalog.find(&args.name)?.descriptor();
    let tiers = &host.config.enrich.tiers;
    let tier = match args.tier {
        Some(number) => {
            ensure!(
                (1..=tiers.len() + 1).contains(&number),
                "there are {} tiers, and `--tier {number}`",
                tiers.len()
            );
            number - 1
        }
        None if about.price.is_free() => 0,
        None => tiers.len().saturating_sub(1),
    };
    apply(host, &args.name, &Switch::On { tier, tiers }, args.dry_run, json)?;
    if !json {
        say_what_else(host, &about)?;
    }
    Ok(Exit::Done)
}

pub(super) fn disable(host: &Host, args: &Disable, json: bool) -> anyhow::Result<Exit> {
    host.config.catalog.find(&args.name)?;
    apply(host, &args.name, &Switch::Off, args.dry_run, json)?;
    if !json && !args.dry_run {
        out::line(
            "workers that run go on asking it until they are started again: `gleaner provider pause` stops them at once",
        );
    }
    Ok(Exit::Done)
}

fn apply(host: &Host, name: &str, change: &Switch<'_>, dry_run: bool, json: bool) -> anyhow::Result<()> {
    let Some(file) = &host.file else {
        bail!(
            "there is no settings file to write to: make `gleaner.toml` with the lines\n  [providers.{name}]\n  enabled = {}\nor \
             name one with --config",
            matches!(change, Switch::On { .. })
        );
    };
    let before = fs::read_to_string(file).with_context(|| format!("cannot read `{}`", file.display()))?;
    let after = switch(&before, name, change).map_err(anyhow::Error::msg)?;
    let changes = changes(&before, &after);
    if !dry_run && before != after {
        replace(file, &after).with_context(|| format!("cannot write `{}`", file.display()))?;
    }
    let is_written = !dry_run && before != after;
    if json {
        let enabled = matches!(change, Switch::On { .. });
        out::json(&json!({
            "provider": name, "enabled": enabled, "file": file, "written": is_written, "changes": changes,
        }))?;
        return Ok(());
    }
    let shown = file.display();
    match (before == after, dry_run) {
        (true, _) => out::line(format_args!("{shown} says so already; nothing is changed")),
        (false, true) => out::line(format_args!("{shown} would change so:")),
        (false, false) => out::line(format_args!("{shown} is changed so:")),
    }
    for line in &changes {
        out::line(format_args!("  {line}"));
    }
    Ok(())
}

/// What the file cannot say: a key that is missing, terms, and that workers read it when they start.
fn say_what_else(host: &Host, about: &Descriptor) -> anyhow::Result<()> {
    if let Some(missing) = lacks(about, &host.config)? {
        out::line(format_args!("it still {missing}; until then a worker does not start"));
    }
    if let Some(terms) = &about.terms {
        out::line(format_args!("its terms: {terms}"));
    }
    out::line("workers ask it once they are started again");
    Ok(())
}

/// The lines that go and that come.
fn changes(before: &str, after: &str) -> Vec<String> {
    let (old, new): (Vec<_>, Vec<_>) = (before.lines().collect(), after.lines().collect());
    let (mut changes, mut come, mut at) = (Vec::new(), Vec::new(), 0);
    let rest = |at: usize| old.get(at..).unwrap_or_default();
    for line in new {
        let Some(gone) = rest(at).iter().position(|known| *known == line) else {
            come.push(format!("+ {line}"));
            continue;
        };
        changes.extend(rest(at).iter().take(gone).map(|gone| format!("- {gone}")));
        changes.append(&mut come);
        at += gone + 1;
    }
    changes.extend(rest(at).iter().map(|gone| format!("- {gone}")));
    changes.append(&mut come);
    changes
}

/// Writes a file whole or not at all, where it really lies, with the permissions that it has.
fn replace(file: &Path, text: &str) -> std::io::Result<()> {
    let file = fs::canonicalize(file)?;
    let mut beside = file.clone().into_os_string();
    beside.push(".new");
    let beside = PathBuf::from(beside);
    fs::write(&beside, text)?;
    fs::set_permissions(&beside, fs::metadata(&file)?.permissions())?;
    fs::rename(&beside, &file)
}
