//! Keeps the leases of held jobs alive and gives back those of the dead.

use std::collections::HashSet;
use std::sync::Arc;

use gleaner_providers::clock::SharedClock;
use tokio::time::{Instant, MissedTickBehavior};

use super::Settings;
use super::held::Held;
use crate::store::{SharedStore, StoreError};
use crate::telemetry::counters;

/// Beats four times a lease, from its own task, so that no slow provider or parser can hold it up.
pub(super) async fn beat(store: SharedStore, held: Arc<Held>, clock: SharedClock, settings: Settings) {
    let lease = settings.worker.lease();
    let mut ticks = tokio::time::interval(lease / 4);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        ticks.tick().await;
        if let Err(error) = beat_once(&store, &held, &clock, &settings).await {
            tracing::warn!(%error, "a heartbeat failed; trying again at the next");
        }
    }
}

async fn beat_once(
    store: &SharedStore,
    held: &Held,
    clock: &SharedClock,
    settings: &Settings,
) -> Result<(), StoreError> {
    let lease = settings.worker.lease();
    // Short jobs never need a beat: only leases that are a third used are renewed.
    let due = held.due_for_renewal(lease / 3);
    if !due.is_empty() {
        let asked_at = Instant::now();
        let lost: HashSet<_> = store.renew(&due, lease, clock.now()).await?.into_iter().collect();
        held.renewed(due.into_iter().filter(|hold| !lost.contains(hold)), asked_at);
        if !lost.is_empty() {
            tracing::warn!(
                count = lost.len(),
                "leases were lost to another worker; their outcomes will be dropped"
            );
        }
    }
    let rescued = store.rescue(clock.now(), settings.max_attempts).await?;
    if rescued.requeued + rescued.buried > 0 {
        let (requeued, buried) = (rescued.requeued, rescued.buried);
        counters::add_rescued(requeued + buried);
        tracing::warn!(requeued, buried, "leases had run out: jobs were given back or became dead letters");
    }
    Ok(())
}
