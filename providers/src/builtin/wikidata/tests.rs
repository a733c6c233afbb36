//! Wikidata's answers, as the query service sends them.

use std::time::Duration;

use jiff::civil::date;

use super::super::lines;
use super::*;
use crate::contract::{Contract, Format, Reply, Route, check_contract, lookup_against};

const MATCH: &str = include_str!("../../../fixtures/wikidata/match.json");
const NONE: &str = include_str!("../../../fixtures/wikidata/none.json");

fn email(text: &str) -> EmailAddress {
    EmailAddress::parse(text).unwrap()
}

fn contract() -> Contract {
    let result = |body: &str| Reply::new(200, "application/sparql-results+json;charset=utf-8", body);
    Contract {
        build,
        settings: ProviderSettings::default(),
        path: "/",
        subject: Subject::new(email("ada.example@example.com")),
        format: Format::Json,
        matching: vec![Route::new("/sparql?format=json&query=SELECT", result(MATCH))],
        missing: vec![Route::new("/sparql?", result(NONE))],
        rate_limited: Some((Reply::json(429, "").header("retry-after", "60"), Duration::from_mins(1))),
        bad_key: None,
        out_of_credit: None,
    }
}

#[tokio::test]
async fn survives_the_contract() {
    check_contract(&contract()).await.assert_survived();
}

#[tokio::test]
async fn an_address_of_several_is_nobodys_in_particular() {
    let two = MATCH.replacen("Q990000001", "Q990000002", 1);
    let outcome =
        lookup_against(&contract(), vec![Route::new("/sparql?", Reply::json(200, two))]).await.unwrap();
    assert_eq!(outcome, Ok(Lookup::NoMatch));
    let subject = Subject::new(email(r#""a>b"@example.com"#));
    let contract = Contract { subject, ..contract() };
    let outcome = lookup_against(&contract, vec![Route::new("/", Reply::json(500, ""))]).await.unwrap();
    assert_eq!(outcome, Ok(Lookup::NoMatch), "what could leave its IRI is not asked");
}

fn rows(body: &str) -> Vec<Row> {
    serde_json::from_str::<Answer>(body).unwrap().results.person().unwrap().unwrap()
}

#[test]
fn what_is_published_is_taken_once_and_as_exactly_as_it_is_known() {
    insta::assert_snapshot!(lines(&finding(&rows(MATCH), date(2026, 6, 1))), @r#"
    {"value":{"full":"Ada Example"},"confidence":0.85,"assurance":"broker","evidence":"https://www.wikidata.org/wiki/Q990000001"}
    {"value":{"earliest":"1987-06-01","latest":"1987-06-30"},"confidence":0.85,"assurance":"broker","evidence":"https://www.wikidata.org/wiki/Q990000001"}
    {"value":{"network":"twitter","handle":"ada_example","url":"https://x.com/ada_example"},"confidence":0.85,"assurance":"broker","evidence":"https://www.wikidata.org/wiki/Q990000001"}
    {"value":{"network":"github","handle":"ada-example","url":"https://github.com/ada-example"},"confidence":0.85,"assurance":"broker","evidence":"https://www.wikidata.org/wiki/Q990000001"}
    "#);
    for (precision, expected) in
        [("11", Some(1)), ("10", Some(31)), ("9", Some(365)), ("8", None), ("7", None)]
    {
        let body =
            MATCH.replace("\"1987-06-01T", "\"1987-01-01T").replace("\"value\":\"9\"", "\"value\":\"10\"");
        let body = body.replace("\"value\":\"10\"", &format!("\"value\":\"{precision}\""));
        let body = body.replace("1987-01-01T", "1987-05-02T");
        let birth = finding(&rows(&body), date(2026, 6, 1)).birth;
        let days = birth.map(|birth| (birth.value.latest() - birth.value.earliest()).get_days() + 1);
        assert_eq!(days, expected, "precision {precision}");
    }
    let unlabelled = MATCH.replace("\"Ada Example\"", "\"Q990000001\"");
    assert_eq!(finding(&rows(&unlabelled), date(2026, 6, 1)).name, None);
}

#[test]
fn the_question_names_the_address_as_it_is_and_in_lower_case() {
    let query = query(&email("Ada.Example@example.com"));
    assert!(query.contains("<mailto:Ada.Example@example.com> <mailto:ada.example@example.com>"), "{query}");
    assert_eq!(query.matches('{').count(), query.matches('}').count());
}
