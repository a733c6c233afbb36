//! Acme Directory against its documented answers.

use std::time::Duration;

use super::*;

use gleaner_providers::contract::{Contract, Format, Reply, Route, check_contract, lookup_against};
use gleaner_providers::email::EmailAddress;

const MATCH: &str = include_str!("../../fixtures/acme_directory/match.json");
const NO_MATCH: &str = include_str!("../../fixtures/acme_directory/no_match.json");
const BAD_KEY: &str = include_str!("../../fixtures/acme_directory/bad_key.json");

/// The vendor's own answers.
fn contract() -> Contract {
    Contract {
        build,
        settings: ProviderSettings { key: Some("key-for-tests".into()), ..ProviderSettings::default() },
        path: "/",
        subject: Subject::new(EmailAddress::parse("ada.example@example.com").unwrap()),
        format: Format::Json,
        // The very question, encoded: any other is answered like one about somebody else.
        matching: vec![Route::new("/v1/people?email=ada.example%40example.com", Reply::json(200, MATCH))],
        missing: vec![Route::new("/v1/people?", Reply::json(404, NO_MATCH))],
        rate_limited: Some((Reply::json(429, "{}").header("retry-after", "60"), Duration::from_mins(1))),
        bad_key: Some(Reply::json(401, BAD_KEY)),
        out_of_credit: Some(Reply::json(402, "{}")),
    }
}

#[tokio::test]
async fn survives_the_contract() {
    check_contract(&contract()).await.assert_survived();
}

#[tokio::test]
async fn a_match_becomes_a_finding() {
    let contract = contract();
    let Ok(Lookup::Match(finding)) = lookup_against(&contract, contract.matching.clone()).await.unwrap()
    else {
        panic!("no match");
    };
    assert_eq!(finding.name.unwrap().value.full(), "Ada Example");
    assert_eq!(finding.birth.unwrap().value.earliest().year(), 1981);
    let urls: Vec<_> = finding.profiles.iter().map(|profile| profile.value.url()).collect();
    assert_eq!(urls, ["https://github.com/ada-example", "https://ada.example.com"]);
}
