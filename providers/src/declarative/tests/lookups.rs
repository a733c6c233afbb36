//! What declared providers make of answers: every kind of rule, every kind of field, and the trail that explains it.

use std::sync::Arc;

use secrecy::SecretString;

use super::*;
use crate::clock::ManualClock;
use crate::contract::{NOW_UNIX_SECONDS, lookup_against};
use crate::finding::Finding;
use crate::http::{Limits, Network, Trail};
use crate::provider::{Identifier, Quota};

/// A vendor with every kind of rule and field.
const EVERYTHING: &str = r#"
    title = "Everything"
    docs = "https://example.com/api"
    endpoint = "https://api.example.com/"
    key = "optional"
    quota = "100/min"
    price_per_match = "$0.01"
    [request]
    path = "person"
    headers = { x-api-key = "{key}" }
    body = { email = "{email}", want = ["name", "age"], limit = 1, strict = true }
    [collect]
    path = "answers/{handle}"
    headers = { x-api-key = "{key}" }
    [[rule]]
    status = 202
    then = "pending"
    handle = "$.id"
    after = "90s"
    [[rule]]
    status = 451
    then = "objected"
    [[rule]]
    status = 403
    where = "$.error"
    equals = "slow_down"
    then = "rate_limited"
    after = "5min"
    [[rule]]
    status = 403
    then = "quota_exhausted"
    reason = "the month's credits are used"
    [[rule]]
    status = 200
    where = "$.person"
    unless = "$.person.deleted"
    then = "match"
    [[rule]]
    status = 200
    where = "$.person"
    then = "no_match"
    [fields]
    confidence = { from = "$.score", of = 100, at_most = 0.9 }
    assurance = "broker"
    full_name = ["$.person.name", "$.person.nick"]
    birth_date = "$.person.born"
    birth_year = { from = "$.person.year", confidence = 0.3 }
    age = "$.person.age"
    profiles = [
      { each = "$.person.accounts[*]", network_from = "$.on", from = "$.user" },
      { network = "github", from = "$.person.github", assurance = "self_asserted" },
    ]
"#;

async fn answered(reply: Reply) -> Result<Lookup, LookupError> {
    let declaration = declared("everything", EVERYTHING);
    let contract = Contract {
        build: |settings: &ProviderSettings| declaration.build(settings),
        settings: keyed(),
        path: "/",
        subject: ada(),
        format: Kind::Json,
        matching: Vec::new(),
        missing: Vec::new(),
        rate_limited: None,
        bad_key: None,
        out_of_credit: None,
    };
    lookup_against(&contract, vec![Route::new("/person", reply)]).await.unwrap()
}

async fn found(body: &str) -> Finding {
    match answered(Reply::json(200, body)).await {
        Ok(Lookup::Match(finding)) => finding,
        other => panic!("no match: {other:?}"),
    }
}

#[tokio::test]
async fn the_first_rule_that_fits_says_what_an_answer_means() {
    let minutes = |minutes| Duration::from_mins(minutes);
    let exhausted =
        |after| LookupError::QuotaExhausted { reason: "the month's credits are used".into(), after };
    let pending =
        |seconds| Ok(Lookup::Pending { handle: "q-7".to_owned(), after: Duration::from_secs(seconds) });
    let later = Reply::json(202, r#"{"id":"q-7"}"#);
    let cases = [
        (later.clone(), pending(90)),
        (later.header("retry-after", "30"), pending(30)),
        (Reply::json(202, "{}"), Err(LookupError::malformed("an answer to wait for, without its handle"))),
        (Reply::html(451, "no"), Ok(Lookup::Objected)),
        (Reply::json(403, r#"{"error":"slow_down"}"#), Err(LookupError::RateLimited { after: minutes(5) })),
        (Reply::json(403, r#"{"error":"no_credit"}"#), Err(exhausted(None))),
        (Reply::html(403, "no"), Err(exhausted(None))),
        (Reply::json(200, r#"{"person":{"deleted":true}}"#), Ok(Lookup::NoMatch)),
        (Reply::json(200, r#"{"person":{}}"#), Ok(Lookup::Match(Finding::default()))),
    ];
    for (reply, wanted) in cases {
        let shown = format!("{} {}", reply.status, String::from_utf8_lossy(&reply.body));
        assert_eq!(answered(reply).await, wanted, "{shown}");
    }
    for (reply, class) in [
        (Reply::json(200, r#"{"people":[]}"#), "malformed"),
        (Reply::json(404, "{}"), "malformed"),
        (Reply::json(401, "{}"), "denied"),
        (Reply::json(500, "{}"), "unavailable"),
        (Reply::json(422, "{}"), "refused"),
    ] {
        let status = reply.status;
        assert_eq!(answered(reply).await.unwrap_err().class(), class, "{status}");
    }
}

#[tokio::test]
async fn fields_pass_the_normalizers_and_carry_the_answers_own_confidence() {
    let finding = found(
        r#"{"score":80,"person":{"name":" ADA  EXAMPLE ","nick":"adaex","born":"1981-04-07","github":"@ada-example",
            "accounts":[{"on":"twitter","user":"ada_example"},{"on":"x","user":"ada_example"},{"on":"linkedin","user":"<b>"}]}}"#,
    )
    .await;
    let shown = serde_json::to_string_pretty(&finding).unwrap();
    insta::assert_snapshot!(shown, @r##"
    {
      "name": {
        "value": {
          "full": "Ada Example"
        },
        "confidence": 0.8,
        "assurance": "broker"
      },
      "birth": {
        "value": {
          "earliest": "1981-04-07",
          "latest": "1981-04-07"
        },
        "confidence": 0.8,
        "assurance": "broker"
      },
      "profiles": [
        {
          "value": {
            "network": "twitter",
            "handle": "ada_example",
            "url": "https://x.com/ada_example"
          },
          "confidence": 0.8,
          "assurance": "broker"
        },
        {
          "value": {
            "network": "github",
            "handle": "ada-example",
            "url": "https://github.com/ada-example"
          },
          "confidence": 0.8,
          "assurance": "self_asserted"
        }
      ]
    }
    "##);
}

#[tokio::test]
async fn what_an_answer_lacks_or_contradicts_costs_confidence_or_the_field() {
    for (body, name, confidence) in [
        (r#"{"score":150,"person":{"name":"Ada Example"}}"#, Some("Ada Example"), Some(0.9)),
        (r#"{"person":{"name":"Ada Example"}}"#, Some("Ada Example"), Some(0.0)),
        (r#"{"score":"70","person":{"name":"","nick":"Ada Example"}}"#, Some("Ada Example"), Some(0.7)),
        // A nickname in place of a name is no name.
        (r#"{"score":50,"person":{"name":"ada-example","github":"ada-example"}}"#, None, None),
    ] {
        let name_claim = found(body).await.name;
        assert_eq!(name_claim.as_ref().map(|claim| claim.value.full()), name, "{body}");
        assert_eq!(name_claim.map(|claim| claim.confidence.get()), confidence, "{body}");
    }
    let agreed = found(r#"{"score":80,"person":{"born":"1981-04-07","year":1981}}"#).await.birth.unwrap();
    assert_eq!((agreed.value.width_in_days(), agreed.confidence.get()), (1, 0.8));
    let contradicted =
        found(r#"{"score":80,"person":{"born":"1981-04-07","year":1990}}"#).await.birth.unwrap();
    assert_eq!((contradicted.value.width_in_days(), contradicted.confidence.get()), (1, 0.4));
}

/// A door to a port where nobody listens.
fn nowhere(key: Option<SecretString>) -> (HttpClient, ProviderSettings) {
    at("http://127.0.0.1:9/", key)
}

/// A door to this endpoint, one call a lookup.
pub(super) fn at(endpoint: &str, key: Option<SecretString>) -> (HttpClient, ProviderSettings) {
    let settings =
        ProviderSettings { endpoint: Some(endpoint.to_owned()), key, ..ProviderSettings::default() };
    let now = jiff::Timestamp::from_second(NOW_UNIX_SECONDS).unwrap();
    let network = Network::new(None, ManualClock::at(now)).unwrap();
    let limits = Limits {
        trusted: settings.trusted_origin(""),
        attempts: 1,
        ..Limits::for_quota(Quota::per_second(1000))
    };
    (network.client("test", limits), settings)
}

/// One lookup with its trail: what would be sent is what counts.
async fn sent(
    declaration: &Declaration,
    subject: &Subject,
    key: Option<SecretString>,
) -> (Trail, Result<Lookup, LookupError>) {
    let (client, settings) = nowhere(key);
    let trail = Trail::default();
    let outcome = declaration.build(&settings).unwrap().lookup(subject, &client.with_trail(&trail)).await;
    (trail, outcome)
}

#[tokio::test]
async fn a_trail_shows_what_is_sent_and_never_the_key() {
    let (trail, outcome) =
        sent(&declared("scim_directory", SCIM), &ada(), Some("key-for-tests".into())).await;
    assert_eq!(outcome.unwrap_err().class(), "unavailable");
    let steps: Vec<_> = trail.steps().iter().map(|step| format!("{}: {}", step.step, step.text)).collect();
    insta::assert_snapshot!(steps.join("\n"), @r##"
    sent: GET http://127.0.0.1:9/Users?attributes=displayName%2Cname%2CprofileUrl&filter=emails.value+eq+%22Ada.Example%40example.com%22
    header: accept: application/scim+json
    header: authorization: [secret]
    failed: unavailable: connection refused
    "##);
    assert_eq!(format!("{trail:?}"), "Trail(4 steps, redacted)");
}

#[tokio::test]
async fn an_answer_that_was_waited_for_is_fetched_by_its_handle() {
    let declaration = declared("everything", EVERYTHING);
    let (client, settings) = nowhere(Some("key-for-tests".into()));
    let trail = Trail::default();
    let provider = declaration.build(&settings).unwrap();
    let outcome = provider.collect("q/7", &ada(), &client.with_trail(&trail)).await;
    assert_eq!(outcome.unwrap_err().class(), "unavailable");
    assert_eq!(trail.steps()[0].text, "GET http://127.0.0.1:9/answers/q%2F7");
    // A file without `[collect]` asks the same again.
    let trail = Trail::default();
    let provider = declared("scim_directory", SCIM).build(&settings).unwrap();
    provider.collect("q/7", &ada(), &client.with_trail(&trail)).await.unwrap_err();
    assert!(trail.steps()[0].text.starts_with("GET http://127.0.0.1:9/Users?"));
}

#[tokio::test]
async fn without_its_identifier_nobody_is_asked() {
    let text = SCIM.replace("emails.value eq \"{email}\"", "login eq {handle.github}");
    let declaration = declared("by_handle", &text);
    assert_eq!(declaration.descriptor().told, Identifier::Handle);
    let (trail, outcome) = sent(&declaration, &ada(), Some("key-for-tests".into())).await;
    assert_eq!(outcome, Ok(Lookup::NoMatch));
    assert_eq!(trail.steps().len(), 1);
}

#[test]
fn what_is_told_is_what_the_file_fills_in() {
    for (placeholder, told) in [
        ("{email}", Identifier::Address),
        ("{local} at {domain}", Identifier::Address),
        ("{email_sha256}", Identifier::AddressHash),
        ("{email_md5} of {domain}", Identifier::AddressHash),
        ("{domain}", Identifier::Domain),
        ("{handle.github}", Identifier::Handle),
    ] {
        let text = FORGEJO.replacen("q = \"{email}\"", &format!("q = \"{placeholder}\""), 1);
        let declaration = declared("forgejo", &text);
        assert_eq!(declaration.descriptor().told, told, "{placeholder}");
        let reads: &[&str] = if told == Identifier::Handle { &["github"] } else { &[] };
        assert_eq!(declaration.descriptor().reads, reads, "{placeholder}");
    }
}

#[test]
fn an_option_is_refused_and_a_needed_key_demanded() {
    let declaration = declared("scim_directory", SCIM);
    let keyless = declaration.build(&ProviderSettings::default()).err().unwrap();
    assert!(matches!(keyless, SettingsError::KeyMissing));
    let options = ProviderSettings { options: "limit = 3".parse().unwrap(), ..keyed() };
    assert!(matches!(declaration.build(&options).err().unwrap(), SettingsError::Options { .. }));
    let endpoint = ProviderSettings { endpoint: Some("directory".to_owned()), ..keyed() };
    assert!(matches!(declaration.build(&endpoint).err().unwrap(), SettingsError::Endpoint { .. }));
    let _: Arc<dyn Provider> = declaration.build(&keyed()).unwrap();
}
