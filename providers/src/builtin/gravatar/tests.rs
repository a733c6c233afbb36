//! Gravatar against its documented answers.

use std::time::Duration;

use super::super::lines;
use super::*;
use crate::contract::{Contract, Format, NOW_UNIX_SECONDS, Reply, Route, check_contract};
use crate::email::EmailAddress;

const MATCH: &str = include_str!("../../../fixtures/gravatar/match.json");
const KEYLESS: &str = include_str!("../../../fixtures/gravatar/keyless.json");
const ORGANIZATION: &str = include_str!("../../../fixtures/gravatar/organization.json");
const NO_MATCH: &str = include_str!("../../../fixtures/gravatar/no_match.json");
const RATE_LIMITED: &str = include_str!("../../../fixtures/gravatar/rate_limited.json");

fn mapped(body: &str) -> Finding {
    serde_json::from_str::<Profile>(body).unwrap().finding("ada.example")
}

#[tokio::test]
async fn survives_the_contract() {
    let reset = (NOW_UNIX_SECONDS + 1800).to_string();
    let rate_limited = Reply::json(429, RATE_LIMITED)
        .header("x-ratelimit-limit", "100")
        .header("x-ratelimit-remaining", "0")
        .header("x-ratelimit-reset", &reset);
    check_contract(&Contract {
        build,
        settings: ProviderSettings { key: Some("key-for-tests".into()), ..ProviderSettings::default() },
        path: "/v3/",
        subject: Subject::new(EmailAddress::parse("Ada.Example@example.com").unwrap()),
        format: Format::Json,
        // The path holds the SHA-256 of the address in lower case: any other question is a 404.
        matching: vec![Route::new(
            "/v3/profiles/c9a113580a216ed5b18c6a941ff6735df99a072d83c0ec780487e7bbad894d5f",
            Reply::json(200, MATCH),
        )],
        missing: vec![Route::new("/v3/profiles/", Reply::json(404, NO_MATCH))],
        rate_limited: Some((rate_limited, Duration::from_mins(30))),
        bad_key: Some(Reply::json(401, r#"{"error":"Invalid API key","code":"unauthorized"}"#)),
        out_of_credit: None,
    })
    .await
    .assert_survived();
}

#[test]
fn verified_accounts_are_proven_links_asserted_and_hidden_ones_skipped() {
    insta::assert_snapshot!(lines(&mapped(MATCH)), @r#"
    {"value":{"full":"Ada Example","given":"Ada","family":"Example"},"confidence":0.85,"assurance":"self_asserted","evidence":"https://gravatar.com/adaexample"}
    {"value":{"network":"github","handle":"ada-example","url":"https://github.com/ada-example"},"confidence":0.95,"assurance":"proven","evidence":"https://gravatar.com/adaexample"}
    {"value":{"network":"mastodon","handle":"ada@social.example.com","url":"https://social.example.com/@ada"},"confidence":0.95,"assurance":"proven","evidence":"https://gravatar.com/adaexample"}
    {"value":{"network":"website","url":"https://ada.example.com"},"confidence":0.75,"assurance":"self_asserted","evidence":"https://gravatar.com/adaexample"}
    {"value":{"network":"gravatar","handle":"adaexample","url":"https://gravatar.com/adaexample"},"confidence":0.95,"assurance":"proven","evidence":"https://gravatar.com/adaexample"}
    "#);
}

#[test]
fn a_nickname_in_place_of_a_name_is_no_name() {
    insta::assert_snapshot!(lines(&mapped(KEYLESS)), @r#"
    {"value":{"network":"github","handle":"ada-example","url":"https://github.com/ada-example"},"confidence":0.95,"assurance":"proven","evidence":"https://gravatar.com/adaexample"}
    {"value":{"network":"gravatar","handle":"adaexample","url":"https://gravatar.com/adaexample"},"confidence":0.95,"assurance":"proven","evidence":"https://gravatar.com/adaexample"}
    "#);
}

#[test]
fn an_organisation_has_no_name() {
    assert!(mapped(ORGANIZATION).name.is_none());
}

#[test]
fn a_key_raises_the_quota() {
    let keyed = ProviderSettings { key: Some("key-for-tests".into()), ..ProviderSettings::default() };
    let quota = |settings| build(&settings).unwrap().descriptor().quota.calls.get();
    assert_eq!((quota(ProviderSettings::default()), quota(keyed)), (KEYLESS_PER_HOUR, KEYED_PER_HOUR));
}
