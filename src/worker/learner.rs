//! Keeps what this worker knows of providers up to date, where it orders them itself.
//!
//! Invariant: a database that is away changes nothing here; what was learned last holds.

use std::sync::Arc;
use std::time::Duration;

use tokio::time::MissedTickBehavior;
use tokio_util::sync::CancellationToken;

use crate::config::Order;
use crate::enrich::merge::{ENOUGH_ANSWERS, Sources};
use crate::enrich::{Beliefs, Enricher};
use crate::store::SharedStore;

/// How often the ledger is read: it tells what the whole fleet has learned.
const OFTEN: Duration = Duration::from_secs(15);

/// How often answers in stock are weighed against each other.
const SELDOM: Duration = Duration::from_mins(10);

/// Learns from the answers in stock how far each provider is to be believed when they are merged.
pub(super) async fn believe(store: SharedStore, enricher: Arc<Enricher>, enough: CancellationToken) {
    let mut ticks = tokio::time::interval(SELDOM);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        let round = async {
            ticks.tick().await;
            weigh_stock(&store, enricher.beliefs()).await;
        };
        tokio::select! {
            () = round => {}
            () = enough.cancelled() => return,
        }
    }
}

/// Learns it once.
pub async fn weigh_stock(store: &SharedStore, beliefs: &Beliefs) {
    let answers = match store.sample_answers(ENOUGH_ANSWERS).await {
        Ok(answers) => answers,
        Err(error) => return tracing::debug!(%error, "the answers in stock could not be read"),
    };
    // A second of reckoning would keep others from this thread.
    match tokio::task::spawn_blocking(move || Sources::of_answers(&answers)).await {
        Ok(sources) => beliefs.replace(sources),
        Err(error) => tracing::debug!(%error, "nothing could be learned of the answers in stock"),
    }
}

pub(super) async fn learn(store: SharedStore, enricher: Arc<Enricher>, enough: CancellationToken) {
    if enricher.market().order() == Order::Fixed {
        return;
    }
    let mut ticks = tokio::time::interval(OFTEN);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        tokio::select! {
            _ = ticks.tick() => {}
            () = enough.cancelled() => return,
        }
        match store.lessons().await {
            Ok(lessons) => enricher.market().learn(&lessons),
            Err(error) => tracing::debug!(%error, "nothing new could be learned"),
        }
    }
}
