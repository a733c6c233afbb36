//! What must hold at every broker.

use std::cell::Cell;
use std::collections::HashSet;
use std::time::Duration;

use gleaner::clock::{Clock as _, SystemClock};
use gleaner::job::{BatchName, DeadReason};
use gleaner::store::Claim;
use jiff::{SignedDuration, Timestamp};

use super::support::{Behind, Serving, TestBroker, Tuning, message};
use crate::faulty::AtTheDoor;
use crate::support::{Dice, until};

/// Sends members `from..to`, each acknowledged by the broker.
async fn publish(broker: &impl TestBroker, from: u32, to: u32) {
    for n in from..to {
        assert!(broker.publish(Some(&format!("id-{n}")), message(n).as_bytes()).await, "message {n}");
    }
}

pub(crate) async fn duplicates_and_reordering_make_one_row_each<B: TestBroker>() {
    const MEMBERS: u32 = 1_000;
    let (broker, behind) = (B::shared().await, Behind::new().await);
    // Each three times, without an id and with one that the broker does not know, in no order.
    let mut sent: Vec<u32> = (0..MEMBERS).flat_map(|n| [n, n, n]).collect();
    let mut dice = Dice(2026);
    for at in (1..sent.len()).rev() {
        sent.swap(at, usize::try_from(dice.between(0, at as u64 + 1)).unwrap());
    }
    let serving = behind.open(&broker, Tuning::default()).await;
    for (position, n) in sent.iter().enumerate() {
        let id = format!("copy-{position}");
        assert!(broker.publish((n % 2 == 0).then_some(&id), message(*n).as_bytes()).await);
    }
    serving.until("all are acknowledged", |seen| seen.acknowledged >= 3_000).await;
    let seen = serving.shut().await;
    let census = behind.census().await;
    assert_eq!((census.waiting, census.taken_in, census.repeated), (1_000, 1_000, 2_000), "{seen:?}");
    assert_eq!((seen.queued, seen.repeated, seen.refused), (1_000, 2_000, 0), "{seen:?}");
    assert_eq!(broker.left().await, 0);
}

pub(crate) async fn a_message_may_name_a_batch<B: TestBroker>() {
    let (broker, behind) = (B::shared().await, Behind::new().await);
    for n in 0..6 {
        let batch = if n < 4 { r#","batch":"spring""# } else { "" };
        let body = format!(r#"{{"member_id":"m{n}","email":"person{n}@example.com"{batch}}}"#);
        assert!(broker.publish(Some(&format!("id-{n}")), body.as_bytes()).await);
    }
    // Messages are written for many readers: what cannot be a batch's name may be something else to others.
    let foreign = br#"{"member_id":"m6","email":"person6@example.com","batch":"two words"}"#;
    assert!(broker.publish(Some("id-6"), foreign).await);
    let serving = behind.open(&broker, Tuning::default()).await;
    serving.until("all are acknowledged", |seen| seen.acknowledged == 7).await;
    serving.shut().await;

    let spring = BatchName::parse("spring").unwrap();
    let spring = behind.store.batch(&spring, SystemClock.now()).await.unwrap().unwrap();
    assert_eq!(behind.store.batch_counts(spring.id).await.unwrap().of("queued"), 4);
    assert_eq!(behind.store.batch_standing(&spring).await.unwrap().waiting, 4);
    let census = behind.census().await;
    assert_eq!((census.waiting, census.dead_letters), (7, 0));
}

pub(crate) async fn poison_becomes_dead_letters_and_stops_nothing<B: TestBroker>() {
    let (broker, behind) = (B::shared().await, Behind::new().await);
    let too_long = format!(r#"{{"email":"{}@example.com"}}"#, "quokka".repeat(200));
    let poison: [&[u8]; 16] = [
        b"",
        b"quokka",
        b"{\"email\":\"quokka@example",
        b"{\"email\":\"quokka@example.com\"} trailing",
        b"\xff\xfe quokka@example.com",
        b"[]",
        b"null",
        b"17",
        b"{}",
        br#"{"email":17}"#,
        br#"{"email":"quokka"}"#,
        br#"{"email":"quokka@localhost"}"#,
        br#"{"member_id":"quokka@example.com","email":"quokka@example.com"}"#,
        br#"{"specversion":"1.0","id":"1","source":"/m","data":"quokka@example.com"}"#,
        too_long.as_bytes(),
        b"[[[[[[[[[[[[[[[[",
    ];
    for (n, body) in (0..).zip(poison) {
        assert!(broker.publish(None, message(n).as_bytes()).await);
        // An id that is an address is as bad as an address.
        assert!(broker.publish(Some(&format!("quokka{n}@example.com")), body).await);
    }
    let mixed = br#"[{"member_id":"m100","email":"member100@example.com"},"quokka",{"member_id":"m101"}]"#;
    assert!(broker.publish(Some("mixed"), mixed).await);

    let serving = behind.open(&broker, Tuning { batch: 7, ..Tuning::default() }).await;
    let seen = serving.until("all are acknowledged", |seen| seen.acknowledged == 33).await;
    assert_eq!((seen.queued, seen.refused, seen.redelivered), (17, 18, 0), "{seen:?}");
    serving.shut().await;
    let census = behind.census().await;
    assert_eq!((census.waiting, census.dead_letters, broker.left().await), (17, 18, 0));

    let letters = behind.dead_letters().await;
    assert!(letters.iter().all(|letter| letter.reason == DeadReason::Malformed));
    let told: HashSet<_> = letters.iter().map(|letter| letter.error.as_str()).collect();
    assert!(told.len() >= 16, "each is known by the hash of its message: {told:?}");
    for letter in &letters {
        let origin = letter.origin.as_deref().unwrap();
        assert!(origin.starts_with(&format!("{}:", B::NAME)), "{origin}");
        assert!(letter.error.contains("(message "), "{}", letter.error);
        let shown = serde_json::to_string(letter).unwrap();
        assert!(!shown.contains("quokka"), "{shown}");
    }
    let in_the_array: Vec<_> =
        letters.iter().filter_map(|letter| letter.origin.as_deref()?.split_once('[')).collect();
    assert_eq!(in_the_array.iter().map(|(_, entry)| *entry).collect::<Vec<_>>(), ["3]", "2]"]);
}

pub(crate) async fn nothing_is_acknowledged_while_the_database_is_away<B: TestBroker>() {
    let (broker, behind) = (B::shared().await, Behind::new().await);
    publish(&broker, 0, 300).await;
    behind.switch.send_replace(AtTheDoor::Away);
    let serving = behind.open(&broker, Tuning::default()).await;
    let seen = serving.until("it has tried again and again", |seen| seen.store_faults >= 5).await;
    assert!(seen.acknowledged == 0 && seen.messages <= 50, "one batch is in hand: {seen:?}");
    serving.kill().await;
    until("everything is still at the broker", async || broker.left().await, |left| *left == 300).await;

    let serving = behind.open(&broker, Tuning { ack_wait: 2, ..Tuning::default() }).await;
    serving.until("it has tried again", |seen| seen.store_faults >= 2).await;
    behind.switch.send_replace(AtTheDoor::Open);
    serving.until("all are acknowledged", |seen| seen.acknowledged >= 300).await;
    serving.shut().await;
    let census = behind.census().await;
    assert_eq!((census.waiting, census.taken_in, broker.left().await), (300, 300, 0));
}

pub(crate) async fn a_slow_store_holds_no_more_than_its_share<B: TestBroker>() {
    let (broker, behind) = (B::shared().await, Behind::new().await);
    publish(&broker, 0, 400).await;
    behind.switch.send_replace(AtTheDoor::Stuck);
    let tuning = Tuning { batch: 20, prefetch: 60, ..Tuning::default() };
    let serving = behind.open(&broker, tuning).await;
    serving.until("a batch is in hand", |seen| seen.messages >= 20).await;
    // However long one looks: it may take some more, up to its share, and never more than that.
    let mut fewest = u64::MAX;
    for _ in 0..20 {
        fewest = fewest.min(broker.waiting().await);
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    assert!(fewest >= 340, "at most 60 of 400 may be in hand, and {} are", 400 - fewest);
    assert_eq!(serving.report.summary().acknowledged, 0);
    behind.switch.send_replace(AtTheDoor::Open);
    serving.until("all are acknowledged", |seen| seen.acknowledged == 400).await;
    serving.shut().await;
    assert_eq!(behind.census().await.waiting, 400);
}

pub(crate) async fn what_was_committed_and_not_acknowledged_comes_again_and_changes_nothing<B: TestBroker>() {
    let (broker, behind) = (B::shared().await, Behind::new().await);
    publish(&broker, 0, 50).await;
    behind.switch.send_replace(AtTheDoor::StuckOnceCommitted);
    let tuning = Tuning { ack_wait: 2, ..Tuning::default() };
    let serving = behind.open(&broker, tuning).await;
    until("all is committed", async || behind.census().await.waiting, |waiting| *waiting == 50).await;
    serving.kill().await;
    until("nothing was acknowledged", async || broker.left().await, |left| *left == 50).await;

    behind.switch.send_replace(AtTheDoor::Open);
    let serving = behind.open(&broker, tuning).await;
    let seen = serving.until("all came again", |seen| seen.acknowledged == 50).await;
    assert_eq!((seen.queued, seen.repeated, seen.redelivered), (0, 50, 50), "{seen:?}");
    serving.shut().await;
    let census = behind.census().await;
    assert_eq!((census.waiting, census.taken_in, broker.left().await), (50, 50, 0));
}

pub(crate) async fn a_stop_finishes_what_is_in_hand<B: TestBroker>() {
    let (broker, behind) = (B::shared().await, Behind::new().await);
    publish(&broker, 0, 400).await;
    behind.switch.send_replace(AtTheDoor::Stuck);
    let serving = behind.open(&broker, Tuning::default()).await;
    serving.until("a batch is in hand", |seen| seen.messages >= 50).await;
    serving.ask_to_stop();
    behind.switch.send_replace(AtTheDoor::Open);
    let seen = serving.shut().await;
    let committed = behind.census().await.waiting;
    assert!((50..=100).contains(&committed), "what was in hand and no more: {seen:?}");
    assert_eq!(seen.acknowledged, committed, "and all of it is acknowledged");
    let rest = 400 - committed;
    until("the rest is still there", async || broker.left().await, |left| *left == rest).await;

    // At once, although `ack_wait` is long: nothing was kept from the next one.
    let serving = behind.open(&broker, Tuning::default()).await;
    let began = tokio::time::Instant::now();
    serving.until("the rest is taken in", |seen| seen.acknowledged == 400 - committed).await;
    assert!(began.elapsed() < Duration::from_secs(20), "{:?}", began.elapsed());
    serving.shut().await;
    assert_eq!(behind.census().await.waiting, 400);
}

/// The address with which `m1` would be looked up now.
async fn address_of_m1(behind: &Behind) -> String {
    let claim = Claim {
        owner: "a-test",
        limit: 1,
        lease: Duration::from_mins(10),
        now: Timestamp::MAX - SignedDuration::from_hours(24),
    };
    let claimed = behind.store.claim(claim).await.unwrap();
    behind.store.release(&[claimed[0].hold], claim.now).await.unwrap();
    claimed[0].email.expose().to_owned()
}

pub(crate) async fn the_newest_address_counts_and_a_late_repeat_does_not<B: TestBroker>() {
    let (broker, behind) = (B::shared().await, Behind::new().await);
    let says = |address: &str| format!(r#"{{"member_id":"m1","email":"{address}@example.com"}}"#);
    behind.switch.send_replace(AtTheDoor::StuckOnceCommitted);
    let tuning = Tuning { ack_wait: 2, ..Tuning::default() };
    assert!(broker.publish(Some("first"), says("old").as_bytes()).await);
    let serving = behind.open(&broker, tuning).await;
    until("the first is committed", async || behind.census().await.waiting, |waiting| *waiting == 1).await;
    // Its acknowledgement never arrives; the newer message comes before it does.
    serving.kill().await;
    let other = B::shared().await;
    assert!(other.publish(Some("second"), says("new").as_bytes()).await);
    behind.switch.send_replace(AtTheDoor::Open);
    let serving_other = behind.open(&other, tuning).await;
    serving_other.until("the newer one is taken in", |seen| seen.acknowledged == 1).await;
    serving_other.shut().await;
    assert_eq!(address_of_m1(&behind).await, "new@example.com", "the newest address counts");

    let serving = behind.open(&broker, tuning).await;
    let seen = serving.until("the older one came again", |seen| seen.acknowledged == 1).await;
    assert_eq!((seen.redelivered, seen.repeated), (1, 1), "{seen:?}");
    serving.shut().await;
    assert_eq!(address_of_m1(&behind).await, "new@example.com", "a late repeat changes nothing");
    assert_eq!(behind.census().await.taken_in, 1);
}

pub(crate) async fn a_message_that_the_database_refuses_costs_only_itself<B: TestBroker>() {
    let broker = B::shared().await;
    let behind = Behind::with(|faulty| faulty.not_taking("m7")).await;
    publish(&broker, 0, 20).await;
    let serving = behind.open(&broker, Tuning::default()).await;
    serving.until("all are acknowledged", |seen| seen.acknowledged == 20).await;
    serving.shut().await;
    let census = behind.census().await;
    assert_eq!((census.waiting, census.dead_letters, broker.left().await), (19, 1, 0));
    let letter = behind.dead_letters().await.remove(0);
    assert_eq!(
        letter.error,
        "the message was read, but the database refused a statement: a fault of the test"
    );
}

pub(crate) async fn a_broker_that_is_away_is_waited_for<B: TestBroker>() {
    let (broker, behind) = (B::private().await, Behind::new().await);
    publish(&broker, 0, 10).await;
    broker.stop().await;
    let serving = behind.open(&broker, Tuning::default()).await;
    tokio::time::sleep(Duration::from_secs(1)).await;
    assert!(!serving.is_over() && serving.report.summary().connections == 0, "it waits");
    broker.start_again().await;
    serving.until("it is there, and taken from", |seen| seen.acknowledged == 10).await;
    // And again, in the middle of a life.
    broker.stop().await;
    tokio::time::sleep(Duration::from_millis(500)).await;
    broker.start_again().await;
    let send = async || {
        let mut sent = 10;
        while sent < 20 {
            let id = format!("id-{sent}");
            sent += u32::from(broker.publish(Some(&id), message(sent).as_bytes()).await);
        }
    };
    tokio::time::timeout(Duration::from_mins(1), send()).await.expect("the broker is back");
    let began = tokio::time::Instant::now();
    serving.until("the others are taken in", |seen| seen.queued == 20).await;
    assert!(began.elapsed() < Duration::from_secs(10), "not back within ten seconds: {:?}", began.elapsed());
    serving.shut().await;
    assert_eq!(behind.census().await.taken_in, 20);
}

pub(crate) async fn a_crashed_broker_loses_nothing_that_it_acknowledged<B: TestBroker>() {
    const CRASHES: u32 = 3;
    let (broker, behind) = (B::private().await, Behind::new().await);
    let serving = behind.open(&broker, Tuning { ack_wait: 2, ..Tuning::default() }).await;
    serving.until("it is connected", |seen| seen.connections == 1).await;
    let (mut acknowledged, mut unsure) = (0, 0);
    let is_over = Cell::new(false);
    let stream = async {
        let mut crashed_at = 0;
        while !is_over.get() || acknowledged < crashed_at + 200 {
            // A message that was not acknowledged may have arrived: it is sent again until it is.
            if broker.publish(Some(&format!("id-{acknowledged}")), message(acknowledged).as_bytes()).await {
                acknowledged += 1;
            } else {
                unsure += 1;
                crashed_at = acknowledged;
                tokio::time::sleep(Duration::from_millis(50)).await;
            }
        }
    };
    let crash = async {
        for _ in 0..CRASHES {
            let connections = serving.report.summary().connections;
            let taken = serving.report.summary().queued;
            serving.until("it is in mid-stream", |seen| seen.queued >= taken + 30).await;
            broker.crash().await;
            serving.until("it is connected again", |seen| seen.connections > connections).await;
        }
        is_over.set(true);
    };
    let both = async { tokio::join!(stream, crash) };
    tokio::time::timeout(Duration::from_mins(8), both).await.expect("the stream goes on after each crash");
    finish(&serving, acknowledged).await;
    let seen = serving.shut().await;
    let census = behind.census().await;
    println!(
        "{}",
        serde_json::json!({ "broker": B::NAME, "crashes": CRASHES, "acknowledged": acknowledged,
            "not acknowledged at first": unsure, "lost": u64::from(acknowledged) - census.waiting.min(acknowledged.into()),
            "rows": census.waiting, "redelivered": seen.redelivered })
    );
    assert_eq!((census.waiting, census.taken_in), (acknowledged.into(), acknowledged.into()), "{seen:?}");
    assert!(seen.connections > u64::from(CRASHES), "{seen:?}");
}

async fn finish(serving: &Serving, members: u32) {
    serving.until("every member is taken in", |seen| seen.queued >= members.into()).await;
}

pub(crate) async fn what_is_not_there_is_not_made_up<B: TestBroker>() {
    let (broker, behind) = (B::shared().await, Behind::new().await);
    broker.remove().await;
    let refused = behind.try_open(&broker, Tuning::default()).await.err().unwrap().to_string();
    assert!(
        refused.starts_with(&format!("the door `{}` cannot be opened: there is no ", B::NAME)),
        "{refused}"
    );
    let create = Tuning { create: true, ..Tuning::default() };
    let serving = behind.open(&broker, create).await;
    publish(&broker, 0, 3).await;
    serving.until("a place that we made serves", |seen| seen.acknowledged == 3).await;
    serving.shut().await;
}

pub(crate) async fn a_place_that_vanishes_is_waited_for<B: TestBroker>() {
    let (broker, behind) = (B::shared().await, Behind::new().await);
    let serving = behind.open(&broker, Tuning::default()).await;
    publish(&broker, 0, 3).await;
    serving.until("it serves", |seen| seen.acknowledged == 3).await;
    broker.remove().await;
    tokio::time::sleep(Duration::from_millis(500)).await;
    assert!(!serving.is_over());
    broker.make().await;
    publish(&broker, 10, 13).await;
    serving.until("it serves again", |seen| seen.queued == 6).await;
    serving.shut().await;
    assert_eq!(behind.census().await.waiting, 6);
}

pub(crate) async fn what_is_too_much_stays_at_the_broker<B: TestBroker>() {
    let (broker, behind) = (B::shared().await, Behind::new().await);
    publish(&broker, 0, 300).await;
    let tuning = Tuning { batch: 25, prefetch: 25, max_waiting: 100, ..Tuning::default() };
    let serving = behind.open(&broker, tuning).await;
    serving.until("there is no more room", |seen| seen.acknowledged == 100).await;
    for _ in 0..10 {
        assert!(broker.waiting().await >= 175, "one batch may be on its way, and no more");
        assert_eq!(behind.census().await.waiting, 100);
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    // Jobs that run are not waiting: there is room again.
    let claim = Claim {
        owner: "a-test",
        limit: 60,
        lease: Duration::from_mins(10),
        now: SystemClock.now() + SignedDuration::from_secs(1),
    };
    assert_eq!(behind.store.claim(claim).await.unwrap().len(), 60);
    serving.until("the room is used", |seen| seen.acknowledged >= 160).await;
    serving.shut().await;
    let waiting = behind.census().await.waiting;
    assert!((100..125).contains(&waiting), "{waiting}");
}

pub(crate) async fn two_processes_share_the_messages<B: TestBroker>() {
    let (broker, behind) = (B::shared().await, Behind::new().await);
    publish(&broker, 0, 1_000).await;
    let tuning = Tuning { batch: 20, prefetch: 40, ..Tuning::default() };
    let one = behind.open(&broker, tuning).await;
    let other = behind.open(&broker, tuning).await;
    let together = async || (one.report.summary().acknowledged, other.report.summary().acknowledged);
    let (first, second) = until("all are acknowledged", together, |(one, other)| one + other == 1_000).await;
    let seen = [one.shut().await, other.shut().await];
    assert!(first > 0 && second > 0, "{seen:?}");
    assert_eq!(seen.iter().map(|seen| seen.redelivered).sum::<u64>(), 0, "{seen:?}");
    let census = behind.census().await;
    assert_eq!((census.waiting, census.repeated, broker.left().await), (1_000, 0, 0));
}
