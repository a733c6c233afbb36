//! FullContact against its documented answers.

use jiff::civil::date;

use super::super::lines;
use super::*;
use crate::contract::{Contract, Format, Reply, Route, check_contract, lookup_against};
use crate::email::EmailAddress;

const MATCH: &str = include_str!("../../../fixtures/fullcontact/match.json");
const CONTRADICTING: &str = include_str!("../../../fixtures/fullcontact/contradicting.json");
const SUMMARY: &str = include_str!("../../../fixtures/fullcontact/summary.json");
const QUEUED_FOR_SEARCH: &str = include_str!("../../../fixtures/fullcontact/queued.json");
const NO_MATCH: &str = include_str!("../../../fixtures/fullcontact/no_match.json");
const BAD_KEY: &str = include_str!("../../../fixtures/fullcontact/bad_key.json");
const OUT_OF_CREDIT: &str = include_str!("../../../fixtures/fullcontact/out_of_credit.json");
const RATE_LIMITED: &str = include_str!("../../../fixtures/fullcontact/rate_limited.json");

fn contract() -> Contract {
    Contract {
        build,
        settings: ProviderSettings { key: Some("key-for-tests".into()), ..ProviderSettings::default() },
        path: "/",
        subject: Subject::new(EmailAddress::parse("ada.example@example.com").unwrap()),
        format: Format::Json,
        matching: vec![Route::new("/v3/person.enrich", Reply::json(200, MATCH))],
        missing: vec![Route::new("/v3/person.enrich", Reply::json(404, NO_MATCH))],
        rate_limited: Some((
            Reply::json(429, RATE_LIMITED).header("x-rate-limit-reset", "600"),
            Duration::from_secs(1),
        )),
        bad_key: Some(Reply::json(403, BAD_KEY)),
        out_of_credit: Some(Reply::json(403, OUT_OF_CREDIT)),
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
async fn a_404_of_somebody_else_is_no_miss() {
    let elsewhere = vec![Route::new("/", Reply::json(404, r#"{"message":"no Route matched"}"#))];
    let outcome = lookup_against(&contract(), elsewhere).await.unwrap();
    assert_eq!(outcome.unwrap_err().class(), "malformed");
}

#[tokio::test]
async fn a_queued_search_is_asked_for_again_later() {
    for (header, seconds) in [(None, 120), (Some("7"), 7)] {
        let mut reply = Reply::json(202, QUEUED_FOR_SEARCH);
        if let Some(seconds) = header {
            reply = reply.header("retry-after", seconds);
        }
        let outcome = lookup_against(&contract(), vec![Route::new("/", reply)]).await.unwrap().unwrap();
        let Lookup::Pending { after, .. } = outcome else { panic!("{outcome:?}") };
        assert_eq!(after, Duration::from_secs(seconds));
    }
}

#[test]
fn a_403_is_told_apart_by_its_words() {
    for (message, class) in [
        ("the api key is missing or invalid.", "denied"),
        ("your api key is invalid, missing, or has exceeded its quota.", "denied"),
        ("api key has exceeded its quota of matches", "quota_exhausted"),
        ("usage limits are exceeded", "quota_exhausted"),
        ("", "denied"),
    ] {
        assert_eq!(refusal(message).class(), class, "{message}");
    }
}

fn mapped(body: &str) -> Finding {
    serde_json::from_str::<Answer>(body).unwrap().finding(date(2026, 6, 1))
}

#[test]
fn three_grids_of_ages_intersect() {
    insta::assert_snapshot!(lines(&mapped(MATCH)), @r#"
    {"value":{"full":"Ada Example","given":"Ada","family":"Example"},"confidence":0.75,"assurance":"broker"}
    {"value":{"earliest":"1986-06-02","latest":"1987-06-01"},"confidence":0.75,"assurance":"broker"}
    {"value":{"network":"linkedin","handle":"ada-example-1a2b3c","url":"https://www.linkedin.com/in/ada-example-1a2b3c"},"confidence":0.75,"assurance":"broker"}
    {"value":{"network":"twitter","handle":"ada_example","url":"https://x.com/ada_example"},"confidence":0.75,"assurance":"broker"}
    {"value":{"network":"website","url":"https://ada.example.com"},"confidence":0.75,"assurance":"broker"}
    "#);
}

#[test]
fn contradicting_ages_are_believed_less_and_profiles_may_be_a_list() {
    insta::assert_snapshot!(lines(&mapped(CONTRADICTING)), @r#"
    {"value":{"full":"Ada Example"},"confidence":0.75,"assurance":"broker"}
    {"value":{"earliest":"1998-06-02","latest":"1999-06-01"},"confidence":0.375,"assurance":"broker"}
    {"value":{"network":"twitter","handle":"ada_example","url":"https://x.com/ada_example"},"confidence":0.75,"assurance":"broker"}
    "#);
}

#[test]
fn a_contract_without_insights_still_tells_the_summary() {
    insta::assert_snapshot!(lines(&mapped(SUMMARY)), @r#"
    {"value":{"full":"Ada Example"},"confidence":0.75,"assurance":"broker"}
    {"value":{"earliest":"1981-06-02","latest":"1991-06-01"},"confidence":0.75,"assurance":"broker"}
    {"value":{"network":"linkedin","handle":"ada-example-1a2b3c","url":"https://www.linkedin.com/in/ada-example-1a2b3c"},"confidence":0.75,"assurance":"broker"}
    "#);
}
