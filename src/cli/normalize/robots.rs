//! `gleaner normalize robots`: one path or URL a line; does this robots.txt let this robot ask for it?
//!
//! Invariant: says what the rules of `gleaner_providers::robots` say. Of a URL only path and query count: a
//! robots.txt is taken to be the one of its host.

use std::fs::File;
use std::io::Read as _;
use std::path::PathBuf;

use anyhow::Context as _;
use gleaner_providers::http::PRODUCT;
use gleaner_providers::robots::{MOST_BYTES, Robots};
use serde::Serialize;
use url::{Position, Url};

use super::lines::{self, Sources};

#[derive(clap::Args, Debug)]
pub(crate) struct Args {
    #[command(flatten)]
    sources: Sources,
    /// The robots.txt; its first 500 KiB are read
    #[arg(long, value_name = "FILE")]
    robots: PathBuf,
    /// The robot that wants to ask
    #[arg(long, value_name = "NAME", default_value = PRODUCT)]
    agent: String,
}

/// What a robots.txt says of a path.
#[derive(Serialize)]
struct Made {
    allowed: bool,
    /// The rule that decides it.
    rule: Option<String>,
    /// The pause that the file asks for between two pages, in seconds.
    crawl_delay: Option<f64>,
    path: String,
}

pub(super) fn run(args: &Args) -> anyhow::Result<()> {
    let named = || format!("cannot read `{}`", args.robots.display());
    let mut file = Vec::new();
    let most = u64::try_from(MOST_BYTES).unwrap_or(u64::MAX);
    // One byte more, so that it is seen that the last line is cut.
    let opened = File::open(&args.robots).with_context(named)?;
    opened.take(most.saturating_add(1)).read_to_end(&mut file).with_context(named)?;
    let rules = Robots::parse(&file).rules_for(&args.agent);
    let crawl_delay = rules.crawl_delay().map(|delay| delay.as_secs_f64());
    lines::answer(&args.sources, |line| {
        let path = path_of(line.trim())?;
        let verdict = rules.verdict(&path);
        Ok(Made { allowed: verdict.allowed, rule: verdict.rule.map(str::to_owned), crawl_delay, path })
    })
}

/// The path and query of a path or a URL.
fn path_of(text: &str) -> Result<String, String> {
    if text.is_empty() {
        return Err("is empty".to_owned());
    }
    if text.starts_with('/') {
        return Ok(text.split('#').next().unwrap_or_default().to_owned());
    }
    let url = Url::parse(text).map_err(|_| "is neither a path that begins with `/` nor a URL")?;
    if url.cannot_be_a_base() {
        return Err("is a URL without a path".to_owned());
    }
    Ok(url[Position::BeforePath..Position::AfterQuery].to_owned())
}
