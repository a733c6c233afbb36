//! What happens at the same moment on a database of many workers: whoever is first, nothing is lost or left behind.

use std::collections::HashSet;
use std::sync::Arc;

use gleaner::job::{Committed, Intake, SuppressionReason, Verdict};
use gleaner::record::RecordStatus;
use gleaner::store::Claim;
use sqlx::AssertSqlSafe;
use tokio::sync::Barrier;

use super::support::{
    Database as _, LEASE, PostgresDatabase, a_match, answer, at, census, claim, claim_one, outcome, paid,
    registration, registrations, subject, written,
};
use super::suppression::suppression_races_leave_nothing;

const ERASED: SuppressionReason = SuppressionReason::Erased;

/// The same claim at the same moment, again and again.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn racing_claims_give_each_job_to_one() {
    const WORKERS: usize = 8;
    const ROUNDS: usize = 40;
    const LIMIT: u32 = 5;
    let all = WORKERS * ROUNDS * LIMIT as usize;
    let database = PostgresDatabase::new();
    database.open().await.enqueue(&registrations(all), at(0)).await.unwrap();
    let barrier = Arc::new(Barrier::new(WORKERS));
    let mut workers = Vec::new();
    for worker in 0..WORKERS {
        let (store, barrier) = (database.open().await, Arc::clone(&barrier));
        workers.push(tokio::spawn(async move {
            let owner = format!("worker-{worker}");
            let mut mine = Vec::new();
            for _ in 0..ROUNDS {
                barrier.wait().await;
                let order = Claim { owner: &owner, limit: LIMIT, lease: LEASE, now: at(0) };
                let jobs = store.claim(order).await.unwrap();
                assert_eq!(jobs.len(), LIMIT as usize, "there is enough for all");
                mine.extend(jobs.iter().map(|job| job.hold.job));
            }
            mine
        }));
    }
    let mut given = HashSet::new();
    for worker in workers {
        for job in worker.await.unwrap() {
            assert!(given.insert(job), "{job:?} was given twice");
        }
    }
    assert_eq!(given.len(), all);
}

/// Several doors bring the same members in different orders, some of them with another address.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn doors_that_bring_the_same_members_count_each_once() {
    const DOORS: usize = 6;
    const MEMBERS: usize = 40;
    let database = PostgresDatabase::new();
    for round in 1..5 {
        let barrier = Arc::new(Barrier::new(DOORS));
        let mut doors = Vec::new();
        for door in 0..DOORS {
            let (store, barrier) = (database.open().await, Arc::clone(&barrier));
            let brought = |n: usize| {
                let member = (n * 7 + door * 11) % MEMBERS;
                registration(format!("{round}-{member}"), format!("{member}-{}", door % 2))
            };
            let batch: Vec<_> = (0..MEMBERS).map(brought).collect();
            doors.push(tokio::spawn(async move {
                barrier.wait().await;
                store.enqueue(&batch, at(0)).await.unwrap()
            }));
        }
        let mut queued = 0;
        for door in doors {
            queued += door.await.unwrap().iter().filter(|answer| **answer == Intake::Queued).count();
        }
        assert_eq!(queued, MEMBERS, "each has one job, made by one door");
        let counted = census(&*database.open().await).await;
        let all = (MEMBERS * round) as u64;
        assert_eq!((counted.taken_in, counted.waiting), (all, all));
        assert_eq!(counted.repeated, all * (DOORS as u64 - 1));
    }
}

/// Members register, are written, are paid for and are erased at the same moment.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn doors_workers_and_erasures_leave_nothing_behind() {
    const PEOPLE: usize = 30;
    let database = PostgresDatabase::new();
    let [door, worker, payer, eraser] =
        [database.open().await, database.open().await, database.open().await, database.open().await];
    for round in 0..12 {
        let person = move |n: usize| format!("{round}-{n}");
        let people: Vec<_> = (0..PEOPLE).map(|n| registration(person(n), person(n))).collect();
        let everyone: Vec<_> = people.iter().map(|person| person.subject).collect();
        door.enqueue(&people, at(0)).await.unwrap();
        let jobs = claim(&*worker, 15, at(0)).await;
        let barrier = Arc::new(Barrier::new(4));

        let (store, gate) = (Arc::clone(&door), Arc::clone(&barrier));
        let registering = tokio::spawn(async move {
            gate.wait().await;
            for group in people.chunks(7) {
                store.enqueue(group, at(1)).await.unwrap();
            }
        });
        let (store, gate) = (Arc::clone(&worker), Arc::clone(&barrier));
        let writing = tokio::spawn(async move {
            let ends = |(n, job)| match n {
                0 => written(job, RecordStatus::Complete),
                1 => outcome(job, Verdict::Suppressed(SuppressionReason::Minor)),
                2 => outcome(job, Verdict::Retry { at: at(1), error: String::new(), partial: None }),
                _ => written(job, RecordStatus::NoMatch),
            };
            gate.wait().await;
            for group in jobs.chunks(4) {
                let outcomes: Vec<_> = group.iter().enumerate().map(ends).collect();
                let answered = store.commit(&outcomes, at(2)).await.unwrap();
                assert!(answered.iter().all(|answer| *answer != Committed::Stale));
            }
        });
        // Paid answers arrive ahead of their member's commit.
        let (store, gate, asked) = (Arc::clone(&payer), Arc::clone(&barrier), everyone.clone());
        let paying = tokio::spawn(async move {
            gate.wait().await;
            for subject in asked {
                store.save_paid(&[paid(answer(subject, "github", a_match()))]).await.unwrap();
            }
        });
        barrier.wait().await;
        for subject in &everyone {
            eraser.suppress(*subject, ERASED, at(1)).await.unwrap();
        }
        for task in [registering, writing, paying] {
            task.await.unwrap();
        }

        assert_eq!(eraser.answers(&everyone, at(0)).await.unwrap(), [], "no answer is left");
        assert_eq!(eraser.next_due(at(0)).await.unwrap(), None, "no job is left");
        let counted = census(&*eraser).await;
        assert_eq!(counted.suppressed, counted.taken_in, "round {round}");
    }
}

/// A member registers again at the moment at which the present execution ends.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_registration_at_the_moment_of_the_commit_is_not_lost() {
    const ROUNDS: u64 = 60;
    let database = PostgresDatabase::new();
    let (door, worker) = (database.open().await, database.open().await);
    for round in 0..ROUNDS {
        door.enqueue(&[registration(round, format!("old-{round}"))], at(0)).await.unwrap();
        let job = claim_one(&*worker, at(0)).await;
        let barrier = Arc::new(Barrier::new(2));
        let (store, gate) = (Arc::clone(&door), Arc::clone(&barrier));
        let registering = tokio::spawn(async move {
            let moved = [registration(round, format!("new-{round}"))];
            gate.wait().await;
            store.enqueue(&moved, at(1)).await.unwrap()
        });
        barrier.wait().await;
        let done = written(&job, RecordStatus::Complete);
        assert_eq!(worker.commit(&[done], at(1)).await.unwrap(), [Committed::Applied]);
        registering.await.unwrap();
        census(&*door).await;
        let next = claim_one(&*worker, at(1)).await;
        assert_eq!(next.subject, subject(format!("new-{round}")), "whoever was first, it is looked up");
        worker.commit(&[written(&next, RecordStatus::Complete)], at(2)).await.unwrap();
    }
    let counted = census(&*door).await;
    assert_eq!((counted.taken_in, counted.complete, counted.repeated), (ROUNDS, ROUNDS, ROUNDS));
}

/// Where the database's default is another isolation, the erasure lock still comes before the snapshot.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_isolation_is_our_own_choice() {
    let database = PostgresDatabase::new();
    let url = url::Url::parse(database.url().await).unwrap();
    let strict = format!(
        "ALTER DATABASE {} SET default_transaction_isolation = 'serializable'",
        url.path().trim_start_matches('/')
    );
    sqlx::raw_sql(AssertSqlSafe(strict)).execute(&mut database.consumer().await).await.unwrap();
    suppression_races_leave_nothing(&database).await;
}
