//! Keys, as key servers and directories hand them out.

use std::time::Duration;

use super::super::lines;
use super::*;
use crate::contract::{Contract, Format, Reply, Route, check_contract, lookup_against};

const KEY: &str = include_str!("../../../fixtures/openpgp/key.asc");

fn at_the_key_server() -> Contract {
    let options = "source = \"key_server\"".parse().unwrap();
    Contract {
        build,
        settings: ProviderSettings { options, ..ProviderSettings::default() },
        path: "/",
        subject: Subject::new(EmailAddress::parse("ada@example.com").unwrap()),
        format: Format::Opaque,
        matching: vec![Route::new(
            "/vks/v1/by-email/ada@example.com",
            Reply::new(200, "application/pgp-keys", KEY),
        )],
        missing: vec![Route::new("/vks/v1/by-email/", Reply::new(404, "text/plain", "No key found"))],
        rate_limited: Some((
            Reply::new(429, "text/html", "<h1>429</h1>").header("retry-after", "60"),
            Duration::from_mins(1),
        )),
        bad_key: None,
        out_of_credit: None,
    }
}

/// The same key in the domain's directory, not armoured.
fn in_directory() -> Contract {
    let key = packets::dearmored(KEY.as_bytes()).unwrap();
    Contract {
        settings: ProviderSettings::default(),
        path: "/at/{domain}/",
        matching: vec![Route::new(
            // The very key: any other question is answered like one about somebody else.
            "/at/example.com/.well-known/openpgpkey/hu/huin1uygftjfco69ypidm11zuqef9jyy?l=ada",
            Reply::new(200, "application/octet-stream", key),
        )],
        missing: vec![Route::new("/at/", Reply::new(404, "text/html", "<h1>Not Found</h1>"))],
        rate_limited: None,
        ..at_the_key_server()
    }
}

#[tokio::test]
async fn survives_the_contract_at_the_key_server() {
    check_contract(&at_the_key_server()).await.assert_survived();
}

#[tokio::test]
async fn survives_the_contract_with_directories() {
    check_contract(&in_directory()).await.assert_survived();
}

#[tokio::test]
async fn a_host_for_everybody_has_no_directory_of_ours() {
    let subject = Subject::new(EmailAddress::parse("ada@gmail.com").unwrap());
    let contract = Contract { subject, ..in_directory() };
    let outcome = lookup_against(&contract, vec![Route::new("/", Reply::json(500, ""))]).await.unwrap();
    assert_eq!(outcome, Ok(Lookup::NoMatch));
}

#[test]
fn the_name_beside_the_address_is_asserted() {
    let key = packets::dearmored(KEY.as_bytes()).unwrap();
    let names = packets::user_ids(&key).unwrap();
    let email = EmailAddress::parse("ada@example.com").unwrap();
    insta::assert_snapshot!(lines(&finding(&names, &email).unwrap()), @r#"
    {"value":{"full":"Ada Example"},"confidence":0.8,"assurance":"self_asserted"}
    "#);
    let other = EmailAddress::parse("bob@example.com").unwrap();
    assert_eq!(finding(&names, &other), None, "another's address");
}

#[test]
fn names_are_read_as_people_write_them() {
    let email = EmailAddress::parse("ada@example.com").unwrap();
    for (user_id, expected) in [
        ("Ada Example <ada@example.com>", Some("Ada Example")),
        ("Ada Example (work) <ADA@example.com>", Some("Ada Example")),
        ("ada@example.com", Some("")),
        ("ada@example.com <ada@example.com>", Some("ada@example.com")),
        ("Ada <Example <ada@example.com>", Some("Ada <Example")),
        ("Ada Example <bob@example.com>", None),
        ("Ada Example", None),
        ("", None),
    ] {
        assert_eq!(named_in(user_id, &email), expected, "{user_id}");
    }
    // A key whose name is the address says who has it, and no name.
    let silent = finding(&["ada@example.com <ada@example.com>".to_owned()], &email).unwrap();
    assert!(silent.is_empty(), "{silent:?}");
}

/// The draft's own example.
#[test]
fn the_key_of_joe_doe_lies_where_the_draft_says() {
    let email = EmailAddress::parse("Joe.Doe@example.org").unwrap();
    let (direct, advanced) =
        (Template::new("https://{domain}/"), Template::new("https://openpgpkey.{domain}/"));
    let places = directories(&direct, Some(&advanced), &email);
    assert_eq!(
        places.iter().map(Url::as_str).collect::<Vec<_>>(),
        [
            "https://openpgpkey.example.org/.well-known/openpgpkey/example.org/hu/iy9q119eutrkn8s1mk4r39qejnbu3n5q?l=Joe.Doe",
            "https://example.org/.well-known/openpgpkey/hu/iy9q119eutrkn8s1mk4r39qejnbu3n5q?l=Joe.Doe",
        ]
    );
    assert_eq!(key_in_directory("ada.example"), "hab8oc5x1m7hgkdnkwzekbiux36uuhtr");
}
