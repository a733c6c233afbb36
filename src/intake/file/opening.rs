//! What kind of stream this is, from its first lines.
//!
//! Invariant: consumes the header and nothing else; a stream that cannot hold members is refused as a whole, with
//! what to do about it.

use std::io::{self, Read};

use super::super::keys::ACCEPTED_EMAIL_NAMES;
use super::SourceError;
use super::columns::{Columns, is_one_value, names_for_people};
use super::lines::{Line, Lines};

/// How the rows of a stream are read.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Layout {
    /// One address a line, no ids.
    List,
    /// A header, and rows under it.
    Table(Columns),
    /// One JSON object a line.
    JsonLines,
}

impl Layout {
    /// For people.
    pub(super) fn describe(self) -> String {
        match self {
            Self::List => "list of addresses".to_owned(),
            Self::Table(columns) => columns.describe(),
            Self::JsonLines => "JSON lines".to_owned(),
        }
    }
}

/// What a file's name says of its format.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Hint {
    JsonLines,
    /// The first bytes decide.
    Unknown,
}

impl Hint {
    pub(super) fn of_name(name: &str) -> Self {
        let extension = name.rsplit_once('.').map_or("", |(_, extension)| extension);
        if ["json", "jsonl", "ndjson"].iter().any(|json| extension.eq_ignore_ascii_case(json)) {
            Self::JsonLines
        } else {
            Self::Unknown
        }
    }
}

const UTF8_BOM: &[u8] = b"\xEF\xBB\xBF";

/// Finds the layout, and leaves the stream at its first row.
pub(super) fn open<R: Read>(lines: &mut Lines<R>, name: &str, hint: Hint) -> Result<Layout, SourceError> {
    let read_error = |source| SourceError::Read { name: name.to_owned(), line: 0, source };
    let Some(first) = first_line(lines).map_err(read_error)? else { return Ok(Layout::List) };
    refuse_what_is_no_text(&first.bytes, name)?;

    if hint == Hint::JsonLines || begins_json(&first.bytes) {
        if is_json_over_lines(&first.bytes) {
            return Err(SourceError::JsonDocument { name: name.to_owned() });
        }
        lines.put_back(vec![first]);
        return Ok(Layout::JsonLines);
    }

    let header = if is_excel_hint(&first.bytes) {
        match lines.next_filled().map_err(read_error)? {
            Some(header) => header,
            None => return Ok(Layout::List),
        }
    } else {
        first
    };
    if !header.too_long
        && let Some(columns) = Columns::of_header(&header.bytes)
    {
        return Ok(Layout::Table(columns));
    }
    let has_value = header.bytes.contains(&b'@');
    if has_value && is_one_value(&header.bytes) {
        lines.put_back(vec![header]);
        return Ok(Layout::List);
    }
    Err(if has_value || header.too_long {
        SourceError::NoHeader { name: name.to_owned(), line: header.number }
    } else {
        SourceError::NoEmailColumn {
            name: name.to_owned(),
            columns: names_for_people(&header.bytes),
            accepted: ACCEPTED_EMAIL_NAMES,
        }
    })
}

/// The first line that is not blank, without a byte order mark.
fn first_line<R: Read>(lines: &mut Lines<R>) -> io::Result<Option<Line>> {
    let Some(mut first) = lines.next()? else { return Ok(None) };
    if first.bytes.starts_with(UTF8_BOM) {
        first.bytes.drain(..UTF8_BOM.len());
    }
    if first.is_blank() { lines.next_filled() } else { Ok(Some(first)) }
}

/// Files of other kinds that people hand over, by their first bytes.
fn refuse_what_is_no_text(bytes: &[u8], name: &str) -> Result<(), SourceError> {
    const UTF_16: (&str, &str) =
        ("UTF-16 text", "save it as `CSV UTF-8`, or convert it with `iconv -f UTF-16 -t UTF-8`");
    let (found, remedy) = match bytes {
        [0xFF, 0xFE, ..] | [0xFE, 0xFF, ..] | [0, _, ..] | [_, 0, ..] => UTF_16,
        [b'P', b'K', 3, 4, ..] => ("a spreadsheet or ZIP archive", "export the sheet as CSV, or unpack it"),
        [0xD0, 0xCF, 0x11, 0xE0, ..] => ("an old spreadsheet", "export the sheet as CSV"),
        [0x1F, 0x8B, ..] => ("compressed with gzip", "pipe it in with `gunzip -c`"),
        [0x28, 0xB5, 0x2F, 0xFD, ..] => ("compressed with zstd", "pipe it in with `zstd -dc`"),
        [b'%', b'P', b'D', b'F', ..] => ("a PDF document", "export the table as CSV"),
        _ => return Ok(()),
    };
    Err(SourceError::NotText { name: name.to_owned(), found, remedy })
}

/// Whether a line begins a JSON object or array. (An address may begin with `{`, but not with `{"`.)
fn begins_json(line: &[u8]) -> bool {
    match line.trim_ascii() {
        [b'[', ..] => true,
        [b'{', rest @ ..] => matches!(rest.trim_ascii_start(), [] | [b'"' | b'}', ..]),
        _ => false,
    }
}

/// Whether JSON goes on beyond the line: an array, or an object printed over many lines.
fn is_json_over_lines(line: &[u8]) -> bool {
    matches!(line.trim_ascii(), [b'[', ..] | b"{")
}

/// `sep=;`, which Excel writes and reads as the first line.
fn is_excel_hint(line: &[u8]) -> bool {
    matches!(line.trim_ascii_end(), [b's' | b'S', b'e' | b'E', b'p' | b'P', b'=', _])
        || line.eq_ignore_ascii_case(b"sep=\t")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn opened(name: &str, bytes: &[u8]) -> String {
        let mut lines = Lines::new(bytes);
        let next = |lines: &mut Lines<&[u8]>| lines.next_filled().unwrap().map_or(0, |line| line.number);
        match open(&mut lines, name, Hint::of_name(name)) {
            Ok(layout) => format!("{} from {}", layout.describe(), next(&mut lines)),
            Err(error) => error.to_string(),
        }
    }

    #[test]
    fn the_first_lines_tell_the_layout() {
        for (name, text, expected) in [
            ("m.csv", "email,id\nx", "comma-separated table with ids from 2"),
            ("m.csv", "\u{FEFF}email;id\nx", "semicolon-separated table with ids from 2"),
            ("m.csv", "\u{FEFF}\n\n email\tid\nx", "tab-separated table with ids from 4"),
            ("m.csv", "sep=|\r\nemail|id\r\nx", "bar-separated table with ids from 3"),
            ("m.csv", "SEP=\t\nemail\tid\nx", "tab-separated table with ids from 3"),
            ("m.txt", "email\nx", "table of one column without ids from 2"),
            ("m.csv", "email,id", "comma-separated table with ids from 0"),
            ("m.txt", "ada@example.com\nx", "list of addresses from 1"),
            ("m.txt", "\n\u{A0}ada@example.com", "list of addresses from 2"),
            ("stdin", "Jane <jane@example.com>,", "list of addresses from 1"),
            ("stdin", "\"doe, john\"@example.com", "list of addresses from 1"),
            ("stdin", "jane doe@example.com", "list of addresses from 1"),
            ("stdin", "{x}@example.com", "list of addresses from 1"),
            ("stdin", "", "list of addresses from 0"),
            ("stdin", "\n \n", "list of addresses from 0"),
            ("stdin", "{\"email\":1}", "JSON lines from 1"),
            ("stdin", "\u{FEFF} { \"email\":1}", "JSON lines from 1"),
            ("m.csv", "{}\n", "JSON lines from 1"),
            ("m.NDJSON", "ada@example.com", "JSON lines from 1"),
            ("m.json", "email,id", "JSON lines from 1"),
        ] {
            assert_eq!(opened(name, text.as_bytes()), expected, "{name} {text:?}");
        }
    }

    #[test]
    fn what_cannot_hold_members_is_refused_with_a_remedy() {
        insta::assert_snapshot!(opened("m.csv", b"name,age,born (year)\n"),
            @"`m.csv` has no e-mail column, but `name`, `age`, `born (year)`; name one `email`, `e-mail`, `email_address` or `mail`");
        insta::assert_snapshot!(opened("m.csv", b"\n7,ada@example.com\n"),
            @"line 2 of `m.csv` is neither a header nor one address; begin with a header such as `member_id,email`");
        insta::assert_snapshot!(opened("m.csv", &b"x".repeat(100_000)),
            @"line 1 of `m.csv` is neither a header nor one address; begin with a header such as `member_id,email`");
        let array = "`m.json` is one JSON document, not JSON lines; write one object a line, for example with `jq -c '.[]'`";
        for text in ["[]", " [{\"email\": 1}]", "{\n  \"email\": 1\n}", "\u{FEFF}["] {
            assert_eq!(opened("m.json", text.as_bytes()), array, "{text}");
            assert_eq!(opened("m.csv", text.as_bytes()), array.replace("m.json", "m.csv"), "{text}");
        }
    }

    #[test]
    fn files_that_are_no_text_are_named() {
        let utf16 = |units: Vec<[u8; 2]>| units.concat();
        let text = "\u{FEFF}email,id\r\nada@example.com,1\r\n";
        let little = utf16(text.encode_utf16().map(u16::to_le_bytes).collect());
        let big = utf16(text.encode_utf16().map(u16::to_be_bytes).collect());
        for bytes in [&little[..], &big[..], &little[2..], &big[2..]] {
            let error = opened("m.csv", bytes);
            assert!(error.starts_with("`m.csv` is UTF-16 text, not UTF-8 text; save"), "{error}");
        }
        for (bytes, found) in [
            (b"PK\x03\x04\x14".as_slice(), "a spreadsheet"),
            (b"\x1F\x8B\x08", "compressed with gzip"),
            (b"\x28\xB5\x2F\xFD", "compressed with zstd"),
            (b"\xD0\xCF\x11\xE0", "an old spreadsheet"),
            (b"%PDF-1.7\n", "a PDF document"),
        ] {
            let error = opened("m", bytes);
            assert!(error.starts_with(&format!("`m` is {found}")), "{error}");
        }
    }
}
