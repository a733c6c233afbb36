//! What one worker knows of a provider's breaker.
//!
//! Invariant: pure; the time is told.

use std::collections::VecDeque;
use std::time::Duration;

use tokio::time::Instant;

use crate::config::BreakerRule;

/// The lookups that are remembered; of so many, half may not fail either.
const WINDOW: usize = 20;
/// What the fleet says may be older than what was just told to it.
const HEARSAY: Duration = Duration::from_secs(5);

#[derive(Debug, Default)]
pub(super) struct State {
    /// Whether each of the last lookups failed.
    recent: VecDeque<bool>,
    in_a_row: u32,
    /// Open, or half open.
    tripped: Option<Tripped>,
    /// One of our lookups tries.
    probing: bool,
}

#[derive(Debug)]
struct Tripped {
    since: Instant,
    /// Before that nobody has to ask whether it may be tried.
    until: Instant,
    why: Option<String>,
}

/// What a lookup may do.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Entry {
    Free,
    /// It is the one of this worker that tries, if the fleet allows it.
    Probe,
    Wait(Duration),
}

impl State {
    pub(super) fn enter(&mut self, now: Instant) -> Entry {
        let Some(tripped) = &self.tripped else { return Entry::Free };
        let wait = tripped.until.saturating_duration_since(now);
        if self.probing || !wait.is_zero() {
            return Entry::Wait(wait);
        }
        self.probing = true;
        Entry::Probe
    }

    /// Nobody tries before.
    pub(super) fn wait(&mut self, until: Instant) {
        if let Some(tripped) = &mut self.tripped {
            tripped.until = tripped.until.max(until);
        }
    }

    pub(super) const fn probe_ended(&mut self) {
        self.probing = false;
    }

    pub(super) fn obey(&mut self, now: Instant, trips: u32, closed_for: Duration, why: Option<&str>) {
        let until = now + closed_for;
        match &mut self.tripped {
            Some(tripped) if trips == 0 && now.duration_since(tripped.since) >= HEARSAY => {
                self.tripped = None;
            }
            // What we have just told the fleet, it may not know yet.
            Some(_) if trips == 0 => {}
            Some(tripped) => tripped.until = tripped.until.max(until),
            None if trips > 0 => self.trip(now, until, why),
            None => {}
        }
    }

    /// Whether what began then says anything of now.
    pub(super) fn is_news(&self, began: Instant) -> bool {
        self.tripped.as_ref().is_none_or(|tripped| began > tripped.since)
    }

    pub(super) fn why(&self) -> Option<&str> {
        self.tripped.as_ref()?.why.as_deref()
    }

    /// Notes a success. Whether it closes the breaker.
    pub(super) fn succeeded(&mut self) -> bool {
        let closes = self.tripped.take().is_some();
        if closes {
            self.recent.clear();
        }
        self.in_a_row = 0;
        self.note(false);
        closes
    }

    /// Notes a failure. Whether it opens the breaker.
    pub(super) fn failed(&mut self, rule: &BreakerRule, now: Instant, why: &str) -> bool {
        self.in_a_row += 1;
        self.note(true);
        let failures = self.recent.iter().filter(|failed| **failed).count();
        let half = self.recent.len() == WINDOW && 2 * failures >= WINDOW;
        let opens = self.tripped.is_some() || half || self.in_a_row >= rule.failures;
        if opens {
            self.trip(now, now + rule.open(), Some(why));
        }
        opens
    }

    fn trip(&mut self, since: Instant, until: Instant, why: Option<&str>) {
        let tripped = Some(Tripped { since, until, why: why.map(str::to_owned) });
        *self = Self { tripped, probing: self.probing, ..Self::default() };
    }

    fn note(&mut self, failed: bool) {
        if self.recent.len() == WINDOW {
            self.recent.pop_front();
        }
        self.recent.push_back(failed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const RULE: BreakerRule = BreakerRule { failures: 3, open_secs: 30, longest_secs: 900 };

    fn secs(secs: u64) -> Duration {
        Duration::from_secs(secs)
    }

    fn fail(state: &mut State, now: Instant) -> bool {
        state.failed(&RULE, now, "unavailable: status 503")
    }

    #[test]
    fn failures_in_a_row_open_it_and_a_success_between_them_does_not() {
        let (mut state, now) = (State::default(), Instant::now());
        for _ in 0..9 {
            assert!(!fail(&mut state, now) && !fail(&mut state, now));
            // Three: with two, half of the last twenty would have failed.
            assert!((0..3).all(|_| !state.succeeded()), "it was closed all the time");
            assert_eq!(state.enter(now), Entry::Free);
        }
        assert!(!fail(&mut state, now) && !fail(&mut state, now) && fail(&mut state, now));
        assert_eq!(state.enter(now), Entry::Wait(secs(30)));
        assert_eq!(state.why(), Some("unavailable: status 503"));
    }

    #[test]
    fn half_of_twenty_open_it_however_they_are_mixed() {
        let (mut state, now) = (State::default(), Instant::now());
        let opened = (0..40).position(|n| if n % 2 == 0 { fail(&mut state, now) } else { state.succeeded() });
        assert_eq!(
            opened,
            Some(20),
            "the first moment at which ten of the last twenty have failed after twenty"
        );
    }

    #[test]
    fn one_lookup_tries_and_its_word_decides() {
        let (mut state, now) = (State::default(), Instant::now());
        while !fail(&mut state, now) {}
        let later = now + secs(30);
        assert_eq!(state.enter(later), Entry::Probe);
        assert_eq!(state.enter(later), Entry::Wait(Duration::ZERO), "one at a time");
        state.probe_ended();
        assert_eq!(state.enter(later), Entry::Probe, "the first one came to nothing");
        assert!(fail(&mut state, later), "one failure is enough now");
        state.probe_ended();
        assert_eq!(state.enter(later), Entry::Wait(secs(30)));
        assert_eq!(state.enter(later + secs(30)), Entry::Probe);
        assert!(state.succeeded());
        state.probe_ended();
        assert_eq!(state.enter(later + secs(30)), Entry::Free);
        assert!(!fail(&mut state, later), "what was before is forgotten");
    }

    #[test]
    fn what_began_before_it_opened_is_no_news() {
        let (mut state, now) = (State::default(), Instant::now());
        assert!(state.is_news(now));
        while !fail(&mut state, now + secs(1)) {}
        assert!(!state.is_news(now) && !state.is_news(now + secs(1)) && state.is_news(now + secs(2)));
    }

    #[test]
    fn the_fleet_is_obeyed_but_its_old_news_are_not() {
        let (mut state, now) = (State::default(), Instant::now());
        state.obey(now, 0, Duration::ZERO, None);
        assert_eq!(state.enter(now), Entry::Free);
        state.obey(now, 2, secs(60), Some("status 500"));
        assert_eq!((state.enter(now), state.why()), (Entry::Wait(secs(60)), Some("status 500")));
        state.obey(now + secs(10), 0, Duration::ZERO, None);
        assert_eq!(state.enter(now + secs(10)), Entry::Free, "somebody else has seen it work");

        // Ours is on its way to the store, which does not know of it yet.
        while !fail(&mut state, now + secs(20)) {}
        state.obey(now + secs(21), 0, Duration::ZERO, None);
        assert_eq!(state.enter(now + secs(21)), Entry::Wait(secs(29)));
        // The store has doubled it.
        state.obey(now + secs(22), 3, secs(118), None);
        assert_eq!(state.enter(now + secs(22)), Entry::Wait(secs(118)));
    }
}
