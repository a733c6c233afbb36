//! Providers that are closed, by an operator, by their own word or by a spent budget, as one process after the other meets them.

use gleaner_providers::sandbox::{FaultRates, SandboxSettings, Service, ServiceSettings};
use serde_json::Value;

use crate::support::{Home, KEY_VARIABLE, members, text};

async fn home(extra: &str) -> Home {
    Home::new(SandboxSettings { distortion: 0.0, ..SandboxSettings::calm(1) }, extra).await
}

/// Adds settings to one provider's table.
fn set(home: &Home, provider: &str, settings: &str) {
    let table = format!("[providers.{provider}]\n");
    let config = std::fs::read_to_string(home.path("gleaner.toml")).unwrap();
    assert!(config.contains(&table));
    home.write("gleaner.toml", config.replace(&table, &format!("{table}{settings}\n")));
}

fn asked(home: &Home, provider: &str) -> usize {
    home.sandbox.ledger().iter().filter(|entry| entry.provider == provider).count()
}

async fn enqueue(home: &Home, count: u32) {
    let file = home.write("members.csv", members(count, |n| format!("person{n}@site{n}.example.org")));
    home.json(&["enqueue", file.to_str().unwrap()]).await;
}

async fn attempts(home: &Home) -> i64 {
    let database = home.database().await;
    sqlx::query_scalar("SELECT coalesce(sum(attempt), 0) FROM enrichment_jobs")
        .fetch_one(&database)
        .await
        .unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_paused_provider_is_not_asked_and_its_lookups_lose_no_attempt() {
    let home = home("").await;
    enqueue(&home, 10).await;
    let paused = home.json(&["provider", "pause", "gravatar", "--for", "30m", "--reason", "invoice"]).await;
    assert_eq!(paused["closed"]["by"], "operator");
    home.json(&["worker", "--until-idle"]).await;
    assert_eq!((asked(&home, "gravatar"), attempts(&home).await), (0, 0));
    assert!(asked(&home, "github") > 0, "the others are asked");

    let status = home.json(&["status"]).await;
    assert_eq!((&status["waiting"], &status["adds_up"]), (&Value::from(10), &Value::from(true)));
    assert_eq!(status["closed"][0]["closed"]["why"], "invoice");
    let listed = text(&home.run(&["provider", "list"]).await.stdout);
    assert!(listed.contains("on: paused until") && listed.contains("(invoice)"), "{listed}");

    let resumed = home.json(&["provider", "resume", "gravatar"]).await;
    assert_eq!((&resumed["was_closed"], &resumed["jobs_due"]), (&Value::from(true), &Value::from(10)));
    home.json(&["worker", "--until-idle"]).await;
    // Of whom the others have found name and profiles meanwhile, it is not asked any more.
    assert!((1..=10).contains(&asked(&home, "gravatar")), "{}", asked(&home, "gravatar"));
    assert_eq!(home.json(&["status"]).await["waiting"], 0);
    let again = home.json(&["provider", "resume", "gravatar"]).await;
    assert_eq!((&again["was_closed"], &again["jobs_due"]), (&Value::from(false), &Value::from(0)));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_provider_that_refused_one_process_is_not_asked_by_the_next() {
    let home = home("[worker]\nconcurrency = 1\n").await;
    enqueue(&home, 20).await;
    for _ in 0..2 {
        let mut command = home.command(&["worker", "--until-idle"]);
        let ended = command.env(KEY_VARIABLE, "wrong").output().await.unwrap();
        assert!(ended.status.success(), "{}", text(&ended.stderr));
        assert_eq!(asked(&home, "people_data_labs"), 1, "one wrong key costs one call");
    }
    let closed = home.json(&["status"]).await["closed"][0].clone();
    assert_eq!(
        (&closed["provider"], &closed["closed"]["by"]),
        (&"people_data_labs".into(), &"provider".into())
    );
    assert!(closed["closed"]["why"].as_str().unwrap().starts_with("access denied"), "{closed}");

    // The operator sets the right key, and says so.
    home.json(&["provider", "resume", "people_data_labs"]).await;
    home.json(&["worker", "--until-idle"]).await;
    assert!(asked(&home, "people_data_labs") > 5);
    assert_eq!(home.json(&["status"]).await["waiting"], 0);
}

/// A provider that answers nothing but errors is asked three times by the whole fleet, then tried, and then asked again.
#[tokio::test(flavor = "multi_thread")]
async fn a_provider_that_fails_is_left_alone_tried_and_asked_again() {
    let calm = SandboxSettings { distortion: 0.0, ..SandboxSettings::calm(1) };
    let errors = FaultRates { server_error: 1.0, ..FaultRates::default() };
    let broken = ServiceSettings { faults: Some(errors), ..ServiceSettings::default() };
    let failing = SandboxSettings { providers: [(Service::Gravatar, broken)].into(), ..calm.clone() };
    let extra = "[worker]\nconcurrency = 1\n[retry]\nbase_ms = 1\n\
                 [breaker]\nfailures = 3\nopen_secs = 3600\nlongest_secs = 3600\n";
    let mut home = Home::new(failing, extra).await;
    enqueue(&home, 30).await;
    home.json(&["worker", "--until-idle"]).await;
    let asked_at_first = asked(&home, "gravatar");
    assert!((3..=12).contains(&asked_at_first), "three lookups of a few calls each: {asked_at_first}");
    let lookups: i64 = sqlx::query_scalar("SELECT count(*) FROM lookup_log WHERE provider = 'gravatar'")
        .fetch_one(&home.database().await)
        .await
        .unwrap();
    assert_eq!(lookups, 3, "and nobody's after these");
    // Whoever got name and profiles from the others is done all the same.
    assert!((1..=3).contains(&attempts(&home).await), "only those that were asked have lost one");
    let status = home.json(&["status"]).await;
    let closed = &status["closed"][0];
    assert_eq!((&closed["provider"], &closed["closed"]["by"]), (&"gravatar".into(), &"breaker".into()));
    assert!(closed["closed"]["why"].as_str().unwrap().contains("unavailable"), "{closed}");
    assert_eq!((&closed["trips"], &status["adds_up"]), (&Value::from(1), &Value::from(true)));
    let listed = text(&home.run(&["provider", "list"]).await.stdout);
    assert!(listed.contains("on: left alone, because it fails, until"), "{listed}");
    // Another process of the fleet knows it from the start.
    home.json(&["worker", "--until-idle"]).await;
    assert_eq!(asked(&home, "gravatar"), asked_at_first);

    home.start_sandbox_anew(calm).await;
    // The pause is over; one lookup tries, and the others follow when it has found out.
    let database = home.database().await;
    sqlx::query("UPDATE provider_gates SET blocked_until = 1 WHERE provider = 'gravatar'")
        .execute(&database)
        .await
        .unwrap();
    sqlx::query("UPDATE enrichment_jobs SET run_at = 1").execute(&database).await.unwrap();
    home.json(&["worker", "--until-idle", "20"]).await;
    let status = home.json(&["status"]).await;
    assert_eq!(
        (&status["closed"], &status["waiting"]),
        (&Value::Array(Vec::new()), &Value::from(0)),
        "{status}"
    );
    assert!(asked(&home, "gravatar") > 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_budget_of_calls_holds_over_restarts() {
    let home = home("").await;
    set(&home, "gravatar", "daily_calls = 5");
    enqueue(&home, 40).await;
    for _ in 0..3 {
        home.json(&["worker", "--until-idle"]).await;
    }
    // A slot that nobody came for in time is lost with its process.
    let calls = asked(&home, "gravatar");
    assert!((1..=5).contains(&calls), "{calls} calls of five");
    let status = home.json(&["status"]).await;
    assert_eq!((&status["adds_up"], attempts(&home).await), (&Value::from(true), 0));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_budget_of_money_holds_over_restarts() {
    let home = home("").await;
    set(&home, "people_data_labs", "daily_budget = \"$1.00\"");
    enqueue(&home, 40).await;
    for _ in 0..3 {
        // The bills of calls under way are waited for: a miss costs nothing, and what it might have cost is free again.
        home.json(&["worker", "--until-idle", "5"]).await;
    }
    let billed = home.sandbox.summary().providers["people_data_labs"].billed_micros.0;
    assert!((560_000..=1_000_000).contains(&billed), "$0.28 a match, at most a dollar: {billed}");
    let status = home.json(&["status"]).await;
    assert_eq!((&status["adds_up"], attempts(&home).await), (&Value::from(true), 0));
    let used = status["usage"].as_array().unwrap().iter().find(|row| row["provider"] == "people_data_labs");
    assert_eq!(used.unwrap()["cost_micros_today"], billed, "what we book is what we are billed");
}

#[tokio::test(flavor = "multi_thread")]
async fn mistakes_with_a_pause_are_told() {
    let home = home("").await;
    for (arguments, message) in [
        (&["provider", "pause", "githup"][..], "known are: gravatar, github"),
        (&["provider", "resume", "githup"], "known are: gravatar, github"),
        (&["provider", "pause", "github", "--for", "soon"], "--for"),
        (&["provider", "pause", "github", "--for", "0s"], "must be longer"),
    ] {
        let output = home.run(arguments).await;
        assert!(!output.status.success(), "{arguments:?}");
        assert!(text(&output.stderr).contains(message), "{arguments:?}: {}", text(&output.stderr));
    }
}
