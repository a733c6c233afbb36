//! What a database driver's error means to the callers of a store.
//!
//! Invariant: no bound value and no row content passes through: drivers quote them, and they are personal data.

use sqlx::error::DatabaseError;
use sqlx::sqlite::SqliteError;

use super::StoreError;

/// `SQLite`'s primary result codes (<https://sqlite.org/rescode.html>) after which the same call may work later.
const SQLITE_MAY_PASS: [(i32, &str); 8] = [
    (5, "another process is writing to it (SQLITE_BUSY)"),
    (6, "a table is locked (SQLITE_LOCKED)"),
    (7, "out of memory (SQLITE_NOMEM)"),
    (8, "it cannot be written; check the file's owner and mode (SQLITE_READONLY)"),
    (10, "the disk failed (SQLITE_IOERR)"),
    (13, "the disk is full (SQLITE_FULL)"),
    (14, "the file cannot be opened; check its folder, owner and mode (SQLITE_CANTOPEN)"),
    (15, "the lock protocol failed (SQLITE_PROTOCOL)"),
];

const SQLITE_CORRUPT: i32 = 11;
const SQLITE_NOTADB: i32 = 26;

impl From<sqlx::Error> for StoreError {
    fn from(error: sqlx::Error) -> Self {
        match error {
            sqlx::Error::Database(error) => from_database(error.as_ref()),
            sqlx::Error::Io(error) => Self::Unavailable(error.kind().to_string()),
            sqlx::Error::PoolTimedOut => Self::Unavailable("no connection became free in time".to_owned()),
            sqlx::Error::PoolClosed => Self::Unavailable("it is closed".to_owned()),
            sqlx::Error::WorkerCrashed => Self::Unavailable("its thread died".to_owned()),
            // The sources of these quote what they could not read.
            sqlx::Error::ColumnDecode { index, .. } => {
                Self::Statement(format!("column {index} holds another type than expected"))
            }
            sqlx::Error::Decode(_) => Self::Statement("a value holds another type than expected".to_owned()),
            sqlx::Error::Encode(_) => Self::Statement("a value cannot be encoded".to_owned()),
            other => Self::Statement(other.to_string()),
        }
    }
}

fn from_database(error: &dyn DatabaseError) -> StoreError {
    // Extended codes carry the primary one in their low byte.
    let primary = error
        .try_downcast_ref::<SqliteError>()
        .and_then(DatabaseError::code)
        .and_then(|code| code.parse::<i32>().ok())
        .map(|code| code & 0xff);
    match primary {
        Some(SQLITE_CORRUPT | SQLITE_NOTADB) => StoreError::Open(
            "the file is damaged or no SQLite database; restore it from your backup".to_owned(),
        ),
        Some(code) => match SQLITE_MAY_PASS.iter().find(|(known, _)| *known == code) {
            Some((_, meaning)) => StoreError::Unavailable((*meaning).to_owned()),
            // SQLite's own messages name tables, columns and syntax, never values.
            None => StoreError::Statement(error.message().to_owned()),
        },
        None => StoreError::Statement(error.code().unwrap_or_default().into_owned()),
    }
}
