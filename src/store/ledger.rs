//! What lookups are remembered for beyond their answers: who was told what about a member, and what the answers teach.
//!
//! Invariant: no personal data but the member's id.

use std::collections::BTreeMap;
use std::fmt::Debug;
use std::time::Duration;

use async_trait::async_trait;
use gleaner_providers::email::Segment;
use jiff::Timestamp;
use serde::Serialize;

use super::StoreError;
use super::columns::corrupt;
use crate::job::{LessonTotals, LookupEntry, Registration};
use crate::member::MemberId;
use crate::record::Fields;

const TABLE: &str = "provider_lessons";

/// The part of a store that keeps the books on lookups.
#[async_trait]
pub trait Ledger: Debug + Send + Sync {
    /// Every lookup about a member, the oldest first. (A member who shares a mailbox with another has none where the answers
    /// were in stock.)
    async fn lookups_of(&self, member: &MemberId) -> Result<Vec<LookupSeen>, StoreError>;

    /// Makes everything known of these members old, so that a registration looks them up again: answers expire (not those that are
    /// ordered and still owed), and a finished record counts as partial until it is written anew.
    async fn forget_answers(&self, batch: &[Registration], now: Timestamp) -> Result<(), StoreError>;

    /// What all answers taught so far.
    async fn lessons(&self) -> Result<Vec<LessonTotals>, StoreError>;
}

/// One lookup, as the log has it.
#[derive(Clone, Debug, Eq, PartialEq, Serialize)]
pub struct LookupSeen {
    pub provider: String,
    /// What the provider was told.
    pub told: String,
    /// `match`, `no_match`, `pending`, `objected`, or the class of an error.
    pub outcome: String,
    pub milliseconds: u64,
    pub cost_micros: u64,
    pub at: Timestamp,
}

/// What lookups add to one row of the lessons.
#[derive(Clone, Debug, Default, Eq, PartialEq, Serialize)]
pub(super) struct Taught {
    pub(super) answers: u64,
    pub(super) cost_micros: u64,
    pub(super) duration_us: u64,
    pub(super) agreed: u64,
    pub(super) contradicted: u64,
}

/// A row's key: provider, kind of address, and what was brought as the column has it.
pub(super) type LessonKey<'a> = (&'a str, &'static str, i16);

/// What these lookups teach, always in the same order: two transactions never wait for each other.
pub(super) fn taught<'a>(lookups: impl Iterator<Item = &'a LookupEntry>) -> BTreeMap<LessonKey<'a>, Taught> {
    let mut rows: BTreeMap<LessonKey<'a>, Taught> = BTreeMap::new();
    for entry in lookups {
        let Some(lesson) = &entry.lesson else { continue };
        let missed = -1 - i16::from(lesson.demanded.bits());
        let brought = lesson.brought.map_or(missed, |fields| i16::from(fields.bits()));
        let row = rows.entry((&entry.provider, lesson.segment.as_str(), brought)).or_default();
        row.answers += 1;
        row.cost_micros += entry.cost_micros;
        row.duration_us += u64::try_from(entry.duration.as_micros()).unwrap_or(u64::MAX);
        row.agreed += u64::from(lesson.agreed.len());
        row.contradicted += u64::from(lesson.contradicted.len());
    }
    rows
}

/// A row as the engines read it.
pub(super) fn lesson_of(
    provider: String,
    segment: &str,
    brought: i16,
    taught: &Taught,
) -> Result<LessonTotals, StoreError> {
    let (brought, demanded) = match u8::try_from(brought) {
        Ok(bits) => (Some(Fields::from_bits(bits)), Fields::NONE),
        Err(_) => (None, Fields::from_bits(u8::try_from(-1 - brought).unwrap_or(0))),
    };
    Ok(LessonTotals {
        provider,
        segment: Segment::named(segment).ok_or_else(|| corrupt(TABLE, "a kind of address"))?,
        brought,
        demanded,
        answers: taught.answers,
        cost_micros: taught.cost_micros,
        duration: Duration::from_micros(taught.duration_us),
        agreed: taught.agreed,
        contradicted: taught.contradicted,
    })
}
