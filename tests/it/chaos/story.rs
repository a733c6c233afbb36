//! One story: members in a PostgreSQL database of their own, real worker processes, and the books that are compared at its
//! end: the sandbox's ledger, the database's own record of every write, and `gleaner status`.

use std::collections::HashMap;
use std::process::Stdio;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use gleaner::keyring::SubjectKey;
use gleaner_providers::EmailAddress;
use gleaner_providers::sandbox::{Latency, SandboxSettings};
use serde_json::{Value, json};
use sqlx::Row as _;
use sqlx::postgres::{PgPool, PgPoolOptions};
use tokio::process::Child;
use tokio::sync::{Mutex as Turn, MutexGuard};
use tokio::task::JoinHandle;

use crate::support::{Home, members, until};

/// Stories run one after the other: they measure, and they would starve each other.
static TURN: Turn<()> = Turn::const_new(());

/// Writes of finished records, counted by the database itself.
const WATCH: &str = "
    CREATE TABLE watched_writes (member_id text NOT NULL, status text NOT NULL, at timestamptz NOT NULL);
    CREATE FUNCTION watch() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
        INSERT INTO watched_writes VALUES (new.member_id, new.status, clock_timestamp());
        RETURN NULL;
    END $$;
    CREATE TRIGGER watch AFTER INSERT OR UPDATE ON supplemental_member_information
    FOR EACH ROW EXECUTE FUNCTION watch();";

/// The file with what all workers have said.
const SAID: &str = "said.log";

pub(super) const PAID: &str = "people_data_labs";

pub(super) fn address(n: u32) -> String {
    format!("member.number{n}@site{n}.example.org")
}

pub(super) struct Story {
    pub(super) home: Arc<Home>,
    /// Of the test itself, which outlives every fault.
    pub(super) database: PgPool,
    members: u32,
    /// Paid questions that could not be known to be answered already.
    excused: usize,
    /// Addresses whose paid answer was found stored, and the last call seen then.
    stored: Arc<Mutex<HashMap<String, u64>>>,
    looking: JoinHandle<()>,
    _turn: MutexGuard<'static, ()>,
}

impl Story {
    /// Queues members in the database at `url`; `watcher` is another address of it, where workers have one of their own.
    pub(super) async fn begin(
        url: &str,
        watcher: &str,
        latency: (u64, u64),
        extra: &str,
        count: u32,
    ) -> Self {
        let turn = TURN.lock().await;
        let latency = Latency { min_ms: latency.0, max_ms: latency.1 };
        let settings = SandboxSettings { latency, ..SandboxSettings::calm(7) };
        let extra = format!("database = {url:?}\n{extra}\n[retry]\nmax_attempts = 1000\nbase_ms = 500\n");
        let home = Arc::new(Home::new(settings, &extra).await);
        let file = home.write("members.csv", members(count, address));
        home.json(&["enqueue", file.to_str().unwrap()]).await;
        let pool = PgPoolOptions::new().max_connections(3).acquire_timeout(Duration::from_mins(1));
        let database = pool.connect(watcher).await.unwrap();
        sqlx::raw_sql(WATCH).execute(&database).await.unwrap();
        let stored = Arc::default();
        let looking = tokio::spawn(look(Arc::clone(&home), database.clone(), Arc::clone(&stored), count));
        Self { home, database, members: count, excused: 0, stored, looking, _turn: turn }
    }

    pub(super) fn worker(&self) -> Child {
        let said = std::fs::File::options().append(true).create(true).open(self.home.path(SAID)).unwrap();
        self.home.command(&["worker"]).stdout(Stdio::null()).stderr(said).spawn().unwrap()
    }

    /// A number from the database; waits for a database that is away.
    pub(super) async fn number(&self, sql: &'static str) -> i64 {
        loop {
            if let Ok(number) = sqlx::query_scalar(sql).fetch_one(&self.database).await {
                return number;
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    }

    pub(super) async fn left(&self) -> i64 {
        self.number("SELECT count(*) FROM enrichment_jobs").await
    }

    /// More were taken in meanwhile.
    pub(super) fn with_members(self, members: u32) -> Self {
        Self { members, ..self }
    }

    /// So many calls were under way when their worker fell asleep, or were about to be made. What they bring is stored when it
    /// wakes, and by then whoever has the job now may be past the moment at which it read what is stored.
    pub(super) fn excusing(self, excused: usize) -> Self {
        Self { excused, ..self }
    }

    /// Lets the workers finish, who are all still there, and compares the books.
    pub(super) async fn end(self, name: &str, mut workers: Vec<Child>, figures: Value) {
        // A slow machine is no fault; standing still is.
        loop {
            let before = self.left().await;
            if before == 0 {
                break;
            }
            until("a job is finished", async || self.left().await, |left| *left < before).await;
        }
        for worker in &mut workers {
            assert!(worker.try_wait().unwrap().is_none(), "{name}: a worker gave up by itself");
        }
        for mut worker in workers {
            signal(&worker, "TERM").await;
            let said = || std::fs::read_to_string(self.home.path(SAID)).unwrap();
            assert!(worker.wait().await.unwrap().success(), "{name}: a stop is no failure:\n{}", said());
        }
        self.looking.abort();

        let status = self.home.json(&["status"]).await;
        let written = self.number("SELECT count(*) FROM watched_writes WHERE status <> 'partial'").await;
        let distinct = "SELECT count(DISTINCT member_id) FROM watched_writes WHERE status <> 'partial'";
        let twice = written - self.number(distinct).await;
        let records = self.number("SELECT count(*) FROM supplemental_member_information").await;
        // Some turn out to be minors: nothing of them is kept.
        let suppressed = status["suppressed"].as_i64().unwrap();
        let lost = i64::from(self.members) - suppressed - records;
        let again = self.paid_again();
        println!(
            "{}",
            json!({ "story": name, "members": self.members, "lost": lost, "suppressed": suppressed, "twice": twice, "paid_again": again,
                "calls": self.home.sandbox.summary().calls, "figures": figures })
        );
        assert_eq!(status["adds_up"], true, "{name}: {status}");
        assert_eq!(status["taken_in"], self.members, "{name}: {status}");
        for nowhere in ["waiting", "running", "dead_letters", "partial"] {
            assert_eq!(status[nowhere], 0, "{name}: {nowhere}: {status}");
        }
        assert_eq!((lost, twice), (0, 0), "{name}: lost, written twice");
        assert!(again <= self.excused, "{name}: {again} paid again, {} excused", self.excused);
    }

    /// Paid questions that were asked although their answer was stored.
    fn paid_again(&self) -> usize {
        let stored = self.stored.lock().unwrap();
        let paid = self.home.sandbox.ledger().into_iter().filter(|entry| entry.provider == PAID);
        paid.filter(|entry| stored.get(&*entry.identifier).is_some_and(|seen| entry.seq > *seen)).count()
    }
}

async fn look(home: Arc<Home>, database: PgPool, stored: Arc<Mutex<HashMap<String, u64>>>, members: u32) {
    let keyring = home.keyring();
    let address_of: HashMap<SubjectKey, String> = (0..members)
        .map(|n| (keyring.subject(&EmailAddress::parse(&address(n)).unwrap()), address(n)))
        .collect();
    loop {
        let rows = sqlx::query("SELECT subject FROM provider_answers WHERE provider = $1").bind(PAID);
        if let Ok(rows) = rows.fetch_all(&database).await {
            // Calls are counted after the look into the database, so that none is blamed that came before it.
            let last_call = home.sandbox.ledger().last().map_or(0, |entry| entry.seq);
            let mut stored = stored.lock().unwrap();
            for row in rows {
                let subject: [u8; 32] = row.get::<Vec<u8>, _>("subject").try_into().unwrap();
                if let Some(address) = address_of.get(&SubjectKey::from_bytes(subject)) {
                    stored.entry(address.clone()).or_insert(last_call);
                }
            }
        }
        tokio::time::sleep(Duration::from_millis(200)).await;
    }
}

pub(super) async fn signal(process: &Child, name: &str) {
    let command = format!("kill -{name} {}", process.id().unwrap());
    assert!(tokio::process::Command::new("sh").args(["-c", &command]).status().await.unwrap().success());
}
