//! Lines in, findings on the heap; what cannot be used is told by line number and reason, and counted.
//!
//! Invariant: one bad line costs itself only; a reason never repeats what the line holds.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{BufRead, BufReader, Read};
use std::path::Path;

use anyhow::Context as _;
use jiff::civil::Date;

use super::heap::{Heap, Told};
use super::line::{Finding, Value};
use crate::cli::out;

/// The longest line that is read, in bytes.
const LONGEST_LINE: usize = 1 << 20;
/// Refusals that are told one by one; the others are counted by reason.
const TOLD: u64 = 20;

/// The findings read so far, and what was refused.
#[derive(Debug)]
pub(super) struct Reading {
    heap: Heap,
    today: Date,
    lines: u64,
    refused_lines: u64,
    refused: u64,
    reasons: BTreeMap<String, u64>,
}

impl Reading {
    pub(super) fn new(today: Date) -> Self {
        Self {
            heap: Heap::default(),
            today,
            lines: 0,
            refused_lines: 0,
            refused: 0,
            reasons: BTreeMap::new(),
        }
    }

    pub(super) fn file(&mut self, path: &Path) -> anyhow::Result<()> {
        let named = || format!("cannot read `{}`", path.display());
        self.reader(&path.display().to_string(), File::open(path).with_context(named)?).with_context(named)
    }

    pub(super) fn reader(&mut self, origin: &str, reader: impl Read) -> anyhow::Result<()> {
        let mut reader = BufReader::with_capacity(1 << 20, reader);
        let mut line = Vec::new();
        for number in 1_u64.. {
            line.clear();
            let limit = u64::try_from(LONGEST_LINE + 1).unwrap_or(u64::MAX);
            if reader.by_ref().take(limit).read_until(b'\n', &mut line).context("cannot read the input")? == 0
            {
                break;
            }
            let read = if line.len() > LONGEST_LINE && !line.ends_with(b"\n") {
                reader.skip_until(b'\n').context("cannot read the input")?;
                Err(format!("is longer than {LONGEST_LINE} bytes"))
            } else {
                let text =
                    if number == 1 { line.strip_prefix(b"\xef\xbb\xbf").unwrap_or(&line) } else { &line };
                if text.trim_ascii().is_empty() {
                    continue;
                }
                Finding::read(text.trim_ascii(), self.today)
            };
            self.lines += 1;
            match read {
                Ok(finding) => self.keep(finding, origin, number),
                Err(reason) => {
                    self.refused_lines += 1;
                    self.refuse(origin, number, &reason);
                }
            }
        }
        Ok(())
    }

    fn keep(&mut self, finding: Finding, origin: &str, number: u64) {
        let provider = self.heap.provider(&finding.provider);
        for reason in &finding.refused {
            self.refuse(origin, number, reason);
        }
        if finding.values.is_empty() {
            self.refused_lines += u64::from(!finding.refused.is_empty());
            return;
        }
        let Finding { confidence, assurance, at, .. } = finding;
        self.heap.dated(at);
        let Some(subject) = self.heap.subject(&finding.subject) else { return };
        for value in finding.values {
            match value {
                Value::Name(value) => subject.names.push(Told { value, provider, confidence, assurance, at }),
                Value::Birth(value) => {
                    subject.births.push(Told { value, provider, confidence, assurance, at });
                }
                Value::Profile(value) => {
                    subject.profiles.push(Told { value, provider, confidence, assurance, at });
                }
            }
        }
    }

    fn refuse(&mut self, origin: &str, number: u64, reason: &str) {
        self.refused += 1;
        if self.refused <= TOLD {
            out::note(format_args!("{origin}:{number}: {reason}"));
        } else {
            *self.reasons.entry(reason.to_owned()).or_default() += 1;
        }
    }

    /// Everything that could be used. Says what could not.
    pub(super) fn done(mut self) -> Heap {
        for (reason, count) in &self.reasons {
            out::note(format_args!("and {count} more: {reason}"));
        }
        self.heap.settle();
        let (lines, refused, values) = (self.lines, self.refused_lines, self.refused);
        out::note(format_args!(
            "{lines} lines read, {refused} of them refused, {values} values refused; {} subjects, {} sources",
            self.heap.len(),
            self.heap.providers().len()
        ));
        self.heap
    }
}
