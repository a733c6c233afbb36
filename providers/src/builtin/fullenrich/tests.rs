//! FullEnrich against its documented answers.

use super::super::lines;
use super::*;
use crate::contract::{Contract, Format, Reply, Route, check_contract, collect_against, lookup_against};
use crate::email::EmailAddress;

const ORDERED: &str = include_str!("../../../fixtures/fullenrich/ordered.json");
const MATCH: &str = include_str!("../../../fixtures/fullenrich/match.json");
const NO_MATCH: &str = include_str!("../../../fixtures/fullenrich/no_match.json");
const IN_PROGRESS: &str = include_str!("../../../fixtures/fullenrich/in_progress.json");
const CREDITS_INSUFFICIENT: &str = include_str!("../../../fixtures/fullenrich/credits_insufficient.json");
const BAD_KEY: &str = include_str!("../../../fixtures/fullenrich/bad_key.json");
const OUT_OF_CREDIT: &str = include_str!("../../../fixtures/fullenrich/out_of_credit.json");
const RATE_LIMITED: &str = include_str!("../../../fixtures/fullenrich/rate_limited.json");

fn contract() -> Contract {
    Contract {
        build,
        settings: ProviderSettings { key: Some("key-for-tests".into()), ..ProviderSettings::default() },
        path: "/api/v2/",
        subject: Subject::new(EmailAddress::parse("ada.example@example.com").unwrap()),
        format: Format::Json,
        matching: vec![
            Route::new("/api/v2/contact/reverse/email/bulk/", Reply::json(200, MATCH)),
            Route::new("/api/v2/contact/reverse/email/bulk", Reply::json(200, ORDERED)),
        ],
        missing: vec![
            Route::new("/api/v2/contact/reverse/email/bulk/", Reply::json(200, NO_MATCH)),
            Route::new("/api/v2/contact/reverse/email/bulk", Reply::json(200, ORDERED)),
        ],
        rate_limited: Some((Reply::json(429, RATE_LIMITED), WINDOW)),
        bad_key: Some(Reply::json(401, BAD_KEY)),
        out_of_credit: Some(Reply::json(402, OUT_OF_CREDIT)),
    }
}

#[tokio::test]
async fn survives_the_contract() {
    check_contract(&contract()).await.assert_survived();
}

/// The answers to an order and to the question after it.
fn routes(answer: Reply) -> Vec<Route> {
    vec![
        Route::new("/api/v2/contact/reverse/email/bulk/", answer),
        Route::new("/api/v2/contact/reverse/email/bulk", Reply::json(200, ORDERED)),
    ]
}

const ORDER: &str = "00000000-0000-4000-8000-000000000004";

#[tokio::test]
async fn an_order_is_placed_and_waited_for() {
    let outcome = lookup_against(&contract(), routes(Reply::json(200, MATCH))).await.unwrap();
    assert_eq!(outcome, Ok(Lookup::Pending { handle: ORDER.into(), after: WORKING }));
    let unusable = ORDERED.replace(ORDER, "../../account");
    let outcome =
        lookup_against(&contract(), vec![Route::new("/", Reply::json(200, unusable))]).await.unwrap();
    assert_eq!(outcome.unwrap_err().class(), "malformed");
}

#[tokio::test]
async fn what_is_not_finished_is_asked_for_again_by_the_same_handle() {
    let in_progress = r#"{"code":"error.enrichment.in_progress","message":"Enrichment still in progress"}"#;
    for reply in [Reply::json(200, IN_PROGRESS), Reply::json(400, in_progress)] {
        let outcome = collect_against(&contract(), ORDER, routes(reply)).await.unwrap();
        assert_eq!(outcome, Ok(Lookup::Pending { handle: ORDER.into(), after: WORKING }));
    }
}

#[tokio::test]
async fn an_order_that_is_lost_is_placed_again_and_one_that_was_not_paid_later() {
    for reply in [Reply::json(404, BAD_KEY), Reply::json(200, MATCH.replace("FINISHED", "CANCELED"))] {
        let outcome = collect_against(&contract(), "an-old-one", routes(reply)).await.unwrap();
        assert_eq!(outcome, Ok(Lookup::Pending { handle: ORDER.into(), after: WORKING }));
    }
    let unpaid = routes(Reply::json(402, CREDITS_INSUFFICIENT));
    let outcome = collect_against(&contract(), ORDER, unpaid.clone()).await.unwrap();
    assert_eq!(outcome, Ok(Lookup::Pending { handle: ORDER_ANEW.into(), after: UNTIL_PAID }));
    let outcome = collect_against(&contract(), ORDER_ANEW, unpaid).await.unwrap();
    assert_eq!(outcome, Ok(Lookup::Pending { handle: ORDER.into(), after: WORKING }));
}

#[tokio::test]
async fn the_finished_order_is_read() {
    let outcome = collect_against(&contract(), ORDER, routes(Reply::json(200, MATCH))).await.unwrap();
    let Ok(Lookup::Match(finding)) = outcome else { panic!("no match") };
    insta::assert_snapshot!(lines(&finding), @r#"
    {"value":{"full":"Ada Example","given":"Ada","family":"Example"},"confidence":0.75,"assurance":"broker"}
    {"value":{"network":"linkedin","handle":"ada-example-1a2b3c","url":"https://www.linkedin.com/in/ada-example-1a2b3c"},"confidence":0.75,"assurance":"broker"}
    "#);
}
