//! The physical lines of a stream, whatever ends them.
//!
//! Invariant: holds at most one read buffer, one line of [`MAX_LINE_BYTES`], and what was put back; a longer line
//! is passed over without being kept. Line numbers are the file's own, from 1.

use std::collections::VecDeque;
use std::io::{self, BufRead as _, BufReader, Read};

/// A longer line is no row of members.
pub(super) const MAX_LINE_BYTES: usize = 64 * 1024;

pub(super) const BUFFER_BYTES: usize = 64 * 1024;

/// One line, without what ends it.
#[derive(Debug, Eq, PartialEq)]
pub(super) struct Line {
    pub(super) number: u64,
    /// Of a line that is too long, its beginning.
    pub(super) bytes: Vec<u8>,
    pub(super) too_long: bool,
    /// Whether a line end follows; the last line of a file may lack it.
    pub(super) ended: bool,
}

impl Line {
    pub(super) fn is_blank(&self) -> bool {
        !self.too_long && self.bytes.trim_ascii().is_empty()
    }

    fn push(&mut self, bytes: &[u8]) {
        let room = MAX_LINE_BYTES - self.bytes.len();
        self.too_long |= bytes.len() > room;
        self.bytes.extend_from_slice(bytes.get(..room).unwrap_or(bytes));
    }
}

/// Reads lines ended by LF (Unix), CR LF (Windows) or CR (old Mac), mixed as they come.
#[derive(Debug)]
pub(super) struct Lines<R> {
    reader: BufReader<R>,
    put_back: VecDeque<Line>,
    /// How many lines were read from the stream.
    count: u64,
    bytes_read: u64,
    /// The last line ended with CR: an LF that comes next belongs to it. It is not waited for, because a
    /// terminal or pipe may keep the next byte for long.
    after_cr: bool,
}

impl<R: Read> Lines<R> {
    pub(super) fn new(reader: R) -> Self {
        Self {
            reader: BufReader::with_capacity(BUFFER_BYTES, reader),
            put_back: VecDeque::new(),
            count: 0,
            bytes_read: 0,
            after_cr: false,
        }
    }

    /// The next line, blank or not; `None` at the end.
    pub(super) fn next(&mut self) -> io::Result<Option<Line>> {
        if let Some(line) = self.put_back.pop_front() {
            return Ok(Some(line));
        }
        self.skip_lf_of_crlf()?;
        let mut line = Line { number: self.count + 1, bytes: Vec::new(), too_long: false, ended: false };
        while !line.ended {
            let buffer = fill(&mut self.reader)?;
            if buffer.is_empty() {
                if line.bytes.is_empty() {
                    return Ok(None);
                }
                break;
            }
            let end = buffer.iter().position(|&byte| is_line_end(byte));
            let (text, rest) = buffer.split_at(end.unwrap_or(buffer.len()));
            line.push(text);
            line.ended = end.is_some();
            self.after_cr = rest.first() == Some(&b'\r');
            let consumed = text.len() + usize::from(line.ended);
            self.consume(consumed);
        }
        self.count += 1;
        Ok(Some(line))
    }

    /// The next line that is not blank.
    pub(super) fn next_filled(&mut self) -> io::Result<Option<Line>> {
        loop {
            match self.next()? {
                Some(line) if line.is_blank() => {}
                line => return Ok(line),
            }
        }
    }

    /// Lines to be read again, in their order, before all others.
    pub(super) fn put_back(&mut self, lines: Vec<Line>) {
        for line in lines.into_iter().rev() {
            self.put_back.push_front(line);
        }
    }

    /// Whether the next line has to be read from the stream, which may keep us waiting.
    pub(super) fn would_read(&self) -> bool {
        let buffer = self.reader.buffer();
        let skipped = usize::from(self.after_cr && buffer.first() == Some(&b'\n'));
        self.put_back.is_empty() && !buffer.iter().skip(skipped).any(|&byte| is_line_end(byte))
    }

    /// How far the stream was read, in bytes.
    pub(super) fn bytes_read(&self) -> u64 {
        self.bytes_read
    }

    fn skip_lf_of_crlf(&mut self) -> io::Result<()> {
        if std::mem::take(&mut self.after_cr) && fill(&mut self.reader)?.first() == Some(&b'\n') {
            self.consume(1);
        }
        Ok(())
    }

    fn consume(&mut self, bytes: usize) {
        self.reader.consume(bytes);
        self.bytes_read += bytes as u64;
    }
}

fn is_line_end(byte: u8) -> bool {
    matches!(byte, b'\n' | b'\r')
}

/// The buffered bytes, read anew where there are none; none at the end of the stream.
fn fill<R: Read>(reader: &mut BufReader<R>) -> io::Result<&[u8]> {
    while let Err(error) = reader.fill_buf() {
        if error.kind() != io::ErrorKind::Interrupted {
            return Err(error);
        }
    }
    Ok(reader.buffer())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Gives its bytes in pieces, interrupted before every piece.
    struct Pieces<'a> {
        rest: &'a [u8],
        size: usize,
        interrupted: bool,
    }

    impl<'a> Pieces<'a> {
        fn new(rest: &'a [u8], size: usize) -> Self {
            Self { rest, size, interrupted: false }
        }
    }

    impl Read for Pieces<'_> {
        fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
            self.interrupted = !self.interrupted;
            if self.interrupted {
                return Err(io::ErrorKind::Interrupted.into());
            }
            let mut piece = &self.rest[..self.size.min(self.rest.len())];
            let read = piece.read(buffer)?;
            self.rest = &self.rest[read..];
            Ok(read)
        }
    }

    fn read_all(bytes: &[u8], size: usize) -> Vec<(u64, String, bool)> {
        let mut lines = Lines::new(Pieces::new(bytes, size));
        let mut seen = Vec::new();
        while let Some(line) = lines.next().unwrap() {
            seen.push((line.number, String::from_utf8(line.bytes).unwrap(), line.ended));
        }
        assert_eq!(lines.bytes_read(), bytes.len() as u64);
        seen
    }

    #[test]
    fn every_line_end_ends_a_line_however_the_bytes_arrive() {
        for size in [1, 2, 3, 100] {
            let seen = read_all(b"a\nb\r\nc\rd\n\r\ne\r\r\nf", size);
            let texts: Vec<_> = seen.iter().map(|(_, text, _)| text.as_str()).collect();
            assert_eq!(texts, ["a", "b", "c", "d", "", "e", "", "f"]);
            assert!(seen.iter().map(|(number, ..)| *number).eq(1..=8));
            assert!(seen.iter().all(|(number, _, ended)| *ended == (*number < 8)));
        }
    }

    #[test]
    fn nothing_follows_the_last_line_end() {
        for text in ["", "a\n", "a\r\n", "a\r"] {
            assert_eq!(read_all(text.as_bytes(), 1).len(), usize::from(!text.is_empty()), "{text:?}");
        }
    }

    #[test]
    fn a_line_over_the_bound_is_passed_over_and_never_kept() {
        let rest = [b"\nnext".as_slice(), b"\n"].concat();
        for (length, too_long) in
            [(MAX_LINE_BYTES, false), (MAX_LINE_BYTES + 1, true), (100 * MAX_LINE_BYTES, true)]
        {
            let stream = io::repeat(b'x').take(length as u64).chain(rest.as_slice());
            let mut lines = Lines::new(stream);
            let long = lines.next().unwrap().unwrap();
            assert_eq!((long.bytes.len(), long.too_long), (MAX_LINE_BYTES, too_long));
            assert!(long.bytes.capacity() <= 2 * MAX_LINE_BYTES);
            let next = lines.next().unwrap().unwrap();
            assert_eq!((next.number, next.bytes.as_slice()), (2, b"next".as_slice()));
            assert_eq!(lines.next().unwrap(), None);
        }
    }

    #[test]
    fn lines_put_back_come_again_in_order_and_keep_their_numbers() {
        let mut lines = Lines::new(b"a\nb\nc\nd".as_slice());
        let first: Vec<_> = (0..3).map(|_| lines.next().unwrap().unwrap()).collect();
        let mut tail = first;
        tail.remove(0);
        lines.put_back(tail);
        let again: Vec<_> = (0..3).map(|_| lines.next().unwrap().unwrap().number).collect();
        assert_eq!(again, [2, 3, 4]);
    }

    #[test]
    fn whether_the_next_line_is_there_is_known_without_reading() {
        let mut lines = Lines::new(b"a\r".as_slice().chain(b"\nb\nc".as_slice()));
        assert!(lines.would_read());
        lines.next().unwrap();
        assert!(lines.would_read(), "the LF may be late, and is not a line");
        assert_eq!(lines.next().unwrap().unwrap().bytes, b"b");
        assert!(lines.would_read(), "c may go on");
    }
}
