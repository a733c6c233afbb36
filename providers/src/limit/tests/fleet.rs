//! Many limiters over one quota, under paused time: with clocks that differ, answers that take long, processes that die and
//! processes that stand still for a while.

use std::borrow::Cow;
use std::future::Future;
use std::num::NonZeroU32;
use std::pin::Pin;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll};
use std::time::Duration;

use async_trait::async_trait;
use jiff::{SignedDuration, Timestamp};
use proptest::prelude::*;
use tokio::task::JoinSet;
use tokio::time::{Instant, Sleep, sleep, sleep_until};

use super::{PATIENT, most_in_any_window, n, paused_runtime};
use crate::limit::{Ask, Away, Gate, Grant, Held, Limiter, Pace, SharedQuota, Slots, reserve};
use crate::provider::Quota;

/// The row in the database: how far the line is given away.
#[derive(Debug)]
struct Line {
    began: Instant,
    next: Mutex<(i64, Option<u32>)>,
    granted: AtomicU64,
}

impl Line {
    fn new() -> Arc<Self> {
        Arc::new(Self { began: Instant::now(), next: Mutex::new((0, None)), granted: AtomicU64::new(0) })
    }

    fn now(&self) -> Timestamp {
        // The database's clock is years away from the limiters' own.
        Timestamp::from_second(1_800_000_000).unwrap()
            + SignedDuration::try_from(self.began.elapsed()).unwrap()
    }
}

/// One process's way to the line.
#[derive(Debug)]
struct Process {
    line: Arc<Line>,
    number: u32,
    /// Half a round trip.
    way: Duration,
    /// Until when the process stands still.
    frozen_until: Arc<Mutex<Instant>>,
    is_away: bool,
    heard: Mutex<Vec<(Duration, String)>>,
}

impl Process {
    fn new(line: &Arc<Line>, number: u32, way: Duration) -> Self {
        Self {
            line: Arc::clone(line),
            number,
            way,
            frozen_until: Arc::new(Mutex::new(Instant::now())),
            is_away: false,
            heard: Mutex::default(),
        }
    }
}

#[async_trait]
impl SharedQuota for Process {
    async fn grant(&self, ask: Ask) -> Result<Grant, Away> {
        sleep(self.way).await;
        if self.is_away {
            return Err(Away);
        }
        let now = self.line.now();
        let (slots, ample) = {
            let mut line = self.line.next.lock().unwrap();
            let now = i64::try_from(now.as_nanosecond()).unwrap();
            let at = |nanoseconds: i64| Timestamp::from_nanosecond(nanoseconds.into()).unwrap();
            let ample = line.1.is_none_or(|last| last == self.number);
            line.1 = Some(self.number);
            match reserve(line.0, now, &ask) {
                Ok(reserved) => {
                    line.0 = reserved.next;
                    self.line.granted.fetch_add(reserved.count.into(), Ordering::Relaxed);
                    (Slots::From { first: at(reserved.first), count: reserved.count }, ample)
                }
                Err(before) => (Slots::NoneBefore(Some(at(before))), ample),
            }
        };
        sleep(self.way).await;
        let thaw = *self.frozen_until.lock().unwrap();
        sleep_until(thaw).await;
        Ok(Grant { now, slots, ample })
    }

    fn stay_away(&self, wait: Duration, why: Cow<'static, str>) {
        self.heard.lock().unwrap().push((wait, why.into_owned()));
    }
}

/// Runs its future, but for the times when the process stands still.
struct Frozen<F> {
    inner: Pin<Box<F>>,
    until: Arc<Mutex<Instant>>,
    asleep: Option<Pin<Box<Sleep>>>,
}

impl<F: Future> Future for Frozen<F> {
    type Output = F::Output;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<F::Output> {
        let until = *self.until.lock().unwrap();
        if Instant::now() < until {
            let mut asleep = Box::pin(sleep_until(until));
            if asleep.as_mut().poll(context).is_pending() {
                self.asleep = Some(asleep);
                return Poll::Pending;
            }
        }
        self.asleep = None;
        self.inner.as_mut().poll(context)
    }
}

/// What befalls a process.
#[derive(Clone, Copy, Debug)]
struct Fate {
    callers: u32,
    way_micros: u64,
    /// How long a call takes.
    call_millis: u64,
    born_millis: u64,
    /// After how long it is killed.
    killed_millis: Option<u64>,
    /// When it stands still, and for how long.
    frozen_millis: Option<(u64, u64)>,
}

fn fates() -> impl Strategy<Value = Vec<Fate>> {
    let fate = (
        1_u32..12,
        0_u64..4_000,
        prop_oneof![Just(0_u64), 1_u64..120],
        prop_oneof![Just(0_u64), 0_u64..3_000],
        prop::option::weighted(0.4, 200_u64..5_000),
        prop::option::weighted(0.4, (0_u64..4_000, 1_u64..2_500)),
    )
        .prop_map(|(callers, way_micros, call_millis, born_millis, killed_millis, frozen_millis)| Fate {
            callers,
            way_micros,
            call_millis,
            born_millis,
            killed_millis,
            frozen_millis,
        });
    prop::collection::vec(fate, 1..7)
}

/// Lets processes call as fast as they may; gives the moments at which the calls left.
async fn live(quota: Quota, fates: &[Fate], length: Duration) -> (Vec<Duration>, u64) {
    let line = Line::new();
    let start = Instant::now();
    let leaves = Arc::new(Mutex::new(Vec::new()));
    let mut lives = JoinSet::new();
    for (number, fate) in (0..).zip(fates.iter().copied()) {
        let (line, leaves) = (Arc::clone(&line), Arc::clone(&leaves));
        lives.spawn(async move {
            sleep(Duration::from_millis(fate.born_millis)).await;
            let process = Process::new(&line, number, Duration::from_micros(fate.way_micros));
            let frozen_until = Arc::clone(&process.frozen_until);
            let limiter = Arc::new(Limiter::sharing(quota, n(fate.callers), Arc::new(process)));
            let mut callers = JoinSet::new();
            for _ in 0..fate.callers {
                let (limiter, leaves) = (Arc::clone(&limiter), Arc::clone(&leaves));
                let calling = async move {
                    loop {
                        match limiter.enter(Duration::from_secs(10)).await {
                            Ok(pass) => {
                                leaves.lock().unwrap().push(start.elapsed());
                                sleep(Duration::from_millis(fate.call_millis)).await;
                                drop(pass);
                            }
                            Err(Held { after }) => sleep(after).await,
                        }
                        tokio::task::yield_now().await;
                    }
                };
                let until = Arc::clone(&frozen_until);
                callers.spawn(Frozen { inner: Box::pin(calling), until, asleep: None });
            }
            if let Some((at, long)) = fate.frozen_millis {
                tokio::spawn(async move {
                    sleep(Duration::from_millis(at)).await;
                    *frozen_until.lock().unwrap() = Instant::now() + Duration::from_millis(long);
                });
            }
            sleep(fate.killed_millis.map_or(length, Duration::from_millis)).await;
            callers.shutdown().await;
        });
    }
    sleep(length).await;
    lives.shutdown().await;
    let leaves = leaves.lock().unwrap().clone();
    (leaves, line.granted.load(Ordering::Relaxed))
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(60))]

    #[test]
    fn no_window_of_the_whole_fleet_sees_more_than_the_quota(
        calls in 1_u32..60,
        burst in 1_u32..20,
        window in 300_u64..4_000,
        fates in fates(),
    ) {
        let window = Duration::from_millis(window);
        let quota = Quota { burst: n(burst), ..Quota::new(calls, window) };
        let (leaves, _) = paused_runtime().block_on(live(quota, &fates, Duration::from_secs(8)));
        // What a vendor may see: calls whose ways differ by the other half of the slack.
        let seen = window + Pace::of(quota).grace.saturating_sub(Duration::from_millis(1));
        let most = most_in_any_window(leaves, seen);
        prop_assert!(most <= usize::try_from(calls).unwrap(), "{most} calls in one window, {calls} allowed");
    }
}

/// The share of the quota that was used between the third second and the end.
fn used(leaves: &[Duration], quota: Quota, length: Duration) -> f64 {
    let warm = Duration::from_secs(3);
    let count = leaves.iter().filter(|leave| **leave >= warm).count();
    let allowed =
        f64::from(quota.calls.get()) * length.saturating_sub(warm).as_secs_f64() / quota.window.as_secs_f64();
    f64::from(u32::try_from(count).unwrap()) / allowed
}

#[test]
fn the_whole_quota_is_used_however_the_demand_is_spread() {
    let calm = Fate {
        callers: 8,
        way_micros: 1_500,
        call_millis: 30,
        born_millis: 0,
        killed_millis: None,
        frozen_millis: None,
    };
    let even = vec![calm; 4];
    let skewed = vec![Fate { callers: 24, ..calm }, Fate { callers: 1, ..calm }, Fate { callers: 1, ..calm }];
    let alone = vec![Fate { callers: 24, ..calm }];
    let dying = vec![
        calm,
        calm,
        calm,
        Fate { killed_millis: Some(9_000), ..calm },
        Fate { born_millis: 12_000, ..calm },
    ];
    let length = Duration::from_secs(33);
    for (calls, window, least) in [(400, 10, 0.99), (40, 1, 0.98), (600, 60, 0.99), (250, 1, 0.98)] {
        let quota = Quota::new(calls, Duration::from_secs(window));
        for (name, fates, lost) in
            [("even", &even, 0.0), ("skewed", &skewed, 0.0), ("alone", &alone, 0.0), ("dying", &dying, 0.01)]
        {
            let (leaves, granted) = paused_runtime().block_on(live(quota, fates, length));
            let share = used(&leaves, quota, length);
            println!(
                "{calls}/{window}s {name}: {:.2} % used, {granted} granted, {} left",
                share * 100.0,
                leaves.len()
            );
            assert!(share >= least - lost, "{calls}/{window}s {name}: only {share} of the quota was used");
        }
    }
}

fn quick(line: &Arc<Line>, number: u32) -> Process {
    Process::new(line, number, Duration::from_micros(500))
}

#[tokio::test(start_paused = true)]
async fn a_slow_quota_lets_the_first_call_leave_at_once_and_outlives_its_process() {
    let line = Line::new();
    let quota = Quota::per_hour(60);
    let limiter = Limiter::sharing(quota, n(8), Arc::new(quick(&line, 1)));
    let start = Instant::now();
    drop(limiter.enter(Duration::from_secs(10)).await.unwrap());
    assert!(start.elapsed() < Duration::from_millis(50), "{:?}", start.elapsed());

    let restarted = Limiter::sharing(quota, n(8), Arc::new(quick(&line, 2)));
    let Held { after } = restarted.enter(Duration::from_secs(10)).await.unwrap_err();
    assert!((Duration::from_secs(58)..Duration::from_secs(61)).contains(&after), "no new burst: {after:?}");
}

#[tokio::test(start_paused = true)]
async fn the_fleet_shares_one_burst() {
    let line = Line::new();
    let quota = Quota::per_minute(60).with_burst(n(20));
    let mut left = 0;
    for number in 0..4 {
        let limiter = Limiter::sharing(quota, n(64), Arc::new(quick(&line, number)));
        for _ in 0..20 {
            left += u32::from(limiter.enter(Duration::from_millis(100)).await.is_ok());
        }
    }
    assert!((19..=21).contains(&left), "{left} calls left at once");
}

#[tokio::test(start_paused = true)]
async fn without_its_keeper_nothing_leaves_and_patience_ends() {
    let line = Line::new();
    let process = Process { is_away: true, ..quick(&line, 1) };
    let limiter = Limiter::sharing(Quota::per_second(100), n(8), Arc::new(process));
    let start = Instant::now();
    assert!(limiter.enter(Duration::from_secs(3)).await.is_err());
    assert!((Duration::from_secs(3)..Duration::from_millis(3_100)).contains(&start.elapsed()));
}

#[tokio::test(start_paused = true)]
async fn a_closed_gate_holds_everyone_until_it_opens() {
    let line = Line::new();
    let limiter = Arc::new(Limiter::sharing(Quota::per_second(100), n(8), Arc::new(quick(&line, 1))));
    let gate = Gate { closed_for: Some(Duration::from_secs(5)), epoch: 0, sharers: NonZeroU32::MIN };
    assert!(!limiter.obey(gate));
    assert_eq!(limiter.paused_for(), Some(Duration::from_secs(5)));
    let start = Instant::now();
    let waiting = tokio::spawn({
        let limiter = Arc::clone(&limiter);
        async move { limiter.enter(PATIENT).await.map(|_| start.elapsed()) }
    });
    sleep(Duration::from_secs(1)).await;
    assert!(limiter.obey(Gate { closed_for: None, epoch: 1, ..gate }), "opened again");
    let left = waiting.await.unwrap().unwrap();
    assert!((Duration::from_secs(1)..Duration::from_millis(1_100)).contains(&left), "{left:?}");
}

#[tokio::test(start_paused = true)]
async fn a_pause_is_passed_on_and_an_epoch_ends_it() {
    let line = Line::new();
    let process = Arc::new(quick(&line, 1));
    let limiter = Limiter::sharing(Quota::per_second(100), n(8), Arc::<Process>::clone(&process));
    limiter.pause(Duration::from_mins(5), "it said \"slow down\"");
    assert_eq!(
        *process.heard.lock().unwrap(),
        [(Duration::from_mins(5), "it said \"slow down\"".to_owned())]
    );
    assert!(limiter.enter(Duration::from_secs(1)).await.is_err());
    limiter.obey(Gate { closed_for: None, epoch: 7, sharers: n(3) });
    drop(limiter.enter(Duration::from_secs(1)).await.unwrap());
}

#[tokio::test(start_paused = true)]
async fn few_questions_bring_many_slots() {
    #[derive(Debug)]
    struct Counted(Process, AtomicU64);
    #[async_trait]
    impl SharedQuota for Counted {
        async fn grant(&self, ask: Ask) -> Result<Grant, Away> {
            self.1.fetch_add(1, Ordering::Relaxed);
            self.0.grant(ask).await
        }
        fn stay_away(&self, _: Duration, _: Cow<'static, str>) {}
    }
    let line = Line::new();
    let counted = Arc::new(Counted(quick(&line, 1), AtomicU64::new(0)));
    let limiter = Limiter::sharing(Quota::per_second(200), n(8), Arc::<Counted>::clone(&counted));
    let start = Instant::now();
    let mut left = 0_u64;
    while start.elapsed() < Duration::from_secs(20) {
        drop(limiter.enter(PATIENT).await.unwrap());
        left += 1;
    }
    let asked = counted.1.load(Ordering::Relaxed);
    assert!(left > 3_900, "{left} calls left");
    assert!(asked < 40, "{asked} questions for {left} calls");
}
