//! One row after another: each a registration or a refusal.
//!
//! Invariant: a bad row costs only itself. Every row that is not blank comes out exactly once, with the number of
//! the line on which it begins; what was wrong is told without what the row holds.

use std::borrow::Cow;
use std::io::{self, Read};
use std::sync::Arc;

use serde_json::Value;

use super::super::keys::{self, ObjectFault};
use super::super::{Reason, registration};
use super::SourceError;
use super::cells::{Cells, Fed, Splitter, split_line};
use super::columns::Columns;
use super::lines::{Line, Lines, MAX_LINE_BYTES};
use super::opening::{self, Hint, Layout};
use crate::job::{Refusal, Registration};
use crate::keyring::Keyring;
use crate::member::MemberId;

/// A quoted cell that spans more lines was never closed.
const MAX_ROW_LINES: usize = 10;

/// What became of one row.
pub(super) type Judged = Result<Registration, Refusal>;

/// Why a row cannot be read.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
enum Fault {
    #[error("the line is longer than {} KiB", MAX_LINE_BYTES / 1024)]
    TooLong,
    #[error("a quote that is opened here is never closed")]
    OpenQuote,
    #[error(
        "the row has {found} columns where the header has {expected}; quote cells that hold the delimiter"
    )]
    TooManyColumns { found: usize, expected: usize },
    #[error("the row ends before its e-mail column")]
    TooFewColumns,
    #[error("the file ends in the middle of this row")]
    CutOff,
    #[error("the {0} is not UTF-8 text")]
    NotUtf8(&'static str),
    #[error("the {0} holds a NUL byte")]
    Nul(&'static str),
    #[error("the line is not valid JSON (column {column})")]
    NotJson { column: usize },
    #[error("the line ends in the middle of its JSON object")]
    CutOffJson,
    #[error("the line is not a JSON object")]
    NotAnObject,
    #[error(transparent)]
    Object(#[from] ObjectFault),
    #[error(transparent)]
    Unfit(#[from] Reason),
}

const EMAIL: &str = "e-mail address";
const MEMBER: &str = "member id";

/// What a row says, before it is judged.
#[derive(Debug)]
struct Row<'a> {
    member: Result<Option<Cow<'a, str>>, Fault>,
    email: Result<Cow<'a, str>, Fault>,
}

/// The rows of one stream.
#[derive(Debug)]
pub(super) struct Rows<R> {
    lines: Lines<R>,
    layout: Layout,
    /// The origin of rows: a file's name without its folder.
    name: String,
    keyring: Arc<Keyring>,
    /// The last line that was begun.
    line: u64,
}

impl<R: Read> Rows<R> {
    /// Finds the layout, and stands before the first row.
    pub(super) fn open(
        reader: R,
        name: &str,
        hint: Hint,
        keyring: Arc<Keyring>,
    ) -> Result<Self, SourceError> {
        let mut lines = Lines::new(reader);
        let layout = opening::open(&mut lines, name, hint)?;
        Ok(Self { lines, layout, name: name.to_owned(), keyring, line: 0 })
    }

    pub(super) fn layout(&self) -> Layout {
        self.layout
    }

    #[cfg(test)]
    pub(super) fn line(&self) -> u64 {
        self.line
    }

    pub(super) fn bytes_read(&self) -> u64 {
        self.lines.bytes_read()
    }

    /// Whether the next row may keep us waiting for the stream.
    pub(super) fn would_read(&self) -> bool {
        self.lines.would_read()
    }

    /// The next row that is not blank; `None` at the end.
    pub(super) fn next(&mut self) -> Result<Option<Judged>, SourceError> {
        self.next_row().map_err(|source| SourceError::Read {
            name: self.name.clone(),
            line: self.line,
            source,
        })
    }

    fn next_row(&mut self) -> io::Result<Option<Judged>> {
        loop {
            let Some(line) = self.lines.next_filled()? else { return Ok(None) };
            self.line = line.number;
            if line.too_long {
                return Ok(Some(Err(self.refusal(None, &Fault::TooLong))));
            }
            return Ok(Some(match self.layout {
                Layout::List => self.judge(Ok(read_list_line(&line))),
                Layout::JsonLines => self.judge(read_object(&line)),
                Layout::Table(columns) => match self.collect_cells(&line, columns)? {
                    Ok((cells, _)) if cells.filled() == 0 => continue,
                    Ok((cells, ended)) => self.judge(read_cells(&cells, columns, ended)),
                    Err(fault) => self.judge(Err(fault)),
                },
            }));
        }
    }

    /// The cells of the row that begins with `first`, and whether a line end follows it. Lines that a stray quote
    /// would swallow are put back.
    fn collect_cells(&mut self, first: &Line, columns: Columns) -> io::Result<Result<(Cells, bool), Fault>> {
        let mut splitter = Splitter::new(columns.delimiter);
        let mut fed = splitter.feed(&first.bytes);
        if fed == Fed::Whole {
            return Ok(Ok((splitter.into_cells(), first.ended)));
        }
        let mut size = first.bytes.len();
        let mut tail: Vec<Line> = Vec::new();
        while fed == Fed::Open && tail.len() + 1 < MAX_ROW_LINES && size <= MAX_LINE_BYTES {
            let Some(line) = self.lines.next()? else { break };
            size += line.bytes.len();
            fed = splitter.feed(&line.bytes);
            tail.push(line);
        }
        let cells = splitter.into_cells();
        if fed == Fed::Whole && size <= MAX_LINE_BYTES && columns.can_span_lines(&cells) {
            return Ok(Ok((cells, tail.last().is_some_and(|line| line.ended))));
        }
        self.lines.put_back(tail);
        Ok(Err(Fault::OpenQuote))
    }

    fn judge(&self, row: Result<Row<'_>, Fault>) -> Judged {
        let Row { member, email } = row.map_err(|fault| self.refusal(None, &fault))?;
        let registered = email.and_then(|email| {
            let member = member.as_ref().map_err(Fault::clone)?;
            Ok(registration(member.as_deref(), &email, &self.keyring)?)
        });
        registered.map_err(|fault| self.refusal(member.ok().flatten().as_deref(), &fault))
    }

    fn refusal(&self, member: Option<&str>, fault: &Fault) -> Refusal {
        Refusal {
            origin: format!("{}:{}", self.name, self.line),
            member: member.and_then(|text| MemberId::parse(text).ok()),
            reason: fault.to_string(),
        }
    }
}

/// The whole line is the address, in quotes or not; lists copied from a mail program have commas at the ends.
fn read_list_line(line: &Line) -> Row<'static> {
    let mut bytes = line.bytes.trim_ascii();
    while let [rest @ .., b',' | b';'] = bytes {
        bytes = rest.trim_ascii_end();
    }
    let cells = split_line(bytes, None);
    let address = cells.as_ref().and_then(|cells| cells.get(0)).unwrap_or(bytes);
    Row { member: Ok(None), email: text(address, EMAIL).map(|address| address.to_owned().into()) }
}

fn read_cells(cells: &Cells, columns: Columns, ended: bool) -> Result<Row<'_>, Fault> {
    if cells.filled() > columns.count {
        // A stray delimiter shifts the columns behind it: which of them is the id is not known any more.
        return Err(Fault::TooManyColumns { found: cells.filled(), expected: columns.count });
    }
    if cells.len() < columns.count && !ended {
        return Err(Fault::CutOff);
    }
    let email = cells.get(columns.email).ok_or(Fault::TooFewColumns);
    let member = columns.member.and_then(|column| cells.get(column));
    Ok(Row {
        member: member.map(|cell| text(cell, MEMBER).map(Cow::from)).transpose(),
        email: email.and_then(|cell| text(cell, EMAIL)).map(Cow::from),
    })
}

fn text<'a>(cell: &'a [u8], what: &'static str) -> Result<&'a str, Fault> {
    if cell.contains(&0) {
        return Err(Fault::Nul(what));
    }
    std::str::from_utf8(cell).map_err(|_| Fault::NotUtf8(what))
}

fn read_object(line: &Line) -> Result<Row<'_>, Fault> {
    // The error's own text may quote the line.
    let value: Value = serde_json::from_slice(&line.bytes).map_err(|error| {
        if error.is_eof() { Fault::CutOffJson } else { Fault::NotJson { column: error.column() } }
    })?;
    let Value::Object(object) = value else { return Err(Fault::NotAnObject) };
    let said = keys::of_object(&object);
    Ok(Row {
        member: said.member.map(|member| member.map(Cow::from)).map_err(Fault::from),
        email: said.email.map(Cow::from).map_err(Fault::from),
    })
}
