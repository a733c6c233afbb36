//! Enforced quotas: fixed windows that begin with the first call in them, as most vendors count, or sliding ones.
//!
//! Invariant: one short lock a call; a service without a quota is never refused.

use std::collections::VecDeque;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use tokio::time::Instant;

use super::service::{COUNT, Service};
use super::settings::{QuotaSettings, SandboxSettings};

/// What a vendor tells of a quota in its headers.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) struct Allowance {
    pub(super) limit: u32,
    pub(super) remaining: u32,
    /// How long until the window ends.
    pub(super) resets_in: Duration,
    /// Whether this call is within it.
    pub(super) granted: bool,
}

struct Window {
    quota: QuotaSettings,
    seen: Mutex<Seen>,
}

/// The calls that still count.
enum Seen {
    /// When the current window began, and how many calls it has seen.
    Fixed(Option<(Instant, u32)>),
    /// When each call came that was let in.
    Sliding(VecDeque<Instant>),
}

/// The quotas of all services.
pub(super) struct Quotas {
    windows: [Option<Window>; COUNT],
}

impl Quotas {
    pub(super) fn new(settings: &SandboxSettings) -> Self {
        let window = |service| settings.quota(service).map(Window::new);
        Self { windows: Service::ALL.map(window) }
    }

    /// Counts one call. Without a quota the published one is told, untouched.
    pub(super) fn take(&self, service: Service, now: Instant) -> Allowance {
        let Some(window) = self.windows.get(service.index()).and_then(Option::as_ref) else {
            let QuotaSettings { calls, window_secs, .. } = service.facts().quota;
            let resets_in = Duration::from_secs(window_secs);
            return Allowance { limit: calls, remaining: calls, resets_in, granted: true };
        };
        window.take(now)
    }
}

impl Window {
    fn new(quota: QuotaSettings) -> Self {
        let seen = if quota.sliding { Seen::Sliding(VecDeque::new()) } else { Seen::Fixed(None) };
        Self { quota, seen: Mutex::new(seen) }
    }

    fn take(&self, now: Instant) -> Allowance {
        let mut seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        let (granted, used, began) = match &mut *seen {
            Seen::Fixed(current) => self.take_fixed(current, now),
            Seen::Sliding(calls) => self.take_sliding(calls, now),
        };
        Allowance {
            limit: self.quota.calls,
            remaining: self.quota.calls.saturating_sub(used),
            resets_in: self.quota.window().saturating_sub(now.saturating_duration_since(began)),
            granted,
        }
    }

    /// Whether the call is let in, how many the window has seen with it, and when the window began.
    fn take_fixed(&self, current: &mut Option<(Instant, u32)>, now: Instant) -> (bool, u32, Instant) {
        let (began, seen) = current
            .filter(|(began, _)| now.saturating_duration_since(*began) < self.quota.window())
            .unwrap_or((now, 0));
        let seen = seen.saturating_add(1);
        *current = Some((began, seen));
        (seen <= self.quota.calls, seen, began)
    }

    fn take_sliding(&self, calls: &mut VecDeque<Instant>, now: Instant) -> (bool, u32, Instant) {
        // Both ends count: a call exactly one window after another is one too many.
        while calls.front().is_some_and(|call| now.saturating_duration_since(*call) > self.quota.window()) {
            calls.pop_front();
        }
        let granted = calls.len() < usize::try_from(self.quota.calls).unwrap_or(usize::MAX);
        if granted {
            calls.push_back(now);
        }
        let used = u32::try_from(calls.len()).unwrap_or(u32::MAX);
        (granted, used, calls.front().copied().unwrap_or(now))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn window(sliding: bool) -> Window {
        Window::new(QuotaSettings { calls: 3, window_secs: 10, sliding })
    }

    /// Which calls at these seconds are let in.
    fn granted(window: &Window, seconds: &[u64]) -> Vec<bool> {
        let start = Instant::now();
        seconds.iter().map(|second| window.take(start + Duration::from_secs(*second)).granted).collect()
    }

    #[test]
    fn a_fixed_window_lets_twice_as_many_in_around_its_end() {
        assert_eq!(granted(&window(false), &[0, 9, 9, 10, 10, 10]), [true; 6]);
        assert_eq!(granted(&window(false), &[0, 1, 2, 3, 10]), [true, true, true, false, true]);
    }

    #[test]
    fn a_sliding_window_never_does() {
        let expected = [true, true, true, false, true, false, false, true];
        assert_eq!(granted(&window(true), &[0, 9, 9, 10, 11, 11, 19, 20]), expected);
    }

    #[test]
    fn what_is_left_is_told() {
        let (window, start) = (window(true), Instant::now());
        for (second, remaining, resets_in) in [(0, 2, 10), (4, 1, 6), (5, 0, 5), (6, 0, 4), (11, 0, 3)] {
            let told = window.take(start + Duration::from_secs(second));
            assert_eq!((told.remaining, told.resets_in.as_secs()), (remaining, resets_in), "at {second}");
        }
    }
}
