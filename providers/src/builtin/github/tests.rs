//! GitHub against its documented answers.

use super::super::lines;
use super::*;
use crate::contract::{Contract, Format, NOW_UNIX_SECONDS, Reply, Route, check_contract, lookup_against};
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
    check_contract(&contract("ada.example@example.com", matching)).await.assert_survived();
}

#[tokio::test]
async fn survives_the_contract_where_only_commits_carry_the_address() {
    let matching = vec![ok("/search/commits?", COMMITS), ok("/search/users?", NONE)];
    check_contract(&contract("ada.example@example.com", matching)).await.assert_survived();
}

#[tokio::test]
async fn survives_the_contract_with_a_no_reply_address() {
    let contract = contract("900000001+ada-example@users.noreply.github.com", account());
    check_contract(&contract).await.assert_survived();
}

#[tokio::test]
async fn survives_the_contract_by_an_account_found_before() {
    let contract = contract("somebody.else@example.com", account());
    let accounts = vec![super::super::account("https://github.com/Ada-Example", 0.7)];
    // Nothing but the account is asked for: the kit answers nothing else, and hears the address nowhere.
    let by_handle = vec![
        ok("/users/Ada-Example/social_accounts", SOCIAL_ACCOUNTS),
        ok("/users/ada-example/social_accounts", SOCIAL_ACCOUNTS),
        ok("/users/Ada-Example", USER),
    ];
    let missing = vec![Route::new("/users/", Reply::json(404, "{}"))];
    let subject = contract.subject.clone().with_accounts(accounts);
    check_contract(&Contract { subject, matching: by_handle, missing, ..contract }).await.assert_survived();
}

#[tokio::test]
async fn refusals_are_told_apart() {
    for (case, reply, class) in [
        ("secondary limit", Reply::json(403, RATE_LIMITED).header("retry-after", "60"), "rate_limited"),
        ("429 without a time", Reply::json(429, RATE_LIMITED), "rate_limited"),
        ("forbidden", Reply::json(403, BAD_KEY).header("x-ratelimit-remaining", "59"), "denied"),
        ("not searchable", Reply::json(422, REFUSED), "refused"),
        ("search timed out", Reply::json(200, INCOMPLETE), "unavailable"),
    ] {
        let contract = contract("ada@example.com", vec![]);
        let outcome = lookup_against(&contract, vec![Route::new("/", reply)]).await.unwrap();
        assert_eq!(outcome.unwrap_err().class(), class, "{case}");
    }
}

#[tokio::test]
async fn an_account_is_taken_only_where_github_ties_it_to_the_address() {
    let contract = contract("ada@example.com", vec![]);
    let two = r#"{"total_count":2,"incomplete_results":false,"items":[{"login":"bob-sample","type":"User"},{"login":"ada-example","type":"User"}]}"#;
    let hidden = USER.replace("\"ada.example@example.com\"", "null");
    let ours = USER.replace("ada.example@example.com", "ADA@example.com");
    let bob = USER.replace("ada-example", "bob-sample").replace("ada.example@example.com", "bob@example.com");
    let organization = ours.replace("\"User\"", "\"Organization\"");
    let cases = [
        ("the only one, address hidden", USERS, hidden.clone(), true),
        ("the only one, another address", USERS, USER.to_owned(), false),
        ("two, one shows the address", two, ours, true),
        ("two, addresses hidden", two, hidden, false),
        ("an organisation's", USERS, organization, false),
    ];
    for (case, users, user, is_match) in cases {
        let routes = vec![
            ok("/search/users?", users),
            ok("/search/commits?", NONE),
            ok("/users/ada-example/social_accounts", "[]"),
            ok("/users/ada-example", user),
            ok("/users/bob-sample", bob.clone()),
        ];
        let outcome = lookup_against(&contract, routes).await.unwrap();
        assert_eq!(matches!(outcome, Ok(Lookup::Match(_))), is_match, "{case}: {outcome:?}");
    }
}

#[tokio::test]
async fn a_no_reply_address_whose_number_is_anothers_is_no_match() {
    let contract = contract("900000002+ada-example@users.noreply.github.com", vec![]);
    assert_eq!(lookup_against(&contract, account()).await.unwrap(), Ok(Lookup::NoMatch));
}

#[tokio::test]
async fn an_address_that_is_search_syntax_is_not_asked() {
    let contract = contract(r#""ada in:login"@example.com"#, vec![]);
    let outcome = lookup_against(&contract, vec![]).await.unwrap();
    assert_eq!(outcome.unwrap_err().class(), "refused");
}

fn mapped(via: Via, author: Option<&answer::Author>) -> Finding {
    let user: User = serde_json::from_str(USER).unwrap();
    let links: Vec<Link> = serde_json::from_str(SOCIAL_ACCOUNTS).unwrap();
    user.finding(via, &links, author)
}

#[test]
fn the_account_is_proven_and_its_links_asserted() {
    insta::assert_snapshot!(lines(&mapped(Via::ShownAddress, None)), @r#"
    {"value":{"full":"Ada Example"},"confidence":0.75,"assurance":"self_asserted","evidence":"https://github.com/ada-example"}
    {"value":{"network":"github","handle":"ada-example","url":"https://github.com/ada-example"},"confidence":0.95,"assurance":"proven","evidence":"https://github.com/ada-example"}
    {"value":{"network":"twitter","handle":"ada_example","url":"https://x.com/ada_example"},"confidence":0.8,"assurance":"self_asserted","evidence":"https://github.com/ada-example"}
    {"value":{"network":"mastodon","handle":"ada@social.example.com","url":"https://social.example.com/@ada"},"confidence":0.8,"assurance":"self_asserted","evidence":"https://github.com/ada-example"}
    {"value":{"network":"linkedin","handle":"ada-example-1a2b3c","url":"https://www.linkedin.com/in/ada-example-1a2b3c"},"confidence":0.8,"assurance":"self_asserted","evidence":"https://github.com/ada-example"}
    {"value":{"network":"website","url":"https://ada.example.com"},"confidence":0.8,"assurance":"self_asserted","evidence":"https://github.com/ada-example"}
    "#);
}

#[test]
fn a_commit_gives_a_name_and_little_confidence() {
    let commits: Commits = serde_json::from_str(COMMITS).unwrap();
    let author = commits.into_author(&email("ada.example@example.com")).unwrap().unwrap();
    insta::assert_snapshot!(lines(&author.finding(&email("ada.example@example.com")).unwrap()), @r#"{"value":{"full":"Ada Example"},"confidence":0.5,"assurance":"self_asserted"}"#);
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
