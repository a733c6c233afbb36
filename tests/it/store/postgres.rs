//! What only a database of many workers has: processes that start at once, clocks that differ, connections that die, a
//! pooler between.

use std::sync::Arc;
use std::time::Duration;

use gleaner::clock::{Clock as _, SystemClock};
use gleaner::job::{AnswerContent, Committed, DeadReason, Refusal, SuppressionReason, Verdict};
use gleaner::keyring::Keyring;
use gleaner::record::RecordStatus;
use gleaner::store::postgres::{Access, Clock, PostgresStore, statements};
use gleaner::store::{Claim, Page, Rescued, Store as _};
use jiff::{SignedDuration, Timestamp};
use sqlx::{AssertSqlSafe, Connection as _, PgConnection, Row as _};
use tokio::sync::Barrier;

use super::support::{
    Database as _, LEASE, PostgresDatabase, a_match, answer, at, census, claim, claim_one, claim_one_soon,
    keyring, member, outcome, registration, registrations, subject, written,
};
use super::{commits, intake, leases, requests, suppression};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn ten_processes_that_start_at_once_make_the_tables_once() {
    for database in [PostgresDatabase::new(), PostgresDatabase::behind_a_pooler()] {
        let access = database.access(Clock::Given).await;
        let barrier = Arc::new(Barrier::new(10));
        let start = |_| {
            let (access, barrier) = (access.clone(), Arc::clone(&barrier));
            tokio::spawn(async move {
                barrier.wait().await;
                PostgresStore::open(&access, &keyring().fingerprint()).await.map(|_| ())
            })
        };
        let starts: Vec<_> = (0..10).map(start).collect();
        for start in starts {
            start.await.unwrap().unwrap();
        }
        let stripes = "SELECT count(*) FROM intake_tally";
        let stripes: i64 =
            sqlx::query_scalar(stripes).fetch_one(&mut database.consumer().await).await.unwrap();
        assert_eq!(stripes, 16);
    }
}

#[tokio::test]
async fn a_database_of_another_key_is_refused() {
    let database = PostgresDatabase::new();
    database.open().await.enqueue(&registrations(1), at(0)).await.unwrap();
    let other = Keyring::from_bytes([8; 32]).fingerprint();
    let refused = PostgresStore::open(&database.access(Clock::Given).await, &other).await.unwrap_err();
    insta::assert_snapshot!(refused, @"cannot open the database: it was written with the key 994f0e9265abb356, and the key file holds 19329c824cd38fb1; restore the key file that belongs to this database, or start with another database");
    assert_eq!(census(&*database.open().await).await.waiting, 1, "and stays as it was");
}

#[tokio::test]
async fn a_database_of_a_newer_version_is_refused() {
    let database = PostgresDatabase::new();
    drop(database.open().await);
    let newer = r"INSERT INTO _sqlx_migrations (version, description, success, checksum, execution_time)
                  VALUES (9999, 'from the future', TRUE, '\x00', 0)";
    sqlx::query(newer).execute(&mut database.consumer().await).await.unwrap();
    let access = database.access(Clock::Given).await;
    let refused = PostgresStore::open(&access, &keyring().fingerprint()).await.unwrap_err();
    insta::assert_snapshot!(refused, @"cannot open the database: a newer version of gleaner wrote it (migration 9999); install that version, or restore a backup");
}

#[tokio::test]
async fn what_cannot_be_opened_is_told_without_the_password() {
    let database = PostgresDatabase::new();
    let mut url = url::Url::parse(database.url().await).unwrap();
    url.set_password(Some("opensesame")).unwrap();
    let (mut missing, mut nobody, mut nowhere) = (url.clone(), url.clone(), url);
    missing.set_path("no_such_database");
    nobody.set_username("nobody_knows").unwrap();
    // Nobody listens on the first of all ports.
    nowhere.set_port(Some(1)).unwrap();
    for (url, expected) in [
        (
            missing,
            "cannot open the database: the server has no such database; make it with `createdb` (3D000)",
        ),
        (nobody, "cannot open the database: the server refuses this user"),
        (nowhere, "the database is unavailable: connection refused (127.0.0.1:1)"),
    ] {
        let access = Access { url: String::from(url).into(), pooler: false, clock: Clock::Database };
        let refused = PostgresStore::open(&access, "any").await.unwrap_err().to_string();
        assert!(refused.starts_with(expected), "{refused}");
        assert!(!refused.contains("opensesame") && !format!("{access:?}").contains("opensesame"));
    }
}

/// Two workers whose clocks are a day off, one ahead and one behind, on the database's own clock.
#[tokio::test]
async fn a_clock_that_is_a_day_off_changes_nothing() {
    let database = PostgresDatabase::new();
    let store = database.store(Clock::Database).await;
    let mut consumer = database.consumer().await;
    for (person, hours) in [(1, 24), (2, -24)] {
        let its_now = || SystemClock.now() + SignedDuration::from_hours(hours);
        let near = |time: Timestamp, minutes: i64| {
            let off = time.duration_since(its_now()) - SignedDuration::from_mins(minutes);
            assert!(off.abs() < SignedDuration::from_secs(30), "{off} off, at {hours} hours");
        };
        store.enqueue(&[registration(person, person)], its_now()).await.unwrap();
        let job = claim_one(&*store, its_now()).await;
        near(job.queued_at, 0);
        near(store.next_due(its_now()).await.unwrap().unwrap(), 1);
        assert_eq!(store.rescue(its_now(), 9).await.unwrap(), Rescued::default(), "the lease has just begun");
        assert_eq!(store.renew(&[job.hold], LEASE * 30, its_now()).await.unwrap(), []);
        near(store.next_due(its_now()).await.unwrap().unwrap(), 30);

        let_an_hour_pass(&mut consumer).await;
        assert_eq!(store.rescue(its_now(), 9).await.unwrap(), Rescued { requeued: 1, buried: 0 });
        let job = claim_one_soon(&*store, its_now).await;
        assert_eq!(job.attempt, 2);
        let at = its_now() + SignedDuration::from_mins(10);
        let retry = Verdict::Retry { at, error: "timeout".to_owned(), partial: None };
        store.commit(&[outcome(&job, retry)], its_now()).await.unwrap();
        near(store.next_due(its_now()).await.unwrap().unwrap(), 10);
        assert!(claim(&*store, 1, its_now()).await.is_empty(), "ten minutes are not over");
        let_an_hour_pass(&mut consumer).await;
        let job = claim_one_soon(&*store, its_now).await;
        let done = store.commit(&[written(&job, RecordStatus::Complete)], its_now()).await.unwrap();
        assert_eq!(done, [Committed::Applied]);
    }
    assert_eq!(census(&*store).await.complete, 2);
}

async fn let_an_hour_pass(consumer: &mut PgConnection) {
    let sql = "UPDATE enrichment_jobs SET
                   lease_until = lease_until - interval '1 hour', run_at = run_at - interval '1 hour'";
    sqlx::query(sql).execute(consumer).await.unwrap();
}

#[tokio::test]
async fn a_commit_reads_its_own_jobs_and_not_all_that_run() {
    let plan = plan_from_before_the_rush(statements::GUARDS, "").await;
    let by_key = ["enrichment_jobs_pkey", "enrichment_jobs_member_id_key"];
    assert!(by_key.iter().any(|key| plan.contains(&format!("Index Scan using {key}"))), "{plan}");
    assert!(!plan.contains("enrichment_jobs_lease"), "{plan}");
}

#[tokio::test]
async fn a_claim_seeks_twins_by_their_subject_and_not_among_all_that_run() {
    let plan = plan_from_before_the_rush(statements::STEP_BACK, "").await;
    assert!(seeks_twins(&plan), "{plan}");
    assert!(!plan.contains("enrichment_jobs_lease"), "{plan}");
}

/// If the planner were free, one page would be read from end to end, and so would be what it grows to.
#[tokio::test]
async fn a_claim_seeks_twins_by_their_subject_also_where_there_was_next_to_nothing() {
    let clear = "DELETE FROM enrichment_jobs WHERE id > 5; VACUUM enrichment_jobs;";
    let plan = plan_from_before_the_rush(statements::STEP_BACK, clear).await;
    assert!(seeks_twins(&plan), "{plan}");
    assert!(!plan.contains("Seq Scan on enrichment_jobs"), "{plan}");
}

/// By their subject, and what is written by its number.
fn seeks_twins(plan: &str) -> bool {
    ["Index Cond: (subject = ANY ($5))", "Index Cond: (id = late.id)"]
        .iter()
        .all(|sought| plan.contains(sought))
}

/// The planner of a connection for work learns of the table while nothing runs, as after a quiet hour; then a whole fleet is at work.
async fn plan_from_before_the_rush(statement: &str, meanwhile: &str) -> String {
    let database = PostgresDatabase::new();
    database.open().await.enqueue(&registrations(2_000), at(0)).await.unwrap();
    let mut consumer = database.consumer().await;
    for sql in meanwhile.split_terminator(';').chain([
        "ANALYZE enrichment_jobs",
        "SET plan_cache_mode = force_generic_plan",
        "SET enable_seqscan = off",
    ]) {
        sqlx::raw_sql(AssertSqlSafe(sql)).execute(&mut consumer).await.unwrap();
    }
    sqlx::raw_sql(AssertSqlSafe(format!("PREPARE planned AS {statement}")))
        .execute(&mut consumer)
        .await
        .unwrap();
    let parameters = (1..).take_while(|n| statement.contains(&format!("${n}"))).map(|_| "NULL");
    let parameters = parameters.collect::<Vec<_>>().join(", ");
    let explain = AssertSqlSafe(format!("EXPLAIN EXECUTE planned ({parameters})"));
    let lines = sqlx::raw_sql(explain).fetch_all(&mut consumer).await.unwrap();
    lines.iter().map(|row| row.get::<String, _>(0)).collect::<Vec<_>>().join("\n")
}

#[tokio::test]
async fn lower_priorities_wait_for_higher_ones() {
    let database = PostgresDatabase::new();
    let store = database.open().await;
    for person in 0..6_i64 {
        store.enqueue(&[registration(person, person)], at(person)).await.unwrap();
    }
    let reverse = "UPDATE enrichment_jobs SET priority = 10 - id / 2";
    sqlx::query(reverse).execute(&mut database.consumer().await).await.unwrap();
    let order: Vec<_> = claim(&*store, 4, at(9)).await.into_iter().map(|job| job.member).collect();
    assert_eq!(order, [member(5), member(3), member(4), member(1)]);
    assert_eq!(store.next_due(at(0)).await.unwrap(), Some(at(0)));
}

/// A row that an older version wrote and this one cannot read, and one that came in past every door.
#[tokio::test]
async fn jobs_that_must_not_run_do_not_stop_the_others() {
    let database = PostgresDatabase::new();
    let store = database.open().await;
    store.enqueue(&registrations(3), at(0)).await.unwrap();
    store.suppress(subject("suppressed"), SuppressionReason::Erased, at(0)).await.unwrap();
    let mut consumer = database.consumer().await;
    let spoil = "UPDATE enrichment_jobs SET email = 'nonsense' WHERE member_id = 'm-1'";
    sqlx::query(spoil).execute(&mut consumer).await.unwrap();
    let slip_in = "UPDATE enrichment_jobs SET subject = $1 WHERE member_id = 'm-2'";
    let suppressed = subject("suppressed");
    sqlx::query(slip_in).bind(suppressed.as_bytes().as_slice()).execute(&mut consumer).await.unwrap();
    let taken: Vec<_> = claim(&*store, 3, at(0)).await.into_iter().map(|job| job.member).collect();
    assert_eq!(taken, [member(0)]);
    let counted = census(&*store).await;
    assert_eq!((counted.dead_letters, counted.suppressed, counted.running), (1, 1, 1));
}

/// One written record, and a connection that reads it.
async fn consumer_of_one_record(database: &PostgresDatabase) -> PgConnection {
    let store = database.open().await;
    store.enqueue(&registrations(1), at(0)).await.unwrap();
    let job = claim_one(&*store, at(0)).await;
    store.commit(&[written(&job, RecordStatus::Complete)], at(0)).await.unwrap();
    let mut consumer = database.consumer().await;
    sqlx::query("SET TIME ZONE 'UTC'").execute(&mut consumer).await.unwrap();
    consumer
}

#[tokio::test]
async fn consumers_read_profiles_as_rows() {
    let mut consumer = consumer_of_one_record(&PostgresDatabase::new()).await;
    let sql = "SELECT member_id, url, confidence, provider, assurance FROM supplemental_profiles";
    let rows: Vec<(String, String, f64, String, String)> =
        sqlx::query_as(sql).fetch_all(&mut consumer).await.unwrap();
    let url = "https://github.com/ada-example".to_owned();
    assert_eq!(rows, [("m-0".to_owned(), url, 0.75, "gravatar".to_owned(), "self_asserted".to_owned())]);
    let sql =
        "SELECT (confidence ->> 'name')::float8, provenance #>> '{age,sources,1,provider}', expires_at::text
               FROM supplemental_member_information";
    let row: (f64, String, String) = sqlx::query_as(sql).fetch_one(&mut consumer).await.unwrap();
    assert_eq!(row, (0.75, "github".to_owned(), "2026-03-13 01:46:40+00".to_owned()));
}

#[tokio::test]
async fn consumers_read_todays_age() {
    let mut consumer = consumer_of_one_record(&PostgresDatabase::new()).await;
    // Relative to the database's own day: a birthday today counts, one tomorrow does not.
    let born = "UPDATE supplemental_member_information SET
                    birth_earliest = current_date - interval '40 years',
                    birth_latest = current_date - interval '40 years' + $1::text::interval";
    for (shift, expected) in
        [("0 days", (Some(40), 40, 40)), ("1 day", (None, 39, 40)), ("1 year", (None, 39, 40))]
    {
        sqlx::query(born).bind(shift).execute(&mut consumer).await.unwrap();
        let sql = "SELECT age, age_min, age_max FROM supplemental_age_today";
        let ages: (Option<i32>, i32, i32) = sqlx::query_as(sql).fetch_one(&mut consumer).await.unwrap();
        assert_eq!(ages, expected, "{shift}");
    }
}

/// Erased means gone from every table, searched row by row as the catalogue lists them.
#[tokio::test]
async fn no_table_holds_a_trace_of_an_erased_person() {
    let database = PostgresDatabase::new();
    let store = database.open().await;
    store.enqueue(&[registration(1, "canary-address")], at(0)).await.unwrap();
    let job = claim_one(&*store, at(0)).await;
    let mut done = written(&job, RecordStatus::Complete);
    done.answers = vec![answer(job.subject, "github", a_match())];
    store.commit(&[done], at(0)).await.unwrap();
    // Other members of that mailbox: one is being looked up, one has a dead letter.
    store
        .enqueue(&[registration(2, "canary-address"), registration(3, "canary-address")], at(0))
        .await
        .unwrap();
    let jobs = claim(&*store, 2, at(0)).await;
    let dead = Verdict::Dead { reason: DeadReason::AttemptsExhausted, error: String::new(), partial: None };
    store.commit(&[outcome(&jobs[1], dead)], at(0)).await.unwrap();

    let mut consumer = database.consumer().await;
    let before = tables_with_a_trace(&mut consumer).await;
    for table in ["dead_letters", "enrichment_jobs", "provider_answers", "supplemental_member_information"] {
        assert!(before.iter().any(|found| found == table), "the search finds what is there: {before:?}");
    }
    store.suppress(subject("canary-address"), SuppressionReason::Erased, at(1)).await.unwrap();
    assert_eq!(tables_with_a_trace(&mut consumer).await, [""; 0]);
}

async fn tables_with_a_trace(consumer: &mut PgConnection) -> Vec<String> {
    let tables = "SELECT table_name::text FROM information_schema.tables WHERE table_schema = 'public'";
    let tables: Vec<String> = sqlx::query_scalar(tables).fetch_all(&mut *consumer).await.unwrap();
    let mut found = Vec::new();
    for table in tables {
        let search = format!(
            "SELECT count(*) FROM {table} AS held WHERE held::text ~ 'canary-address|Ada Example|ada-example'"
        );
        let rows: i64 = sqlx::query_scalar(AssertSqlSafe(search)).fetch_one(&mut *consumer).await.unwrap();
        if rows > 0 {
            found.push(table);
        }
    }
    found
}

/// PostgreSQL's texts cannot hold a NUL, and nobody's job may fail for one.
#[tokio::test]
async fn a_nul_in_what_a_stranger_said_stops_nobody() {
    let database = PostgresDatabase::new();
    let store = database.open().await;
    store.enqueue(&registrations(2), at(0)).await.unwrap();
    let jobs = claim(&*store, 2, at(0)).await;
    let pending = |handle: &str| AnswerContent::Pending { handle: handle.to_owned(), ready_at: at(9) };
    let mut done = written(&jobs[0], RecordStatus::Complete);
    done.answers = vec![answer(jobs[0].subject, "github", pending("a\0b"))];
    let error = "said \0".to_owned();
    let dead = Verdict::Dead { reason: DeadReason::AttemptsExhausted, error, partial: None };
    store.commit(&[done, outcome(&jobs[1], dead)], at(1)).await.unwrap();
    let refusal = Refusal { origin: "mails\0:1".to_owned(), member: None, reason: "\0".to_owned() };
    store.refuse(&[refusal], at(1)).await.unwrap();
    let stored = store.answers(&[jobs[0].subject], at(2)).await.unwrap();
    assert_eq!(stored[0].content, pending("a\u{fffd}b"));
    let letters = store.dead_letters(Page { limit: 9, before: None }).await.unwrap();
    let errors: Vec<_> = letters.iter().map(|letter| &*letter.error).collect();
    assert_eq!(errors, ["\u{fffd}", "said \u{fffd}"]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_waits_hears_of_new_jobs_also_after_the_connection_died() {
    let database = PostgresDatabase::new();
    let (door, worker) = (database.store(Clock::Given).await, database.store(Clock::Given).await);
    let mut consumer = database.consumer().await;
    let hear = async || {
        tokio::time::timeout(Duration::from_secs(20), worker.wait_for_jobs()).await.expect("the bell rings");
    };
    hear().await;
    for round in 0..3 {
        let listening = "SELECT count(*) FROM pg_stat_activity
                         WHERE datname = current_database() AND application_name = 'gleaner listening'";
        let listening: i64 = sqlx::query_scalar(listening).fetch_one(&mut consumer).await.unwrap();
        assert_eq!(listening, 1, "one connection, for those who wait only");
        door.enqueue(&[registration(round, round)], at(0)).await.unwrap();
        hear().await;
        let nothing = tokio::time::timeout(Duration::from_millis(50), worker.wait_for_jobs()).await;
        assert!(nothing.is_err(), "and is silent where nothing came");

        let kill = "SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity
                    WHERE datname = current_database() AND pid <> pg_backend_pid()";
        sqlx::query(kill).execute(&mut consumer).await.unwrap();
        // It listens again, and rings for what may have been missed.
        hear().await;
        assert_eq!(claim(&*worker, 9, at(0)).await.len(), 1, "nor does a dead connection fail anyone");
    }
}

/// The story once more where each transaction may meet another connection.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_pooler_between_changes_nothing() {
    let fresh = PostgresDatabase::behind_a_pooler;
    intake::registrations_become_jobs_once(&fresh()).await;
    intake::a_dead_letter_is_overtaken_by_a_registration(&fresh()).await;
    leases::claims_are_exclusive(&fresh()).await;
    leases::rescues_end_in_a_dead_letter(&fresh()).await;
    leases::the_next_due_time_is_known(&fresh()).await;
    commits::a_record_comes_back_as_it_was_written(&fresh()).await;
    commits::a_group_is_written_whole_or_not_at_all(&fresh()).await;
    commits::lookups_are_totalled(&fresh()).await;
    requests::one_request_at_several_doors_is_taken_in_once(&fresh()).await;
    suppression::suppression_races_leave_nothing(&fresh()).await;
}

/// Another worker's claim began before the second member with that mailbox registered, and so knows nothing of it; it is not committed yet
/// when the second is claimed.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_claim_waits_for_one_in_flight_that_cannot_know_of_its_twin() {
    let database = PostgresDatabase::new();
    let store = database.open().await;
    store.enqueue(&[registration(1, "shared")], at(0)).await.unwrap();
    let mut other_worker = database.consumer().await;
    let mut in_flight = other_worker.begin().await.unwrap();
    let claim_first = "UPDATE enrichment_jobs SET
                           state = 'running', fence = fence + 1, lease_owner = 'another', lease_until = 'infinity'";
    sqlx::query(claim_first).execute(&mut *in_flight).await.unwrap();

    store.enqueue(&[registration(2, "shared")], at(0)).await.unwrap();
    let claiming = tokio::spawn({
        let store = Arc::clone(&store);
        async move { claim(&*store, 10, at(0)).await }
    });
    let mut observer = database.consumer().await;
    let waiting = "SELECT count(*) > 0 FROM pg_stat_activity
                   WHERE datname = current_database() AND wait_event_type = 'Lock'";
    let is_waiting = async {
        while !sqlx::query_scalar::<_, bool>(waiting).fetch_one(&mut observer).await.unwrap() {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    tokio::time::timeout(Duration::from_secs(20), is_waiting).await.expect("the claim waits for the other");
    in_flight.commit().await.unwrap();
    assert!(claiming.await.unwrap().is_empty(), "left to the other worker");
}

/// Two members with one mailbox, claimed by two workers: the second waits until the first has written its answers.
#[tokio::test]
async fn a_subject_that_another_worker_is_looking_up_is_left_to_it() {
    let database = PostgresDatabase::new();
    let store = database.open().await;
    store
        .enqueue(&[registration(1, "shared"), registration(2, "shared"), registration(3, "own")], at(0))
        .await
        .unwrap();
    let claim_as =
        async |owner: &str, limit, now| store.claim(Claim { owner, limit, lease: LEASE, now }).await.unwrap();
    let first = claim_as("worker-1", 1, at(0)).await;
    assert_eq!(first[0].member, member(1));
    let others = claim_as("worker-2", 10, at(0)).await;
    assert_eq!(others.iter().map(|job| &job.member).collect::<Vec<_>>(), [&member(3)]);
    assert!(claim_as("worker-2", 10, at(0)).await.is_empty(), "put off for a moment");
    assert!(claim_as("worker-2", 10, at(2)).await.is_empty(), "and again, as long as the first runs");

    store.commit(&[written(&first[0], RecordStatus::Complete)], at(3)).await.unwrap();
    let twin = claim_as("worker-2", 10, at(4)).await;
    assert_eq!(twin.len(), 1);
    assert_eq!((&twin[0].member, twin[0].attempt), (&member(2), 1), "the wait has cost no attempt");
    census(&*store).await;

    // Who holds both keeps both: they wait for each other there. And a lease that has ended holds nobody up.
    store.commit(&[written(&twin[0], RecordStatus::Complete)], at(4)).await.unwrap();
    store
        .enqueue(&[registration(4, "other"), registration(5, "other"), registration(6, "other")], at(5))
        .await
        .unwrap();
    assert_eq!(claim_as("worker-1", 2, at(5)).await.len(), 2);
    assert!(claim_as("worker-2", 1, at(5)).await.is_empty());
    let later = at(5) + SignedDuration::try_from(LEASE).unwrap() + SignedDuration::from_secs(1);
    assert_eq!(claim_as("worker-2", 1, later).await.len(), 1);
}
