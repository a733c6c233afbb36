//! What holds for every text: no panic, canonical addresses that read as themselves, spellings that agree.

use proptest::prelude::*;

use super::super::{SocialProfile, networks};

/// Accounts that, between them, every network of the table takes.
const ACCOUNTS: [&str; 12] = [
    "Ada-Example",
    "Ada_Example",
    "AdaExample",
    "9900001",
    "990000000000000001",
    "ada@social.example.com",
    "ada.example.com",
    "0000-0002-1825-0097",
    "AbCdEfGhIjKl",
    "+AdaExample",
    "jürgen-müller",
    "Ada.Example2",
];

fn reads_as_itself(profile: &SocialProfile) {
    let again =
        SocialProfile::parse(profile.url()).unwrap_or_else(|error| panic!("{}: {error}", profile.url()));
    assert_eq!((again.key(), again.url()), (profile.key(), profile.url()));
    let stored = serde_json::to_string(profile).unwrap();
    assert_eq!(&serde_json::from_str::<SocialProfile>(&stored).unwrap(), profile, "{stored}");
}

#[test]
fn every_network_takes_an_account_and_reads_its_own_address() {
    for network in networks() {
        let taken: Vec<SocialProfile> =
            ACCOUNTS.iter().filter_map(|account| SocialProfile::on_network(network, account).ok()).collect();
        assert!(!taken.is_empty(), "{network}");
        for profile in &taken {
            // A page may be given that turns out to be on a network.
            assert!(profile.network() == network || network == "website");
            assert!(profile.key().starts_with(profile.network()), "{}", profile.key());
            reads_as_itself(profile);
        }
    }
}

#[test]
fn it_is_stored_readably_and_shown_without_the_account() {
    let profile = SocialProfile::parse("https://github.com/Ada-Example").unwrap();
    insta::assert_snapshot!(
        serde_json::to_string(&profile).unwrap(),
        @r#"{"network":"github","handle":"Ada-Example","url":"https://github.com/Ada-Example"}"#
    );
    insta::assert_snapshot!(format!("{profile:?}"), @"SocialProfile(github: redacted)");
    let refused =
        serde_json::from_str::<SocialProfile>(r#"{"network":"github","url":"javascript:alert(1)"}"#);
    assert!(!refused.unwrap_err().to_string().contains("alert"));
}

fn any_path() -> impl Strategy<Value = String> {
    prop::collection::vec("[A-Za-z0-9@~+._%-]{0,12}|%C3%BC|%2F|in|user|users|@ada|profile\\.php", 0..4)
        .prop_map(|segments| segments.join("/"))
}

fn any_host() -> impl Strategy<Value = String> {
    prop::sample::select(vec![
        "x.com",
        "www.linkedin.com",
        "facebook.com",
        "github.com",
        "youtube.com",
        "medium.com",
        "ada.medium.com",
        "ada.tumblr.com",
        "bsky.app",
        "ada.bsky.social",
        "t.me",
        "vk.com",
        "orcid.org",
        "flickr.com",
        "vimeo.com",
        "social.example.com",
        "example.com",
        "ada.wordpress.com",
        "es.quora.com",
        "news.ycombinator.com",
    ])
    .prop_map(str::to_owned)
}

proptest! {
    #[test]
    fn nothing_panics(text in "\\PC{0,60}", network in "\\PC{0,12}") {
        let _ = SocialProfile::parse(&text);
        let _ = SocialProfile::parse(&format!("https://{text}"));
        let _ = SocialProfile::on_network(&network, &text);
        let _ = SocialProfile::on_network("linkedin", &text);
        let _ = SocialProfile::on_network("mastodon", &text);
    }

    #[test]
    fn canonical_addresses_read_as_themselves(
        host in any_host(), path in any_path(), query in "(\\?(id|user|screen_name|q|utm_x)=[a-z0-9.,)&=%]{0,8})?",
    ) {
        if let Ok(profile) = SocialProfile::parse(&format!("https://{host}/{path}{query}")) {
            reads_as_itself(&profile);
        }
    }

    #[test]
    fn any_page_that_is_read_reads_as_itself(text in "\\PC{0,40}") {
        if let Ok(profile) = SocialProfile::parse(&format!("https://example.com/{text}")) {
            reads_as_itself(&profile);
        }
    }

    #[test]
    fn accounts_read_as_themselves(
        network in prop::sample::select(networks().collect::<Vec<_>>()), account in "[A-Za-z0-9_.@üß+-]{1,24}",
    ) {
        if let Ok(profile) = SocialProfile::on_network(network, &account) {
            reads_as_itself(&profile);
        }
    }

    #[test]
    fn spelling_makes_no_difference(host in any_host(), path in "(in/|user/|@)?[A-Za-z][a-z0-9]{4,9}") {
        let key = |text: &str| SocialProfile::parse(text).map(|profile| profile.key().to_owned());
        let plain = key(&format!("https://{host}/{path}"));
        let bare = host.trim_start_matches("www.");
        for spelling in [
            format!("http://{host}/{path}"), format!("{host}/{path}"), format!("//{host}/{path}"),
            format!("https://www.{bare}/{path}"), format!("https://{}/{path}", host.to_uppercase()),
            format!("https://{host}/{path}/"), format!("https://{host}//{path}"), format!("HTTPS://{host}:443/{path}"),
            format!("https://{host}/{path}?utm_source=x&fbclid=y"), format!("https://{host}/{path}#top"),
            format!("  https://{host}/{path}.  "), format!("(https://{host}/{path}),"),
        ] {
            prop_assert_eq!(key(&spelling), plain.clone(), "{}", spelling);
        }
    }

    #[test]
    fn a_host_that_only_looks_alike_is_never_the_network(
        host in prop::sample::select(vec!["github.com", "x.com", "linkedin.com", "facebook.com", "instagram.com"]),
        label in "[a-z]{3,8}",
    ) {
        for text in [
            format!("https://{host}.{label}.example/in/ada"), format!("https://{label}{host}/in/ada"),
            format!("https://{label}-{host}/in/ada"), format!("https://{host}@{label}.example/in/ada"),
            format!("https://{label}.example/{host}/in/ada"), format!("https://{label}.example/?u={host}/ada"),
        ] {
            if let Ok(profile) = SocialProfile::parse(&text) {
                prop_assert_eq!(profile.network(), "website", "{}", text);
            }
        }
    }
}
