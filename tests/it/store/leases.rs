//! Claims, leases, fences and rescues.

use std::collections::HashSet;
use std::sync::Arc;

use gleaner::job::{DeadReason, Fence};
use gleaner::record::RecordStatus;
use gleaner::store::{Claim, Page, Rescued};
use jiff::SignedDuration;
use tokio::sync::Barrier;

use super::support::{
    Database, LEASE, at, census, claim, claim_one, earlier, member, registration, registrations, written,
};

fn after_the_lease() -> jiff::Timestamp {
    at(0) + SignedDuration::try_from(LEASE).unwrap()
}

pub(crate) async fn claims_are_exclusive(database: &impl Database) {
    const JOBS: usize = 300;
    let store = database.open().await;
    store.enqueue(&registrations(JOBS), at(0)).await.unwrap();
    let barrier = Arc::new(Barrier::new(4));
    let mut claimers = Vec::new();
    for n in 0..4 {
        let (store, barrier) = (database.open().await, Arc::clone(&barrier));
        claimers.push(tokio::spawn(async move {
            barrier.wait().await;
            let owner = format!("worker-{n}");
            let mut mine = Vec::new();
            loop {
                let order = Claim { owner: &owner, limit: 7, lease: LEASE, now: at(0) };
                let claimed = store.claim(order).await.unwrap();
                if claimed.is_empty() {
                    return mine;
                }
                mine.extend(claimed.into_iter().map(|job| job.hold.job));
            }
        }));
    }
    let mut all = Vec::new();
    for claimer in claimers {
        all.extend(claimer.await.unwrap());
    }
    assert_eq!((all.len(), all.iter().collect::<HashSet<_>>().len()), (JOBS, JOBS));
    assert_eq!(census(&*store).await.running, JOBS as u64);
}

pub(crate) async fn the_most_urgent_come_first(database: &impl Database) {
    let store = database.open().await;
    for second in [30, 10, 20] {
        store.enqueue(&[registration(second, second)], at(second)).await.unwrap();
    }
    assert!(claim(&*store, 10, at(9)).await.is_empty(), "nothing is due");
    let early: Vec<_> = claim(&*store, 10, at(20)).await.into_iter().map(|job| job.member).collect();
    assert_eq!(early, [member(10), member(20)]);
}

pub(crate) async fn a_claim_takes_at_most_its_limit(database: &impl Database) {
    let store = database.open().await;
    store.enqueue(&registrations(50), at(0)).await.unwrap();
    for limit in [0_u32, 1, 20] {
        assert_eq!(claim(&*store, limit, at(0)).await.len(), limit as usize);
    }
    assert_eq!(claim(&*store, 100, at(0)).await.len(), 29);
}

pub(crate) async fn a_lease_keeps_others_out_until_rescued(database: &impl Database) {
    let store = database.open().await;
    store.enqueue(&[registration(1, 1)], at(0)).await.unwrap();
    let first = claim_one(&*store, at(0)).await;
    let just_before = after_the_lease() - SignedDuration::from_millis(1);
    assert_eq!(store.rescue(just_before, 5).await.unwrap(), Rescued::default());
    assert!(claim(&*store, 1, after_the_lease()).await.is_empty(), "only a rescue ends a lease");
    assert_eq!(store.rescue(after_the_lease(), 5).await.unwrap(), Rescued { requeued: 1, buried: 0 });
    let second = claim_one(&*store, after_the_lease()).await;
    assert_eq!((second.hold.job, second.attempt), (first.hold.job, 2));
    assert!(second.hold.fence > first.hold.fence);
}

pub(crate) async fn a_lost_hold_does_nothing(database: &impl Database) {
    let store = database.open().await;
    store.enqueue(&[registration(1, 1)], at(0)).await.unwrap();
    let zombie = claim_one(&*store, at(0)).await;
    store.rescue(after_the_lease(), 5).await.unwrap();
    let waiting = store.renew(&[zombie.hold], LEASE, at(8_940)).await.unwrap();
    assert_eq!(waiting, [zombie.hold], "a rescued job has no lease to renew");

    let owner = claim_one(&*store, after_the_lease()).await;
    let lost = store.renew(&[zombie.hold, owner.hold], LEASE, at(8_940)).await.unwrap();
    assert_eq!(lost, [zombie.hold]);
    store.release(&[zombie.hold], at(100)).await.unwrap();
    assert_eq!(census(&*store).await.running, 1, "a zombie cannot give away what is not its own");
    assert_eq!(store.next_due(at(0)).await.unwrap(), Some(at(9_000)), "nor touch the lease");
}

pub(crate) async fn a_release_gives_the_attempt_back_but_not_the_fence(database: &impl Database) {
    let store = database.open().await;
    store.enqueue(&registrations(2), at(0)).await.unwrap();
    let before = claim(&*store, 2, at(0)).await;
    let holds: Vec<_> = before.iter().map(|job| job.hold).collect();
    store.release(&holds, at(1)).await.unwrap();
    store.release(&holds, at(1)).await.unwrap();
    let after = claim(&*store, 2, at(1)).await;
    for (before, after) in before.iter().zip(&after) {
        assert_eq!((after.attempt, after.hold.job), (1, before.hold.job));
        assert_eq!(after.hold.fence, Fence(before.hold.fence.0 + 1));
    }
}

pub(crate) async fn rescues_end_in_a_dead_letter(database: &impl Database) {
    let store = database.open().await;
    store.enqueue(&registrations(1), at(0)).await.unwrap();
    for attempt in 1..=3_i64 {
        let job = claim_one(&*store, at(attempt * 100)).await;
        assert_eq!(i64::from(job.attempt), attempt);
        let expected =
            if attempt < 3 { Rescued { requeued: 1, buried: 0 } } else { Rescued { requeued: 0, buried: 1 } };
        assert_eq!(store.rescue(at(attempt * 100 + 60), 3).await.unwrap(), expected);
    }
    let letters = store.dead_letters(Page { limit: 5, before: None }).await.unwrap();
    assert_eq!((letters.len(), letters[0].attempts), (1, 3));
    assert_eq!(letters[0].reason, DeadReason::LeaseExpired);
    assert_eq!(letters[0].member_id, Some(member(0)));
    assert_eq!(store.next_due(at(0)).await.unwrap(), None);
    let census = census(&*store).await;
    assert_eq!((census.taken_in, census.dead_letters), (1, 1));
}

pub(crate) async fn a_renewed_lease_is_not_rescued(database: &impl Database) {
    let store = database.open().await;
    store.enqueue(&registrations(1), at(0)).await.unwrap();
    let job = claim_one(&*store, at(0)).await;
    assert_eq!(store.renew(&[], LEASE, at(440)).await.unwrap(), []);
    assert_eq!(store.renew(&[job.hold], LEASE, at(440)).await.unwrap(), []);
    assert_eq!(store.renew(&[earlier(job.hold)], LEASE, at(-59)).await.unwrap(), [earlier(job.hold)]);
    assert_eq!(store.rescue(at(499), 1).await.unwrap(), Rescued::default());
    assert_eq!(store.rescue(at(500), 1).await.unwrap(), Rescued { requeued: 0, buried: 1 });
}

pub(crate) async fn the_next_due_time_is_known(database: &impl Database) {
    let store = database.open().await;
    assert_eq!(store.next_due(at(0)).await.unwrap(), None);
    store.enqueue(&[registration(2, 2)], at(20)).await.unwrap();
    store.enqueue(&[registration(1, 1)], at(10)).await.unwrap();
    assert_eq!(store.next_due(at(0)).await.unwrap(), Some(at(10)));
    let job = claim_one(&*store, at(10)).await;
    assert_eq!(store.next_due(at(0)).await.unwrap(), Some(at(20)));
    let other = claim_one(&*store, at(20)).await;
    assert_eq!(store.next_due(at(0)).await.unwrap(), Some(at(70)), "when the first lease ends");
    let done = [written(&job, RecordStatus::Complete), written(&other, RecordStatus::Complete)];
    store.commit(&done, at(21)).await.unwrap();
    assert_eq!(store.next_due(at(0)).await.unwrap(), None);
}
