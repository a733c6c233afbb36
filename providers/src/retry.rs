//! Short retries inside a lookup. The only file that names `backoff`.
//!
//! `backoff` is used as a generator of delays and nothing more: its own retry loop has no limit on attempts, lets
//! a server's `Retry-After` bypass its time limit, and takes every `?` for a passing fault. Which faults pass is
//! decided here, by an exhaustive match, and what passes only slowly goes back to the durable queue.
//!
//! Invariant: no type of `backoff` leaves this file; nobody waits here for longer than [`LONGEST_TOTAL`] in all.

use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use backoff::SystemClock;
use backoff::backoff::Backoff;
use backoff::exponential::{ExponentialBackoff, ExponentialBackoffBuilder};
use tokio::time::Instant;

use crate::error::LookupError;
use crate::http::headers::LONGEST_WAIT;

/// The longest wait that a server may ask for and get inside a lookup.
pub(crate) const LONGEST_ASKED: Duration = Duration::from_secs(5);
/// All waits for retries of one call together.
const LONGEST_TOTAL: Duration = Duration::from_secs(10);
/// The first delay is drawn from 0 to twice this: full jitter.
const FIRST_DELAY: Duration = Duration::from_millis(200);

/// The retries of one call.
#[derive(Debug)]
pub(crate) struct Retries {
    left: u32,
    waited: Duration,
    delays: ExponentialBackoff<SystemClock>,
}

impl Retries {
    /// `attempts` counts the first one, which is not a retry.
    pub(crate) fn new(attempts: u32) -> Self {
        Self { left: attempts.saturating_sub(1), waited: Duration::ZERO, delays: delays(FIRST_DELAY, 1.0) }
    }

    /// How long to wait before trying again here; `None` if this fault is not for us to wait out.
    pub(crate) fn delay(&mut self, fault: &LookupError, asked: Option<Duration>) -> Option<Duration> {
        let asked = match fault {
            LookupError::Unavailable { .. } => asked.unwrap_or_default(),
            LookupError::RateLimited { after } => *after,
            LookupError::QuotaExhausted { .. }
            | LookupError::Denied { .. }
            | LookupError::Unreachable { .. }
            | LookupError::Refused { .. }
            | LookupError::Malformed { .. }
            | LookupError::Forbidden { .. } => return None,
        };
        if asked > LONGEST_ASKED {
            return None;
        }
        self.left = self.left.checked_sub(1)?;
        let delay = self.delays.next_backoff()?.max(asked);
        self.waited += delay;
        (self.waited <= LONGEST_TOTAL).then_some(delay)
    }
}

/// The same wait (at most a day) with 0 to 10 % on top, never less: so that a fleet told "in a minute" does not come back as one.
pub(crate) fn spread_out(wait: Duration) -> Duration {
    let wait = wait.min(LONGEST_WAIT);
    // Centre and factor of the range [1.0, 1.1].
    delays(wait.mul_f64(1.05), 0.05 / 1.05).next_backoff().unwrap_or(wait).max(wait)
}

/// Delays that start at `first` and double, each randomized by `factor` of itself. No time limit of their own:
/// that clock is not one that tests can steer.
fn delays(first: Duration, factor: f64) -> ExponentialBackoff<SystemClock> {
    ExponentialBackoffBuilder::new()
        .with_initial_interval(first)
        .with_randomization_factor(factor)
        .with_multiplier(2.0)
        .with_max_interval(first.max(LONGEST_TOTAL / 2))
        .with_max_elapsed_time(None)
        .build()
}

/// What retries one provider's calls have earned: a tenth of a retry each, and one a second on top, so that a dead
/// provider sees at most a tenth more load, and a quiet one is retried all the same.
#[derive(Debug)]
pub(crate) struct RetryBudget {
    purse: Mutex<Purse>,
}

/// Amounts in thousandths of a retry.
#[derive(Debug)]
struct Purse {
    balance: u64,
    filled: Instant,
}

impl RetryBudget {
    const PER_CALL: u64 = 100;
    const PER_RETRY: u64 = 1_000;
    const MOST: u64 = 10 * Self::PER_RETRY;

    pub(crate) fn new() -> Self {
        Self { purse: Mutex::new(Purse { balance: Self::MOST, filled: Instant::now() }) }
    }

    /// A first attempt was made.
    pub(crate) fn earn(&self) {
        self.with(|purse| purse.balance = (purse.balance + Self::PER_CALL).min(Self::MOST));
    }

    /// Pays for one retry, if there is enough.
    pub(crate) fn spend(&self) -> bool {
        self.with(|purse| {
            let now = Instant::now();
            let milliseconds = now.saturating_duration_since(purse.filled).as_millis();
            let gained = u64::try_from(milliseconds).unwrap_or(Self::MOST);
            if gained > 0 {
                purse.balance = purse.balance.saturating_add(gained).min(Self::MOST);
                purse.filled = now;
            }
            let left = purse.balance.checked_sub(Self::PER_RETRY);
            purse.balance = left.unwrap_or(purse.balance);
            left.is_some()
        })
    }

    fn with<T>(&self, act: impl FnOnce(&mut Purse) -> T) -> T {
        act(&mut self.purse.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

#[cfg(test)]
mod tests;
