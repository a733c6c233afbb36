//! Apollo against its documented answers.

use super::super::lines;
use super::*;
use crate::contract::{Contract, Format, Reply, Route, check_contract, lookup_against};
use crate::email::EmailAddress;

const MATCH: &str = include_str!("../../../fixtures/apollo/match.json");
const NO_MATCH: &str = include_str!("../../../fixtures/apollo/no_match.json");
const INACCESSIBLE: &str = include_str!("../../../fixtures/apollo/inaccessible.json");
const RATE_LIMITED: &str = include_str!("../../../fixtures/apollo/rate_limited.json");

fn contract() -> Contract {
    Contract {
        build,
        settings: ProviderSettings { key: Some("key-for-tests".into()), ..ProviderSettings::default() },
        path: "/",
        subject: Subject::new(EmailAddress::parse("ada.example@example.com").unwrap()),
        format: Format::Json,
        matching: vec![Route::new("/api/v1/people/match", Reply::json(200, MATCH))],
        missing: vec![Route::new("/api/v1/people/match", Reply::json(200, NO_MATCH))],
        rate_limited: Some((
            Reply::json(429, RATE_LIMITED).header("retry-after", "42"),
            Duration::from_secs(42),
        )),
        bad_key: Some(Reply::json(403, INACCESSIBLE)),
        out_of_credit: None,
    }
}

#[tokio::test]
async fn survives_the_contract() {
    check_contract(&contract()).await.assert_survived();
}

/// The descriptor then declares the hash, and the kit holds the requests against it.
#[tokio::test]
async fn survives_the_contract_when_only_a_hash_is_sent() {
    let mut contract = contract();
    contract.settings.hash_only = true;
    check_contract(&contract).await.assert_survived();
}

#[tokio::test]
async fn a_404_is_no_miss() {
    let elsewhere = vec![Route::new("/", Reply::json(404, r#"{"person":null}"#))];
    let outcome = lookup_against(&contract(), elsewhere).await.unwrap();
    assert_eq!(outcome.unwrap_err().class(), "malformed");
}

#[tokio::test]
async fn a_refused_key_says_so_in_plain_text_or_in_json() {
    for reply in
        [Reply::json(403, INACCESSIBLE), Reply::new(401, "text/plain", "Invalid access credentials.")]
    {
        let outcome = lookup_against(&contract(), vec![Route::new("/", reply)]).await.unwrap();
        assert_eq!(outcome.unwrap_err().class(), "denied");
    }
}

#[tokio::test]
async fn the_longest_spent_window_is_waited_for_where_it_does_not_say_how_long() {
    let spent = Reply::json(429, RATE_LIMITED)
        .header("retry-after", "")
        .header("x-minute-requests-left", "0")
        .header("x-hourly-requests-left", "0")
        .header("x-24-hour-requests-left", "");
    let outcome = lookup_against(&contract(), vec![Route::new("/", spent)]).await.unwrap();
    assert_eq!(outcome, Err(LookupError::RateLimited { after: Duration::from_hours(1) }));
}

#[test]
fn urls_become_profiles() {
    let answer: Answer = serde_json::from_str(MATCH).unwrap();
    insta::assert_snapshot!(lines(&answer.person.unwrap().finding()), @r#"
    {"value":{"full":"Ada Example","given":"Ada","family":"Example"},"confidence":0.75,"assurance":"broker"}
    {"value":{"network":"linkedin","handle":"ada-example-1a2b3c","url":"https://www.linkedin.com/in/ada-example-1a2b3c"},"confidence":0.75,"assurance":"broker"}
    {"value":{"network":"twitter","handle":"ada_example","url":"https://x.com/ada_example"},"confidence":0.75,"assurance":"broker"}
    "#);
}
