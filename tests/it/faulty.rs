//! A store with faults in front of a real one.

use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use async_trait::async_trait;
use gleaner::job::{
    Answer, Claimed, Committed, Delivered, Delivery, Hold, Intake, LessonTotals, Outcome, Paid, Refusal,
    Registration, SuppressionReason,
};
use gleaner::keyring::SubjectKey;
use gleaner::member::MemberId;
use gleaner::record::Record;
use gleaner::store::fleet::{
    Beat, Fleet, Granted, Probe, Pulse, Resumed, SlotClaim, Trip, Usage, WorkerSeen,
};
use gleaner::store::ledger::{Ledger, LookupSeen};
use gleaner::store::reconcile::{Known, Reconcile};
use gleaner::store::{
    Census, Claim, DeadLetter, Inbox, LookupTotals, Page, Place, Requests, Rescued, SharedStore, Store,
    StoreError,
};
use jiff::Timestamp;
use tokio::sync::watch;

mod batches;

/// Passes everything on, but for the faults that a test asks for.
#[derive(Debug)]
pub(crate) struct Faulty {
    store: SharedStore,
    /// Claims and commits, each, that still fail as if the database were away.
    claims_to_fail: AtomicU32,
    commits_to_fail: AtomicU32,
    /// Every commit that holds this member's outcome is refused.
    refused: Option<MemberId>,
    /// What taking in does.
    intake: watch::Receiver<AtTheDoor>,
    /// A registration of this member is refused.
    unwelcome: Option<MemberId>,
    /// Groups of deliveries that came to be taken in.
    groups: AtomicU32,
}

/// What happens to what is taken in.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum AtTheDoor {
    Open,
    /// As if the database were away.
    Away,
    /// Nothing comes back, and nothing is committed.
    Stuck,
    /// Committed, and nothing comes back.
    StuckOnceCommitted,
}

impl Faulty {
    pub(crate) fn over(store: SharedStore) -> Self {
        Self {
            store,
            claims_to_fail: AtomicU32::new(0),
            commits_to_fail: AtomicU32::new(0),
            refused: None,
            intake: watch::channel(AtTheDoor::Open).1,
            unwelcome: None,
            groups: AtomicU32::new(0),
        }
    }

    /// Taking in follows this switch.
    pub(crate) fn switched(self, intake: watch::Receiver<AtTheDoor>) -> Self {
        Self { intake, ..self }
    }

    pub(crate) fn not_taking(self, member: &str) -> Self {
        Self { unwelcome: Some(MemberId::parse(member).unwrap()), ..self }
    }

    /// How many groups of deliveries came to be taken in.
    pub(crate) fn groups(&self) -> u32 {
        self.groups.load(Ordering::SeqCst)
    }

    /// Reads fail where the database is away, and are never stuck.
    fn is_here(&self) -> Result<(), StoreError> {
        match *self.intake.borrow() {
            AtTheDoor::Away => Err(StoreError::Unavailable("a fault of the test".to_owned())),
            _ => Ok(()),
        }
    }

    /// Waits while the door is stuck, before the commit or after it.
    async fn pass(&self, stuck: AtTheDoor) -> Result<(), StoreError> {
        let mut switch = self.intake.clone();
        // The switch may be gone with its test: then it stays as it is.
        switch.wait_for(|at| *at != stuck).await.ok();
        match *switch.borrow() {
            AtTheDoor::Away => Err(StoreError::Unavailable("a fault of the test".to_owned())),
            _ => Ok(()),
        }
    }

    pub(crate) fn unavailable(self, times: u32) -> Self {
        Self { claims_to_fail: AtomicU32::new(times), commits_to_fail: AtomicU32::new(times), ..self }
    }

    pub(crate) fn refusing(self, member: &str) -> Self {
        Self { refused: Some(MemberId::parse(member).unwrap()), ..self }
    }
}

fn away(left: &AtomicU32) -> Result<(), StoreError> {
    let one_less = |left: u32| left.checked_sub(1);
    match left.fetch_update(Ordering::SeqCst, Ordering::SeqCst, one_less) {
        Ok(_) => Err(StoreError::Unavailable("a fault of the test".to_owned())),
        Err(_) => Ok(()),
    }
}

#[async_trait]
impl Store for Faulty {
    async fn enqueue(&self, batch: &[Registration], now: Timestamp) -> Result<Vec<Intake>, StoreError> {
        self.store.enqueue(batch, now).await
    }

    async fn refuse(&self, batch: &[Refusal], now: Timestamp) -> Result<(), StoreError> {
        self.pass(AtTheDoor::Stuck).await?;
        self.store.refuse(batch, now).await
    }

    async fn claim(&self, claim: Claim<'_>) -> Result<Vec<Claimed>, StoreError> {
        away(&self.claims_to_fail)?;
        self.store.claim(claim).await
    }

    async fn renew(&self, holds: &[Hold], lease: Duration, now: Timestamp) -> Result<Vec<Hold>, StoreError> {
        self.store.renew(holds, lease, now).await
    }

    async fn release(&self, holds: &[Hold], now: Timestamp) -> Result<(), StoreError> {
        self.store.release(holds, now).await
    }

    async fn rescue(&self, now: Timestamp, max_attempts: u32) -> Result<Rescued, StoreError> {
        self.store.rescue(now, max_attempts).await
    }

    async fn answers(&self, subjects: &[SubjectKey], now: Timestamp) -> Result<Vec<Answer>, StoreError> {
        self.store.answers(subjects, now).await
    }

    async fn sample_answers(&self, limit: u32) -> Result<Vec<Answer>, StoreError> {
        self.store.sample_answers(limit).await
    }

    /// Answers by themselves always arrive.
    async fn write(
        &self,
        paid: &[Paid],
        outcomes: &[Outcome],
        now: Timestamp,
    ) -> Result<Vec<Committed>, StoreError> {
        if !outcomes.is_empty() {
            away(&self.commits_to_fail)?;
        }
        if outcomes.iter().any(|outcome| Some(&outcome.member) == self.refused.as_ref()) {
            return Err(StoreError::Statement("a fault of the test".to_owned()));
        }
        self.store.write(paid, outcomes, now).await
    }

    async fn next_due(&self, now: Timestamp) -> Result<Option<Timestamp>, StoreError> {
        self.store.next_due(now).await
    }

    async fn wait_for_jobs(&self) {
        self.store.wait_for_jobs().await;
    }

    async fn census(&self) -> Result<Census, StoreError> {
        self.store.census().await
    }

    async fn lookup_totals(&self) -> Result<Vec<LookupTotals>, StoreError> {
        self.store.lookup_totals().await
    }

    async fn record(&self, member: &MemberId) -> Result<Option<Record>, StoreError> {
        self.store.record(member).await
    }

    async fn dead_letters(&self, page: Page) -> Result<Vec<DeadLetter>, StoreError> {
        self.store.dead_letters(page).await
    }

    async fn suppress(
        &self,
        subject: SubjectKey,
        reason: SuppressionReason,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        self.store.suppress(subject, reason, now).await
    }

    async fn close(&self) {
        self.store.close().await;
    }
}

#[async_trait]
impl Reconcile for Faulty {
    async fn known(&self, batch: &[Registration]) -> Result<Vec<Known>, StoreError> {
        self.store.known(batch).await
    }
}

#[async_trait]
impl Requests for Faulty {
    async fn enqueue_once(
        &self,
        deliveries: &[Delivery],
        now: Timestamp,
        forget_at: Timestamp,
    ) -> Result<Vec<Delivered>, StoreError> {
        self.groups.fetch_add(1, Ordering::SeqCst);
        self.pass(AtTheDoor::Stuck).await?;
        let mut items = deliveries.iter().flat_map(|delivery| &delivery.items);
        if items.any(|item| Some(&item.registration.member) == self.unwelcome.as_ref()) {
            return Err(StoreError::Statement("a fault of the test".to_owned()));
        }
        let taken = self.store.enqueue_once(deliveries, now, forget_at).await;
        self.pass(AtTheDoor::StuckOnceCommitted).await?;
        taken
    }

    async fn forget_requests(&self, now: Timestamp) -> Result<u64, StoreError> {
        self.store.forget_requests(now).await
    }

    async fn backlog(&self, at_most: u64) -> Result<u64, StoreError> {
        self.is_here()?;
        self.store.backlog(at_most).await
    }

    async fn place(&self, member: &MemberId, now: Timestamp) -> Result<Option<Place>, StoreError> {
        self.is_here()?;
        self.store.place(member, now).await
    }
}

#[async_trait]
impl Fleet for Faulty {
    async fn grant(&self, claim: &SlotClaim<'_>, now: Timestamp) -> Result<Granted, StoreError> {
        self.store.grant(claim, now).await
    }

    async fn block(
        &self,
        provider: &str,
        wait: Duration,
        why: &str,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        self.store.block(provider, wait, why, now).await
    }

    async fn trip(&self, provider: &str, trip: &Trip<'_>, now: Timestamp) -> Result<(), StoreError> {
        self.store.trip(provider, trip, now).await
    }

    async fn probe(
        &self,
        provider: &str,
        owner: &str,
        lease: Duration,
        now: Timestamp,
    ) -> Result<Probe, StoreError> {
        self.store.probe(provider, owner, lease, now).await
    }

    async fn mend(&self, provider: &str, now: Timestamp) -> Result<(), StoreError> {
        self.store.mend(provider, now).await
    }

    async fn pause(
        &self,
        provider: &str,
        length: Option<Duration>,
        why: Option<&str>,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        self.store.pause(provider, length, why, now).await
    }

    async fn resume(&self, provider: &str, now: Timestamp) -> Result<Resumed, StoreError> {
        self.store.resume(provider, now).await
    }

    async fn make_due(&self, provider: &str, now: Timestamp) -> Result<u64, StoreError> {
        self.store.make_due(provider, now).await
    }

    async fn pulse(&self, now: Timestamp) -> Result<Pulse, StoreError> {
        self.store.pulse(now).await
    }

    async fn wait_for_gates(&self) {
        self.store.wait_for_gates().await;
    }

    async fn usage(&self, now: Timestamp) -> Result<Vec<Usage>, StoreError> {
        self.store.usage(now).await
    }

    async fn beat(&self, beat: &Beat, now: Timestamp) -> Result<(), StoreError> {
        self.store.beat(beat, now).await
    }

    async fn leave(&self, incarnation: &str) -> Result<(), StoreError> {
        self.store.leave(incarnation).await
    }

    async fn workers(&self, now: Timestamp) -> Result<Vec<WorkerSeen>, StoreError> {
        self.store.workers(now).await
    }
}

impl Inbox for Faulty {}

#[async_trait]
impl Ledger for Faulty {
    async fn lookups_of(&self, member: &MemberId) -> Result<Vec<LookupSeen>, StoreError> {
        self.store.lookups_of(member).await
    }

    async fn forget_answers(&self, batch: &[Registration], now: Timestamp) -> Result<(), StoreError> {
        self.store.forget_answers(batch, now).await
    }

    async fn lessons(&self) -> Result<Vec<LessonTotals>, StoreError> {
        self.store.lessons().await
    }
}
