//! People who must not be looked up, whatever is under way.

use std::sync::Arc;

use gleaner::job::{Committed, DeadReason, Intake, SuppressionReason, Verdict};
use gleaner::record::RecordStatus;
use gleaner::store::{Page, Rescued};
use tokio::sync::Barrier;

use super::support::{
    Database, a_match, answer, at, census, claim, claim_one, lookup, member, outcome, paid, record,
    registration, registrations, subject, written,
};

const ERASED: SuppressionReason = SuppressionReason::Erased;

pub(crate) async fn a_suppressed_person_is_not_taken_in(database: &impl Database) {
    let store = database.open().await;
    store.suppress(subject(1), ERASED, at(0)).await.unwrap();
    store.suppress(subject(1), SuppressionReason::Objected, at(0)).await.unwrap();
    assert_eq!(census(&*store).await.taken_in, 0, "nobody registered");
    let batch = [registration(1, 1), registration(2, 2), registration(1, 1)];
    let taken = store.enqueue(&batch, at(1)).await.unwrap();
    assert_eq!(taken, [Intake::Suppressed, Intake::Queued, Intake::Suppressed]);
    store.save_paid(&[paid(answer(subject(1), "github", a_match()))]).await.unwrap();
    assert_eq!(store.answers(&[subject(1)], at(0)).await.unwrap(), [], "nor are answers kept");
    let census = census(&*store).await;
    assert_eq!((census.taken_in, census.suppressed, census.waiting), (3, 2, 1));
}

pub(crate) async fn suppression_removes_what_is_stored(database: &impl Database) {
    let store = database.open().await;
    // Three members of one mailbox: one has a record, one a dead letter, one a job.
    let shared = [registration("a", "shared"), registration("b", "shared"), registration("c", "shared")];
    store.enqueue(&shared, at(0)).await.unwrap();
    let mut jobs = claim(&*store, 2, at(0)).await;
    let (buried, done) = (jobs.pop().unwrap(), jobs.pop().unwrap());
    let mut finished = written(&done, RecordStatus::Complete);
    finished.answers = vec![answer(subject("shared"), "github", a_match())];
    let partial = Some(Box::new(record(&buried, RecordStatus::Partial)));
    let dead = Verdict::Dead { reason: DeadReason::AttemptsExhausted, error: String::new(), partial };
    store.commit(&[finished, outcome(&buried, dead)], at(1)).await.unwrap();
    let before = census(&*store).await;
    assert_eq!((before.complete, before.dead_letters, before.waiting), (1, 1, 1));

    store.suppress(subject("shared"), ERASED, at(2)).await.unwrap();
    let after = census(&*store).await;
    assert_eq!((after.taken_in, after.suppressed, after.accounted_for()), (3, 3, 3));
    for registration in &shared {
        assert_eq!(store.record(&registration.member).await.unwrap(), None);
    }
    assert_eq!(store.answers(&[subject("shared")], at(0)).await.unwrap(), []);
    assert_eq!(store.dead_letters(Page { limit: 9, before: None }).await.unwrap(), []);
    assert_eq!(store.next_due(at(0)).await.unwrap(), None);
}

pub(crate) async fn suppression_beats_a_running_job(database: &impl Database) {
    let store = database.open().await;
    store.enqueue(&registrations(1), at(0)).await.unwrap();
    let job = claim_one(&*store, at(0)).await;
    store.suppress(subject(0), ERASED, at(1)).await.unwrap();
    let mut late = written(&job, RecordStatus::Complete);
    late.answers = vec![answer(job.subject, "github", a_match())];
    late.lookups = vec![lookup("github")];
    assert_eq!(store.commit(&[late], at(2)).await.unwrap(), [Committed::Suppressed]);
    assert_eq!(store.record(&member(0)).await.unwrap(), None);
    assert_eq!(store.answers(&[subject(0)], at(0)).await.unwrap(), []);
    assert_eq!(store.lookup_totals().await.unwrap()[0].lookups, 1, "the call was made: it stays disclosed");
    let census = census(&*store).await;
    assert_eq!((census.taken_in, census.suppressed), (1, 1));
}

pub(crate) async fn suppression_in_the_same_batch_beats_a_record(database: &impl Database) {
    let store = database.open().await;
    for (mailbox, minor_first) in [("first", true), ("last", false)] {
        let (one, other) = (format!("{mailbox}-1"), format!("{mailbox}-2"));
        store.enqueue(&[registration(&one, mailbox), registration(&other, mailbox)], at(0)).await.unwrap();
        let jobs = claim(&*store, 2, at(0)).await;
        let minor = outcome(&jobs[0], Verdict::Suppressed(SuppressionReason::Minor));
        let found = written(&jobs[1], RecordStatus::Complete);
        let (batch, expected) = if minor_first {
            ([minor, found], [Committed::Applied, Committed::Suppressed])
        } else {
            ([found, minor], [Committed::Suppressed, Committed::Applied])
        };
        assert_eq!(store.commit(&batch, at(1)).await.unwrap(), expected);
        assert_eq!(store.record(&member(&other)).await.unwrap(), None);
        let again = store.enqueue(&[registration(&other, mailbox)], at(2)).await.unwrap();
        assert_eq!(again, [Intake::Suppressed]);
    }
    assert_eq!(census(&*store).await.suppressed, 6);
}

/// Every way in which a running job becomes a waiting one again must notice.
pub(crate) async fn a_suppressed_job_never_waits_again(database: &impl Database) {
    let store = database.open().await;
    store.enqueue(&registrations(4), at(0)).await.unwrap();
    let jobs = claim(&*store, 4, at(0)).await;
    for job in &jobs[..3] {
        store.suppress(job.subject, ERASED, at(1)).await.unwrap();
    }
    store.release(&[jobs[0].hold], at(2)).await.unwrap();
    let retry = Verdict::Retry { at: at(2), error: String::new(), partial: None };
    assert_eq!(store.commit(&[outcome(&jobs[1], retry)], at(2)).await.unwrap(), [Committed::Suppressed]);
    assert_eq!(census(&*store).await.running, 2);
    assert_eq!(store.rescue(at(60), 9).await.unwrap(), Rescued { requeued: 1, buried: 0 });
    let left = claim(&*store, 9, at(60)).await;
    assert_eq!(left.iter().map(|job| &job.member).collect::<Vec<_>>(), [&jobs[3].member]);
    assert_eq!(census(&*store).await.suppressed, 3);
}

pub(crate) async fn suppression_races_leave_nothing(database: &impl Database) {
    const PEOPLE: usize = 60;
    let store = database.open().await;
    store.enqueue(&registrations(PEOPLE), at(0)).await.unwrap();
    let jobs = claim(&*store, 60, at(0)).await;
    let barrier = Arc::new(Barrier::new(2));
    let (eraser, gate) = (database.open().await, Arc::clone(&barrier));
    let erasing = tokio::spawn(async move {
        gate.wait().await;
        for person in (0..PEOPLE).rev() {
            eraser.suppress(subject(person), ERASED, at(1)).await.unwrap();
        }
    });
    barrier.wait().await;
    for group in jobs.chunks(3) {
        let outcomes: Vec<_> = group.iter().map(|job| written(job, RecordStatus::Complete)).collect();
        let answered = store.commit(&outcomes, at(2)).await.unwrap();
        assert!(answered.iter().all(|answer| *answer != Committed::Stale));
    }
    erasing.await.unwrap();
    let census = census(&*store).await;
    assert_eq!((census.suppressed, census.with_name), (PEOPLE as u64, 0));
}

pub(crate) async fn a_suppressed_old_address_spares_the_new_one(database: &impl Database) {
    let store = database.open().await;
    store.enqueue(&[registration(1, "old")], at(0)).await.unwrap();
    let job = claim_one(&*store, at(0)).await;
    store.suppress(subject("old"), ERASED, at(1)).await.unwrap();
    store.enqueue(&[registration(1, "new")], at(2)).await.unwrap();
    let late = written(&job, RecordStatus::Complete);
    assert_eq!(store.commit(&[late], at(3)).await.unwrap(), [Committed::Suppressed]);
    let next = claim_one(&*store, at(3)).await;
    assert_eq!(next.subject, subject("new"));

    store.enqueue(&[registration(1, "newest")], at(4)).await.unwrap();
    store.suppress(subject("newest"), ERASED, at(5)).await.unwrap();
    let outdated = written(&next, RecordStatus::Complete);
    assert_eq!(store.commit(&[outdated], at(6)).await.unwrap(), [Committed::Applied]);
    assert!(claim(&*store, 1, at(99)).await.is_empty(), "its successor is suppressed");
    let census = census(&*store).await;
    assert_eq!((census.taken_in, census.suppressed), (1, 1));
}
