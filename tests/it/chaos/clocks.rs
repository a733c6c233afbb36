//! Rescues at the same moment: there is no leader, every worker rescues.

use std::sync::Arc;

use gleaner::clock::{Clock as _, SystemClock};
use gleaner::store::postgres::Clock;
use gleaner::store::{Claim, Rescued, Store as _};
use tokio::sync::Barrier;

use crate::store::support::{LEASE, PostgresDatabase, census, registrations};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_rescues_at_once_take_each_job_back_once() {
    const JOBS: u32 = 600;
    let database = PostgresDatabase::new();
    let first = database.store(Clock::Database).await;
    let second = database.store(Clock::Database).await;
    first.enqueue(&registrations(JOBS as usize), SystemClock.now()).await.unwrap();
    let mut consumer = database.consumer().await;
    let mut buried = 0;
    for round in 1..=4_u64 {
        let owner = "a worker that is gone";
        let order = Claim { owner, limit: JOBS, lease: LEASE, now: SystemClock.now() };
        let claimed = first.claim(order).await.unwrap().len() as u64;
        // A third of them have no attempt left.
        let expire = "UPDATE enrichment_jobs SET lease_until = now() - interval '1 second',
                          attempt = CASE WHEN id % 3 = 0 AND $1 = 4 THEN 99 ELSE attempt END";
        sqlx::query(expire).bind(i64::try_from(round).unwrap()).execute(&mut consumer).await.unwrap();
        let barrier = Arc::new(Barrier::new(2));
        let rescue = |store: &Arc<gleaner::store::postgres::PostgresStore>| {
            let (store, barrier) = (Arc::clone(store), Arc::clone(&barrier));
            tokio::spawn(async move {
                barrier.wait().await;
                store.rescue(SystemClock.now(), 99).await.unwrap()
            })
        };
        let (one, other) = (rescue(&first), rescue(&second));
        let (one, other): (Rescued, Rescued) = (one.await.unwrap(), other.await.unwrap());
        buried += one.buried + other.buried;
        assert_eq!(one.requeued + other.requeued + one.buried + other.buried, claimed, "round {round}");
    }
    let counted = census(&*second).await;
    assert_eq!((buried, counted.dead_letters, counted.running), (200, 200, 0));
    assert_eq!(counted.waiting, u64::from(JOBS) - 200);
}
