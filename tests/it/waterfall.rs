//! Whom the real binary asks and for how much: plans, ceilings, conditions, and the story of a record.

use gleaner_providers::sandbox::{Latency, SandboxSettings};
use serde_json::Value;
use sqlx::{Connection as _, PgConnection};

use crate::support::{Home, members, postgres_database, text};

const ADDRESS: &str = "ada.example@ada-example.example.org";

fn providers(list: &Value) -> Vec<&str> {
    list.as_array().unwrap().iter().map(|one| one["provider"].as_str().unwrap()).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_plan_asks_nobody_and_knows_what_is_in_stock() {
    let home = Home::new(SandboxSettings { distortion: 0.0, ..SandboxSettings::calm(1) }, "").await;
    let before = home.json(&["plan", ADDRESS]).await;
    assert_eq!(before["segment"], "company");
    assert!(providers(&before["steps"]).contains(&"people_data_labs"), "{before}");
    assert_eq!(before["most_micros"], 280_000);
    let expected = before["expected_micros"].as_u64().unwrap();
    assert!(expected > 0 && expected < 280_000, "{before}");
    assert!(!home.path("data/gleaner.db").exists(), "who only looks makes no database");
    assert_eq!(home.sandbox.summary().calls, 0);

    home.json(&["enrich", ADDRESS]).await;
    let calls = home.sandbox.summary().calls;
    let after = home.json(&["plan", ADDRESS]).await;
    assert_eq!(home.sandbox.summary().calls, calls);
    let stock = providers(&after["stock"]);
    assert!(stock.contains(&"gravatar") && stock.contains(&"people_data_labs"), "{after}");
    assert!(providers(&after["steps"]).iter().all(|step| !stock.contains(step)), "{after}");

    let shown = home.run(&["plan", ADDRESS]).await;
    let shown = text(&shown.stdout);
    assert!(shown.contains("its answer is in stock") && shown.contains("Expected cost"), "{shown}");
    assert!(!shown.contains("ada.example@"), "the address need not be shown");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_ceiling_and_a_condition_keep_a_provider_from_being_asked() {
    for (extra, why) in [
        ("[enrich]\nmax_cost = \"$0.20\"\n", "it might cost more than is left of `max_cost`"),
        ("", "`only_for` has no such addresses"),
    ] {
        let home = Home::new(SandboxSettings { distortion: 0.0, ..SandboxSettings::calm(1) }, extra).await;
        if extra.is_empty() {
            let mut config = std::fs::read_to_string(home.path("gleaner.toml")).unwrap();
            config = config.replace(
                "[providers.people_data_labs]\n",
                "[providers.people_data_labs]\nonly_for = [\"free_mail\"]\n",
            );
            home.write("gleaner.toml", config);
        }
        let plan = home.json(&["plan", ADDRESS]).await;
        let unasked = plan["unasked"].as_array().unwrap();
        let reason = unasked.iter().find(|one| one["provider"] == "people_data_labs").map(|one| &one["why"]);
        assert_eq!(reason, Some(&Value::from(why)), "{plan}");
        home.json(&["enrich", ADDRESS]).await;
        let ledger = home.sandbox.ledger();
        assert!(ledger.iter().all(|entry| entry.provider != "people_data_labs"));
        assert!(ledger.iter().any(|entry| entry.provider == "gravatar"));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_story_of_a_record_names_everybody_who_was_asked_and_who_was_not() {
    let settings = SandboxSettings { distortion: 0.0, ..SandboxSettings::calm(1) };
    let home = Home::new(settings, "[enrich]\nmax_cost = \"$0.28\"\n").await;
    let file = home.write("twins.csv", format!("id,email\na,{ADDRESS}\nb,{}\n", ADDRESS.to_uppercase()));
    home.json(&["enrich", file.to_str().unwrap()]).await;
    let (one, twin) = (home.json(&["explain", "a"]).await, home.json(&["explain", "b"]).await);
    let (asked, shared) = if providers(&one["lookups"]).is_empty() { (&twin, &one) } else { (&one, &twin) };
    assert!(providers(&asked["lookups"]).contains(&"people_data_labs"), "{asked}");
    assert_eq!(asked["cost_micros"], 280_000);
    assert_eq!((&shared["cost_micros"], shared["lookups"].as_array().unwrap().len()), (&Value::from(0), 0));
    assert_eq!(providers(&shared["shared"]).len(), providers(&asked["lookups"]).len());
    let fields = asked["fields"].as_array().unwrap();
    let name = fields.iter().find(|field| field["field"] == "name").unwrap();
    assert!(!name["supporters"].as_array().unwrap().is_empty(), "{name}");

    let shown = home.run(&["explain", "a"]).await;
    let shown = text(&shown.stdout);
    assert!(shown.contains("complete") && shown.contains("people_data_labs"), "{shown}");
    let nobody = home.run(&["explain", "c"]).await;
    assert_eq!(nobody.status.code(), Some(3));
    let nobody = home.run(&["explain", "nobody@example.com"]).await;
    assert!(!text(&nobody.stderr).contains("nobody@"), "no address on standard error");
}

/// Two processes on one PostgreSQL, and four members for each mailbox: every mailbox is paid for once.
#[tokio::test(flavor = "multi_thread")]
async fn a_fleet_pays_once_for_a_mailbox() {
    const MAILBOXES: u32 = 40;
    let settings = SandboxSettings {
        latency: Latency { min_ms: 20, max_ms: 60 },
        distortion: 0.0,
        ..SandboxSettings::calm(3)
    };
    let database = postgres_database().await;
    let extra =
        format!("database = {database:?}\n[worker]\nclaim_batch = 4\nconcurrency = 8\npoll_ms = 20\n");
    let home = Home::new(settings, &extra).await;
    // The four of a mailbox follow each other, so that both processes hold some of them at the same time.
    let rows = (0..MAILBOXES * 4).map(|n| {
        let (mailbox, spelling) = (n / 4, n % 4);
        let local = if spelling % 2 == 0 { "Member" } else { "member" };
        format!("m{n},{local}{mailbox}@site{mailbox}.example.org\n")
    });
    let file = home.write("members.csv", format!("id,email\n{}", rows.collect::<String>()));
    home.json(&["enqueue", file.to_str().unwrap()]).await;
    let mut runs: Vec<_> = (0..2).map(|_| home.start(&["worker", "--until-idle=10"])).collect();
    for run in &mut runs {
        assert!(run.wait().await.unwrap().success());
    }
    home.is_done_with(MAILBOXES * 4).await;
    let calls = home.sandbox.ledger().iter().filter(|entry| entry.provider == "people_data_labs").count();
    let mut connection = PgConnection::connect(&database).await.unwrap();
    let twice: i64 = sqlx::query_scalar(
        "SELECT count(*) FROM (
            SELECT 1 FROM lookup_log JOIN supplemental_member_information USING (member_id)
            WHERE provider = 'people_data_labs' GROUP BY subject HAVING count(*) > 1
        ) AS twice",
    )
    .fetch_one(&mut connection)
    .await
    .unwrap();
    assert_eq!(twice, 0, "mailboxes that were asked about twice");
    assert!(calls > 0 && calls <= MAILBOXES as usize, "{calls} calls about {MAILBOXES} mailboxes");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_refresh_asks_everybody_again() {
    let home = Home::new(SandboxSettings { distortion: 0.0, ..SandboxSettings::calm(1) }, "").await;
    home.json(&["enrich", ADDRESS]).await;
    let paid = |home: &Home| {
        home.sandbox.ledger().iter().filter(|entry| entry.provider == "people_data_labs").count()
    };
    home.json(&["enrich", ADDRESS]).await;
    assert_eq!(paid(&home), 1);
    let record = home.json(&["enrich", "--refresh", ADDRESS]).await;
    assert_eq!((paid(&home), &record["status"]), (2, &Value::from("complete")));
    let story = home.json(&["explain", ADDRESS]).await;
    assert_eq!(story["cost_micros"], 560_000, "the ledger has both");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_learned_is_told_with_advice() {
    let home = Home::new(SandboxSettings::calm(1), "[enrich]\norder = \"auto\"\n").await;
    let before = home.json(&["advise"]).await;
    assert_eq!((&before["answers"], &before["order"]), (&Value::from(0), &Value::from("auto")));
    let file = home.write("members.csv", members(30, |n| format!("person{n}@site{n}.example.org")));
    home.json(&["enrich", file.to_str().unwrap()]).await;
    let after = home.json(&["advise"]).await;
    assert!(after["answers"].as_u64().unwrap() > 60, "{after}");
    assert_eq!(after["segments"][0]["segment"], "company");
    let shown = home.run(&["advise"]).await;
    assert!(text(&shown.stdout).contains("people_data_labs"), "{}", text(&shown.stdout));
}

/// With name and profiles filled by others, the broker's records without a birth date are neither told nor billed.
#[tokio::test(flavor = "multi_thread")]
async fn a_match_without_a_missing_field_costs_nothing() {
    let home = Home::new(SandboxSettings { distortion: 0.0, ..SandboxSettings::calm(1) }, "").await;
    let file = home.write("members.csv", members(60, |n| format!("person{n}@site{n}.example.org")));
    let run = home.json(&["enrich", file.to_str().unwrap()]).await;
    let broker = &run["work"]["providers"]["people_data_labs"];
    let count = |outcome: &str| broker[outcome].as_u64().unwrap();
    assert_eq!(broker["cost_micros"].as_u64().unwrap(), count("matches") * 280_000);
    let database = home.database().await;
    let useless: i64 = sqlx::query_scalar(
        "SELECT count(*) FROM provider_answers AS paid
         WHERE provider = 'people_data_labs' AND outcome = 'match' AND finding ->> 'birth' IS NULL AND EXISTS (
             SELECT 1 FROM provider_answers AS other
             WHERE other.subject = paid.subject AND other.provider = 'gravatar' AND outcome = 'match'
                 AND finding ->> 'name' IS NOT NULL AND finding ->> 'profiles' IS NOT NULL
         )",
    )
    .fetch_one(&database)
    .await
    .unwrap();
    assert_eq!(useless, 0, "paid for nothing that was missing");
    let demanded: i64 = sqlx::query_scalar("SELECT count(*) FROM provider_lessons WHERE brought < -1")
        .fetch_one(&database)
        .await
        .unwrap();
    assert!(demanded > 0 && count("matches") > 0, "{run}");
}
