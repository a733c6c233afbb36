//! Writes what came of executions, many members in one transaction.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use gleaner_providers::clock::SharedClock;
use tokio::sync::{mpsc, oneshot};

use super::Stop;
use super::claimer::{self, Ready};
use super::held::Held;
use super::lanes::Arriving;
use super::report::Report;
use crate::enrich::{Keep, Kept};
use crate::job::{BatchId, Claimed, Committed, Hold, Outcome, Paid};
use crate::keyring::SubjectKey;
use crate::store::batches::Reserve;
use crate::store::{SharedStore, StoreError};
use crate::telemetry::counters;

/// What the committer is handed.
#[derive(Debug)]
pub(super) enum Writing {
    Outcome(Box<Outcome>),
    /// A paid answer, to be stored before it is used.
    Paid(Box<Paid>, oneshot::Sender<Kept>),
    /// Money of a batch's ceiling, to be reserved before it is spent.
    Reserve(Reserve, oneshot::Sender<bool>),
    /// An execution that ended without an outcome: its lease is left to run out.
    Lost {
        hold: Hold,
        subject: SubjectKey,
    },
}

/// Hands paid answers to the committer and waits until they are stored.
#[derive(Debug)]
pub(super) struct Keeper {
    writings: mpsc::Sender<Writing>,
    held: Arc<Held>,
    lease: Duration,
}

impl Keeper {
    pub(super) const fn new(writings: mpsc::Sender<Writing>, held: Arc<Held>, lease: Duration) -> Self {
        Self { writings, held, lease }
    }
}

#[async_trait]
impl Keep for Keeper {
    async fn keep(&self, paid: Paid) -> Kept {
        let (stored, reply) = oneshot::channel();
        if self.writings.send(Writing::Paid(Box::new(paid), stored)).await.is_err() {
            return Kept::No;
        }
        reply.await.unwrap_or(Kept::No)
    }

    /// A heart that beats leaves no lease unrenewed for more than 7/12 of it; the last quarter is for the call itself.
    fn may_pay(&self, hold: Hold) -> bool {
        self.held.left(hold, self.lease * 3 / 4).is_some()
    }

    async fn reserve(&self, batch: BatchId, micros: u64) -> bool {
        let (granted, reply) = oneshot::channel();
        let wish = Reserve { batch, micros };
        self.writings.send(Writing::Reserve(wish, granted)).await.is_ok() && reply.await.unwrap_or(false)
    }

    async fn lease_ended(&self, hold: Hold) {
        // It may be renewed meanwhile.
        while let Some(left) = self.held.left(hold, self.lease) {
            tokio::time::sleep(left).await;
        }
    }
}

pub(super) struct Committer {
    pub(super) store: SharedStore,
    pub(super) held: Arc<Held>,
    pub(super) report: Arc<Report>,
    pub(super) clock: SharedClock,
    pub(super) ready: mpsc::UnboundedSender<Ready>,
    pub(super) batch: usize,
    pub(super) linger: Duration,
}

impl Committer {
    /// Writes until every sender is gone.
    pub(super) async fn run(self, mut arriving: Arriving) {
        let mut taken = Vec::with_capacity(self.batch);
        while let Some(full) = arriving.group(&mut taken, self.batch).await {
            // A group costs the database as much as some dozen members, so that small ones are worth waiting for company. It can only
            // come from jobs still held: where few are, nobody waits.
            if taken.len() < full.min(self.held.len() / 4) {
                tokio::time::sleep(self.linger).await;
                arriving.more(&mut taken, full);
            }
            self.write(&mut taken).await;
        }
    }

    async fn write(&self, taken: &mut Vec<Writing>) {
        let (mut outcomes, mut paid, mut waiting) = (Vec::new(), Vec::new(), Vec::new());
        let (mut wishes, mut wishing) = (Vec::new(), Vec::new());
        for writing in taken.drain(..) {
            match writing {
                Writing::Outcome(outcome) => outcomes.push(*outcome),
                Writing::Paid(answer, stored) => {
                    paid.push(*answer);
                    waiting.push(stored);
                }
                Writing::Reserve(wish, granted) => {
                    wishes.push(wish);
                    wishing.push(granted);
                }
                Writing::Lost { hold, subject } => self.finish(hold, subject).await,
            }
        }
        let mut committed = None;
        if !paid.is_empty() {
            // Members wait for these: one try, together with what there is to commit.
            committed = self.store.write(&paid, &outcomes, self.clock.now()).await.ok();
            let kept = if committed.is_some() { Kept::Yes } else { self.save(&paid).await };
            for stored in waiting {
                // Nobody waits any more if the member was aborted; the answer is stored all the same.
                let _ = stored.send(kept);
            }
        }
        match committed {
            Some(committed) => self.settle(&outcomes, &committed).await,
            None if outcomes.is_empty() => {}
            None => self.commit(outcomes).await,
        }
        // After the commit, which gives back what was reserved and not spent.
        if !wishes.is_empty() {
            self.reserve(&wishes, wishing).await;
        }
    }

    /// Where nobody can say, nothing is spent.
    async fn reserve(&self, wishes: &[Reserve], wishing: Vec<oneshot::Sender<bool>>) {
        let granted = self.store.reserve(wishes, self.clock.now()).await.unwrap_or_else(|error| {
            tracing::warn!(%error, "a batch's ceiling cannot be read; nothing is spent");
            vec![false; wishes.len()]
        });
        for (granted, wish) in granted.into_iter().zip(wishing) {
            // Nobody waits any more if the member was aborted; what was reserved stays so.
            let _ = wish.send(granted);
        }
    }

    /// Stores answers by themselves: an outcome that cannot be written is not their fault.
    async fn save(&self, paid: &[Paid]) -> Kept {
        match self.store.save_paid(paid).await {
            Ok(()) => Kept::Yes,
            Err(error) => {
                tracing::error!(%error, count = paid.len(), "paid answers could not be stored ahead");
                Kept::No
            }
        }
    }

    async fn commit(&self, outcomes: Vec<Outcome>) {
        match self.commit_when_possible(&outcomes).await {
            Ok(committed) => self.settle(&outcomes, &committed).await,
            // One of them is at fault: the others must not suffer for it.
            Err(error) if outcomes.len() > 1 => {
                tracing::error!(%error, "a group could not be written; writing its members one by one");
                for outcome in outcomes {
                    self.commit_alone(outcome).await;
                }
            }
            Err(error) => self.give_up(&outcomes, &error).await,
        }
    }

    async fn commit_alone(&self, outcome: Outcome) {
        let alone = [outcome];
        match self.commit_when_possible(&alone).await {
            Ok(committed) => self.settle(&alone, &committed).await,
            Err(error) => self.give_up(&alone, &error).await,
        }
    }

    /// Waits for a database that is away; the fence makes a late write harmless.
    async fn commit_when_possible(&self, outcomes: &[Outcome]) -> Result<Vec<Committed>, StoreError> {
        let mut pause = Duration::from_millis(50);
        loop {
            match self.store.commit(outcomes, self.clock.now()).await {
                Err(StoreError::Unavailable(error)) => {
                    tracing::warn!(%error, count = outcomes.len(), "the database is unavailable; writing again");
                    tokio::time::sleep(pause).await;
                    pause = (pause * 2).min(Duration::from_secs(5));
                }
                decided => return decided,
            }
        }
    }

    async fn settle(&self, outcomes: &[Outcome], committed: &[Committed]) {
        self.report.record(outcomes, committed);
        for (outcome, committed) in outcomes.iter().zip(committed) {
            if *committed == Committed::Stale {
                counters::add_stale();
                let member = outcome.member.as_str();
                tracing::warn!(member, "a stale outcome was dropped: the lease had gone to someone else");
            }
            self.finish(outcome.hold, outcome.subject).await;
        }
    }

    /// The lease runs out, the job is rescued, and its attempts bound how often this happens.
    async fn give_up(&self, outcomes: &[Outcome], error: &StoreError) {
        for outcome in outcomes {
            tracing::error!(%error, member = outcome.member.as_str(), "an outcome could not be written");
            self.finish(outcome.hold, outcome.subject).await;
        }
    }

    /// Takes the job out of the registry and starts the next one about the same subject.
    async fn finish(&self, hold: Hold, subject: SubjectKey) {
        if let Some(twin) = self.held.finish(hold, subject) {
            self.start(twin).await;
        }
    }

    async fn start(&self, twin: Claimed) {
        // What is in hand is finished whatever is asked of the worker.
        let never = Stop::default();
        let twins = [twin];
        if let Err(error) = claimer::start(&self.store, &twins, &self.clock, &never, &self.ready).await {
            tracing::error!(%error, "waiting jobs could not start; their leases are left to run out");
            // Its own twins would fail as it did. One that stayed in the registry would be renewed for ever.
            let [twin] = twins;
            let mut next = Some(twin);
            while let Some(twin) = next {
                next = self.held.finish(twin.hold, twin.subject);
            }
        }
    }
}
