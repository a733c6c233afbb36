//! When a job that did not finish runs again.
//!
//! Full jitter (AWS Architecture Blog, "Exponential Backoff And Jitter"): the delay is a random part of a doubling
//! bound. The randomness is a hash of job and attempt: spread out over jobs, and the same when a test asks twice.
//!
//! Invariant: pure.

use std::time::Duration;

use jiff::Timestamp;

use crate::config::Retry;
use crate::jitter;
use crate::job::{Claimed, JobId};

/// Whether this execution is the last one if it fails: no attempt is left, or the job is too old to be put off again.
pub(super) fn is_last_chance(job: &Claimed, retry: &Retry, now: Timestamp) -> bool {
    job.attempt >= retry.max_attempts.get() || is_too_old(job, retry, now)
}

/// Whether the job is too old to be put off for any reason.
pub(super) fn is_too_old(job: &Claimed, retry: &Retry, now: Timestamp) -> bool {
    now.duration_since(job.queued_at) >= retry.max_age()
}

/// How long to wait after this attempt failed.
pub(super) fn delay(job: JobId, attempt: u32, retry: &Retry) -> Duration {
    let doublings = attempt.saturating_sub(1).min(31);
    let bound = retry.base().saturating_mul(1 << doublings).min(retry.cap());
    bound.mul_f64(part(job, attempt)).max(Duration::from_millis(1))
}

fn part(job: JobId, attempt: u32) -> f64 {
    let seed = job.0.cast_unsigned().wrapping_add(u64::from(attempt) << 48);
    jitter::part(seed.wrapping_add(jitter::GOLDEN))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn a_delay_is_a_part_of_its_bound(job in any::<i64>(), attempt in 1_u32..100) {
            let retry = Retry::default();
            let bound = retry.base().saturating_mul(1 << (attempt - 1).min(31)).min(retry.cap());
            let delay = delay(JobId(job), attempt, &retry);
            prop_assert!(delay > Duration::ZERO && delay <= bound);
        }
    }

    #[test]
    fn jobs_spread_over_the_whole_bound() {
        let retry = Retry::default();
        let mut tenths = [0_u32; 10];
        for job in 0..10_000 {
            let part = delay(JobId(job), 1, &retry).as_secs_f64() / retry.base().as_secs_f64();
            #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "0 to 9")]
            let tenth = (part * 10.0) as usize;
            tenths[tenth] += 1;
        }
        // Even to within five standard deviations of 1,000 ± 30.
        assert!(tenths.iter().all(|count| count.abs_diff(1_000) < 150), "{tenths:?}");
    }
}
