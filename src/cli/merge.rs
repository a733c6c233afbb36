//! `gleaner merge`: findings about many subjects in, from any sources; one record a subject out, with how sure each field
//! is. For tuning, and for everybody who wants to judge the merge on data of their own.
//!
//! Invariant: reads no settings, no database and no network; what is read twice in any order is answered with the same
//! bytes.

use std::io::IsTerminal as _;
use std::path::{Path, PathBuf};

use anyhow::Context as _;
use gleaner::clock::{Clock as _, SystemClock};
use gleaner::enrich::merge::{Learner, SourceReport, Sources, Trust, merge_voices};
use jiff::civil::Date;

use super::{Exit, Global, out};

mod heap;
mod line;
mod read;
mod view;

use heap::Heap;
use read::Reading;
use view::MergedView;

/// What is written at once, in bytes.
const BLOCK: usize = 64 << 10;

const AFTER_HELP: &str = r#"Try it:
  gleaner merge findings.jsonl > merged.jsonl
  gleaner merge --sources sources.json - < findings.jsonl | jq -c 'select(.conflict != [])'

Input, one JSON object a line:
  {"subject": "s1", "provider": "acme", "field": "name", "value": "Jane Doe"}
  {"subject": "s1", "provider": "acme", "field": "age", "value": 41, "observed_on": "2026-01-31", "confidence": 0.8}
  {"subject": "s1", "provider": "bolt", "field": "birth_year", "value": 1984}
  {"subject": "s1", "provider": "bolt", "field": "social", "value": ["https://github.com/jane", "@jane@social.example"]}
  {"subject": "s1", "provider": "bolt", "name": "J. Doe", "birth_date": "1984-05-12", "social": ["github.com/jane"]}

  subject      any text or number that names the person (also: member_id, email)
  provider     any name of a source (also: source); `correction` is the person's own word, and always wins
  field        name, full_name; age, birth_date, birth_year, birth; social, profile, url, or a network's name
  value        a text, a number, an object, or a list of these; or leave field and value out and name the fields
  confidence   0 to 1, optional: how sure the source says it is; how much that is worth is learned
  observed_on  a day, optional: when it was true; ages are counted from it, and newer outweighs older
  verified     true, optional: the account links back or was verified by its network

Output on standard output, one JSON object a subject, sorted by subject:
  {"subject": "s1",
   "name":   {"value": "Jane Doe", "given": …, "family": …, "confidence": 0.97, "supported_by": ["acme", "bolt"],
              "contradicted_by": [], "conflict": false, "alternatives": []},
   "age":    {"value": 41, "min": 41, "max": 41, "birth_earliest": …, "birth_latest": …, "birth_year": 1984, …},
   "social": [{"network": "github", "handle": "jane", "url": "https://github.com/jane", "confidence": 0.93, …}],
   "conflict": []}
A field that nobody told is null. What was learned of the sources goes to standard error, or to --sources FILE.

Exit codes: 0 merged (refused lines are told and counted on standard error), 1 cannot read or write, 2 wrong usage,
3 no line could be used.
The method on one page: docs/merge.md"#;

#[derive(clap::Args, Debug)]
#[command(after_help = AFTER_HELP)]
pub(crate) struct Args {
    /// Files of findings, one JSON object a line; `-` is standard input [default: -]
    #[arg(value_name = "FILE")]
    files: Vec<PathBuf>,
    /// Write what was learned of the sources to this file, as JSON, instead of to standard error
    #[arg(long, value_name = "FILE")]
    sources: Option<PathBuf>,
    /// The day for which ages are computed, and on which undated ages were true [default: today, UTC]
    #[arg(long, value_name = "DATE")]
    as_of: Option<Date>,
    /// Learn nothing of the sources from the file: believe each as if nothing were known of it
    #[arg(long)]
    no_learning: bool,
}

pub(crate) fn run(global: &Global, args: &Args) -> anyhow::Result<Exit> {
    let today = args.as_of.unwrap_or_else(|| SystemClock.today());
    let mut reading = Reading::new(today);
    if args.files.is_empty() {
        read_stdin(&mut reading)?;
    }
    for file in &args.files {
        if file == Path::new("-") { read_stdin(&mut reading)? } else { reading.file(file)? }
    }
    let heap = reading.done();
    if heap.is_empty() {
        out::note("nothing to merge: no line could be used");
        return Ok(Exit::Nothing);
    }
    let sources = learn(&heap, args.no_learning);
    write_records(&heap, &sources, today)?;
    report(&sources.report(), args.sources.as_deref(), global.json)?;
    Ok(Exit::Done)
}

fn read_stdin(reading: &mut Reading) -> anyhow::Result<()> {
    let stdin = std::io::stdin();
    if stdin.is_terminal() {
        out::note("reading findings from the terminal, one JSON object a line; ctrl-d ends");
    }
    reading.reader("stdin", stdin.lock())
}

fn learn(heap: &Heap, not: bool) -> Sources {
    let mut learner = Learner::new(heap.providers(), Trust::Strangers);
    if !not {
        heap.subjects().for_each(|(_, voices)| learner.hear(&voices));
    }
    learner.learn()
}

fn write_records(heap: &Heap, sources: &Sources, today: Date) -> anyhow::Result<()> {
    let mut lines = Vec::with_capacity(2 * BLOCK);
    for (subject, voices) in heap.subjects() {
        let merged = merge_voices(&voices, sources);
        serde_json::to_writer(&mut lines, &MergedView::of(subject, &merged, today))?;
        lines.push(b'\n');
        if lines.len() >= BLOCK {
            out::block(&lines);
            lines.clear();
        }
    }
    out::block(&lines);
    Ok(())
}

/// Says what was learned of the sources.
fn report(reports: &[SourceReport], file: Option<&Path>, json: bool) -> anyhow::Result<()> {
    if let Some(file) = file {
        let mut text = serde_json::to_string_pretty(reports)?;
        text.push('\n');
        return std::fs::write(file, text).with_context(|| format!("cannot write `{}`", file.display()));
    }
    if json {
        for report in reports {
            out::note(serde_json::to_string(report)?);
        }
        return Ok(());
    }
    let header = ["Source", "field", "accuracy", "claims", "compared", "copies"];
    let mut table = out::table(header, &[2, 3, 4]);
    for report in reports {
        let copies = report.copies.as_ref().map_or_else(String::new, |copies| {
            let share =
                copies.share.map_or_else(String::new, |share| format!(", {:.0} % of it", share * 100.0));
            format!("with {}{share}", copies.with.join(", "))
        });
        table.add_row([
            report.provider.clone(),
            report.field.as_str().to_owned(),
            format!("{:.2}", report.accuracy),
            report.claims.to_string(),
            format!("{:.0}", report.compared),
            copies,
        ]);
    }
    out::note(table);
    Ok(())
}
