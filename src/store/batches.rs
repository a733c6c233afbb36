//! Imports and replays: a selection of members that is followed, paused and stopped as one.
//!
//! A batch is filled in chunks, each one transaction that also moves its cursor: whoever is there (the operator's command,
//! any worker) goes on where somebody died. Filled, its jobs are jobs like all others, at a level of the queue of their own.
//!
//! Invariant: a member has one job; one that already waits or runs is counted as joined and left alone. What is counted
//! of a batch is counted in the transaction that did it.

use std::collections::BTreeMap;
use std::fmt::Debug;

use async_trait::async_trait;
use gleaner_providers::EmailAddress;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::{DeadLetter, Page, StoreError};
use crate::job::{BatchId, BatchName, DeadReason, LookupEntry, Refresh};
use crate::keyring::SubjectKey;
use crate::member::MemberId;
use crate::record::{Change, Confidences, Record};

pub(super) mod columns;
pub(super) mod conditions;
mod counts;
mod selection;

pub(super) use counts::Counting;
pub use counts::Counts;
pub use selection::{Below, Selection, Standing};

/// The levels of the queue at which batches wait: imports after single registrations, replays after imports.
pub const IMPORT_LEVELS: std::ops::Range<i16> = 1000..2000;
pub const REPLAY_LEVELS: std::ops::Range<i16> = 2000..3000;

/// The part of a store that operators run selections through.
#[async_trait]
pub trait Batches: Debug + Send + Sync {
    /// Makes a batch: an import that is open, or the draft of a replay. `None` where the name is taken. (A draft of that name
    /// is thrown away: its operator went away, or finds out.)
    async fn create_batch(&self, new: &NewBatch, now: Timestamp) -> Result<Option<Batch>, StoreError>;

    /// Every batch but drafts, the newest first. Those that have come to their end are marked as done before.
    async fn batches(&self, now: Timestamp) -> Result<Vec<Batch>, StoreError>;

    async fn batch(&self, name: &BatchName, now: Timestamp) -> Result<Option<Batch>, StoreError>;

    /// What was counted of it.
    async fn batch_counts(&self, batch: BatchId) -> Result<Counts, StoreError>;

    /// What there is of it now.
    async fn batch_standing(&self, batch: &Batch) -> Result<BatchStanding, StoreError>;

    /// Adds members by name to the selection of a draft.
    async fn list_members(&self, batch: BatchId, members: &[MemberId]) -> Result<(), StoreError>;

    /// Adds the members whose lookups ended so, or keeps those alone where the selection is a list already.
    async fn list_by_error(
        &self,
        batch: BatchId,
        class: &str,
        provider: Option<&str>,
        and_listed: bool,
    ) -> Result<(), StoreError>;

    /// How many members a draft selects.
    async fn count_selected(&self, batch: BatchId, now: Timestamp) -> Result<Selected, StoreError>;

    /// About so many of the selected members, evenly drawn.
    async fn sample_selected(
        &self,
        batch: BatchId,
        of: Selected,
        about: u32,
        now: Timestamp,
    ) -> Result<Vec<Sampled>, StoreError>;

    /// Approves a draft, with what the preview counted; false where it is none any more: somebody took its name.
    async fn approve_batch(&self, batch: BatchId, selected: u64) -> Result<bool, StoreError>;

    /// Throws a draft away.
    async fn discard_batch(&self, batch: BatchId) -> Result<(), StoreError>;

    /// Puts the next members in. Whoever calls, one at a time does so.
    async fn fill_batch(&self, batch: BatchId, chunk: u32, now: Timestamp) -> Result<Filled, StoreError>;

    /// Says that an import has read all that it will.
    async fn close_import(&self, batch: BatchId, now: Timestamp) -> Result<(), StoreError>;

    /// The next records of a `renormalize`, behind `after` where that is given. `None` where it is held or over.
    async fn next_records(
        &self,
        batch: BatchId,
        after: Option<&MemberId>,
        chunk: u32,
        now: Timestamp,
    ) -> Result<Option<RecordChunk>, StoreError>;

    /// Writes those of the chunk that were made anew, as far as nobody else has written them since, and goes on behind it.
    async fn write_rebuilt(
        &self,
        batch: BatchId,
        chunk: &RecordChunk,
        rebuilt: &[Rebuilt],
        now: Timestamp,
    ) -> Result<Filled, StoreError>;

    /// Batches that somebody has to go on filling.
    async fn unfilled(&self) -> Result<Vec<(BatchId, BatchKind)>, StoreError>;

    /// Holds a batch back; answers what it is now.
    async fn pause_batch(&self, batch: BatchId, why: &str) -> Result<Option<BatchState>, StoreError>;

    /// Lets it go on, with another ceiling where one is given.
    async fn resume_batch(
        &self,
        batch: BatchId,
        ceiling_micros: Option<u64>,
    ) -> Result<Option<BatchState>, StoreError>;

    /// Ends a batch: what waits is taken out, as a dead letter where nothing else is left of the member; what runs ends by
    /// itself. Done in chunks until none is left.
    async fn cancel_batch(&self, batch: BatchId, now: Timestamp) -> Result<Cancelled, StoreError>;

    /// Reserves money of batches' ceilings, wish by wish; a batch that has none left is paused.
    async fn reserve(&self, wishes: &[Reserve], now: Timestamp) -> Result<Vec<bool>, StoreError>;

    /// Whose record it changed, how.
    async fn changes(&self, batch: BatchId, page: ChangePage<'_>) -> Result<Vec<FieldChange>, StoreError>;

    /// Dead letters, newest first, as far as they pass the filter.
    async fn find_dead_letters(
        &self,
        filter: &LetterFilter,
        page: Page,
    ) -> Result<Vec<DeadLetter>, StoreError>;

    /// How many pass the filter, by reason and error.
    async fn group_dead_letters(&self, filter: &LetterFilter) -> Result<Vec<LetterGroup>, StoreError>;

    /// Throws dead letters away; answers how many. A member of whom nothing else is left is counted as purged.
    async fn purge_dead_letters(&self, filter: &LetterFilter) -> Result<u64, StoreError>;

    /// What the queue looks like to who waits in it.
    async fn queue_age(&self, now: Timestamp) -> Result<QueueAge, StoreError>;
}

/// A batch to be made.
#[derive(Clone, Debug)]
pub struct NewBatch {
    pub name: BatchName,
    pub kind: BatchKind,
    pub selection: Selection,
    pub refresh: Option<Refresh>,
    pub ceiling_micros: Option<u64>,
}

/// What a batch is for.
#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum BatchKind {
    /// Members that were handed over under a name.
    Import,
    /// Members who are looked up again.
    Replay,
    /// Records that are made again from stored answers, without a lookup.
    Renormalize,
}

impl BatchKind {
    pub const ALL: [Self; 3] = [Self::Import, Self::Replay, Self::Renormalize];

    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Import => "import",
            Self::Replay => "replay",
            Self::Renormalize => "renormalize",
        }
    }
}

/// Where a batch is.
#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum BatchState {
    Draft,
    Filling,
    Running,
    Paused,
    Done,
    Cancelled,
}

impl BatchState {
    pub const ALL: [Self; 6] =
        [Self::Draft, Self::Filling, Self::Running, Self::Paused, Self::Done, Self::Cancelled];

    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Draft => "draft",
            Self::Filling => "filling",
            Self::Running => "running",
            Self::Paused => "paused",
            Self::Done => "done",
            Self::Cancelled => "cancelled",
        }
    }

    pub const fn is_over(self) -> bool {
        matches!(self, Self::Done | Self::Cancelled)
    }
}

/// A batch.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Batch {
    pub id: BatchId,
    pub name: BatchName,
    pub kind: BatchKind,
    pub state: BatchState,
    /// Its level of the queue; 0 where its members wait among all others.
    pub priority: i16,
    pub selection: Selection,
    /// The members that the preview counted.
    pub selected: u64,
    pub is_filled: bool,
    pub refresh_before: Option<Timestamp>,
    pub refresh_provider: Option<String>,
    pub ceiling_micros: Option<u64>,
    /// Of the ceiling, spent and spoken for.
    pub spent_micros: u64,
    pub reserved_micros: u64,
    pub why: Option<String>,
    pub created_at: Timestamp,
    pub ended_at: Option<Timestamp>,
}

/// What there is of a batch in the queue and among the dead letters.
#[derive(Clone, Debug, Default, Eq, PartialEq, Serialize)]
pub struct BatchStanding {
    pub waiting: u64,
    pub running: u64,
    pub dead_letters: BTreeMap<DeadReason, u64>,
}

/// How many members a selection has.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq, Serialize)]
pub struct Selected {
    pub with_record: u64,
    pub dead_letters: u64,
    /// Those of both who wait or run already, and are passed over.
    pub have_a_job: u64,
}

impl Selected {
    pub const fn members(&self) -> u64 {
        self.with_record + self.dead_letters
    }
}

/// One of the selected members.
#[derive(Clone, Debug)]
pub struct Sampled {
    pub email: EmailAddress,
    pub subject: SubjectKey,
    /// How sure the record is, where there is one.
    pub recorded: Confidences,
}

/// What one step of filling did.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct Filled {
    /// Members that the step looked at.
    pub seen: u64,
    /// Those of them that got a job, or another record.
    pub made: u64,
    pub is_over: bool,
    /// Somebody has paused or cancelled it.
    pub is_held: bool,
}

/// Some records of a `renormalize`.
#[derive(Clone, Debug)]
pub struct RecordChunk {
    pub records: Vec<(SubjectKey, Record)>,
    /// Where the batch stood when it was read.
    pub from: Option<String>,
    pub is_last: bool,
}

/// A record that was made anew.
#[derive(Clone, Debug)]
pub struct Rebuilt {
    pub subject: SubjectKey,
    pub record: Record,
    /// When the record that it replaces was written.
    pub replaces: Timestamp,
    pub changes: Vec<Change>,
}

/// What a cancel did.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq, Serialize)]
pub struct Cancelled {
    /// Jobs that were taken out of the queue.
    pub removed: u64,
    /// Those of them that left a dead letter.
    pub buried: u64,
}

/// A wish to spend a batch's money.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Reserve {
    pub batch: BatchId,
    pub micros: u64,
}

/// A field of a member's record that a batch changed.
#[derive(Clone, Debug, Eq, PartialEq, Serialize)]
pub struct FieldChange {
    pub member_id: String,
    pub field: String,
    pub change: String,
}

/// A part of a batch's changes, by member.
#[derive(Clone, Copy, Debug)]
pub struct ChangePage<'a> {
    pub after: &'a str,
    pub limit: u32,
}

/// Which dead letters.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct LetterFilter {
    pub ids: Option<Vec<i64>>,
    pub reason: Option<DeadReason>,
    /// A part of the error's text.
    pub error: Option<String>,
    pub batch: Option<BatchId>,
    pub since: Option<Timestamp>,
    pub until: Option<Timestamp>,
}

/// Dead letters of one reason and one error.
#[derive(Clone, Debug, Eq, PartialEq, Serialize)]
pub struct LetterGroup {
    pub reason: DeadReason,
    pub error: String,
    pub letters: u64,
    pub oldest: Timestamp,
    pub newest: Timestamp,
}

/// The queue at one moment.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq, Serialize)]
pub struct QueueAge {
    /// For how long the oldest of the due jobs has been due.
    pub oldest_due_secs: u64,
    /// How long ago the oldest job that waits was taken in.
    pub oldest_queued_secs: u64,
}

/// What a commit has to count of the lookups of a batch.
pub(super) fn count_lookup(counting: &mut Counting, batch: BatchId, entry: &LookupEntry) {
    counting.add(batch, format!("lookup.{}.{}", entry.provider, entry.outcome), 1);
    if entry.cost_micros > 0 {
        counting.add(batch, format!("cost.{}", entry.provider), entry.cost_micros);
    }
}

/// Up to which keyed hash, of so many that are evenly spread, about so many are found.
pub(super) fn part_of(members: u64, about: u32) -> Vec<u8> {
    if members <= u64::from(about) {
        return vec![0xff; 33];
    }
    let part = u128::from(u64::MAX) * u128::from(about) / u128::from(members);
    u64::try_from(part).unwrap_or(u64::MAX).to_be_bytes().to_vec()
}
