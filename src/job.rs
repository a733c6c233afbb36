//! The durable unit of work: what is taken in, claimed, and what became of it.
//!
//! Invariant: pure types; no I/O.

use std::time::Duration;

use gleaner_providers::email::Segment;
use gleaner_providers::{EmailAddress, Finding, Identifier};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::keyring::{SeenKey, SubjectKey};
use crate::member::MemberId;
use crate::record::{Confidences, Fields, Record};

mod batch;

pub use batch::{Anew, BatchId, BatchName, BatchNameError, InBatch, Refresh};

/// The event that says a member joined, checked and ready to be taken in.
#[derive(Clone, Debug)]
pub struct Registration {
    pub member: MemberId,
    pub email: EmailAddress,
    pub subject: SubjectKey,
    /// What it was handed over with, where its sender named something.
    pub batch: Option<BatchName>,
}

/// What a door did with one registration. Every one of them is an acknowledgement.
#[derive(Clone, Copy, Debug, Eq, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Intake {
    /// A job was made.
    Queued,
    /// The member is already waiting or running; the job now carries the newest address.
    Repeated,
    /// The member has an unexpired record for this address.
    Fresh,
    /// The person must not be looked up; nothing of them was kept.
    Suppressed,
}

impl Intake {
    pub const ALL: [Self; 4] = [Self::Queued, Self::Repeated, Self::Fresh, Self::Suppressed];
}

/// What one request or message brought: taken in as a whole, and once.
#[derive(Clone, Debug)]
pub struct Delivery {
    /// Where the caller named the request: what it is known again by.
    pub once: Option<Once>,
    pub items: Vec<Item>,
}

/// A request that must not be done twice.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Once {
    pub key: SeenKey,
    /// What it said: the same key must not come with anything else.
    pub content: SeenKey,
}

/// One registration of a delivery.
#[derive(Clone, Debug)]
pub struct Item {
    pub registration: Registration,
    /// The event that told of it, where it has an id: a late repeat must not undo what a newer event said.
    pub event: Option<SeenKey>,
}

/// What the store did with a delivery.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Delivered {
    /// Taken in, item by item in their order. An event that was seen before is [`Intake::Repeated`] and changed
    /// nothing.
    Taken(Vec<Intake>),
    /// The same request was taken in before. Nothing was done; this is what became of it then.
    Again(Vec<Intake>),
    /// The key belongs to another request. Nothing was done.
    Conflict,
}

/// A row or message that cannot become a registration. Kept as a dead letter, without what it held.
#[derive(Clone, Debug, Eq, PartialEq, Serialize)]
pub struct Refusal {
    /// Where it came from: `members.csv:17`, `stdin:3`.
    pub origin: String,
    /// The member, where the row names one that is usable.
    pub member: Option<MemberId>,
    /// What was wrong, without personal data.
    pub reason: String,
}

/// A job's row number.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd, Serialize)]
#[serde(transparent)]
pub struct JobId(pub i64);

/// A number on the job that grows with every claim and is never lowered: whoever holds an older one may write
/// nothing. (`attempt` cannot serve: snoozes and releases give it back.)
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd, Serialize)]
#[serde(transparent)]
pub struct Fence(pub i64);

/// The right to work on a job, for as long as the lease lasts.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub struct Hold {
    pub job: JobId,
    pub fence: Fence,
}

/// A job claimed by this worker.
#[derive(Clone, Debug)]
pub struct Claimed {
    pub hold: Hold,
    pub member: MemberId,
    pub email: EmailAddress,
    pub subject: SubjectKey,
    /// Which execution this is, from 1.
    pub attempt: u32,
    /// When the registration was taken in.
    pub queued_at: Timestamp,
    /// Smaller is more urgent: 0 for registrations, more for members of replays and of imports that wait.
    pub priority: i16,
    /// How sure the member's record about this address is now; only replays are told.
    pub recorded: Confidences,
    pub batch: Option<InBatch>,
}

impl Claimed {
    /// Whether it may overtake the members of replays and of imports that wait: somebody registered just now.
    pub const fn is_fresh(&self) -> bool {
        self.priority <= 0
    }

    /// Whether the member is looked up again, and not for the first time.
    pub fn is_replay(&self) -> bool {
        self.batch.as_ref().is_some_and(|batch| batch.is_replay)
    }

    /// What it asks for anew.
    pub fn anew(&self) -> Anew<'_> {
        Anew::of(self.batch.as_ref().and_then(|batch| batch.refresh.as_ref()))
    }
}

/// What came of one execution, with everything that has to be written together.
#[derive(Clone, Debug)]
pub struct Outcome {
    pub hold: Hold,
    pub member: MemberId,
    pub subject: SubjectKey,
    pub verdict: Verdict,
    /// Answers fetched by this execution that are not stored yet.
    pub answers: Vec<Answer>,
    /// Calls made by this execution.
    pub lookups: Vec<LookupEntry>,
    /// What was reserved of its batch's ceiling, to be given back now that the cost is known.
    pub freed_micros: u64,
}

/// How an execution ends.
#[derive(Clone, Debug)]
pub enum Verdict {
    /// The record is written and the job is done. Its status says complete, partial or no match.
    Written(Box<Record>),
    /// The person must not be looked up: nothing of them is kept.
    Suppressed(SuppressionReason),
    /// Again later; counts an attempt. What was found so far is written as a partial record.
    Retry { at: Timestamp, error: String, partial: Option<Box<Record>> },
    /// Again later; counts no attempt. What was found so far is written as a partial record.
    Snooze { at: Timestamp, reason: String, partial: Option<Box<Record>> },
    /// Stopped for good until an operator decides. What was found is written as a partial record.
    Dead { reason: DeadReason, error: String, partial: Option<Box<Record>> },
}

/// Why a job stopped for good.
#[derive(Clone, Copy, Debug, Deserialize, Eq, Hash, Ord, PartialEq, PartialOrd, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum DeadReason {
    /// The row or message could not become a registration.
    Malformed,
    /// Every attempt failed.
    AttemptsExhausted,
    /// The worker died on it again and again.
    LeaseExpired,
    /// An operator cancelled its batch before it was looked up.
    Cancelled,
}

impl DeadReason {
    pub const ALL: [Self; 4] =
        [Self::Malformed, Self::AttemptsExhausted, Self::LeaseExpired, Self::Cancelled];

    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Malformed => "malformed",
            Self::AttemptsExhausted => "attempts_exhausted",
            Self::LeaseExpired => "lease_expired",
            Self::Cancelled => "cancelled",
        }
    }
}

/// Why a person must not be looked up.
#[derive(Clone, Copy, Debug, Deserialize, Eq, Hash, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum SuppressionReason {
    /// On the person's request.
    Erased,
    /// The person objected, here or at a vendor (HTTP 451).
    Objected,
    /// Under the configured minimum age.
    Minor,
}

impl SuppressionReason {
    pub const ALL: [Self; 3] = [Self::Erased, Self::Objected, Self::Minor];

    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Erased => "erased",
            Self::Objected => "objected",
            Self::Minor => "minor",
        }
    }
}

/// What the store did with an outcome.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Committed {
    /// Written as the verdict says.
    Applied,
    /// Someone else holds a newer fence: nothing was written.
    Stale,
    /// The person was suppressed in the meantime: nothing of them was kept, and the job is done.
    Suppressed,
}

/// A provider's stored answer about one subject: cache, provenance and replay source in one.
#[derive(Clone, Debug, PartialEq)]
pub struct Answer {
    pub subject: SubjectKey,
    pub provider: String,
    pub content: AnswerContent,
    /// What it cost, in millionths of the currency.
    pub cost_micros: u64,
    pub fetched_at: Timestamp,
    pub expires_at: Timestamp,
}

/// An answer that cost money, as it is stored ahead of its member's commit: with the entry that says who was told what, and what
/// that cost. A worker that dies leaves both, or neither.
#[derive(Clone, Debug)]
pub struct Paid {
    pub hold: Hold,
    pub member: MemberId,
    pub answer: Answer,
    /// Absent where nothing left the house.
    pub entry: Option<LookupEntry>,
}

/// What a stored answer says.
#[derive(Clone, Debug, PartialEq)]
pub enum AnswerContent {
    Match(Finding),
    NoMatch,
    /// Ask again with this handle, not before `ready_at`.
    Pending {
        handle: String,
        ready_at: Timestamp,
    },
}

/// One lookup, for the disclosure record and the spend ledger. Holds no personal data.
#[derive(Clone, Debug)]
pub struct LookupEntry {
    pub provider: String,
    /// What the provider was told.
    pub told: Identifier,
    /// `match`, `no_match`, `pending`, `objected`, or the class of a lookup error.
    pub outcome: &'static str,
    pub duration: Duration,
    /// How many calls left for it, retries and redirects included.
    pub calls: u32,
    pub cost_micros: u64,
    pub at: Timestamp,
    /// Whether it is in the log already, written ahead with its answer.
    pub is_logged: bool,
    /// What can be learned from it; absent where it was not answered.
    pub lesson: Option<Lesson>,
}

/// What one answer teaches about its provider. Holds no personal data.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Lesson {
    /// The kind of address that was asked about.
    pub segment: Segment,
    /// The fields that it told surely enough; `None` where it did not know the person.
    pub brought: Option<Fields>,
    /// The fields of which a match had to have one to be told at all; none where any match was.
    pub demanded: Fields,
    /// Fields of it that another provider had told alike, and such that the record contradicts.
    pub agreed: Fields,
    pub contradicted: Fields,
}

/// All lessons about one provider, one kind of address and one outcome, together.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct LessonTotals {
    pub provider: String,
    pub segment: Segment,
    pub brought: Option<Fields>,
    /// For answers without a match: a match would have had to have one of these fields.
    pub demanded: Fields,
    pub answers: u64,
    pub cost_micros: u64,
    /// How long the answers took together.
    pub duration: Duration,
    /// Fields of them that another provider had told alike, and such that the record contradicts.
    pub agreed: u64,
    pub contradicted: u64,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_two_reasons_share_a_word() {
        let words: std::collections::HashSet<_> = DeadReason::ALL
            .map(DeadReason::as_str)
            .into_iter()
            .chain(SuppressionReason::ALL.map(SuppressionReason::as_str))
            .collect();
        assert_eq!(words.len(), DeadReason::ALL.len() + SuppressionReason::ALL.len());
        for reason in DeadReason::ALL {
            assert_eq!(serde_json::to_value(reason).unwrap(), reason.as_str(), "tables and output agree");
        }
    }
}
