//! What the doors hand over, and what becomes of it.

use gleaner::job::{DeadReason, Intake, Refusal, Verdict};
use gleaner::record::RecordStatus;
use gleaner::store::Page;

use super::support::{
    Database, at, census, claim_one, email, member, outcome, record, registration, registrations, subject,
    written,
};

const PAGE: Page = Page { limit: 100, before: None };

pub(crate) async fn registrations_become_jobs_once(database: &impl Database) {
    let store = database.open().await;
    let batch = registrations(3);
    assert_eq!(store.enqueue(&[], at(0)).await.unwrap(), []);
    assert_eq!(store.enqueue(&batch, at(0)).await.unwrap(), [Intake::Queued; 3]);
    assert_eq!(store.enqueue(&batch, at(1)).await.unwrap(), [Intake::Repeated; 3]);
    let census = census(&*store).await;
    assert_eq!((census.taken_in, census.waiting, census.repeated), (3, 3, 3));
    let job = claim_one(&*store, at(2)).await;
    assert_eq!((job.member, job.email, job.subject), (member(0), email(0), subject(0)));
    assert_eq!((job.attempt, job.queued_at), (1, at(0)));
}

pub(crate) async fn duplicates_in_one_batch_are_one_job(database: &impl Database) {
    let store = database.open().await;
    let batch = [registration(1, "old"), registration(2, 2), registration(1, "new")];
    let taken = store.enqueue(&batch, at(0)).await.unwrap();
    assert_eq!(taken, [Intake::Queued, Intake::Queued, Intake::Repeated]);
    assert_eq!(census(&*store).await.taken_in, 2);
    let jobs = super::support::claim(&*store, 10, at(0)).await;
    let first = jobs.iter().find(|job| job.member == member(1)).unwrap();
    assert_eq!((jobs.len(), first.email.clone()), (2, email("new")), "the newest address counts");
}

pub(crate) async fn a_fresh_record_makes_no_job(database: &impl Database) {
    let store = database.open().await;
    let registered = [registration(1, 1)];
    let expiry = at(1_000_000);
    for (now, status) in [(at(0), RecordStatus::Complete), (expiry, RecordStatus::NoMatch)] {
        store.enqueue(&registered, now).await.unwrap();
        let job = claim_one(&*store, now).await;
        store.commit(&[written(&job, status)], now).await.unwrap();
        assert_eq!(store.enqueue(&registered, at(999_999)).await.unwrap(), [Intake::Fresh], "{status:?}");
    }
    assert_eq!(store.enqueue(&registered, expiry).await.unwrap(), [Intake::Queued], "an expired record");
    let job = claim_one(&*store, expiry).await;
    store.commit(&[written(&job, RecordStatus::Partial)], expiry).await.unwrap();
    assert_eq!(store.enqueue(&registered, at(0)).await.unwrap(), [Intake::Queued], "a partial record");
    let census = census(&*store).await;
    assert_eq!((census.taken_in, census.waiting, census.repeated), (1, 1, 5));
}

pub(crate) async fn a_new_address_is_looked_up_again(database: &impl Database) {
    let store = database.open().await;
    store.enqueue(&[registration(1, "old")], at(0)).await.unwrap();
    let job = claim_one(&*store, at(0)).await;
    store.commit(&[written(&job, RecordStatus::Complete)], at(0)).await.unwrap();
    assert_eq!(store.enqueue(&[registration(1, "new")], at(1)).await.unwrap(), [Intake::Queued]);

    let snoozed = claim_one(&*store, at(1)).await;
    let later = Verdict::Retry { at: at(5_000), error: "timeout".to_owned(), partial: None };
    store.commit(&[outcome(&snoozed, later)], at(1)).await.unwrap();
    let newest = [registration(1, "newest")];
    assert_eq!(store.enqueue(&newest, at(2)).await.unwrap(), [Intake::Repeated]);
    let job = claim_one(&*store, at(2)).await;
    assert_eq!((job.email, job.attempt), (email("newest"), 1), "another question, due at once");
    assert_eq!(census(&*store).await.taken_in, 1);
}

pub(crate) async fn a_dead_letter_is_overtaken_by_a_registration(database: &impl Database) {
    let store = database.open().await;
    store.enqueue(&[registration(1, 1)], at(0)).await.unwrap();
    let job = claim_one(&*store, at(0)).await;
    let partial = Some(Box::new(record(&job, RecordStatus::Partial)));
    let dead = Verdict::Dead { reason: DeadReason::AttemptsExhausted, error: "timeout".to_owned(), partial };
    store.commit(&[outcome(&job, dead)], at(0)).await.unwrap();
    assert_eq!(census(&*store).await.dead_letters, 1);
    assert_eq!(store.enqueue(&[registration(1, 1)], at(1)).await.unwrap(), [Intake::Queued]);
    let census = census(&*store).await;
    assert_eq!((census.taken_in, census.waiting, census.dead_letters, census.repeated), (1, 1, 0, 1));
}

pub(crate) async fn refused_rows_are_dead_letters(database: &impl Database) {
    let store = database.open().await;
    let refusal = |row: u32, named: bool| Refusal {
        origin: format!("members.csv:{row}"),
        member: named.then(|| member(1)),
        reason: "the address has no `@`".to_owned(),
    };
    store.refuse(&[], at(0)).await.unwrap();
    store.refuse(&[refusal(2, true), refusal(3, false), refusal(4, true)], at(0)).await.unwrap();
    store.enqueue(&[registration(1, 1)], at(1)).await.unwrap();
    store.refuse(&[refusal(5, true)], at(2)).await.unwrap();
    let counted = census(&*store).await;
    assert_eq!((counted.taken_in, counted.waiting, counted.dead_letters), (5, 1, 4));

    let letters = store.dead_letters(PAGE).await.unwrap();
    let origins: Vec<_> = letters.iter().map(|letter| letter.origin.as_deref().unwrap()).collect();
    assert_eq!(origins, ["members.csv:5", "members.csv:4", "members.csv:3", "members.csv:2"]);
    assert_eq!(letters[0].reason, DeadReason::Malformed);
    assert_eq!((letters[0].member_id.clone(), letters[2].member_id.clone()), (Some(member(1)), None));
    let older = store.dead_letters(Page { limit: 1, before: Some(letters[1].id) }).await.unwrap();
    assert_eq!(older, letters[2..3]);
}
