//! Who has objected at a vendor is suppressed here too, and nobody else is asked about them.

use super::{all_known, logged, run_with_keys};
use crate::support::{Home, members};

const MEMBERS: u32 = 6;
const KEYS: &[&str] = &["hunter", "people_data_labs"];

fn address(n: u32) -> String {
    format!("p{n}@own{n}.example.org")
}

#[tokio::test(flavor = "multi_thread")]
async fn a_451_suppresses_and_stays() {
    let extra = "[enrich]\ntiers = [[\"hunter\"], [\"people_data_labs\"]]\n";
    let mut settings = all_known();
    settings.objected = vec![address(3)];
    let home = Home::new(settings, extra).await;
    let file = home.write("members.csv", members(MEMBERS, address));
    let file = file.to_str().unwrap();
    run_with_keys(&home, KEYS, &["enrich", file]).await;

    let status = home.is_done_with(MEMBERS).await;
    assert_eq!(status["suppressed"], 1, "{status}");
    let database = home.database().await;
    let reasons: Vec<String> =
        sqlx::query_scalar("SELECT reason FROM suppressions").fetch_all(&database).await.unwrap();
    assert_eq!(reasons, ["objected"]);
    let kept: i64 =
        sqlx::query_scalar("SELECT count(*) FROM supplemental_member_information WHERE member_id = 'm3'")
            .fetch_one(&database)
            .await
            .unwrap();
    assert_eq!(kept, 0);

    let about: Vec<_> = home
        .sandbox
        .ledger()
        .iter()
        .filter(|entry| *entry.identifier == *address(3))
        .map(|entry| (entry.provider, entry.answer))
        .collect();
    assert_eq!(about, [("hunter", "objected")], "nobody else was asked");
    let log = logged(&home, "hunter").await;
    assert!(
        log.iter().any(|(told, outcome, count, _)| (told.as_str(), outcome.as_str(), *count)
            == ("address", "objected", 1)),
        "{log:?}"
    );

    home.sandbox.clear_ledger();
    let again = home.write("again.csv", members(MEMBERS, address));
    run_with_keys(&home, KEYS, &["enrich", again.to_str().unwrap()]).await;
    let asked = home.sandbox.ledger();
    assert!(asked.iter().all(|entry| *entry.identifier != *address(3)), "asked again");
}
