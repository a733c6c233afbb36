//! A replay of very many finished members on PostgreSQL: how long the operator waits for the preview, and how fast it is filled.

use sqlx::{AssertSqlSafe, PgConnection};
use tokio::time::Instant;

use crate::home::Home;
use crate::server::Databank;

/// One in four has no match, one in four has an age as well; one in ten came with the batch `first`, another one in ten has expired;
/// about the first of each thousand a provider failed once.
const RECORDS: &str = r#"
    INSERT INTO supplemental_member_information (
        member_id, email, subject, full_name, given_name, family_name, age, age_min, age_max, age_as_of, birth_earliest,
        birth_latest, social_profiles, status, confidence, provenance, policy_version, collected_at, updated_at, expires_at, batch
    )
    SELECT
        'm-' || n, 'member.number' || n || '@site' || n % 1000 || '.example.org', sha256(convert_to('m-' || n, 'UTF8')),
        CASE WHEN n % 4 > 0 THEN 'Ada Example' END, CASE WHEN n % 4 > 0 THEN 'Ada' END, CASE WHEN n % 4 > 0 THEN 'Example' END,
        CASE WHEN n % 4 = 1 THEN 41 END, CASE WHEN n % 4 = 1 THEN 41 END, CASE WHEN n % 4 = 1 THEN 41 END,
        CASE WHEN n % 4 = 1 THEN date '2026-11-25' END,
        CASE WHEN n % 4 = 1 THEN date '1985-01-01' END, CASE WHEN n % 4 = 1 THEN date '1985-11-01' END,
        CASE WHEN n % 4 > 0 THEN '[{
            "network": "github", "handle": "ada-example", "url": "https://github.com/ada-example", "confidence": 0.9,
            "provider": "gravatar", "assurance": "self_asserted",
            "sources": [{"provider": "gravatar", "fetched_at": "2026-11-25T04:00:00Z", "evidence": "https://example.com/people/1"},
                        {"provider": "github", "fetched_at": "2026-11-25T04:00:00Z", "evidence": "https://example.com/people/1"}]
        }]'::jsonb ELSE '[]' END,
        CASE WHEN n % 4 = 0 THEN 'no_match' ELSE 'complete' END,
        CASE WHEN n % 4 = 1 THEN '{"name": 0.9, "age": 0.8}'::jsonb WHEN n % 4 > 0 THEN '{"name": 0.9}' ELSE '{}' END,
        CASE WHEN n % 4 > 0 THEN '{"name": {"assurance": "self_asserted", "sources": [
            {"provider": "gravatar", "fetched_at": "2026-11-25T04:00:00Z", "evidence": "https://example.com/people/1"}
        ]}}'::jsonb ELSE '{}' END,
        '1', now(), now(), now() + CASE WHEN n % 10 = 5 THEN interval '-1 day' ELSE interval '365 days' END,
        CASE WHEN n % 10 = 0 THEN (SELECT id FROM batches WHERE name = 'first') END
    FROM generate_series(1, $MEMBERS) AS n;

    INSERT INTO provider_answers (subject, provider, outcome, finding, cost_micros, fetched_at, expires_at)
    SELECT
        sha256(convert_to('m-' || n, 'UTF8')), provider, CASE WHEN is_match THEN 'match' ELSE 'no_match' END,
        CASE WHEN is_match THEN '{"name": null, "birth": null, "profiles": []}'::jsonb END, 0, now(), now() + interval '90 days'
    FROM generate_series(1, $MEMBERS) AS n
    CROSS JOIN unnest(array['gravatar', 'github', 'people_data_labs']) AS provider
    CROSS JOIN LATERAL (SELECT n % 4 > 0 AND provider = 'gravatar' AS is_match) AS about;

    INSERT INTO lookup_log (job_id, member_id, provider, told, outcome, duration_us, cost_micros, at)
    SELECT n, 'm-' || n, 'github', 'address', CASE WHEN n % 1000 = 1 THEN 'unavailable' ELSE 'no_match' END, 70000, 0, now()
    FROM generate_series(1, $MEMBERS) AS n;

    UPDATE intake_tally SET taken_in = $MEMBERS WHERE stripe = 0;"#;

/// What filling comes down to: without chunks, marks, locks and counts.
const BARE: &str = "
    INSERT INTO enrichment_jobs (member_id, email, subject, priority, run_at, queued_at, batch, replay)
    SELECT member_id, email, subject, 2000, now(), now(), batch, 1 FROM supplemental_member_information ORDER BY member_id";

/// What operators select by, and whom it finds.
const SELECTIONS: [&[&str]; 9] = [
    &["--all"],
    &["--status", "complete"],
    &["--since", "1d"],
    &["--missing", "age"],
    &["--confidence-below", "name=0.95"],
    &["--expired"],
    &["--provider", "github"],
    &["--error-class", "unavailable"],
    &["--batch", "first"],
];

pub(crate) async fn measure(databank: &Databank, members: u32) {
    let home = Home::new(Some(databank), str::to_owned).await;
    home.import(1);
    let mut connection = databank.connect().await;
    let began = Instant::now();
    for sql in [RECORDS.replace("$MEMBERS", &members.to_string()).as_str(), "VACUUM ANALYZE", "CHECKPOINT"] {
        run(&mut connection, sql).await;
    }
    println!("{members} finished members on PostgreSQL (made in {:.0} s)", began.elapsed().as_secs_f64());

    let began = Instant::now();
    run(&mut connection, "SELECT count(*) FROM supplemental_member_information WHERE status = 'complete'")
        .await;
    println!("  as a yardstick, counting all that are complete: {:.2} s", began.elapsed().as_secs_f64());
    println!("`gleaner replay … --dry-run`, the whole command, the second of two (goal: 2 s)");
    for selection in SELECTIONS {
        let mut seconds = 0.0;
        let mut selected = serde_json::Value::Null;
        for _ in 0..2 {
            let (preview, took) = home.run(&[&["replay"], selection, &["--dry-run"]].concat());
            (selected, seconds) = (preview["selected"]["with_record"].clone(), took.as_secs_f64());
        }
        println!("  {:<32} {selected:>8} members  {seconds:>5.2} s", selection.join(" "));
    }
    let began = Instant::now();
    run(&mut connection, BARE).await;
    let bare = f64::from(members) / began.elapsed().as_secs_f64();
    for sql in ["TRUNCATE enrichment_jobs", "VACUUM ANALYZE enrichment_jobs", "CHECKPOINT"] {
        run(&mut connection, sql).await;
    }
    let (told, took) = home.run(&["replay", "--all", "--name", "again", "--yes"]);
    let made = told["made"].as_u64().unwrap();
    let rate = made as f64 / took.as_secs_f64();
    println!(
        "`gleaner replay --all --yes`, the whole command: {made} members in {:.1} s, {rate:.0} members/s (goal: 20,000)",
        took.as_secs_f64()
    );
    println!("  one bare INSERT … SELECT of the same rows: {bare:.0} members/s, ratio {:.2}", rate / bare);
    assert_eq!(made, u64::from(members));
}

async fn run(connection: &mut PgConnection, sql: &str) {
    sqlx::raw_sql(AssertSqlSafe(sql)).execute(connection).await.unwrap();
}
