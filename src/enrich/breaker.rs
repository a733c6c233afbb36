//! A provider that fails again and again (5xx, timeouts, answers that cannot be read) is left alone for a while, by the whole
//! fleet: its lookups wait and lose no attempt, and it gets a chance to recover.
//!
//! Closed: it is asked. Open: nobody asks it; the store keeps until when, and each time in a row is twice as long. Half open:
//! then one lookup of one worker tries. Its success closes the breaker, its failure opens it again.
//!
//! Invariant: what began before the breaker opened says nothing about afterwards; a database that is away lets nobody try.

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use gleaner_providers::LookupError;
use tokio::time::Instant;

use self::state::{Entry, State};
use crate::config::BreakerRule;
use crate::fleet::ProviderLine;
use crate::store::fleet::Probe;

mod state;

/// How long those wait who come while another lookup tries, at least.
const SOON: Duration = Duration::from_secs(5);

/// One worker's side of a provider's breaker.
#[derive(Debug)]
pub struct Breaker {
    rule: BreakerRule,
    line: ProviderLine,
    state: Mutex<State>,
}

/// Leave to ask; to be handed back with what came of it.
#[derive(Debug)]
pub struct Leave<'b> {
    breaker: &'b Breaker,
    began: Instant,
    is_probe: bool,
}

impl Breaker {
    pub fn new(rule: BreakerRule, line: ProviderLine) -> Self {
        Self { rule, line, state: Mutex::default() }
    }

    /// Leave to ask the provider, if its breaker is closed, or if this lookup is the one that tries.
    pub async fn enter(&self) -> Result<Leave<'_>, LookupError> {
        let began = Instant::now();
        let entry = self.state().enter(began);
        let leave = |is_probe| Leave { breaker: self, began, is_probe };
        let leave = match entry {
            Entry::Free => return Ok(leave(false)),
            Entry::Wait(wait) => return Err(self.refusal(wait)),
            Entry::Probe => leave(true),
        };
        match self.line.probe().await {
            Ok(Probe::Go) => Ok(leave),
            Ok(Probe::Wait(wait)) => {
                self.state().wait(Instant::now() + wait.min(SOON));
                Err(self.refusal(wait))
            }
            Err(error) => {
                tracing::warn!(%error, "nobody can say whether a provider may be tried; it is not asked");
                Err(self.refusal(SOON))
            }
        }
    }

    /// What the fleet knows: how often in a row the provider was tripped, for how long it is still closed, and why.
    pub fn obey(&self, trips: u32, closed_for: Duration, why: Option<&str>) {
        self.state().obey(Instant::now(), trips, closed_for, why);
    }

    /// Forgets everything: an operator has opened the provider.
    pub fn forget(&self) {
        *self.state() = State::default();
    }

    /// Costs no attempt.
    fn refusal(&self, wait: Duration) -> LookupError {
        let reason = match self.state().why() {
            Some(why) => format!("it failed again and again ({why})").into(),
            None => "it failed again and again".into(),
        };
        LookupError::QuotaExhausted { reason, after: Some(wait.max(SOON)) }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Leave<'_> {
    /// Tells what came of the lookup. A refused question was answered; what never left, or met a limit, says nothing.
    pub fn hand_back(self, error: Option<&LookupError>) {
        let Breaker { rule, line, .. } = self.breaker;
        let mut state = self.breaker.state();
        if !self.is_probe && !state.is_news(self.began) {
            return;
        }
        match error {
            None | Some(LookupError::Refused { .. }) => {
                if state.succeeded() {
                    line.mend();
                }
            }
            Some(error @ (LookupError::Unavailable { .. } | LookupError::Malformed { .. })) => {
                let why = error.to_string();
                if state.failed(rule, Instant::now(), &why) {
                    line.trip(rule, &why);
                }
            }
            Some(_) => {}
        }
    }
}

impl Drop for Leave<'_> {
    fn drop(&mut self) {
        if self.is_probe {
            self.breaker.state().probe_ended();
        }
    }
}
