//! How many jobs are claimed ahead of the places to run them: as many as are worked off while the next ones are fetched.
//!
//! More would be fewer statements, and leases on jobs that others could start earlier.
//!
//! Invariant: pure but for the moment that it is told.

use std::num::NonZeroU32;
use std::time::Duration;

use tokio::time::Instant;

/// For how long what was claimed ahead should last.
const LASTS: Duration = Duration::from_millis(250);
/// At least as long as so many claims take: a slow database must not leave places empty.
const CLAIMS: u32 = 4;

/// How far ahead jobs are claimed, learned from claim to claim.
#[derive(Debug)]
pub(super) struct Ahead {
    most: u32,
    jobs: u32,
    last: Option<(Instant, u64)>,
}

impl Ahead {
    /// At first a whole batch: nobody knows yet how long they take.
    pub(super) fn up_to(batch: NonZeroU32) -> Self {
        Self { most: batch.get(), jobs: batch.get(), last: None }
    }

    pub(super) const fn jobs(&self) -> u32 {
        self.jobs
    }

    /// A claim took so long, and `finished` jobs have come to an end in all, up to this moment.
    pub(super) fn learn(&mut self, claim: Duration, finished: u64, now: Instant) {
        let (before, had_finished) = *self.last.get_or_insert((now, finished));
        let passed = now.duration_since(before);
        // Jobs come to an end in groups: a shorter while says nothing of their pace.
        if passed < LASTS {
            return;
        }
        self.last = Some((now, finished));
        let lasts = LASTS.max(claim * CLAIMS).as_secs_f64();
        #[expect(clippy::cast_precision_loss, reason = "a pace")]
        let wanted = (finished.saturating_sub(had_finished) as f64 / passed.as_secs_f64() * lasts).ceil();
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "bounded")]
        let wanted = wanted.clamp(1.0, f64::from(self.most)) as u32;
        self.jobs = wanted;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What is claimed ahead after so many jobs were finished within so many milliseconds, with claims that took so many.
    fn after(finished: u64, milliseconds: u64, claim: u64) -> u32 {
        let mut ahead = Ahead::up_to(NonZeroU32::new(100).unwrap());
        let began = Instant::now();
        ahead.learn(Duration::from_millis(claim), 7, began);
        assert_eq!(ahead.jobs(), 100, "nobody knows yet");
        ahead.learn(Duration::from_millis(claim), 7 + finished, began + Duration::from_millis(milliseconds));
        ahead.jobs()
    }

    #[test]
    fn slow_lookups_are_claimed_one_by_one_and_fast_ones_by_the_batch() {
        for (finished, milliseconds, claim, jobs) in [
            (0, 60_000, 2, 1),
            (10, 1_000, 2, 3),
            (320, 1_000, 2, 80),
            (3_000, 1_000, 2, 100),
            (50_000, 1_000, 2, 100),
            // The database is slow: places must not run empty meanwhile.
            (320, 1_000, 50, 80),
            (100, 1_000, 100, 40),
            (320, 1_000, 5_000, 100),
            // Too soon to say.
            (5, 0, 2, 100),
            (5, 10, 2, 100),
        ] {
            assert_eq!(
                after(finished, milliseconds, claim),
                jobs,
                "{finished} in {milliseconds} ms, {claim} ms"
            );
        }
    }
}
