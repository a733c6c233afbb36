//! The store of a fleet: one PostgreSQL database, any number of workers.
//!
//! **Reading committed rows, one statement at a time.** Each statement sees what was committed when it began, so what
//! has to be true while something is written is held by a lock that is taken first:
//!
//! - *The erasure lock.* Whoever writes what is kept of people (a door, a commit, a stored answer, a release, a rescue)
//!   begins by sharing an advisory lock; a suppression holds it alone. While a suppression marks a person and removes
//!   what is stored, no other write is under way, and those that follow see the mark. Without the lock two
//!   transactions could each do what they may, and leave a suppressed person's answer behind: the writer looks for the
//!   mark before it is committed, the eraser looks for rows before they are. It is taken in the same message that
//!   begins the transaction, and before any row is locked. (Claiming and renewing go without: they keep nothing, and a
//!   row that an eraser waits for is running when it gets it.)
//! - *The job's row.* It is locked before anything is written about its member, so that of a worker, a zombie and a
//!   door one comes after the other. Many rows are locked in the order of their members (the only one that a row has
//!   before it is made), the tally last.
//!
//! **Whose clock.** Workers' clocks differ, so what is due and when a lease ends is decided by the database's clock
//! ([`Clock::Database`]). Times that cross this border are carried as distances from now: the delay of a retry, the age
//! of a job. When a provider answered is told by the clock of who asked.
//!
//! **One statement a batch.** Many rows travel as one array a column through `unnest`.
//!
//! Invariant: every write is one statement, or one transaction under the erasure lock; `Census` adds up after each.

use std::time::Duration;

use async_trait::async_trait;
use jiff::Timestamp;
use secrecy::SecretString;

use super::{Census, Claim, DeadLetter, LookupTotals, Migrated, Page, Rescued, Store, StoreError};
use crate::job::{
    Answer, Claimed, Committed, Hold, Intake, Outcome, Paid, Refusal, Registration, SuppressionReason,
};
use crate::keyring::SubjectKey;
use crate::member::MemberId;
use crate::record::Record;

mod answers;
mod batches;
mod bell;
mod breaker;
mod claim;
mod commit;
mod fleet;
mod front;
mod inbox;
mod intake;
mod ledger;
mod open;
mod read;
mod reconcile;
mod requests;
mod rows;
mod session;
mod suppress;

/// The statements of a claim and of a commit of records, for `benches/store`, which runs them without this client.
#[doc(hidden)]
pub mod statements {
    pub use super::claim::{CLAIM, STEP_BACK};
    pub use super::commit::{FINISH, GUARDS, RECORDS};
}

use bell::Bell;
use front::Front;
use rows::Moment;
use session::Sessions;

/// A store in a PostgreSQL database.
#[derive(Debug)]
pub struct PostgresStore {
    sessions: Sessions,
    front: Front,
    clock: Clock,
    bell: Bell,
}

/// Whose clock says what is due.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Clock {
    /// The database's: one for all workers.
    Database,
    /// Each caller's `now`, for tests that steer time.
    Given,
}

/// How to reach the database.
#[derive(Clone, Debug)]
pub struct Access {
    /// `postgres://user@host/database`, with or without a password.
    pub url: SecretString,
    /// Whether a pooler (`pgbouncer` in transaction mode) stands between: each transaction may then meet another
    /// connection of the database, so that nothing is left on one, and nothing can be listened for.
    pub pooler: bool,
    pub clock: Clock,
}

impl PostgresStore {
    /// Opens the database and brings its tables up to date. Any number of processes may do so at once.
    ///
    /// `key_fingerprint` is [`Keyring::fingerprint`](crate::keyring::Keyring::fingerprint): a database that was
    /// written with another key is refused, because no stored answer and no suppression would be found in it.
    pub async fn open(access: &Access, key_fingerprint: &str) -> Result<Self, StoreError> {
        Ok(Self::open_and_tell(access, key_fingerprint).await?.0)
    }

    /// [`open`](Self::open), and what was done to the tables.
    pub(super) async fn open_and_tell(
        access: &Access,
        key_fingerprint: &str,
    ) -> Result<(Self, Migrated), StoreError> {
        let (sessions, bell, migrated) = open::open(access, key_fingerprint).await?;
        let front = Front::new(sessions.clone(), bell.for_jobs());
        Ok((Self { sessions, front, clock: access.clock, bell }, migrated))
    }

    /// What is bound as "now": nothing where the database's clock decides.
    const fn now(&self, now: Timestamp) -> Option<Moment> {
        match self.clock {
            Clock::Database => None,
            Clock::Given => Some(Moment(now)),
        }
    }
}

#[async_trait]
impl Store for PostgresStore {
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

    async fn next_due(&self, now: Timestamp) -> Result<Option<Timestamp>, StoreError> {
        claim::next_due(self, now).await
    }

    async fn wait_for_jobs(&self) {
        self.bell.jobs_rung().await;
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
        self.bell.stop();
        self.sessions.close().await;
    }
}
