//! What is known of members, without writing.

use gleaner::job::{DeadReason, Registration, SuppressionReason, Verdict};
use gleaner::record::RecordStatus;
use gleaner::store::Store;
use gleaner::store::reconcile::{Address, Home, Known};

use super::support::{
    Database, at, census, claim, claim_one, outcome, registration, registrations, subject, written,
};

async fn known(store: &dyn Store, registration: Registration) -> Known {
    store.known(&[registration]).await.unwrap()[0]
}

const fn here(place: Home, address: Address) -> Known {
    Known::Here { place, address }
}

pub(crate) async fn a_member_is_known_wherever_they_are(database: &impl Database) {
    let store = database.open().await;
    assert_eq!(store.known(&[]).await.unwrap(), []);
    assert_eq!(known(&*store, registration(1, 1)).await, Known::Missing);

    store.enqueue(&[registration(1, 1)], at(0)).await.unwrap();
    assert_eq!(known(&*store, registration(1, 1)).await, here(Home::Job, Address::Same));
    assert_eq!(known(&*store, registration(1, 2)).await, here(Home::Job, Address::Other));
    assert_eq!(known(&*store, registration(2, 1)).await, Known::Missing, "another member with that mailbox");
    let job = claim_one(&*store, at(0)).await;
    assert_eq!(known(&*store, registration(1, 1)).await, here(Home::Job, Address::Same), "running");

    store.commit(&[written(&job, RecordStatus::Complete)], at(0)).await.unwrap();
    assert_eq!(known(&*store, registration(1, 1)).await, here(Home::Record, Address::Same));
    assert_eq!(known(&*store, registration(1, 2)).await, here(Home::Record, Address::Other));

    // A change of address is under way: the job says what is known now.
    store.enqueue(&[registration(1, 2)], at(1)).await.unwrap();
    assert_eq!(known(&*store, registration(1, 2)).await, here(Home::Job, Address::Same));
    assert_eq!(known(&*store, registration(1, 1)).await, here(Home::Job, Address::Other));
    let job = claim_one(&*store, at(1)).await;
    let dead =
        Verdict::Dead { reason: DeadReason::AttemptsExhausted, error: "timeout".to_owned(), partial: None };
    store.commit(&[outcome(&job, dead)], at(1)).await.unwrap();
    assert_eq!(known(&*store, registration(1, 2)).await, here(Home::DeadLetter, Address::Same));

    store.suppress(subject(2), SuppressionReason::Erased, at(2)).await.unwrap();
    assert_eq!(known(&*store, registration(1, 2)).await, Known::Suppressed);
    assert_eq!(known(&*store, registration(9, 2)).await, Known::Suppressed, "whoever has that mailbox");
}

pub(crate) async fn looking_changes_nothing_and_answers_in_order(database: &impl Database) {
    let store = database.open().await;
    store.enqueue(&registrations(500), at(0)).await.unwrap();
    let before = census(&*store).await;
    // Every second one is a stranger; some come twice.
    let asked: Vec<_> = (0..1_500).rev().map(|n| registration(n % 1_000, n % 1_000)).collect();
    let answers = store.known(&asked).await.unwrap();
    assert_eq!(answers.len(), asked.len());
    for (asked, answer) in asked.iter().zip(answers) {
        let number: u32 = asked.member.as_str().trim_start_matches("m-").parse().unwrap();
        let expected = if number < 500 { here(Home::Job, Address::Same) } else { Known::Missing };
        assert_eq!(answer, expected, "{}", asked.member);
    }
    assert_eq!(census(&*store).await, before);
    assert_eq!(claim(&*store, 1_000, at(1)).await.len(), 500);
}
