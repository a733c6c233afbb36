//! Takes jobs in batches, as fast as they are worked off.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use gleaner_providers::clock::SharedClock;
use jiff::SignedDuration;
use tokio::sync::mpsc;
use tokio::time::Instant;

use super::ahead::Ahead;
use super::held::Held;
use super::{Ending, Settings, Stop, Until};
use crate::job::{Answer, Claimed};
use crate::keyring::SubjectKey;
use crate::store::{Claim, SharedStore, StoreError};

/// A job that can start, with the stored answers about its subject.
#[derive(Debug)]
pub(super) struct Ready {
    pub(super) job: Claimed,
    pub(super) stored: Vec<Answer>,
}

/// The longest pause after the database failed.
const LONGEST_PAUSE: Duration = Duration::from_secs(5);
/// At least so long after a claim, a registration causes the next one: however many ring, claims stay rare.
const PAUSE_FOR_BELLS: Duration = Duration::from_millis(10);
/// Between two tries to read what claimed jobs need.
const PAUSE_FOR_ANSWERS: Duration = Duration::from_millis(250);

pub(super) struct Claimer {
    pub(super) store: SharedStore,
    pub(super) held: Arc<Held>,
    pub(super) settings: Settings,
    pub(super) clock: SharedClock,
    pub(super) ready: mpsc::UnboundedSender<Ready>,
}

impl Claimer {
    /// Claims until it is told to stop or nothing is left. A database that is away for a while is waited for.
    pub(super) async fn run(self, stop: &Stop) -> Result<Ending, StoreError> {
        let mut pause = Duration::from_millis(50);
        let mut ahead = Ahead::up_to(self.settings.worker.claim_batch);
        loop {
            tokio::select! {
                biased;
                () = stop.asked() => return Ok(Ending::Stopped),
                () = self.occasion(&ahead) => {}
            }
            // Never dropped half-way: a job claimed and forgotten would wait for its lease to run out.
            match self.step(&mut ahead, stop).await {
                Ok(Step::Claimed) => pause = Duration::from_millis(50),
                Ok(Step::Idle(wait)) => self.wait(wait, stop).await,
                // The last of them may end at any moment, or be put off and become due.
                Ok(Step::Finishing(wait)) => tokio::select! {
                    () = self.held.at_most(0) => {}
                    () = self.wait(wait, stop) => {}
                },
                Ok(Step::Done) => return Ok(Ending::Idle),
                Err(StoreError::Unavailable(error)) => {
                    tracing::warn!(%error, "the database is unavailable; trying again");
                    wait_or_stop(pause, stop).await;
                    pause = (pause * 2).min(LONGEST_PAUSE);
                }
                Err(error) => return Err(error),
            }
        }
    }

    /// Waits until it is worth looking again.
    async fn wait(&self, poll: Duration, stop: &Stop) {
        tokio::select! {
            () = wait_or_stop(poll, stop) => {}
            () = self.store.wait_for_jobs() => {}
        }
    }

    /// Waits until at most half of what is claimed ahead waits for a place to run; or until someone registers, who may be more urgent
    /// than those who wait.
    async fn occasion(&self, ahead: &Ahead) {
        let places = self.settings.worker.concurrency.get();
        let half = (places + ahead.jobs() / 2) as usize;
        let rung = async {
            tokio::join!(self.store.wait_for_jobs(), tokio::time::sleep(PAUSE_FOR_BELLS));
            self.held.at_most((places + ahead.jobs() - 1) as usize).await;
        };
        tokio::select! {
            () = self.held.at_most(half) => {}
            () = rung => {}
        }
    }

    async fn step(&self, ahead: &mut Ahead, stop: &Stop) -> Result<Step, StoreError> {
        let places = self.settings.worker.concurrency.get() + ahead.jobs();
        let room = places.saturating_sub(u32::try_from(self.held.len()).unwrap_or(u32::MAX));
        let limit = room.min(self.settings.worker.claim_batch.get());
        let began = Instant::now();
        let claimed = self
            .store
            .claim(Claim {
                owner: &self.settings.owner,
                limit,
                lease: self.settings.worker.lease(),
                now: self.clock.now(),
            })
            .await?;
        if claimed.is_empty() {
            return self.idle().await;
        }
        let starting = self.held.admit(claimed);
        // Who registered just now does not wait until the many answers about the members of a replay are read.
        let (fresh, replayed) = starting.split_at(starting.partition_point(Claimed::is_fresh));
        for jobs in [fresh, replayed].into_iter().filter(|jobs| !jobs.is_empty()) {
            start(&self.store, jobs, &self.clock, stop, &self.ready).await?;
        }
        ahead.learn(began.elapsed(), self.held.finished(), Instant::now());
        Ok(Step::Claimed)
    }

    /// Nothing is due: how long to wait, or whether that is all.
    async fn idle(&self) -> Result<Step, StoreError> {
        let poll = self.settings.worker.poll();
        let Until::Idle { patience } = self.settings.until else {
            return Ok(Step::Idle(poll));
        };
        if self.held.len() > 0 {
            return Ok(Step::Finishing(poll));
        }
        let Some(due) = self.store.next_due(self.clock.now()).await? else {
            return Ok(Step::Done);
        };
        let wait = due.duration_since(self.clock.now()).max(SignedDuration::ZERO);
        let wait = Duration::try_from(wait).unwrap_or(poll);
        Ok(if wait > patience { Step::Done } else { Step::Idle(wait.clamp(Duration::from_millis(1), poll)) })
    }
}

enum Step {
    Claimed,
    Idle(Duration),
    /// Nothing is due, and members are still running.
    Finishing(Duration),
    Done,
}

async fn wait_or_stop(wait: Duration, stop: &Stop) {
    tokio::select! {
        () = tokio::time::sleep(wait) => {}
        () = stop.asked() => {}
    }
}

/// Passes jobs on with the stored answers about their subjects, all in one read. Held and never started, jobs would be renewed for
/// ever: a database that is away is asked again until it is back, or until a stop is asked for.
pub(super) async fn start(
    store: &SharedStore,
    jobs: &[Claimed],
    clock: &SharedClock,
    stop: &Stop,
    ready: &mpsc::UnboundedSender<Ready>,
) -> Result<(), StoreError> {
    loop {
        match read_answers(store, jobs, clock).await {
            Err(StoreError::Unavailable(error)) if !stop.is_asked() => {
                tracing::warn!(%error, "the database is unavailable; reading the stored answers again");
                wait_or_stop(PAUSE_FOR_ANSWERS, stop).await;
            }
            read => {
                for job in read? {
                    // Nobody receives after a stop; what is held is given back then.
                    let _ = ready.send(job);
                }
                return Ok(());
            }
        }
    }
}

async fn read_answers(
    store: &SharedStore,
    jobs: &[Claimed],
    clock: &SharedClock,
) -> Result<Vec<Ready>, StoreError> {
    let subjects: Vec<_> = jobs.iter().map(|job| job.subject).collect();
    let mut by_subject: HashMap<SubjectKey, Vec<Answer>> = HashMap::new();
    for answer in store.answers(&subjects, clock.now()).await? {
        by_subject.entry(answer.subject).or_default().push(answer);
    }
    let ready = |job: &Claimed| {
        let stored = by_subject.remove(&job.subject).unwrap_or_default();
        Ready { job: job.clone(), stored }
    };
    Ok(jobs.iter().map(ready).collect())
}
