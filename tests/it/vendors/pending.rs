//! An answer that has to be waited for: ordered by one process, collected by another, billed once.

use gleaner_providers::sandbox::SandboxSettings;

use super::{all_known, command_with_keys, logged, run_with_keys};
use crate::support::{Home, members, until};

const MEMBERS: u32 = 12;

async fn pending(home: &Home) -> i64 {
    let sql = "SELECT count(*) FROM provider_answers WHERE outcome = 'pending'";
    sqlx::query_scalar(sql).fetch_one(&home.database().await).await.unwrap_or(0)
}

/// The worker that placed the orders is stopped; the next one collects them.
#[tokio::test(flavor = "multi_thread")]
async fn orders_outlive_the_worker_that_placed_them_and_are_billed_once() {
    for provider in ["fullenrich", "rocketreach", "fullcontact"] {
        let extra = format!("[enrich]\ntiers = [[{provider:?}]]\n[worker]\npoll_ms = 20\nlease_secs = 5\n");
        // The search lasts until the first worker is gone.
        let home = Home::new(SandboxSettings { search_ms: 1500, ..all_known() }, &extra).await;
        let file = home.write("members.csv", members(MEMBERS, |n| format!("p{n}@own{n}.example.org")));
        home.json(&["enqueue", file.to_str().unwrap()]).await;
        let mut first = command_with_keys(&home, &[provider], &["worker"]).spawn().unwrap();
        until("an order is stored", async || pending(&home).await, |orders| *orders > 0).await;
        let stop = format!("kill -TERM {}", first.id().unwrap());
        tokio::process::Command::new("sh").args(["-c", &stop]).status().await.unwrap();
        first.wait().await.unwrap();
        let before = home.sandbox.ledger().len();
        assert!(before > 0);

        run_with_keys(&home, &[provider], &["worker", "--until-idle", "30"]).await;
        home.is_done_with(MEMBERS).await;
        assert_eq!(pending(&home).await, 0, "{provider}: what was ordered was collected");

        let ledger = home.sandbox.ledger();
        let mut asked: Vec<_> = ledger
            .iter()
            .filter(|entry| {
                entry.told == "address" && (provider != "fullcontact" || entry.answer != "pending")
            })
            .map(|entry| entry.identifier.clone())
            .collect();
        let calls = asked.len();
        asked.sort();
        asked.dedup();
        assert_eq!(calls, asked.len(), "{provider}: somebody was ordered twice");
        let billed = home.sandbox.summary().billed_micros.0;
        let log = logged(&home, provider).await;
        let booked: i64 = log.iter().map(|(_, _, _, micros)| micros).sum();
        let price = ledger.iter().map(|entry| entry.billed_micros.0).max().unwrap();
        assert!(billed > 0 && billed.abs_diff(u64::try_from(booked).unwrap()) <= price, "{billed}, {booked}");
        assert!(log.iter().any(|(told, outcome, ..)| told == "address" && outcome == "pending"), "{log:?}");
    }
}
