//! What only the embedded store has: a file, its key, its views, other processes beside it.

use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::sync::Arc;

use gleaner::job::SuppressionReason;
use gleaner::keyring::Keyring;
use gleaner::record::RecordStatus;
use gleaner::store::sqlite::SqliteStore;
use gleaner::store::{Claim, Store as _, StoreError};
use sqlx::{Connection as _, SqliteConnection};
use tokio::sync::Barrier;

use super::support::{
    Database as _, LEASE, SqliteFile, a_match, answer, at, census, claim, claim_one, keyring, member,
    registration, registrations, subject, written,
};

/// A consumer's own connection to the file.
async fn consumer(path: &Path) -> SqliteConnection {
    SqliteConnection::connect(&format!("sqlite://{}", path.display())).await.unwrap()
}

#[tokio::test]
async fn what_was_acknowledged_outlives_a_crash() {
    let database = SqliteFile::new();
    let store = database.open().await;
    store.enqueue(&registrations(3), at(0)).await.unwrap();
    let jobs = claim(&*store, 2, at(0)).await;
    store.commit(&[written(&jobs[0], RecordStatus::Complete)], at(1)).await.unwrap();
    // A copy of the files at this moment is what a power cut would leave; the store is never closed.
    let crashed = SqliteFile::new();
    std::fs::create_dir_all(crashed.path().parent().unwrap()).unwrap();
    for suffix in ["", "-wal"] {
        let from = format!("{}{suffix}", database.path().display());
        std::fs::copy(from, format!("{}{suffix}", crashed.path().display())).unwrap();
    }
    drop(store);
    let reopened = crashed.open().await;
    let counted = census(&*reopened).await;
    assert_eq!((counted.taken_in, counted.complete, counted.running, counted.waiting), (3, 1, 1, 1));
    assert_eq!(reopened.rescue(at(60), 5).await.unwrap().requeued, 1);
    assert_eq!(claim(&*reopened, 9, at(60)).await.len(), 2);
}

#[tokio::test]
async fn a_database_of_another_key_is_refused() {
    let database = SqliteFile::new();
    database.open().await.enqueue(&registrations(1), at(0)).await.unwrap();
    let other = Keyring::from_bytes([8; 32]).fingerprint();
    let refused = SqliteStore::open(database.path(), &other).await.unwrap_err();
    insta::assert_snapshot!(refused, @"cannot open the database: it was written with the key 994f0e9265abb356, and the key file holds 19329c824cd38fb1; restore the key file that belongs to this database, or start with another database");
    assert_eq!(census(&*database.open().await).await.waiting, 1, "and stays as it was");
}

#[tokio::test]
async fn a_database_of_a_newer_version_is_refused() {
    let database = SqliteFile::new();
    drop(database.open().await);
    let newer = "INSERT INTO _sqlx_migrations (version, description, success, checksum, execution_time)
                 VALUES (9999, 'from the future', TRUE, x'00', 0)";
    sqlx::query(newer).execute(&mut consumer(&database.path()).await).await.unwrap();
    let refused = SqliteStore::open(database.path(), &keyring().fingerprint()).await.unwrap_err();
    insta::assert_snapshot!(refused, @"cannot open the database: a newer version of gleaner wrote it (migration 9999); install that version, or restore a backup");
}

#[tokio::test]
async fn what_is_no_database_is_refused() {
    let database = SqliteFile::new();
    std::fs::create_dir_all(database.path().parent().unwrap()).unwrap();
    std::fs::write(database.path(), "member_id,email\n".repeat(200)).unwrap();
    let refused = SqliteStore::open(database.path(), &keyring().fingerprint()).await.unwrap_err();
    assert!(matches!(refused, StoreError::Open(_)), "{refused}");
    let folder = SqliteStore::open(database.path().parent().unwrap(), &keyring().fingerprint()).await;
    assert!(matches!(folder, Err(StoreError::Open(_))), "{folder:?}");
}

#[tokio::test]
async fn only_the_owner_can_read_the_files() {
    let database = SqliteFile::new();
    let store = database.open().await;
    store.enqueue(&registrations(1), at(0)).await.unwrap();
    let mut seen = 0;
    for file in std::fs::read_dir(database.path().parent().unwrap()).unwrap() {
        let mode = file.unwrap().metadata().unwrap().permissions().mode();
        assert_eq!(mode & 0o077, 0, "{mode:o}");
        seen += 1;
    }
    assert_eq!(seen, 3, "the database, its write-ahead log and its index");
}

/// Two stores on one file are as far apart as two processes: each has its own connections and locks.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn processes_take_turns() {
    const EACH: usize = 200;
    let database = SqliteFile::new();
    let barrier = Arc::new(Barrier::new(4));
    let mut processes = Vec::new();
    for process in 0..4_usize {
        let (path, barrier) = (database.path(), Arc::clone(&barrier));
        processes.push(tokio::spawn(async move {
            barrier.wait().await;
            let store = SqliteStore::open(path, &keyring().fingerprint()).await.unwrap();
            let owner = format!("process-{process}");
            let mut done = 0;
            for n in 0..EACH / 10 {
                let people: Vec<_> = (0..10).map(|m| process * EACH + n * 10 + m).collect();
                let batch: Vec<_> = people.iter().map(|n| registration(n, n)).collect();
                store.enqueue(&batch, at(0)).await.unwrap();
                let order = Claim { owner: &owner, limit: 10, lease: LEASE, now: at(0) };
                let jobs = store.claim(order).await.unwrap();
                let outcomes: Vec<_> = jobs.iter().map(|job| written(job, RecordStatus::Complete)).collect();
                done += store.commit(&outcomes, at(0)).await.unwrap().len();
            }
            done
        }));
    }
    let mut done = 0;
    for process in processes {
        done += process.await.unwrap();
    }
    let counted = census(&*database.open().await).await;
    assert_eq!((counted.taken_in, counted.complete), (4 * EACH as u64, done as u64));
}

#[tokio::test]
async fn a_store_in_memory_works_alike() {
    let store = SqliteStore::open(SqliteStore::MEMORY, &keyring().fingerprint()).await.unwrap();
    store.enqueue(&registrations(2), at(0)).await.unwrap();
    let job = claim_one(&store, at(0)).await;
    store.commit(&[written(&job, RecordStatus::Complete)], at(0)).await.unwrap();
    let counted = census(&store).await;
    assert_eq!((counted.complete, counted.waiting), (1, 1));
    store.close().await;
    let closed = store.census().await.unwrap_err();
    insta::assert_snapshot!(closed, @"the database is unavailable: it is closed");
}

#[tokio::test]
async fn lower_priorities_wait_for_higher_ones() {
    let database = SqliteFile::new();
    let store = database.open().await;
    for person in 0..6_i64 {
        store.enqueue(&[registration(person, person)], at(person)).await.unwrap();
    }
    let reverse = "UPDATE enrichment_jobs SET priority = 10 - id / 2";
    sqlx::query(reverse).execute(&mut consumer(&database.path()).await).await.unwrap();
    let order: Vec<_> = claim(&*store, 4, at(9)).await.into_iter().map(|job| job.member).collect();
    assert_eq!(order, [member(5), member(3), member(4), member(1)]);
    assert_eq!(store.next_due(at(0)).await.unwrap(), Some(at(0)));
}

/// A row that an older version wrote and this one cannot read.
#[tokio::test]
async fn an_unreadable_job_does_not_stop_the_others() {
    let database = SqliteFile::new();
    let store = database.open().await;
    store.enqueue(&registrations(3), at(0)).await.unwrap();
    let spoil = "UPDATE enrichment_jobs SET email = 'nonsense' WHERE member_id = 'm-1'";
    sqlx::query(spoil).execute(&mut consumer(&database.path()).await).await.unwrap();
    assert_eq!(claim(&*store, 3, at(0)).await.len(), 2);
    assert_eq!(census(&*store).await.dead_letters, 1);
}

#[tokio::test]
async fn consumers_read_profiles_as_rows() {
    let database = SqliteFile::new();
    let store = database.open().await;
    store.enqueue(&registrations(1), at(0)).await.unwrap();
    let job = claim_one(&*store, at(0)).await;
    store.commit(&[written(&job, RecordStatus::Complete)], at(0)).await.unwrap();
    let mut consumer = consumer(&database.path()).await;
    let sql = "SELECT member_id, url, confidence, provider, assurance FROM supplemental_profiles";
    let rows: Vec<(String, String, f64, String, String)> =
        sqlx::query_as(sql).fetch_all(&mut consumer).await.unwrap();
    let url = "https://github.com/ada-example".to_owned();
    assert_eq!(rows, [("m-0".to_owned(), url, 0.75, "gravatar".to_owned(), "self_asserted".to_owned())]);
    let sql = "SELECT confidence ->> 'name', provenance ->> '$.age.sources[1].provider', expires_at
               FROM supplemental_member_information";
    let row: (f64, String, String) = sqlx::query_as(sql).fetch_one(&mut consumer).await.unwrap();
    assert_eq!(row, (0.75, "github".to_owned(), "2026-03-13T01:46:40.000Z".to_owned()));
}

#[tokio::test]
async fn consumers_read_todays_age() {
    let database = SqliteFile::new();
    let store = database.open().await;
    store.enqueue(&registrations(1), at(0)).await.unwrap();
    let job = claim_one(&*store, at(0)).await;
    store.commit(&[written(&job, RecordStatus::Complete)], at(0)).await.unwrap();
    let mut consumer = consumer(&database.path()).await;
    // Relative to the database's own day: a birthday today counts, one tomorrow does not.
    let born = "UPDATE supplemental_member_information SET
                    birth_earliest = date('now', '-40 years'), birth_latest = date('now', '-40 years', ?)";
    for (shift, expected) in
        [("0 days", (Some(40), 40, 40)), ("+1 day", (None, 39, 40)), ("+1 year", (None, 39, 40))]
    {
        sqlx::query(born).bind(shift).execute(&mut consumer).await.unwrap();
        let sql = "SELECT age, age_min, age_max FROM supplemental_age_today";
        let ages: (Option<i64>, i64, i64) = sqlx::query_as(sql).fetch_one(&mut consumer).await.unwrap();
        assert_eq!(ages, expected, "{shift}");
    }
}

/// Erased means gone from the disk, not only from the tables.
#[tokio::test]
async fn no_byte_of_an_erased_person_stays_on_disk() {
    let database = SqliteFile::new();
    let store = database.open().await;
    let traces = ["canary-address", "Ada Example", "ada-example"];
    store.enqueue(&[registration(1, "canary-address")], at(0)).await.unwrap();
    let job = claim_one(&*store, at(0)).await;
    let mut done = written(&job, RecordStatus::Complete);
    done.answers = vec![answer(job.subject, "github", a_match())];
    store.commit(&[done], at(0)).await.unwrap();
    // Another member of that mailbox is being looked up at that moment.
    store.enqueue(&[registration(2, "canary-address")], at(0)).await.unwrap();
    claim_one(&*store, at(0)).await;
    assert!(traces.iter().all(|trace| on_disk(&database, trace)), "the scan finds what is there");
    store.suppress(subject("canary-address"), SuppressionReason::Erased, at(1)).await.unwrap();
    for trace in traces {
        assert!(!on_disk(&database, trace), "`{trace}` is still on the disk");
    }
}

fn on_disk(database: &SqliteFile, trace: &str) -> bool {
    let files = std::fs::read_dir(database.path().parent().unwrap()).unwrap();
    files
        .map(|file| std::fs::read(file.unwrap().path()).unwrap())
        .any(|bytes| bytes.windows(trace.len()).any(|window| window == trace.as_bytes()))
}
