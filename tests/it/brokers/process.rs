//! The real process, killed in mid-stream, at both brokers at once.

use std::time::Duration;

use gleaner_providers::sandbox::SandboxSettings;
use sqlx::AssertSqlSafe;
use sqlx::postgres::PgPool;
use sqlx::sqlite::SqlitePool;
use tokio::process::{Child, Command};

use super::nats::TestNats;
use super::rabbitmq::TestRabbitMq;
use super::support::{TestBroker, message};
use crate::support::{Dice, Home, postgres_database, text, until};

const MEMBERS: u32 = 2_000;
const KILLS: u32 = 12;
/// Messages that are none.
const POISON: [&str; 3] =
    ["quokka", r#"{"email":"quokka@localhost"}"#, r#"{"member_id":"quokka@example.com"}"#];
/// Each of them at both.
const DEAD: u64 = 2 * POISON.len() as u64;

/// The database of the process, looked at from outside.
enum Outside {
    Sqlite(SqlitePool),
    Postgres(PgPool),
}

impl Outside {
    async fn rows(&self, table: &str) -> u32 {
        let sql = AssertSqlSafe(format!("SELECT count(*) FROM {table}"));
        let rows: i64 = match self {
            Self::Sqlite(pool) => sqlx::query_scalar(sql).fetch_one(pool).await.unwrap(),
            Self::Postgres(pool) => sqlx::query_scalar(sql).fetch_one(pool).await.unwrap(),
        };
        rows.try_into().unwrap()
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn killed_in_mid_stream_on_sqlite_it_loses_nothing_and_takes_nothing_in_twice() {
    let brokers = (TestNats::shared().await, TestRabbitMq::shared().await);
    let home = home(&brokers, "").await;
    let outside = Outside::Sqlite(home.database().await);
    killed_in_mid_stream(&home, &outside, brokers).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn killed_in_mid_stream_on_postgres_it_loses_nothing_and_takes_nothing_in_twice() {
    let brokers = (TestNats::shared().await, TestRabbitMq::shared().await);
    let url = postgres_database().await;
    let home = home(&brokers, &format!("database = {url:?}")).await;
    let outside = Outside::Postgres(PgPool::connect(&url).await.unwrap());
    killed_in_mid_stream(&home, &outside, brokers).await;
}

/// A home with both doors, whose database is made.
async fn home((nats, rabbitmq): &(TestNats, TestRabbitMq), database: &str) -> Home {
    let extra = format!("{database}\n{}\n{}", nats.config(), rabbitmq.config());
    let home = Home::new(SandboxSettings::calm(7), &extra).await;
    let password = home.write("rabbitmq-password", "guest\n");
    #[cfg(unix)]
    std::fs::set_permissions(password, std::os::unix::fs::PermissionsExt::from_mode(0o600)).unwrap();
    home.json(&["enqueue", "first@example.com"]).await;
    home
}

async fn killed_in_mid_stream(home: &Home, outside: &Outside, (nats, rabbitmq): (TestNats, TestRabbitMq)) {
    // One is there already.
    let waiting = async || outside.rows("enrichment_jobs").await - 1;

    // Every member twice, once at each broker.
    let stream = async {
        for n in 0..MEMBERS {
            assert!(nats.publish(None, message(n).as_bytes()).await);
            assert!(rabbitmq.publish(None, message(MEMBERS - 1 - n).as_bytes()).await);
        }
    };
    let killing = async {
        let mut dice = Dice(2026);
        let mut struck = 0;
        for _ in 0..KILLS {
            let mut process = home.start(&["intake"]);
            let (before, patience) = (waiting().await, dice.between(1, 120));
            // Alive and taking in, then dead at some moment of that.
            until("it takes in", waiting, |now| *now > before || *now == MEMBERS).await;
            tokio::time::sleep(Duration::from_millis(patience)).await;
            assert!(process.try_wait().unwrap().is_none(), "it never ends by itself");
            process.kill().await.unwrap();
            struck += u32::from(waiting().await < MEMBERS);
        }
        struck
    };
    let ((), struck) = tokio::join!(stream, killing);

    // The last life talks as much as it can, also about messages that are none.
    for (n, poison) in (0..).zip(POISON) {
        let id = format!("quokka{n}@example.com");
        assert!(nats.publish(Some(&id), poison.as_bytes()).await);
        assert!(rabbitmq.publish(Some(&id), poison.as_bytes()).await);
    }
    let arguments = ["intake", "--log", "trace"];
    let process = home.command(&arguments).stderr(std::process::Stdio::piped()).spawn().unwrap();
    until("nothing is left at NATS", async || nats.left().await, |left| *left == 0).await;
    until("every member is there", waiting, |now| *now == MEMBERS).await;
    let dead = async || outside.rows("dead_letters").await;
    until("every dead letter is there", dead, |now| u64::from(*now) == DEAD).await;
    let said = end(process).await;
    assert!(
        said.contains("connected to the broker") && said.contains("no more messages are taken"),
        "{said}"
    );
    for personal in ["quokka", "@example.com", "guest:guest"] {
        assert!(!said.contains(personal), "the log shows `{personal}`:\n{said}");
    }

    let status = home.json(&["status"]).await;
    println!(
        "{}",
        serde_json::json!({ "members": MEMBERS, "messages": MEMBERS * 2, "kills": KILLS,
            "kills_in_mid_stream": struck, "rows": status["waiting"], "taken_in": status["taken_in"],
            "left_at_nats": nats.left().await, "left_at_rabbitmq": rabbitmq.left().await })
    );
    let numbers = ["taken_in", "waiting", "dead_letters"].map(|name| status[name].as_u64().unwrap());
    assert_eq!(numbers, [u64::from(MEMBERS) + 1 + DEAD, u64::from(MEMBERS) + 1, DEAD], "{status}");
    assert_eq!(status["adds_up"], true);
    assert_eq!((nats.left().await, rabbitmq.left().await), (0, 0));
    assert!(struck >= KILLS / 2, "only {struck} kills in mid-stream: the test proves too little");
}

/// Asks the process to end, which it does well; returns what it said.
async fn end(process: Child) -> String {
    let pid = process.id().unwrap();
    let sent = Command::new("sh").args(["-c", &format!("kill -TERM {pid}")]).status().await.unwrap();
    assert!(sent.success());
    let ended = process.wait_with_output().await.unwrap();
    let said = text(&ended.stderr);
    assert!(ended.status.success(), "{said}");
    said
}
