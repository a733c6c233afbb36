//! The shipped examples and their kin against the contract, and every way in which a file can be wrong.

mod files;
mod forms;
mod lookups;

use std::time::Duration;

use super::*;
use crate::contract::{Contract, Format as Kind, Reply, Route, check_contract};
use crate::email::EmailAddress;

const SCIM: &str = include_str!("../../../config/providers/scim_directory.toml");
const FORGEJO: &str = include_str!("../../../config/providers/forgejo.toml");

/// Slowed down in the way that the HTTP standard knows, for a minute.
fn slow_down() -> (Reply, Duration) {
    let reply = Reply::json(429, "{}").header("retry-after", "60");
    (reply, Duration::from_mins(1))
}

fn declared(name: &str, text: &str) -> Declaration {
    Declaration::parse(name, text).unwrap_or_else(|fault| panic!("{name}.toml:{fault}"))
}

fn ada() -> Subject {
    Subject::new(EmailAddress::parse("Ada.Example@example.com").unwrap())
}

fn keyed() -> ProviderSettings {
    ProviderSettings { key: Some("key-for-tests".into()), ..ProviderSettings::default() }
}

#[tokio::test]
async fn the_directory_survives_the_contract() {
    let declaration = declared("scim_directory", SCIM);
    check_contract(&Contract {
        build: |settings: &ProviderSettings| declaration.build(settings),
        settings: keyed(),
        path: "/scim/v2/",
        subject: ada(),
        format: Kind::Json,
        // The very filter, encoded: any other question is answered with a bare 404.
        matching: vec![Route::new(
            "/scim/v2/Users?attributes=displayName%2Cname%2CprofileUrl&filter=emails.value+eq+%22Ada.Example%40example.com%22",
            Reply::json(200, include_str!("../../fixtures/scim_directory/match.json")),
        )],
        missing: vec![Route::new(
            "/scim/v2/Users?",
            Reply::json(200, include_str!("../../fixtures/scim_directory/no_match.json")),
        )],
        rate_limited: Some(slow_down()),
        bad_key: Some(Reply::json(401, include_str!("../../fixtures/scim_directory/bad_key.json"))),
        out_of_credit: None,
    }).await.assert_survived();
}

#[tokio::test]
async fn the_server_for_code_survives_the_contract() {
    let declaration = declared("forgejo", FORGEJO);
    check_contract(&Contract {
        build: |settings: &ProviderSettings| declaration.build(settings),
        settings: ProviderSettings::default(),
        path: "/api/v1/",
        subject: ada(),
        format: Kind::Json,
        matching: vec![Route::new(
            "/api/v1/users/search?limit=2&q=Ada.Example%40example.com",
            Reply::json(200, include_str!("../../fixtures/forgejo/match.json")),
        )],
        missing: vec![Route::new(
            "/api/v1/users/search?",
            Reply::json(200, include_str!("../../fixtures/forgejo/no_match.json")),
        )],
        rate_limited: Some(slow_down()),
        bad_key: Some(Reply::json(403, r#"{"message": "Only signed in user is allowed to call APIs."}"#)),
        out_of_credit: Some(Reply::json(402, "{}")),
    })
    .await
    .assert_survived();
}

const PAGE: &str = r#"<!doctype html><html><head><title>People</title></head><body>
<h1 class="person"> Ada
 Example </h1>
<p>Born <time datetime="1981-04-07">long ago</time></p>
<ul class="links"><li><a rel="me" href="https://github.com/ada-example">code</a></li>
<li><a rel="me" href="/~ada">home</a></li><li><a href="https://example.org/">a friend</a></li></ul></body></html>"#;

/// A page on the operator's own host, and one on each member's own.
fn page_of(reach: &str, endpoint: &str, path: &str) -> String {
    format!(
        r#"
        title = "People"
        docs = "https://example.com/people"
        endpoint = "{endpoint}"
        reach = "{reach}"
        answers = "html"
        quota = "1/s"
        [request]
        path = "{path}"
        [[rule]]
        status = 404
        then = "no_match"
        [[rule]]
        status = 200
        where = "h1.person"
        then = "match"
        [fields]
        confidence = 0.8
        assurance = "self_asserted"
        full_name = "h1.person"
        birth_date = "time @datetime"
        profiles = ["a[rel=me] @href"]
        "#
    )
}

#[tokio::test]
async fn a_page_on_the_operators_host_survives_the_contract() {
    let declaration = declared("people", &page_of("vendor", "https://people.example.com/", "~{local}"));
    check_contract(&Contract {
        build: |settings: &ProviderSettings| declaration.build(settings),
        settings: ProviderSettings::default(),
        path: "/",
        subject: ada(),
        format: Kind::Html,
        matching: vec![Route::new("/~Ada.Example", Reply::html(200, PAGE))],
        missing: vec![Route::new("/", Reply::html(404, "<h1>Nobody</h1>"))],
        rate_limited: Some(slow_down()),
        bad_key: None,
        out_of_credit: None,
    })
    .await
    .assert_survived();
}

#[tokio::test]
async fn a_page_on_strangers_hosts_survives_the_contract() {
    let declaration = declared("people", &page_of("web", "https://{domain}/", "about"));
    check_contract(&Contract {
        build: |settings: &ProviderSettings| declaration.build(settings),
        settings: ProviderSettings::default(),
        path: "/{domain}/",
        subject: ada(),
        format: Kind::Html,
        matching: vec![Route::new("/example.com/about", Reply::html(200, PAGE))],
        missing: vec![Route::new("/", Reply::html(404, "<h1>Nobody</h1>"))],
        rate_limited: None,
        bad_key: None,
        out_of_credit: None,
    })
    .await
    .assert_survived();
}
