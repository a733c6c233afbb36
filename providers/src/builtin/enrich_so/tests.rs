//! enrich.so against its documented answers.

use std::time::Duration;

use super::super::lines;
use super::*;
use crate::contract::{Contract, Format, Reply, Route, check_contract, lookup_against};
use crate::email::EmailAddress;

const MATCH: &str = include_str!("../../../fixtures/enrich_so/match.json");
const NO_MATCH: &str = include_str!("../../../fixtures/enrich_so/no_match.json");
const BAD_KEY: &str = include_str!("../../../fixtures/enrich_so/bad_key.json");
const OUT_OF_CREDIT: &str = include_str!("../../../fixtures/enrich_so/out_of_credit.json");
const RATE_LIMITED: &str = include_str!("../../../fixtures/enrich_so/rate_limited.json");

fn contract() -> Contract {
    Contract {
        build,
        settings: ProviderSettings { key: Some("key-for-tests".into()), ..ProviderSettings::default() },
        path: "/api/v3/",
        subject: Subject::new(EmailAddress::parse("ada.example@example.com").unwrap()),
        format: Format::Json,
        matching: vec![Route::new("/api/v3/reverse-lookup/lookup", Reply::json(200, MATCH))],
        missing: vec![Route::new("/api/v3/reverse-lookup/lookup", Reply::json(200, NO_MATCH))],
        rate_limited: Some((
            Reply::json(429, RATE_LIMITED).header("x-ratelimit-reset", "30"),
            Duration::from_secs(30),
        )),
        bad_key: Some(Reply::json(401, BAD_KEY)),
        out_of_credit: Some(Reply::json(402, OUT_OF_CREDIT)),
    }
}

#[tokio::test]
async fn survives_the_contract() {
    check_contract(&contract()).await.assert_survived();
}

#[tokio::test]
async fn a_404_is_a_miss_in_its_own_words_only() {
    let own = r#"{"type":"https://dev.enrich.so/errors/not-found","title":"Not Found","status":404}"#;
    for (body, class) in [(own, None), (r#"{"message":"no Route matched"}"#, Some("malformed"))] {
        let outcome =
            lookup_against(&contract(), vec![Route::new("/", Reply::json(404, body))]).await.unwrap();
        assert_eq!(outcome.err().map(|error| error.class()), class);
    }
}

#[test]
fn the_profile_is_read() {
    let answer: Answer = serde_json::from_str(MATCH).unwrap();
    insta::assert_snapshot!(lines(&answer.data.unwrap().finding()), @r#"
    {"value":{"full":"Ada Example","given":"Ada","family":"Example"},"confidence":0.7,"assurance":"broker"}
    {"value":{"network":"linkedin","handle":"ada-example-1a2b3c","url":"https://www.linkedin.com/in/ada-example-1a2b3c"},"confidence":0.7,"assurance":"broker"}
    "#);
}
