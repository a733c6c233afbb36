//! The file door: members from CSV, JSON lines, plain lists of addresses, standard input or the command line.
//!
//! A stream is read on a thread of its own, because files and terminals block; batches come through a channel
//! that holds one. A pipe that pauses hands over what it has.
//!
//! Invariant: memory is bounded whatever the stream holds; a bad row costs only itself; neither errors nor
//! origins show what a row holds.

use std::fs::File;
use std::io::{self, Read};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use tokio::sync::{mpsc, oneshot};

use self::opening::Hint;
use self::rows::Rows;
use super::registration;
use crate::job::{Refusal, Registration};
use crate::keyring::Keyring;

mod cells;
mod columns;
mod lines;
mod opening;
mod rows;
#[cfg(test)]
mod tests;

/// The most rows in one batch, and so in one transaction of the store.
pub const BATCH_ROWS: usize = 1_000;

/// Why a source as a whole cannot be read (on). A bad row is no such error: it is a [`Refusal`].
#[derive(Debug, thiserror::Error)]
pub enum SourceError {
    #[error("cannot open `{}`; check its name and who may read it", path.display())]
    Open { path: PathBuf, source: io::Error },
    /// Rows before it were handed over.
    #[error("cannot read `{name}` beyond line {line}; mend it and take it in again, which does no harm")]
    Read { name: String, line: u64, source: io::Error },
    #[error("`{name}` is {found}, not UTF-8 text; {remedy}")]
    NotText { name: String, found: &'static str, remedy: &'static str },
    #[error(
        "`{name}` is one JSON document, not JSON lines; write one object a line, for example with `jq -c '.[]'`"
    )]
    JsonDocument { name: String },
    #[error(
        "line {line} of `{name}` is neither a header nor one address; begin with a header such as `member_id,email`"
    )]
    NoHeader { name: String, line: u64 },
    #[error("`{name}` has no e-mail column, but {columns}; name one {accepted}")]
    NoEmailColumn { name: String, columns: String, accepted: &'static str },
}

/// Consecutive rows of a source.
#[derive(Clone, Debug, Default)]
pub struct Batch {
    pub registrations: Vec<Registration>,
    pub refusals: Vec<Refusal>,
    /// Rows in this batch that were not blank: the registrations and refusals together.
    pub rows_read: u64,
    /// How far the source was read by the end of this batch, in bytes from its beginning.
    pub bytes_read: u64,
}

impl Batch {
    pub(super) fn push(&mut self, row: Result<Registration, Refusal>) {
        self.rows_read += 1;
        match row {
            Ok(registration) => self.registrations.push(registration),
            Err(refusal) => self.refusals.push(refusal),
        }
    }
}

/// A stream of members.
#[derive(Debug)]
pub struct Source {
    name: String,
    layout: String,
    total_bytes: Option<u64>,
    feed: Feed,
}

/// Where batches come from.
#[derive(Debug)]
enum Feed {
    /// The reading thread; it ends with `None` or an error.
    Thread(mpsc::Receiver<Result<Option<Batch>, SourceError>>),
    /// Rows at hand.
    Ready(std::vec::IntoIter<Batch>),
}

/// A stream, before it is looked into.
struct Stream<R> {
    reader: R,
    /// Its size, where it is known.
    total_bytes: Option<u64>,
}

impl Source {
    /// Opens a file, or standard input where the path is `-`.
    pub async fn open(path: &Path, keyring: Arc<Keyring>) -> Result<Self, SourceError> {
        if path == Path::new("-") {
            return Self::read(io::stdin(), "stdin", keyring).await;
        }
        let path = path.to_owned();
        let name = path.file_name().unwrap_or(path.as_os_str()).to_string_lossy().into_owned();
        // Opening blocks too: a named pipe waits for its writer.
        Self::start(name, keyring, move || open_file(path)).await
    }

    /// Reads any stream. Rows are told as `name:line`; a name that ends in `.json`, `.jsonl` or `.ndjson` means
    /// JSON lines, else the first bytes decide.
    pub async fn read<R: Read + Send + 'static>(
        reader: R,
        name: &str,
        keyring: Arc<Keyring>,
    ) -> Result<Self, SourceError> {
        Self::start(name.to_owned(), keyring, move || Ok(Stream { reader, total_bytes: None })).await
    }

    /// Addresses from the command line, without ids.
    pub fn addresses<S: AsRef<str>>(addresses: &[S], keyring: &Keyring) -> Self {
        let mut batches: Vec<Batch> = Vec::new();
        for (chunk_index, chunk) in addresses.chunks(BATCH_ROWS).enumerate() {
            let mut batch =
                Batch { bytes_read: batches.last().map_or(0, |last| last.bytes_read), ..Batch::default() };
            for (index, address) in chunk.iter().enumerate() {
                batch.bytes_read += address.as_ref().len() as u64;
                batch.push(registration(None, address.as_ref(), keyring).map_err(|reason| Refusal {
                    origin: format!("argument:{}", chunk_index * BATCH_ROWS + index + 1),
                    member: None,
                    reason: reason.to_string(),
                }));
            }
            batches.push(batch);
        }
        Self {
            name: "argument".to_owned(),
            layout: "addresses".to_owned(),
            total_bytes: Some(batches.last().map_or(0, |last| last.bytes_read)),
            feed: Feed::Ready(batches.into_iter()),
        }
    }

    /// What origins begin with: a file's name without its folder, `stdin` or `argument`.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// How rows are read, to be shown: `comma-separated table with ids`.
    pub fn layout(&self) -> &str {
        &self.layout
    }

    /// The size in bytes, unless it is a pipe's; [`Batch::bytes_read`] grows up to it.
    pub fn total_bytes(&self) -> Option<u64> {
        self.total_bytes
    }

    /// The next rows, [`BATCH_ROWS`] at most and at least one; `None` at the end. Nothing is lost when the future
    /// is dropped.
    pub async fn next_batch(&mut self) -> Result<Option<Batch>, SourceError> {
        match &mut self.feed {
            Feed::Ready(batches) => Ok(batches.next()),
            Feed::Thread(batches) => match batches.recv().await {
                Some(Ok(None)) => {
                    self.feed = Feed::Ready(Vec::new().into_iter());
                    Ok(None)
                }
                Some(batch) => batch,
                None => Err(stopped(&self.name)),
            },
        }
    }

    async fn start<R: Read + Send + 'static>(
        name: String,
        keyring: Arc<Keyring>,
        open: impl FnOnce() -> Result<Stream<R>, SourceError> + Send + 'static,
    ) -> Result<Self, SourceError> {
        let (opened, layout) = oneshot::channel();
        let (batches, feed) = mpsc::channel(1);
        let rows_name = name.clone();
        // A thread, not the runtime's: a terminal that is never typed into must not keep the program from ending.
        let body = move || {
            let rows = open().and_then(|stream| {
                let rows = Rows::open(stream.reader, &rows_name, Hint::of_name(&rows_name), keyring)?;
                Ok((rows, stream.total_bytes))
            });
            match rows {
                Ok((rows, total_bytes)) => {
                    if opened.send(Ok((rows.layout(), total_bytes))).is_ok() {
                        send_batches(rows, total_bytes.is_none(), &batches);
                    }
                }
                Err(error) => drop(opened.send(Err(error))),
            }
        };
        std::thread::Builder::new()
            .name("intake".to_owned())
            .spawn(body)
            .map_err(|source| SourceError::Read { name: name.clone(), line: 0, source })?;
        let (layout, total_bytes) = layout.await.map_err(|_| stopped(&name))??;
        Ok(Self { name, layout: layout.describe(), total_bytes, feed: Feed::Thread(feed) })
    }
}

fn open_file(path: PathBuf) -> Result<Stream<File>, SourceError> {
    let opened = File::open(&path).and_then(|file| Ok((file.metadata()?, file)));
    match opened {
        Ok((metadata, _)) if metadata.is_dir() => {
            Err(SourceError::Open { path, source: io::ErrorKind::IsADirectory.into() })
        }
        Ok((metadata, reader)) => {
            Ok(Stream { reader, total_bytes: metadata.is_file().then_some(metadata.len()) })
        }
        Err(source) => Err(SourceError::Open { path, source }),
    }
}

/// Sends everything, until the end or until nobody listens any more.
fn send_batches<R: Read>(
    mut rows: Rows<R>,
    live: bool,
    batches: &mpsc::Sender<Result<Option<Batch>, SourceError>>,
) {
    loop {
        let mut batch = Batch::default();
        let ended = fill(&mut batch, &mut rows, live);
        batch.bytes_read = rows.bytes_read();
        if batch.rows_read > 0 && batches.blocking_send(Ok(Some(batch))).is_err() {
            return;
        }
        match ended {
            Ok(false) => {}
            Ok(true) => return drop(batches.blocking_send(Ok(None))),
            Err(error) => return drop(batches.blocking_send(Err(error))),
        }
    }
}

/// Reads until the batch is full or, of a live stream, until more would have to be waited for. Tells whether the
/// stream has ended.
fn fill<R: Read>(batch: &mut Batch, rows: &mut Rows<R>, live: bool) -> Result<bool, SourceError> {
    for read in 0..BATCH_ROWS {
        if live && read > 0 && rows.would_read() {
            return Ok(false);
        }
        match rows.next()? {
            Some(row) => batch.push(row),
            None => return Ok(true),
        }
    }
    Ok(false)
}

/// The reading thread is gone without a word: it panicked, which is a bug.
fn stopped(name: &str) -> SourceError {
    SourceError::Read { name: name.to_owned(), line: 0, source: io::Error::other("the reader stopped") }
}
