//! The doors through which members come in, and the one reader of messages that those share which get messages.
//!
//! A door turns what it receives into registrations and refusals; [`take_in`] hands both to the store.
//!
//! Invariant: acknowledged only after our commit. What cannot become a registration becomes a dead letter with
//! the reason, and stops nothing else.

use std::ops::AddAssign;

use gleaner_providers::EmailAddress;
use gleaner_providers::email::EmailError;

use serde::Serialize;

use self::file::{Batch, Source, SourceError};
use crate::clock::Clock;
use crate::job::{BatchName, BatchNameError, Intake, Refusal, Registration};
use crate::keyring::Keyring;
use crate::member::{MemberId, MemberIdError};
use crate::store::{Store, StoreError};

#[cfg(any(feature = "nats", feature = "rabbitmq"))]
pub mod broker;
pub mod doors;
pub mod file;
pub mod group;
pub mod http;
pub mod inbox;
mod keys;
pub mod message;
#[cfg(feature = "nats")]
pub mod nats;
#[cfg(feature = "rabbitmq")]
pub mod rabbitmq;
pub mod reconcile;

/// Why a member id and an address cannot become a registration. Carries nothing of either.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
pub enum Reason {
    #[error("e-mail address: {0}")]
    Email(#[from] EmailError),
    #[error(transparent)]
    Member(#[from] MemberIdError),
    #[error(transparent)]
    Batch(#[from] BatchNameError),
}

/// Checks what any door received. Where there is no member id (or a blank one), it is derived from the mailbox.
pub fn registration(member: Option<&str>, email: &str, keyring: &Keyring) -> Result<Registration, Reason> {
    let email = EmailAddress::parse(email)?;
    let subject = keyring.subject(&email);
    let member = match member.map(str::trim) {
        None | Some("") => MemberId::of_subject(subject),
        Some(given) => MemberId::parse(given)?,
    };
    Ok(Registration { member, email, subject, batch: None })
}

/// What became of the rows of a source so far.
#[derive(Clone, Debug, Default, Eq, PartialEq, Serialize)]
pub struct IntakeReport {
    /// Rows that were not blank: the sum of the counts below.
    pub rows: u64,
    pub queued: u64,
    pub repeated: u64,
    pub fresh: u64,
    pub suppressed: u64,
    pub refused: u64,
    /// The first [`IntakeReport::REFUSALS_KEPT`]; the store has them all as dead letters.
    pub first_refusals: Vec<Refusal>,
    /// How far the source was read, in bytes.
    pub bytes_read: u64,
}

impl IntakeReport {
    pub const REFUSALS_KEPT: usize = 10;

    fn add(&mut self, batch: Batch, outcomes: &[Intake]) {
        self.rows += batch.rows_read;
        self.bytes_read = batch.bytes_read;
        for outcome in outcomes {
            *match outcome {
                Intake::Queued => &mut self.queued,
                Intake::Repeated => &mut self.repeated,
                Intake::Fresh => &mut self.fresh,
                Intake::Suppressed => &mut self.suppressed,
            } += 1;
        }
        self.refused += batch.refusals.len() as u64;
        let room = Self::REFUSALS_KEPT.saturating_sub(self.first_refusals.len());
        self.first_refusals.extend(batch.refusals.into_iter().take(room));
    }
}

/// Several sources taken in one after the other.
impl AddAssign for IntakeReport {
    fn add_assign(&mut self, other: Self) {
        self.rows += other.rows;
        self.queued += other.queued;
        self.repeated += other.repeated;
        self.fresh += other.fresh;
        self.suppressed += other.suppressed;
        self.refused += other.refused;
        self.bytes_read += other.bytes_read;
        let room = Self::REFUSALS_KEPT.saturating_sub(self.first_refusals.len());
        self.first_refusals.extend(other.first_refusals.into_iter().take(room));
    }
}

/// Why an intake stopped early. What was reported as progress until then is committed.
#[derive(Debug, thiserror::Error)]
pub enum IntakeError {
    #[error(transparent)]
    Source(#[from] SourceError),
    #[error(
        "cannot keep what was read; the rows reported so far are safe, take the source in again for the rest"
    )]
    Store(#[from] StoreError),
}

/// Takes a whole source in, piece by piece, under the name of a batch where one is given. `on_progress` hears of a piece
/// once it is committed.
pub async fn take_in(
    source: &mut Source,
    name: Option<&BatchName>,
    store: &dyn Store,
    clock: &dyn Clock,
    mut on_progress: impl FnMut(&IntakeReport),
) -> Result<IntakeReport, IntakeError> {
    let mut report = IntakeReport::default();
    while let Some(mut batch) = source.next_batch().await? {
        for registration in &mut batch.registrations {
            registration.batch = name.cloned();
        }
        let outcomes = if batch.registrations.is_empty() {
            Vec::new()
        } else {
            store.enqueue(&batch.registrations, clock.now()).await?
        };
        if !batch.refusals.is_empty() {
            store.refuse(&batch.refusals, clock.now()).await?;
        }
        report.add(batch, &outcomes);
        on_progress(&report);
    }
    Ok(report)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn keyring() -> Keyring {
        Keyring::from_bytes([7; 32])
    }

    #[test]
    fn a_member_is_who_the_door_says_or_else_the_mailbox() {
        let given = registration(Some(" 42 "), " ada@example.com ", &keyring()).unwrap();
        assert_eq!((given.member.as_str(), given.email.expose()), ("42", "ada@example.com"));
        for absent in [None, Some(""), Some(" \t")] {
            let derived = registration(absent, "Ada@EXAMPLE.com", &keyring()).unwrap();
            let hash = hex::encode(given.subject.as_bytes());
            assert_eq!(derived.member.as_str(), format!("m_{}", &hash[..20]), "{absent:?}");
        }
        let elsewhere = registration(None, "ada@example.com", &Keyring::from_bytes([8; 32])).unwrap();
        assert_ne!(elsewhere.subject, given.subject, "the id is keyed");
    }

    #[test]
    fn what_cannot_be_a_registration_is_told_without_showing_it() {
        let reason = |member, email| registration(member, email, &keyring()).unwrap_err().to_string();
        assert_eq!(reason(None, " "), "e-mail address: is empty");
        assert_eq!(reason(Some("7"), "secret"), "e-mail address: has no `@`");
        assert_eq!(reason(Some("a\nb"), "ada@example.com"), MemberIdError::Control.to_string());
        assert_eq!(reason(Some("ada@example.com"), "ada@example.com"), MemberIdError::Address.to_string());
        assert_eq!(reason(Some(&"7".repeat(201)), "ada@example.com"), MemberIdError::TooLong.to_string());
    }

    #[test]
    fn the_report_adds_up_and_keeps_the_first_refusals_only() {
        let refusal =
            |line| Refusal { origin: format!("m.csv:{line}"), member: None, reason: "bad".to_owned() };
        let batch = |lines: std::ops::Range<u64>, outcomes: u64| Batch {
            refusals: lines.clone().map(refusal).collect(),
            rows_read: outcomes + lines.end - lines.start,
            bytes_read: lines.end * 100,
            ..Batch::default()
        };
        let outcomes = [Intake::Queued, Intake::Queued, Intake::Repeated, Intake::Fresh, Intake::Suppressed];
        let mut report = IntakeReport::default();
        report.add(batch(1..16, 5), &outcomes);
        report.add(batch(16..31, 1), &[Intake::Queued]);
        let counted = report.queued + report.repeated + report.fresh + report.suppressed + report.refused;
        assert_eq!((report.rows, counted, report.queued, report.refused), (36, 36, 3, 30));
        let kept: Vec<_> = (1..).take(IntakeReport::REFUSALS_KEPT).map(refusal).collect();
        assert_eq!((report.first_refusals, report.bytes_read), (kept, 3_100));
    }
}
