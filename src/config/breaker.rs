//! When a provider that fails is left alone.
//!
//! Invariant: checked by `check.rs`; the longest pause is no shorter than the first.

use std::time::Duration;

use serde::Deserialize;

/// The table `[breaker]`.
#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq)]
#[serde(default, deny_unknown_fields)]
pub struct BreakerRule {
    /// Lookups that fail one after the other; half of the last twenty are enough, too. 0: it is never left alone.
    pub failures: u32,
    /// How long it is left alone the first time; each time in a row is twice as long.
    pub open_secs: u32,
    /// It is never left alone for longer.
    pub longest_secs: u32,
}

impl BreakerRule {
    pub const fn is_on(&self) -> bool {
        self.failures > 0
    }

    pub fn open(&self) -> Duration {
        Duration::from_secs(self.open_secs.into())
    }

    pub fn longest(&self) -> Duration {
        Duration::from_secs(self.longest_secs.into())
    }

    /// What is wrong with it.
    pub(super) fn problem(&self) -> Option<(&'static str, String)> {
        if self.open_secs == 0 {
            return Some(("breaker.open_secs", "must be at least 1, and is 0".to_owned()));
        }
        let (first, longest) = (self.open_secs, self.longest_secs);
        let message = || format!("is {longest}, less than `open_secs`, which is {first}");
        (longest < first).then(|| ("breaker.longest_secs", message()))
    }
}

impl Default for BreakerRule {
    fn default() -> Self {
        Self { failures: 5, open_secs: 30, longest_secs: 15 * 60 }
    }
}
