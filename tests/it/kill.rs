//! Killing the worker, softly and hard, and comparing what the database says with what the sandbox saw.

use std::collections::{HashMap, HashSet};
use std::time::Duration;

use gleaner::keyring::SubjectKey;
use gleaner_providers::EmailAddress;
use gleaner_providers::sandbox::{Latency, SandboxSettings};

use crate::support::{Dice, Home, members, text};

const MEMBERS: u32 = 3_000;
const KILLS: u32 = 60;

/// Writes of finished records, counted by the database itself.
const WATCH: &str = "
    CREATE TABLE watched_writes (member_id TEXT NOT NULL, status TEXT NOT NULL);
    CREATE TRIGGER watch_insert AFTER INSERT ON supplemental_member_information
    BEGIN INSERT INTO watched_writes VALUES (new.member_id, new.status); END;
    CREATE TRIGGER watch_update AFTER UPDATE ON supplemental_member_information
    BEGIN INSERT INTO watched_writes VALUES (new.member_id, new.status); END;";

/// Answers that were paid for, and such of them as no line of the log accounts for.
const UNDISCLOSED: &str = "
    SELECT count(*), count(*) FILTER (WHERE NOT EXISTS (
        SELECT 1 FROM lookup_log AS log
        WHERE log.provider = answer.provider AND log.at = answer.fetched_at AND log.cost_micros = answer.cost_micros
    ))
    FROM provider_answers AS answer
    WHERE answer.cost_micros > 0";

pub(crate) fn address(n: u32) -> String {
    format!("member.number{n}@site{n}.example.org")
}

/// What a paid provider was asked, held against what was stored at the time.
pub(crate) struct Ledger {
    address_of: HashMap<SubjectKey, String>,
    /// Addresses with a stored answer of the paid provider, and the last call seen when it was found stored.
    stored: HashMap<String, u64>,
}

impl Ledger {
    pub(crate) fn new(home: &Home, members: u32) -> Self {
        let keyring = home.keyring();
        let address_of = (0..members)
            .map(|n| (keyring.subject(&EmailAddress::parse(&address(n)).unwrap()), address(n)))
            .collect();
        Self { address_of, stored: HashMap::new() }
    }

    /// Which subjects have a stored answer of the paid provider.
    pub(crate) const STORED: &str =
        "SELECT subject FROM provider_answers WHERE provider = 'people_data_labs'";

    /// Takes down what is stored by now. Calls are counted after the look into the database, so that none is blamed
    /// that came before it.
    pub(crate) fn see(&mut self, home: &Home, stored: Vec<Vec<u8>>) {
        let last_call = home.sandbox.ledger().last().map_or(0, |entry| entry.seq);
        for subject in stored {
            let subject: [u8; 32] = subject.try_into().unwrap();
            let address = &self.address_of[&SubjectKey::from_bytes(subject)];
            self.stored.entry(address.clone()).or_insert(last_call);
        }
    }

    /// Paid questions that were asked although their answer was stored.
    pub(crate) fn asked_again(&self, home: &Home) -> usize {
        let paid = home.sandbox.ledger().into_iter().filter(|entry| entry.provider == "people_data_labs");
        paid.filter(|entry| self.stored.get(&*entry.identifier).is_some_and(|seen| entry.seq > *seen)).count()
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn killed_again_and_again_it_loses_nothing_and_writes_nothing_twice() {
    let settings = SandboxSettings { latency: Latency { min_ms: 2, max_ms: 25 }, ..SandboxSettings::calm(7) };
    let extra = "[worker]\nlease_secs = 5\nconcurrency = 32\nclaim_batch = 32\n[retry]\nmax_attempts = 100\n";
    let home = Home::new(settings, extra).await;
    let file = home.write("members.csv", members(MEMBERS, address));
    home.json(&["enqueue", file.to_str().unwrap()]).await;
    let database = home.database().await;
    sqlx::raw_sql(WATCH).execute(&database).await.unwrap();
    let mut ledger = Ledger::new(&home, MEMBERS);

    let mut dice = Dice(2026);
    let (mut kills, mut struck) = (0, 0);
    while kills < KILLS {
        let mut worker = home.start(&["worker", "--until-idle", "30"]);
        let life = Duration::from_millis(dice.between(120, 420));
        if let Ok(ended) = tokio::time::timeout(life, worker.wait()).await {
            assert!(ended.unwrap().success());
            break;
        }
        worker.kill().await.unwrap();
        kills += 1;
        let running: u32 = sqlx::query_scalar("SELECT count(*) FROM enrichment_jobs WHERE state = 'running'")
            .fetch_one(&database)
            .await
            .unwrap();
        struck += u32::from(running > 0);
        let stored = sqlx::query_scalar(Ledger::STORED).fetch_all(&database).await.unwrap();
        ledger.see(&home, stored);
    }
    let last = home.run(&["worker", "--until-idle", "30"]).await;
    assert!(last.status.success(), "{}", text(&last.stderr));

    home.is_done_with(MEMBERS).await;
    let written: Vec<String> =
        sqlx::query_scalar("SELECT member_id FROM watched_writes").fetch_all(&database).await.unwrap();
    let distinct: HashSet<_> = written.iter().collect();
    let twice = written.len() - distinct.len();
    let again = ledger.asked_again(&home);
    let (paid, undisclosed): (u32, u32) = sqlx::query_as(UNDISCLOSED).fetch_one(&database).await.unwrap();
    let integrity: String = sqlx::query_scalar("PRAGMA integrity_check").fetch_one(&database).await.unwrap();
    println!(
        "{}",
        serde_json::json!({
            "members": MEMBERS, "kills": kills, "kills_that_left_running_jobs": struck, "records": distinct.len(),
            "written_twice": twice, "paid_asked_again_once_stored": again, "calls": home.sandbox.summary().calls,
        })
    );
    assert_eq!(twice, 0, "a finished record was written again");
    assert_eq!(again, 0, "a paid question was asked although its answer was stored");
    assert!(paid > 0);
    assert_eq!(undisclosed, 0, "of {paid} answers that cost money, so many are in no log");
    assert_eq!(integrity, "ok");
    assert!(
        kills >= 20 && struck * 2 >= kills,
        "{kills} kills, {struck} of them mid-job: the test proves too little"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stop_signal_finishes_what_is_in_flight_and_leaves_the_rest_waiting() {
    let settings =
        SandboxSettings { latency: Latency { min_ms: 40, max_ms: 60 }, ..SandboxSettings::calm(7) };
    let home = Home::new(settings, "[worker]\nconcurrency = 8\nclaim_batch = 8\n").await;
    let file = home.write("members.csv", members(500, address));
    home.json(&["enqueue", file.to_str().unwrap()]).await;

    let worker = home.start(&["worker"]);
    while home.sandbox.summary().calls < 20 {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    let pid = worker.id().unwrap().to_string();
    let sent =
        tokio::process::Command::new("sh").args(["-c", &format!("kill -TERM {pid}")]).status().await.unwrap();
    assert!(sent.success());
    let ended = worker.wait_with_output().await.unwrap();
    assert!(ended.status.success());

    let status = home.json(&["status"]).await;
    assert_eq!(status["adds_up"], true);
    assert_eq!(status["running"], 0, "nothing is left to a lease");
    assert!(status["waiting"].as_u64().unwrap() > 300);
    let attempts: u32 = sqlx::query_scalar("SELECT count(*) FROM enrichment_jobs WHERE attempt > 0")
        .fetch_one(&home.database().await)
        .await
        .unwrap();
    assert_eq!(attempts, 0, "jobs given back have lost no attempt");
}
