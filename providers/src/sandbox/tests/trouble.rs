//! Faults, scripts, quotas and the end of a sandbox.

use std::time::Duration;

use super::*;
use crate::sandbox::fault::Fates;
use crate::sandbox::{Fault, FaultRates, QuotaSettings, Script, When};

fn scripted(provider: Service, when: When, fault: Fault) -> SandboxSettings {
    let script = Script { provider, email: None, when, fault };
    SandboxSettings { scripts: vec![script], ..candid(8) }
}

#[test]
fn faults_come_as_often_as_set_and_again_the_same() {
    let faults = FaultRates {
        rate_limited: 0.1,
        server_error: 0.05,
        timeout: 0.02,
        truncated: 0.03,
        malformed: 0.04,
        slow_drip: 0.06,
    };
    let settings = SandboxSettings { faults, ..SandboxSettings::calm(1) };
    let draw = || {
        let fates = Fates::new(&settings);
        let next = |number: u32| fates.next(Service::Github, "user", &format!("p{}", number / 4), None).fault;
        (0..10_000).map(next).collect::<Vec<_>>()
    };
    let drawn = draw();
    assert_eq!(drawn, draw());
    let shares = [
        (Fault::RateLimited, 0.1),
        (Fault::ServerError, 0.05),
        (Fault::Timeout, 0.02),
        (Fault::Truncated, 0.03),
        (Fault::WrongType, 0.02),
        (Fault::BrokenSyntax, 0.02),
        (Fault::SlowDrip, 0.06),
    ];
    for (fault, share) in shares {
        let count = drawn.iter().filter(|drawn| **drawn == Some(fault)).count();
        let got = f64::from(u32::try_from(count).unwrap()) / 10_000.0;
        // Four standard deviations of a binomial share.
        assert!((got - share).abs() < 4.0 * (share * (1.0 - share) / 10_000.0).sqrt(), "{fault:?}: {got}");
    }
    let retried = drawn.chunks(4).filter(|calls| calls[0].is_some() && calls[1].is_none()).count();
    assert!(retried > 300, "a retry meets another draw: {retried}");
}

#[tokio::test]
async fn a_provider_starts_to_fail_and_recovers() {
    let faults = FaultRates { rate_limited: 1.0, ..FaultRates::default() };
    let mut settings = candid(8);
    settings.providers.entry(Service::Gravatar).or_default().faults = Some(faults);
    let sandbox = Sandbox::start(settings).await.unwrap();
    let [gravatar, github, ..] = questions(&sandbox, ADA);
    let statuses = async || (get(&gravatar).await.0, get(&github).await.0);
    assert_eq!(statuses().await, (429, 200));
    let turn = async |method: Method, provider: &str, body: &'static str| {
        let url = format!("{}/faults/{provider}", sandbox.url());
        let answer = client().request(method, url).body(body).send().await.unwrap();
        (answer.status().as_u16(), text(answer).await)
    };
    assert_eq!(turn(Method::PUT, "github", r#"{"server_error": 1}"#).await.0, 204);
    assert_eq!(turn(Method::PUT, "gravatar", "{}").await.0, 204);
    assert_eq!(statuses().await, (200, 500));
    assert!(turn(Method::GET, "github", "").await.1.contains("\"server_error\":1.0"));
    for provider in ["github", "gravatar"] {
        assert_eq!(turn(Method::DELETE, provider, "").await.0, 204);
    }
    assert_eq!(statuses().await, (429, 200), "as set at the start");

    for (provider, body, status, says) in [
        ("githup", "{}", 404, "there are gravatar, github"),
        ("github", "", 400, "a fault's share a key"),
        ("github", r#"{"server_errors": 1}"#, 400, "unknown field"),
        ("github", r#"{"server_error": 2}"#, 400, "from 0 to 1"),
        ("github", r#"{"server_error": 0.6, "timeout": 0.6}"#, 400, "together at most 1"),
    ] {
        let (got, said) = turn(Method::PUT, provider, body).await;
        assert!(got == status && said.contains(says), "{provider} {body}: {got} {said}");
    }
    assert_eq!(statuses().await, (429, 200), "what is refused changes nothing");
}

#[tokio::test]
async fn pdl_answers_500_twice_for_everyone() {
    let script = |nth| Script {
        provider: Service::PeopleDataLabs,
        email: None,
        when: When::Nth(nth),
        fault: Fault::ServerError,
    };
    let settings = SandboxSettings { scripts: vec![script(1), script(2)], ..candid(8) };
    let sandbox = Sandbox::start(settings).await.unwrap();
    for address in [ADA, "jane.doe@mail.example.com"] {
        let [gravatar, _, enrich, ..] = questions(&sandbox, address);
        let mut statuses = Vec::new();
        for _ in 0..3 {
            statuses.push(get(&enrich).await.0);
        }
        assert_eq!(statuses, [500, 500, 200]);
        assert_eq!(get(&gravatar).await.0, 200, "the others are left alone");
    }
}

#[tokio::test]
async fn a_script_may_single_out_one_person() {
    let mut settings = scripted(Service::Gravatar, When::Always, Fault::RateLimited);
    settings.scripts[0].email = Some(ADA.to_uppercase());
    let sandbox = Sandbox::start(settings).await.unwrap();
    let [ada, ..] = questions(&sandbox, ADA);
    let [jane, ..] = questions(&sandbox, "jane.doe@mail.example.com");
    let limited = client().get(&ada).send().await.unwrap();
    assert_eq!((limited.status().as_u16(), &limited.headers()["retry-after"]), (429, &"1".parse().unwrap()));
    assert_eq!(get(&jane).await.0, 200);
}

#[tokio::test]
async fn spoilt_bodies_are_spoilt_and_their_matches_billed() {
    for (fault, readable, billed) in [
        (Fault::Truncated, false, true),
        (Fault::SlowDrip, true, true),
        (Fault::BrokenSyntax, false, false),
        (Fault::WrongType, true, false),
        (Fault::Hostile, true, true),
    ] {
        let settings = scripted(Service::PeopleDataLabs, When::Always, fault);
        let sandbox = Sandbox::start(settings).await.unwrap();
        let [_, _, enrich, ..] = questions(&sandbox, ADA);
        let body = client().get(&enrich).send().await.unwrap().json::<Value>().await;
        assert_eq!(body.is_ok(), readable, "{fault:?}");
        let typed = body.is_ok_and(|body| body["data"].is_object());
        assert_eq!(typed, matches!(fault, Fault::SlowDrip | Fault::Hostile), "{fault:?}");
        assert_eq!(!sandbox.summary().billed_micros.is_zero(), billed, "{fault:?}");
    }
}

#[tokio::test]
async fn a_dropped_call_has_no_answer_at_all() {
    let settings = scripted(Service::PeopleDataLabs, When::Always, Fault::Dropped);
    let sandbox = Sandbox::start(settings).await.unwrap();
    let [_, _, enrich, ..] = questions(&sandbox, ADA);
    let error = client().get(&enrich).send().await.unwrap_err();
    assert!(error.is_request() && error.status().is_none(), "{error:?}");
    let entry = &sandbox.ledger()[0];
    assert_eq!((entry.status, entry.billed_micros.is_zero()), (None, false), "{entry:?}");
}

#[tokio::test]
async fn a_call_that_times_out_is_held_and_let_go_when_the_sandbox_stops() {
    let settings = scripted(Service::Homepage, When::Always, Fault::Timeout);
    let sandbox = Sandbox::start(settings).await.unwrap();
    let [_, _, _, page, ..] = questions(&sandbox, "me@house.example.org");
    let impatient = client().get(&page).timeout(Duration::from_millis(50)).send().await;
    assert!(impatient.unwrap_err().is_timeout());
    let held = tokio::spawn(client().get(&page).send());
    while sandbox.summary().calls < 2 {
        tokio::task::yield_now().await;
    }
    sandbox.stop().await;
    assert_eq!(held.await.unwrap().unwrap().status(), 504);
}

#[tokio::test]
async fn quotas_are_enforced_in_each_vendors_way() {
    for (service, status) in [
        (Service::Gravatar, 429),
        (Service::Github, 403),
        (Service::PeopleDataLabs, 429),
        (Service::Homepage, 429),
    ] {
        let mut settings = candid(8);
        let quota = QuotaSettings { calls: 3, window_secs: 3600, sliding: false };
        settings.providers.get_mut(&service).unwrap().quota = Some(quota);
        let sandbox = Sandbox::start(settings).await.unwrap();
        let url = &questions(&sandbox, "me@house.example.org")[service.index()];
        for _ in 0..3 {
            assert_eq!(get(url).await.0, 200, "{service:?}");
        }
        let refused = client().get(url).send().await.unwrap();
        assert_eq!(refused.status().as_u16(), status, "{service:?}");
        let header = |name| refused.headers().get(name).map(|value| value.to_str().unwrap().to_owned());
        match service {
            Service::Gravatar | Service::Github => {
                assert_eq!(header("x-ratelimit-remaining").as_deref(), Some("0"));
                assert!(header("x-ratelimit-reset").unwrap().parse::<i64>().unwrap() > 1_700_000_000);
            }
            Service::PeopleDataLabs => {
                assert_eq!(header("x-ratelimit-remaining.minute").as_deref(), Some("0"));
                assert!(header("x-ratelimit-reset").unwrap().parse::<jiff::Timestamp>().is_ok());
                assert_eq!(header("retry-after"), None, "PDL sends none");
            }
            _ => assert!(header("retry-after").unwrap().parse::<u64>().unwrap() >= 3599),
        }
        let summary = sandbox.summary();
        let part = &summary.providers[service.as_str()];
        assert_eq!((part.answers["over_quota"], part.peak_per_window, part.quota_calls), (1, 4, Some(3)));
    }
}
