//! GitHub against its documented answers.

use super::*;
use crate::contract::{Contract, Format, NOW_UNIX_SECONDS, Reply, Route, check_contract};
use crate::finding::Finding;

const USERS: &str = include_str!("../../../fixtures/github/users.json");
const USER: &str = include_str!("../../../fixtures/github/user.json");
const SOCIAL_ACCOUNTS: &str = include_str!("../../../fixtures/github/social_accounts.json");
const NONE: &str = include_str!("../../../fixtures/github/none.json");
const INCOMPLETE: &str = include_str!("../../../fixtures/github/incomplete.json");
const COMMITS: &str = include_str!("../../../fixtures/github/commits.json");
const RATE_LIMITED: &str = include_str!("../../../fixtures/github/rate_limited.json");
const BAD_KEY: &str = include_str!("../../../fixtures/github/bad_key.json");
const REFUSED: &str = include_str!("../../../fixtures/github/refused.json");

fn email(text: &str) -> EmailAddress {
    EmailAddress::parse(text).unwrap()
}

fn ok(path: &'static str, body: impl Into<Vec<u8>>) -> Route {
    Route::new(path, Reply::json(200, body))
}

fn account() -> Vec<Route> {
    vec![ok("/users/ada-example/social_accounts", SOCIAL_ACCOUNTS), ok("/users/ada-example", USER)]
}

fn contract(address: &str, matching: Vec<Route>) -> Contract {
    let rate_limited = Reply::json(403, RATE_LIMITED)
        .header("x-ratelimit-resource", "search")
        .header("x-ratelimit-remaining", "0")
        .header("x-ratelimit-reset", &(NOW_UNIX_SECONDS + 42).to_string());
    Contract {
        build,
        settings: ProviderSettings { key: Some("key-for-tests".into()), ..ProviderSettings::default() },
        path: "/",
        subject: Subject::new(email(address)),
        format: Format::Json,
        matching,
        missing: vec![ok("/search/", NONE)],
        rate_limited: Some((rate_limited, Duration::from_secs(42))),
        bad_key: Some(Reply::json(401, BAD_KEY)),
        out_of_credit: None,
    }
}

#[tokio::test]
async fn survives_the_contract() {
    let matching = [vec![ok("/search/users?", USERS)], account()].concat();
    let report = check_contract(&contract("ada.example@example.com", matching)).await;
    assert!(report.is_ok(), "{report}");
}

#[tokio::test]
async fn survives_the_contract_where_only_commits_carry_the_address() {
    let matching = vec![ok("/search/commits?", COMMITS), ok("/search/users?", NONE)];
    let report = check_contract(&contract("ada.example@example.com", matching)).await;
    assert!(report.is_ok(), "{report}");
}

#[tokio::test]
async fn survives_the_contract_with_a_no_reply_address() {
    let contract = contract("900000001+ada-example@users.noreply.github.com", account());
    let report = check_contract(&contract).await;
    assert!(report.is_ok(), "{report}");
}

/// The outcomes that the kit has no word for are its refusals: a secondary limit, a forbidden call, a refused query,
/// a search that gave up.
#[tokio::test]
async fn refusals_are_told_apart() {
    for (case, reply, class) in [
        ("secondary limit", Reply::json(403, RATE_LIMITED).header("retry-after", "60"), "rate_limited"),
        ("429 without a time", Reply::json(429, RATE_LIMITED), "rate_limited"),
        ("forbidden", Reply::json(403, BAD_KEY).header("x-ratelimit-remaining", "59"), "denied"),
        ("not searchable", Reply::json(422, REFUSED), "refused"),
        ("search timed out", Reply::json(200, INCOMPLETE), "unavailable"),
    ] {
        let contract =
            Contract { missing: vec![Route::new("/", reply)], ..contract("ada@example.com", vec![]) };
        let report = check_contract(&contract).await;
        let missing = report.results.iter().find(|result| result.case == "no match").unwrap();
        let failure = missing.failure.as_deref().unwrap_or_default();
        assert!(failure.contains(&format!("came `{class}`")), "{case}: {failure}");
    }
}

fn mapped(via: Via, author: Option<&answer::Author>) -> Finding {
    let user: User = serde_json::from_str(USER).unwrap();
    let links: Vec<Link> = serde_json::from_str(SOCIAL_ACCOUNTS).unwrap();
    user.finding(via, &links, author)
}

#[test]
fn the_account_is_proven_and_its_links_asserted() {
    insta::assert_json_snapshot!(mapped(Via::ShownAddress, None), @"");
}

#[test]
fn a_commit_gives_a_name_and_little_confidence() {
    let commits: Commits = serde_json::from_str(COMMITS).unwrap();
    let author = commits.into_author(&email("ada.example@example.com")).unwrap().unwrap();
    insta::assert_json_snapshot!(author.finding(&email("ada.example@example.com")), @"");
    let commits: Commits = serde_json::from_str(COMMITS).unwrap();
    assert!(commits.into_author(&email("bob@example.com")).unwrap().is_none(), "search is fuzzy");
}

#[test]
fn an_account_is_a_persons_and_shows_the_address() {
    let user = |body: &str| serde_json::from_str::<User>(body).unwrap();
    let shown = user(USER);
    assert_eq!(shown.shows(&email("Ada.Example@EXAMPLE.com")), Some(true));
    assert_eq!(shown.shows(&email("bob@example.com")), Some(false));
    let hidden = user(&USER.replace("\"ada.example@example.com\"", "null"));
    assert_eq!(hidden.shows(&email("bob@example.com")), None);
    for (kind, is_person) in [("User", true), ("Organization", false), ("Bot", false)] {
        assert_eq!(user(&USER.replace("\"User\"", &format!("\"{kind}\""))).is_person(), is_person, "{kind}");
    }
    assert!(!user(&USER.replace("\"ada-example\"", "\"../ada\"")).is_person());
}

#[test]
fn no_reply_addresses_name_their_account() {
    for (local_part, expected) in [
        ("900000001+ada-example", Some((Some(900_000_001), "ada-example"))),
        ("ada-example", Some((None, "ada-example"))),
        ("49699333+dependabot[bot]", None),
        ("x+ada", None),
        ("1+", None),
        ("1+ada/../bob", None),
    ] {
        let parsed = NoReply::parse(local_part).map(|noreply| (noreply.id, noreply.login));
        assert_eq!(parsed, expected, "{local_part}");
    }
}
