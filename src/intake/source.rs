//! What can be named on a command line: a file, standard input, an address; and how its format is found out.

use std::fmt;
use std::fs::File;
use std::io::{self, BufRead, BufReader, Cursor, Read};
use std::path::Path;

use super::columns::Columns;
use super::delimited;
use super::lines::Lines;
use super::rows::{Format, Row, Rows};

/// Bytes looked at to find out the format.
const BUFFER: usize = 64 * 1024;

/// Somewhere that members come from.
pub struct Source {
    rows: Rows<Box<dyn BufRead + Send>>,
    size_bytes: Option<u64>,
}

impl fmt::Debug for Source {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Source").field("name", &self.rows.name).finish_non_exhaustive()
    }
}

/// Rows read together.
#[derive(Debug)]
pub(super) struct Batch {
    pub(super) rows: Vec<Row>,
    /// Bytes read so far.
    pub(super) bytes_read: u64,
}

/// Why a source cannot be read.
#[derive(Debug, thiserror::Error)]
pub enum SourceError {
    #[error("`{name}` is neither a file nor an e-mail address")]
    NotFound { name: String },
    #[error("cannot read `{name}`")]
    Read { name: String, source: io::Error },
    #[error(
        "`{name}` has no column for the e-mail address; its columns are: {columns}. \
         Name one of them `email` (or e-mail, email_address, mail)"
    )]
    NoEmailColumn { name: String, columns: String },
    #[error("`{name}` is one JSON array; write one object a line (`jq -c '.[]'` does that)")]
    JsonArray { name: String },
    #[error("`{name}` is UTF-16 text; save it as UTF-8 (`iconv -f UTF-16 -t UTF-8`)")]
    Utf16 { name: String },
}

impl Source {
    /// A file, `-` for standard input, or an e-mail address.
    pub fn named(name: &str) -> Result<Self, SourceError> {
        if name == "-" {
            return Self::detect(
                "stdin",
                None,
                None,
                Box::new(BufReader::with_capacity(BUFFER, io::stdin())),
            );
        }
        match File::open(name) {
            Ok(file) => Self::file(Path::new(name), file),
            Err(error) if error.kind() == io::ErrorKind::NotFound && name.contains('@') => {
                Ok(Self::address(name))
            }
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                Err(SourceError::NotFound { name: name.to_owned() })
            }
            Err(source) => Err(SourceError::Read { name: name.to_owned(), source }),
        }
    }

    /// A text in memory, such as the sample members; `name` is what its rows are called by.
    pub fn from_text(name: &str, text: &'static str) -> Result<Self, SourceError> {
        let size = Some(text.len() as u64);
        Self::detect(name, extension(Path::new(name)), size, Box::new(Cursor::new(text)))
    }

    /// Anything that can be read; `name` is what its rows are called by.
    #[cfg(test)]
    pub(super) fn from_reader(name: &str, reader: Box<dyn BufRead + Send>) -> Result<Self, SourceError> {
        Self::detect(name, extension(Path::new(name)), None, reader)
    }

    /// How many bytes there are to read, where that is known.
    pub const fn size_bytes(&self) -> Option<u64> {
        self.size_bytes
    }

    fn file(path: &Path, file: File) -> Result<Self, SourceError> {
        let name = path.file_name().map_or_else(|| "file".into(), |name| name.to_string_lossy());
        let read_error = |source| SourceError::Read { name: path.display().to_string(), source };
        let metadata = file.metadata().map_err(read_error)?;
        if metadata.is_dir() {
            return Err(read_error(io::ErrorKind::IsADirectory.into()));
        }
        let size = metadata.is_file().then(|| metadata.len());
        Self::detect(&name, extension(path), size, Box::new(BufReader::with_capacity(BUFFER, file)))
    }

    fn address(address: &str) -> Self {
        let reader: Box<dyn BufRead + Send> = Box::new(Cursor::new(address.to_owned()));
        let name = "argument".to_owned();
        Self { rows: Rows { lines: Lines::new(reader), format: Format::List, name }, size_bytes: None }
    }

    fn detect(
        name: &str,
        extension: Option<String>,
        size_bytes: Option<u64>,
        mut reader: Box<dyn BufRead + Send>,
    ) -> Result<Self, SourceError> {
        let read_error = |source| SourceError::Read { name: name.to_owned(), source };
        // A buffer of our own, because a pipe may hand over its first bytes one by one.
        let mut head = Vec::new();
        reader.by_ref().take(4).read_to_end(&mut head).map_err(read_error)?;
        if head.starts_with(&[0xff, 0xfe]) || head.starts_with(&[0xfe, 0xff]) {
            return Err(SourceError::Utf16 { name: name.to_owned() });
        }
        let head = head.strip_prefix(b"\xef\xbb\xbf").map(<[u8]>::to_vec).unwrap_or(head);
        let reader: Box<dyn BufRead + Send> = Box::new(Cursor::new(head).chain(reader));
        let mut lines = Lines::new(reader);
        let format = format(name, extension.as_deref(), &mut lines)?;
        Ok(Self { rows: Rows { lines, format, name: name.to_owned() }, size_bytes })
    }

    /// Reads to the end, or until nobody wants more.
    pub(super) fn read(
        mut self,
        batch: usize,
        mut take: impl FnMut(Batch) -> bool,
    ) -> Result<(), SourceError> {
        loop {
            let mut rows = Vec::with_capacity(batch);
            while rows.len() < batch {
                match self.rows.next() {
                    Ok(Some(row)) => rows.push(row),
                    Ok(None) => break,
                    Err(source) => return Err(SourceError::Read { name: self.rows.name, source }),
                }
            }
            let ended = rows.len() < batch;
            let bytes_read = self.rows.lines.bytes_read();
            if !rows.is_empty() && !take(Batch { rows, bytes_read }) || ended {
                return Ok(());
            }
        }
    }
}

fn extension(path: &Path) -> Option<String> {
    path.extension().map(|extension| extension.to_string_lossy().to_lowercase())
}

/// Finds out the format from the name's ending and the first line that is not blank; takes the header off.
fn format<R: BufRead>(
    name: &str,
    extension: Option<&str>,
    lines: &mut Lines<R>,
) -> Result<Format, SourceError> {
    let first = loop {
        match lines.next().map_err(|source| SourceError::Read { name: name.to_owned(), source })? {
            Some(line) if line.bytes.trim_ascii().is_empty() => {}
            Some(line) => break line,
            // Nothing in it: any format will do.
            None => return Ok(Format::List),
        }
    };
    let is_json_name = matches!(extension, Some("json" | "jsonl" | "ndjson"));
    match first.bytes.trim_ascii().first() {
        Some(b'[') if is_json_name || extension.is_none() => {
            return Err(SourceError::JsonArray { name: name.to_owned() });
        }
        Some(b'{') => {
            lines.put_back(std::iter::once(first));
            return Ok(Format::JsonLines);
        }
        _ if is_json_name => {
            lines.put_back(std::iter::once(first));
            return Ok(Format::JsonLines);
        }
        _ => {}
    }
    let delimiter = if extension == Some("tsv") { b'\t' } else { delimited::sniff(&first.bytes) };
    let header = delimited::split(&first.bytes, delimiter).unwrap_or_default();
    let header: Vec<_> = header.iter().map(|cell| String::from_utf8_lossy(cell)).collect();
    if let Some(columns) = Columns::find(header.iter().map(AsRef::as_ref)) {
        return Ok(Format::Delimited { delimiter, columns });
    }
    // No header: a list, if it can be one. A table without header is refused: which column is which is not guessed.
    if extension == Some("txt") || (header.len() <= 1 && first.bytes.contains(&b'@')) {
        lines.put_back(std::iter::once(first));
        return Ok(Format::List);
    }
    // What looks like a value is not repeated.
    let shown =
        |column: &str| if column.contains('@') { "(an address)".to_owned() } else { column.to_owned() };
    let columns = header.iter().map(|column| shown(column)).collect::<Vec<_>>().join(", ");
    Err(SourceError::NoEmailColumn { name: name.to_owned(), columns })
}
