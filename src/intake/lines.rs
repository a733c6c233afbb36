//! Physical lines of a file: Unix, Windows and old Mac line ends; numbered from 1; never longer than a bound.

use std::collections::VecDeque;
use std::io::{self, BufRead};

/// The longest line that is kept, in bytes. What is longer is skipped without being held.
pub(super) const LONGEST_LINE: usize = 64 * 1024;

/// One line without its end.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(super) struct Line {
    pub(super) number: u64,
    pub(super) bytes: Vec<u8>,
    /// It was longer than [`LONGEST_LINE`]; `bytes` holds its beginning.
    pub(super) is_overlong: bool,
}

/// Reads lines, and takes them back.
pub(super) struct Lines<R> {
    reader: R,
    number: u64,
    bytes_read: u64,
    /// The last line ended in `\r`: a `\n` that follows belongs to it.
    after_return: bool,
    put_back: VecDeque<Line>,
}

impl<R: BufRead> Lines<R> {
    pub(super) const fn new(reader: R) -> Self {
        Self { reader, number: 0, bytes_read: 0, after_return: false, put_back: VecDeque::new() }
    }

    pub(super) const fn bytes_read(&self) -> u64 {
        self.bytes_read
    }

    /// Gives lines back, to be read again in this order.
    pub(super) fn put_back(&mut self, lines: impl DoubleEndedIterator<Item = Line>) {
        lines.rev().for_each(|line| self.put_back.push_front(line));
    }

    /// The next line; `None` at the end. A last line without an end counts.
    pub(super) fn next(&mut self) -> io::Result<Option<Line>> {
        if let Some(line) = self.put_back.pop_front() {
            return Ok(Some(line));
        }
        let mut line = Line { number: self.number + 1, bytes: Vec::new(), is_overlong: false };
        loop {
            let buffer = match self.reader.fill_buf() {
                Ok(buffer) => buffer,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                Err(error) => return Err(error),
            };
            if buffer.is_empty() {
                let nothing = line.bytes.is_empty() && !line.is_overlong;
                self.number += u64::from(!nothing);
                return Ok((!nothing).then_some(line));
            }
            if std::mem::take(&mut self.after_return) && buffer.first() == Some(&b'\n') {
                self.consume(1);
                continue;
            }
            let end = buffer.iter().position(|byte| matches!(byte, b'\n' | b'\r'));
            let piece = &buffer[..end.unwrap_or(buffer.len())];
            let room = LONGEST_LINE - line.bytes.len();
            line.is_overlong |= piece.len() > room;
            line.bytes.extend_from_slice(&piece[..piece.len().min(room)]);
            self.after_return = end.is_some_and(|end| buffer[end] == b'\r');
            let used = piece.len() + usize::from(end.is_some());
            self.consume(used);
            if end.is_some() {
                self.number += 1;
                return Ok(Some(line));
            }
        }
    }

    fn consume(&mut self, count: usize) {
        self.reader.consume(count);
        self.bytes_read += count as u64;
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn lines(bytes: &[u8], buffer: usize) -> Vec<(u64, String)> {
        let mut lines = Lines::new(io::BufReader::with_capacity(buffer, bytes));
        let mut read = Vec::new();
        while let Some(line) = lines.next().unwrap() {
            read.push((line.number, String::from_utf8_lossy(&line.bytes).into_owned()));
        }
        assert_eq!(lines.bytes_read(), bytes.len() as u64);
        read
    }

    #[test]
    fn every_kind_of_line_end_ends_a_line() {
        for buffer in [1, 2, 3, 64] {
            let read = lines(b"unix\nwindows\r\nmac\r\rblank before\nlast", buffer);
            let expected = ["unix", "windows", "mac", "", "blank before", "last"];
            let expected: Vec<_> = (1..).zip(expected.map(str::to_owned)).collect();
            assert_eq!(read, expected, "buffer of {buffer}");
        }
        assert_eq!(lines(b"", 8), []);
        assert_eq!(lines(b"\n", 8), [(1, String::new())]);
    }

    #[test]
    fn a_monster_is_skipped_without_being_held() {
        let bytes = [&vec![b'x'; 10 * LONGEST_LINE][..], b"\nnext"].concat();
        let mut lines = Lines::new(io::BufReader::new(&bytes[..]));
        let monster = lines.next().unwrap().unwrap();
        assert!(monster.is_overlong);
        assert!(monster.bytes.capacity() <= 2 * LONGEST_LINE);
        assert_eq!(lines.next().unwrap().unwrap().bytes, b"next");
    }

    proptest! {
        #[test]
        fn lines_are_what_the_standard_library_finds(text in "[a-c\n]{0,60}", buffer in 1_usize..9) {
            let found: Vec<_> = lines(text.as_bytes(), buffer).into_iter().map(|(_, line)| line).collect();
            let expected: Vec<_> = text.lines().map(str::to_owned).collect();
            prop_assert_eq!(found, expected);
        }
    }
}
