//! People Data Labs against its documented answers.

use jiff::civil::date;

use super::super::lines;
use super::*;
use crate::contract::{Contract, Format, Reply, Route, check_contract, lookup_against};
use crate::email::EmailAddress;

const MATCH: &str = include_str!("../../../fixtures/people_data_labs/match.json");
const RESTRICTED: &str = include_str!("../../../fixtures/people_data_labs/restricted.json");
const NO_MATCH: &str = include_str!("../../../fixtures/people_data_labs/no_match.json");
const BAD_KEY: &str = include_str!("../../../fixtures/people_data_labs/bad_key.json");
const OUT_OF_CREDIT: &str = include_str!("../../../fixtures/people_data_labs/out_of_credit.json");
const RATE_LIMITED: &str = include_str!("../../../fixtures/people_data_labs/rate_limited.json");

fn mapped(body: &str) -> Finding {
    serde_json::from_str::<Answer>(body).unwrap().finding(date(2026, 6, 1))
}

fn settings(options: &str) -> ProviderSettings {
    ProviderSettings {
        key: Some("key-for-tests".into()),
        options: options.parse().unwrap(),
        ..ProviderSettings::default()
    }
}

fn contract(options: &str) -> Contract {
    let rate_limited = Reply::json(429, RATE_LIMITED)
        .header("x-ratelimit-remaining", r#"{"minute":0,"day":null,"month":null}"#)
        .header("x-ratelimit-remaining.minute", "0")
        .header("x-ratelimit-reset", "2026-06-01T12:00:42Z");
    Contract {
        build,
        settings: settings(options),
        path: "/",
        subject: Subject::new(EmailAddress::parse("ada.example@example.com").unwrap()),
        format: Format::Json,
        matching: vec![Route::new("/v5/person/enrich?", Reply::json(200, MATCH))],
        missing: vec![Route::new("/v5/person/enrich?", Reply::json(404, NO_MATCH))],
        rate_limited: Some((rate_limited, Duration::from_secs(42))),
        bad_key: Some(Reply::json(401, BAD_KEY)),
        out_of_credit: Some(Reply::json(402, OUT_OF_CREDIT)),
    }
}

#[tokio::test]
async fn survives_the_contract() {
    check_contract(&contract("")).await.assert_survived();
}

/// The descriptor then declares the hash, and the kit holds the requests against it.
#[tokio::test]
async fn survives_the_contract_when_only_a_hash_is_sent() {
    check_contract(&contract("hash_only = true")).await.assert_survived();
}

#[tokio::test]
async fn a_404_of_somebody_else_is_no_miss() {
    let elsewhere = vec![Route::new("/", Reply::json(404, r#"{"message":"no Route matched"}"#))];
    let outcome = lookup_against(&contract(""), elsewhere).await.unwrap();
    assert_eq!(outcome.unwrap_err().class(), "malformed");
}

#[test]
fn list_and_flat_fields_are_one_and_dead_networks_are_left_out() {
    insta::assert_snapshot!(lines(&mapped(MATCH)), @r#"
    {"value":{"full":"Ada Example","given":"Ada","family":"Example"},"confidence":0.75,"assurance":"broker"}
    {"value":{"earliest":"1987-06-07","latest":"1987-06-07"},"confidence":0.75,"assurance":"broker"}
    {"value":{"network":"linkedin","handle":"ada-example-1a2b3c","url":"https://www.linkedin.com/in/ada-example-1a2b3c"},"confidence":0.75,"assurance":"broker"}
    {"value":{"network":"facebook","handle":"ada.example","url":"https://www.facebook.com/ada.example"},"confidence":0.75,"assurance":"broker"}
    {"value":{"network":"twitter","handle":"ada_example","url":"https://x.com/ada_example"},"confidence":0.75,"assurance":"broker"}
    {"value":{"network":"github","handle":"ada-example","url":"https://github.com/ada-example"},"confidence":0.75,"assurance":"broker"}
    "#);
}

#[test]
fn a_withheld_field_is_absent_and_a_year_may_be_text() {
    insta::assert_snapshot!(lines(&mapped(RESTRICTED)), @r#"
    {"value":{"full":"Ada Example","given":"Ada","family":"Example"},"confidence":0.4,"assurance":"broker"}
    {"value":{"earliest":"1987-01-01","latest":"1987-12-31"},"confidence":0.4,"assurance":"broker"}
    {"value":{"network":"github","handle":"ada-example","url":"https://github.com/ada-example"},"confidence":0.4,"assurance":"broker"}
    "#);
}

#[test]
fn a_record_that_contradicts_itself_is_believed_less() {
    let body = MATCH.replace("\"birth_year\":1987", "\"birth_year\":1990");
    let (agreeing, contradicting) = (mapped(MATCH).birth.unwrap(), mapped(&body).birth.unwrap());
    assert_eq!(agreeing.value, contradicting.value, "the exact date is the narrower one");
    assert!(contradicting.confidence < agreeing.confidence);
}

#[test]
fn a_likelihood_beyond_the_scale_is_worthless() {
    let body = MATCH.replace("\"likelihood\":8", "\"likelihood\":99");
    assert_eq!(mapped(&body).name.unwrap().confidence, LIKELIHOOD[0]);
    assert!(LIKELIHOOD.is_sorted());
}

#[test]
fn the_vendors_sandbox_is_free_and_a_likelihood_beyond_the_scale_refused() {
    let endpoint = Some("https://sandbox.api.peopledatalabs.com/".to_owned());
    let sandbox = build(&ProviderSettings { endpoint, ..settings("") }).unwrap();
    assert!(sandbox.descriptor().price.is_free());
    assert!(!build(&settings("")).unwrap().descriptor().price.is_free());
    assert!(matches!(build(&settings("min_likelihood = 11")), Err(SettingsError::Options { .. })));
}
