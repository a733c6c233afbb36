use std::io::{BufReader, Read};

use proptest::prelude::*;

use super::source::Source;
use super::*;

fn keyring() -> Keyring {
    Keyring::from_bytes([7; 32])
}

fn read(source: Source) -> Vec<Row> {
    let mut rows = Vec::new();
    source
        .read(3, |batch| {
            rows.extend(batch.rows);
            true
        })
        .unwrap();
    rows
}

/// What becomes of a file, row by row: line, then id and address, or the reason.
fn outcomes(name: &str, content: &[u8]) -> Result<Vec<String>, SourceError> {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join(name);
    std::fs::write(&path, content).unwrap();
    let rows = read(Source::named(path.to_str().unwrap())?);
    Ok(rows
        .into_iter()
        .map(|row| {
            let line = row.origin.rsplit_once(':').unwrap().1.to_owned();
            let made =
                row.content.and_then(|cells| registration(cells.member.as_deref(), &cells.email, &keyring()));
            match made {
                Ok(made) => format!("{line} {} {}", made.member, made.email.expose()),
                Err(reason) => format!("{line} refused: {reason}"),
            }
        })
        .collect())
}

fn lines(name: &str, content: &str) -> String {
    outcomes(name, content.as_bytes()).unwrap().join("\n")
}

#[test]
fn csv_with_any_delimiter_order_and_spelling() {
    for content in [
        "member_id,email\n7,ada@example.com\n",
        "E-Mail;ID\r\nada@example.com;7\r\n",
        "\u{feff}EMAIL ADDRESS\tname\tuser id\nada@example.com\tAda\t7",
        "name|mail|Member-ID\rAda|ada@example.com|7\r",
        "\n\nemail,uid\n\"ada@example.com\", \"7\" \n",
    ] {
        let found = lines("members.csv", content);
        assert!(found.ends_with(" 7 ada@example.com"), "{content:?}: {found}");
    }
}

#[test]
fn bad_rows_cost_only_themselves() {
    let content = "id,email\n1,ada@example.com\n2\n3,\n,eve@example.com\nx@example.com,eve@example.com\n\
                   5,\"open@example.com\n6,bob@example.com,extra\n7,\"a\nb\"\n8,cy@example.com";
    insta::assert_snapshot!(lines("members.csv", content), @r#"
    2 1 ada@example.com
    3 refused: has 1 columns, and the e-mail address is in column 2
    4 refused: e-mail address: is empty
    5 m_7384246f01e331d66b0a eve@example.com
    6 refused: the member id holds an `@`: an e-mail address is personal data, and ids appear in logs
    7 refused: a quote that is opened here is never closed
    8 6 bob@example.com
    9 refused: e-mail address: has no `@`
    11 8 cy@example.com
    "#);
}

#[test]
fn json_lines_take_the_same_meanings() {
    let content = r#"{"email": "ada@example.com", "id": 7}
{"Email-Address": "bob@example.com", "memberId": "m8", "id": "other"}

{"email": "eve@example.com", "id": null}
{"email": 5}
{"mail": null}
["ada@example.com"]
{"email": "cut@example.co"#;
    insta::assert_snapshot!(lines("members.jsonl", content), @r#"
    1 7 ada@example.com
    2 m8 bob@example.com
    4 m_7384246f01e331d66b0a eve@example.com
    5 refused: the e-mail address is not a string
    6 refused: has no e-mail address
    7 refused: not a JSON object (column 0)
    8 refused: not JSON (column 25)
    "#);
}

#[test]
fn a_plain_list_needs_no_header() {
    let content =
        "ada@example.com\n\n\"john doe\"@example.com\nJane Doe <jane@example.com>\nroot@(none)\nx y\n";
    insta::assert_snapshot!(lines("list", content), @r#"
    1 m_4387725d7f6ac3db3e97 ada@example.com
    3 m_4b22dc63030608049056 "john doe"@example.com
    4 m_ef39d812f994640fea02 jane@example.com
    5 refused: e-mail address: the domain has a character other than letters, digits, hyphens and dots
    6 refused: e-mail address: has no `@`
    "#);
}

#[test]
fn files_that_cannot_be_read_say_why() {
    let error = |name: &str, content: &[u8]| outcomes(name, content).unwrap_err().to_string();
    insta::assert_snapshot!(error("a.csv", b"name,phone\nAda,1\n"), @"`a.csv` has no column for the e-mail address; its columns are: name, phone. Name one of them `email` (or e-mail, email_address, mail)");
    insta::assert_snapshot!(error("a.csv", b"ada@example.com,7\n"), @"`a.csv` has no column for the e-mail address; its columns are: (an address), 7. Name one of them `email` (or e-mail, email_address, mail)");
    insta::assert_snapshot!(error("a.json", b"[{\"email\": 1}]"), @"`a.json` is one JSON array; write one object a line (`jq -c '.[]'` does that)");
    insta::assert_snapshot!(error("a.csv", b"\xff\xfee\0m\0"), @"`a.csv` is UTF-16 text; save it as UTF-8 (`iconv -f UTF-16 -t UTF-8`)");
    assert!(matches!(Source::named("no-such-file.csv").err().unwrap(), SourceError::NotFound { .. }));
    assert!(matches!(Source::named("/").err().unwrap(), SourceError::Read { .. }));
}

#[test]
fn an_empty_file_has_no_rows() {
    for content in ["", "\n\n", "\u{feff}", "email\n"] {
        assert_eq!(lines("members.csv", content), "", "{content:?}");
    }
}

#[test]
fn bytes_that_are_no_text_and_lines_without_end_are_refused_by_themselves() {
    let mut content = b"id,email\n1,a\xff@example.com\n2,".to_vec();
    content.extend(vec![b'x'; 200_000]);
    content.extend(b"\n3,ada@example.com\n");
    let found = outcomes("members.csv", &content).unwrap();
    assert_eq!(found[0], "2 refused: is not UTF-8 text (at byte 2 of the value)");
    assert_eq!(found[1], "3 refused: the line is longer than 65536 bytes");
    assert_eq!(found[2], "4 3 ada@example.com");
}

#[test]
fn a_member_without_id_is_known_by_the_mailbox() {
    let made = |email| registration(None, email, &keyring()).unwrap().member;
    assert_eq!(made("Ada@Example.com"), made("ada@example.com"));
    assert_ne!(made("ada@example.com"), made("bob@example.com"));
    assert!(!made("ada@example.com").as_str().contains("ada"));
}

#[test]
fn reasons_repeat_nothing_of_the_row() {
    for (member, email) in
        [(None, "zanzibar"), (Some("7"), "zanzibar@"), (Some("zanzibar@example.com"), "a@example.com")]
    {
        let reason = registration(member, email, &keyring()).unwrap_err();
        assert!(!reason.contains("zanzibar"), "{reason}");
    }
}

/// Makes a file of many rows while it is read.
struct Endless {
    row: u64,
    rows: u64,
    rest: Vec<u8>,
}

impl Read for Endless {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        if self.rest.is_empty() && self.row < self.rows {
            self.rest = format!("{0},member{0}@example.com\n", self.row).into_bytes();
            self.row += 1;
        }
        let count = self.rest.len().min(buffer.len());
        buffer[..count].copy_from_slice(&self.rest[..count]);
        self.rest.drain(..count);
        Ok(count)
    }
}

#[test]
fn a_long_file_is_streamed() {
    let rows = 200_000;
    let endless = std::io::Cursor::new(b"id,email\n").chain(Endless { row: 0, rows, rest: Vec::new() });
    let source = Source::from_reader("endless.csv", Box::new(BufReader::new(endless))).unwrap();
    let (mut seen, mut largest) = (0, 0);
    source
        .read(1_000, |batch| {
            seen += batch.rows.len() as u64;
            largest = largest.max(batch.rows.len());
            true
        })
        .unwrap();
    assert_eq!((seen, largest), (rows, 1_000));
}

proptest! {
    #[test]
    fn every_line_ends_in_exactly_one_row(lines in prop::collection::vec("[a@\",;x ]{1,12}", 0..20)) {
        // No quote may span lines here: then rows are the lines that are not blank.
        let lines: Vec<_> = lines.into_iter().filter(|line| !line.contains('"')).collect();
        let content = format!("id,email\n{}", lines.join("\n"));
        let found = outcomes("members.csv", content.as_bytes()).unwrap();
        prop_assert_eq!(found.len(), lines.iter().filter(|line| !line.trim().is_empty()).count());
    }

    #[test]
    fn no_file_panics(content in prop::collection::vec(any::<u8>(), 0..300), name in "a\\.(csv|tsv|jsonl|txt|x)") {
        let _ = outcomes(&name, &content);
        let _ = outcomes(&name, &[b"id,email\n", &content[..]].concat());
    }
}
