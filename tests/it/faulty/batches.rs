//! Batches have no faults of their own.

use async_trait::async_trait;
use gleaner::job::{BatchId, BatchName};
use gleaner::member::MemberId;
use gleaner::store::batches::{
    Batch, BatchKind, BatchStanding, BatchState, Batches, Cancelled, ChangePage, Counts, FieldChange, Filled,
    LetterFilter, LetterGroup, NewBatch, QueueAge, Rebuilt, RecordChunk, Reserve, Sampled, Selected,
};
use gleaner::store::{DeadLetter, Page, StoreError};
use jiff::Timestamp;

use super::Faulty;

#[async_trait]
impl Batches for Faulty {
    async fn create_batch(&self, new: &NewBatch, now: Timestamp) -> Result<Option<Batch>, StoreError> {
        self.store.create_batch(new, now).await
    }

    async fn batches(&self, now: Timestamp) -> Result<Vec<Batch>, StoreError> {
        self.store.batches(now).await
    }

    async fn batch(&self, name: &BatchName, now: Timestamp) -> Result<Option<Batch>, StoreError> {
        self.store.batch(name, now).await
    }

    async fn batch_counts(&self, batch: BatchId) -> Result<Counts, StoreError> {
        self.store.batch_counts(batch).await
    }

    async fn batch_standing(&self, batch: &Batch) -> Result<BatchStanding, StoreError> {
        self.store.batch_standing(batch).await
    }

    async fn list_members(&self, batch: BatchId, members: &[MemberId]) -> Result<(), StoreError> {
        self.store.list_members(batch, members).await
    }

    async fn list_by_error(
        &self,
        batch: BatchId,
        class: &str,
        provider: Option<&str>,
        and_listed: bool,
    ) -> Result<(), StoreError> {
        self.store.list_by_error(batch, class, provider, and_listed).await
    }

    async fn count_selected(&self, batch: BatchId, now: Timestamp) -> Result<Selected, StoreError> {
        self.store.count_selected(batch, now).await
    }

    async fn sample_selected(
        &self,
        batch: BatchId,
        of: Selected,
        about: u32,
        now: Timestamp,
    ) -> Result<Vec<Sampled>, StoreError> {
        self.store.sample_selected(batch, of, about, now).await
    }

    async fn approve_batch(&self, batch: BatchId, selected: u64) -> Result<bool, StoreError> {
        self.store.approve_batch(batch, selected).await
    }

    async fn discard_batch(&self, batch: BatchId) -> Result<(), StoreError> {
        self.store.discard_batch(batch).await
    }

    async fn fill_batch(&self, batch: BatchId, chunk: u32, now: Timestamp) -> Result<Filled, StoreError> {
        self.store.fill_batch(batch, chunk, now).await
    }

    async fn close_import(&self, batch: BatchId, now: Timestamp) -> Result<(), StoreError> {
        self.store.close_import(batch, now).await
    }

    async fn next_records(
        &self,
        batch: BatchId,
        after: Option<&MemberId>,
        chunk: u32,
        now: Timestamp,
    ) -> Result<Option<RecordChunk>, StoreError> {
        self.store.next_records(batch, after, chunk, now).await
    }

    async fn write_rebuilt(
        &self,
        batch: BatchId,
        chunk: &RecordChunk,
        rebuilt: &[Rebuilt],
        now: Timestamp,
    ) -> Result<Filled, StoreError> {
        self.store.write_rebuilt(batch, chunk, rebuilt, now).await
    }

    async fn unfilled(&self) -> Result<Vec<(BatchId, BatchKind)>, StoreError> {
        self.store.unfilled().await
    }

    async fn pause_batch(&self, batch: BatchId, why: &str) -> Result<Option<BatchState>, StoreError> {
        self.store.pause_batch(batch, why).await
    }

    async fn resume_batch(
        &self,
        batch: BatchId,
        ceiling_micros: Option<u64>,
    ) -> Result<Option<BatchState>, StoreError> {
        self.store.resume_batch(batch, ceiling_micros).await
    }

    async fn cancel_batch(&self, batch: BatchId, now: Timestamp) -> Result<Cancelled, StoreError> {
        self.store.cancel_batch(batch, now).await
    }

    async fn reserve(&self, wishes: &[Reserve], now: Timestamp) -> Result<Vec<bool>, StoreError> {
        self.store.reserve(wishes, now).await
    }

    async fn changes(&self, batch: BatchId, page: ChangePage<'_>) -> Result<Vec<FieldChange>, StoreError> {
        self.store.changes(batch, page).await
    }

    async fn find_dead_letters(
        &self,
        filter: &LetterFilter,
        page: Page,
    ) -> Result<Vec<DeadLetter>, StoreError> {
        self.store.find_dead_letters(filter, page).await
    }

    async fn group_dead_letters(&self, filter: &LetterFilter) -> Result<Vec<LetterGroup>, StoreError> {
        self.store.group_dead_letters(filter).await
    }

    async fn purge_dead_letters(&self, filter: &LetterFilter) -> Result<u64, StoreError> {
        self.store.purge_dead_letters(filter).await
    }

    async fn queue_age(&self, now: Timestamp) -> Result<QueueAge, StoreError> {
        self.store.queue_age(now).await
    }
}
