//! What a database driver's error means to the callers of a store.
//!
//! Invariant: no bound value and no row content passes through: drivers quote them, and they are personal data.

use sqlx::error::DatabaseError;
use sqlx::postgres::PgDatabaseError;
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

/// PostgreSQL's codes and classes (<https://www.postgresql.org/docs/current/errcodes-appendix.html>) after which the same
/// call may work later: the first that begins like the code.
const POSTGRES_MAY_PASS: [(&str, &str); 13] = [
    ("08P01", "a pooler refused or broke the connection; behind one, set `database_pooler = true`"),
    ("08", "the connection broke"),
    ("25006", "it takes no writes: a standby, or a server that is being replaced"),
    ("25P03", "the server ended a transaction that stood still"),
    ("40P01", "two transactions waited for each other"),
    ("40", "another transaction got in the way"),
    ("53100", "the server's disk is full"),
    ("53300", "the server has no connection left"),
    ("53", "the server is out of resources"),
    ("55P03", "a lock was not free in time"),
    ("57014", "a statement took too long and was cancelled"),
    ("57P03", "the server is starting up"),
    ("57P", "the server was shut down"),
];

/// Codes that say how it was set up: nothing works until someone does something.
const POSTGRES_SETUP: [(&str, &str); 6] = [
    (
        "28P01",
        "the password is wrong; give it in PGPASSWORD, in the file PGPASSFILE, or in GLEANER_DATABASE_URL",
    ),
    (
        "28",
        "the server refuses this user; see its pg_hba.conf, and PGPASSWORD or PGPASSFILE for the password",
    ),
    ("3D000", "the server has no such database; make it with `createdb`"),
    (
        "42501",
        "this user lacks a right; the one who owns the tables can run `gleaner migrate`, see docs/operate.md",
    ),
    ("26000", "a prepared statement is gone; behind a pooler, set `database_pooler = true`"),
    ("42P05", "a prepared statement is there already; behind a pooler, set `database_pooler = true`"),
];

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
    if let Some(error) = error.try_downcast_ref::<PgDatabaseError>() {
        return from_postgres(error);
    }
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

/// Without the server's own message, which may quote a row.
fn from_postgres(error: &PgDatabaseError) -> StoreError {
    let code = error.code();
    let meaning = |known: &[(&str, &'static str)]| {
        known
            .iter()
            .find(|(start, _)| code.starts_with(start))
            .map(|(_, meaning)| format!("{meaning} ({code})"))
    };
    if let Some(meaning) = meaning(&POSTGRES_MAY_PASS) {
        return StoreError::Unavailable(meaning);
    }
    if let Some(meaning) = meaning(&POSTGRES_SETUP) {
        return StoreError::Open(meaning);
    }
    let place = [error.table(), error.column(), error.constraint()].into_iter().flatten().collect::<Vec<_>>();
    let place = if place.is_empty() { String::new() } else { format!(" at {}", place.join(", ")) };
    StoreError::Statement(format!("SQLSTATE {code}{place}"))
}
