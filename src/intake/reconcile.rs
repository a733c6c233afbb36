//! Reconciliation: a service's own list of members against what is known of them. What is missing was lost on the way
//! (by a broker, most likely), and is taken in now.
//!
//! Invariant: a row that cannot be read is told and nothing else; it becomes no dead letter, because the list is read
//! again and again. A preview writes nothing.

use std::collections::HashMap;
use std::sync::Arc;

use async_trait::async_trait;
use serde::Serialize;

use super::file::{Batch, Source, SourceError};
use super::registration;
use crate::clock::Clock;
use crate::job::{Refusal, Registration};
use crate::keyring::Keyring;
use crate::member::MemberId;
use crate::store::members::MemberQuery;
use crate::store::reconcile::{Address, Home, Known};
use crate::store::{Store, StoreError};

/// A service's list of members, batch by batch.
#[async_trait]
pub trait Members: Send {
    /// The next rows; `None` at the end.
    async fn next_batch(&mut self) -> Result<Option<Batch>, MembersError>;
}

/// Why a list cannot be read (on).
#[derive(Debug, thiserror::Error)]
pub enum MembersError {
    #[error(transparent)]
    Source(#[from] SourceError),
    #[error(transparent)]
    Store(#[from] StoreError),
}

#[async_trait]
impl Members for Source {
    async fn next_batch(&mut self) -> Result<Option<Batch>, MembersError> {
        Ok(Self::next_batch(self).await?)
    }
}

/// The rows of a query at the service's own database.
#[derive(Debug)]
pub struct Queried {
    query: MemberQuery,
    keyring: Arc<Keyring>,
    rows: u64,
}

impl Queried {
    pub fn new(query: MemberQuery, keyring: Arc<Keyring>) -> Self {
        Self { query, keyring, rows: 0 }
    }
}

#[async_trait]
impl Members for Queried {
    async fn next_batch(&mut self) -> Result<Option<Batch>, MembersError> {
        let rows = self.query.next().await?;
        if rows.is_empty() {
            return Ok(None);
        }
        let mut batch = Batch::default();
        for (member, email) in rows {
            self.rows += 1;
            let judged = registration(member.as_deref(), email.as_deref().unwrap_or(""), &self.keyring);
            batch.push(judged.map_err(|reason| Refusal {
                origin: format!("query:{}", self.rows),
                member: member.and_then(|member| MemberId::parse(&member).ok()),
                reason: reason.to_string(),
            }));
        }
        Ok(Some(batch))
    }
}

/// What a reconciliation found and did.
#[derive(Clone, Debug, Default, Eq, PartialEq, Serialize)]
pub struct Reconciled {
    /// Rows that were not blank: the sum of the counts up to `refused`.
    pub rows: u64,
    /// Known, with the same mailbox: waiting or running, a record, a dead letter.
    pub jobs: u64,
    pub records: u64,
    pub dead_letters: u64,
    /// People who must not be looked up.
    pub suppressed: u64,
    /// Members of whom nothing was known.
    pub missing: u64,
    /// Members who were known by another mailbox.
    pub changed: u64,
    /// Rows that are no registration.
    pub refused: u64,
    /// The missing and changed ones that were taken in; none in a preview.
    pub enqueued: u64,
    pub dry_run: bool,
    /// The first [`Reconciled::SHOWN`] of each kind.
    pub first_missing: Vec<MemberId>,
    pub first_changed: Vec<MemberId>,
    pub first_refusals: Vec<Refusal>,
    /// How far the list was read, in bytes, where that is known.
    pub bytes_read: u64,
}

impl Reconciled {
    pub const SHOWN: usize = 10;

    /// Whether the service's list says something that was not known here.
    pub const fn differs(&self) -> bool {
        self.missing + self.changed > 0
    }

    /// Counts one row; tells whether it has to be taken in.
    fn count(&mut self, registration: &Registration, known: Known) -> bool {
        match known {
            Known::Missing => {
                self.missing += 1;
                show(&mut self.first_missing, &registration.member);
                return true;
            }
            Known::Here { address: Address::Other, .. } => {
                self.changed += 1;
                show(&mut self.first_changed, &registration.member);
                return true;
            }
            Known::Suppressed => self.suppressed += 1,
            Known::Here { place: Home::Job, .. } => self.jobs += 1,
            Known::Here { place: Home::Record, .. } => self.records += 1,
            Known::Here { place: Home::DeadLetter, .. } => self.dead_letters += 1,
        }
        false
    }
}

fn show<T: Clone>(shown: &mut Vec<T>, one: &T) {
    if shown.len() < Reconciled::SHOWN {
        shown.push(one.clone());
    }
}

/// Why a reconciliation stopped early. What it took in until then is committed; it can be run again.
#[derive(Debug, thiserror::Error)]
pub enum ReconcileError {
    #[error("cannot read the list of members: {0}")]
    Members(#[from] MembersError),
    #[error("cannot compare with what is known; run it again for the rest")]
    Store(#[from] StoreError),
}

/// Compares a whole list, batch by batch, and takes in what is missing. `on_progress` hears of each batch.
pub async fn reconcile(
    members: &mut dyn Members,
    store: &dyn Store,
    clock: &dyn Clock,
    dry_run: bool,
    mut on_progress: impl FnMut(&Reconciled),
) -> Result<Reconciled, ReconcileError> {
    let mut report = Reconciled { dry_run, ..Reconciled::default() };
    while let Some(batch) = members.next_batch().await? {
        let mut wanted = Vec::new();
        if !batch.registrations.is_empty() {
            let known = store.known(&batch.registrations).await?;
            // What an earlier row of this batch brings is known to the later ones.
            let mut brought = HashMap::new();
            for (registration, known) in batch.registrations.into_iter().zip(known) {
                let known = brought.get(&registration.member).map_or(known, |subject| Known::Here {
                    place: Home::Job,
                    address: if *subject == registration.subject { Address::Same } else { Address::Other },
                });
                if report.count(&registration, known) {
                    brought.insert(registration.member.clone(), registration.subject);
                    wanted.push(registration);
                }
            }
        }
        for refusal in &batch.refusals {
            show(&mut report.first_refusals, refusal);
        }
        report.refused += batch.refusals.len() as u64;
        report.rows += batch.rows_read;
        report.bytes_read = batch.bytes_read;
        if !wanted.is_empty() && !dry_run {
            report.enqueued += store.enqueue(&wanted, clock.now()).await?.len() as u64;
        }
        on_progress(&report);
    }
    Ok(report)
}
