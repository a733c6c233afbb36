//! Personal pages: every layout, and what a robot must keep to.

use super::*;
use crate::builtin::homepage;
use crate::clock::SystemClock;
use crate::http::{Limits, Network};
use crate::provider::{Quota, Reach};
use crate::sandbox::Layout;
use crate::{EmailAddress, LookupError, ProviderSettings, Subject};

#[tokio::test]
async fn pages_come_in_every_layout_and_are_the_owners() {
    let sandbox = Sandbox::start(candid(8)).await.unwrap();
    let (status, page) = get(&format!("{}/homepage/lovelace-fan.example.org/", sandbox.url())).await;
    assert_eq!(status, 200);
    insta::assert_snapshot!(page, @r#"<!doctype html><html><head><meta charset="utf-8"><title>lovelace-fan.example.org</title></head><body><div class="h-card"><a class="p-name u-url u-uid" rel="me" href="https://lovelace-fan.example.org/">Ada Rowan</a> <a class="u-email" href="mailto:ada@lovelace-fan.example.org">mail</a> <time class="dt-bday" datetime="2008">my birthday</time> <a rel="me" href="https://github.com/ada-rowan">github</a> <a rel="me" href="https://x.com/ada_rowan56">twitter</a> <a rel="me" href="https://www.facebook.com/ada.rowan56">facebook</a> <a rel="me" href="https://gitlab.com/ada-rowan">gitlab</a></div></body></html>"#);
    let mut seen = Vec::new();
    for number in 0..200 {
        let domain = format!("house-{number}.example.org");
        let page = sandbox.population().page(&domain).unwrap();
        let (_, html) = get(&format!("{}/homepage/{domain}/", sandbox.url())).await;
        let stated = html.contains(&format!("me@{domain}"));
        assert_eq!(stated, page.states_address, "{domain}: {:?}", page.layout);
        if !seen.contains(&page.layout) {
            seen.push(page.layout);
        }
        if page.layout == Layout::JsonLd {
            let block = html.split("ld+json\">").nth(1).unwrap().split("</script>").next().unwrap();
            let graph: Value = serde_json::from_str(block).unwrap();
            assert_eq!(graph["@graph"][1]["@id"], "#me");
        }
    }
    assert_eq!(seen.len(), 6, "all but nobody's page: {seen:?}");
    for free_mail in ["mail.example.com", "webmail.example.net"] {
        assert_eq!(get(&format!("{}/homepage/{free_mail}/", sandbox.url())).await.0, 404);
    }
}

#[tokio::test]
async fn some_domains_have_no_page_and_some_pages_speak_of_nobody() {
    let sandbox = Sandbox::start(SandboxSettings::calm(8)).await.unwrap();
    let (mut missing, mut nobodys, mut shut) = (0, 0, 0);
    for number in 0..300 {
        let base = format!("{}/homepage/house-{number}.example.org/", sandbox.url());
        let address = format!("me@house-{number}.example.org");
        let page = sandbox.population().page(&format!("House-{number}.example.ORG"));
        let known = truth(&sandbox, &address).known_to.contains_key("homepage");
        let answer = client().get(&base).send().await.unwrap();
        let noindex = answer.headers().contains_key("x-robots-tag");
        let (robots, rules) = get(&format!("{base}robots.txt")).await;
        match page.map(|page| page.layout) {
            None => {
                missing += 1;
                assert_eq!((answer.status().as_u16(), robots, known), (404, 404, false));
            }
            Some(Layout::Nobody) => {
                nobodys += 1;
                assert!(!known && !text(answer).await.contains('@'));
            }
            Some(layout) => {
                let disallowed = rules.lines().any(|line| line == "Disallow: /");
                assert_eq!((disallowed, noindex), (layout == Layout::Disallowed, layout == Layout::NoIndex));
                shut += i32::from(disallowed || noindex);
                assert!(!(known && (disallowed || noindex)), "what may not be read is not known");
            }
        }
    }
    assert!(missing > 30 && nobodys > 30 && shut > 3, "{missing} missing, {nobodys} nobody's, {shut} shut");
}

#[tokio::test]
async fn the_provider_keeps_out_where_robots_are_kept_out() {
    let sandbox = Sandbox::start(candid(8)).await.unwrap();
    let settings = ProviderSettings { endpoint: sandbox.endpoint("homepage"), ..ProviderSettings::default() };
    let provider = homepage::build(&settings).unwrap();
    let limits = Limits {
        reach: Reach::Web,
        trusted: settings.trusted_origin("https://{domain}/"),
        ..Limits::for_quota(Quota::per_second(10_000))
    };
    let http = Network::new(None, SystemClock::shared()).unwrap().client("homepage", limits);
    let (mut kept_out, mut read) = (0, 0);
    for number in 0..100 {
        let domain = format!("house-{number}.example.org");
        let subject = Subject::new(EmailAddress::parse(&format!("me@{domain}")).unwrap());
        let outcome = provider.lookup(&subject, &http).await;
        let is_closed = sandbox.population().page(&domain).unwrap().layout == Layout::Disallowed;
        let is_forbidden = matches!(outcome, Err(LookupError::Forbidden { .. }));
        assert_eq!(is_forbidden, is_closed, "{domain}: {outcome:?}");
        if is_closed { kept_out += 1 } else { read += 1 }
    }
    assert!(kept_out > 0, "no site keeps robots out");
    assert_eq!(sandbox.ledger().len(), read, "a page was asked for in spite of its robots.txt");
}
