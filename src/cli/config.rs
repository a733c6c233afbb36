//! `gleaner config`: is what I wrote what Gleaner reads?

use gleaner::config::Config;
use serde_json::json;

use super::host::Host;
use super::{Exit, Global, out};

#[derive(clap::Subcommand, Debug)]
pub(crate) enum Command {
    /// Say what is wrong with the settings, and where
    Check,
}

pub(crate) fn run(global: &Global, command: &Command) -> anyhow::Result<Exit> {
    let Command::Check = command;
    let mut loaded = Config::load(global.config.as_deref(), &global.catalog)?;
    global.choose_database(&mut loaded.config);
    let file =
        loaded.file.map_or_else(|| "no file, all defaults".to_owned(), |file| file.display().to_string());
    let problems = loaded.config.problems();
    if global.json {
        out::json(&json!({ "file": file, "problems": problems }))?;
    } else {
        for problem in &problems {
            out::line(format_args!("{file}: {problem}"));
        }
    }
    if !problems.is_empty() {
        return Ok(Exit::Usage);
    }
    if loaded.config.http.listen.is_some() {
        loaded.config.http.read_tokens()?;
    }
    // Building the providers reads their keys and options, which only they can judge.
    let panel = Host::with_config(loaded.config, global)?.panel(None)?;
    if !global.json {
        let asked: Vec<_> = panel.tiers().iter().flatten().map(|provider| provider.name()).collect();
        out::line(format_args!("{file}: fine; asks {}", asked.join(", ")));
    }
    Ok(Exit::Done)
}
