//! Replays as operators run them, with real processes that are killed on the way.

use std::time::Duration;

use gleaner_providers::sandbox::{
    Fault, FaultRates, SandboxSettings, Script, Service, ServiceSettings, When,
};
use serde_json::Value;
use sqlx::{Connection as _, PgConnection};

use crate::support::{Dice, Home, members, postgres_database, text};

const PAID: &str = "people_data_labs";

fn settings() -> SandboxSettings {
    SandboxSettings { distortion: 0.0, ..SandboxSettings::calm(1) }
}

fn asked(home: &Home, provider: &str) -> usize {
    home.sandbox.ledger().iter().filter(|entry| entry.provider == provider).count()
}

fn billed(home: &Home) -> u64 {
    home.sandbox.summary().providers[PAID].billed_micros.0
}

/// Takes so many in as the batch `spring`, and looks them up.
async fn import(home: &Home, count: u32) {
    let file = home.write("members.csv", members(count, |n| format!("person{n}@site{n}.example.org")));
    home.json(&["enqueue", file.to_str().unwrap(), "--batch", "spring"]).await;
    home.json(&["worker", "--until-idle", "5"]).await;
}

async fn spoil_names(home: &Home, url: Option<&str>) {
    let sql = "UPDATE supplemental_member_information SET full_name = 'Some Body', given_name = 'Some', family_name = 'Body'
        WHERE full_name IS NOT NULL";
    match url {
        Some(url) => {
            let mut connection = PgConnection::connect(url).await.unwrap();
            sqlx::raw_sql(sql).execute(&mut connection).await.unwrap();
        }
        None => {
            sqlx::raw_sql(sql).execute(&home.database().await).await.unwrap();
        }
    }
}

async fn adds_up(home: &Home) -> Value {
    let status = home.json(&["status"]).await;
    assert_eq!(status["adds_up"], true, "{status}");
    status
}

async fn what_is_in_stock_is_not_asked_for_again(home: Home, _: Option<String>) {
    import(&home, 40).await;
    let story = home.json(&["batch", "show", "spring"]).await;
    assert_eq!((&story["state"], &story["counts"]["queued"]), (&"done".into(), &40.into()), "{story}");
    assert_eq!(story["finished"], 40, "{story}");
    // Who turned out to be too young is not one of them.
    let known = 40 - adds_up(&home).await["suppressed"].as_u64().unwrap();

    let (calls, cost) = (home.sandbox.summary().calls, billed(&home));
    let preview = home.json(&["replay", "--batch", "spring", "--dry-run"]).await;
    assert_eq!(
        (&preview["selected"]["with_record"], &preview["estimate"]["lookups"]),
        (&40.into(), &0.into())
    );
    assert_eq!(home.run(&["batch", "show", preview["batch"].as_str().unwrap()]).await.status.code(), Some(1));
    let refused = home.run(&["replay", "--batch", "spring"]).await;
    assert_eq!(refused.status.code(), Some(2), "nobody is there to ask: {}", text(&refused.stderr));
    home.json(&["replay", "--batch", "spring", "--name", "again", "--yes"]).await;
    home.json(&["worker", "--until-idle"]).await;
    let story = home.json(&["batch", "show", "again"]).await;
    assert_eq!(
        (&story["state"], &story["finished"], &story["cost_micros"]),
        (&"done".into(), &known.into(), &0.into())
    );
    assert_eq!((home.sandbox.summary().calls, billed(&home)), (calls, cost), "not one call");

    // On purpose, and of one provider alone.
    let (others, once) = (asked(&home, "github"), asked(&home, "gravatar"));
    home.json(&[
        "replay",
        "--batch",
        "spring",
        "--refresh",
        "--provider",
        "gravatar",
        "--name",
        "fresh",
        "--yes",
    ])
    .await;
    home.json(&["worker", "--until-idle", "5"]).await;
    assert_eq!((asked(&home, "gravatar"), asked(&home, "github")), (once * 2, others));
    let changed = home.json(&["batch", "diff", "fresh"]).await;
    assert_eq!(changed["fields"]["name"]["lost"], 0, "the same people: {changed}");
    adds_up(&home).await;
}

async fn nothing_is_lost_and_no_money_above_the_ceiling_whoever_is_killed(home: Home, _: Option<String>) {
    const MEMBERS: u32 = 5_000;
    import(&home, MEMBERS).await;
    let before = billed(&home);
    assert!(before > 0);
    // A third of what it would cost.
    let ceiling = before / 3;
    let amount = format!("${}.{:06}", ceiling / 1_000_000, ceiling % 1_000_000);
    let mut dice = Dice(11);
    let replay =
        ["replay", "--refresh", "--provider", PAID, "--name", "again", "--max-cost", &amount, "--yes"];
    // The operator is killed somewhere between preview and the last chunk.
    for _ in 0..20 {
        let mut operator = home.start(&replay);
        tokio::time::sleep(Duration::from_millis(dice.between(100, 900))).await;
        operator.kill().await.unwrap();
        if home.run(&["batch", "show", "again"]).await.status.success() {
            break;
        }
    }
    let approved = home.run(&["batch", "show", "again"]).await.status.success();
    if !approved {
        home.json(&replay).await;
    }
    for _ in 0..8 {
        let mut worker = home.start(&["worker"]);
        tokio::time::sleep(Duration::from_millis(dice.between(200, 1_500))).await;
        worker.kill().await.unwrap();
        assert!(billed(&home) - before <= ceiling, "{} of {ceiling}", billed(&home) - before);
        adds_up(&home).await;
    }
    // Until it may not spend any more.
    for _ in 0..3 {
        tokio::time::sleep(Duration::from_millis(5_100)).await;
        home.json(&["worker", "--until-idle"]).await;
    }
    let spent = billed(&home) - before;
    assert!(spent <= ceiling && spent > ceiling / 2, "{spent} of {ceiling}");
    let story = home.json(&["batch", "show", "again"]).await;
    assert!(story["standing"]["waiting"].as_u64().unwrap() > 0, "{story}");
    assert!(
        story["spent_micros"].as_u64().unwrap() + story["reserved_micros"].as_u64().unwrap() <= ceiling,
        "{story}"
    );

    home.json(&["batch", "resume", "again", "--max-cost", "$100000"]).await;
    home.json(&["worker", "--until-idle", "10"]).await;
    let story = home.json(&["batch", "show", "again"]).await;
    assert_eq!((&story["state"], &story["is_filled"]), (&"done".into(), &true.into()), "{story}");
    assert!(story["selected"].as_u64().unwrap() > 1_000, "{story}");
    assert_eq!(story["counts"]["queued"], story["selected"], "everybody once: {story}");
    assert_eq!(story["finished"], story["selected"], "and everybody came to an end once: {story}");
    let status = home.is_done_with(MEMBERS).await;
    assert_eq!(status["partial"], 0, "{status}");
}

/// A vendor bills answers that never arrive; they count against the ceiling all the same.
async fn what_may_have_been_billed_counts_against_the_ceiling(mut home: Home, _: Option<String>) {
    import(&home, 200).await;
    home.start_sandbox_anew(cut_off()).await;
    let amount = "$20";
    home.json(&["replay", "--refresh", "--provider", PAID, "--name", "again", "--max-cost", amount, "--yes"])
        .await;
    home.json(&["worker", "--until-idle", "2"]).await;
    let billed = billed(&home);
    let story = home.json(&["batch", "show", "again"]).await;
    let booked = story["spent_micros"].as_u64().unwrap();
    let kept = story["reserved_micros"].as_u64().unwrap();
    assert!(billed > booked, "more was billed than answers have arrived: {billed}, {story}");
    assert!(billed <= booked + kept && booked + kept <= 20_000_000, "{billed}: {story}");
    assert_eq!(adds_up(&home).await["dead_letters"], 0);
}

async fn dead_letters_are_seen_replayed_and_purged(mut home: Home, _: Option<String>) {
    let file = home.write("members.csv", members(12, |n| format!("person{n}@site{n}.example.org")));
    home.json(&["enqueue", file.to_str().unwrap(), "--batch", "spring"]).await;
    home.json(&["worker", "--until-idle", "5"]).await;
    let groups = home.json(&["dead-letters", "group"]).await;
    let dead = adds_up(&home).await["dead_letters"].as_u64().unwrap();
    assert!(dead > 3, "some needed no answer of the failing one, most did");
    assert_eq!(
        (&groups["letters"], &groups["reason"]),
        (&dead.into(), &"attempts_exhausted".into()),
        "{groups}"
    );
    assert!(groups["error"].as_str().unwrap().contains("github: unavailable"), "{groups}");
    let story = home.json(&["batch", "show", "spring"]).await;
    assert_eq!(story["standing"]["dead_letters"]["attempts_exhausted"], dead, "{story}");
    let first = text(&home.run(&["--json", "dead-letters", "list", "--limit", "1"]).await.stdout);
    let first: Value = serde_json::from_str(&first).unwrap();
    let id = first["id"].to_string();
    let shown = home.json(&["dead-letters", "show", &id]).await;
    let failed =
        shown["lookups"].as_array().unwrap().iter().filter(|call| call["outcome"] == "unavailable").count();
    assert_eq!(failed, 2, "two attempts: {shown}");

    // It has recovered: one of them, then all the others of that error.
    home.start_sandbox_anew(settings()).await;
    home.json(&["dead-letters", "replay", &id, "--name", "one", "--yes"]).await;
    home.json(&["worker", "--until-idle"]).await;
    assert_eq!(adds_up(&home).await["dead_letters"], dead - 1);
    let nothing = home.run(&["dead-letters", "replay", "--error", "nothing like it", "--yes"]).await;
    assert_eq!(nothing.status.code(), Some(3), "{}", text(&nothing.stderr));
    let refused = home.run(&["dead-letters", "purge", "--yes"]).await;
    assert!(text(&refused.stderr).contains("--all"), "{}", text(&refused.stderr));
    home.json(&["dead-letters", "replay", "--error", "github: unavailable", "--yes"]).await;
    home.json(&["worker", "--until-idle"]).await;
    let status = home.is_done_with(12).await;
    assert_eq!(status["dead_letters"], 0, "{status}");

    home.run(&["enqueue", "no-address@", "nobody@localhost"]).await;
    assert_eq!(adds_up(&home).await["dead_letters"], 2);
    home.json(&["dead-letters", "purge", "--reason", "malformed", "--dry-run"]).await;
    assert_eq!(adds_up(&home).await["dead_letters"], 2, "a preview throws nothing away");
    assert_eq!(home.json(&["dead-letters", "purge", "--reason", "malformed", "--yes"]).await["purged"], 2);
    let status = adds_up(&home).await;
    assert_eq!((&status["dead_letters"], &status["purged"]), (&0.into(), &2.into()));
}

async fn records_are_made_anew_from_stock(home: Home, url: Option<String>) {
    import(&home, 30).await;
    let calls = home.sandbox.summary().calls;
    // Somebody has spoilt the names by hand: what is in stock knows better.
    spoil_names(&home, url.as_deref()).await;
    let preview = home.json(&["replay", "--all", "--renormalize", "--dry-run"]).await;
    // Also surer or less sure than they were: the first worker had learned nothing of the sources yet.
    let (changed, wrong) = (&preview["changed"], &preview["changes"]["name.changed"]);
    assert!(wrong.as_u64() > Some(5) && changed.as_u64() >= wrong.as_u64(), "{preview}");
    home.json(&["replay", "--all", "--renormalize", "--name", "anew", "--yes"]).await;
    let story = home.json(&["batch", "show", "anew"]).await;
    assert_eq!((&story["state"], &story["counts"]["rebuilt"]), (&"done".into(), changed), "{story}");
    let diff = home.json(&["batch", "diff", "anew"]).await;
    assert_eq!(&diff["fields"]["name"]["changed"], wrong, "{diff}");
    let members = text(&home.run(&["batch", "diff", "anew", "--members"]).await.stdout);
    let names = members.lines().filter(|line| line.split_whitespace().nth(1) == Some("name"));
    assert_eq!(Some(names.count() as u64), wrong.as_u64(), "{members}");
    let again = home.json(&["replay", "--all", "--renormalize", "--dry-run"]).await;
    assert_eq!(again["changed"], 0, "{again}");
    assert_eq!(home.sandbox.summary().calls, calls, "nobody was asked");
    adds_up(&home).await;
}

/// Each story on both kinds of database.
macro_rules! on_both {
    ($($story:ident: $settings:expr, $free:ident, $attempts:literal;)+) => {
        mod sqlite {
            use super::*;
            $(
                #[tokio::test(flavor = "multi_thread")]
                async fn $story() {
                    super::$story(Home::new($settings, &extra($free, $attempts)).await, None).await;
                }
            )+
        }
        mod postgres {
            use super::*;
            $(
                #[tokio::test(flavor = "multi_thread")]
                async fn $story() {
                    let url = postgres_database().await;
                    let extra = format!("database = {url:?}\n{}", extra($free, $attempts));
                    super::$story(Home::new($settings, &extra).await, Some(url)).await;
                }
            )+
        }
    };
}

/// The free ones: vendors alone, or with strangers' pages, some of which forbid to be read.
const VENDORS: &[&str] = &["gravatar", "github"];
const WITH_PAGES: &[&str] = &["gravatar", "github", "homepage"];

fn extra(free: &[&str], max_attempts: u32) -> String {
    format!(
        "[enrich]\ntiers = [{free:?}, [{PAID:?}]]\n[worker]\nlease_secs = 5\n\
         [retry]\nbase_ms = 1\nmax_attempts = {max_attempts}\n[breaker]\nfailures = 0\n"
    )
}

/// One provider fails always.
fn failing() -> SandboxSettings {
    let script =
        Script { provider: Service::Github, email: None, when: When::Always, fault: Fault::ServerError };
    SandboxSettings { scripts: vec![script], ..settings() }
}

/// Of one provider, half of the answers break off on their way.
fn cut_off() -> SandboxSettings {
    let mut settings = settings();
    let faults = Some(FaultRates { truncated: 0.5, ..FaultRates::default() });
    settings
        .providers
        .insert(Service::PeopleDataLabs, ServiceSettings { faults, ..ServiceSettings::default() });
    settings
}

on_both! {
    what_is_in_stock_is_not_asked_for_again: settings(), WITH_PAGES, 2;
    nothing_is_lost_and_no_money_above_the_ceiling_whoever_is_killed: settings(), VENDORS, 100;
    what_may_have_been_billed_counts_against_the_ceiling: settings(), VENDORS, 100;
    dead_letters_are_seen_replayed_and_purged: failing(), VENDORS, 2;
    records_are_made_anew_from_stock: settings(), WITH_PAGES, 2;
}
