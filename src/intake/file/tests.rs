//! The file door as a whole: what comes out for what goes in, and what never happens.

use std::io::{self, Read};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use proptest::prelude::*;

use super::lines::{BUFFER_BYTES, MAX_LINE_BYTES};
use super::opening::Hint;
use super::rows::Rows;
use super::*;
use crate::keyring::Keyring;

mod rows_told;

fn keyring() -> Arc<Keyring> {
    Arc::new(Keyring::from_bytes([7; 32]))
}

/// What came of every row: `3: id address` or `3: ! reason`.
fn told(name: &str, bytes: &[u8]) -> Vec<String> {
    let mut rows = match Rows::open(bytes, name, Hint::of_name(name), keyring()) {
        Ok(rows) => rows,
        Err(error) => return vec![error.to_string()],
    };
    let mut told = Vec::new();
    while let Some(row) = rows.next().unwrap() {
        told.push(match row {
            Ok(row) => format!("{} {}", row.member, row.email.expose()),
            Err(refusal) => {
                let line = refusal.origin.strip_prefix(name).unwrap().trim_start_matches(':').to_owned();
                let member = refusal.member.map_or(String::new(), |member| format!(" ({member})"));
                format!("{line}: {}{member}", refusal.reason)
            }
        });
    }
    told
}

async fn all_batches(source: &mut Source) -> Vec<Batch> {
    let mut batches = Vec::new();
    while let Some(batch) = source.next_batch().await.unwrap() {
        batches.push(batch);
    }
    batches
}

/// A member file without end, up to a number of rows, made as it is read.
struct Generated {
    row: u64,
    rows: u64,
    rest: io::Cursor<Vec<u8>>,
    made: Arc<AtomicU64>,
}

impl Generated {
    fn new(rows: u64) -> (Self, Arc<AtomicU64>) {
        let made = Arc::new(AtomicU64::new(0));
        let rest = io::Cursor::new(b"id,email\n".to_vec());
        (Self { row: 0, rows, rest, made: Arc::clone(&made) }, made)
    }
}

impl Read for Generated {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if self.rest.position() == self.rest.get_ref().len() as u64 && self.row < self.rows {
            let row = |n| format!("{n},{}\n", if n % 10 == 0 { "" } else { "ada@example.com" });
            let until = self.rows.min(self.row + 100);
            self.rest = io::Cursor::new((self.row..until).map(row).collect::<String>().into_bytes());
            self.row = until;
        }
        let read = self.rest.read(buffer)?;
        self.made.fetch_add(read as u64, Ordering::SeqCst);
        Ok(read)
    }
}

#[test]
fn rows_are_read_one_by_one_and_never_far_ahead() {
    const ROWS: u64 = 200_000;
    let (stream, made) = Generated::new(ROWS);
    let mut rows = Rows::open(stream, "m.csv", Hint::Unknown, keyring()).unwrap();
    let (mut registered, mut refused) = (0, 0);
    while let Some(row) = rows.next().unwrap() {
        *if row.is_ok() { &mut registered } else { &mut refused } += 1;
        assert!(made.load(Ordering::SeqCst) - rows.bytes_read() <= BUFFER_BYTES as u64);
    }
    assert_eq!((registered, refused), (ROWS / 10 * 9, ROWS / 10));
}

#[tokio::test]
async fn batches_are_bounded_and_the_reader_waits_for_whoever_takes_them() {
    const ROWS: u64 = 20_000;
    const LONGEST_ROW: u64 = 22;
    // One batch in the channel, one that waits to be sent, and what the reader holds.
    const AHEAD: u64 = 2 * BATCH_ROWS as u64 * LONGEST_ROW + BUFFER_BYTES as u64;
    let (stream, made) = Generated::new(ROWS);
    let mut source = Source::read(stream, "m.csv", keyring()).await.unwrap();
    let mut rows = 0;
    while let Some(batch) = source.next_batch().await.unwrap() {
        assert!((1..=BATCH_ROWS as u64).contains(&batch.rows_read));
        assert_eq!(batch.rows_read, (batch.registrations.len() + batch.refusals.len()) as u64);
        assert!(made.load(Ordering::SeqCst) <= batch.bytes_read + AHEAD);
        rows += batch.rows_read;
    }
    assert_eq!(rows, ROWS);
    assert!(source.next_batch().await.unwrap().is_none(), "the end stays the end");
}

#[tokio::test]
async fn a_file_tells_its_size_and_its_name_without_the_folder() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("members.csv");
    let text = "email;id\nada@example.com;1\n;2\n\n";
    std::fs::write(&path, text).unwrap();
    let mut source = Source::open(&path, keyring()).await.unwrap();
    assert_eq!((source.name(), source.total_bytes()), ("members.csv", Some(text.len() as u64)));
    assert_eq!(source.layout(), "semicolon-separated table with ids");
    let [batch] = all_batches(&mut source).await.try_into().unwrap();
    assert_eq!(batch.bytes_read, text.len() as u64);
    assert_eq!(batch.refusals[0].origin, "members.csv:3");
    assert_eq!(batch.refusals[0].member.as_ref().unwrap().as_str(), "2");
}

#[tokio::test]
async fn what_cannot_be_opened_is_told() {
    let folder = tempfile::tempdir().unwrap();
    for path in [folder.path(), &folder.path().join("none.csv")] {
        let error = Source::open(path, keyring()).await.unwrap_err();
        assert!(matches!(error, SourceError::Open { .. }), "{error}");
    }
    let error = Source::read(b"[1]".as_slice(), "stdin", keyring()).await.unwrap_err();
    assert!(matches!(error, SourceError::JsonDocument { .. }), "{error}");
}

/// Gives its text, then fails.
struct Failing(&'static [u8]);

impl Read for Failing {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if self.0.is_empty() { Err(io::Error::other("unplugged")) } else { self.0.read(buffer) }
    }
}

#[tokio::test]
async fn rows_before_a_read_error_are_handed_over() {
    let stream = Failing(b"email\nada@example.com\nbob@example.com\nhalf");
    let mut source = Source::read(stream, "m.csv", keyring()).await.unwrap();
    assert_eq!(source.next_batch().await.unwrap().unwrap().registrations.len(), 2);
    let error = source.next_batch().await.unwrap_err();
    assert!(matches!(error, SourceError::Read { line: 3, .. }), "{error}");
}

#[tokio::test]
async fn a_reader_that_panics_is_no_end_of_file() {
    struct Panicking;
    impl Read for Panicking {
        #[expect(clippy::panic_in_result_fn, reason = "stands for a bug in the reader")]
        fn read(&mut self, _: &mut [u8]) -> io::Result<usize> {
            panic!("a bug")
        }
    }
    let stream = b"email\nada@example.com\n".chain(Panicking);
    let mut source = Source::read(stream, "m.csv", keyring()).await.unwrap();
    assert_eq!(source.next_batch().await.unwrap().unwrap().rows_read, 1);
    source.next_batch().await.unwrap_err();
}

#[tokio::test]
async fn a_pipe_that_pauses_hands_over_what_it_has() {
    let (reader, mut writer) = io::pipe().unwrap();
    io::Write::write_all(&mut writer, b"email\r\nada@example.com\r\nbob@exa").unwrap();
    let mut source = Source::read(reader, "stdin", keyring()).await.unwrap();
    // The pipe is still open: waiting for a full batch would wait for ever.
    assert_eq!(source.next_batch().await.unwrap().unwrap().rows_read, 1);
    io::Write::write_all(&mut writer, b"mple.com\r\n").unwrap();
    let batch = source.next_batch().await.unwrap().unwrap();
    assert_eq!(batch.registrations[0].email.expose(), "bob@example.com");
    drop(writer);
    assert!(source.next_batch().await.unwrap().is_none());
}

#[tokio::test]
async fn addresses_from_the_command_line_are_rows_too() {
    let mut addresses = vec!["ada@example.com".to_owned(); BATCH_ROWS + 1];
    addresses[BATCH_ROWS] = String::new();
    let mut source = Source::addresses(&addresses, &keyring());
    let batches = all_batches(&mut source).await;
    assert_eq!(batches.iter().map(|batch| batch.rows_read).collect::<Vec<_>>(), [BATCH_ROWS as u64, 1]);
    assert_eq!(batches[1].refusals[0].origin, "argument:1001");
    assert_eq!(source.total_bytes(), Some(batches[1].bytes_read));
}

fn csv_piece() -> impl Strategy<Value = Vec<u8>> {
    prop_oneof![
        4 => prop::sample::select(vec![
            "\n", "\r\n", "\r", ",", ";", "\"", "\"\"", " ", "@", "1", "ada@example.com", "{\"email\":\"x@example.com\"}",
            "{", "}", "é", "\u{FEFF}", "\0",
        ]).prop_map(|piece| piece.as_bytes().to_vec()),
        1 => prop::collection::vec(any::<u8>(), 0..4),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(512))]

    /// Whatever the bytes: no panic, and rows come out in the order of their lines, each once.
    #[test]
    fn any_bytes_are_rows_in_order(
        opening in prop::sample::select(vec!["", "email\n", "id,email\n", "email;id;note\n", "a@example.com\n", "{}\n"]),
        pieces in prop::collection::vec(csv_piece(), 0..60),
    ) {
        let bytes = [opening.as_bytes(), &pieces.concat()].concat();
        if let Ok(mut rows) = Rows::open(bytes.as_slice(), "m", Hint::Unknown, keyring()) {
            let mut last = 0;
            while let Some(row) = rows.next().unwrap() {
                prop_assert!(rows.line() > last);
                last = rows.line();
                if let Err(refusal) = row {
                    prop_assert_eq!(refusal.origin, format!("m:{last}"));
                }
            }
            prop_assert_eq!(rows.bytes_read(), bytes.len() as u64);
        }
    }

    /// Of text without quotes, every line that is not blank is one row: nothing is swallowed, nothing made up.
    #[test]
    fn every_line_without_quotes_is_accounted_for(
        header in prop::sample::select(vec!["email\n", "id,email\n", "email;id;note\n", "a@example.com\n", "{}\n"]),
        lines in prop::collection::vec("[a1@.,;|{}\\[\\]\\\\é \u{0}]{0,30}", 0..30),
    ) {
        let text = format!("{header}{}\n", lines.join("\n"));
        let separators = [',', ';'];
        let is_table = header.contains("mail");
        let delimiter = separators.into_iter().find(|separator| is_table && header.contains(*separator));
        let is_blank = |line: &&String| line.chars().all(|c| c == ' ' || Some(c) == delimiter);
        let expected = lines.iter().filter(|line| !is_blank(line)).count() + usize::from(!is_table);
        prop_assert_eq!(told("m", text.as_bytes()).len(), expected);
    }

    /// A bad row costs only itself: whatever stands between them, good rows that are quoted all come out.
    #[test]
    fn good_rows_survive_their_neighbours(
        bad in prop::collection::vec("[a1@,\" ]{0,12}", 1..12),
        good in prop::collection::vec(0..1_000_u32, 1..12),
    ) {
        let mut lines = vec!["id,email,note".to_owned()];
        for (index, bad) in bad.iter().enumerate() {
            lines.push(bad.clone());
            lines.extend(good.get(index).map(|id| format!("g{id},\"g{id}@example.com\",\"fine\"")));
        }
        let text = lines.join("\n") + "\n";
        let told = told("m.csv", text.as_bytes());
        let found: Vec<_> = told.iter().filter(|row| row.starts_with('g')).cloned().collect();
        let expected: Vec<_> = good.iter().take(bad.len()).map(|id| format!("g{id} g{id}@example.com")).collect();
        prop_assert_eq!(found, expected, "{}", text);
    }

    /// No refusal repeats what a row holds.
    #[test]
    fn refusals_hold_nothing_of_the_row(
        secret in "[jkqxz]{9}",
        shape in prop::sample::select(vec![
            "{s},{s} at home\n", "\"{s}\n", "{s},{s},{s}\n", "{s}\n", "{s}@{s}.example,\n", "{s},\0{s}\n",
        ]),
    ) {
        let row = shape.replace("{s}", &secret);
        for opening in ["id,email\n", "{}\n"] {
            for told in told("m", format!("{opening}{row}").as_bytes()) {
                // The member id is not personal data, and is shown in brackets.
                prop_assert!(!told.split(" (").next().unwrap().contains(&secret), "{told}");
            }
        }
    }
}

#[test]
fn a_line_of_many_megabytes_costs_one_refusal() {
    let long = io::repeat(b'x').take(100 * MAX_LINE_BYTES as u64);
    let stream = b"email\n".chain(long).chain(b"\nada@example.com".as_slice());
    let mut rows = Rows::open(stream, "m", Hint::Unknown, keyring()).unwrap();
    assert_eq!(rows.next().unwrap().unwrap().unwrap_err().reason, "the line is longer than 64 KiB");
    rows.next().unwrap().unwrap().unwrap();
    assert!(rows.next().unwrap().is_none());
}
