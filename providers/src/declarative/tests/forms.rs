//! Bodies that are sent as forms: what goes over the wire, the contract, and what a form cannot hold.

use tokio::io::{AsyncBufReadExt as _, AsyncReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::net::TcpListener;

use super::lookups::at;
use super::*;
use crate::provider::Identifier;

/// A vendor that wants a form, and the key as one of its fields.
const FORM: &str = r#"title = "Form"
docs = "https://example.com/api"
endpoint = "https://api.example.com/v2/"
key = "required"
quota = "10/s"
[request]
path = "search"
encode = "form"
[request.body]
api_key = "{key}"
"person[email]" = "{email}"
want = ["name", "age"]
limit = 1
strict = true
[[rule]]
status = 404
where = "$.error"
equals = "not_found"
then = "no_match"
[[rule]]
status = 200
where = "$.person.id"
then = "match"
[fields]
confidence = 0.8
assurance = "broker"
full_name = "$.person.name"
"#;

const MATCH: &str = r#"{"person":{"id":"7","name":"Ada Example"}}"#;

#[tokio::test]
async fn a_vendor_that_is_asked_by_a_form_survives_the_contract() {
    let declaration = declared("form", FORM);
    assert_eq!(declaration.descriptor().told, Identifier::Address);
    check_contract(&Contract {
        build: |settings: &ProviderSettings| declaration.build(settings),
        settings: keyed(),
        path: "/v2/",
        subject: ada(),
        format: Kind::Json,
        matching: vec![Route::new("/v2/search", Reply::json(200, MATCH))],
        missing: vec![Route::new("/v2/search", Reply::json(404, r#"{"error":"not_found"}"#))],
        rate_limited: Some(slow_down()),
        bad_key: Some(Reply::json(401, "{}")),
        out_of_credit: Some(Reply::json(402, "{}")),
    })
    .await
    .assert_survived();
}

/// What the vendor receives: type and fields.
async fn received(email: &str) -> (String, Vec<(String, String)>) {
    let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
    let endpoint = format!("http://{}/", listener.local_addr().unwrap());
    let vendor = tokio::spawn(async move {
        let mut stream = BufReader::new(listener.accept().await.unwrap().0);
        let (mut kind, mut length) = (String::new(), 0);
        loop {
            let mut line = String::new();
            stream.read_line(&mut line).await.unwrap();
            match line.trim_end().split_once(": ") {
                Some(("content-type", value)) => value.clone_into(&mut kind),
                Some(("content-length", value)) => length = value.parse().unwrap(),
                None if line.trim_end().is_empty() => break,
                _ => {}
            }
        }
        let mut body = vec![0; length];
        stream.read_exact(&mut body).await.unwrap();
        let head = format!("HTTP/1.1 200 OK\r\ncontent-length: {}\r\n\r\n", MATCH.len());
        stream.write_all((head + MATCH).as_bytes()).await.unwrap();
        (kind, url::form_urlencoded::parse(&body).into_owned().collect())
    });
    let (http, settings) = at(&endpoint, Some("s3cret&x=1".into()));
    let subject = Subject::new(EmailAddress::parse(email).unwrap());
    let outcome = declared("form", FORM).build(&settings).unwrap().lookup(&subject, &http).await;
    assert!(matches!(outcome, Ok(Lookup::Match(_))), "{outcome:?}");
    vendor.await.unwrap()
}

#[tokio::test]
async fn no_address_and_no_key_adds_a_field_to_the_form() {
    for email in ["ada@example.com", "ada+x&limit=9@example.com", "a=b%26c@example.com"] {
        let (kind, fields) = received(email).await;
        assert_eq!(kind, "application/x-www-form-urlencoded");
        let wanted = [
            ("api_key", "s3cret&x=1"),
            ("limit", "1"),
            ("person[email]", email),
            ("strict", "true"),
            ("want", "name"),
            ("want", "age"),
        ];
        assert_eq!(fields, wanted.map(|(name, value)| (name.to_owned(), value.to_owned())), "{email}");
    }
}

#[tokio::test]
async fn the_trail_shows_the_form_without_its_key() {
    let (http, settings) = at("http://127.0.0.1:9/", Some("key-for-tests".into()));
    let trail = crate::http::Trail::default();
    let provider = declared("form", FORM).build(&settings).unwrap();
    provider.lookup(&ada(), &http.with_trail(&trail)).await.unwrap_err();
    let shown = &trail.steps()[0];
    assert_eq!(shown.step, "body");
    insta::assert_snapshot!(shown.text, @"api_key=[secret]&limit=1&person[email]=Ada.Example@example.com&strict=true&want=name&want=age");
}

#[test]
fn what_a_form_cannot_hold_is_refused_where_it_stands() {
    let fault = |from: &str, to: &str| {
        assert!(FORM.contains(from), "nothing to replace: {from}");
        Declaration::parse("form", &FORM.replacen(from, to, 1)).map(|_| ()).unwrap_err().to_string()
    };
    insta::assert_snapshot!(fault("limit = 1", "person = { email = \"{email}\" }"), @r##"13:10: `body.person`: a form has no tables within it: write each field with the name that the vendor documents, such as `"person[email]" = "{email}"`"##);
    insta::assert_snapshot!(fault("limit = 1", "want_also = [{ name = true }]"), @r##"13:13: `body.want_also`: a form has no tables within it: write each field with the name that the vendor documents, such as `"person[email]" = "{email}"`"##);
    insta::assert_snapshot!(fault("limit = 1", "since = 2026-01-01"), @"13:9: `body.since`: a date in a body is written as a text");
    insta::assert_snapshot!(fault("{email}", "{emial}"), @"11:19: `body.person[email]`: unknown placeholder `{emial}`; known are {email}, {email_sha256}, {email_md5}, {local}, {domain}, {key}, {handle}, {handle.NETWORK}; did you mean `{email}`?");
    insta::assert_snapshot!(fault("\"form\"", "\"multipart\""), @"8:10: unknown variant `multipart`, expected `json` or `form`");
    insta::assert_snapshot!(fault("\"{key}\"", "\"x\""), @r##"6:1: does not send the key that is declared: write, say, `headers = { authorization = "Bearer {key}" }`"##);
    let bodyless = FORM.replace("[request.body]\napi_key", "headers = { api_key").replace(
        "\"{key}\"\n\"person[email]\" = \"{email}\"\nwant = [\"name\", \"age\"]\nlimit = 1\nstrict = true",
        "\"{key}\", x = \"{email}\" }",
    );
    insta::assert_snapshot!(Declaration::parse("form", &bodyless).map(|_| ()).unwrap_err(), @"8:10: `encode` says how `body` is sent, and there is no `body`");
}
