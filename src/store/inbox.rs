//! The inbox: what services handed over inside their own transactions, until a worker has read it.
//!
//! Invariant: a row leaves the inbox in the transaction that takes it in, so that it is in one place at any moment.

use std::fmt::{self, Debug};

use async_trait::async_trait;
use jiff::Timestamp;

use super::StoreError;
use crate::job::{Intake, Refusal, Registration};

/// The part of a store that the SQL door needs. A store without an inbox keeps the defaults.
#[async_trait]
pub trait Inbox: Debug + Send + Sync {
    /// Whether services can hand members over here.
    fn has_inbox(&self) -> bool {
        false
    }

    /// Takes rows out of the inbox, oldest first and at most so many, and takes in what the judge makes of each: as
    /// [`enqueue`](super::Store::enqueue) and [`refuse`](super::Store::refuse) do, all in one transaction. Several
    /// workers may do so at once: rows of one member are taken in their order.
    async fn empty_inbox(
        &self,
        _at_most: u32,
        _judge: &Judge<'_>,
        _now: Timestamp,
    ) -> Result<Emptied, StoreError> {
        Ok(Emptied::default())
    }

    /// Ends when there may be something in the inbox: a hint, as [`wait_for_jobs`](super::Store::wait_for_jobs) is.
    async fn wait_for_inbox(&self) {
        std::future::pending::<()>().await;
    }
}

/// Decides what a row is.
pub type Judge<'a> = dyn Fn(&InboxRow) -> Result<Registration, Refusal> + Send + Sync + 'a;

/// What a service handed over, unchecked.
pub struct InboxRow {
    pub id: i64,
    pub member: Option<String>,
    pub email: Option<String>,
    pub batch: Option<String>,
}

/// Without what it holds.
impl Debug for InboxRow {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("InboxRow").field("id", &self.id).finish_non_exhaustive()
    }
}

/// What was taken out of the inbox.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Emptied {
    /// What became of those that are registrations.
    pub taken_in: Vec<Intake>,
    pub refused: u32,
}

impl Emptied {
    pub fn rows(&self) -> usize {
        self.taken_in.len() + self.refused as usize
    }
}
