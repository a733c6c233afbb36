//! Where jobs, answers and records live, behind one trait.
//!
//! Invariant: only the files under `store/` name `sqlx`. Every method is one statement or one transaction; none
//! holds a transaction open while something else is awaited. Times are passed in, so that tests steer them.

use std::fmt::Debug;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use jiff::Timestamp;
use serde::Serialize;

use crate::config::Database;
use crate::job::{
    Answer, Claimed, Committed, DeadReason, Hold, Intake, Outcome, Paid, Refusal, Registration,
    SuppressionReason,
};
use crate::keyring::SubjectKey;
use crate::member::MemberId;
use crate::record::Record;

pub mod batches;
mod columns;
mod decide;
mod due;
mod failure;
pub mod fleet;
pub mod inbox;
pub mod ledger;
pub mod members;
mod migrate;
mod plan;
pub mod postgres;
pub mod reconcile;
pub mod requests;
pub mod sqlite;

pub use batches::Batches;
pub use fleet::Fleet;
pub use inbox::Inbox;
pub use ledger::Ledger;
pub use migrate::{Applied, Migrated};
use postgres::PostgresStore;
pub use reconcile::Reconcile;
pub use requests::{Place, PlaceStatus, Requests};
use sqlite::SqliteStore;

/// The store, as everyone shares it.
pub type SharedStore = Arc<dyn Store>;

/// Opens the database, makes its tables or brings them up to date, and says what it did to them.
///
/// `key_fingerprint` is [`Keyring::fingerprint`](crate::keyring::Keyring::fingerprint).
pub async fn open(database: &Database, key_fingerprint: &str) -> Result<(SharedStore, Migrated), StoreError> {
    match database {
        Database::Sqlite(path) => {
            let (store, migrated) = SqliteStore::open_and_tell(path, key_fingerprint).await?;
            Ok((Arc::new(store), migrated))
        }
        Database::Postgres { url, pooler } => {
            let access =
                postgres::Access { url: url.clone(), pooler: *pooler, clock: postgres::Clock::Database };
            let (store, migrated) = PostgresStore::open_and_tell(&access, key_fingerprint).await?;
            Ok((Arc::new(store), migrated))
        }
    }
}

/// What the worker and the commands ask of a database. Batches in, batches out.
#[async_trait]
pub trait Store: Batches + Fleet + Inbox + Ledger + Reconcile + Requests + Debug + Send + Sync {
    /// Takes registrations in; the answers are in the same order. Committed when it returns.
    ///
    /// A job that exists takes over the newest address (of several in one batch: the last). If that is another
    /// subject, it starts afresh: at once where the job waits, after the present execution where it runs. A
    /// member's dead letter is removed, because the registration overtakes it.
    async fn enqueue(&self, batch: &[Registration], now: Timestamp) -> Result<Vec<Intake>, StoreError>;

    /// Keeps what could not become a registration as dead letters. Each counts by itself until it is purged, also
    /// where it names a known member.
    async fn refuse(&self, batch: &[Refusal], now: Timestamp) -> Result<(), StoreError>;

    /// Takes up to `limit` due jobs under a lease, the most urgent first, in one statement. A lease that has ended
    /// still keeps others out until [`rescue`](Self::rescue).
    async fn claim(&self, claim: Claim<'_>) -> Result<Vec<Claimed>, StoreError>;

    /// Renews leases, so that they last from now; returns the holds that were lost to someone else.
    async fn renew(&self, holds: &[Hold], lease: Duration, now: Timestamp) -> Result<Vec<Hold>, StoreError>;

    /// Gives unfinished jobs back untouched: due at once, the attempt not counted. Lost holds are passed over.
    async fn release(&self, holds: &[Hold], now: Timestamp) -> Result<(), StoreError>;

    /// Gives jobs with an expired lease back, or buries those whose attempts are used up. Those of a suppressed
    /// subject end, and are in neither number.
    async fn rescue(&self, now: Timestamp, max_attempts: u32) -> Result<Rescued, StoreError>;

    /// The unexpired answers about these subjects, of every provider, in no promised order. One that cannot be
    /// read any more is left out.
    async fn answers(&self, subjects: &[SubjectKey], now: Timestamp) -> Result<Vec<Answer>, StoreError>;

    /// Matches about some subjects, of every provider, at most so many answers: those with the lowest keys, which are a
    /// sample by chance, and the same for every worker.
    async fn sample_answers(&self, limit: u32) -> Result<Vec<Answer>, StoreError>;

    /// Stores answers that cost money ahead of their member's commit, and enters their lookups into the log and the books. Answers
    /// about a suppressed subject are dropped, and an older one never replaces a newer. After an error that leaves open whether it
    /// was written, it is done again: an answer is there once, its lookup rather twice than not at all.
    async fn save_paid(&self, paid: &[Paid]) -> Result<(), StoreError> {
        // Answers carry their own times: nothing here is dated.
        self.write(paid, &[], Timestamp::UNIX_EPOCH).await.map(drop)
    }

    /// Writes what came of many executions in one transaction, each guarded by its fence and by the suppression
    /// table. The answers are in the same order. An error means that nothing was written.
    ///
    /// The lookups of every outcome that is not stale are kept: the calls were made. If the member has registered
    /// another address meanwhile, the answers are kept too, the record and the verdict are not wanted any more, and
    /// the job is due at once for the new address ([`Committed::Applied`]).
    async fn commit(&self, outcomes: &[Outcome], now: Timestamp) -> Result<Vec<Committed>, StoreError> {
        self.write(&[], outcomes, now).await
    }

    /// [`save_paid`](Self::save_paid) and [`commit`](Self::commit) in one transaction: half the flushes of the disk, and both
    /// touch the same pages. An error means that nothing was written.
    async fn write(
        &self,
        paid: &[Paid],
        outcomes: &[Outcome],
        now: Timestamp,
    ) -> Result<Vec<Committed>, StoreError>;

    /// When the next job becomes due (a leased one: when its lease ends), as the caller's clock will show it; `None`
    /// when no job is left.
    async fn next_due(&self, now: Timestamp) -> Result<Option<Timestamp>, StoreError>;

    /// Ends when a job may have become due because someone took it in. A hint that may be missed or come for nothing:
    /// whoever waits looks now and then all the same.
    async fn wait_for_jobs(&self);

    /// Everything taken in, and what became of it.
    async fn census(&self) -> Result<Census, StoreError>;

    /// What every provider was asked, and what came of it.
    async fn lookup_totals(&self) -> Result<Vec<LookupTotals>, StoreError>;

    /// A member's record.
    async fn record(&self, member: &MemberId) -> Result<Option<Record>, StoreError>;

    /// Dead letters, newest first.
    async fn dead_letters(&self, page: Page) -> Result<Vec<DeadLetter>, StoreError>;

    /// Marks a person who must not be looked up, and removes what is stored about them. A running job ends when its
    /// worker commits, releases or loses it.
    async fn suppress(
        &self,
        subject: SubjectKey,
        reason: SuppressionReason,
        now: Timestamp,
    ) -> Result<(), StoreError>;

    /// Closes the connections, after what they are doing. Dropping the store loses nothing either, but may leave files
    /// beside the database that the next start has to tidy up.
    async fn close(&self);
}

/// What a worker asks for.
#[derive(Clone, Copy, Debug)]
pub struct Claim<'a> {
    /// The incarnation of the worker: never used twice.
    pub owner: &'a str,
    pub limit: u32,
    pub lease: Duration,
    pub now: Timestamp,
}

/// What a rescue did.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct Rescued {
    pub requeued: u64,
    pub buried: u64,
}

/// Everything taken in and where it is now: `taken_in` equals the sum of the others, or something was lost.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq, Serialize)]
pub struct Census {
    /// Members and malformed rows that were acknowledged, each once. Counted at the door, not derived.
    pub taken_in: u64,
    pub waiting: u64,
    pub running: u64,
    /// Records with every answer in.
    pub complete: u64,
    /// Records that a provider still owes an answer and no job waits for.
    pub partial: u64,
    pub no_match: u64,
    pub suppressed: u64,
    pub dead_letters: u64,
    /// Dead letters that an operator threw away, and of which nothing else was left.
    pub purged: u64,
    /// Handed over inside a service's own transaction, and not read by any worker yet. Beside the sum: who of them is
    /// new is not known before.
    pub inbox: u64,
    /// Registrations of a member who was already known: acknowledged, and counted here only.
    pub repeated: u64,
    /// Records by field filled.
    pub with_name: u64,
    pub with_age: u64,
    pub with_social: u64,
}

impl Census {
    /// The sum of all places a registration can be in.
    pub const fn accounted_for(&self) -> u64 {
        self.waiting
            + self.running
            + self.complete
            + self.partial
            + self.no_match
            + self.suppressed
            + self.dead_letters
            + self.purged
    }

    /// Every place with its words.
    pub const fn places(&self) -> [(&'static str, u64); 8] {
        [
            ("waiting", self.waiting),
            ("running", self.running),
            ("complete", self.complete),
            ("partial", self.partial),
            ("no match", self.no_match),
            ("suppressed", self.suppressed),
            ("dead letters", self.dead_letters),
            ("purged", self.purged),
        ]
    }

    pub const fn adds_up(&self) -> bool {
        self.taken_in == self.accounted_for()
    }
}

/// One provider's lookups by outcome.
#[derive(Clone, Debug, Eq, PartialEq, Serialize)]
pub struct LookupTotals {
    pub provider: String,
    pub outcome: String,
    pub lookups: u64,
    pub cost_micros: u64,
    /// How long they took together.
    pub duration_us: u64,
}

/// A job or a row that stopped for good. Holds no personal data.
#[derive(Clone, Debug, Eq, PartialEq, Serialize)]
pub struct DeadLetter {
    pub id: i64,
    pub member_id: Option<MemberId>,
    /// Where the row came from, for malformed input.
    pub origin: Option<String>,
    pub reason: DeadReason,
    pub error: String,
    pub attempts: u32,
    pub at: Timestamp,
}

/// A part of a list.
#[derive(Clone, Copy, Debug)]
pub struct Page {
    pub limit: u32,
    /// Only entries older than this id.
    pub before: Option<i64>,
}

/// What the database could not do. Carries no bound values: they are personal data.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// Cannot be opened, or is from another time or key; the text says what to do.
    #[error("cannot open the database: {0}")]
    Open(String),
    /// Busy, disconnected, disk full: the same call may work later.
    #[error("the database is unavailable: {0}")]
    Unavailable(String),
    /// A stored row is not what this version writes.
    #[error("`{table}` holds a row that cannot be read: {reason}")]
    Corrupt { table: &'static str, reason: String },
    /// A statement failed: a bug, or a schema changed by hand.
    #[error("the database refused a statement: {0}")]
    Statement(String),
}
