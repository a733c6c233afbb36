//! Hands a batch of messages over to the store, however long that takes.
//!
//! Invariant: `Ok` means committed, all of it. A message that the database refuses alone costs only itself.

use std::slice;

use tokio_util::sync::CancellationToken;

use super::super::doors::Reception;
use super::super::file::BATCH_ROWS;
use super::parcel::Parcel;
use super::pauses::Pauses;
use super::report::Report;
use crate::job::{Delivery, Refusal};
use crate::store::StoreError;

/// Where messages are handed over.
pub(super) struct Desk<'a> {
    pub(super) door: &'static str,
    pub(super) reception: &'a Reception,
    pub(super) report: &'a Report,
    pub(super) stop: &'a CancellationToken,
}

/// Why a batch was not handed over.
#[derive(Debug)]
pub(super) enum Halt {
    /// Told to stop while the store was away.
    Stopped,
}

/// Why one attempt came to nothing for good.
enum Failed {
    Stopped,
    Refused(StoreError),
}

/// How much of a batch is committed already: a second attempt goes on from there.
#[derive(Default)]
struct Progress {
    items: usize,
    refusals: usize,
}

impl Desk<'_> {
    /// Commits everything that these messages say. A store that is away is waited for.
    pub(super) async fn take_in<R>(&self, parcels: &[Parcel<R>]) -> Result<(), Halt> {
        match self.commit_patiently(parcels).await {
            Ok(()) => Ok(()),
            Err(Failed::Stopped) => Err(Halt::Stopped),
            // One of them must be it; the others are not to suffer.
            Err(Failed::Refused(_)) => {
                for parcel in parcels {
                    self.take_in_alone(parcel).await?;
                }
                Ok(())
            }
        }
        .inspect(|()| self.report.acknowledged(parcels.len()))
    }

    async fn take_in_alone<R>(&self, parcel: &Parcel<R>) -> Result<(), Halt> {
        let error = match self.commit_patiently(slice::from_ref(parcel)).await {
            Ok(()) => return Ok(()),
            Err(Failed::Stopped) => return Err(Halt::Stopped),
            Err(Failed::Refused(error)) => error,
        };
        tracing::error!(door = self.door, %error, "a message became a dead letter, because the database refused it");
        let buried = Parcel {
            items: Vec::new(),
            refusals: vec![Refusal {
                origin: parcel.origin.clone(),
                member: None,
                reason: format!("the message was read, but {error}"),
            }],
            origin: parcel.origin.clone(),
            receipt: (),
            fate: parcel.fate,
        };
        // A database that does not even take this is broken; the message stays at the broker until it is mended.
        let mut pauses = Pauses::new(&self.reception.clock);
        loop {
            match self.commit_patiently(slice::from_ref(&buried)).await {
                Ok(()) => return Ok(()),
                Err(Failed::Stopped) => return Err(Halt::Stopped),
                Err(Failed::Refused(error)) => self.wait(&mut pauses, &error).await?,
            }
        }
    }

    async fn commit_patiently<R>(&self, parcels: &[Parcel<R>]) -> Result<(), Failed> {
        let mut progress = Progress::default();
        let mut pauses = Pauses::new(&self.reception.clock);
        loop {
            match self.commit(parcels, &mut progress).await {
                Ok(()) => return Ok(()),
                Err(error @ StoreError::Unavailable(_)) => {
                    self.wait(&mut pauses, &error).await.map_err(|Halt::Stopped| Failed::Stopped)?;
                }
                Err(error) => return Err(Failed::Refused(error)),
            }
        }
    }

    async fn wait(&self, pauses: &mut Pauses, error: &StoreError) -> Result<(), Halt> {
        self.report.store_fault();
        let (pause, worth_telling) = pauses.next();
        if worth_telling {
            tracing::warn!(
                door = self.door,
                %error,
                "messages in hand cannot be committed; the others wait at the broker"
            );
        }
        tokio::select! {
            () = self.stop.cancelled() => Err(Halt::Stopped),
            () = tokio::time::sleep(pause) => Ok(()),
        }
    }

    async fn commit<R>(&self, parcels: &[Parcel<R>], progress: &mut Progress) -> Result<(), StoreError> {
        let Reception { store, clock, .. } = self.reception;
        let items: Vec<_> =
            parcels.iter().flat_map(|parcel| &parcel.items).skip(progress.items).cloned().collect();
        for chunk in items.chunks(BATCH_ROWS) {
            let now = clock.now();
            let delivery = Delivery { once: None, items: chunk.to_vec() };
            let forget_at = self.reception.forget_at(now);
            let delivered = store.enqueue_once(slice::from_ref(&delivery), now, forget_at).await?;
            progress.items += chunk.len();
            for delivered in &delivered {
                self.report.taken_in(delivered);
            }
        }
        let refusals: Vec<_> =
            parcels.iter().flat_map(|parcel| &parcel.refusals).skip(progress.refusals).cloned().collect();
        for chunk in refusals.chunks(BATCH_ROWS) {
            store.refuse(chunk, clock.now()).await?;
            progress.refusals += chunk.len();
            self.report.refused(chunk.len());
        }
        Ok(())
    }
}
