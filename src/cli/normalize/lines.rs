//! Values in, one a line; answers out, one a line.
//!
//! Invariant: as many answers as lines, in their order, so that the two can be laid side by side; memory does not
//! grow with the input. An answer is not held back once there is no more input to read for now.

use std::borrow::Cow;
use std::fs::File;
use std::io::{BufRead, BufReader, IsTerminal as _, Read};
use std::path::{Path, PathBuf};

use anyhow::Context as _;
use serde::Serialize;

use crate::cli::out;

/// The longest line that is read, in bytes: far more than any value may have.
const LONGEST_LINE: usize = 64 << 10;
/// What is read and written at once, in bytes.
const BLOCK: usize = 64 << 10;

/// Where values come from.
#[derive(clap::Args, Debug)]
pub(super) struct Sources {
    /// Files of one value a line, `-` for standard input [default: -]
    #[arg(value_name = "FILE")]
    files: Vec<PathBuf>,
    /// A value in place of a file; may be repeated
    #[arg(long = "value", value_name = "TEXT", conflicts_with = "files", allow_hyphen_values = true)]
    values: Vec<String>,
    /// Leave `input` out of the answers
    #[arg(long)]
    no_input: bool,
}

/// One line of the answer.
#[derive(Serialize)]
struct Answer<'a, T> {
    #[serde(skip_serializing_if = "Option::is_none")]
    input: Option<&'a str>,
    ok: bool,
    #[serde(flatten)]
    made: Option<T>,
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<String>,
}

/// Answers every value of the sources with what `read` makes of it, or with the reason why it is refused.
pub(super) fn answer<T: Serialize>(
    sources: &Sources,
    read: impl Fn(&str) -> Result<T, String>,
) -> anyhow::Result<()> {
    let mut answers = Answers::new(!sources.no_input);
    if !sources.values.is_empty() {
        sources.values.iter().try_for_each(|value| answers.add(value, read(value)))?;
    } else if sources.files.is_empty() {
        from_stdin(&mut answers, &read)?;
    }
    for file in &sources.files {
        if file == Path::new("-") {
            from_stdin(&mut answers, &read)?;
        } else {
            let named = || format!("cannot read `{}`", file.display());
            from_reader(File::open(file).with_context(named)?, &mut answers, &read).with_context(named)?;
        }
    }
    answers.flush();
    Ok(())
}

fn from_stdin<T: Serialize>(
    answers: &mut Answers,
    read: &impl Fn(&str) -> Result<T, String>,
) -> anyhow::Result<()> {
    let stdin = std::io::stdin();
    if stdin.is_terminal() {
        out::note("reading values from the terminal, one a line; ctrl-d ends");
    }
    from_reader(stdin.lock(), answers, read).context("cannot read standard input")
}

fn from_reader<T: Serialize>(
    reader: impl Read,
    answers: &mut Answers,
    read: &impl Fn(&str) -> Result<T, String>,
) -> anyhow::Result<()> {
    let mut lines =
        Lines { reader: BufReader::with_capacity(BLOCK, reader), line: Vec::new(), is_first: true };
    loop {
        if lines.would_wait() {
            answers.flush();
        }
        match lines.next()? {
            None => return Ok(()),
            Some(Line::Text(text)) => answers.add(text, read(text))?,
            Some(Line::Unreadable(text, reason)) => answers.add(&text, Err::<T, _>(reason.to_owned()))?,
        }
    }
}

enum Line<'a> {
    Text(&'a str),
    /// What can be shown of it, and why it cannot be read.
    Unreadable(Cow<'a, str>, &'static str),
}

/// The lines of a reader, without what ends them, and without the mark that Windows puts in front of a file.
struct Lines<R> {
    reader: BufReader<R>,
    line: Vec<u8>,
    is_first: bool,
}

impl<R: Read> Lines<R> {
    /// Whether the next line is not here yet.
    fn would_wait(&self) -> bool {
        !self.reader.buffer().contains(&b'\n')
    }

    fn next(&mut self) -> std::io::Result<Option<Line<'_>>> {
        self.line.clear();
        let limit = u64::try_from(LONGEST_LINE + 2).unwrap_or(u64::MAX);
        if self.reader.by_ref().take(limit).read_until(b'\n', &mut self.line)? == 0 {
            return Ok(None);
        }
        let is_whole = self.line.ends_with(b"\n");
        let bare = self.line.strip_suffix(b"\n").unwrap_or(&self.line);
        let bare = bare.strip_suffix(b"\r").unwrap_or(bare);
        let mark = if std::mem::take(&mut self.is_first) { &b"\xef\xbb\xbf"[..] } else { b"" };
        let bare = bare.strip_prefix(mark).unwrap_or(bare);
        if bare.len() > LONGEST_LINE {
            if !is_whole {
                self.reader.skip_until(b'\n')?;
            }
            let shown = bare.get(..LONGEST_LINE).unwrap_or_default();
            return Ok(Some(Line::Unreadable(String::from_utf8_lossy(shown), "is longer than 65536 bytes")));
        }
        Ok(Some(match std::str::from_utf8(bare) {
            Ok(text) => Line::Text(text),
            Err(_) => Line::Unreadable(String::from_utf8_lossy(bare), "is not UTF-8"),
        }))
    }
}

/// Answers that wait to be written together.
pub(super) struct Answers {
    lines: Vec<u8>,
    with_input: bool,
}

impl Answers {
    pub(super) fn new(with_input: bool) -> Self {
        Self { lines: Vec::with_capacity(2 * BLOCK), with_input }
    }

    pub(super) fn add<T: Serialize>(
        &mut self,
        input: &str,
        outcome: Result<T, String>,
    ) -> anyhow::Result<()> {
        let input = self.with_input.then_some(input);
        let answer = match outcome {
            Ok(made) => Answer { input, ok: true, made: Some(made), reason: None },
            Err(reason) => Answer { input, ok: false, made: None, reason: Some(reason) },
        };
        serde_json::to_writer(&mut self.lines, &answer)?;
        self.lines.push(b'\n');
        if self.lines.len() >= BLOCK {
            self.flush();
        }
        Ok(())
    }

    pub(super) fn flush(&mut self) {
        out::block(&self.lines);
        self.lines.clear();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lines(bytes: &[u8]) -> Vec<(String, Option<&'static str>)> {
        let mut lines = Lines { reader: BufReader::new(bytes), line: Vec::new(), is_first: true };
        let mut all = Vec::new();
        while let Some(line) = lines.next().unwrap() {
            all.push(match line {
                Line::Text(text) => (text.to_owned(), None),
                Line::Unreadable(text, reason) => (text.into_owned(), Some(reason)),
            });
        }
        all
    }

    #[test]
    fn every_line_counts_once_whatever_ends_it() {
        let read = |text: &[u8]| lines(text).into_iter().map(|(text, _)| text).collect::<Vec<_>>();
        assert_eq!(read(b""), Vec::<String>::new());
        assert_eq!(read(b"\n"), [""]);
        assert_eq!(read(b"a\n\nb"), ["a", "", "b"]);
        assert_eq!(read(b"a\r\nb\r\n"), ["a", "b"]);
        assert_eq!(read(b"\xef\xbb\xbfa\n\xef\xbb\xbfb"), ["a", "\u{feff}b"]);
        assert_eq!(lines(b"a\xff\nb"), [("a\u{fffd}".into(), Some("is not UTF-8")), ("b".into(), None)]);
    }

    #[test]
    fn a_long_line_is_refused_and_the_next_one_is_read() {
        let exactly = [vec![b'a'; LONGEST_LINE], b"\r\nb\n".to_vec()].concat();
        assert_eq!(lines(&exactly).iter().filter(|(_, reason)| reason.is_none()).count(), 2);
        for more in [1, 2, 3, LONGEST_LINE] {
            let long = [vec![b'a'; LONGEST_LINE + more], b"\nb".to_vec()].concat();
            let read = lines(&long);
            let lengths: Vec<_> = read.iter().map(|(text, reason)| (text.len(), reason.is_some())).collect();
            assert_eq!(lengths, [(LONGEST_LINE, true), (1, false)], "{more} more");
        }
    }
}
