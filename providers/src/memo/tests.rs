use std::convert::Infallible;
use std::sync::atomic::{AtomicU32, Ordering};

use tokio::sync::Barrier;
use tokio::task::JoinSet;
use tokio::time::advance;

use super::*;

const HOUR: Duration = Duration::from_hours(1);

fn memo(most: usize) -> Memo<String> {
    Memo::new(most, String::len, 10)
}

async fn found(memo: &Memo<String>, key: &str, answer: &str) -> String {
    memo.get(key, async { Ok::<_, Infallible>(answer.to_owned()) }).await.unwrap()
}

#[tokio::test(start_paused = true)]
async fn an_answer_lasts_a_day() {
    let memo = memo(4);
    assert_eq!(found(&memo, "a", "one").await, "one");
    advance(23 * HOUR).await;
    assert_eq!(found(&memo, "a", "two").await, "one");
    assert_eq!(found(&memo, "b", "two").await, "two");
    advance(HOUR).await;
    assert_eq!(found(&memo, "a", "three").await, "three");
}

#[tokio::test]
async fn what_is_heavy_or_failed_is_not_remembered() {
    let memo = memo(4);
    assert_eq!(memo.get("a", async { Err("no") }).await, Err("no"));
    assert_eq!(found(&memo, "a", "long enough").await, "long enough");
    assert_eq!(found(&memo, "a", "short").await, "short");
    assert_eq!(found(&memo, "a", "other").await, "short");
}

#[tokio::test(start_paused = true)]
async fn the_bound_holds_and_the_youngest_stay() {
    let memo = memo(64);
    for number in 0..10_000 {
        found(&memo, &number.to_string(), "x").await;
        advance(Duration::from_millis(1)).await;
        assert!(memo.shelf.len() <= 64);
    }
    for number in 9_960..10_000 {
        assert_eq!(found(&memo, &number.to_string(), "y").await, "x", "{number}");
    }
    // All made at one moment, even: there is still room.
    let shelf = Shelf::new(8);
    (0..100).for_each(|number| drop(shelf.get(&number.to_string(), || number)));
    assert!(shelf.len() <= 8);
}

#[tokio::test]
async fn many_who_ask_at_once_ask_once() {
    let (memo, calls) = (Arc::new(memo(4)), Arc::new(AtomicU32::new(0)));
    let here = Arc::new(Barrier::new(100));
    let mut asking = JoinSet::new();
    for _ in 0..100 {
        let (memo, calls, here) = (Arc::clone(&memo), Arc::clone(&calls), Arc::clone(&here));
        asking.spawn(async move {
            here.wait().await;
            let find = async {
                // The first one fails: the next in line tries.
                let number = calls.fetch_add(1, Ordering::SeqCst);
                tokio::task::yield_now().await;
                if number == 0 { Err("no") } else { Ok("x".to_owned()) }
            };
            memo.get("a", find).await
        });
    }
    let answers = asking.join_all().await;
    assert_eq!(answers.iter().filter(|answer| answer.is_err()).count(), 1);
    assert_eq!(calls.load(Ordering::SeqCst), 2);
}
