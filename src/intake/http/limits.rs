//! Wrong tokens: each answer is delayed; many from one source lock it.
//!
//! A right token is let in whatever came from its source before: a token of 32 random bytes is not guessed, so the lock is
//! there to spare the process and the log, and it must not be a way to shut the door on others behind the same address.
//!
//! Invariant: bounded memory, however many sources there are.

use std::collections::HashMap;
use std::net::{IpAddr, Ipv6Addr};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use tokio::time::Instant;

/// How long an answer to a wrong token is held back.
pub(super) const DELAY: Duration = Duration::from_millis(250);
const WINDOW: Duration = Duration::from_mins(1);
/// Wrong tokens in a window from which on a source is locked until the window ends.
const LOCKED_FROM: u32 = 10;
const SOURCES: usize = 4_096;

/// Wrong tokens by source.
#[derive(Debug, Default)]
pub(super) struct Failures(Mutex<HashMap<IpAddr, Window>>);

#[derive(Clone, Copy, Debug)]
struct Window {
    began: Instant,
    failures: u32,
}

impl Window {
    fn left(&self, now: Instant) -> Duration {
        WINDOW.saturating_sub(now - self.began)
    }
}

impl Failures {
    /// Counts one; where the source is locked, says how long it still is.
    pub(super) fn count(&self, source: IpAddr) -> Option<Duration> {
        let (now, source) = (Instant::now(), network(source));
        let mut windows = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if windows.len() >= SOURCES && !windows.contains_key(&source) {
            windows.retain(|_, window| !window.left(now).is_zero());
            if windows.len() >= SOURCES {
                // So many sources at once are one attack: whoever is new among them is locked.
                return Some(WINDOW);
            }
        }
        let fresh = Window { began: now, failures: 0 };
        let window = windows.entry(source).or_insert(fresh);
        if window.left(now).is_zero() {
            *window = fresh;
        }
        if window.failures >= LOCKED_FROM {
            return Some(window.left(now));
        }
        window.failures += 1;
        None
    }
}

/// One customer of a provider has a whole /64 of IPv6 addresses.
fn network(source: IpAddr) -> IpAddr {
    match source.to_canonical() {
        IpAddr::V6(address) => IpAddr::V6(Ipv6Addr::from_bits(address.to_bits() & (u128::MAX << 64))),
        address @ IpAddr::V4(_) => address,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn source(text: &str) -> IpAddr {
        text.parse().unwrap()
    }

    #[tokio::test(start_paused = true)]
    async fn a_source_is_locked_for_the_rest_of_its_minute() {
        let failures = Failures::default();
        for _ in 0..LOCKED_FROM {
            assert_eq!(failures.count(source("192.0.2.1")), None);
        }
        tokio::time::advance(Duration::from_secs(20)).await;
        assert_eq!(failures.count(source("192.0.2.1")), Some(Duration::from_secs(40)));
        assert_eq!(
            failures.count(source("::ffff:192.0.2.1")),
            Some(Duration::from_secs(40)),
            "the same in IPv6"
        );
        assert_eq!(failures.count(source("192.0.2.2")), None, "another is not");
        tokio::time::advance(Duration::from_secs(40)).await;
        assert_eq!(failures.count(source("192.0.2.1")), None);
    }

    #[tokio::test(start_paused = true)]
    async fn addresses_of_one_network_count_together() {
        let failures = Failures::default();
        for n in 0..LOCKED_FROM {
            assert_eq!(failures.count(source(&format!("2001:db8:0:1::{n}"))), None);
        }
        assert!(failures.count(source("2001:db8:0:1:ffff::1")).is_some());
        assert_eq!(failures.count(source("2001:db8:0:2::1")), None);
    }

    #[tokio::test(start_paused = true)]
    async fn many_sources_take_no_more_room() {
        let failures = Failures::default();
        let many =
            |first: u8| (0..SOURCES).map(move |n| source(&format!("{first}.0.{}.{}", n / 256, n % 256)));
        for each in many(10) {
            assert_eq!(failures.count(each), None);
        }
        assert!(failures.count(source("11.0.0.0")).is_some());
        assert_eq!(failures.count(source("10.0.0.0")), None, "those who are known are still counted");
        tokio::time::advance(WINDOW).await;
        for each in many(11) {
            assert_eq!(failures.count(each), None);
        }
        assert_eq!(failures.0.lock().unwrap().len(), SOURCES);
    }
}
