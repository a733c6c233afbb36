//! How often a provider may be asked: quota, pause and concurrency. The only file that names `governor`.
//!
//! A call first takes one of the provider's permits, then its turn in a queue; the head of the queue waits out the
//! provider's pause and our quota, both judged at the moment the call really leaves. Judging a call when it leaves,
//! and not when it was promised, is what keeps the bound true on a busy machine.
//!
//! Where many processes share one quota, the moments at which calls may leave are reserved for this process by whoever keeps the
//! quota for all ([`SharedQuota`]), many at a time and ahead of need; the queue then lets one call leave at each.
//!
//! Invariant: no window of the quota's length, wherever it begins, sees more calls leave than the quota allows.

mod desk;
mod hand;
mod shared;

use std::borrow::Cow;
use std::num::NonZeroU32;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, AtomicU64, Ordering};
use std::time::Duration;

use governor::clock::Clock;
use governor::middleware::NoOpMiddleware;
use governor::state::{InMemoryState, NotKeyed};
use tokio::sync::{Semaphore, SemaphorePermit};
use tokio::time::{Instant, sleep, timeout};

use self::desk::Desk;
use self::hand::Turn;
pub use self::shared::{Ask, Away, Grant, HORIZON, Pace, Reserved, SharedQuota, Slots, reserve};
use crate::provider::Quota;

type Governor = governor::RateLimiter<NotKeyed, InMemoryState, TokioClock, NoOpMiddleware<Duration>>;

/// The gates of one provider, shared by all who ask it.
#[derive(Debug)]
pub struct Limiter {
    clock: TokioClock,
    permits: Semaphore,
    /// One permit: whoever holds it is the head of the queue. Fair, so turns come in order of arrival.
    turn: Semaphore,
    governor: Governor,
    interval: Duration,
    /// How far ahead of the even spread a burst may run.
    tolerance: Duration,
    /// Calls let in that have not left yet.
    queued: AtomicU32,
    /// When the quota would be whole again but for the burst: GCRA's "theoretical arrival time", kept beside
    /// governor's own, which cannot be read. Written by the head of the queue only; used for forecasts only.
    arrival: AtomicMoment,
    paused_until: AtomicMoment,
    /// The last moment that was told to a caller who was sent away.
    promised: AtomicMoment,
    /// Only where the quota is shared with other processes.
    desk: Option<Arc<Desk>>,
    /// Callers with a permit who wait for their turn.
    turning: AtomicU32,
    /// How many processes share the quota, for forecasts.
    sharers: AtomicU32,
    /// How often the fleet has opened the provider again.
    epoch: AtomicU64,
}

/// What the fleet says of a provider.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Gate {
    /// Closed for so long; `None`: open.
    pub closed_for: Option<Duration>,
    /// Raised whenever an operator opens it: whatever a process has against it is forgotten then.
    pub epoch: u64,
    /// How many processes share its quota.
    pub sharers: NonZeroU32,
}

/// Leave to make one call; holds a permit until it is dropped.
#[derive(Debug)]
pub struct Pass<'a> {
    _permit: SemaphorePermit<'a>,
}

/// The call may not leave in time.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Held {
    /// This caller's own moment: everyone sent away is told another one, an interval apart.
    pub after: Duration,
}

impl Limiter {
    /// A limiter that has the whole quota to itself.
    pub fn new(quota: Quota, concurrency: NonZeroU32) -> Self {
        let spread = Spread::of(quota);
        Self::build(spread, spread.burst, concurrency, None)
    }

    /// A limiter that shares the quota with those of other processes.
    pub fn sharing(quota: Quota, concurrency: NonZeroU32, shared: Arc<dyn SharedQuota>) -> Self {
        let (spread, pace) = (Spread::of(quota), Pace::of(quota));
        // The slots are the limit. A late one, used within its grace, must not hold up the next ones.
        let late = pace.grace.as_nanos() / spread.interval.as_nanos().max(1) + 1;
        let burst = spread.burst.saturating_add(u32::try_from(late).unwrap_or(u32::MAX));
        Self::build(spread, burst, concurrency, Some((shared, pace)))
    }

    fn build(
        spread: Spread,
        burst: NonZeroU32,
        concurrency: NonZeroU32,
        shared: Option<(Arc<dyn SharedQuota>, Pace)>,
    ) -> Self {
        let clock = TokioClock { start: Instant::now() };
        let burst = burst.min(Spread::most(spread.interval));
        let governed = governor::Quota::with_period(spread.interval)
            .unwrap_or(governor::Quota::per_second(NonZeroU32::MIN))
            .allow_burst(burst);
        let permits = usize::try_from(concurrency.get()).unwrap_or(Semaphore::MAX_PERMITS);
        Self {
            clock,
            permits: Semaphore::new(permits.min(Semaphore::MAX_PERMITS)),
            turn: Semaphore::new(1),
            governor: Governor::direct_with_clock(governed, clock),
            interval: spread.interval,
            tolerance: spread.interval.saturating_mul(spread.burst.get() - 1),
            queued: AtomicU32::new(0),
            arrival: AtomicMoment::default(),
            paused_until: AtomicMoment::default(),
            promised: AtomicMoment::default(),
            desk: shared.map(|(shared, pace)| Desk::new(shared, pace, clock)),
            turning: AtomicU32::new(0),
            sharers: AtomicU32::new(1),
            epoch: AtomicU64::new(0),
        }
    }

    /// Takes a permit and waits for this call's turn, at most `patience` in all. Whoever would wait longer is told
    /// so at once.
    pub async fn enter(&self, patience: Duration) -> Result<Pass<'_>, Held> {
        let (deadline, _queued) = self.join_queue(patience)?;
        let permit = self.acquire(&self.permits, deadline).await?;
        self.take_turn(deadline).await?;
        Ok(Pass { _permit: permit })
    }

    /// Lets no call leave for this long, here and in every process that shares the quota. A shorter pause never ends a
    /// longer one.
    pub fn pause(&self, wait: Duration, why: impl Into<Cow<'static, str>>) {
        self.paused_until.raise(self.clock.now().saturating_add(wait));
        if let Some(desk) = &self.desk {
            desk.stay_away(wait, why.into());
        }
    }

    /// How long the provider is still paused.
    pub fn paused_for(&self) -> Option<Duration> {
        let left = self.shut_until().saturating_sub(self.clock.now());
        (!left.is_zero()).then_some(left)
    }

    /// Does what the fleet says. Tells whether the provider was opened again since the last time.
    pub fn obey(&self, gate: Gate) -> bool {
        self.sharers.store(gate.sharers.get(), Ordering::Relaxed);
        let reopened = self.epoch.swap(gate.epoch, Ordering::Relaxed) != gate.epoch;
        if reopened {
            self.paused_until.set(Duration::ZERO);
            self.promised.set(Duration::ZERO);
        }
        if let Some(desk) = &self.desk {
            desk.close_for(gate.closed_for);
            if reopened {
                desk.reopen();
            }
        }
        reopened
    }

    /// Until when the provider is closed to us, by its own word or by the fleet's.
    fn shut_until(&self) -> Duration {
        self.paused_until.get().max(self.desk.as_ref().map_or(Duration::ZERO, |desk| desk.shut_until()))
    }

    /// Counts the caller in, unless those before it already fill its patience. Gives its deadline.
    fn join_queue(&self, patience: Duration) -> Result<(Duration, Counted<'_>), Held> {
        let now = self.clock.now();
        let deadline = now.saturating_add(patience);
        let ahead = self.queued.fetch_add(1, Ordering::Relaxed);
        let queued = Counted(&self.queued);
        let forecast = self.forecast(ahead, now);
        if forecast > deadline { Err(self.held(forecast)) } else { Ok((deadline, queued)) }
    }

    /// When a caller with this many before it could leave, if nothing else held it up.
    fn forecast(&self, ahead: u32, now: Duration) -> Duration {
        let arrival = self.arrival.get().max(now).saturating_add(self.step().saturating_mul(ahead));
        let closed_until = self.desk.as_ref().map_or(Duration::ZERO, |desk| desk.closed_until());
        arrival.saturating_sub(self.tolerance).max(self.paused_until.get()).max(closed_until).max(now)
    }

    /// The time between two of our calls, if every process that shares the quota has its part.
    fn step(&self) -> Duration {
        self.interval.saturating_mul(self.sharers.load(Ordering::Relaxed))
    }

    async fn acquire<'a>(
        &self,
        semaphore: &'a Semaphore,
        deadline: Duration,
    ) -> Result<SemaphorePermit<'a>, Held> {
        // The free case sets no timer. It jumps no queue: permits given back go to waiters first.
        if let Ok(permit) = semaphore.try_acquire() {
            return Ok(permit);
        }
        let left = deadline.saturating_sub(self.clock.now());
        match timeout(left, semaphore.acquire()).await {
            Ok(Ok(permit)) => Ok(permit),
            // The semaphores are never closed, so what remains is that time ran out.
            Ok(Err(_)) | Err(_) => Err(self.held(self.forecast(0, self.clock.now()))),
        }
    }

    /// Waits as the head of the queue until neither the pause nor the quota objects.
    async fn take_turn(&self, deadline: Duration) -> Result<(), Held> {
        self.turning.fetch_add(1, Ordering::Relaxed);
        let _turning = Counted(&self.turning);
        let _turn = self.acquire(&self.turn, deadline).await?;
        loop {
            // Registered before the look, so that no news between the two is missed.
            let mut news = std::pin::pin!(self.desk.as_ref().map(|desk| desk.news.notified()));
            if let Some(news) = news.as_mut().as_pin_mut() {
                news.enable();
            }
            let now = self.clock.now();
            let moment = match self.try_leave(now) {
                Ok(()) => return Ok(()),
                Err(Wait::Until(moment)) if moment > deadline => return Err(self.held(moment)),
                Err(Wait::Perhaps(_)) if now >= deadline => return Err(self.held(self.forecast(0, now))),
                Err(Wait::Until(moment) | Wait::Perhaps(moment)) => moment,
            };
            let asleep = sleep(moment.min(deadline).saturating_sub(now));
            match news.as_mut().as_pin_mut() {
                Some(news) => tokio::select! { () = asleep => {} () = news => {} },
                None => asleep.await,
            }
        }
    }

    /// Lets one call leave now, or tells when to ask again. For the head of the queue.
    fn try_leave(&self, now: Duration) -> Result<(), Wait> {
        let shut_until = self.shut_until();
        if shut_until > now {
            return Err(Wait::Until(shut_until));
        }
        if let Some(desk) = &self.desk {
            match desk.turn(now, self.turning.load(Ordering::Relaxed)) {
                Turn::Now => {}
                Turn::At(moment) => return Err(Wait::Until(moment_of(moment))),
                Turn::Perhaps(moment) => return Err(Wait::Perhaps(moment_of(moment))),
            }
        }
        self.governor.check().map_err(|not_until| Wait::Until(not_until.earliest_possible()))?;
        if let Some(desk) = &self.desk {
            desk.spend(now);
        }
        self.arrival.set(self.arrival.get().max(now).saturating_add(self.step()));
        Ok(())
    }

    /// Sends a caller away with a moment of its own.
    fn held(&self, earliest: Duration) -> Held {
        let moment = self.promised.advance(earliest, self.step());
        Held { after: moment.saturating_sub(self.clock.now()) }
    }
}

/// Why a call may not leave yet.
#[derive(Clone, Copy, Debug)]
enum Wait {
    Until(Duration),
    /// Nobody knows: to be looked at again then.
    Perhaps(Duration),
}

/// A place among those counted, given up when dropped.
#[derive(Debug)]
struct Counted<'a>(&'a AtomicU32);

impl Drop for Counted<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}

/// A quota as GCRA sees it.
///
/// With a burst of b and one more call each interval t, a window w sees at most b + ⌊w/t⌋ calls. For this to stay
/// within the quota's `calls`, t must be longer than w/(calls - b + 1). So a large burst costs steady rate: half
/// the quota as burst halves it, the whole quota as burst leaves one call a window.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
struct Spread {
    interval: Duration,
    burst: NonZeroU32,
}

impl Spread {
    /// What governor's 64-bit nanoseconds can hold without overflow: 146 years.
    const LONGEST: u128 = (u64::MAX / 4) as u128;
    /// How late, in nanoseconds, a timer of whole milliseconds wakes a waiter on a busy machine. Calls that
    /// belong closer together than this may come together, or a quota of thousands a second would never be used.
    const GRAIN: u128 = 5_000_000;

    fn of(quota: Quota) -> Self {
        Self::with_slack(quota, Duration::ZERO)
    }

    /// The same, for a window that is longer by this much.
    fn with_slack(quota: Quota, slack: Duration) -> Self {
        let even = (quota.window.as_nanos() / u128::from(quota.calls.get())).max(1);
        let grain = u32::try_from(Self::GRAIN / even).unwrap_or(u32::MAX);
        let burst = quota.burst.max(NonZeroU32::MIN.saturating_add(grain)).min(quota.calls);
        let steady = u128::from(quota.calls.get() - burst.get()) + 1;
        let interval = ((quota.window + slack).as_nanos() / steady + 1).min(Self::LONGEST);
        let interval = Duration::from_nanos(u64::try_from(interval).unwrap_or(u64::MAX));
        // A burst whose tolerance would overflow is cut; with the interval unchanged, that is only more careful.
        Self { interval, burst: burst.min(Self::most(interval)) }
    }

    /// The largest burst whose tolerance does not overflow.
    fn most(interval: Duration) -> NonZeroU32 {
        let most = u32::try_from(Self::LONGEST / interval.as_nanos().max(1)).unwrap_or(u32::MAX);
        NonZeroU32::new(most).unwrap_or(NonZeroU32::MIN)
    }
}

/// Tokio's clock, which tests can pause, told as time since the limiter was made.
#[derive(Clone, Copy, Debug)]
struct TokioClock {
    start: Instant,
}

impl TokioClock {
    fn elapsed(self) -> Duration {
        self.start.elapsed()
    }
}

impl Clock for TokioClock {
    type Instant = Duration;

    fn now(&self) -> Duration {
        self.elapsed()
    }
}

/// A moment on [`TokioClock`] that many may read and move, in nanoseconds.
#[derive(Debug, Default)]
struct AtomicMoment(AtomicU64);

impl AtomicMoment {
    fn get(&self) -> Duration {
        Duration::from_nanos(self.0.load(Ordering::Acquire))
    }

    fn set(&self, moment: Duration) {
        self.0.store(nanos(moment), Ordering::Release);
    }

    /// Moves it forwards to `moment`, never back.
    fn raise(&self, moment: Duration) {
        self.0.fetch_max(nanos(moment), Ordering::AcqRel);
    }

    /// Moves it forwards to `earliest`, and by at least `step`; gives what it became.
    fn advance(&self, earliest: Duration, step: Duration) -> Duration {
        let (earliest, step) = (nanos(earliest), nanos(step));
        let next = |last: u64| earliest.max(last.saturating_add(step));
        let last = self.0.fetch_update(Ordering::AcqRel, Ordering::Acquire, |last| Some(next(last)));
        Duration::from_nanos(next(last.unwrap_or_else(|last| last)))
    }
}

/// A moment of the slots on our clock: none lies before it began.
fn moment_of(nanoseconds: hand::Moment) -> Duration {
    Duration::from_nanos(u64::try_from(nanoseconds).unwrap_or(0))
}

fn nanos(duration: Duration) -> u64 {
    u64::try_from(duration.as_nanos()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests;
