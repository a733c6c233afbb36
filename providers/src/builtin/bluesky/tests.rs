//! Bluesky's answers, as the `AppView` sends them.

use std::time::Duration;

use super::super::{account, lines};
use super::*;
use crate::contract::{Contract, Format, NOW_UNIX_SECONDS, Reply, Route, check_contract, lookup_against};
use crate::email::EmailAddress;

const MATCH: &str = include_str!("../../../fixtures/bluesky/match.json");
const NO_MATCH: &str = include_str!("../../../fixtures/bluesky/no_match.json");
const RATE_LIMITED: &str = include_str!("../../../fixtures/bluesky/rate_limited.json");
const CALL: &str = "/xrpc/app.bsky.actor.getProfile?actor=ada.example.com";

fn contract() -> Contract {
    let accounts = vec![account("https://bsky.app/profile/ada.example.com", 0.8)];
    let rate_limited = Reply::json(429, RATE_LIMITED)
        .header("ratelimit-limit", "3000")
        .header("ratelimit-remaining", "0")
        .header("ratelimit-reset", &(NOW_UNIX_SECONDS + 120).to_string());
    Contract {
        build,
        settings: ProviderSettings::default(),
        path: "/",
        subject: Subject::new(EmailAddress::parse("ada@example.com").unwrap()).with_accounts(accounts),
        format: Format::Json,
        matching: vec![Route::new(CALL, Reply::json(200, MATCH))],
        missing: vec![Route::new(CALL, Reply::json(400, NO_MATCH))],
        rate_limited: Some((rate_limited, Duration::from_mins(2))),
        bad_key: None,
        out_of_credit: None,
    }
}

#[tokio::test]
async fn survives_the_contract() {
    check_contract(&contract()).await.assert_survived();
}

#[tokio::test]
async fn who_is_not_shown_to_strangers_is_no_match() {
    let labelled =
        |label: &str| MATCH.replace("\"labels\":[]", &format!("\"labels\":[{{\"val\":\"{label}\"}}]"));
    for (case, status, body, is_match) in [
        ("asks not to be shown", 200, labelled("!no-unauthenticated"), false),
        ("hidden by the service", 200, labelled("!hide"), false),
        ("labelled otherwise", 200, labelled("bot"), true),
        ("a name that leads nowhere", 200, MATCH.replace("ada.example.com", "handle.invalid"), false),
        (
            "taken down",
            400,
            r#"{"error":"AccountTakedown","message":"Account has been suspended"}"#.into(),
            false,
        ),
        (
            "deactivated",
            400,
            r#"{"error":"AccountDeactivated","message":"Account is deactivated"}"#.into(),
            false,
        ),
    ] {
        let routes = vec![Route::new(CALL, Reply::json(status, body))];
        let outcome = lookup_against(&contract(), routes).await.unwrap();
        assert_eq!(matches!(outcome, Ok(Lookup::Match(_))), is_match, "{case}: {outcome:?}");
        assert!(outcome.is_ok(), "{case}");
    }
    let refused = r#"{"error":"InvalidRequest","message":"actor must be a valid did or a handle"}"#;
    for (status, class) in [(400, "refused"), (404, "malformed")] {
        let routes = vec![Route::new(CALL, Reply::json(status, refused))];
        let outcome = lookup_against(&contract(), routes).await.unwrap();
        assert_eq!(outcome.unwrap_err().class(), class, "{status}");
    }
}

#[test]
fn the_profile_is_as_sure_as_the_account() {
    let profile: Profile = serde_json::from_str(MATCH).unwrap();
    let finding = profile.finding().unwrap();
    insta::assert_snapshot!(lines(&finding.reached_through(&account("https://bsky.app/profile/ada.example.com", 0.8))), @r#"
    {"value":{"full":"Ada Example"},"confidence":0.52,"assurance":"self_asserted","evidence":"https://bsky.app/profile/ada.example.com"}
    {"value":{"network":"bluesky","handle":"ada.example.com","url":"https://bsky.app/profile/ada.example.com"},"confidence":0.76,"assurance":"proven","evidence":"https://bsky.app/profile/ada.example.com"}
    "#);
    let nameless = MATCH.replace("\"Ada Example\"", "\"ada.example.com\"");
    let profile: Profile = serde_json::from_str(&nameless).unwrap();
    assert_eq!(profile.finding().unwrap().name, None, "a handle is not a name");
}
