//! Requests and events that come again, the backlog, and where a member is.

use gleaner::job::{
    DeadReason, Delivered, Delivery, Intake, Item, Once, Registration, SuppressionReason, Verdict,
};
use gleaner::keyring::SeenKey;
use gleaner::record::RecordStatus;
use gleaner::store::{Place, PlaceStatus, Store};
use jiff::Timestamp;

use super::support::{
    Database, at, census, claim_one, email, keyring, member, outcome, registration, registrations, subject,
    written,
};

fn request(key: &str, body: &str, registrations: Vec<Registration>) -> Delivery {
    let once =
        Once { key: keyring().request("sign-up", key), content: keyring().content(&[body.as_bytes()]) };
    let item = |registration| Item { registration, event: None };
    Delivery { once: Some(once), items: registrations.into_iter().map(item).collect() }
}

fn event(id: &str) -> SeenKey {
    keyring().event("/members", id)
}

fn told(id: &str, registration: Registration) -> Delivery {
    Delivery { once: None, items: vec![Item { registration, event: Some(event(id)) }] }
}

async fn deliver(store: &dyn Store, deliveries: &[Delivery], now: Timestamp) -> Vec<Delivered> {
    store.enqueue_once(deliveries, now, at(86_400)).await.unwrap()
}

pub(crate) async fn a_request_is_taken_in_once(database: &impl Database) {
    let store = database.open().await;
    let first = request("k-1", "body", vec![registration(1, 1), registration(2, 2), registration(1, 1)]);
    let became = vec![Intake::Queued, Intake::Queued, Intake::Repeated];
    assert_eq!(deliver(&*store, &[], at(0)).await, []);
    assert_eq!(
        deliver(&*store, std::slice::from_ref(&first), at(0)).await,
        [Delivered::Taken(became.clone())]
    );
    let counted = census(&*store).await;
    assert_eq!((counted.taken_in, counted.waiting, counted.repeated), (2, 2, 1));

    assert_eq!(deliver(&*store, std::slice::from_ref(&first), at(1)).await, [Delivered::Again(became)]);
    let other = request("k-1", "another body", vec![registration(3, 3)]);
    assert_eq!(deliver(&*store, &[other], at(2)).await, [Delivered::Conflict]);
    assert_eq!(census(&*store).await, counted, "neither did anything");

    let another_key = request("k-2", "body", vec![registration(1, 1)]);
    assert_eq!(deliver(&*store, &[another_key], at(3)).await, [Delivered::Taken(vec![Intake::Repeated])]);
}

pub(crate) async fn a_request_that_repeats_in_its_own_batch_is_one(database: &impl Database) {
    let store = database.open().await;
    let batch = [
        request("k", "body", vec![registration(1, 1)]),
        request("k", "other", vec![registration(2, 2)]),
        Delivery { once: None, items: vec![Item { registration: registration(3, 3), event: None }] },
        request("k", "body", vec![registration(1, 1)]),
        request("empty", "", Vec::new()),
    ];
    let queued = vec![Intake::Queued];
    let expected = [
        Delivered::Taken(queued.clone()),
        Delivered::Conflict,
        Delivered::Taken(queued.clone()),
        Delivered::Again(queued),
        Delivered::Taken(Vec::new()),
    ];
    assert_eq!(deliver(&*store, &batch, at(0)).await, expected);
    let counted = census(&*store).await;
    assert_eq!((counted.taken_in, counted.waiting, counted.repeated), (2, 2, 0));
    assert_eq!(deliver(&*store, &batch[4..], at(0)).await, [Delivered::Again(Vec::new())]);
}

pub(crate) async fn a_late_repeat_of_an_event_undoes_nothing(database: &impl Database) {
    let store = database.open().await;
    let moved = [told("e-1", registration(1, "old")), told("e-2", registration(1, "new"))];
    let became = [Delivered::Taken(vec![Intake::Queued]), Delivered::Taken(vec![Intake::Repeated])];
    assert_eq!(deliver(&*store, &moved, at(0)).await, became);
    let late = [told("e-1", registration(1, "old")), told("e-1", registration(1, "old"))];
    let repeated = Delivered::Taken(vec![Intake::Repeated]);
    assert_eq!(deliver(&*store, &late, at(1)).await, [repeated.clone(), repeated]);
    assert_eq!(claim_one(&*store, at(1)).await.email, email("new"));
    let counted = census(&*store).await;
    assert_eq!((counted.taken_in, counted.repeated), (1, 3), "each was acknowledged");

    // One request that carries both kinds: the event that was seen changes nothing, the new one counts.
    let mixed = Delivery {
        items: vec![
            Item { registration: registration(1, "old"), event: Some(event("e-1")) },
            Item { registration: registration(2, 2), event: Some(event("e-3")) },
        ],
        ..request("k", "mixed", Vec::new())
    };
    let became = vec![Intake::Repeated, Intake::Queued];
    assert_eq!(
        deliver(&*store, std::slice::from_ref(&mixed), at(2)).await,
        [Delivered::Taken(became.clone())]
    );
    assert_eq!(deliver(&*store, &[mixed], at(3)).await, [Delivered::Again(became)]);
}

pub(crate) async fn requests_are_forgotten_when_their_time_is_over(database: &impl Database) {
    let store = database.open().await;
    let both = [request("k", "body", vec![registration(1, 1)]), told("e", registration(2, 2))];
    store.enqueue_once(&both, at(0), at(100)).await.unwrap();
    assert_eq!(store.forget_requests(at(99)).await.unwrap(), 0);
    let again = Delivered::Again(vec![Intake::Queued]);
    assert_eq!(store.enqueue_once(&both[..1], at(99), at(500)).await.unwrap(), [again], "and not prolonged");

    // Over, and not yet removed: unknown, and remembered anew.
    let other = request("k", "another body", vec![registration(1, 1)]);
    let repeated = Delivered::Taken(vec![Intake::Repeated]);
    assert_eq!(store.enqueue_once(std::slice::from_ref(&other), at(100), at(200)).await.unwrap(), [repeated]);
    assert_eq!(store.forget_requests(at(150)).await.unwrap(), 1, "the event");
    assert_eq!(deliver(&*store, &both[..1], at(199)).await, [Delivered::Conflict]);
    assert_eq!(store.forget_requests(at(200)).await.unwrap(), 1);
    assert_eq!(store.forget_requests(at(1_000_000)).await.unwrap(), 0);
}

pub(crate) async fn one_request_at_several_doors_is_taken_in_once(database: &impl Database) {
    let doors = [database.open().await, database.open().await];
    for round in 0..10 {
        let barrier = std::sync::Arc::new(tokio::sync::Barrier::new(8));
        let asking: Vec<_> = (0..8)
            .map(|n| {
                let (store, barrier) = (std::sync::Arc::clone(&doors[n % 2]), barrier.clone());
                let delivery = Delivery {
                    items: vec![Item {
                        registration: registration(round, round),
                        event: Some(event("shared")),
                    }],
                    ..request(&format!("k-{round}"), "body", Vec::new())
                };
                tokio::spawn(async move {
                    barrier.wait().await;
                    let own = told(&format!("e-{n}"), registration(format!("{round}-{n}"), n));
                    store.enqueue_once(&[delivery, own], at(0), at(86_400)).await.unwrap()
                })
            })
            .collect();
        let mut taken = 0;
        for answer in asking {
            let answer = answer.await.unwrap();
            taken += usize::from(matches!(answer[0], Delivered::Taken(_)));
            assert_ne!(answer[0], Delivered::Conflict);
        }
        assert_eq!(taken, 1, "round {round}");
    }
    let counted = census(&*doors[0]).await;
    assert_eq!(counted.taken_in, 1 + 8, "the shared event of the first round, and each door's own");
}

pub(crate) async fn the_backlog_is_counted_no_further_than_asked(database: &impl Database) {
    let store = database.open().await;
    assert_eq!(store.backlog(10).await.unwrap(), 0);
    store.enqueue(&registrations(5), at(0)).await.unwrap();
    assert_eq!(store.backlog(10).await.unwrap(), 5);
    assert_eq!(store.backlog(3).await.unwrap(), 3);
    assert_eq!(store.backlog(u64::MAX).await.unwrap(), 5);
    claim_one(&*store, at(0)).await;
    assert_eq!(store.backlog(10).await.unwrap(), 4, "a running job does not wait");
}

pub(crate) async fn a_members_place_is_known(database: &impl Database) {
    let store = database.open().await;
    let place = async |name: &str, now| store.place(&member(name), now).await.unwrap();
    let is = |status, at, attempts, next_run| Some(Place { status, at, attempts, next_run });
    assert_eq!(place("1", at(0)).await, None);

    store.enqueue(&[registration(1, 1)], at(0)).await.unwrap();
    assert_eq!(place("1", at(0)).await, is(PlaceStatus::Waiting, at(0), Some(0), Some(at(0))));
    let job = claim_one(&*store, at(1)).await;
    assert_eq!(place("1", at(1)).await, is(PlaceStatus::Running, at(0), Some(1), None));
    let later = Verdict::Retry { at: at(50), error: "timeout".to_owned(), partial: None };
    store.commit(&[outcome(&job, later)], at(2)).await.unwrap();
    assert_eq!(place("1", at(3)).await, is(PlaceStatus::Waiting, at(0), Some(1), Some(at(50))));

    let job = claim_one(&*store, at(50)).await;
    store.commit(&[written(&job, RecordStatus::NoMatch)], at(51)).await.unwrap();
    // The record of these tests says that it was updated at the start, and how long it holds.
    assert_eq!(place("1", at(52)).await, is(PlaceStatus::NoMatch, at(0), None, None));
    assert_eq!(place("1", at(1_000_000)).await, None, "a record that is over is not told of");
    assert_eq!(place("2", at(52)).await, None, "another member");

    store.enqueue(&[registration(1, "new")], at(60)).await.unwrap();
    let job = claim_one(&*store, at(60)).await;
    let dead =
        Verdict::Dead { reason: DeadReason::AttemptsExhausted, error: "timeout".to_owned(), partial: None };
    store.commit(&[outcome(&job, dead)], at(61)).await.unwrap();
    assert_eq!(place("1", at(62)).await, is(PlaceStatus::DeadLetter, at(61), Some(1), None));
}

pub(crate) async fn a_suppressed_member_is_nowhere(database: &impl Database) {
    let store = database.open().await;
    store.enqueue(&registrations(3), at(0)).await.unwrap();
    for n in 0..2 {
        let job = claim_one(&*store, at(n)).await;
        if n == 0 {
            store.commit(&[written(&job, RecordStatus::Complete)], at(1)).await.unwrap();
        }
    }
    let statuses = async || {
        let mut statuses = Vec::new();
        for n in 0..3 {
            statuses.push(store.place(&member(n), at(2)).await.unwrap().map(|place| place.status));
        }
        statuses
    };
    let before = [PlaceStatus::Complete, PlaceStatus::Running, PlaceStatus::Waiting].map(Some);
    assert_eq!(statuses().await, before);
    for n in 0..3 {
        store.suppress(subject(n), SuppressionReason::Erased, at(3)).await.unwrap();
    }
    assert_eq!(statuses().await, [None; 3], "also where a worker still holds the job");
    let handed_in = [request("k", "body", vec![registration(0, 0)])];
    assert_eq!(deliver(&*store, &handed_in, at(4)).await, [Delivered::Taken(vec![Intake::Suppressed])]);
    assert_eq!(deliver(&*store, &handed_in, at(5)).await, [Delivered::Again(vec![Intake::Suppressed])]);
    assert_eq!(statuses().await, [None; 3]);
}
