//! The SQL door: what services handed over inside their own transactions, with `SELECT gleaner_enqueue(…)`.
//!
//! Invariant: the same checks as at every door; what cannot become a registration becomes a dead letter.

use std::time::Duration;

use async_trait::async_trait;
use tokio_util::sync::CancellationToken;

use super::doors::{Door, DoorError, Reception};
use crate::job::{BatchName, Refusal, Registration};
use crate::member::MemberId;
use crate::store::StoreError;
use crate::store::inbox::InboxRow;

/// Rows taken in one transaction.
const BATCH: u32 = 500;
/// Between two looks where nothing is heard: behind a pooler, or where a service has switched the message off.
const POLL: Duration = Duration::from_millis(500);
/// The longest pause after the database failed.
const LONGEST_PAUSE: Duration = Duration::from_secs(5);

/// The door, where the store has an inbox.
#[derive(Debug)]
pub struct InboxDoor {
    reception: Reception,
}

impl InboxDoor {
    pub fn open(reception: &Reception) -> Option<Box<dyn Door>> {
        reception.store.has_inbox().then(|| Box::new(Self { reception: reception.clone() }) as Box<dyn Door>)
    }
}

#[async_trait]
impl Door for InboxDoor {
    fn name(&self) -> &'static str {
        "inbox"
    }

    async fn serve(self: Box<Self>, stop: CancellationToken) -> Result<(), DoorError> {
        let mut pause = POLL;
        loop {
            match empty_once(&self.reception).await {
                Ok(0) => {
                    pause = POLL;
                    tokio::select! {
                        () = stop.cancelled() => return Ok(()),
                        () = self.reception.store.wait_for_inbox() => {}
                        () = tokio::time::sleep(POLL) => {}
                    }
                }
                Ok(_) if stop.is_cancelled() => return Ok(()),
                Ok(_) => {}
                Err(StoreError::Unavailable(error)) => {
                    tracing::warn!(%error, "the database is unavailable; the inbox waits");
                    tokio::select! {
                        () = stop.cancelled() => return Ok(()),
                        () = tokio::time::sleep(pause) => pause = (pause * 2).min(LONGEST_PAUSE),
                    }
                }
                Err(error) => {
                    return Err(DoorError::Ended { door: "inbox", reason: error.to_string() });
                }
            }
        }
    }
}

/// Takes in what is in the inbox now, for a worker that opens no doors.
pub async fn empty(reception: &Reception) -> Result<(), StoreError> {
    while reception.store.has_inbox() && empty_once(reception).await? > 0 {}
    Ok(())
}

async fn empty_once(reception: &Reception) -> Result<usize, StoreError> {
    let judge = |row: &InboxRow| judge(row, reception);
    let emptied = reception.store.empty_inbox(BATCH, &judge, reception.clock.now()).await?;
    if emptied.refused > 0 {
        tracing::warn!(
            count = emptied.refused,
            "rows of the inbox could not be read and became dead letters"
        );
    }
    Ok(emptied.rows())
}

fn judge(row: &InboxRow, reception: &Reception) -> Result<Registration, Refusal> {
    let (member, email) = (row.member.as_deref(), row.email.as_deref().unwrap_or_default());
    let judged = super::registration(member, email, &reception.keyring).and_then(|mut registration| {
        registration.batch = row.batch.as_deref().map(BatchName::parse).transpose()?;
        Ok(registration)
    });
    judged.map_err(|reason| Refusal {
        origin: format!("inbox:{}", row.id),
        member: member.and_then(|member| MemberId::parse(member).ok()),
        reason: reason.to_string(),
    })
}
