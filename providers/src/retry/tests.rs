//! Delays, limits and the budget.

use std::time::Duration;

use tokio::time::advance;

use super::{LONGEST_TOTAL, Retries, RetryBudget, spread_out};
use crate::error::LookupError;

fn unavailable() -> LookupError {
    LookupError::unavailable("test")
}

#[expect(clippy::unnecessary_wraps, reason = "spares the table a `Some` in each row")]
fn seconds(seconds: u64) -> Option<Duration> {
    Some(Duration::from_secs(seconds))
}

#[test]
fn attempts_are_counted_and_waits_bounded() {
    for attempts in 0..6 {
        let mut retries = Retries::new(attempts);
        let delays: Vec<_> = std::iter::from_fn(|| retries.delay(&unavailable(), None)).collect();
        assert_eq!(delays.len(), usize::try_from(attempts.saturating_sub(1)).unwrap());
    }
    for _ in 0..100 {
        let mut retries = Retries::new(u32::MAX);
        let total: Duration = std::iter::from_fn(|| retries.delay(&unavailable(), None)).sum();
        assert!(total <= LONGEST_TOTAL, "{total:?}");
    }
}

#[test]
fn first_delays_are_fully_jittered() {
    let firsts: Vec<_> = (0..400).filter_map(|_| Retries::new(2).delay(&unavailable(), None)).collect();
    assert_eq!(firsts.len(), 400);
    let within = |low, high| {
        let range = Duration::from_millis(low)..=Duration::from_millis(high);
        firsts.iter().filter(|delay| range.contains(delay)).count()
    };
    assert_eq!(within(0, 400), 400);
    // A quarter each is expected; below 40 of 100 happens once in 10^15.
    for quarter in 0..4 {
        assert!(within(quarter * 100, quarter * 100 + 100) > 40, "quarter {quarter}");
    }
}

#[test]
fn only_passing_faults_are_waited_out() {
    let limited = |after| LookupError::RateLimited { after: Duration::from_secs(after) };
    let reason = || "test".into();
    let cases = [
        (unavailable(), None, true),
        (unavailable(), seconds(5), true),
        (unavailable(), seconds(6), false),
        (limited(0), None, true),
        (limited(5), seconds(5), true),
        (limited(6), seconds(6), false),
        (LookupError::QuotaExhausted { reason: reason(), after: seconds(1) }, seconds(1), false),
        (LookupError::Denied { reason: reason() }, None, false),
        (LookupError::Refused { reason: reason() }, seconds(1), false),
        (LookupError::Malformed { reason: reason() }, None, false),
        (LookupError::Forbidden { reason: reason() }, None, false),
    ];
    for (fault, asked, is_retried) in cases {
        let delay = Retries::new(3).delay(&fault, asked);
        assert_eq!(delay.is_some(), is_retried, "{fault} {asked:?}");
        if let (Some(delay), Some(asked)) = (delay, asked) {
            assert!(delay >= asked, "{fault} came back early");
        }
    }
}

#[test]
fn a_spread_wait_is_never_shorter_and_at_most_a_tenth_longer() {
    for wait in [0, 1, 7, 1_000, 30_000, 86_400_000].map(Duration::from_millis) {
        let spread: Vec<_> = (0..200).map(|_| spread_out(wait)).collect();
        assert!(
            spread
                .iter()
                .all(|longer| (wait..=wait.mul_f64(1.1) + Duration::from_nanos(10)).contains(longer))
        );
        assert!(wait.is_zero() || spread.iter().any(|longer| *longer > wait));
    }
    assert!(spread_out(Duration::MAX) < Duration::from_hours(48));
}

#[tokio::test(start_paused = true)]
async fn a_dead_provider_sees_a_tenth_more_load() {
    let budget = RetryBudget::new();
    let retries = |calls: u32| {
        (0..calls)
            .filter(|_| {
                budget.earn();
                budget.spend()
            })
            .count()
    };
    // Ten saved up, and one for each ten calls.
    let spent = retries(1_000);
    assert!((100..=112).contains(&spent), "{spent}");
    assert!(retries(1_000) <= 101);
    // Silence earns one a second, up to ten.
    advance(Duration::from_secs(3)).await;
    assert!((3..=4).contains(&(0..100).filter(|_| budget.spend()).count()));
    advance(Duration::from_hours(1)).await;
    assert_eq!((0..100).filter(|_| budget.spend()).count(), 10);
}
