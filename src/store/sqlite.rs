//! The embedded store: one `SQLite` file, no set-up.
//!
//! One writer. `SQLite` lets one connection write at a time and makes the others poll for their turn; several
//! writing connections behind one pool starve each other until one fails with "database is locked", however long
//! the busy timeout. So every write goes through a pool of exactly one connection, whose queue is fair, and every
//! write transaction begins as one (`BEGIN IMMEDIATE`: a transaction that reads first and writes later fails at
//! once when someone else wrote in between, and no timeout helps it). Readers have connections of their own and
//! never wait: the file is in WAL mode. Another process (a second `gleaner` command) takes turns with this one
//! through the busy timeout, because transactions are short.
//!
//! One statement a batch. What costs here is the number of statements and of commits, not of rows, so many rows
//! travel as one JSON text through `jsonb_each` (which, unlike `json_each`, does not print each row again for
//! each of its columns); those of which each member brings several, and wide ones, by values (`insert.rs`).
//!
//! Invariant: every write is one statement or one transaction on `writer`, and `Census` adds up after each.

use std::path::Path;
use std::time::Duration;

use async_trait::async_trait;
use jiff::Timestamp;
use sqlx::sqlite::SqlitePool;
use sqlx::{Sqlite, Transaction};
use tokio::sync::Notify;

use super::fleet::{Beat, Fleet, Granted, Probe, Pulse, Resumed, SlotClaim, Trip, Usage, WorkerSeen};
use super::inbox::Inbox;
use super::reconcile::{Known, Reconcile};
use super::requests::{Place, Requests};
use super::{Census, Claim, DeadLetter, LookupTotals, Migrated, Page, Rescued, Store, StoreError};
use crate::job::{
    Answer, Claimed, Committed, Delivered, Delivery, Hold, Intake, Outcome, Paid, Refusal, Registration,
    SuppressionReason,
};
use crate::keyring::SubjectKey;
use crate::member::MemberId;
use crate::record::Record;

mod answers;
mod batches;
mod breaker;
mod claim;
mod commit;
mod fleet;
mod insert;
mod intake;
mod ledger;
mod open;
mod read;
mod reconcile;
mod requests;
mod rows;
mod suppress;

/// A store in one `SQLite` file, or in memory.
#[derive(Debug)]
pub struct SqliteStore {
    /// Exactly one connection.
    writer: SqlitePool,
    /// Read-only connections; in memory, where a second connection would see another database, the writer's.
    readers: SqlitePool,
    /// Rung when jobs were taken in.
    jobs: Notify,
}

impl SqliteStore {
    /// The path that means "in memory, gone with the process".
    pub const MEMORY: &'static str = ":memory:";

    /// Opens the database, makes it with its folder where there is none (readable by its owner only), and brings
    /// its tables up to date.
    ///
    /// `key_fingerprint` is [`Keyring::fingerprint`](crate::keyring::Keyring::fingerprint): a database that was
    /// written with another key is refused, because no stored answer and no suppression would be found in it.
    pub async fn open(path: impl AsRef<Path>, key_fingerprint: &str) -> Result<Self, StoreError> {
        Ok(Self::open_and_tell(path.as_ref(), key_fingerprint).await?.0)
    }

    /// [`open`](Self::open), and what was done to the tables.
    pub(super) async fn open_and_tell(
        path: &Path,
        key_fingerprint: &str,
    ) -> Result<(Self, Migrated), StoreError> {
        let (writer, readers, migrated) = open::open(path, key_fingerprint).await?;
        Ok((Self { writer, readers, jobs: Notify::new() }, migrated))
    }

    async fn begin(&self) -> Result<Write, StoreError> {
        Ok(self.writer.begin_with("BEGIN IMMEDIATE").await?)
    }
}

/// A write transaction: rolled back when dropped.
type Write = Transaction<'static, Sqlite>;

#[async_trait]
impl Store for SqliteStore {
    async fn enqueue(&self, batch: &[Registration], now: Timestamp) -> Result<Vec<Intake>, StoreError> {
        intake::enqueue(self, batch, now).await
    }

    async fn refuse(&self, batch: &[Refusal], now: Timestamp) -> Result<(), StoreError> {
        intake::refuse(self, batch, now).await
    }

    async fn claim(&self, claim: Claim<'_>) -> Result<Vec<Claimed>, StoreError> {
        claim::claim(self, claim).await
    }

    async fn renew(&self, holds: &[Hold], lease: Duration, now: Timestamp) -> Result<Vec<Hold>, StoreError> {
        claim::renew(self, holds, lease, now).await
    }

    async fn release(&self, holds: &[Hold], now: Timestamp) -> Result<(), StoreError> {
        claim::release(self, holds, now).await
    }

    async fn rescue(&self, now: Timestamp, max_attempts: u32) -> Result<Rescued, StoreError> {
        claim::rescue(self, now, max_attempts).await
    }

    async fn answers(&self, subjects: &[SubjectKey], now: Timestamp) -> Result<Vec<Answer>, StoreError> {
        answers::unexpired(self, subjects, now).await
    }

    async fn sample_answers(&self, limit: u32) -> Result<Vec<Answer>, StoreError> {
        answers::sample(self, limit).await
    }

    async fn write(
        &self,
        paid: &[Paid],
        outcomes: &[Outcome],
        now: Timestamp,
    ) -> Result<Vec<Committed>, StoreError> {
        commit::commit(self, paid, outcomes, now).await
    }

    async fn next_due(&self, _now: Timestamp) -> Result<Option<Timestamp>, StoreError> {
        claim::next_due(self).await
    }

    async fn wait_for_jobs(&self) {
        self.jobs.notified().await;
    }

    async fn census(&self) -> Result<Census, StoreError> {
        read::census(self).await
    }

    async fn lookup_totals(&self) -> Result<Vec<LookupTotals>, StoreError> {
        read::lookup_totals(self).await
    }

    async fn record(&self, member: &MemberId) -> Result<Option<Record>, StoreError> {
        read::record(self, member).await
    }

    async fn dead_letters(&self, page: Page) -> Result<Vec<DeadLetter>, StoreError> {
        read::dead_letters(self, page).await
    }

    async fn suppress(
        &self,
        subject: SubjectKey,
        reason: SuppressionReason,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        suppress::suppress(self, subject, reason, now).await
    }

    async fn close(&self) {
        self.readers.close().await;
        self.writer.close().await;
    }
}

#[async_trait]
impl Reconcile for SqliteStore {
    async fn known(&self, batch: &[Registration]) -> Result<Vec<Known>, StoreError> {
        reconcile::known(self, batch).await
    }
}

#[async_trait]
impl Requests for SqliteStore {
    async fn enqueue_once(
        &self,
        deliveries: &[Delivery],
        now: Timestamp,
        forget_at: Timestamp,
    ) -> Result<Vec<Delivered>, StoreError> {
        requests::enqueue_once(self, deliveries, now, forget_at).await
    }

    async fn forget_requests(&self, now: Timestamp) -> Result<u64, StoreError> {
        requests::forget(self, now).await
    }

    async fn backlog(&self, at_most: u64) -> Result<u64, StoreError> {
        requests::backlog(self, at_most).await
    }

    async fn place(&self, member: &MemberId, now: Timestamp) -> Result<Option<Place>, StoreError> {
        requests::place(self, member, now).await
    }
}

#[async_trait]
impl Fleet for SqliteStore {
    async fn grant(&self, claim: &SlotClaim<'_>, now: Timestamp) -> Result<Granted, StoreError> {
        fleet::grant(self, claim, now).await
    }

    async fn block(
        &self,
        provider: &str,
        wait: Duration,
        why: &str,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        fleet::block(self, provider, wait, why, now).await
    }

    async fn trip(&self, provider: &str, trip: &Trip<'_>, now: Timestamp) -> Result<(), StoreError> {
        breaker::trip(self, provider, trip, now).await
    }

    async fn probe(
        &self,
        provider: &str,
        owner: &str,
        lease: Duration,
        now: Timestamp,
    ) -> Result<Probe, StoreError> {
        breaker::probe(self, provider, owner, lease, now).await
    }

    async fn mend(&self, provider: &str, now: Timestamp) -> Result<(), StoreError> {
        breaker::mend(self, provider, now).await
    }

    async fn pause(
        &self,
        provider: &str,
        length: Option<Duration>,
        why: Option<&str>,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        fleet::pause(self, provider, length, why, now).await
    }

    async fn resume(&self, provider: &str, now: Timestamp) -> Result<Resumed, StoreError> {
        fleet::resume(self, provider, now).await
    }

    async fn make_due(&self, provider: &str, now: Timestamp) -> Result<u64, StoreError> {
        fleet::make_due(self, provider, now).await
    }

    async fn pulse(&self, now: Timestamp) -> Result<Pulse, StoreError> {
        fleet::pulse(self, now).await
    }

    async fn wait_for_gates(&self) {
        std::future::pending::<()>().await;
    }

    async fn usage(&self, now: Timestamp) -> Result<Vec<Usage>, StoreError> {
        fleet::usage(self, now).await
    }

    async fn beat(&self, beat: &Beat, now: Timestamp) -> Result<(), StoreError> {
        fleet::beat(self, beat, now).await
    }

    async fn leave(&self, incarnation: &str) -> Result<(), StoreError> {
        fleet::leave(self, incarnation).await
    }

    async fn workers(&self, now: Timestamp) -> Result<Vec<WorkerSeen>, StoreError> {
        fleet::workers(self, now).await
    }
}

impl Inbox for SqliteStore {}
