//! Keybase's answers, as the service sends them.

use super::super::{account, lines};
use super::*;
use crate::contract::{Contract, Format, Reply, Route, check_contract, lookup_against};
use crate::email::EmailAddress;

const MATCH: &str = include_str!("../../../fixtures/keybase/match.json");
const NO_MATCH: &str = include_str!("../../../fixtures/keybase/no_match.json");
const THROTTLED: &str = include_str!("../../../fixtures/keybase/throttled.json");

fn contract(accounts: &[&str]) -> Contract {
    let by_github = "/_/api/1.0/user/lookup.json?github=ada-example&fields=basics,profile,proofs_summary";
    let by_github = by_github.split(',').next().unwrap();
    let accounts = accounts.iter().map(|url| account(url, 0.8)).collect();
    Contract {
        build,
        settings: ProviderSettings::default(),
        path: "/",
        subject: Subject::new(EmailAddress::parse("ada@example.com").unwrap()).with_accounts(accounts),
        format: Format::Json,
        matching: vec![Route::new(by_github, Reply::json(200, MATCH))],
        missing: vec![Route::new("/_/api/1.0/user/lookup.json?", Reply::json(200, NO_MATCH))],
        rate_limited: Some((Reply::json(200, THROTTLED), Duration::from_mins(1))),
        bad_key: None,
        out_of_credit: None,
    }
}

#[tokio::test]
async fn survives_the_contract() {
    check_contract(&contract(&["https://github.com/ada-example"])).await.assert_survived();
}

#[tokio::test]
async fn the_account_asked_about_has_to_be_proven() {
    let github = contract(&["https://github.com/ada-example"]);
    for (case, body, is_match) in [
        ("proven", MATCH.to_owned(), true),
        ("once proven", MATCH.replacen("\"state\":1", "\"state\":2", 1), false),
        ("of another name", MATCH.replacen("\"nametag\":\"ada-example\"", "\"nametag\":\"ada\"", 1), false),
        ("unknown", r#"{"status":{"code":205,"name":"NOT_FOUND"}}"#.to_owned(), false),
    ] {
        let outcome = lookup_against(&github, vec![Route::new("/", Reply::json(200, body))]).await.unwrap();
        assert_eq!(matches!(outcome, Ok(Lookup::Match(_))), is_match, "{case}: {outcome:?}");
        assert!(outcome.is_ok(), "{case}");
    }
    for (code, class) in [(100, "refused"), (218, "unavailable")] {
        let body = format!("{{\"status\":{{\"code\":{code}}}}}");
        let outcome = lookup_against(&github, vec![Route::new("/", Reply::json(200, body))]).await.unwrap();
        assert_eq!(outcome.unwrap_err().class(), class, "{code}");
    }
}

#[tokio::test]
async fn the_next_account_is_tried_and_a_network_it_cannot_read_is_not() {
    let routes = vec![
        Route::new("/_/api/1.0/user/lookup.json?twitter=ada_example&", Reply::json(200, NO_MATCH)),
        Route::new("/_/api/1.0/user/lookup.json?github=ada-example&", Reply::json(200, MATCH)),
    ];
    let several = contract(&[
        "https://www.linkedin.com/in/ada-example",
        "https://x.com/ada_example",
        "https://github.com/ada-example",
    ]);
    let outcome = lookup_against(&several, routes.clone()).await.unwrap();
    assert!(matches!(outcome, Ok(Lookup::Match(_))), "{outcome:?}");
    let own = contract(&["https://keybase.io/AdaExample"]);
    let by_name = vec![Route::new("/_/api/1.0/user/lookup.json?usernames=", Reply::json(200, MATCH))];
    let outcome = lookup_against(&own, by_name).await.unwrap();
    assert!(matches!(outcome, Ok(Lookup::Match(_))), "{outcome:?}");
}

#[test]
fn proofs_are_proven_and_the_name_asserted() {
    let answer: Answer = serde_json::from_str(MATCH).unwrap();
    let them = answer.into_them(UNNAMED_WAIT).unwrap();
    insta::assert_snapshot!(lines(&them[0].finding()), @r#"
    {"value":{"full":"Ada Example"},"confidence":0.75,"assurance":"self_asserted","evidence":"https://keybase.io/adaexample"}
    {"value":{"network":"keybase","handle":"adaexample","url":"https://keybase.io/adaexample"},"confidence":0.95,"assurance":"proven","evidence":"https://keybase.io/adaexample"}
    {"value":{"network":"github","handle":"ada-example","url":"https://github.com/ada-example"},"confidence":0.9,"assurance":"proven","evidence":"https://keybase.io/adaexample"}
    {"value":{"network":"mastodon","handle":"ada@social.example.com","url":"https://social.example.com/@ada"},"confidence":0.9,"assurance":"proven","evidence":"https://keybase.io/adaexample"}
    {"value":{"network":"website","url":"https://ada.example.com"},"confidence":0.9,"assurance":"proven","evidence":"https://keybase.io/adaexample"}
    "#);
    let through = them[0].finding().reached_through(&account("https://github.com/ada-example", 0.5));
    let best = through.profiles.iter().map(|claim| claim.confidence.get()).fold(0.0, f64::max);
    assert!(best < 0.5, "{best}");
}
