//! What the columns of a table mean, by their names.
//!
//! Invariant: decides from names alone, and repeats nothing in an error that may be a value.

use super::super::keys::{email_rank, member_rank};
use super::cells::{Cells, split_line};

const DELIMITERS: [u8; 4] = [b',', b';', b'\t', b'|'];

/// Where a table keeps what is taken in.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) struct Columns {
    /// `None`: there is one column, and the whole line is its cell.
    pub(super) delimiter: Option<u8>,
    pub(super) count: usize,
    pub(super) email: usize,
    pub(super) member: Option<usize>,
}

impl Columns {
    /// Reads a header; `None` where no column is an e-mail column.
    pub(super) fn of_header(line: &[u8]) -> Option<Self> {
        DELIMITERS
            .into_iter()
            .filter_map(|delimiter| Self::named(&split_line(line, Some(delimiter))?, delimiter))
            .max_by_key(|columns| columns.count)
    }

    fn named(header: &Cells, delimiter: u8) -> Option<Self> {
        Some(Self {
            delimiter: (header.len() > 1).then_some(delimiter),
            count: header.len(),
            email: most_telling(header, email_rank)?,
            member: most_telling(header, member_rank),
        })
    }

    /// Whether a row that spans lines is one: then it has every column, and line breaks in other cells only.
    pub(super) fn can_span_lines(&self, row: &Cells) -> bool {
        let on_one_line = |index| row.get(index).is_some_and(|cell| !cell.contains(&b'\n'));
        row.len() == self.count && on_one_line(self.email) && self.member.is_none_or(on_one_line)
    }

    /// For people: `comma-separated table with ids`.
    pub(super) fn describe(&self) -> String {
        let table = match self.delimiter {
            Some(b',') => "comma-separated table",
            Some(b';') => "semicolon-separated table",
            Some(b'\t') => "tab-separated table",
            Some(_) => "bar-separated table",
            None => "table of one column",
        };
        let ids = if self.member.is_some() { "with ids" } else { "without ids" };
        format!("{table} {ids}")
    }
}

/// The first of the columns with the most telling name.
fn most_telling(header: &Cells, rank: fn(&str) -> Option<usize>) -> Option<usize> {
    let ranked = header.iter().enumerate().filter_map(|(index, cell)| Some((rank(&text(cell))?, index)));
    ranked.min().map(|(_, index)| index)
}

/// Whether a line is a single value under every delimiter.
pub(super) fn is_one_value(line: &[u8]) -> bool {
    let values = |cells: Cells| cells.iter().filter(|cell| !cell.trim_ascii().is_empty()).count();
    DELIMITERS
        .into_iter()
        .all(|delimiter| split_line(line, Some(delimiter)).is_none_or(|row| values(row) == 1))
}

/// The columns of a header, to be shown. What does not look like a name is replaced: it may be a value.
pub(super) fn names_for_people(header: &[u8]) -> String {
    const SHOWN: usize = 20;
    let split = DELIMITERS.into_iter().filter_map(|delimiter| split_line(header, Some(delimiter)));
    let Some(cells) = split.max_by_key(Cells::len) else { return "none that can be read".to_owned() };
    let mut names: Vec<_> = cells.iter().take(SHOWN).map(name_for_people).collect();
    if cells.len() > SHOWN {
        names.push(format!("and {} more", cells.len() - SHOWN));
    }
    names.join(", ")
}

fn name_for_people(cell: &[u8]) -> String {
    const LONGEST: usize = 40;
    let name = text(cell);
    let name = name.trim();
    let plain = |c: char| c.is_alphanumeric() || matches!(c, ' ' | '-' | '_' | '.' | '/' | '#' | '(' | ')');
    if name.len() <= LONGEST && name.chars().all(plain) && name.chars().any(char::is_alphabetic) {
        format!("`{name}`")
    } else {
        "(not a name)".to_owned()
    }
}

fn text(cell: &[u8]) -> std::borrow::Cow<'_, str> {
    String::from_utf8_lossy(cell)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn columns(header: &str) -> Option<(Option<char>, usize, Option<usize>)> {
        let columns = Columns::of_header(header.as_bytes())?;
        Some((columns.delimiter.map(char::from), columns.email, columns.member))
    }

    #[test]
    fn headers_are_found_by_meaning() {
        for (header, expected) in [
            ("email", (None, 0, None)),
            ("member_id,email", (Some(','), 1, Some(0))),
            ("Email Address;ID", (Some(';'), 0, Some(1))),
            ("E-Mail\tName\tUser-Id", (Some('\t'), 0, Some(2))),
            ("uid|EMAIL_ADDRESS|name", (Some('|'), 1, Some(0))),
            ("\"external id\",\"e mail\"", (Some(','), 1, Some(0))),
            (" customer_id , mail ", (Some(','), 1, Some(0))),
            ("E-Mail-Adresse,Customer Email", (Some(','), 1, None)),
            // A delimiter inside a name does not decide.
            ("Name (first, last, title);E-Mail;UID", (Some(';'), 1, Some(2))),
            // More columns are likelier than fewer.
            ("email,a;b;mail", (Some(';'), 2, None)),
            // The most telling name wins, the first of equals.
            ("id,mail,email,user_id", (Some(','), 2, Some(3))),
            ("email,email", (Some(','), 0, None)),
            ("email,", (Some(','), 0, None)),
        ] {
            assert_eq!(columns(header), Some(expected), "{header}");
        }
        for header in ["name,age", "e-mails", "emailed at", "\"email", "ada@example.com", ""] {
            assert_eq!(columns(header), None, "{header}");
        }
    }

    #[test]
    fn what_may_be_a_value_is_not_shown() {
        insta::assert_snapshot!(names_for_people("Name;+44 20 7946 0000;ada@example.com;1984-01-02;Größe (cm)".as_bytes()),
            @"`Name`, (not a name), (not a name), (not a name), `Größe (cm)`");
        insta::assert_snapshot!(names_for_people(&b"a,".repeat(30)),
            @"`a`, `a`, `a`, `a`, `a`, `a`, `a`, `a`, `a`, `a`, `a`, `a`, `a`, `a`, `a`, `a`, `a`, `a`, `a`, `a`, and 11 more");
        insta::assert_snapshot!(names_for_people(b"\"a"), @"none that can be read");
    }

    #[test]
    fn one_value_is_one_under_every_delimiter() {
        for line in ["ada@example.com", "\"doe; j, | k\"@example.com", "Jane <jane@example.com>,", "\"ada"] {
            assert!(is_one_value(line.as_bytes()), "{line}");
        }
        for line in ["1,ada@example.com", "a;b", "a\tb", "a|b", ","] {
            assert!(!is_one_value(line.as_bytes()), "{line}");
        }
    }
}
