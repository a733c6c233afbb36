//! ORCID's answers, as the vendor documents them.

use super::super::lines;
use super::*;
use crate::contract::{Contract, Format, Reply, Route, check_contract, lookup_against};

const SEARCH: &str = include_str!("../../../fixtures/orcid/search.json");
const PERSON: &str = include_str!("../../../fixtures/orcid/person.json");
const NONE: &str = include_str!("../../../fixtures/orcid/none.json");

fn email(text: &str) -> EmailAddress {
    EmailAddress::parse(text).unwrap()
}

fn ok(path: &'static str, body: impl Into<Vec<u8>>) -> Route {
    Route::new(path, Reply::json(200, body))
}

fn contract() -> Contract {
    Contract {
        build,
        settings: ProviderSettings { key: Some("key-for-tests".into()), ..ProviderSettings::default() },
        path: "/v3.0/",
        subject: Subject::new(email("ada.example@example.com")),
        format: Format::Json,
        matching: vec![
            ok("/v3.0/expanded-search/?q=email", SEARCH),
            ok("/v3.0/0000-0000-0000-0423/person", PERSON),
        ],
        missing: vec![ok("/v3.0/expanded-search/", NONE)],
        rate_limited: None,
        bad_key: Some(Reply::json(401, r#"{"error":"invalid_token"}"#)),
        out_of_credit: Some(Reply::new(
            429,
            "text/plain",
            "Too Many Requests. You have exceeded the daily quota",
        )),
    }
}

#[tokio::test]
async fn survives_the_contract() {
    check_contract(&contract()).await.assert_survived();
}

#[tokio::test]
async fn a_record_is_taken_only_where_it_shows_the_address() {
    for (case, body, is_match) in [
        ("shown", SEARCH.to_owned(), true),
        ("another's", SEARCH.replace("ada.example@", "bob@"), false),
        ("hidden", SEARCH.replace("[\"ada.example@example.com\"]", "[]"), false),
    ] {
        let routes = vec![ok("/v3.0/expanded-search/", body), ok("/v3.0/0000-0000-0000-0423/person", PERSON)];
        let outcome = lookup_against(&contract(), routes).await.unwrap();
        assert_eq!(matches!(outcome, Ok(Lookup::Match(_))), is_match, "{case}: {outcome:?}");
    }
    let wrong = SEARCH.replace("0423", "0424");
    let outcome = lookup_against(&contract(), vec![ok("/v3.0/expanded-search/", wrong)]).await.unwrap();
    assert_eq!(outcome.unwrap_err().class(), "malformed", "a check digit that is wrong");
}

#[test]
fn the_record_is_proven_and_its_links_asserted() {
    let search: Search = serde_json::from_str(SEARCH).unwrap();
    let person: Person = serde_json::from_str(PERSON).unwrap();
    let item = search.showing(&email("Ada.Example@EXAMPLE.com")).unwrap().unwrap();
    insta::assert_snapshot!(lines(&item.finding(&item.id().unwrap(), Some(&person))), @r#"
    {"value":{"full":"Ada Example","given":"Ada","family":"Example"},"confidence":0.9,"assurance":"self_asserted","evidence":"https://orcid.org/0000-0000-0000-0423"}
    {"value":{"network":"orcid","handle":"0000-0000-0000-0423","url":"https://orcid.org/0000-0000-0000-0423"},"confidence":0.95,"assurance":"proven","evidence":"https://orcid.org/0000-0000-0000-0423"}
    {"value":{"network":"github","handle":"ada-example","url":"https://github.com/ada-example"},"confidence":0.8,"assurance":"self_asserted","evidence":"https://orcid.org/0000-0000-0000-0423"}
    "#);
}

#[test]
fn nothing_in_an_address_is_read_as_the_searchs_language() {
    for (address, expected) in [
        ("ada@example.com", r#"email:"ada@example.com""#),
        ("a+b-c@example.com", r#"email:"a\+b\-c@example.com""#),
        (r#""a b"@example.com"#, r#"email:"\"a\ b\"@example.com""#),
        ("a*b?c~d@example.com", r#"email:"a\*b\?c\~d@example.com""#),
    ] {
        assert_eq!(query(&email(address)), expected);
    }
}
