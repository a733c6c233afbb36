//! Lines become rows: of a delimited file, of JSON lines, or of a plain list.
//!
//! Invariant: every line that is not blank ends in exactly one row, good or bad.

use std::io::{self, BufRead};

use serde_json::{Map, Value};

use super::columns::{self, Columns};
use super::delimited;
use super::lines::{LONGEST_LINE, Line, Lines};

/// Lines that a quoted cell may span. A quote that is open for longer was never meant to be closed.
const MOST_LINES: usize = 10;

/// One row: where it is, and what it says or why it cannot be read.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(super) struct Row {
    pub(super) origin: String,
    pub(super) content: Result<Cells, String>,
}

/// What a row says of a member.
#[derive(Clone, Eq, PartialEq)]
pub(super) struct Cells {
    pub(super) member: Option<String>,
    pub(super) email: String,
}

impl std::fmt::Debug for Cells {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Cells(redacted)")
    }
}

/// How the lines of a source are to be read.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Format {
    Delimited {
        delimiter: u8,
        columns: Columns,
    },
    JsonLines,
    /// One address a line.
    List,
}

/// The rows of a source.
pub(super) struct Rows<R> {
    pub(super) lines: Lines<R>,
    pub(super) format: Format,
    pub(super) name: String,
}

impl<R: BufRead> Rows<R> {
    /// The next row; `None` at the end.
    pub(super) fn next(&mut self) -> io::Result<Option<Row>> {
        while let Some(line) = self.lines.next()? {
            if line.bytes.trim_ascii().is_empty() && !line.is_overlong {
                continue;
            }
            let origin = format!("{}:{}", self.name, line.number);
            let content = if line.is_overlong {
                Err(format!("the line is longer than {LONGEST_LINE} bytes"))
            } else {
                match self.format {
                    Format::Delimited { delimiter, columns } => self.delimited(line, delimiter, columns)?,
                    Format::JsonLines => json_object(&line.bytes),
                    Format::List => text(line.bytes).map(|email| Cells { member: None, email }),
                }
            };
            return Ok(Some(Row { origin, content }));
        }
        Ok(None)
    }

    fn delimited(
        &mut self,
        line: Line,
        delimiter: u8,
        columns: Columns,
    ) -> io::Result<Result<Cells, String>> {
        let Some(cells) = self.cells(line, delimiter)? else {
            return Ok(Err("a quote that is opened here is never closed".to_owned()));
        };
        Ok(pick(cells, columns))
    }

    /// The cells of the row that begins with this line; a quoted cell may go on in the next lines. If the quote is never closed,
    /// these are put back: they are rows of their own.
    fn cells(&mut self, line: Line, delimiter: u8) -> io::Result<Option<Vec<Vec<u8>>>> {
        let mut row = line.bytes;
        let mut borrowed = Vec::new();
        loop {
            if let Ok(cells) = delimited::split(&row, delimiter) {
                return Ok(Some(cells));
            }
            let next = if borrowed.len() + 1 < MOST_LINES { self.lines.next()? } else { None };
            let fits = |next: &Line| !next.is_overlong && row.len() + next.bytes.len() < LONGEST_LINE;
            match next {
                Some(next) if fits(&next) => {
                    row.push(b'\n');
                    row.extend_from_slice(&next.bytes);
                    borrowed.push(next);
                }
                rest => {
                    self.lines.put_back(borrowed.into_iter().chain(rest));
                    return Ok(None);
                }
            }
        }
    }
}

fn pick(mut cells: Vec<Vec<u8>>, columns: Columns) -> Result<Cells, String> {
    let found = cells.len();
    let mut take = |column: usize| cells.get_mut(column).map(std::mem::take);
    let Some(email) = take(columns.email) else {
        return Err(format!(
            "has {found} columns, and the e-mail address is in column {}",
            columns.email + 1
        ));
    };
    let member = columns.member.and_then(&mut take).map(text).transpose()?;
    Ok(Cells { member, email: text(email)? })
}

fn json_object(line: &[u8]) -> Result<Cells, String> {
    let object: Map<String, Value> = serde_json::from_slice(line).map_err(|error| {
        let what = if error.is_data() { "not a JSON object" } else { "not JSON" };
        format!("{what} (column {})", error.column())
    })?;
    let email = object.iter().find(|(key, _)| columns::is_email(key)).map(|(_, value)| value);
    let member = object
        .iter()
        .filter_map(|(key, value)| Some((columns::member_rank(key)?, value)))
        .min_by_key(|(rank, _)| *rank)
        .map(|(_, value)| value);
    let email = match email {
        Some(Value::String(email)) => email.clone(),
        Some(Value::Null) | None => return Err("has no e-mail address".to_owned()),
        Some(_) => return Err("the e-mail address is not a string".to_owned()),
    };
    let member = match member {
        Some(Value::String(id)) => Some(id.clone()),
        Some(Value::Number(id)) => Some(id.to_string()),
        Some(Value::Null) | None => None,
        Some(_) => return Err("the member id is neither a string nor a number".to_owned()),
    };
    Ok(Cells { member, email })
}

fn text(bytes: Vec<u8>) -> Result<String, String> {
    String::from_utf8(bytes).map_err(|error| {
        format!("is not UTF-8 text (at byte {} of the value)", error.utf8_error().valid_up_to() + 1)
    })
}
