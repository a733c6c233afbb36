//! The other side of the drain: pgbench runs the same statements, with results that the server makes up itself. What it reaches
//! is what this server can do on this machine, and our client can at best come close to.

use std::fmt::Write as _;
use std::path::PathBuf;
use std::process::Command;
use std::time::Duration;

use gleaner::store::postgres::statements::{CLAIM, FINISH, GUARDS, RECORDS};
use sqlx::AssertSqlSafe;
use tokio::time::Instant;

use crate::drain::BATCH;
use crate::server::Databank;

/// A script that drains the queue with results as ours are.
pub(crate) struct Ceiling {
    script: PathBuf,
    folder: tempfile::TempDir,
}

impl Ceiling {
    /// Takes the JSON of its results from a row that we wrote.
    pub(crate) async fn like_the_rows_of(databank: &Databank) -> Self {
        let sql = "SELECT social_profiles::text, confidence::text, provenance::text
            FROM supplemental_member_information LIMIT 1";
        let texts: (String, String, String) =
            sqlx::query_as(sql).fetch_one(&mut databank.connect().await).await.unwrap();
        let folder = tempfile::tempdir().unwrap();
        let script = folder.path().join("drain.sql");
        std::fs::write(&script, script_with([&texts.0, &texts.1, &texts.2])).unwrap();
        Self { script, folder }
    }

    /// Works off a queue of this many jobs with so many clients; returns how long that took.
    pub(crate) async fn drain(&self, databank: &Databank, jobs: u32, clients: u32) -> Duration {
        let rounds = jobs / BATCH / clients;
        let mut pgbench = Command::new(pgbench());
        pgbench
            .args(["--no-vacuum", "--protocol=prepared", "--file"])
            .arg(&self.script)
            .args([format!("--client={clients}"), format!("--jobs={}", clients.min(2))])
            .args([format!("--transactions={rounds}"), databank.url.clone()])
            .current_dir(self.folder.path());
        let began = Instant::now();
        let ran = tokio::task::spawn_blocking(move || pgbench.output().unwrap()).await.unwrap();
        let took = began.elapsed();
        assert!(ran.status.success(), "pgbench: {}", String::from_utf8_lossy(&ran.stderr));
        let sql = AssertSqlSafe(format!(
            "SELECT count(*) = {jobs} AND NOT EXISTS (SELECT 1 FROM enrichment_jobs)
             FROM supplemental_member_information"
        ));
        let did_all: bool = sqlx::query_scalar(sql).fetch_one(&mut databank.connect().await).await.unwrap();
        assert!(did_all, "pgbench did not write one row for each job");
        took
    }
}

/// Debian puts it beside the server's other programs.
fn pgbench() -> PathBuf {
    let mut found: Vec<_> = std::fs::read_dir("/usr/lib/postgresql")
        .into_iter()
        .flatten()
        .flatten()
        .map(|entry| entry.path().join("bin/pgbench"))
        .filter(|path| path.exists())
        .collect();
    found.sort();
    found.pop().unwrap_or_else(|| "pgbench".into())
}

/// The claim and the commit as `src/store/postgres` makes them, each parameter replaced by what it stands for. The claimed rows
/// travel to the client and back.
fn script_with([profiles, confidence, provenance]: [&str; 3]) -> String {
    let limit = format!("{BATCH}::bigint");
    let all = ["ARRAY[0]", "ARRAY['-infinity']"];
    let claim =
        with(CLAIM, &["NULL::timestamptz", "60000000::bigint", "'bench'::text", &limit, all[0], all[1]]);
    let guards = with(GUARDS, &[":ids", ":fences", ":members", ":subjects"]);
    let finish = with(FINISH, &[":ids::bigint[]"]);
    let repeated = |value: &str| format!("array_fill({value}, ARRAY[:n::integer])");
    let text = |value: &str| repeated(&format!("'{value}'::text"));
    let now = repeated("statement_timestamp()");
    let records = with(
        RECORDS,
        &[
            ":members",
            ":emails",
            ":subjects",
            &text("Ada Example"),
            &text("Ada"),
            &text("Example"),
            &repeated("NULL::smallint"),
            &repeated("42::smallint"),
            &repeated("43::smallint"),
            &repeated("'2026-03-01'::date"),
            &repeated("'1983-05-12'::date"),
            &repeated("'1984-05-11'::date"),
            &text(profiles),
            &text("complete"),
            &text(confidence),
            &text(provenance),
            &text("2026-01"),
            &now,
            &now,
            &repeated("statement_timestamp() + interval '1 year'"),
        ],
    );
    let mut script = String::new();
    writeln!(
        script,
        "WITH claimed AS ({claim})
         SELECT
             array_agg(id) AS ids, array_agg(fence) AS fences, array_agg(member_id) AS members,
             array_agg(subject) AS subjects, array_agg(email) AS emails, count(*) AS n
         FROM claimed \\gset"
    )
    .unwrap();
    writeln!(script, "BEGIN ISOLATION LEVEL READ COMMITTED;").unwrap();
    writeln!(script, "SELECT pg_advisory_xact_lock_shared(1198286177, 1);").unwrap();
    for statement in [guards, finish, records] {
        writeln!(script, "{statement};").unwrap();
    }
    writeln!(script, "COMMIT;").unwrap();
    script
}

/// A statement with its parameters filled in, the last ones first: `$1` is the beginning of `$10`.
fn with(statement: &str, values: &[&str]) -> String {
    let numbered = values.iter().enumerate().rev();
    numbered.fold(statement.to_owned(), |sql, (n, value)| sql.replace(&format!("${}", n + 1), value))
}
