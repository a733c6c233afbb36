//! The limiter under paused time.

use std::num::NonZeroU32;
use std::sync::Arc;
use std::time::Duration;

use proptest::prelude::*;
use tokio::time::{Instant, advance};

use super::{Held, Limiter, Spread};
use crate::provider::Quota;

const PATIENT: Duration = Duration::from_secs(1_000_000);

fn n(number: u32) -> NonZeroU32 {
    NonZeroU32::new(number).unwrap()
}

fn limiter(quota: Quota) -> Arc<Limiter> {
    Arc::new(Limiter::new(quota, n(8)))
}

/// The most calls that any window of this length, its ends included, saw leave.
fn most_in_any_window(mut leaves: Vec<Duration>, window: Duration) -> usize {
    leaves.sort_unstable();
    let mut oldest = 0;
    let mut most = 0;
    for (newest, leave) in leaves.iter().enumerate() {
        while leave.saturating_sub(leaves[oldest]) > window {
            oldest += 1;
        }
        most = most.max(newest - oldest + 1);
    }
    most
}

/// Callers that arrive after these gaps, each on its own; gives the moments at which they left.
async fn leaves(limiter: &Arc<Limiter>, gaps: &[u64], patience: Duration) -> Vec<Duration> {
    let start = Instant::now();
    let mut callers = Vec::new();
    for gap in gaps {
        advance(Duration::from_micros(*gap)).await;
        let limiter = Arc::clone(limiter);
        callers.push(tokio::spawn(async move {
            let entered = limiter.enter(patience).await;
            entered.ok().map(|_| start.elapsed())
        }));
    }
    let mut leaves = Vec::new();
    for caller in callers {
        leaves.extend(caller.await.unwrap());
    }
    leaves
}

fn paused_runtime() -> tokio::runtime::Runtime {
    tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build().unwrap()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    #[test]
    fn no_window_ever_sees_more_than_the_quota(
        calls in 1_u32..40,
        burst in 1_u32..60,
        window in 1_u64..2_000,
        concurrency in 1_u32..10,
        patience in prop_oneof![Just(PATIENT), (0_u64..3_000).prop_map(Duration::from_millis)],
        gaps in prop::collection::vec(prop_oneof![Just(0_u64), 0_u64..2_000, 0_u64..400_000], 1..150),
    ) {
        let window = Duration::from_millis(window);
        let quota = Quota { burst: n(burst), ..Quota::new(calls, window) };
        let leaves = paused_runtime().block_on(async {
            let limiter = Arc::new(Limiter::new(quota, n(concurrency)));
            leaves(&limiter, &gaps, patience).await
        });
        if patience == PATIENT {
            prop_assert_eq!(leaves.len(), gaps.len(), "the patient all leave in the end");
        }
        prop_assert!(!leaves.is_empty());
        let most = most_in_any_window(leaves, window);
        prop_assert!(most <= usize::try_from(calls).unwrap(), "{most} calls in one window");
    }

    #[test]
    fn no_quota_overflows(calls in any::<u32>(), burst in 1_u32.., seconds in any::<u64>()) {
        let quota = Quota { burst: n(burst), ..Quota::new(calls, Duration::from_secs(seconds)) };
        let Spread { interval, burst } = Spread::of(quota);
        prop_assert!(burst <= quota.calls);
        prop_assert!(interval.as_nanos() * u128::from(burst.get()) <= u128::from(u64::MAX / 2));
        let entered = paused_runtime().block_on(async {
            Limiter::new(quota, n(1)).enter(Duration::MAX).await.is_ok()
        });
        prop_assert!(entered);
    }
}

#[test]
fn a_burst_is_paid_for_with_steady_rate() {
    let minute = |calls, burst| Spread::of(Quota::per_minute(calls).with_burst(n(burst)));
    assert_eq!(minute(60, 1), Spread { interval: Duration::from_nanos(1_000_000_001), burst: n(1) });
    assert_eq!(minute(60, 31), Spread { interval: Duration::from_nanos(2_000_000_001), burst: n(31) });
    assert_eq!(minute(60, 60), Spread { interval: Duration::from_nanos(60_000_000_001), burst: n(60) });
}

#[tokio::test(start_paused = true)]
async fn the_whole_rate_is_used() {
    let limiter = limiter(Quota::per_second(10));
    let leaves = leaves(&limiter, &[0; 101], PATIENT).await;
    // The first at once, the hundredth after ten seconds and what the timer's milliseconds add.
    let last = leaves.into_iter().max().unwrap();
    assert!((Duration::from_secs(10)..Duration::from_millis(10_200)).contains(&last), "{last:?}");
}

#[tokio::test(start_paused = true)]
async fn a_rate_finer_than_the_timer_is_used_too() {
    let limiter = limiter(Quota::per_second(10_000));
    let leaves = leaves(&limiter, &vec![0; 20_000], PATIENT).await;
    let last = leaves.into_iter().max().unwrap();
    assert!((Duration::from_millis(1_950)..Duration::from_millis(2_050)).contains(&last), "{last:?}");
}

#[tokio::test(start_paused = true)]
async fn waiters_leave_in_order_of_arrival() {
    let limiter = limiter(Quota::per_second(5));
    let leaves = leaves(&limiter, &[100; 40], PATIENT).await;
    assert!(leaves.is_sorted(), "{leaves:?}");
}

#[tokio::test(start_paused = true)]
async fn the_impatient_are_told_moments_an_interval_apart() {
    let limiter = limiter(Quota::per_second(10));
    drop(limiter.enter(Duration::ZERO).await.unwrap());
    let start = Instant::now();
    let mut afters = Vec::new();
    for _ in 0..10_000 {
        let Err(Held { after }) = limiter.enter(Duration::ZERO).await else { panic!("nobody may leave now") };
        afters.push(after);
    }
    assert_eq!(start.elapsed(), Duration::ZERO, "nobody is made to wait");
    assert_eq!(afters[0], Duration::from_nanos(100_000_001));
    assert!(afters.array_windows().all(|[one, next]| *next == *one + Duration::from_nanos(100_000_001)));
}

#[tokio::test(start_paused = true)]
async fn a_moment_that_was_told_holds() {
    let limiter = limiter(Quota::per_second(1));
    drop(limiter.enter(Duration::ZERO).await.unwrap());
    let mut callers = Vec::new();
    for _ in 0..100 {
        let Held { after } = limiter.enter(Duration::ZERO).await.unwrap_err();
        let limiter = Arc::clone(&limiter);
        callers.push(tokio::spawn(async move {
            tokio::time::sleep(after).await;
            limiter.enter(Duration::from_millis(100)).await.is_ok()
        }));
    }
    for caller in callers {
        assert!(caller.await.unwrap(), "whoever comes back at its moment is let through");
    }
}

#[tokio::test(start_paused = true)]
async fn those_ahead_count_into_the_forecast() {
    let limiter = limiter(Quota::per_second(1));
    let waiting: Vec<_> = (0..10)
        .map(|_| {
            let limiter = Arc::clone(&limiter);
            tokio::spawn(async move { limiter.enter(Duration::from_secs(20)).await.is_ok() })
        })
        .collect();
    advance(Duration::from_millis(1)).await;
    // One has left, nine wait: the eleventh's moment is ten seconds from the first.
    let start = Instant::now();
    let Held { after } = limiter.enter(Duration::from_secs(9)).await.unwrap_err();
    assert_eq!(start.elapsed(), Duration::ZERO);
    assert!((Duration::from_millis(9_990)..Duration::from_millis(10_010)).contains(&after), "{after:?}");
    for waiter in waiting {
        assert!(waiter.await.unwrap());
    }
}

#[tokio::test(start_paused = true)]
async fn a_caller_that_gives_up_leaves_its_place() {
    let limiter = limiter(Quota::per_second(1));
    drop(limiter.enter(Duration::ZERO).await.unwrap());
    for _ in 0..50 {
        let gone =
            tokio::time::timeout(Duration::from_millis(1), limiter.enter(Duration::from_secs(5))).await;
        assert!(gone.is_err());
    }
    let start = Instant::now();
    drop(limiter.enter(Duration::from_secs(2)).await.unwrap());
    assert!(start.elapsed() <= Duration::from_secs(1), "no slot was wasted on those who left");
}

#[tokio::test(start_paused = true)]
async fn a_pause_holds_everyone_and_never_shrinks() {
    let limiter = limiter(Quota::per_second(1_000));
    limiter.pause(Duration::from_mins(1), "test");
    limiter.pause(Duration::from_secs(5), "test");
    assert_eq!(limiter.paused_for(), Some(Duration::from_mins(1)));
    let Held { after } = limiter.enter(Duration::from_secs(59)).await.unwrap_err();
    assert_eq!(after, Duration::from_mins(1));
    let start = Instant::now();
    drop(limiter.enter(Duration::from_secs(61)).await.unwrap());
    let waited = start.elapsed();
    assert!((Duration::from_mins(1)..Duration::from_millis(60_010)).contains(&waited), "{waited:?}");
    assert_eq!(limiter.paused_for(), None);
}

#[tokio::test(start_paused = true)]
async fn a_pause_reaches_those_who_already_wait() {
    let limiter = limiter(Quota::per_second(1));
    drop(limiter.enter(Duration::ZERO).await.unwrap());
    let start = Instant::now();
    let waiter = tokio::spawn({
        let limiter = Arc::clone(&limiter);
        async move { limiter.enter(Duration::from_secs(30)).await.map(|_| start.elapsed()) }
    });
    advance(Duration::from_millis(500)).await;
    limiter.pause(Duration::from_secs(10), "test");
    let left = waiter.await.unwrap().unwrap();
    assert!(left >= Duration::from_millis(10_500), "woken early: {left:?}");
}

#[tokio::test(start_paused = true)]
async fn no_more_than_the_permits_are_out_at_once() {
    let limiter = Arc::new(Limiter::new(Quota::per_second(1_000_000), n(3)));
    let mut out = Vec::new();
    for _ in 0..3 {
        out.push(limiter.enter(PATIENT).await.unwrap());
    }
    let fourth = tokio::time::timeout(Duration::from_mins(1), limiter.enter(PATIENT)).await;
    assert!(fourth.is_err(), "a fourth call left");
    let Held { after } = limiter.enter(Duration::from_secs(1)).await.unwrap_err();
    assert!(after < Duration::from_secs(1));
    drop(out.pop());
    drop(limiter.enter(Duration::ZERO).await.unwrap());
}

mod fleet;
