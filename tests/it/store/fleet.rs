//! One quota for all, budgets, gates, and the list of workers.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use gleaner::config::Budget;
use gleaner::job::{LookupEntry, Verdict};
use gleaner::record::RecordStatus;
use gleaner::store::Store;
use gleaner::store::fleet::{Beat, ClosedBy, GateRefusal, Granted, Probe, Resumed, SlotClaim, Trip};
use gleaner_providers::limit::{Ask, HORIZON, Pace, Slots};
use gleaner_providers::provider::Quota;
use jiff::{SignedDuration, Timestamp};
use tokio::sync::Barrier;

use super::support::{Database, at, claim_one, lookup, outcome, registration, written};

const FREE: Budget = Budget {
    daily_calls: None,
    monthly_calls: None,
    daily_micros: None,
    monthly_micros: None,
    call_micros: 0,
};

fn ask(want: u32, quota: Quota) -> Ask {
    Ask { want, unused: 0, notice: Duration::ZERO, pace: Pace::of(quota) }
}

async fn grant(store: &dyn Store, owner: &str, ask: Ask, budget: Budget, now: Timestamp) -> Granted {
    store.grant(&SlotClaim { provider: "github", owner, ask, budget }, now).await.unwrap()
}

/// The slots of a grant, in nanoseconds.
fn slots(granted: &Granted, pace: Pace) -> Vec<i128> {
    match granted.slots {
        Slots::From { first, count } => (0..i128::from(count))
            .map(|n| first.as_nanosecond() + n * i128::try_from(pace.interval.as_nanos()).unwrap())
            .collect(),
        Slots::NoneBefore(_) => Vec::new(),
    }
}

fn count(granted: &Granted) -> u32 {
    match granted.slots {
        Slots::From { count, .. } => count,
        Slots::NoneBefore(_) => 0,
    }
}

fn none_before(granted: &Granted) -> Option<Timestamp> {
    match granted.slots {
        Slots::NoneBefore(at) => at,
        Slots::From { .. } => panic!("{granted:?} grants"),
    }
}

pub(crate) async fn a_slot_is_granted_once(database: &impl Database) {
    const ASKERS: usize = 4;
    let quota = Quota::per_second(1_000);
    let pace = Pace::of(quota);
    let barrier = Arc::new(Barrier::new(ASKERS));
    let mut asking = Vec::new();
    for n in 0..ASKERS {
        let (store, barrier) = (database.open().await, Arc::clone(&barrier));
        asking.push(tokio::spawn(async move {
            let owner = format!("worker-{n}");
            let mut mine = Vec::new();
            for round in 0..25 {
                barrier.wait().await;
                let now = at(0) + SignedDuration::from_millis(round * 20);
                mine.extend(slots(&grant(&*store, &owner, ask(7, quota), FREE, now).await, pace));
            }
            mine
        }));
    }
    let mut all = Vec::new();
    for asking in asking {
        all.extend(asking.await.unwrap());
    }
    all.sort_unstable();
    assert_eq!(all.len(), ASKERS * 25 * 7, "there was room for all of them");
    let interval = i128::try_from(pace.interval.as_nanos()).unwrap();
    assert!(all.array_windows().all(|[one, next]| next - one >= interval), "two slots are too close");
}

pub(crate) async fn a_grant_ends_at_the_horizon(database: &impl Database) {
    let store = database.open().await;
    let quota = Quota::per_second(10);
    let interval = SignedDuration::try_from(Pace::of(quota).interval).unwrap();
    let first = grant(&*store, "one", ask(50, quota), FREE, at(0)).await;
    let Slots::From { first: start, count: 10 } = first.slots else { panic!("{first:?}") };
    assert_eq!(start, at(0), "an idle provider may be asked at once");

    let refused = grant(&*store, "one", ask(1, quota), FREE, at(0)).await;
    assert_eq!(refused.refusal, Some(GateRefusal::GivenAway));
    let end = at(0) + interval * 10;
    let again = none_before(&refused).unwrap();
    let early = again.duration_since(end - SignedDuration::try_from(HORIZON).unwrap());
    assert!((0..1_000).contains(&early.as_nanos()), "to the microsecond of the store's clock: {early}");
    let then = grant(&*store, "one", ask(1, quota), FREE, again).await;
    assert_eq!(then.slots, Slots::From { first: end, count: 1 }, "what was told holds");
}

pub(crate) async fn a_restart_begins_no_new_burst(database: &impl Database) {
    let quota = Quota::new(100, Duration::from_hours(24));
    let store = database.open().await;
    assert_eq!(count(&grant(&*store, "one", ask(9, quota), FREE, at(0)).await), 1);
    store.close().await;
    let store = database.open().await;
    let refused = grant(&*store, "two", ask(9, quota), FREE, at(1)).await;
    let wait = none_before(&refused).unwrap().duration_since(at(0)).as_secs();
    assert!((860..=870).contains(&wait), "the next call may leave after a hundredth of the day: {wait}");
}

pub(crate) async fn a_burst_is_everybodys(database: &impl Database) {
    let quota = Quota::per_minute(60).with_burst(20.try_into().unwrap());
    let store = database.open().await;
    let mut at_once = 0;
    for worker in ["one", "two", "three"] {
        at_once += count(&grant(&*store, worker, ask(12, quota), FREE, at(0)).await);
    }
    assert_eq!(at_once, 20);
}

pub(crate) async fn a_notice_keeps_the_first_slot_ahead(database: &impl Database) {
    let store = database.open().await;
    let late = Ask { notice: Duration::from_millis(40), ..ask(1, Quota::per_second(10)) };
    let granted = grant(&*store, "one", late, FREE, at(0)).await;
    assert_eq!(granted.slots, Slots::From { first: at(0) + SignedDuration::from_millis(40), count: 1 });
}

pub(crate) async fn a_budget_of_calls_ends_with_its_day_and_its_month(database: &impl Database) {
    let store = database.open().await;
    let quota = Quota::per_second(1_000);
    let budget = Budget { daily_calls: Some(10), monthly_calls: Some(25), ..FREE };
    let day = |day: i64| at(day * 86_400);
    assert_eq!(count(&grant(&*store, "one", ask(7, quota), budget, day(0)).await), 7);
    assert_eq!(
        count(&grant(&*store, "two", ask(7, quota), budget, day(0)).await),
        3,
        "what is left of the day"
    );
    let refused = grant(&*store, "one", ask(1, quota), budget, day(0)).await;
    assert_eq!(refused.refusal, Some(GateRefusal::DailyBudget));
    assert_eq!(none_before(&refused).unwrap().to_string(), "2026-03-02T00:00:00Z");

    assert_eq!(count(&grant(&*store, "one", ask(50, quota), budget, day(1)).await), 10);
    assert_eq!(
        count(&grant(&*store, "one", ask(50, quota), budget, day(2)).await),
        5,
        "what is left of the month"
    );
    let refused = grant(&*store, "one", ask(1, quota), budget, day(3)).await;
    assert_eq!(refused.refusal, Some(GateRefusal::MonthlyBudget));
    assert_eq!(none_before(&refused).unwrap().to_string(), "2026-04-01T00:00:00Z");
    assert_eq!(count(&grant(&*store, "one", ask(50, quota), budget, day(31)).await), 10);
}

pub(crate) async fn slots_that_were_not_used_cost_no_budget(database: &impl Database) {
    let store = database.open().await;
    let quota = Quota::per_second(1_000);
    let budget = Budget { daily_calls: Some(10), ..FREE };
    assert_eq!(count(&grant(&*store, "one", ask(10, quota), budget, at(0)).await), 10);
    let back = Ask { unused: 4, ..ask(9, quota) };
    assert_eq!(count(&grant(&*store, "one", back, budget, at(5)).await), 4);
}

fn called(calls: u32, cost_micros: u64, at: Timestamp) -> LookupEntry {
    LookupEntry { provider: "github".into(), calls, cost_micros, at, ..lookup("github") }
}

pub(crate) async fn a_budget_of_money_counts_what_is_under_way(database: &impl Database) {
    let store = database.open().await;
    let quota = Quota::per_second(1_000);
    let budget = Budget { daily_micros: Some(1_000_000), call_micros: 280_000, ..FREE };
    assert_eq!(
        count(&grant(&*store, "one", ask(9, quota), budget, at(0)).await),
        3,
        "three matches for a dollar"
    );
    let refused = grant(&*store, "two", ask(1, quota), budget, at(1)).await;
    assert_eq!(refused.refusal, Some(GateRefusal::DailyBudget), "all three may cost");
    assert_eq!(none_before(&refused), Some(at(3)), "soon it is known what they do cost");
    let later = grant(&*store, "two", ask(1, quota), budget, at(100)).await;
    assert_eq!(none_before(&later).unwrap().to_string(), "2026-03-02T00:00:00Z", "they were lost");

    // One matched, one missed: what a miss did not cost is free again.
    store.enqueue(&[registration(1, 1)], at(0)).await.unwrap();
    let job = claim_one(&*store, at(0)).await;
    let mut done = written(&job, RecordStatus::Complete);
    done.lookups = vec![called(1, 280_000, at(2)), called(1, 0, at(2))];
    store.commit(&[done], at(2)).await.unwrap();
    assert_eq!(count(&grant(&*store, "two", ask(9, quota), budget, at(3)).await), 1);
    assert_eq!(count(&grant(&*store, "two", ask(9, quota), budget, at(86_400)).await), 3, "a new day");
}

pub(crate) async fn usage_is_counted_by_day_and_month(database: &impl Database) {
    let store = database.open().await;
    for (n, day) in [(1, 0), (2, 0), (3, 1)] {
        let now = at(day * 86_400);
        store.enqueue(&[registration(n, n)], now).await.unwrap();
        let job = claim_one(&*store, now).await;
        let mut done = written(&job, RecordStatus::Complete);
        done.lookups = vec![called(2, 100, now), lookup("gravatar")];
        done.lookups[1].at = now;
        store.commit(&[done], now).await.unwrap();
    }
    let usage = store.usage(at(86_400)).await.unwrap();
    let names: Vec<_> = usage.iter().map(|row| row.provider.as_str()).collect();
    assert_eq!(names, ["github", "gravatar"]);
    assert_eq!((usage[0].lookups_today, usage[0].calls_today, usage[0].cost_micros_today), (1, 2, 100));
    let month = (usage[0].lookups_this_month, usage[0].calls_this_month, usage[0].cost_micros_this_month);
    assert_eq!(month, (3, 6, 300));
    let next = store.usage(at(40 * 86_400)).await.unwrap();
    assert!(next.is_empty(), "a new month has seen nothing: {next:?}");
}

pub(crate) async fn a_block_closes_a_provider_for_everybody(database: &impl Database) {
    let store = database.open().await;
    let quota = Quota::per_second(1_000);
    store.block("github", Duration::from_mins(5), "it said \"slow down\"", at(0)).await.unwrap();
    store.block("github", Duration::from_secs(5), "a shorter one", at(1)).await.unwrap();
    let pulse = store.pulse(at(2)).await.unwrap();
    let closed = pulse.gates[0].closed.clone().unwrap();
    assert_eq!((closed.by, closed.until), (ClosedBy::Provider, Some(at(300))));
    assert_eq!(closed.why.as_deref(), Some("it said \"slow down\""));
    let refused = grant(&*store, "two", ask(1, quota), FREE, at(2)).await;
    assert_eq!((refused.refusal, none_before(&refused)), (Some(GateRefusal::Blocked), Some(at(300))));
    assert_eq!(count(&grant(&*store, "two", ask(1, quota), FREE, at(300)).await), 1);
    assert_eq!(store.pulse(at(300)).await.unwrap().gates[0].closed, None);
}

/// The whole life of a breaker, as three workers see it.
pub(crate) async fn a_breaker_opens_for_twice_as_long_and_one_worker_tries(database: &impl Database) {
    const LEASE: Duration = Duration::from_mins(1);
    let store = database.open().await;
    let quota = Quota::per_second(1_000);
    let trip = async |why: &str, now| {
        let trip = Trip { first: Duration::from_secs(30), longest: Duration::from_secs(100), why };
        store.trip("github", &trip, now).await.unwrap();
    };
    let probe = async |owner: &str, now| store.probe("github", owner, LEASE, now).await.unwrap();
    let gate = async |now| store.pulse(now).await.unwrap().gates.remove(0);
    assert_eq!(probe("one", at(0)).await, Probe::Go, "nobody has closed it");
    store.mend("github", at(0)).await.unwrap();

    trip("unavailable: status 503", at(0)).await;
    trip("two saw it fail as well", at(1)).await;
    let closed = gate(at(2)).await.closed.unwrap();
    assert_eq!(
        (closed.by, closed.until),
        (ClosedBy::Breaker, Some(at(30))),
        "what two see at once counts once"
    );
    assert_eq!(closed.why.as_deref(), Some("unavailable: status 503"));
    let refused = grant(&*store, "two", ask(1, quota), FREE, at(2)).await;
    assert_eq!((refused.refusal, none_before(&refused)), (Some(GateRefusal::Blocked), Some(at(30))));
    assert_eq!(probe("two", at(10)).await, Probe::Wait(Duration::from_secs(20)));
    store.mend("github", at(10)).await.unwrap();
    assert_eq!(gate(at(10)).await.trips, 1, "an answer from before says nothing of now");

    // Half open: one tries, and may do so again; the others wait until it has failed, or was silent for too long.
    assert_eq!(gate(at(30)).await.closed, None);
    assert_eq!(probe("one", at(30)).await, Probe::Go);
    assert_eq!(probe("two", at(31)).await, Probe::Wait(Duration::from_secs(59)));
    assert_eq!(probe("one", at(40)).await, Probe::Go);
    assert_eq!(probe("two", at(100)).await, Probe::Go, "the first one is dead");

    // Each time in a row twice as long, and never longer than the longest.
    for (n, now, until) in [(2, 100, 160), (3, 160, 260), (4, 260, 360)] {
        trip("malformed answer", at(now)).await;
        let seen = gate(at(now)).await;
        assert_eq!((seen.trips, seen.closed.unwrap().until), (n, Some(at(until))));
        assert_eq!(probe("three", at(until)).await, Probe::Go);
    }
    store.mend("github", at(361)).await.unwrap();
    let seen = gate(at(361)).await;
    assert_eq!((seen.trips, seen.closed), (0, None));
    assert_eq!(probe("two", at(361)).await, Probe::Go, "nobody has to wait for the one who tried");
    trip("again", at(400)).await;
    assert_eq!(gate(at(400)).await.closed.unwrap().until, Some(at(430)), "it begins anew");

    assert!(store.resume("github", at(401)).await.unwrap().was_closed);
    assert_eq!((gate(at(401)).await.trips, gate(at(401)).await.closed), (0, None));
    // A pause that the provider asks for is not the breaker's.
    store.block("github", Duration::from_secs(9), "slow down", at(500)).await.unwrap();
    assert_eq!(gate(at(500)).await.closed.unwrap().by, ClosedBy::Provider);
}

pub(crate) async fn of_many_who_would_try_one_may(database: &impl Database) {
    const WORKERS: usize = 8;
    let store = database.open().await;
    let trip = Trip { first: Duration::from_secs(1), longest: Duration::from_secs(1), why: "status 500" };
    store.trip("github", &trip, at(0)).await.unwrap();
    let barrier = Arc::new(Barrier::new(WORKERS));
    let tries: Vec<_> = (0..WORKERS)
        .map(|n| {
            let (store, barrier) = (store.clone(), Arc::clone(&barrier));
            tokio::spawn(async move {
                barrier.wait().await;
                store.probe("github", &format!("worker {n}"), Duration::from_mins(1), at(1)).await.unwrap()
            })
        })
        .collect();
    let mut leaves = 0;
    for tried in tries {
        leaves += usize::from(tried.await.unwrap() == Probe::Go);
    }
    assert_eq!(leaves, 1);
}

pub(crate) async fn a_pause_lasts_until_it_is_resumed(database: &impl Database) {
    let store = database.open().await;
    let quota = Quota::per_second(1_000);
    store.pause("github", None, Some("the invoice is wrong"), at(0)).await.unwrap();
    let refused = grant(&*store, "one", ask(1, quota), FREE, at(9_000_000)).await;
    assert_eq!((refused.refusal, none_before(&refused)), (Some(GateRefusal::Paused), None));
    let gate = store.pulse(at(9_000_000)).await.unwrap().gates.remove(0);
    let closed = gate.closed.unwrap();
    assert_eq!((closed.by, closed.until), (ClosedBy::Operator, None));
    assert_eq!(closed.why.as_deref(), Some("the invoice is wrong"));

    let now = at(9_000_001);
    assert!(store.resume("github", now).await.unwrap().was_closed);
    let after = store.pulse(now).await.unwrap().gates.remove(0);
    assert_eq!((after.closed, after.epoch), (None, gate.epoch + 1));
    assert_eq!(count(&grant(&*store, "one", ask(1, quota), FREE, now).await), 1);
    assert!(!store.resume("github", now).await.unwrap().was_closed);
}

pub(crate) async fn a_pause_with_an_end_ends_by_itself(database: &impl Database) {
    let store = database.open().await;
    let quota = Quota::per_second(1_000);
    store.pause("github", Some(Duration::from_mins(30)), None, at(0)).await.unwrap();
    let refused = grant(&*store, "one", ask(1, quota), FREE, at(1_799)).await;
    assert_eq!(none_before(&refused), Some(at(1_800)));
    assert_eq!(count(&grant(&*store, "one", ask(1, quota), FREE, at(1_800)).await), 1);
    assert_eq!(store.pulse(at(1_800)).await.unwrap().gates[0].closed, None);
}

pub(crate) async fn a_resume_makes_due_what_waited_for_it(database: &impl Database) {
    let store = database.open().await;
    for (n, reason) in [
        (1, "github: closed for now: paused by an operator"),
        (2, "gravatar: unavailable: status 500; github: rate limited, free again in 900 s"),
        (3, "gravatar: rate limited, free again in 900 s"),
        (4, "not_github: rate limited, free again in 900 s"),
    ] {
        store.enqueue(&[registration(n, n)], at(0)).await.unwrap();
        let job = claim_one(&*store, at(0)).await;
        let snooze = Verdict::Snooze { at: at(900), reason: reason.into(), partial: None };
        store.commit(&[outcome(&job, snooze)], at(0)).await.unwrap();
    }
    store.block("github", Duration::from_mins(15), "access denied: status 401", at(0)).await.unwrap();
    let resumed = store.resume("github", at(60)).await.unwrap();
    assert_eq!(resumed, Resumed { was_closed: true, jobs_due: 2 });
    assert_eq!(super::support::claim(&*store, 10, at(60)).await.len(), 2);
    assert_eq!(super::support::claim(&*store, 10, at(900)).await.len(), 2);
}

pub(crate) async fn two_who_ask_are_told_of_each_other(database: &impl Database) {
    let store = database.open().await;
    let quota = Quota::per_second(10);
    let contended = async |owner: &str, now| grant(&*store, owner, ask(1, quota), FREE, now).await.contended;
    assert!(!contended("one", at(0)).await);
    assert!(!contended("one", at(1)).await);
    assert!(contended("two", at(1)).await, "the other one has just asked");
    assert!(contended("one", at(2)).await);
    assert!(!contended("one", at(20)).await, "nobody else for a while");
    assert!(!contended("two", at(60)).await, "the other one is gone");
}

pub(crate) async fn workers_beat_leave_and_are_forgotten(database: &impl Database) {
    let store = database.open().await;
    let beat = |name: &str, in_flight| Beat {
        incarnation: name.into(),
        host: "host.example.com".into(),
        pid: 4_000_000_000,
        version: "0.1.0".into(),
        started_at: at(0),
        in_flight,
        finished: 3,
    };
    store.beat(&beat("one", 1), at(0)).await.unwrap();
    store.beat(&beat("two", 2), at(1)).await.unwrap();
    store.beat(&beat("one", 5), at(10)).await.unwrap();
    assert_eq!(store.pulse(at(10)).await.unwrap().alive, 2);
    assert_eq!(store.pulse(at(17)).await.unwrap().alive, 1, "one was silent for too long");
    let seen = store.workers(at(17)).await.unwrap();
    let states: Vec<_> = seen.iter().map(|w| (w.incarnation.as_str(), w.alive, w.in_flight)).collect();
    assert_eq!(states, [("one", true, 5), ("two", false, 2)]);
    assert_eq!((seen[0].pid, seen[0].started_at, seen[0].beat_at), (4_000_000_000, at(0), at(10)));

    store.leave("one").await.unwrap();
    store.beat(&beat("three", 0), at(86_402)).await.unwrap();
    let names: BTreeSet<_> =
        store.workers(at(86_402)).await.unwrap().into_iter().map(|worker| worker.incarnation).collect();
    assert_eq!(names, BTreeSet::from(["three".to_owned()]), "the silent one is forgotten after a day");
}
