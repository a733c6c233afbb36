//! The slots that this process holds: when the next one may be used, and when to ask for more.
//!
//! Invariant: pure, and told the time. A slot is used once, not before its moment and not after its grace.

use std::collections::VecDeque;
use std::time::Duration;

use super::shared::{Ask, Away, Grant, HORIZON, Pace, Slots, nanos};

/// Nanoseconds since the limiter was made.
pub(super) type Moment = i64;

const MILLISECOND: i64 = 1_000_000;
/// How long before the last slot is due more are asked for, at the least.
const LEAD: i64 = 250 * MILLISECOND;
/// What part of a second's need is foreseen: what [`LEAD`] is of it.
const FORESIGHT: u32 = 4;
/// The shortest time between two questions: callers that come in between share the second one.
const GAP: i64 = 20 * MILLISECOND;
/// How soon a keeper that cannot be reached is asked again; doubles up to the longest.
const FIRST_PAUSE: i64 = 100 * MILLISECOND;
const LONGEST_PAUSE: i64 = 2_000 * MILLISECOND;
/// How soon one that cannot say when is asked again.
const UNKNOWN: i64 = 500 * MILLISECOND;
/// Slots that nobody used are given back for so long after their grant; later they might belong to yesterday's budget.
const UNUSED_FOR: i64 = 5_000 * MILLISECOND;
/// What an answer is expected to take at first, and at most.
const FIRST_NOTICE: i64 = 20 * MILLISECOND;
const LONGEST_NOTICE: i64 = 250 * MILLISECOND;

/// Slots in hand, and what is known of the line they come from.
#[derive(Debug)]
pub(super) struct Hand {
    pace: Pace,
    slices: VecDeque<Slice>,
    timebase: Timebase,
    /// A question is on its way.
    asking: bool,
    asked_at: Moment,
    closed: Closed,
    failures: u32,
    unused: u32,
    /// When the first of these were granted.
    unused_since: Moment,
    ample: bool,
    leaves: Lately,
    /// Slots whose time was over.
    drops: Lately,
    /// What the slowest of the last answers took.
    notice: i64,
}

/// Slots an interval apart.
#[derive(Clone, Copy, Debug)]
struct Slice {
    granted: Moment,
    first: Moment,
    count: u32,
}

/// Until when asking is useless.
#[derive(Clone, Copy, Debug, Default)]
struct Closed {
    until: Moment,
    /// Whether that is known, or only when to try again.
    is_firm: bool,
}

/// What the head of the queue can do.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Turn {
    /// Leave.
    Now,
    /// Nothing before this moment.
    At(Moment),
    /// Look again at this moment, or when there is news.
    Perhaps(Moment),
}

impl Hand {
    pub(super) fn new(pace: Pace) -> Self {
        Self {
            pace,
            slices: VecDeque::new(),
            timebase: Timebase::default(),
            asking: false,
            asked_at: -GAP,
            closed: Closed::default(),
            failures: 0,
            unused: 0,
            unused_since: 0,
            ample: false,
            leaves: Lately::default(),
            drops: Lately::default(),
            notice: FIRST_NOTICE,
        }
    }

    /// When the head of the queue may leave. Drops the slots whose time is over.
    pub(super) fn turn(&mut self, now: Moment) -> Turn {
        self.drop_stale(now);
        match self.slices.front() {
            Some(slice) if slice.first <= now => Turn::Now,
            Some(slice) => Turn::At(slice.first),
            None if self.asking => Turn::Perhaps(Moment::MAX),
            None if now < self.closed.until && self.closed.is_firm => Turn::At(self.closed.until),
            None => Turn::Perhaps(self.closed.until.max(self.asked_at + GAP).max(now)),
        }
    }

    /// Uses the first slot: call only after [`Turn::Now`].
    pub(super) fn spend(&mut self, now: Moment) {
        self.leaves.count(now, 1);
        let interval = nanos(self.pace.interval);
        if let Some(slice) = self.slices.front_mut() {
            slice.first += interval;
            slice.count -= 1;
            if slice.count == 0 {
                self.slices.pop_front();
            }
        }
    }

    /// What to ask for now, on behalf of so many waiting callers; counts as asking.
    pub(super) fn ask(&mut self, now: Moment, waiting: u32) -> Option<Ask> {
        if self.asking
            || now < self.closed.until
            || now < self.asked_at + GAP
            || self.end() > now + self.lead()
        {
            return None;
        }
        let lack = waiting.saturating_sub(self.len());
        let ahead = if self.ample && self.leaves.lately(now) > 1 {
            self.whole_horizon()
        } else {
            self.foreseen(now).saturating_sub(self.len())
        };
        let want = lack.max(ahead);
        if want == 0 {
            return None;
        }
        (self.asking, self.asked_at) = (true, now);
        if now > self.unused_since + UNUSED_FOR {
            self.unused = 0;
        }
        let notice = Duration::from_nanos(self.notice.cast_unsigned());
        Some(Ask { want, unused: std::mem::take(&mut self.unused), notice, pace: self.pace })
    }

    /// Takes in what came of a question that was sent and answered at these moments.
    pub(super) fn take(&mut self, sent: Moment, answered: Moment, grant: Result<Grant, Away>) {
        self.asking = false;
        let Ok(grant) = grant else {
            self.failures += 1;
            let pause = (FIRST_PAUSE << (self.failures - 1).min(10)).min(LONGEST_PAUSE);
            self.closed = Closed { until: answered + pause, is_firm: false };
            return;
        };
        self.failures = 0;
        self.notice = (answered - sent).max(self.notice - self.notice / 8).min(LONGEST_NOTICE);
        self.ample = grant.ample;
        let shared = |at: jiff::Timestamp| i64::try_from(at.as_nanosecond()).unwrap_or(i64::MAX);
        if self.timebase.learn(shared(grant.now), sent, answered) == Learnt::ClockWasSet {
            // What was given away by the old time may be given away again by the new one.
            self.slices.clear();
        }
        match grant.slots {
            Slots::From { first, count } if count > 0 => {
                self.closed = Closed::default();
                let first = self.timebase.local(shared(first));
                self.slices.push_back(Slice { granted: sent, first, count });
            }
            Slots::NoneBefore(Some(at)) => {
                self.closed = Closed { until: self.timebase.local(shared(at)), is_firm: true };
            }
            Slots::From { .. } | Slots::NoneBefore(None) => {
                self.closed = Closed { until: answered + UNKNOWN, is_firm: false };
            }
        }
    }

    /// Forgets when asking was useless: something has changed.
    pub(super) fn reopen(&mut self) {
        self.closed = Closed::default();
    }

    /// Until when it is known that nothing can be had.
    pub(super) fn closed_until(&self) -> Moment {
        if self.closed.is_firm { self.closed.until } else { 0 }
    }

    fn len(&self) -> u32 {
        self.slices.iter().map(|slice| slice.count).sum()
    }

    /// The moment of the slot after the last one.
    fn end(&self) -> Moment {
        let end = |slice: &Slice| slice.first + nanos(self.pace.interval) * i64::from(slice.count);
        self.slices.back().map_or(Moment::MIN, end)
    }

    /// How long before the last slot is due more are asked for: a keeper that has been slow is asked sooner.
    const fn lead(&self) -> i64 {
        LEAD + 2 * self.notice
    }

    /// What callers who are not here yet will need until the next question, if they come as they did within the last second; but
    /// nothing where many slots are dropped because nobody comes for them.
    fn foreseen(&mut self, now: Moment) -> u32 {
        let lately = self.leaves.lately(now);
        let is_wasteful = self.drops.lately(now) > lately / 4;
        if is_wasteful { 0 } else { lately.div_ceil(FORESIGHT) }
    }

    /// Every slot up to the horizon, where the callers are too many to ask for each.
    fn whole_horizon(&self) -> u32 {
        u32::try_from(nanos(HORIZON) / nanos(self.pace.interval).max(1)).unwrap_or(u32::MAX)
    }

    fn drop_stale(&mut self, now: Moment) {
        let interval = nanos(self.pace.interval).max(1);
        let usable = nanos(self.pace.tolerance) + nanos(self.pace.grace);
        while let Some(slice) = self.slices.front_mut() {
            let late = now - (slice.first + usable);
            if late <= 0 {
                return;
            }
            let stale = u32::try_from((late + interval - 1) / interval).unwrap_or(u32::MAX).min(slice.count);
            slice.first += interval * i64::from(stale);
            self.drops.count(now, stale);
            slice.count -= stale;
            if now <= slice.granted + UNUSED_FOR {
                self.unused_since =
                    if self.unused == 0 { slice.granted } else { self.unused_since.min(slice.granted) };
                self.unused = self.unused.saturating_add(stale);
            }
            if slice.count > 0 {
                return;
            }
            self.slices.pop_front();
        }
    }
}

/// How the shared clock and ours differ.
///
/// Each answer was given at some moment between question and arrival, so it bounds the difference from both sides; together the
/// answers bound it more narrowly than any of them, and their differing delays do not shake our slots.
#[derive(Debug, Default)]
struct Timebase {
    bounds: Option<(i64, i64)>,
    learnt_at: Moment,
}

#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Learnt {
    Agrees,
    ClockWasSet,
}

impl Timebase {
    /// How far two clocks may drift apart in a second.
    const DRIFT_PER_SECOND: i64 = 500_000;

    fn learn(&mut self, shared: i64, sent: Moment, answered: Moment) -> Learnt {
        let told = (shared.saturating_sub(answered), shared.saturating_sub(sent));
        let drift = (answered - self.learnt_at) / 1_000_000_000 * Self::DRIFT_PER_SECOND + 50_000;
        self.learnt_at = answered;
        let known = self.bounds.map_or(told, |(low, high)| (low - drift, high + drift));
        let both = (known.0.max(told.0), known.1.min(told.1));
        let agrees = both.0 <= both.1;
        self.bounds = Some(if agrees { both } else { told });
        if agrees { Learnt::Agrees } else { Learnt::ClockWasSet }
    }

    /// A moment of the shared clock on ours.
    fn local(&self, shared: i64) -> Moment {
        let (low, high) = self.bounds.unwrap_or_default();
        shared.saturating_sub(low + (high - low) / 2)
    }
}

/// What happened within the last second, roughly.
#[derive(Debug, Default)]
struct Lately {
    since: Moment,
    now: u32,
    before: u32,
}

impl Lately {
    const HALF: i64 = 500 * MILLISECOND;

    fn count(&mut self, now: Moment, times: u32) {
        self.turn_over(now);
        self.now = self.now.saturating_add(times);
    }

    fn lately(&mut self, now: Moment) -> u32 {
        self.turn_over(now);
        self.now.saturating_add(self.before)
    }

    fn turn_over(&mut self, now: Moment) {
        let halves = (now - self.since) / Self::HALF;
        if halves > 0 {
            self.before = if halves == 1 { self.now } else { 0 };
            self.now = 0;
            self.since = now;
        }
    }
}
