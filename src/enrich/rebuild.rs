//! A record made again from the answers in stock, after a change of how answers are read or merged.
//!
//! Invariant: pure, and asks nobody. It forgets nothing for want of answers: where one of the record's own sources is not in
//! stock any more, the record stays.

use std::collections::BTreeSet;

use jiff::Timestamp;

use super::Policy;
use super::merge::{self, Statement};
use super::verdict::is_minor;
use crate::job::{Answer, AnswerContent};
use crate::record::{Fields, Record, RecordStatus, Sourced, changes};

/// Why a record stays as it is.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Stays {
    /// The answers say what it says.
    Same,
    /// An answer that it rests on has expired.
    AnswerGone,
    /// The person may be under the minimum age: that is for a replay to decide, which suppresses.
    Minor,
}

/// The record that its answers make now.
pub fn rebuild(
    record: &Record,
    answers: &[Answer],
    policy: &Policy,
    now: Timestamp,
) -> Result<Record, Stays> {
    let statements: Vec<_> = answers
        .iter()
        .filter_map(|answer| match &answer.content {
            AnswerContent::Match(finding) => {
                Some(Statement { provider: &answer.provider, fetched_at: answer.fetched_at, finding })
            }
            AnswerContent::NoMatch | AnswerContent::Pending { .. } => None,
        })
        .collect();
    let in_stock: BTreeSet<&str> = statements.iter().map(|statement| statement.provider).collect();
    if !sources(record).all(|provider| in_stock.contains(provider)) {
        return Err(Stays::AnswerGone);
    }
    let merged = merge::merge(&statements, &policy.beliefs.now());
    if is_minor(&merged, policy, now) {
        return Err(Stays::Minor);
    }
    let status = match record.status {
        RecordStatus::Partial => RecordStatus::Partial,
        RecordStatus::Complete | RecordStatus::NoMatch if merged.is_empty() => RecordStatus::NoMatch,
        RecordStatus::Complete | RecordStatus::NoMatch => RecordStatus::Complete,
    };
    let rebuilt = Record {
        name: merged.name,
        birth: merged.birth,
        profiles: merged.profiles,
        conflicts: Fields::of(&merged.conflicts),
        status,
        updated_at: now,
        ..record.clone()
    };
    let is_same = rebuilt.status == record.status && changes(Some(record), &rebuilt).is_empty();
    if is_same { Err(Stays::Same) } else { Ok(rebuilt) }
}

/// The providers that a record rests on.
fn sources(record: &Record) -> impl Iterator<Item = &str> {
    fn of<T>(sourced: &Sourced<T>) -> impl Iterator<Item = &str> {
        sourced.sources.iter().map(|source| source.provider.as_str())
    }
    record
        .name
        .iter()
        .flat_map(of)
        .chain(record.birth.iter().flat_map(of))
        .chain(record.profiles.iter().flat_map(of))
}
