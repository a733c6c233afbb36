//! What the doors for brokers share: messages are collected into a batch, committed, and only then acknowledged.
//!
//! A door speaks its protocol (`Broker` connects, `Line` receives and acknowledges); everything else is here. What ends
//! a connection ends nothing else: it is made anew, for ever, with growing pauses, and what was not acknowledged comes
//! again, which does no harm.
//!
//! Invariant: a message is acknowledged after the commit of everything it says, and never before. While the store is
//! away one batch is in hand, nothing is acknowledged or handed back, and the rest waits at the broker.

use std::fmt::Debug;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use self::desk::{Desk, Halt};
use self::parcel::Parcel;
use self::pauses::Pauses;
use self::room::Room;
use super::doors::{DoorError, Reception};

mod desk;
mod parcel;
mod pauses;
mod report;
mod room;

pub use report::{Report, Summary};

/// How long a closing connection may take to say goodbye.
const GOODBYE: Duration = Duration::from_secs(2);

/// A connection that lasted this long was a good one: the next pause is a short one again.
const GOOD_CONNECTION: Duration = Duration::from_secs(10);

/// One message, and what it is acknowledged with.
pub(super) struct Arrival<R> {
    pub(super) body: Vec<u8>,
    /// Stream or queue: `nats:MEMBERS`, `rabbitmq:members`.
    pub(super) source: String,
    /// What a repeat of it is known by within the source, where there is anything.
    pub(super) id: Option<String>,
    /// Where it can be found at the broker, without personal data: `nats:MEMBERS:17`.
    pub(super) origin: String,
    /// The broker says that it was delivered before.
    pub(super) redelivered: bool,
    pub(super) receipt: R,
}

/// What became of a message, as its broker is told.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Fate {
    Taken,
    /// Nothing in it could be taken in: a dead letter says why.
    Poison,
}

/// Why there is no connection (any more). Carries no secret.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
pub(super) enum Trouble {
    /// Not to be reached, or lost: it may come back by itself.
    #[error("{0}")]
    Away(String),
    /// It is there, and refuses what is asked of it: an operator has to mend something.
    #[error("{0}")]
    Refused(String),
}

/// What a first look at a broker means for the start: what an operator has to mend ends it, what may come back is waited for.
pub(super) fn first_look(door: &'static str, looked: Result<(), Trouble>) -> Result<(), DoorError> {
    match looked {
        Ok(()) => Ok(()),
        Err(Trouble::Refused(reason)) => Err(DoorError::Opening { door, reason }),
        Err(Trouble::Away(reason)) => {
            tracing::warn!(door, reason, "the broker cannot be reached yet; it is waited for");
            Ok(())
        }
    }
}

/// A broker's address, and how to get a line to it.
#[async_trait]
pub(super) trait Broker: Debug + Send {
    type Line: Line;

    fn name(&self) -> &'static str;

    /// Connects, and stands ready to receive. May be dropped half-way.
    async fn connect(&mut self) -> Result<Self::Line, Trouble>;
}

/// A connection that receives messages.
#[async_trait]
pub(super) trait Line: Send {
    type Receipt: Send + Sync;

    /// The next message, in the broker's order. Nothing is lost when the future is dropped.
    async fn next(&mut self) -> Result<Arrival<Self::Receipt>, Trouble>;

    /// How often the broker wants to hear that messages are still being worked on.
    fn hold_every(&self) -> Option<Duration>;

    /// Asks for patience with these messages. That it was not heard shows elsewhere.
    async fn hold(&mut self, receipts: &[&Self::Receipt]);

    /// Acknowledges: everything that the messages said is committed.
    async fn settle(&mut self, settled: Vec<(Self::Receipt, Fate)>) -> Result<(), Trouble>;

    /// Says goodbye: what was delivered and not settled may go to others.
    async fn close(self);
}

/// How messages are gathered.
#[derive(Clone, Copy, Debug)]
pub(super) struct Gathering {
    pub(super) batch: usize,
    pub(super) linger: Duration,
    /// Waiting jobs from which on nothing more is taken.
    pub(super) max_waiting: u32,
}

/// A broker's messages on their way into the store.
#[derive(Debug)]
pub(super) struct Service<B> {
    pub(super) broker: B,
    pub(super) gathering: Gathering,
    pub(super) reception: Reception,
    pub(super) report: Arc<Report>,
}

impl<B: Broker> Service<B> {
    /// Serves until told to stop. Nothing that happens at the broker or in the store ends it.
    pub(super) async fn run(mut self, stop: CancellationToken) {
        let door = self.broker.name();
        let mut pauses = Pauses::new(&self.reception.clock);
        loop {
            let connected = tokio::select! {
                biased;
                () = stop.cancelled() => break,
                connected = self.broker.connect() => connected,
            };
            let began = Instant::now();
            let trouble = match connected {
                Ok(mut line) => {
                    tracing::info!(door, "connected to the broker");
                    self.report.connected();
                    let ended = self.converse(&mut line, &stop).await;
                    if tokio::time::timeout(GOODBYE, line.close()).await.is_err() {
                        tracing::debug!(door, "the broker did not answer the goodbye");
                    }
                    let Err(trouble) = ended else { break };
                    trouble
                }
                Err(trouble) => trouble,
            };
            if began.elapsed() >= GOOD_CONNECTION {
                pauses.start_over();
            }
            let (pause, worth_telling) = pauses.next();
            if worth_telling {
                match &trouble {
                    Trouble::Away(reason) => {
                        tracing::warn!(door, reason, "the broker is away; trying again until it is back");
                    }
                    Trouble::Refused(reason) => {
                        tracing::error!(door, reason, "the broker refuses; trying again until it is mended");
                    }
                }
            }
            tokio::select! {
                () = tokio::time::sleep(pause) => {}
                () = stop.cancelled() => {}
            }
        }
        let done = self.report.summary();
        tracing::info!(
            door,
            acknowledged = done.acknowledged,
            redelivered = done.redelivered,
            refused = done.refused,
            connections = done.connections,
            "no more messages are taken"
        );
    }

    /// Batch after batch over one connection. `Ok` means that it was told to stop.
    async fn converse(&self, line: &mut B::Line, stop: &CancellationToken) -> Result<(), Trouble> {
        let desk = Desk { door: self.broker.name(), reception: &self.reception, report: &self.report, stop };
        let mut room = Room::new(self.gathering.max_waiting, self.gathering.batch);
        loop {
            room.wait(desk.door, &self.reception, stop).await;
            let (parcels, gathered) = self.gather(line, stop).await;
            room.take(parcels.iter().map(Parcel::len).sum());
            if !parcels.is_empty() {
                match self.take_in(&desk, line, &parcels).await {
                    Ok(()) => {
                        let settled =
                            parcels.into_iter().map(|parcel| (parcel.receipt, parcel.fate)).collect();
                        line.settle(settled).await?;
                    }
                    // Not acknowledged: the broker gives them to somebody else, or to us next time.
                    Err(Halt::Stopped) => return Ok(()),
                }
            }
            gathered?;
            if stop.is_cancelled() {
                return Ok(());
            }
        }
    }

    /// Waits for a message, then a moment for others. What is in hand when the connection breaks or a stop comes is
    /// a batch as well.
    async fn gather(
        &self,
        line: &mut B::Line,
        stop: &CancellationToken,
    ) -> (Vec<Parcel<<B::Line as Line>::Receipt>>, Result<(), Trouble>) {
        let mut parcels = Vec::new();
        let mut entries = 0;
        let mut until: Option<Instant> = None;
        while parcels.len() < self.gathering.batch && entries < self.gathering.batch {
            let enough = async {
                match until {
                    Some(until) => tokio::time::sleep_until(until).await,
                    None => std::future::pending().await,
                }
            };
            let received = tokio::select! {
                biased;
                () = stop.cancelled() => break,
                received = line.next() => received,
                () = enough => break,
            };
            match received {
                Ok(arrival) => {
                    self.report.received(arrival.redelivered);
                    let parcel = Parcel::open(arrival, &self.reception.keyring);
                    entries += parcel.len();
                    parcels.push(parcel);
                    until.get_or_insert_with(|| Instant::now() + self.gathering.linger);
                }
                Err(trouble) => return (parcels, Err(trouble)),
            }
        }
        (parcels, Ok(()))
    }

    /// Commits a batch, and keeps the broker patient meanwhile.
    async fn take_in(
        &self,
        desk: &Desk<'_>,
        line: &mut B::Line,
        parcels: &[Parcel<<B::Line as Line>::Receipt>],
    ) -> Result<(), Halt> {
        let mut committing = std::pin::pin!(desk.take_in(parcels));
        let Some(every) = line.hold_every() else { return committing.await };
        let receipts: Vec<_> = parcels.iter().map(|parcel| &parcel.receipt).collect();
        loop {
            tokio::select! {
                biased;
                done = &mut committing => return done,
                () = tokio::time::sleep(every) => line.hold(&receipts).await,
            }
        }
    }
}
