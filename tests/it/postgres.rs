//! PostgreSQL as operators run it: several processes over one server, killed one by one or with the server.

use std::collections::HashSet;
use std::time::Duration;

use gleaner_providers::sandbox::{Latency, SandboxSettings};
use sqlx::{Connection as _, PgConnection};
use tokio::process::Child;

use crate::kill::{Ledger, address};
use crate::support::{Dice, Home, PrivateService, members, postgres_database, text, until};

const WATCH: &str = "
    CREATE TABLE watched_writes (member_id text NOT NULL, status text NOT NULL);
    CREATE FUNCTION watch() RETURNS trigger LANGUAGE plpgsql AS
        $$ BEGIN INSERT INTO watched_writes VALUES (NEW.member_id, NEW.status); RETURN NEW; END $$;
    CREATE TRIGGER watch AFTER INSERT OR UPDATE ON supplemental_member_information
        FOR EACH ROW EXECUTE FUNCTION watch();";

async fn connect(url: &str) -> PgConnection {
    PgConnection::connect(url).await.unwrap()
}

/// Workers of one fleet die at any moment, and now and then the server dies under all of them.
#[tokio::test(flavor = "multi_thread")]
async fn workers_and_their_server_killed_again_and_again_lose_nothing_and_write_nothing_twice() {
    const MEMBERS: u32 = 1_500;
    const WORKERS: usize = 3;
    const KILLS: u32 = 24;
    const CRASHES: u32 = 3;
    let server = PrivateService::start("postgres").await;
    let settings = SandboxSettings { latency: Latency { min_ms: 5, max_ms: 40 }, ..SandboxSettings::calm(7) };
    let extra = format!(
        "database = {:?}\n[worker]\nlease_secs = 5\nconcurrency = 8\nclaim_batch = 8\n[retry]\nmax_attempts = 100\n",
        server.url
    );
    let home = Home::new(settings, &extra).await;
    let file = home.write("members.csv", members(MEMBERS, address));
    home.json(&["enqueue", file.to_str().unwrap()]).await;
    sqlx::raw_sql(WATCH).execute(&mut connect(&server.url).await).await.unwrap();
    let mut ledger = Ledger::new(&home, MEMBERS);

    let mut dice = Dice(2026);
    let (mut kills, mut crashes, mut struck) = (0, 0, 0);
    let start = || home.start(&["worker", "--until-idle", "30"]);
    let mut workers: Vec<Child> = (0..WORKERS).map(|_| start()).collect();
    while kills < KILLS {
        tokio::time::sleep(Duration::from_millis(dice.between(60, 350))).await;
        let victim = usize::try_from(dice.between(0, WORKERS as u64)).unwrap();
        workers[victim].kill().await.unwrap();
        kills += 1;
        if kills * CRASHES / KILLS > crashes {
            server.crash().await;
            crashes += 1;
        }
        let mut database = connect(&server.url).await;
        let running = "SELECT count(*) FROM enrichment_jobs WHERE state = 'running'";
        let running: i64 = sqlx::query_scalar(running).fetch_one(&mut database).await.unwrap();
        struck += u32::from(running > 0);
        let stored = sqlx::query_scalar(Ledger::STORED).fetch_all(&mut database).await.unwrap();
        ledger.see(&home, stored);
        workers[victim] = start();
    }
    for worker in workers {
        let ended = worker.wait_with_output().await.unwrap();
        assert!(ended.status.success(), "{}", text(&ended.stderr));
    }
    let last = home.run(&["worker", "--until-idle", "30"]).await;
    assert!(last.status.success(), "{}", text(&last.stderr));

    let status = home.is_done_with(MEMBERS).await;
    let written: Vec<String> = sqlx::query_scalar("SELECT member_id FROM watched_writes")
        .fetch_all(&mut connect(&server.url).await)
        .await
        .unwrap();
    let distinct: HashSet<_> = written.iter().collect();
    let twice = written.len() - distinct.len();
    let again = ledger.asked_again(&home);
    println!(
        "{}",
        serde_json::json!({
            "members": MEMBERS, "workers": WORKERS, "kills": kills, "server_crashes": crashes,
            "kills_that_left_running_jobs": struck, "records": distinct.len(), "written_twice": twice,
            "paid_asked_again_once_stored": again, "calls": home.sandbox.summary().calls,
        })
    );
    // The sandbox has minors, of whom nothing is kept.
    let suppressed = usize::try_from(status["suppressed"].as_u64().unwrap()).unwrap();
    assert_eq!(distinct.len() + suppressed, MEMBERS as usize);
    assert_eq!(twice, 0, "a finished record was written again");
    assert_eq!(again, 0, "a paid question was asked although its answer was stored");
    assert!(struck * 2 >= kills, "{kills} kills, {struck} of them mid-job: the test proves too little");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_worker_waits_for_a_server_that_is_not_there_and_a_command_says_so() {
    let server = PrivateService::start("postgres").await;
    let home = Home::new(SandboxSettings::calm(1), &format!("database = {:?}\n", server.url)).await;
    home.json(&["enqueue", "ada.example@ada-example.example.org"]).await;
    server.stop().await;
    let refused = home.run(&["status"]).await;
    assert_eq!(refused.status.code(), Some(1));
    let told = text(&refused.stderr);
    assert!(told.contains("error: the database is unavailable: connection refused (127.0.0.1:"), "{told}");

    let mut worker = home.start(&["worker"]);
    let early = tokio::time::timeout(Duration::from_millis(300), worker.wait()).await;
    assert!(early.is_err(), "it waits: {early:?}");
    server.crash().await;
    let complete = async || home.json(&["status"]).await["complete"].as_u64();
    until("the member is looked up", complete, |complete| *complete == Some(1)).await;
    // And through an outage while it runs.
    server.crash().await;
    home.json(&["enqueue", "bob.sample@bob-sample.example.org"]).await;
    let done = async || home.json(&["status"]).await["waiting"].as_u64();
    until("the next one is taken", done, |waiting| *waiting == Some(0)).await;
    assert!(worker.try_wait().unwrap().is_none(), "it never ended");
}

#[tokio::test(flavor = "multi_thread")]
async fn every_command_works_on_it_and_none_shows_the_password() {
    let mut url = url::Url::parse(&postgres_database().await).unwrap();
    let home = Home::new(SandboxSettings { distortion: 0.0, ..SandboxSettings::calm(1) }, "").await;
    url.set_password(Some("opensesame")).unwrap();
    let run = async |arguments: &[&str]| {
        let mut command = home.command(&[arguments, &["--json", "--log", "trace"]].concat());
        let output = command.env("GLEANER_DATABASE_URL", url.as_str()).output().await.unwrap();
        let printed = text(&output.stderr) + &text(&output.stdout);
        assert!(!printed.contains("opensesame"), "{arguments:?}: {printed}");
        assert!(output.status.success(), "{arguments:?}: {printed}");
        text(&output.stdout)
    };
    let migrated: serde_json::Value = serde_json::from_str(&run(&["migrate"]).await).unwrap();
    assert!(migrated["applied"].as_array().unwrap().len() >= 4, "{migrated}");
    let again: serde_json::Value = serde_json::from_str(&run(&["migrate"]).await).unwrap();
    assert_eq!(again["applied"], serde_json::json!([]));
    let address = "ada.example@ada-example.example.org";
    let record = run(&["enrich", address]).await;
    assert!(record.contains("\"complete\""), "{record}");
    assert_eq!(run(&["member", "show", address]).await, record);
    run(&["enqueue", "bob.sample@bob-sample.example.org"]).await;
    run(&["worker", "--until-idle"]).await;
    run(&["dead-letters", "list"]).await;
    run(&["config", "check"]).await;
    let status: serde_json::Value = serde_json::from_str(&run(&["status"]).await).unwrap();
    assert_eq!((&status["taken_in"], &status["adds_up"]), (&2.into(), &true.into()), "{status}");
    assert!(!home.path("data/gleaner.db").exists(), "nothing is left on SQLite");

    let help = home.command(&["--help"]).env("GLEANER_DATABASE_URL", url.as_str()).output().await.unwrap();
    assert!(
        !text(&help.stdout).contains("opensesame") && text(&help.stdout).contains("GLEANER_DATABASE_URL")
    );
    let in_file = format!("database = {:?}\n", url.as_str());
    home.write("gleaner.toml", in_file);
    let refused = home.run(&["config", "check"]).await;
    let told = text(&refused.stdout);
    assert_eq!(refused.status.code(), Some(2), "{told}");
    assert!(told.contains("`database`: holds a password") && told.contains("PGPASSFILE"), "{told}");
    assert!(!told.contains("opensesame"), "{told}");
}
