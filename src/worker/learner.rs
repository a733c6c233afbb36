//! Keeps what this worker knows of providers up to date, where it orders them itself.
//!
//! Invariant: a database that is away changes nothing here; what was learned last holds.

use std::sync::Arc;
use std::time::Duration;

use tokio::time::MissedTickBehavior;
use tokio_util::sync::CancellationToken;

use crate::config::Order;
use crate::enrich::Enricher;
use crate::store::SharedStore;

/// How often the ledger is read: it tells what the whole fleet has learned.
const OFTEN: Duration = Duration::from_secs(15);

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
