//! The real process, killed in mid-stream, at both brokers at once.

use std::time::Duration;

use gleaner_providers::sandbox::SandboxSettings;

use super::nats::TestNats;
use super::rabbitmq::TestRabbitMq;
use super::support::{TestBroker, message};
use crate::support::{Dice, Home, text, until};

const MEMBERS: u32 = 2_000;
const KILLS: u32 = 12;

#[tokio::test(flavor = "multi_thread")]
async fn killed_in_mid_stream_it_loses_nothing_and_takes_nothing_in_twice() {
    let (nats, rabbitmq) = (TestNats::shared().await, TestRabbitMq::shared().await);
    let extra = format!("{}\n{}", nats.config(), rabbitmq.config());
    let home = Home::new(SandboxSettings::calm(7), &extra).await;
    let password = home.write("rabbitmq-password", "guest\n");
    #[cfg(unix)]
    std::fs::set_permissions(password, std::os::unix::fs::PermissionsExt::from_mode(0o600)).unwrap();
    // The database, before the first life: it is looked at from outside.
    home.json(&["status"]).await;
    let database = home.database().await;
    let waiting = async || -> u32 {
        sqlx::query_scalar("SELECT count(*) FROM enrichment_jobs").fetch_one(&database).await.unwrap()
    };

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

    let process = home.command(&["intake"]).stderr(std::process::Stdio::piped()).spawn().unwrap();
    until("nothing is left at NATS", async || nats.left().await, |left| *left == 0).await;
    until("every member is there", waiting, |now| *now == MEMBERS).await;
    let pid = process.id().unwrap().to_string();
    let sent =
        tokio::process::Command::new("sh").args(["-c", &format!("kill -TERM {pid}")]).status().await.unwrap();
    assert!(sent.success());
    let ended = process.wait_with_output().await.unwrap();
    assert!(ended.status.success(), "{}", text(&ended.stderr));
    assert!(!text(&ended.stderr).contains("@example.com"), "{}", text(&ended.stderr));

    let status = home.json(&["status"]).await;
    println!(
        "{}",
        serde_json::json!({ "members": MEMBERS, "messages": MEMBERS * 2, "kills": KILLS,
            "kills_in_mid_stream": struck, "rows": status["waiting"], "taken_in": status["taken_in"],
            "left_at_nats": nats.left().await, "left_at_rabbitmq": rabbitmq.left().await })
    );
    assert_eq!((&status["taken_in"], &status["waiting"]), (&MEMBERS.into(), &MEMBERS.into()), "{status}");
    assert_eq!((status["adds_up"].as_bool(), status["dead_letters"].as_u64()), (Some(true), Some(0)));
    assert_eq!((nats.left().await, rabbitmq.left().await), (0, 0));
    assert!(struck >= KILLS / 2, "only {struck} kills in mid-stream: the test proves too little");
}
