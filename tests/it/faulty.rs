//! A store with faults in front of a real one.

use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};

use async_trait::async_trait;
use gleaner::job::{
    Answer, Claimed, Committed, Delivered, Delivery, Hold, Intake, Outcome, Refusal, Registration,
    SuppressionReason,
};
use gleaner::keyring::SubjectKey;
use gleaner::member::MemberId;
use gleaner::record::Record;
use gleaner::store::{
    Census, Claim, DeadLetter, LookupTotals, Page, Place, Requests, Rescued, SharedStore, Store, StoreError,
};
use jiff::Timestamp;
use tokio::sync::Semaphore;

/// Passes everything on, but for the faults that a test asks for.
#[derive(Debug)]
pub(crate) struct Faulty {
    store: SharedStore,
    /// Claims and commits, each, that still fail as if the database were away.
    claims_to_fail: AtomicU32,
    commits_to_fail: AtomicU32,
    /// Every commit that holds this member's outcome is refused, and so is every delivery with a registration of theirs.
    refused: Option<MemberId>,
    /// Whether the doors find the database away.
    away: AtomicBool,
    /// Deliveries written, group by group; each needs a permit where they are held up.
    groups: AtomicU32,
    held_up: Option<Semaphore>,
}

impl Faulty {
    pub(crate) fn over(store: SharedStore) -> Self {
        Self {
            store,
            claims_to_fail: AtomicU32::new(0),
            commits_to_fail: AtomicU32::new(0),
            refused: None,
            away: AtomicBool::new(false),
            groups: AtomicU32::new(0),
            held_up: None,
        }
    }

    pub(crate) fn unavailable(self, times: u32) -> Self {
        Self { claims_to_fail: AtomicU32::new(times), commits_to_fail: AtomicU32::new(times), ..self }
    }

    pub(crate) fn refusing(self, member: &str) -> Self {
        Self { refused: Some(MemberId::parse(member).unwrap()), ..self }
    }
}

impl Faulty {
    /// Lets no group of deliveries through before [`let_through`](Self::let_through).
    pub(crate) fn holding_up(self) -> Self {
        Self { held_up: Some(Semaphore::new(0)), ..self }
    }

    pub(crate) fn let_through(&self) {
        self.held_up.as_ref().unwrap().close();
    }

    /// Takes the database away from the doors, or gives it back.
    pub(crate) fn take_away(&self, away: bool) {
        self.away.store(away, Ordering::SeqCst);
    }

    /// How many groups of deliveries were written or tried.
    pub(crate) fn groups(&self) -> u32 {
        self.groups.load(Ordering::SeqCst)
    }

    fn here(&self) -> Result<(), StoreError> {
        match self.away.load(Ordering::SeqCst) {
            true => Err(StoreError::Unavailable("a fault of the test".to_owned())),
            false => Ok(()),
        }
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
        self.store.refuse(batch, now).await
    }

    async fn claim(&self, claim: Claim<'_>) -> Result<Vec<Claimed>, StoreError> {
        away(&self.claims_to_fail)?;
        self.store.claim(claim).await
    }

    async fn renew(&self, holds: &[Hold], until: Timestamp) -> Result<Vec<Hold>, StoreError> {
        self.store.renew(holds, until).await
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

    async fn save_answers(&self, answers: &[Answer]) -> Result<(), StoreError> {
        self.store.save_answers(answers).await
    }

    async fn commit(&self, outcomes: &[Outcome], now: Timestamp) -> Result<Vec<Committed>, StoreError> {
        away(&self.commits_to_fail)?;
        if outcomes.iter().any(|outcome| Some(&outcome.member) == self.refused.as_ref()) {
            return Err(StoreError::Statement("a fault of the test".to_owned()));
        }
        self.store.commit(outcomes, now).await
    }

    async fn next_due(&self) -> Result<Option<Timestamp>, StoreError> {
        self.store.next_due().await
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
impl Requests for Faulty {
    async fn enqueue_once(
        &self,
        deliveries: &[Delivery],
        now: Timestamp,
        forget_at: Timestamp,
    ) -> Result<Vec<Delivered>, StoreError> {
        self.groups.fetch_add(1, Ordering::SeqCst);
        if let Some(held_up) = &self.held_up {
            // Closed means: let through.
            let _ = held_up.acquire().await;
        }
        self.here()?;
        let mut members = deliveries.iter().flat_map(|delivery| &delivery.items);
        if members.any(|item| Some(&item.registration.member) == self.refused.as_ref()) {
            return Err(StoreError::Statement("a fault of the test".to_owned()));
        }
        self.store.enqueue_once(deliveries, now, forget_at).await
    }

    async fn forget_requests(&self, now: Timestamp) -> Result<u64, StoreError> {
        self.store.forget_requests(now).await
    }

    async fn backlog(&self, at_most: u64) -> Result<u64, StoreError> {
        self.here()?;
        self.store.backlog(at_most).await
    }

    async fn place(&self, member: &MemberId, now: Timestamp) -> Result<Option<Place>, StoreError> {
        self.here()?;
        self.store.place(member, now).await
    }
}
