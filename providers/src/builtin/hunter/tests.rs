//! Hunter against its documented answers.

use super::super::lines;
use super::*;
use crate::contract::{Contract, Format, Reply, Route, check_contract, lookup_against};
use crate::email::EmailAddress;

const MATCH: &str = include_str!("../../../fixtures/hunter/match.json");
const OBJECTED: &str = include_str!("../../../fixtures/hunter/objected.json");
const NO_MATCH: &str = include_str!("../../../fixtures/hunter/no_match.json");
const BAD_KEY: &str = include_str!("../../../fixtures/hunter/bad_key.json");
const OUT_OF_CREDIT: &str = include_str!("../../../fixtures/hunter/out_of_credit.json");
const RATE_LIMITED: &str = include_str!("../../../fixtures/hunter/rate_limited.json");

fn contract() -> Contract {
    Contract {
        build,
        settings: ProviderSettings { key: Some("key-for-tests".into()), ..ProviderSettings::default() },
        path: "/",
        subject: Subject::new(EmailAddress::parse("ada.example@example.com").unwrap()),
        format: Format::Json,
        matching: vec![Route::new("/v2/people/find?", Reply::json(200, MATCH))],
        missing: vec![Route::new("/v2/people/find?", Reply::json(404, NO_MATCH))],
        rate_limited: Some((Reply::json(403, RATE_LIMITED), THROTTLED)),
        bad_key: Some(Reply::json(401, BAD_KEY)),
        out_of_credit: Some(Reply::json(429, OUT_OF_CREDIT)),
    }
}

#[tokio::test]
async fn survives_the_contract() {
    check_contract(&contract()).await.assert_survived();
}

#[tokio::test]
async fn a_404_of_somebody_else_is_no_miss() {
    let elsewhere = vec![Route::new("/", Reply::json(404, r#"{"message":"no Route matched"}"#))];
    let outcome = lookup_against(&contract(), elsewhere).await.unwrap();
    assert_eq!(outcome.unwrap_err().class(), "malformed");
}

#[tokio::test]
async fn who_objected_there_is_not_a_miss() {
    let objected = vec![Route::new("/", Reply::json(451, OBJECTED))];
    assert_eq!(lookup_against(&contract(), objected).await.unwrap(), Ok(Lookup::Objected));
}

#[tokio::test]
async fn a_403_of_a_proxy_means_what_it_says() {
    let forbidden = vec![Route::new("/", Reply::html(403, "<h1>Forbidden</h1>"))];
    let outcome = lookup_against(&contract(), forbidden).await.unwrap();
    assert_eq!(outcome.unwrap_err().class(), "denied");
}

fn mapped(body: &str) -> Finding {
    serde_json::from_str::<Answer>(body).unwrap().data.finding()
}

#[test]
fn handles_become_profiles() {
    insta::assert_snapshot!(lines(&mapped(MATCH)), @r#"
    {"value":{"full":"Ada Example","given":"Ada","family":"Example"},"confidence":0.75,"assurance":"broker"}
    {"value":{"network":"linkedin","handle":"ada-example-1a2b3c","url":"https://www.linkedin.com/in/ada-example-1a2b3c"},"confidence":0.75,"assurance":"broker"}
    {"value":{"network":"twitter","handle":"ada_example","url":"https://x.com/ada_example"},"confidence":0.75,"assurance":"broker"}
    {"value":{"network":"github","handle":"ada-example","url":"https://github.com/ada-example"},"confidence":0.75,"assurance":"broker"}
    {"value":{"network":"website","url":"https://ada.example.com"},"confidence":0.75,"assurance":"broker"}
    "#);
}

#[test]
fn who_is_only_perhaps_meant_is_believed_less() {
    let fuzzy = mapped(&MATCH.replace("\"fuzzy\":false", "\"fuzzy\":true"));
    assert_eq!(fuzzy.name.unwrap().confidence, FUZZY);
}
