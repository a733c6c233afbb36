//! How long to wait before trying again, and when to say so.
//!
//! Full jitter over a doubling bound: a fleet that lost its broker does not come back as one. The bound is small,
//! because a broker that is back should be noticed within seconds.
//!
//! Invariant: pure, but for the seed.

use std::time::Duration;

use crate::clock::SharedClock;
use crate::jitter;

/// The longest first pause.
const FIRST: Duration = Duration::from_millis(100);
/// No pause is longer.
const LONGEST: Duration = Duration::from_secs(3);

/// The pauses between attempts at one thing.
#[derive(Debug)]
pub(super) struct Pauses {
    seed: u64,
    attempts: u32,
}

impl Pauses {
    pub(super) fn new(clock: &SharedClock) -> Self {
        // Processes that start together differ in this, too.
        let seed = u64::try_from(clock.now().as_nanosecond() & i128::from(u64::MAX)).unwrap_or_default();
        Self { seed: seed ^ u64::from(std::process::id()) << 32, attempts: 0 }
    }

    /// The next pause, and whether this attempt is worth a line in the log: the first, the second, the fourth, …
    pub(super) fn next(&mut self) -> (Duration, bool) {
        self.attempts = self.attempts.saturating_add(1);
        let doublings = (self.attempts - 1).min(16);
        let bound = FIRST.saturating_mul(1 << doublings).min(LONGEST);
        // Never none at all: something that fails at once is not asked again at once.
        let pause = bound.mul_f64(0.25 + 0.75 * part(self.seed, self.attempts));
        (pause, self.attempts.is_power_of_two())
    }

    /// It worked: the next pause is a short one.
    pub(super) fn start_over(&mut self) {
        self.attempts = 0;
    }
}

fn part(seed: u64, attempt: u32) -> f64 {
    jitter::part(seed.wrapping_add(u64::from(attempt).wrapping_mul(jitter::GOLDEN)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_grow_to_a_bound_and_are_told_at_growing_distance() {
        for seed in 0..100 {
            let mut pauses = Pauses { seed, attempts: 0 };
            let taken: Vec<_> = (0..64).map(|_| pauses.next()).collect();
            assert!(taken[0].0 <= FIRST && taken[0].0 >= FIRST / 4, "{taken:?}");
            assert!(taken.iter().all(|(pause, _)| *pause >= FIRST / 4 && *pause <= LONGEST), "{taken:?}");
            assert!(taken[10..].iter().all(|(pause, _)| *pause >= LONGEST / 4), "{taken:?}");
            let told: Vec<_> = (1..).zip(&taken).filter(|(_, (_, told))| *told).map(|(at, _)| at).collect();
            assert_eq!(told, [1, 2, 4, 8, 16, 32, 64]);
            pauses.start_over();
            assert!(pauses.next().0 <= FIRST);
        }
    }

    #[test]
    fn two_processes_do_not_come_back_as_one() {
        let pauses = |seed| {
            let mut pauses = Pauses { seed, attempts: 0 };
            (0..8).map(|_| pauses.next().0).collect::<Vec<_>>()
        };
        assert_ne!(pauses(1), pauses(2));
    }
}
