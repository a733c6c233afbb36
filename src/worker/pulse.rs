//! Feels the pulse of the fleet: obeys the gates of all providers within a second, makes due who was put off for one that is open
//! again, and gives this worker's own sign of life.
//!
//! Invariant: a database that is away changes nothing here; what it said last holds, and the quota fails closed by itself.

use std::collections::HashMap;
use std::num::NonZeroU32;
use std::sync::Arc;
use std::time::Duration;

use gleaner_providers::LookupError;
use gleaner_providers::clock::SharedClock;
use gleaner_providers::limit::Gate;
use jiff::Timestamp;
use tokio::time::{Instant, MissedTickBehavior};
use tokio_util::sync::CancellationToken;

use super::Report;
use super::held::Held;
use crate::enrich::Enricher;
use crate::fleet::Fleet;
use crate::store::fleet::{Closed, ClosedBy, GateState, Pulse};
use crate::store::{SharedStore, StoreError};

/// How often the gates are looked at; where the store can call, it is looked at once as well.
const LOOK: Duration = Duration::from_millis(500);
/// How often a worker says that it lives.
const BEAT: Duration = Duration::from_secs(5);
/// How long a provider that was closed without end is closed at a time: it is closed anew at every look.
const WITHOUT_END: Duration = Duration::from_mins(15);

/// Of each provider, how often operators have opened it, and at how many looks more its jobs are made due.
type Resumes = HashMap<String, (u64, u8)>;

/// At so many looks after a provider was opened again, the jobs that wait for it are made due: until it heard of that, this worker has
/// put them off till the end of a pause that is over, and what it has decided is written a moment later.
const LOOKS_AFTER_A_RESUME: u8 = 3;

/// What is needed to feel it.
pub(super) struct Finger {
    pub(super) store: SharedStore,
    pub(super) clock: SharedClock,
    pub(super) fleet: Arc<Fleet>,
    pub(super) enricher: Arc<Enricher>,
    pub(super) held: Arc<Held>,
    pub(super) report: Arc<Report>,
}

impl Finger {
    /// Looks twice a second, from its own task, until it is enough.
    pub(super) async fn feel(self, enough: CancellationToken) {
        let mut ticks = tokio::time::interval(LOOK);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let mut beaten: Option<Instant> = None;
        let mut failing = false;
        let mut resumes = Resumes::new();
        loop {
            tokio::select! {
                _ = ticks.tick() => {}
                () = self.store.wait_for_gates() => {}
                () = enough.cancelled() => return,
            }
            let due = beaten.is_none_or(|beaten| beaten.elapsed() >= BEAT);
            let felt = async {
                if due {
                    self.fleet.beat(self.held.len() as u64, self.report.summary().finished()).await?;
                    beaten = Some(Instant::now());
                }
                self.look(&mut resumes).await
            };
            let felt = felt.await;
            if let Err(error) = &felt
                && !failing
            {
                tracing::warn!(%error, "the fleet cannot be felt; what it said last holds");
            }
            failing = felt.is_err();
        }
    }

    async fn look(&self, resumes: &mut Resumes) -> Result<(), StoreError> {
        let Pulse { now, gates, alive } = self.store.pulse(self.clock.now()).await?;
        let gates: HashMap<_, _> = gates.iter().map(|gate| (gate.provider.as_str(), gate)).collect();
        let sharers = NonZeroU32::new(alive).unwrap_or(NonZeroU32::MIN);
        for installed in self.enricher.panel().tiers().iter().flatten() {
            let state = gates.get(installed.name()).copied();
            let closed = state.and_then(|state| state.closed.as_ref());
            let gate = Gate {
                closed_for: closed.map(|closed| length(closed, now)),
                epoch: state.map_or(0, |state: &GateState| state.epoch),
                sharers,
            };
            installed.obey(gate, closed.and_then(|closed| refusal(closed, now)));
            let seen = resumes.entry(installed.name().to_owned()).or_insert((gate.epoch, 0));
            if seen.0 != gate.epoch {
                *seen = (gate.epoch, LOOKS_AFTER_A_RESUME);
            }
            if let Some(breaker) = installed.breaker() {
                let tripped = closed.filter(|closed| closed.by == ClosedBy::Breaker);
                let closed_for = tripped.map_or(Duration::ZERO, |closed| length(closed, now));
                let why = tripped.and_then(|closed| closed.why.as_deref());
                breaker.obey(state.map_or(0, |state| state.trips), closed_for, why);
            }
        }
        for (provider, (_, looks)) in resumes.iter_mut().filter(|(_, (_, looks))| *looks > 0) {
            self.store.make_due(provider, self.clock.now()).await?;
            *looks -= 1;
        }
        Ok(())
    }
}

/// How long it is closed.
fn length(closed: &Closed, now: Timestamp) -> Duration {
    closed
        .until
        .map_or(WITHOUT_END, |until| Duration::try_from(until.duration_since(now)).unwrap_or_default())
}

/// What a lookup is told at once. A pause that the provider asked for is the limiter's: it may be short enough to wait for.
fn refusal(closed: &Closed, now: Timestamp) -> Option<LookupError> {
    (closed.by == ClosedBy::Operator).then(|| LookupError::QuotaExhausted {
        reason: "paused by an operator".into(),
        after: closed.until.map(|_| length(closed, now)),
    })
}
