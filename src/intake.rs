//! The doors through which members come in. Today: files, standard input, and addresses on the command line.
//!
//! Invariant: nothing is acknowledged before the store has committed it, a bad row costs only itself, and no reason for a
//! refusal repeats what the row held.

use std::ops::AddAssign;

use gleaner_providers::EmailAddress;
use gleaner_providers::clock::SharedClock;
use serde::Serialize;
use tokio::sync::mpsc;

use crate::job::{Intake, MemberId, Refusal, Registration};
use crate::keyring::Keyring;
use crate::store::{SharedStore, StoreError};

mod columns;
mod delimited;
mod lines;
mod rows;
mod source;

pub use source::{Source, SourceError};

use rows::Row;

/// Rows taken in with one transaction.
const BATCH: usize = 1_000;
/// Refusals that a report repeats; the dead letters have all of them.
const SHOWN_REFUSALS: usize = 10;

/// What came of a source.
#[derive(Clone, Debug, Default, Serialize)]
pub struct Report {
    /// Rows read, blank lines apart.
    pub rows: u64,
    pub queued: u64,
    pub repeated: u64,
    pub fresh: u64,
    pub suppressed: u64,
    pub refused: u64,
    pub bytes_read: u64,
    pub first_refusals: Vec<Refusal>,
}

impl AddAssign for Report {
    fn add_assign(&mut self, other: Self) {
        self.rows += other.rows;
        self.queued += other.queued;
        self.repeated += other.repeated;
        self.fresh += other.fresh;
        self.suppressed += other.suppressed;
        self.refused += other.refused;
        self.bytes_read += other.bytes_read;
        let room = SHOWN_REFUSALS.saturating_sub(self.first_refusals.len());
        self.first_refusals.extend(other.first_refusals.into_iter().take(room));
    }
}

/// Why a source could not be taken in to its end. What was taken in before stays.
#[derive(Debug, thiserror::Error)]
pub enum IntakeError {
    #[error(transparent)]
    Source(#[from] SourceError),
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// Makes a registration of what every door receives: an id, if the sender has one, and an address.
pub fn registration(member: Option<&str>, email: &str, keyring: &Keyring) -> Result<Registration, String> {
    let email = EmailAddress::parse(email).map_err(|error| format!("e-mail address: {error}"))?;
    let subject = keyring.subject(&email);
    let member = match member.map(str::trim).filter(|id| !id.is_empty()) {
        Some(id) => MemberId::parse(id).map_err(|error| error.to_string())?,
        None => MemberId::of_subject(subject),
    };
    Ok(Registration { member, email, subject })
}

/// Takes a source in, batch by batch; `progress` hears of each one after it is committed.
pub async fn take_in(
    source: Source,
    store: &SharedStore,
    keyring: &Keyring,
    clock: &SharedClock,
    progress: impl Fn(&Report),
) -> Result<Report, IntakeError> {
    let mut report = Report::default();
    // Files are read on a thread of their own; two batches ahead keep it busy without filling the memory.
    let (batches, mut read) = mpsc::channel(2);
    let reading =
        tokio::task::spawn_blocking(move || source.read(BATCH, |batch| batches.blocking_send(batch).is_ok()));
    while let Some(batch) = read.recv().await {
        report.bytes_read = batch.bytes_read;
        take_in_batch(&batch.rows, store, keyring, clock, &mut report).await?;
        progress(&report);
    }
    match reading.await {
        Ok(read) => read?,
        Err(panicked) => std::panic::resume_unwind(panicked.into_panic()),
    }
    Ok(report)
}

async fn take_in_batch(
    rows: &[Row],
    store: &SharedStore,
    keyring: &Keyring,
    clock: &SharedClock,
    report: &mut Report,
) -> Result<(), StoreError> {
    let (mut registrations, mut refusals) = (Vec::with_capacity(rows.len()), Vec::new());
    for row in rows {
        let made = match &row.content {
            Ok(cells) => registration(cells.member.as_deref(), &cells.email, keyring),
            Err(reason) => Err(reason.clone()),
        };
        match made {
            Ok(registration) => registrations.push(registration),
            Err(reason) => refusals.push(refusal(row, reason)),
        }
    }
    for intake in store.enqueue(&registrations, clock.now()).await? {
        match intake {
            Intake::Queued => report.queued += 1,
            Intake::Repeated => report.repeated += 1,
            Intake::Fresh => report.fresh += 1,
            Intake::Suppressed => report.suppressed += 1,
        }
    }
    store.refuse(&refusals, clock.now()).await?;
    report.rows += rows.len() as u64;
    report.refused += refusals.len() as u64;
    let room = SHOWN_REFUSALS.saturating_sub(report.first_refusals.len());
    report.first_refusals.extend(refusals.into_iter().take(room));
    Ok(())
}

fn refusal(row: &Row, reason: String) -> Refusal {
    let member = row.content.as_ref().ok().and_then(|cells| MemberId::parse(cells.member.as_deref()?).ok());
    Refusal { origin: row.origin.clone(), member, reason }
}

#[cfg(test)]
mod tests;
