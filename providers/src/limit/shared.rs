//! One quota for many processes: what a process asks of whoever keeps the quota for all of them, and the arithmetic of
//! the answer.
//!
//! The quota is a line of *slots*, moments an interval apart. A slot is reserved for one process, which lets one call leave
//! at that moment or drops it. So the processes never have to agree on anything but how far the line is given away, one
//! number that outlives them all: no restart begins a new burst, and who dies costs at most the slots it held.
//!
//! Invariant: nothing here reads a clock. What [`reserve`] gives away, it never gives away again.

use std::borrow::Cow;
use std::fmt::Debug;
use std::time::Duration;

use async_trait::async_trait;
use jiff::Timestamp;

use super::Spread;
use crate::provider::Quota;

/// How far ahead slots are given away: what a process that dies takes with it, at most.
pub const HORIZON: Duration = Duration::from_secs(1);

/// Keeps one provider's quota for all processes.
#[async_trait]
pub trait SharedQuota: Debug + Send + Sync {
    /// Reserves slots for this process.
    async fn grant(&self, ask: Ask) -> Result<Grant, Away>;

    /// Passes on what the provider told this process: nobody may call for so long. Does not wait for it to be known.
    fn stay_away(&self, wait: Duration, why: Cow<'static, str>);
}

/// What one process would like to have.
#[derive(Clone, Copy, Debug)]
pub struct Ask {
    pub want: u32,
    /// Slots of earlier grants that were not used and never will be.
    pub unused: u32,
    /// How long the answer takes to arrive: a slot before that would be over when it is here.
    pub notice: Duration,
    pub pace: Pace,
}

/// What it got.
#[derive(Clone, Copy, Debug)]
pub struct Grant {
    /// When this was decided, by the clock that all processes share.
    pub now: Timestamp,
    pub slots: Slots,
    /// Nobody else calls this provider now and no budget counts the calls, so that more may be asked for than is needed.
    pub ample: bool,
}

/// The slots of one grant.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Slots {
    /// So many, an interval apart.
    From { first: Timestamp, count: u32 },
    /// None before then; `None`: nobody knows when.
    NoneBefore(Option<Timestamp>),
}

/// Whoever keeps the quota cannot be reached: nothing may leave.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
#[error("the shared quota cannot be reached")]
pub struct Away;

/// A quota as a line of slots.
///
/// A call leaves at most `tolerance` before and `grace` after its slot's place on the line, and reaches the provider after a
/// way that differs by at most `grace` again. So a window w of the provider's sees at most ⌊(w + tolerance + 2·grace) / interval⌋ + 1
/// calls, which has to stay within the quota: the interval is longer than an even spread by what lateness costs.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Pace {
    pub interval: Duration,
    /// How far a burst may run ahead of the line.
    pub tolerance: Duration,
    /// How late a slot may still be used.
    pub grace: Duration,
}

impl Pace {
    /// What timers and networks differ by is not less for a short window, and not more for a long one.
    const LEAST_SLACK: Duration = Duration::from_millis(10);
    const MOST_SLACK: Duration = Duration::from_secs(1);
    /// Ten years: sums of moments and intervals stay within 64 bits of nanoseconds.
    const LONGEST: Duration = Duration::from_hours(10 * 365 * 24);

    pub fn of(quota: Quota) -> Self {
        // Half a per cent of the quota, and of one a second one per cent.
        let slack = (quota.window / 200).clamp(Self::LEAST_SLACK, Self::MOST_SLACK).min(quota.window / 4);
        let spread = Spread::with_slack(quota, slack);
        let interval = spread.interval.min(Self::LONGEST);
        let tolerance = interval.saturating_mul(spread.burst.get() - 1).min(Self::LONGEST);
        Self { interval, tolerance, grace: slack / 2 }
    }
}

/// Slots given away, in nanoseconds of the shared clock.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Reserved {
    pub first: i64,
    pub count: u32,
    /// The first place on the line that is still free.
    pub next: i64,
}

/// Gives away up to `ask.want` slots of a line that is free from `next` on. What lies beyond the horizon stays free, but for a
/// single slot where the interval is longer than that. An error is the moment before which nothing can be had.
pub fn reserve(next: i64, now: i64, ask: &Ask) -> Result<Reserved, i64> {
    let (interval, tolerance) = (nanos(ask.pace.interval).max(1), nanos(ask.pace.tolerance));
    let horizon = nanos(HORIZON);
    let start = next.max(now.saturating_add(nanos(ask.notice)));
    let first = start.saturating_sub(tolerance);
    let room = now.saturating_add(horizon).saturating_sub(first);
    if room < 0 {
        return Err(first.saturating_sub(horizon));
    }
    let count = ask.want.min(u32::try_from(room / interval + 1).unwrap_or(u32::MAX));
    Ok(Reserved { first, count, next: start.saturating_add(interval.saturating_mul(i64::from(count))) })
}

pub(super) fn nanos(duration: Duration) -> i64 {
    i64::try_from(duration.as_nanos()).unwrap_or(i64::MAX)
}
