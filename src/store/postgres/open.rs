//! Opening: how connections are made and how many, migrations, the key's fingerprint.
//!
//! Invariant: a database that this version and this key cannot serve is refused before it is used, with what to do;
//! its address is never shown with a password.

use std::str::FromStr as _;
use std::sync::LazyLock;
use std::time::Duration;

use secrecy::ExposeSecret as _;
use sqlx::migrate::Migrator;
use sqlx::postgres::{PgConnectOptions, PgPool, PgPoolOptions};
use sqlx::{ConnectOptions as _, Connection as _, PgConnection, Row as _};

use super::session::Sessions;
use super::{Access, Bell, StoreError};
use crate::store::Migrated;
use crate::store::migrate::{check_key, migration_error};

/// A worker claims, commits, beats and stores paid answers at the same time; the rest is for its doors.
const FOR_WORK: u32 = 6;
/// For counts and searches of the console and the command line. (A server with the usual 100 connections has room for ten workers, with
/// one to listen each.)
const FOR_REPORTS: u32 = 2;
/// How long a caller waits for one of them, or for the server to answer at all.
const PATIENCE: Duration = Duration::from_secs(10);
const JUST_NOW: Duration = Duration::from_millis(100);
/// Limits on the server's side, so that a worker that hangs or vanishes holds nobody up for long. Statements take
/// milliseconds; the census of a large database may take a minute. `session.rs` sets the same behind a pooler. And no machine code
/// made for one statement: that takes longer than most of ours.
const SETTINGS: [(&str, &str); 4] = [
    ("statement_timeout", "120s"),
    ("lock_timeout", "15s"),
    ("idle_in_transaction_session_timeout", "30s"),
    ("jit", "off"),
];

/// One process after the other, without a limit to the wait: the first may have much to do. A lock of the transaction
/// and not of the session, which a pooler would leave on somebody else's connection.
const BEGIN: &str = "
    BEGIN ISOLATION LEVEL READ COMMITTED;
    SET LOCAL statement_timeout = 0;
    SET LOCAL lock_timeout = 0;
    SET LOCAL idle_in_transaction_session_timeout = 0;
    SELECT pg_advisory_xact_lock(1198286177, 0)";

/// Without the lock of their own, which is one of the session.
static MIGRATIONS: LazyLock<Migrator> = LazyLock::new(|| {
    let mut migrations = sqlx::migrate!("src/store/migrations/postgres");
    migrations.set_locking(false);
    migrations
});

pub(super) async fn open(
    access: &Access,
    key_fingerprint: &str,
) -> Result<(Sessions, Bell, Migrated), StoreError> {
    let options = options(access)?;
    let place = format!("{}:{}", options.get_host(), options.get_port());
    // Not through the pool, which would try again for a while where the server refuses.
    let mut connection = tokio::time::timeout(PATIENCE, options.connect())
        .await
        .unwrap_or_else(|_| Err(sqlx::Error::PoolTimedOut))
        .map_err(|error| at(&place, error))?;
    let migrated = prepare(&mut connection, access.pooler, key_fingerprint).await?;
    // Nothing is lost if the server does not hear of it.
    let _ = connection.close().await;
    let (sessions, bell) = if access.pooler {
        (Sessions::behind_a_pooler(pool(FOR_WORK + FOR_REPORTS, options)), Bell::behind_a_pooler())
    } else {
        let by_index = options.clone().options([("enable_seqscan", "off")]);
        let sessions = Sessions::new(pool(FOR_WORK, by_index), pool(FOR_REPORTS, options.clone()));
        (sessions, Bell::new(options))
    };
    Ok((sessions, bell, migrated))
}

fn pool(connections: u32, options: PgConnectOptions) -> PgPool {
    PgPoolOptions::new()
        .max_connections(connections)
        .acquire_timeout(PATIENCE)
        // A connection that was not used just now is asked whether it is still there.
        .test_before_acquire(false)
        .before_acquire(|connection, used| {
            Box::pin(async move { Ok(used.idle_for < JUST_NOW || connection.ping().await.is_ok()) })
        })
        .connect_lazy_with(options)
}

fn options(access: &Access) -> Result<PgConnectOptions, StoreError> {
    let options = PgConnectOptions::from_str(access.url.expose_secret()).map_err(|_| {
        StoreError::Open("its address cannot be read; write postgres://user@host:port/database".to_owned())
    })?;
    let options = options.disable_statement_logging();
    let options = match options.get_application_name() {
        None => options.application_name("gleaner"),
        Some(_) => options,
    };
    if access.pooler {
        // What a pooler does not know it refuses, and what is prepared on one connection is missing on the next.
        return Ok(options.extra_float_digits(None).statement_cache_capacity(0));
    }
    let given = options.get_options().unwrap_or_default().to_owned();
    let ours = SETTINGS.into_iter().filter(|(name, _)| !given.contains(name));
    Ok(options.options(ours))
}

/// Says where it was that nobody answered.
fn at(place: &str, error: sqlx::Error) -> StoreError {
    match StoreError::from(error) {
        StoreError::Unavailable(reason) => StoreError::Unavailable(format!("{reason} ({place})")),
        StoreError::Statement(reason) => StoreError::Open(format!("{reason} ({place})")),
        other => other,
    }
}

/// Brings the tables up to date and checks the key, in one transaction: processes that start at once do it one after
/// the other, and a refused database stays as it was.
async fn prepare(
    connection: &mut PgConnection,
    pooler: bool,
    key_fingerprint: &str,
) -> Result<Migrated, StoreError> {
    let mut tx = connection.begin_with(BEGIN).await?;
    if pooler {
        forget_statements(&mut tx).await?;
    }
    let before = applied(&mut tx).await?;
    // Looked at first, because making sure of the table would need the right to make one.
    if !is_up_to_date(&before) {
        MIGRATIONS.run_direct(None, &mut *tx, false).await.map_err(migration_error)?;
    }
    let written_with = sqlx::query(
        "WITH first AS (
             INSERT INTO meta (key, value)
             SELECT 'key_fingerprint', $1
             WHERE NOT EXISTS (SELECT 1 FROM meta WHERE key = 'key_fingerprint')
             RETURNING value
         )
         SELECT value FROM first
         UNION ALL
         SELECT value FROM meta WHERE key = 'key_fingerprint'",
    )
    .bind(key_fingerprint)
    .persistent(false)
    .fetch_one(&mut *tx)
    .await?;
    check_key(written_with.try_get(0)?, key_fingerprint)?;
    if pooler {
        forget_statements(&mut tx).await?;
    }
    tx.commit().await?;
    let before: Vec<_> = before.into_iter().map(|(version, _)| version).collect();
    Ok(Migrated::since(&before, &MIGRATIONS))
}

/// The migrations prepare statements by name, which the next one on this connection of a pooler would prepare again.
async fn forget_statements(tx: &mut PgConnection) -> Result<(), StoreError> {
    sqlx::raw_sql("DEALLOCATE ALL").execute(tx).await?;
    Ok(())
}

/// The number and checksum of each migration that was applied, in order.
async fn applied(tx: &mut PgConnection) -> Result<Vec<(i64, Vec<u8>)>, StoreError> {
    let exists = sqlx::query("SELECT to_regclass('_sqlx_migrations') IS NOT NULL")
        .persistent(false)
        .fetch_one(&mut *tx)
        .await?;
    if !exists.try_get::<bool, _>(0)? {
        return Ok(Vec::new());
    }
    let rows = sqlx::query("SELECT version, checksum FROM _sqlx_migrations WHERE success ORDER BY version")
        .persistent(false)
        .fetch_all(tx)
        .await?;
    rows.iter().map(|row| Ok((row.try_get(0)?, row.try_get(1)?))).collect()
}

fn is_up_to_date(applied: &[(i64, Vec<u8>)]) -> bool {
    MIGRATIONS
        .iter()
        .map(|migration| (migration.version, migration.checksum.to_vec()))
        .eq(applied.iter().cloned())
}
