//! Pipl against its documented answers.

use jiff::civil::date;

use super::super::lines;
use super::*;
use crate::contract::{Contract, Format, Reply, Route, check_contract, lookup_against};
use crate::email::EmailAddress;

const MATCH: &str = include_str!("../../../fixtures/pipl/match.json");
const NO_MATCH: &str = include_str!("../../../fixtures/pipl/no_match.json");
const SEVERAL: &str = include_str!("../../../fixtures/pipl/several.json");
const BAD_KEY: &str = include_str!("../../../fixtures/pipl/bad_key.json");
const OUT_OF_CREDIT: &str = include_str!("../../../fixtures/pipl/out_of_credit.json");
const RATE_LIMITED: &str = include_str!("../../../fixtures/pipl/rate_limited.json");

fn contract() -> Contract {
    Contract {
        build,
        settings: ProviderSettings { key: Some("key-for-tests".into()), ..ProviderSettings::default() },
        path: "/",
        subject: Subject::new(EmailAddress::parse("ada.example@example.com").unwrap()),
        format: Format::Json,
        matching: vec![Route::new("/search/", Reply::json(200, MATCH))],
        missing: vec![Route::new("/search/", Reply::json(200, NO_MATCH))],
        rate_limited: Some((Reply::json(403, RATE_LIMITED), THROTTLED)),
        bad_key: Some(Reply::json(403, BAD_KEY)),
        out_of_credit: Some(Reply::json(403, OUT_OF_CREDIT)),
    }
}

#[tokio::test]
async fn survives_the_contract() {
    check_contract(&contract()).await.assert_survived();
}

#[tokio::test]
async fn several_persons_are_nobody_and_are_billed() {
    let several = vec![Route::new("/", Reply::json(200, SEVERAL))];
    assert_eq!(lookup_against(&contract(), several).await.unwrap(), Ok(Lookup::Match(Finding::default())));
}

#[tokio::test]
async fn one_person_who_is_not_there_is_no_answer() {
    let body = NO_MATCH.replace("\"@persons_count\":0", "\"@persons_count\":1");
    let outcome = lookup_against(&contract(), vec![Route::new("/", Reply::json(200, body))]).await.unwrap();
    assert_eq!(outcome.unwrap_err().class(), "malformed");
}

fn mapped(body: &str) -> Finding {
    serde_json::from_str::<Answer>(body).unwrap().person.unwrap().finding(date(2026, 6, 1))
}

#[test]
fn what_software_made_up_and_what_is_sponsored_or_inferred_is_left_out() {
    insta::assert_snapshot!(lines(&mapped(MATCH)), @r#"
    {"value":{"full":"Ada Example","given":"Ada","family":"Example"},"confidence":0.85,"assurance":"broker"}
    {"value":{"earliest":"1987-01-01","latest":"1987-12-31"},"confidence":0.85,"assurance":"broker"}
    {"value":{"network":"linkedin","handle":"ada-example-1a2b3c","url":"https://www.linkedin.com/in/ada-example-1a2b3c"},"confidence":0.85,"assurance":"broker"}
    {"value":{"network":"facebook","url":"https://www.facebook.com/profile.php?id=100000000000001"},"confidence":0.85,"assurance":"broker"}
    {"value":{"network":"twitter","handle":"ada_example","url":"https://x.com/ada_example"},"confidence":0.85,"assurance":"broker"}
    {"value":{"network":"twitter","handle":"990000002","url":"https://x.com/990000002"},"confidence":0.85,"assurance":"broker"}
    "#);
}

#[test]
fn a_range_of_decades_says_nothing() {
    let wide = mapped(&MATCH.replace("1987-01-01", "1960-01-01"));
    assert_eq!(wide.birth, None);
    let exact = mapped(&MATCH.replace("1987-01-01", "1987-06-07").replace("1987-12-31", "1987-06-07"));
    assert_eq!(exact.birth.unwrap().value.width_in_days(), 1);
}

#[test]
fn its_certainty_is_part_of_ours() {
    let unsure = mapped(&MATCH.replace("\"@match\":1.0", "\"@match\":0.4"));
    let confidence = unsure.name.unwrap().confidence.get();
    assert!((confidence - 0.4 * CERTAIN).abs() < 1e-9, "{confidence}");
}
