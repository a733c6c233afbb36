//! The worker: claim → enrich → commit, many members at a time.
//!
//! Three tasks share one registry of held jobs (`held.rs`): the claimer takes batches, the dispatcher runs members, the
//! committer writes what came of them in groups. A fourth, the heart, keeps the leases alive; a fifth feels the pulse of the
//! fleet. Data flows one way:
//!
//! ```text
//! store ─claim→ claimer ─ready→ dispatcher ─outcome→ committer ─commit→ store
//! ```
//!
//! Invariant: a job leaves the registry only when its outcome is committed, found stale, or given back.

use std::sync::Arc;
use std::time::Duration;

use gleaner_providers::clock::SharedClock;
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

use crate::config;
use crate::enrich::Enricher;
use crate::fleet::Fleet;
use crate::replay::Filler;
use crate::store::{SharedStore, StoreError};

mod ahead;
mod claimer;
mod committer;
mod dispatcher;
mod heart;
mod held;
mod lanes;
pub mod learner;
mod line;
mod pulse;
pub mod report;
pub mod stop;

use claimer::Claimer;
use committer::Committer;
use held::Held;
use line::Line;
use pulse::Finger;
pub use report::{Report, Summary};
pub use stop::Stop;

/// One worker process's share of the work.
#[derive(Debug)]
pub struct Worker {
    pub store: SharedStore,
    pub enricher: Arc<Enricher>,
    pub settings: Settings,
    pub clock: SharedClock,
    pub report: Arc<Report>,
    pub fleet: Arc<Fleet>,
}

/// How the worker goes about it.
#[derive(Clone, Debug)]
pub struct Settings {
    /// The incarnation of this worker: never used twice.
    pub owner: String,
    pub worker: config::Worker,
    pub max_attempts: u32,
    pub until: Until,
}

/// When the worker is done.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Until {
    /// Never: it runs until it is told to stop.
    Stopped,
    /// When no job is left, or the next one is due only after this long.
    Idle { patience: Duration },
}

/// Why the worker came to an end.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Ending {
    /// Nothing is left to do now.
    Idle,
    /// A signal asked it to stop; members in flight were finished or given back.
    Stopped,
}

impl Worker {
    /// Runs until it is done or told to stop. Whatever is still held then is given back.
    pub async fn run(self, stop: Stop) -> Result<Ending, StoreError> {
        let held = Arc::new(Held::default());
        let (ready_in, ready_out) = mpsc::unbounded_channel();
        let (lanes, arriving) = lanes::lanes(self.settings.worker.commit_batch.get() as usize * 2);
        let committer = Committer {
            store: Arc::clone(&self.store),
            held: Arc::clone(&held),
            report: Arc::clone(&self.report),
            clock: Arc::clone(&self.clock),
            ready: ready_in.clone(),
            batch: self.settings.worker.commit_batch.get() as usize,
            linger: self.settings.worker.commit_linger(),
        };
        let claimer = Claimer {
            store: Arc::clone(&self.store),
            held: Arc::clone(&held),
            settings: self.settings.clone(),
            clock: Arc::clone(&self.clock),
            ready: ready_in,
        };
        let committing = tokio::spawn(committer.run(arriving));
        let beating = tokio::spawn(heart::beat(
            Arc::clone(&self.store),
            Arc::clone(&held),
            Arc::clone(&self.clock),
            self.settings.clone(),
        ));
        let passing_on = tokio::spawn({
            let fleet = Arc::clone(&self.fleet);
            async move { fleet.pass_on().await }
        });
        let felt_enough = CancellationToken::new();
        let learning =
            learner::learn(Arc::clone(&self.store), Arc::clone(&self.enricher), felt_enough.clone());
        let believing =
            learner::believe(Arc::clone(&self.store), Arc::clone(&self.enricher), felt_enough.clone());
        let feeling = self.finger(&held).feel(felt_enough.clone());
        let filling = self.filler().keep_filling(felt_enough.clone());
        let feeling = tokio::spawn(async { tokio::join!(feeling, learning, believing, filling) });
        let dispatching = tokio::spawn(dispatcher::dispatch(
            dispatcher::Desk {
                enricher: Arc::clone(&self.enricher),
                concurrency: self.settings.worker.concurrency,
                drain: self.settings.worker.drain(),
                held: Arc::clone(&held),
                lease: self.settings.worker.lease(),
                lanes,
            },
            Line::of(ready_out),
            stop.clone(),
        ));

        let ending = claimer.run(&stop).await;
        stop.no_more_work();
        // The dispatcher drops the last sender of outcomes when it ends, and with that the committer ends.
        join(dispatching.await);
        join(committing.await);
        beating.abort();
        passing_on.abort();
        // A beat that is under way ends first, or it would come after the leave.
        felt_enough.cancel();
        join(feeling.await);
        self.say_goodbye(&held).await;
        ending
    }

    /// What cannot be said any more is found out by the others: leases run out, and who is silent is gone.
    async fn say_goodbye(&self, held: &Held) {
        if let Err(error) = self.store.release(&held.holds(), self.clock.now()).await {
            tracing::warn!(%error, "what is still held could not be given back; its leases run out");
        }
        if let Err(error) = self.fleet.leave().await {
            tracing::warn!(%error, "the fleet could not be told that this worker ends");
        }
    }
}

impl Worker {
    fn finger(&self, held: &Arc<Held>) -> Finger {
        Finger {
            store: Arc::clone(&self.store),
            clock: Arc::clone(&self.clock),
            fleet: Arc::clone(&self.fleet),
            enricher: Arc::clone(&self.enricher),
            held: Arc::clone(held),
            report: Arc::clone(&self.report),
        }
    }

    /// Fills batches whose operator went away.
    fn filler(&self) -> Filler {
        Filler {
            store: Arc::clone(&self.store),
            clock: Arc::clone(&self.clock),
            policy: self.enricher.policy().clone(),
        }
    }
}

/// A task of ours that panicked has said so already; there is nothing to add here.
fn join<T>(ended: Result<T, tokio::task::JoinError>) {
    if let Err(error) = ended {
        tracing::error!(cancelled = error.is_cancelled(), "a worker task ended early");
    }
}
