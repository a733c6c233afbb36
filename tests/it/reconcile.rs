//! `gleaner reconcile`: what a broker lost is found and taken in.

use gleaner_providers::sandbox::SandboxSettings;
use serde_json::{Value, json};
use sqlx::postgres::PgPool;

use crate::support::{Home, members, postgres_database, text};

fn address(n: u32) -> String {
    format!("quokka{n}@example.com")
}

/// The counts of a report that has told what was expected of it.
fn counts(report: &Value) -> Value {
    let names = [
        "rows",
        "jobs",
        "records",
        "dead_letters",
        "suppressed",
        "missing",
        "changed",
        "refused",
        "enqueued",
    ];
    names.iter().map(|name| report[name].clone()).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_missing_is_shown_first_and_then_taken_in() {
    let home = Home::new(SandboxSettings::calm(7), "").await;
    let known = home.write("known.csv", members(2_500, address));
    home.json(&["enqueue", known.to_str().unwrap()]).await;
    let mut list = members(2_520, address).replace("m7,quokka7@", "m7,quokka.new@");
    list.push_str("m9000,not an address\nm2519,QUOKKA2519@example.com\n");
    let list = home.write("members.csv", &list);
    let list = list.to_str().unwrap();

    let preview = home.run(&["reconcile", list, "--dry-run"]).await;
    assert_eq!(preview.status.code(), Some(3), "{}", text(&preview.stderr));
    let shown = text(&preview.stdout);
    for expected in [
        "missing: m2500\n",
        "missing: and 10 more\n",
        "another address: m7\n",
        "members.csv:2522: e-mail address: has no `@`\n",
        "2522 rows compared: 21 would be taken in; nothing was done (--dry-run)\n",
    ] {
        assert!(shown.contains(expected), "no `{expected}` in:\n{shown}");
    }
    assert!(!shown.contains("quokka") && !text(&preview.stderr).contains("quokka"), "{shown}");
    assert_eq!(home.json(&["status"]).await["taken_in"], 2_500, "a preview does nothing");

    let report = home.json(&["reconcile", list]).await;
    assert_eq!(counts(&report), json!([2_522, 2_500, 0, 0, 0, 20, 1, 1, 21]));
    let status = home.json(&["status"]).await;
    assert_eq!((&status["taken_in"], &status["waiting"]), (&json!(2_520), &json!(2_520)));
    assert_eq!((&status["dead_letters"], &status["adds_up"]), (&json!(0), &json!(true)));

    // Nothing is missing any more, however often one looks.
    let again = home.json(&["reconcile", list, "--dry-run"]).await;
    assert_eq!(counts(&again), json!([2_522, 2_521, 0, 0, 0, 0, 0, 1, 0]));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_query_reads_the_services_own_database_and_cannot_write_there() {
    let url = postgres_database().await;
    let database = PgPool::connect(&url).await.unwrap();
    let sql = "CREATE TABLE members (id bigint PRIMARY KEY, email varchar(200), left_at date);
        INSERT INTO members SELECT n, 'quokka' || n || '@example.com', NULL FROM generate_series(1, 2500) AS n;
        INSERT INTO members VALUES (3001, NULL, NULL), (3002, 'nobody', NULL), (3003, 'gone@example.com', '2026-01-01');
        CREATE FUNCTION sneaky() RETURNS text LANGUAGE sql
        AS $$ INSERT INTO members VALUES (9999, 'x', NULL) RETURNING 'x'::text $$;";
    sqlx::raw_sql(sql).execute(&database).await.unwrap();

    let home = Home::new(SandboxSettings::calm(7), "").await;
    let query = "SELECT id, email FROM members WHERE left_at IS NULL ORDER BY id -- all of them";
    let report = home.json(&["reconcile", "--query", query, "--from", &url]).await;
    assert_eq!(counts(&report), json!([2_502, 0, 0, 0, 0, 2_500, 0, 2, 2_500]));
    assert_eq!(report["first_refusals"][0]["origin"], "query:2501");
    assert_eq!(report["first_refusals"][1]["member"], "3002");
    let again = home.json(&["reconcile", "--query", query, "--from", &url]).await;
    assert_eq!(counts(&again), json!([2_502, 2_500, 0, 0, 0, 0, 0, 2, 0]));

    for (query, told) in [
        ("SELECT id, emial FROM members", "column \"emial\" does not exist"),
        ("DELETE FROM members RETURNING id, email", "syntax error"),
        (
            "SELECT 1, 'x') AS m; DELETE FROM members; SELECT * FROM (SELECT 1, 'x'",
            "cannot insert multiple commands",
        ),
        ("SELECT id FROM members", "has 1 columns available but 2 columns specified"),
        ("SELECT nextval('x'), 'y'", "relation \"x\" does not exist"),
        (
            "SELECT id, email::int::text FROM members",
            "the service's database ended the query (SQLSTATE 22P02)",
        ),
    ] {
        let failed = home.run(&["reconcile", "--query", query, "--from", &url]).await;
        let said = text(&failed.stderr);
        assert!(failed.status.code() == Some(1) && said.contains(told), "{query}: {said}");
        assert!(!said.contains("quokka"), "{said}");
    }
    let left: i64 = sqlx::query_scalar("SELECT count(*) FROM members").fetch_one(&database).await.unwrap();
    assert_eq!(left, 2_503);
    let secret = "postgres://gleaner:hunter2@127.0.0.1:1/nowhere";
    let away = home.run(&["reconcile", "--query", "SELECT 1, 'x'", "--from", secret]).await;
    let said = text(&away.stderr);
    assert!(away.status.code() == Some(1) && !said.contains("hunter2"), "{said}");
    assert!(said.contains("the service's database cannot be reached"), "{said}");
}
