//! What a store knows of members, looked up without writing: for comparing it with a service's own list.
//!
//! Invariant: nothing is written, and nothing is counted.

use std::fmt::Debug;

use async_trait::async_trait;

use super::StoreError;
use crate::job::Registration;
use crate::keyring::SubjectKey;

/// The part of a store that a reconciliation needs.
#[async_trait]
pub trait Reconcile: Debug + Send + Sync {
    /// Where each registration's member is, in the order of the batch.
    async fn known(&self, batch: &[Registration]) -> Result<Vec<Known>, StoreError>;
}

/// What is known of one registration.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Known {
    /// Nothing is kept of the member: the registration never arrived.
    Missing,
    /// The person must not be looked up; nothing of them is kept, and nothing is missing.
    Suppressed,
    /// The member is here.
    Here { place: Home, address: Address },
}

/// Where a member is.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Home {
    Job,
    DeadLetter,
    Record,
}

/// Whether the member is known by this mailbox.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Address {
    Same,
    /// The service has another one: a change of address never arrived.
    Other,
}

/// The subjects under which there is anything of one member.
#[derive(Clone, Debug, Default)]
pub(super) struct Found {
    pub(super) suppressed: bool,
    pub(super) job: Option<Vec<u8>>,
    pub(super) dead_letter: Option<Vec<u8>>,
    pub(super) record: Option<Vec<u8>>,
}

impl Found {
    /// A member is where the job is, else where the dead letter is, else where the record is.
    pub(super) fn decide(&self, subject: &SubjectKey) -> Known {
        if self.suppressed {
            return Known::Suppressed;
        }
        let places =
            [(Home::Job, &self.job), (Home::DeadLetter, &self.dead_letter), (Home::Record, &self.record)];
        let Some((place, found)) =
            places.into_iter().find_map(|(place, found)| Some((place, found.as_deref()?)))
        else {
            return Known::Missing;
        };
        let address = if found == subject.as_bytes() { Address::Same } else { Address::Other };
        Known::Here { place, address }
    }
}
