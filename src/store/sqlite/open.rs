//! Opening: the file and its folder, the settings of every connection, migrations, the key's fingerprint.
//!
//! Invariant: a database that this version and this key cannot serve is refused before it is used, with what to do.

use std::path::Path;
use std::time::Duration;

use sqlx::ConnectOptions as _;
use sqlx::migrate::Migrator;
use sqlx::sqlite::{
    SqliteConnectOptions, SqliteJournalMode, SqlitePool, SqlitePoolOptions, SqliteSynchronous,
};

use super::super::StoreError;
use super::{SqliteStore, Write};
use crate::store::Migrated;
use crate::store::migrate::{check_key, migration_error};

/// How long a statement waits for another process that writes.
const BUSY_TIMEOUT: Duration = Duration::from_secs(10);
/// Turning a new file to WAL takes an exclusive lock that the busy timeout does not wait for.
const OPEN_TRIES: u32 = 200;
const OPEN_PAUSE: Duration = Duration::from_millis(25);
/// Negative: KiB. A group commit touches some thousand pages; what does not fit is written more than once.
const WRITER_CACHE: &str = "-16384";
/// A checkpoint costs two flushes of the disk: one in many commits, at 32 MiB.
const CHECKPOINT_PAGES: &str = "8192";
const READERS: u32 = 3;

static MIGRATIONS: Migrator = sqlx::migrate!("src/store/migrations/sqlite");

/// Opens the writing connection and the readers.
pub(super) async fn open(
    path: &Path,
    key_fingerprint: &str,
) -> Result<(SqlitePool, SqlitePool, Migrated), StoreError> {
    let in_memory = path == Path::new(SqliteStore::MEMORY);
    let options = SqliteConnectOptions::new()
        .busy_timeout(BUSY_TIMEOUT)
        .foreign_keys(true)
        .pragma("secure_delete", "ON")
        .disable_statement_logging();
    let options = if in_memory {
        options.in_memory(true)
    } else {
        create_private(path)?;
        options.filename(path)
    };
    let writing = options
        .clone()
        .journal_mode(SqliteJournalMode::Wal)
        .synchronous(SqliteSynchronous::Full)
        .pragma("cache_size", WRITER_CACHE)
        .pragma("wal_autocheckpoint", CHECKPOINT_PAGES)
        .pragma("temp_store", "MEMORY");
    let writer = connect_patiently(writing).await?;
    let opened = prepare(&writer, key_fingerprint).await;
    let readers = match opened {
        Ok(migrated) if in_memory => Ok((writer.clone(), migrated)),
        Ok(migrated) => Ok((pool(READERS).connect_lazy_with(options.read_only(true)), migrated)),
        Err(error) => Err(error),
    };
    match readers {
        Ok((readers, migrated)) => Ok((writer, readers, migrated)),
        Err(error) => {
            writer.close().await;
            Err(error)
        }
    }
}

fn pool(connections: u32) -> SqlitePoolOptions {
    SqlitePoolOptions::new()
        .max_connections(connections)
        .idle_timeout(None)
        .max_lifetime(None)
        .test_before_acquire(false)
}

async fn connect_patiently(options: SqliteConnectOptions) -> Result<SqlitePool, StoreError> {
    let mut tries = 1;
    loop {
        match pool(1).connect_with(options.clone()).await.map_err(StoreError::from) {
            Ok(writer) => return Ok(writer),
            Err(StoreError::Unavailable(_)) if tries < OPEN_TRIES => tries += 1,
            Err(StoreError::Unavailable(reason) | StoreError::Statement(reason)) => {
                return Err(StoreError::Open(reason));
            }
            Err(error) => return Err(error),
        }
        tokio::time::sleep(OPEN_PAUSE).await;
    }
}

/// Brings the tables up to date and checks the key, in one transaction: two processes that start at once do it
/// one after the other, and a refused database stays as it was.
async fn prepare(writer: &SqlitePool, key_fingerprint: &str) -> Result<Migrated, StoreError> {
    let mut tx: Write = writer.begin_with("BEGIN IMMEDIATE").await?;
    let exists: bool =
        sqlx::query_scalar("SELECT EXISTS (SELECT 1 FROM sqlite_schema WHERE name = '_sqlx_migrations')")
            .fetch_one(&mut *tx)
            .await?;
    let before: Vec<i64> = if exists {
        sqlx::query_scalar("SELECT version FROM _sqlx_migrations").fetch_all(&mut *tx).await?
    } else {
        Vec::new()
    };
    MIGRATIONS.run_direct(None, &mut *tx, false).await.map_err(migration_error)?;
    sqlx::query("INSERT INTO meta (key, value) VALUES ('key_fingerprint', ?) ON CONFLICT (key) DO NOTHING")
        .bind(key_fingerprint)
        .execute(&mut *tx)
        .await?;
    let written_with: String = sqlx::query_scalar("SELECT value FROM meta WHERE key = 'key_fingerprint'")
        .fetch_one(&mut *tx)
        .await?;
    check_key(&written_with, key_fingerprint)?;
    tx.commit().await?;
    Ok(Migrated::since(&before, &MIGRATIONS))
}

/// Makes the file before `SQLite` does, so that it and the files beside it are the owner's only. The mode of a
/// file that exists is its owner's choice.
fn create_private(path: &Path) -> Result<(), StoreError> {
    let refused = |error: std::io::Error| {
        StoreError::Open(format!("`{}` cannot be made: {}", path.display(), error.kind()))
    };
    if let Some(folder) = path.parent() {
        std::fs::create_dir_all(folder).map_err(refused)?;
    }
    let mut options = std::fs::OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    match options.open(path) {
        Err(error) if error.kind() != std::io::ErrorKind::AlreadyExists => Err(refused(error)),
        _ => Ok(()),
    }
}
