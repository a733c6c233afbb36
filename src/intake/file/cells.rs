//! Cells: one row of delimited text, split where RFC 4180 says, and read as meant where exports differ from it.
//!
//! Invariant: knows no columns and does no I/O; a quote that closes nothing is told, never guessed away.
//!
//! Not `csv-core`: it drops the quotes of a raw `"john doe"@example.com`, and goes on after a closing quote as if
//! nothing had happened, so that a stray quote swallows rows unseen.

/// The cells of one row.
#[derive(Debug, Default)]
pub(super) struct Cells {
    text: Vec<u8>,
    ends: Vec<usize>,
}

impl Cells {
    pub(super) fn len(&self) -> usize {
        self.ends.len()
    }

    pub(super) fn get(&self, index: usize) -> Option<&[u8]> {
        let start = if index == 0 { 0 } else { *self.ends.get(index - 1)? };
        self.text.get(start..*self.ends.get(index)?)
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = &[u8]> {
        (0..self.len()).filter_map(|index| self.get(index))
    }

    /// How many columns are left when the empty ones at the end do not count.
    pub(super) fn filled(&self) -> usize {
        let empty = (0..self.len()).rev().take_while(|&index| self.is_empty(index)).count();
        self.len() - empty
    }

    fn is_empty(&self, index: usize) -> bool {
        self.get(index).is_none_or(|cell| cell.trim_ascii().is_empty())
    }
}

/// How a line left the row.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Fed {
    /// The row ends with this line.
    Whole,
    /// A quote is open: the row goes on.
    Open,
    /// A quote from an earlier line is closed by something that looks like the beginning of another quote.
    Torn,
}

/// Splits one row, fed line by line.
#[derive(Debug)]
pub(super) struct Splitter {
    /// `None`: the line is one cell.
    delimiter: Option<u8>,
    cells: Cells,
    open: bool,
}

impl Splitter {
    pub(super) fn new(delimiter: Option<u8>) -> Self {
        Self { delimiter, cells: Cells::default(), open: false }
    }

    pub(super) fn into_cells(self) -> Cells {
        self.cells
    }

    /// Takes the row's next line, without its end.
    pub(super) fn feed(&mut self, line: &[u8]) -> Fed {
        let mut rest = line;
        if std::mem::take(&mut self.open) {
            self.cells.text.push(b'\n');
            let Some(after) = self.unquote(rest) else { return Fed::Open };
            let Some(after) = self.end_of_quoted(after) else { return Fed::Torn };
            match self.end_cell(after) {
                Some(next) => rest = next,
                None => return Fed::Whole,
            }
        }
        loop {
            let Some(after) = self.cell(rest) else { return Fed::Open };
            match self.end_cell(after) {
                Some(next) => rest = next,
                None => return Fed::Whole,
            }
        }
    }

    /// Takes one cell, and returns what follows it; `None` where its quote stays open.
    fn cell<'a>(&mut self, line: &'a [u8]) -> Option<&'a [u8]> {
        let Some(quoted) = self.trim_start(line).strip_prefix(b"\"") else {
            return Some(self.take_raw(line, line));
        };
        let start = self.cells.text.len();
        let after = self.unquote(quoted)?;
        Some(self.end_of_quoted(after).unwrap_or_else(|| {
            // Text after the closing quote: the quotes belong to it, as in `"john doe"@example.com`.
            self.cells.text.truncate(start);
            self.take_raw(line, after)
        }))
    }

    /// Takes the text from `line` up to the first delimiter in `from`, a part of it, as it stands.
    fn take_raw<'a>(&mut self, line: &'a [u8], from: &'a [u8]) -> &'a [u8] {
        let to_delimiter = from.iter().position(|&byte| Some(byte) == self.delimiter).unwrap_or(from.len());
        let (cell, after) = line.split_at(line.len() - from.len() + to_delimiter);
        self.cells.text.extend_from_slice(cell);
        after
    }

    /// Takes quoted text, and returns what follows its closing quote; `None`, and the quote is open.
    fn unquote<'a>(&mut self, mut text: &'a [u8]) -> Option<&'a [u8]> {
        loop {
            let Some(quote) = text.iter().position(|&byte| byte == b'"') else {
                self.cells.text.extend_from_slice(text);
                self.open = true;
                return None;
            };
            let (before, after) = (text.get(..quote)?, text.get(quote + 1..)?);
            self.cells.text.extend_from_slice(before);
            match after.strip_prefix(b"\"") {
                Some(rest) => {
                    self.cells.text.push(b'"');
                    text = rest;
                }
                None => return Some(after),
            }
        }
    }

    /// What is left of the line where a quoted cell ends here.
    fn end_of_quoted<'a>(&self, after: &'a [u8]) -> Option<&'a [u8]> {
        let after = self.trim_start(after);
        (after.is_empty() || after.first().copied() == self.delimiter).then_some(after)
    }

    /// Ends the cell, and returns what follows the delimiter; `None` at the end of the line.
    fn end_cell<'a>(&mut self, after: &'a [u8]) -> Option<&'a [u8]> {
        self.cells.ends.push(self.cells.text.len());
        after.split_first().map(|(_, next)| next)
    }

    /// Without the blanks at the beginning, unless they are delimiters.
    fn trim_start<'a>(&self, text: &'a [u8]) -> &'a [u8] {
        let blank = |byte: &u8| matches!(byte, b' ' | b'\t') && Some(*byte) != self.delimiter;
        let start = text.iter().position(|byte| !blank(byte)).unwrap_or(text.len());
        text.split_at(start).1
    }
}

/// The cells of a row that is one line; `None` where a quote stays open.
pub(super) fn split_line(line: &[u8], delimiter: Option<u8>) -> Option<Cells> {
    let mut splitter = Splitter::new(delimiter);
    (splitter.feed(line) == Fed::Whole).then(|| splitter.into_cells())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn texts(cells: &Cells) -> Vec<String> {
        cells.iter().map(|cell| String::from_utf8_lossy(cell).into_owned()).collect()
    }

    #[test]
    fn cells_are_read_as_they_were_meant() {
        for (line, cells) in [
            ("", vec![""]),
            ("a,b", vec!["a", "b"]),
            (",", vec!["", ""]),
            (r#""a","b""#, vec!["a", "b"]),
            (r#""a,b",c"#, vec!["a,b", "c"]),
            (r#""say ""hi""",c"#, vec![r#"say "hi""#, "c"]),
            (r#""",c"#, vec!["", "c"]),
            (r#"a, "b" ,c"#, vec!["a", "b", "c"]),
            (r#"5" tape,c"#, vec![r#"5" tape"#, "c"]),
            // The quotes belong to the address.
            (r#"7,"john doe"@example.com"#, vec!["7", r#""john doe"@example.com"#]),
            (r#""doe, john"@example.com,7"#, vec![r#""doe, john"@example.com"#, "7"]),
            (r#""doe \"j\" john"@example.com,7"#, vec![r#""doe \"j\" john"@example.com"#, "7"]),
            (r#""Doe, Jane" <jane@example.com>,7"#, vec![r#""Doe, Jane" <jane@example.com>"#, "7"]),
            (r#""""john doe""@example.com",7"#, vec![r#""john doe"@example.com"#, "7"]),
        ] {
            assert_eq!(texts(&split_line(line.as_bytes(), Some(b',')).unwrap()), cells, "{line}");
        }
    }

    #[test]
    fn blanks_that_delimit_are_not_trimmed() {
        let cells = split_line(b"\t\"a\"\t b\t", Some(b'\t')).unwrap();
        assert_eq!(texts(&cells), ["", "a", " b", ""]);
        assert_eq!(cells.filled(), 3);
    }

    #[test]
    fn a_quoted_cell_spans_lines() {
        let mut row = Splitter::new(Some(b','));
        assert_eq!(row.feed(br#"1,"first"#), Fed::Open);
        assert_eq!(row.feed(b""), Fed::Open);
        assert_eq!(row.feed(br#"""third""","and"#), Fed::Open);
        assert_eq!(row.feed(br#"more" ,x"#), Fed::Whole);
        assert_eq!(texts(&row.into_cells()), ["1", "first\n\n\"third\"", "and\nmore", "x"]);
    }

    #[test]
    fn a_stray_quote_is_torn_by_the_next_quoted_row() {
        for second in [r#"2,"bob@example.com""#, r#""2","bob@example.com""#] {
            let mut row = Splitter::new(Some(b','));
            assert_eq!(row.feed(br#"1,"ada@example.com"#), Fed::Open);
            assert_eq!(row.feed(second.as_bytes()), Fed::Torn, "{second}");
        }
    }

    proptest! {
        #[test]
        fn what_rfc_4180_writes_is_read_back(row in prop::collection::vec("[a@\" ,;\t\n]{0,6}", 1..5)) {
            let quoted: Vec<_> = row.iter().map(|cell| format!("\"{}\"", cell.replace('"', "\"\""))).collect();
            let mut splitter = Splitter::new(Some(b','));
            let written = quoted.join(",");
            let fed: Vec<_> = written.split('\n').map(|line| splitter.feed(line.as_bytes())).collect();
            let (last, before) = fed.split_last().unwrap();
            prop_assert_eq!(*last, Fed::Whole);
            prop_assert!(before.iter().all(|fed| *fed == Fed::Open));
            prop_assert_eq!(texts(&splitter.into_cells()), row);
        }

        #[test]
        fn a_line_without_quotes_is_split_at_delimiters_only(line in "[a@ ;\t|\\\\']{0,20}") {
            let cells = split_line(line.as_bytes(), Some(b';')).unwrap();
            prop_assert!(cells.iter().eq(line.as_bytes().split(|&byte| byte == b';')));
        }
    }
}
