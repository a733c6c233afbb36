//! The home page, as people write it and as hosts serve it.

use jiff::civil::date;

use super::super::lines;
use super::*;
use crate::contract::{Contract, Format, Reply, Route, check_contract, lookup_against};

const PERSON: &str = include_str!("../../../fixtures/homepage/person.html");
const STAFF: &str = include_str!("../../../fixtures/homepage/staff.html");
const STRANGER: &str = include_str!("../../../fixtures/homepage/stranger.html");
const NOINDEX: &str = include_str!("../../../fixtures/homepage/noindex.html");

fn email(text: &str) -> EmailAddress {
    EmailAddress::parse(text).unwrap()
}

fn mapped(page: &str) -> Option<Finding> {
    let url = Url::parse("https://example.com/?session=1#top").unwrap();
    let facts = page::read(page.as_bytes(), &url).unwrap();
    finding(&facts, &url, &email("ada@example.com"), date(2026, 6, 1))
}

fn contract() -> Contract {
    Contract {
        build,
        settings: ProviderSettings::default(),
        path: "/homepage/{domain}/",
        subject: Subject::new(email("ada@example.com")),
        format: Format::Html,
        matching: vec![Route::new("/homepage/example.com/", Reply::html(200, PERSON))],
        missing: vec![Route::new("/homepage/example.com/", Reply::html(200, STRANGER))],
        rate_limited: None,
        bad_key: None,
        out_of_credit: None,
    }
}

#[tokio::test]
async fn survives_the_contract() {
    check_contract(&contract()).await.assert_survived();
}

#[tokio::test]
async fn a_page_that_is_not_there_or_not_for_us_is_no_match() {
    for (case, missing) in [
        ("not found", Reply::html(404, PERSON)),
        ("forbidden", Reply::html(403, PERSON)),
        ("gone for legal reasons", Reply::html(451, PERSON)),
        ("another type", Reply::new(200, "text/plain", PERSON)),
        ("closed by header", Reply::html(200, PERSON).header("x-robots-tag", "noai")),
        ("closed by the page", Reply::html(200, NOINDEX)),
    ] {
        let routes = vec![Route::new("/homepage/example.com/", missing)];
        let outcome = lookup_against(&contract(), routes).await.unwrap();
        assert_eq!(outcome, Ok(Lookup::NoMatch), "{case}");
    }
}

#[test]
fn what_card_and_json_ld_say_is_one() {
    insta::assert_snapshot!(lines(&mapped(PERSON).unwrap()), @r#"
    {"value":{"full":"Ada Example","given":"Ada","family":"Example"},"confidence":0.9,"assurance":"self_asserted","evidence":"https://example.com/"}
    {"value":{"earliest":"1987-06-07","latest":"1987-06-07"},"confidence":0.9,"assurance":"self_asserted","evidence":"https://example.com/"}
    {"value":{"network":"website","url":"https://example.com"},"confidence":0.9,"assurance":"self_asserted","evidence":"https://example.com/"}
    {"value":{"network":"github","handle":"ada-example","url":"https://github.com/ada-example"},"confidence":0.9,"assurance":"self_asserted","evidence":"https://example.com/"}
    {"value":{"network":"linkedin","handle":"ada-example-1a2b3c","url":"https://www.linkedin.com/in/ada-example-1a2b3c"},"confidence":0.9,"assurance":"self_asserted","evidence":"https://example.com/"}
    {"value":{"network":"mastodon","handle":"ada@social.example.com","url":"https://social.example.com/@ada"},"confidence":0.9,"assurance":"self_asserted","evidence":"https://example.com/"}
    "#);
}

#[test]
fn on_a_staff_page_only_the_one_with_the_address_is_taken() {
    insta::assert_snapshot!(lines(&mapped(STAFF).unwrap()), @r#"
    {"value":{"full":"Ada Example","given":"Ada","family":"Example"},"confidence":0.9,"assurance":"self_asserted","evidence":"https://example.com/"}
    {"value":{"network":"github","handle":"ada-example","url":"https://github.com/ada-example"},"confidence":0.9,"assurance":"self_asserted","evidence":"https://example.com/"}
    "#);
}

#[test]
fn a_strangers_page_says_nothing() {
    assert_eq!(mapped(STRANGER), None);
    assert_eq!(mapped(NOINDEX), None);
}
