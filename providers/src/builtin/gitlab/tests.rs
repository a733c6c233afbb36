//! GitLab's answers, as the vendor documents them.

use std::time::Duration;

use super::super::{account, lines};
use super::*;
use crate::contract::{Contract, Format, Reply, Route, check_contract, lookup_against};

const USERS: &str = include_str!("../../../fixtures/gitlab/users.json");
const USER: &str = include_str!("../../../fixtures/gitlab/user.json");
const NONE: &str = include_str!("../../../fixtures/gitlab/none.json");
const BAD_KEY: &str = include_str!("../../../fixtures/gitlab/bad_key.json");
const RATE_LIMITED: &str = include_str!("../../../fixtures/gitlab/rate_limited.txt");

fn ok(path: &'static str, body: impl Into<Vec<u8>>) -> Route {
    Route::new(path, Reply::json(200, body))
}

fn contract() -> Contract {
    let rate_limited = Reply::new(429, "text/plain", RATE_LIMITED).header("retry-after", "60");
    Contract {
        build,
        settings: ProviderSettings { key: Some("key-for-tests".into()), ..ProviderSettings::default() },
        path: "/",
        subject: Subject::new(EmailAddress::parse("ada.example@example.com").unwrap()),
        format: Format::Json,
        matching: vec![
            ok("/api/v4/users?search=ada.example%40example.com", USERS),
            ok("/api/v4/users/9000001", USER),
        ],
        missing: vec![ok("/api/v4/users?", NONE)],
        rate_limited: Some((rate_limited, Duration::from_mins(1))),
        bad_key: Some(Reply::json(401, BAD_KEY)),
        out_of_credit: None,
    }
}

/// The second hop, with or without a token.
fn by_account(key: bool) -> Contract {
    let all = contract();
    let accounts = vec![account("https://gitlab.com/Ada-Example", 0.8)];
    let matching = vec![ok("/api/v4/users?username=Ada-Example", USERS), ok("/api/v4/users/9000001", USER)];
    let settings = if key { all.settings.clone() } else { ProviderSettings::default() };
    Contract { settings, subject: all.subject.clone().with_accounts(accounts), matching, ..all }
}

#[tokio::test]
async fn survives_the_contract() {
    check_contract(&contract()).await.assert_survived();
}

#[tokio::test]
async fn survives_the_contract_by_account_with_a_token() {
    check_contract(&by_account(true)).await.assert_survived();
}

#[tokio::test]
async fn survives_the_contract_by_account_without_a_token() {
    let contract = by_account(false);
    // The rest of the account is not shown to strangers.
    let matching = contract.matching[..1].to_vec();
    check_contract(&Contract { matching, bad_key: None, ..contract }).await.assert_survived();
}

#[tokio::test]
async fn an_account_is_taken_only_where_it_shows_the_address() {
    for (case, users, user, is_match) in [
        ("shown", USERS.to_owned(), USER.to_owned(), true),
        (
            "in another case",
            USERS.to_owned(),
            USER.replace("ada.example@example", "ADA.Example@EXAMPLE"),
            true,
        ),
        ("hidden", USERS.to_owned(), USER.replace("ada.example@example.com", ""), false),
        ("another's", USERS.to_owned(), USER.replace("ada.example@", "bob@"), false),
        ("blocked", USERS.replace("active", "blocked"), USER.to_owned(), false),
        ("a bot's", USERS.to_owned(), USER.replace("\"bot\":false", "\"bot\":true"), false),
    ] {
        let routes = vec![ok("/api/v4/users?", users), ok("/api/v4/users/9000001", user)];
        let outcome = lookup_against(&contract(), routes).await.unwrap();
        assert_eq!(matches!(outcome, Ok(Lookup::Match(_))), is_match, "{case}: {outcome:?}");
    }
}

#[test]
fn the_account_is_proven_and_its_links_asserted() {
    let user: User = serde_json::from_str(USER).unwrap();
    insta::assert_snapshot!(lines(&user.finding(SHOWN)), @r#"
    {"value":{"full":"Ada Example"},"confidence":0.75,"assurance":"self_asserted","evidence":"https://gitlab.com/ada-example"}
    {"value":{"network":"gitlab","handle":"ada-example","url":"https://gitlab.com/ada-example"},"confidence":0.95,"assurance":"proven","evidence":"https://gitlab.com/ada-example"}
    {"value":{"network":"linkedin","handle":"ada-example-1a2b3c","url":"https://www.linkedin.com/in/ada-example-1a2b3c"},"confidence":0.8,"assurance":"self_asserted","evidence":"https://gitlab.com/ada-example"}
    {"value":{"network":"twitter","handle":"ada_example","url":"https://x.com/ada_example"},"confidence":0.8,"assurance":"self_asserted","evidence":"https://gitlab.com/ada-example"}
    {"value":{"network":"github","handle":"ada-example","url":"https://github.com/ada-example"},"confidence":0.8,"assurance":"self_asserted","evidence":"https://gitlab.com/ada-example"}
    {"value":{"network":"mastodon","handle":"ada@social.example.com","url":"https://social.example.com/@ada"},"confidence":0.8,"assurance":"self_asserted","evidence":"https://gitlab.com/ada-example"}
    {"value":{"network":"website","url":"https://ada.example.com"},"confidence":0.8,"assurance":"self_asserted","evidence":"https://gitlab.com/ada-example"}
    "#);
}
