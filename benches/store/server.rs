//! The PostgreSQL server of the bench and its databases; how much they write and hold.

use std::path::{Path, PathBuf};
use std::process::Command;

use gleaner::config::Database;
use gleaner::store::{self, SharedStore};
use sqlx::{AssertSqlSafe, Connection as _, PgConnection};

/// Where a server is that somebody else started.
const VARIABLE: &str = "GLEANER_TEST_POSTGRES";

/// A running server; one of our own is stopped when it is dropped.
pub(crate) struct Server {
    own: Option<(PathBuf, tempfile::TempDir)>,
    url: String,
}

impl Server {
    /// The server that the environment names, or a new one with room for its pages and without checkpoints in between.
    #[expect(clippy::disallowed_methods, reason = "how benches and tests learn where their services are")]
    pub(crate) async fn find_or_start() -> Self {
        if let Ok(url) = std::env::var(VARIABLE) {
            return Self { own: None, url };
        }
        let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/services/postgres");
        let folder = tempfile::tempdir().unwrap();
        // The server runs under an account of its own, which has to get in.
        #[cfg(unix)]
        std::fs::set_permissions(folder.path(), std::os::unix::fs::PermissionsExt::from_mode(0o755)).unwrap();
        let started = Command::new(&script).arg("start").arg(folder.path().join("pg")).output().unwrap();
        assert!(
            started.status.success(),
            "postgres does not start: {}",
            String::from_utf8_lossy(&started.stderr)
        );
        let url = String::from_utf8(started.stdout).unwrap().trim().to_owned();
        let server = Self { own: Some((script, folder)), url };
        for setting in ["shared_buffers = '1GB'", "max_wal_size = '8GB'", "checkpoint_timeout = '30min'"] {
            run(&mut server.connect("postgres").await, &format!("ALTER SYSTEM SET {setting}")).await;
        }
        server.act("restart");
        server
    }

    fn act(&self, action: &str) {
        if let Some((script, folder)) = &self.own {
            let acted = Command::new(script).arg(action).arg(folder.path().join("pg")).status().unwrap();
            assert!(acted.success(), "postgres does not {action}");
        }
    }

    /// A new, empty database.
    pub(crate) async fn database(&self, name: &str) -> Databank {
        let mut connection = self.connect("postgres").await;
        run(&mut connection, &format!("DROP DATABASE IF EXISTS {name}")).await;
        run(&mut connection, &format!("CREATE DATABASE {name}")).await;
        Databank { url: self.url_of(name) }
    }

    async fn connect(&self, name: &str) -> PgConnection {
        PgConnection::connect(&self.url_of(name)).await.unwrap()
    }

    fn url_of(&self, name: &str) -> String {
        let mut url = url::Url::parse(&self.url).unwrap();
        url.set_path(name);
        url.into()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.act("stop");
    }
}

/// One database on it.
pub(crate) struct Databank {
    pub(crate) url: String,
}

impl Databank {
    pub(crate) async fn connect(&self) -> PgConnection {
        PgConnection::connect(&self.url).await.unwrap()
    }

    /// Opened as a worker opens it.
    pub(crate) async fn store(&self, key_fingerprint: &str) -> SharedStore {
        let database = Database::Postgres { url: self.url.clone().into(), pooler: false };
        store::open(&database, key_fingerprint).await.unwrap().0
    }

    /// Empties the tables and queues this many jobs.
    pub(crate) async fn refill(&self, jobs: u32) {
        let mut connection = self.connect().await;
        run(
            &mut connection,
            "TRUNCATE enrichment_jobs, supplemental_member_information, provider_answers, lookup_log, provider_usage;
             UPDATE intake_tally SET taken_in = 0",
        )
        .await;
        self.queue(jobs).await;
    }

    /// Queues this many jobs, as a door would have, on an empty queue; nothing is left to do for the server but to serve.
    pub(crate) async fn queue(&self, jobs: u32) {
        let mut connection = self.connect().await;
        let fill = format!(
            "INSERT INTO enrichment_jobs (member_id, email, subject, run_at, queued_at)
             SELECT
                 'm-' || n, 'member.number' || n || '@site' || n % 1000 || '.example.org',
                 sha256(convert_to('m-' || n, 'UTF8')), statement_timestamp(), statement_timestamp()
             FROM generate_series(1, {jobs}) AS n"
        );
        run(&mut connection, &fill).await;
        run(&mut connection, &format!("UPDATE intake_tally SET taken_in = {jobs} WHERE stripe = 0")).await;
        run(&mut connection, "VACUUM ANALYZE").await;
        run(&mut connection, "CHECKPOINT").await;
    }

    /// How far the server's log has come, in bytes.
    pub(crate) async fn log_position(&self) -> i64 {
        let sql = "SELECT (pg_current_wal_lsn() - '0/0')::bigint";
        sqlx::query_scalar(sql).fetch_one(&mut self.connect().await).await.unwrap()
    }

    /// Each table that holds something of members, with the bytes of its rows and of its indexes.
    pub(crate) async fn sizes(&self) -> Vec<(String, i64, i64)> {
        let sql = "
            SELECT relname::text, pg_table_size(oid), pg_indexes_size(oid) FROM pg_class
            WHERE relname IN ('supplemental_member_information', 'provider_answers', 'lookup_log', 'enrichment_jobs')
            ORDER BY relname";
        sqlx::query_as(sql).fetch_all(&mut self.connect().await).await.unwrap()
    }
}

pub(crate) async fn run(connection: &mut PgConnection, sql: &str) {
    sqlx::raw_sql(AssertSqlSafe(sql)).execute(connection).await.unwrap();
}
