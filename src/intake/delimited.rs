//! Splits a line into cells after RFC 4180, and forgives what files in the wild do.
//!
//! Not the `csv` crate, for two reasons: an opened quote that is never closed must cost its own row and not the rest of the file,
//! and a quote that is not the cell's own belongs to the value (`"john doe"@example.com`).
//!
//! Invariant: pure.

/// A quote is opened in the text and not closed in it.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) struct Unclosed;

/// The delimiters in use: comma, semicolon (where the comma is the decimal sign), tab, bar.
const DELIMITERS: [u8; 4] = [b',', b';', b'\t', b'|'];

/// The delimiter that a header uses: the one that occurs most, the comma where none does.
pub(super) fn sniff(header: &[u8]) -> u8 {
    let count = |delimiter: u8| header.iter().filter(|&&byte| byte == delimiter).count();
    // `max_by_key` keeps the last of equals, and the comma comes first.
    DELIMITERS.into_iter().rev().max_by_key(|&delimiter| count(delimiter)).unwrap_or(b',')
}

/// The cells of a row, unquoted and trimmed.
pub(super) fn split(row: &[u8], delimiter: u8) -> Result<Vec<Vec<u8>>, Unclosed> {
    let mut cells = Vec::new();
    let mut rest = row;
    loop {
        let (cell, after) = first_cell(rest, delimiter)?;
        cells.push(cell.trim_ascii().to_vec());
        match after {
            Some(after) => rest = after,
            None => return Ok(cells),
        }
    }
}

/// The first cell, and what comes after its delimiter.
fn first_cell(row: &[u8], delimiter: u8) -> Result<(Vec<u8>, Option<&[u8]>), Unclosed> {
    let start = row.iter().position(|byte| *byte != b' ').unwrap_or(row.len());
    let Some(quoted) = row[start..].strip_prefix(b"\"") else { return Ok(literal(row, 0, delimiter)) };
    let (cell, after) = unquote(quoted).ok_or(Unclosed)?;
    match after.trim_ascii_start().split_first() {
        _ if after.first() == Some(&delimiter) => Ok((cell, Some(&after[1..]))),
        None => Ok((cell, None)),
        Some((next, behind)) if *next == delimiter => Ok((cell, Some(behind))),
        // The quote is a part of the value. Across lines that is never meant: the closing quote is another cell's.
        Some(_) if cell.contains(&b'\n') => Err(Unclosed),
        Some(_) => Ok(literal(row, row.len() - after.len(), delimiter)),
    }
}

/// A cell as it stands, up to the first delimiter at or after `from`.
fn literal(row: &[u8], from: usize, delimiter: u8) -> (Vec<u8>, Option<&[u8]>) {
    match row[from..].iter().position(|byte| *byte == delimiter) {
        Some(at) => (row[..from + at].to_vec(), Some(&row[from + at + 1..])),
        None => (row.to_vec(), None),
    }
}

/// What stands before the closing quote, doubled quotes made single, and what follows it.
fn unquote(quoted: &[u8]) -> Option<(Vec<u8>, &[u8])> {
    let mut cell = Vec::new();
    let mut rest = quoted;
    loop {
        let quote = rest.iter().position(|byte| *byte == b'"')?;
        cell.extend_from_slice(&rest[..quote]);
        rest = &rest[quote + 1..];
        match rest.strip_prefix(b"\"") {
            Some(after) => {
                cell.push(b'"');
                rest = after;
            }
            None => return Some((cell, rest)),
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn cells(row: &str) -> Result<Vec<String>, Unclosed> {
        let cells = split(row.as_bytes(), b',')?;
        Ok(cells.into_iter().map(|cell| String::from_utf8(cell).unwrap()).collect())
    }

    #[test]
    fn rows_split_into_cells() {
        for (row, expected) in [
            ("", &[""][..]),
            ("a,b", &["a", "b"]),
            ("a,,", &["a", "", ""]),
            (" a , b ", &["a", "b"]),
            (r#""a,b",c"#, &["a,b", "c"]),
            (r#""a ""b""",c"#, &[r#"a "b""#, "c"]),
            (r#" "a" ,c"#, &["a", "c"]),
            ("\"a\nb\",c", &["a\nb", "c"]),
            (r#""""john doe""@example.com",c"#, &[r#""john doe"@example.com"#, "c"]),
            (r#""john doe"@example.com,c"#, &[r#""john doe"@example.com"#, "c"]),
            (r#""a,b"@example.com,c"#, &[r#""a,b"@example.com"#, "c"]),
            (r#"Jane "J" Doe,c"#, &[r#"Jane "J" Doe"#, "c"]),
            (r#""""#, &[""]),
        ] {
            assert_eq!(cells(row).unwrap(), expected, "{row}");
        }
    }

    #[test]
    fn an_open_quote_is_told() {
        for row in ["\"a", "b,\"a", "\"a\"\"", "\"open\n2,\"b\",3", "\""] {
            assert_eq!(cells(row), Err(Unclosed), "{row:?}");
        }
    }

    #[test]
    fn the_delimiter_is_the_one_that_occurs_most() {
        for (header, delimiter) in [
            ("id,email", b','),
            ("id;email", b';'),
            ("id\temail", b'\t'),
            ("id|email", b'|'),
            ("email", b','),
        ] {
            assert_eq!(sniff(header.as_bytes()), delimiter, "{header}");
        }
    }

    proptest! {
        #[test]
        fn what_rfc_4180_wrote_is_read_back(row in prop::collection::vec("[a-c,\"\n|]{0,8}", 1..5)) {
            let quote = |cell: &String| format!("\"{}\"", cell.replace('"', "\"\""));
            let written = row.iter().map(quote).collect::<Vec<_>>().join(",");
            let expected: Vec<_> = row.iter().map(|cell| cell.trim_ascii().to_owned()).collect();
            prop_assert_eq!(cells(&written).unwrap(), expected);
        }

        #[test]
        fn no_row_panics(row in prop::collection::vec(any::<u8>(), 0..60)) {
            let _ = split(&row, b',');
        }
    }
}
