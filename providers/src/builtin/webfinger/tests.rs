//! `WebFinger` and actors, as servers of the fediverse send them and as other sites answer.

use super::super::lines;
use super::*;
use crate::contract::{Contract, Format, Reply, Route, check_contract, lookup_against};
use crate::email::EmailAddress;

const JRD: &str = include_str!("../../../fixtures/webfinger/jrd.json");
const ACTOR: &str = include_str!("../../../fixtures/webfinger/actor.json");
const ELSEWHERE: &str = "https://social.example.com/users/ada";
const FINGER: &str = "/at/example.com/.well-known/webfinger?resource=acct%3Aada%40example.com";

fn jrd() -> Reply {
    // The actor of the kit's server: no call leaves this machine.
    Reply::new(
        200,
        "application/jrd+json",
        JRD.replace(&format!("\"href\":\"{ELSEWHERE}\""), "\"href\":\"/users/ada\""),
    )
}

fn actor(body: impl Into<Vec<u8>>) -> Reply {
    Reply::new(200, "application/activity+json; charset=utf-8", body)
}

fn contract() -> Contract {
    Contract {
        build,
        settings: ProviderSettings::default(),
        path: "/at/{domain}/",
        subject: Subject::new(EmailAddress::parse("ada@example.com").unwrap()),
        format: Format::Json,
        matching: vec![Route::new(FINGER, jrd()), Route::new("/users/ada", actor(ACTOR))],
        missing: vec![Route::new(FINGER, Reply::new(404, "application/jrd+json", ""))],
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
async fn an_account_that_may_not_be_kept_or_read_is_no_match() {
    let with = |from: &str, to: &str| actor(ACTOR.replace(from, to));
    for (case, reply) in [
        ("asks not to be found", with("\"discoverable\":true", "\"discoverable\":false")),
        ("asks not to be indexed", with("\"indexable\":true", "\"indexable\":false")),
        ("says so in another way", with("\"memorial\":false", "\"noindex\":true")),
        ("of somebody who died", with("\"memorial\":false", "\"memorial\":true")),
        ("suspended", with("\"memorial\":false", "\"suspended\":true")),
        ("a bot", with("\"Person\"", "\"Service\"")),
        ("a group", with("\"Person\"", "[\"Group\"]")),
        ("closed by header", actor(ACTOR).header("x-robots-tag", "noindex")),
        ("answers signed requests only", Reply::json(401, r#"{"error":"Request not signed"}"#)),
        ("gone", Reply::json(410, "")),
    ] {
        let routes = vec![Route::new(FINGER, jrd()), Route::new("/users/ada", reply)];
        assert_eq!(lookup_against(&contract(), routes).await.unwrap(), Ok(Lookup::NoMatch), "{case}");
    }
    let silent = with("\"discoverable\":true,\"indexable\":true", "\"discoverable\":null");
    let routes = vec![Route::new(FINGER, jrd()), Route::new("/users/ada", silent)];
    let outcome = lookup_against(&contract(), routes).await.unwrap();
    assert!(matches!(outcome, Ok(Lookup::Match(_))), "software that knows no such wish: {outcome:?}");
}

#[tokio::test]
async fn only_an_account_that_can_be_one_is_asked_about() {
    for address in ["ada@gmail.com", "info@example.com", "ada+news@example.com", "ädä@example.com"] {
        let subject = Subject::new(EmailAddress::parse(address).unwrap());
        // The server hangs up where it is asked: that would be an error.
        let contract = Contract { subject, ..contract() };
        let outcome = lookup_against(&contract, vec![Route::new("/", Reply::json(500, ""))]).await.unwrap();
        assert_eq!(outcome, Ok(Lookup::NoMatch), "{address}");
    }
}

fn mapped(actor: &str) -> Option<Finding> {
    let jrd: Jrd = serde_json::from_str(JRD).unwrap();
    serde_json::from_str::<Actor>(actor).unwrap().finding(&jrd, "ada")
}

use crate::finding::Finding;

#[test]
fn the_account_its_name_and_its_links_are_asserted() {
    insta::assert_snapshot!(lines(&mapped(ACTOR).unwrap()), @r#"
    {"value":{"full":"Ada Example"},"confidence":0.6,"assurance":"self_asserted","evidence":"https://social.example.com/@ada"}
    {"value":{"network":"mastodon","handle":"ada@social.example.com","url":"https://social.example.com/@ada"},"confidence":0.8,"assurance":"self_asserted","evidence":"https://social.example.com/@ada"}
    {"value":{"network":"github","handle":"ada-example","url":"https://github.com/ada-example"},"confidence":0.75,"assurance":"self_asserted","evidence":"https://social.example.com/@ada"}
    "#);
}

#[test]
fn urls_and_lists_come_in_several_forms() {
    let url = |finding: Finding| finding.profiles.first().map(|profile| profile.value.url().to_owned());
    let page = "\"https://social.example.com/@ada\"";
    for (form, expected) in [
        (format!("[{page},\"https://social.example.com/feed\"]"), "https://social.example.com/@ada"),
        (
            format!("[{{\"type\":\"Link\",\"mediaType\":\"text/html\",\"href\":{page}}}]"),
            "https://social.example.com/@ada",
        ),
        ("\"https://blog.example.com/author/ada\"".to_owned(), "https://example.com/@ada"),
        ("null".to_owned(), "https://example.com/@ada"),
    ] {
        let found = mapped(&ACTOR.replace(&format!("\"url\":{page}"), &format!("\"url\":{form}")));
        assert_eq!(url(found.unwrap()).as_deref(), Some(expected), "{form}");
    }
    let moved = ACTOR
        .replace("\"alsoKnownAs\"", "\"movedTo\":\"https://mastodon.example.org/@lovelace\",\"alsoKnownAs\"");
    assert_eq!(url(mapped(&moved).unwrap()).as_deref(), Some("https://mastodon.example.org/@lovelace"));
    let nameless = ACTOR.replace("\"Ada Example :verified:\"", "\"ada\"");
    assert_eq!(mapped(&nameless).unwrap().name, None, "the account's name is not a person's");
}
