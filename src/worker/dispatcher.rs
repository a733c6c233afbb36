//! Runs members side by side, as many as the configuration allows.

use std::num::NonZeroU32;
use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::time::Duration;

use futures_util::FutureExt as _;
use tokio::sync::Semaphore;
use tokio::task::JoinSet;

use super::Stop;
use super::claimer::Ready;
use super::committer::{Keeper, Writing};
use super::held::Held;
use super::lanes::Lanes;
use super::line::Line;
use crate::enrich::Enricher;

/// What the dispatcher works with.
pub(super) struct Desk {
    pub(super) enricher: Arc<Enricher>,
    pub(super) concurrency: NonZeroU32,
    pub(super) drain: Duration,
    pub(super) held: Arc<Held>,
    pub(super) lease: Duration,
    pub(super) lanes: Lanes,
}

/// Runs members until no more come or a stop is asked for; then lets those in flight finish, for a while.
pub(super) async fn dispatch(desk: Desk, mut line: Line, stop: Stop) {
    let places = Arc::new(Semaphore::new(desk.concurrency.get() as usize));
    let mut running = JoinSet::new();
    loop {
        let place = tokio::select! {
            biased;
            () = stop.asked() => break,
            place = Arc::clone(&places).acquire_owned() => place,
        };
        let next = tokio::select! {
            biased;
            () = stop.asked() => break,
            next = line.next() => next,
            () = stop.out_of_work() => break,
        };
        let (Ok(place), Some(next)) = (place, next) else { break };
        while running.try_join_next().is_some() {}
        running.spawn({
            let enricher = Arc::clone(&desk.enricher);
            let outcomes = desk.lanes.of(&next.job);
            let keeper = Keeper::new(outcomes.clone(), Arc::clone(&desk.held), desk.lease);
            async move {
                let writing = run_member(&enricher, next, &keeper).await;
                // The place is given up only when the committer has taken the outcome: back-pressure.
                let _ = outcomes.send(writing).await;
                drop(place);
            }
        });
    }
    let finish = async { while running.join_next().await.is_some() {} };
    let outcome = tokio::select! {
        finished = tokio::time::timeout(desk.drain, finish) => finished,
        () = stop.asked_hard() => Ok(()),
    };
    if outcome.is_err() {
        tracing::warn!("some members did not finish in time; they are given back");
    }
    running.shutdown().await;
}

/// A panic costs its own member an attempt: the lease runs out, and attempts bound how often that can happen.
async fn run_member(enricher: &Enricher, ready: Ready, keeper: &Keeper) -> Writing {
    let (hold, subject) = (ready.job.hold, ready.job.subject);
    let enriching = AssertUnwindSafe(enricher.enrich(&ready.job, ready.stored, keeper));
    if let Ok(outcome) = enriching.catch_unwind().await {
        return Writing::Outcome(Box::new(outcome));
    }
    tracing::error!(member = ready.job.member.as_str(), "a panic ended an execution");
    Writing::Lost { hold, subject }
}
