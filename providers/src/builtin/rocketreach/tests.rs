//! `RocketReach` against its documented answers.

use jiff::civil::date;

use super::super::lines;
use super::*;
use crate::contract::{Contract, Format, Reply, Route, check_contract, collect_against, lookup_against};
use crate::email::EmailAddress;

const MATCH: &str = include_str!("../../../fixtures/rocketreach/match.json");
const SEARCHING_STILL: &str = include_str!("../../../fixtures/rocketreach/searching.json");
const NO_MATCH: &str = include_str!("../../../fixtures/rocketreach/no_match.json");
const BAD_KEY: &str = include_str!("../../../fixtures/rocketreach/bad_key.json");
const RATE_LIMITED: &str = include_str!("../../../fixtures/rocketreach/rate_limited.json");

fn contract() -> Contract {
    Contract {
        build,
        settings: ProviderSettings { key: Some("key-for-tests".into()), ..ProviderSettings::default() },
        path: "/",
        subject: Subject::new(EmailAddress::parse("ada.example@example.com").unwrap()),
        format: Format::Json,
        matching: vec![Route::new("/api/v2/person/lookup?", Reply::json(200, MATCH))],
        missing: vec![Route::new("/api/v2/person/lookup?", Reply::json(404, NO_MATCH))],
        rate_limited: Some((
            Reply::json(429, RATE_LIMITED).header("retry-after", "42"),
            Duration::from_secs(42),
        )),
        bad_key: Some(Reply::json(401, BAD_KEY)),
        out_of_credit: None,
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
async fn a_search_under_way_is_an_order_that_is_collected_by_its_id() {
    let searching = vec![Route::new("/api/v2/person/lookup?", Reply::json(200, SEARCHING_STILL))];
    let outcome = lookup_against(&contract(), searching).await.unwrap().unwrap();
    let expected = Lookup::Pending { handle: "990000003".into(), after: Duration::from_secs(5) };
    assert_eq!(outcome, expected);

    for (answer, is_ready) in [(MATCH, true), (SEARCHING_STILL, false)] {
        let status =
            Route::new("/api/v2/person/checkStatus?ids=990000003", Reply::json(200, format!("[{answer}]")));
        let collected = collect_against(&contract(), "990000003", vec![status]).await.unwrap().unwrap();
        assert_eq!(matches!(collected, Lookup::Match(_)), is_ready);
        assert_eq!(collected == expected, !is_ready);
    }
}

#[tokio::test]
async fn an_order_that_the_vendor_has_forgotten_is_placed_again() {
    let routes = vec![
        Route::new("/api/v2/person/checkStatus", Reply::json(404, NO_MATCH)),
        Route::new("/api/v2/person/lookup?", Reply::json(200, MATCH)),
    ];
    let outcome = collect_against(&contract(), "990000003", routes).await.unwrap();
    assert!(matches!(outcome, Ok(Lookup::Match(_))));
}

#[tokio::test]
async fn a_search_that_failed_is_a_miss_and_a_status_of_its_own_is_none() {
    for (status, expected) in [("failed", Some(Lookup::NoMatch)), ("perhaps", None)] {
        let body = MATCH.replace("complete", status);
        let outcome =
            lookup_against(&contract(), vec![Route::new("/", Reply::json(200, body))]).await.unwrap();
        assert_eq!(outcome.ok(), expected, "{status}");
    }
}

#[test]
fn the_map_of_links_and_the_birth_year_are_read() {
    let profile: Profile = serde_json::from_str(MATCH).unwrap();
    insta::assert_snapshot!(lines(&profile.finding(date(2026, 6, 1))), @r#"
    {"value":{"full":"Ada Example"},"confidence":0.7,"assurance":"broker"}
    {"value":{"earliest":"1987-01-01","latest":"1987-12-31"},"confidence":0.7,"assurance":"broker"}
    {"value":{"network":"linkedin","handle":"ada-example-1a2b3c","url":"https://www.linkedin.com/in/ada-example-1a2b3c"},"confidence":0.7,"assurance":"broker"}
    {"value":{"network":"facebook","handle":"ada.example","url":"https://www.facebook.com/ada.example"},"confidence":0.7,"assurance":"broker"}
    {"value":{"network":"twitter","handle":"ada_example","url":"https://x.com/ada_example"},"confidence":0.7,"assurance":"broker"}
    "#);
}
