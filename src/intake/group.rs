//! Group intake: what many requests hand in at the same time becomes one transaction.
//!
//! A commit costs a flush of the disk, however little it writes. While one is under way, the requests that come
//! meanwhile gather, and all of them go into the next; a request that comes alone does not wait for company.
//!
//! Invariant: a request is answered after the commit of its group, and one that cannot be written costs no other.

use futures_util::FutureExt as _;
use futures_util::future::BoxFuture;
use tokio::sync::{mpsc, oneshot};

use super::doors::Reception;
use crate::job::{Delivered, Delivery};
use crate::store::StoreError;

/// Requests that may wait for the next group. More are held back at the door.
const WAITING: usize = 1_024;
/// Registrations from which on a group is large enough: more would only make everyone wait longer.
const GROUP: usize = 5_000;

/// Where requests hand in what they bring.
#[derive(Clone, Debug)]
pub struct Group {
    handed_in: mpsc::Sender<Handed>,
}

/// Why nothing was taken in, or why nobody knows whether it was.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
pub enum HandInError {
    #[error("the database is unavailable")]
    Unavailable,
    #[error("the database refused it")]
    Refused,
}

#[derive(Debug)]
struct Handed {
    delivery: Delivery,
    answer: oneshot::Sender<Result<Delivered, HandInError>>,
}

impl Group {
    /// A group intake, and the task that writes. It ends when the last clone of the first is gone.
    pub fn start(reception: Reception) -> (Self, BoxFuture<'static, ()>) {
        let (handed_in, waiting) = mpsc::channel(WAITING);
        let writer = Writer { reception };
        (Self { handed_in }, writer.run(waiting).boxed())
    }

    /// Takes a delivery in; committed when this returns. One that is not waited for to the end may be taken in too.
    pub async fn hand_in(&self, delivery: Delivery) -> Result<Delivered, HandInError> {
        let (answer, answered) = oneshot::channel();
        let gone = |_| HandInError::Unavailable;
        self.handed_in.send(Handed { delivery, answer }).await.map_err(gone)?;
        answered.await.unwrap_or(Err(HandInError::Unavailable))
    }
}

struct Writer {
    reception: Reception,
}

impl Writer {
    async fn run(self, mut waiting: mpsc::Receiver<Handed>) {
        while let Some(first) = waiting.recv().await {
            let mut size = first.delivery.items.len();
            let mut group = vec![first];
            while size < GROUP
                && let Ok(next) = waiting.try_recv()
            {
                size += next.delivery.items.len();
                group.push(next);
            }
            // Nobody waits for these any more, and nothing was promised.
            group.retain(|handed| !handed.answer.is_closed());
            self.write(group).await;
        }
    }

    async fn write(&self, group: Vec<Handed>) {
        let (deliveries, answers): (Vec<_>, Vec<_>) =
            group.into_iter().map(|handed| (handed.delivery, handed.answer)).unzip();
        match self.enqueue(&deliveries).await {
            Ok(delivered) => {
                for (answer, delivered) in answers.into_iter().zip(delivered) {
                    // Whoever does not wait any more will ask again.
                    let _ = answer.send(Ok(delivered));
                }
            }
            Err(HandInError::Refused) if deliveries.len() > 1 => {
                self.write_one_by_one(deliveries, answers).await;
            }
            Err(error) => {
                for answer in answers {
                    let _ = answer.send(Err(error));
                }
            }
        }
    }

    /// Finds out which delivery the database refuses, so that only that one is.
    async fn write_one_by_one(
        &self,
        deliveries: Vec<Delivery>,
        answers: Vec<oneshot::Sender<Result<Delivered, HandInError>>>,
    ) {
        for (delivery, answer) in deliveries.into_iter().zip(answers) {
            let delivered = self.enqueue(&[delivery]).await;
            let delivered = delivered.and_then(|mut one| one.pop().ok_or(HandInError::Refused));
            let _ = answer.send(delivered);
        }
    }

    async fn enqueue(&self, deliveries: &[Delivery]) -> Result<Vec<Delivered>, HandInError> {
        let Reception { store, clock, .. } = &self.reception;
        let now = clock.now();
        store.enqueue_once(deliveries, now, self.reception.forget_at(now)).await.map_err(|error| {
            tracing::warn!(%error, requests = deliveries.len(), "requests were not taken in");
            match error {
                StoreError::Unavailable(_) | StoreError::Open(_) => HandInError::Unavailable,
                StoreError::Corrupt { .. } | StoreError::Statement(_) => HandInError::Refused,
            }
        })
    }
}
