//! On strangers' sites: robots.txt first, in turn, and not too often.

use std::num::NonZeroU32;
use std::sync::Arc;
use std::time::Duration;

use tokio::task::JoinSet;
use url::Url;

use super::server::{Script, Server};
use super::{client, error_of, forbidden, web};
use crate::error::LookupError;
use crate::http::{HttpClient, Limits, SiteLimits};
use crate::provider::{Lookup, Provider, Reach};
use crate::{EmailAddress, ProviderSettings, Subject, builtin::homepage};

const PAGE: &str = r#"<div class="h-card"><a class="p-name" href="/">Ada Example</a></div>"#;

/// As on the web, but in a hurry: no pause between two calls.
fn guest() -> Limits {
    let daily = NonZeroU32::new(100).unwrap();
    Limits { per_site: Some(SiteLimits { interval: Duration::ZERO, daily }), ..web() }
}

fn text(body: &str) -> Script {
    Server::answer("200 OK", &["content-type: text/plain"], body)
}

fn page() -> Script {
    Server::answer("200 OK", &["content-type: text/html"], PAGE)
}

fn redirect(to: &str) -> Script {
    Server::answer("302 Found", &[&format!("location: {to}")], "")
}

fn cannot_say() -> LookupError {
    LookupError::refused("the site cannot say what robots may read")
}

/// The paths that were asked for.
fn asked(server: &Server) -> Vec<String> {
    server.heard().iter().filter_map(|head| head.split(' ').nth(1)).map(str::to_owned).collect()
}

#[tokio::test]
async fn a_site_that_keeps_robots_out_is_not_read() {
    let server = Server::start(vec![text("User-agent: gleaner\nDisallow: /\n"), page()]).await;
    let client = client(guest());
    for path in ["/", "/about", "/"] {
        let error = client.get(server.named(path)).send().await.unwrap_err();
        assert_eq!(error, forbidden("robots.txt does not let us read the page"), "{path}");
    }
    assert_eq!(asked(&server), ["/robots.txt"], "asked once");
}

#[tokio::test]
async fn what_may_be_read_is_read() {
    let rules = text("User-agent: *\nDisallow: /\nUser-agent: Gleaner\nDisallow: /*?private\n");
    let server = Server::start(vec![rules, page()]).await;
    let client = client(guest());
    assert_eq!(client.get(server.named("/")).send().await.unwrap().body(), PAGE.as_bytes());
    let error = client.get(server.named("/?private")).send().await.unwrap_err();
    assert!(matches!(error, LookupError::Forbidden { .. }));
    assert_eq!(asked(&server), ["/robots.txt", "/"]);
}

#[tokio::test]
async fn a_robots_txt_that_is_missing_opens_and_one_that_fails_closes() {
    let answer = |status: &str| Server::answer(status, &[], "User-agent: *\nDisallow: /");
    for (robots, closed) in [
        (answer("404 Not Found"), None),
        (answer("401 Unauthorized"), None),
        (answer("403 Forbidden"), None),
        (answer("410 Gone"), None),
        (answer("302 Found"), None),
        (answer("429 Too Many Requests"), Some(cannot_say())),
        (answer("500 Internal Server Error"), Some(cannot_say())),
        (answer("503 Service Unavailable"), Some(cannot_say())),
        (Script::Say(b"SSH-2.0\r\n\r\n".to_vec()), Some(cannot_say())),
        (Script::Say(Vec::new()), Some(cannot_say())),
        (redirect("http://127.0.0.2:1/robots.txt"), Some(cannot_say())),
        (redirect("ftp://example.org/"), Some(forbidden("neither http nor https"))),
        (redirect("http://intranet/"), Some(forbidden("a name without a dot"))),
        (redirect("/robots.txt"), Some(forbidden("a redirect in a circle"))),
    ] {
        let server = Server::start(vec![robots.clone(), page()]).await;
        let outcome = client(guest()).get(server.named("/")).send().await;
        match (outcome, closed) {
            (Ok(response), None) => assert_eq!(response.body(), PAGE.as_bytes()),
            (Err(LookupError::Unreachable { .. }), Some(_)) => assert!(matches!(robots, Script::Say(_))),
            (Err(error), Some(closed)) => assert_eq!(error, closed, "{robots:?}"),
            (outcome, closed) => panic!("{robots:?}: {outcome:?}, not {closed:?}"),
        }
    }
    let nowhere = Url::parse("http://nowhere.example.com/").unwrap();
    assert!(matches!(error_of(guest(), nowhere).await, LookupError::Unreachable { .. }));
}

#[tokio::test]
async fn robots_txt_may_be_five_redirects_away() {
    let hops = |count: usize| (1..=count).map(|number| redirect(&format!("/{number}"))).collect::<Vec<_>>();
    let mut five = hops(5);
    five.extend([text("User-agent: *\nDisallow: /"), page()]);
    let server = Server::start(five).await;
    let error = error_of(guest(), server.named("/")).await;
    assert_eq!(error, forbidden("robots.txt does not let us read the page"));
    let server = Server::start(hops(6)).await;
    assert_eq!(error_of(guest(), server.named("/")).await, forbidden("too many redirects"));
}

#[tokio::test]
async fn a_redirect_asks_the_other_site_too() {
    let other = Server::start(vec![text("User-agent: *\nDisallow: /secret"), page()]).await;
    let to = other.named("/secret");
    let server = Server::start(vec![text(""), redirect(to.as_str())]).await;
    let error = error_of(guest(), server.named("/")).await;
    assert_eq!(error, forbidden("robots.txt does not let us read the page"));
    assert_eq!((asked(&server).len(), asked(&other)), (2, vec!["/robots.txt".to_owned()]));
}

#[tokio::test]
async fn behind_an_operators_endpoint_the_rules_lie_beside_the_page() {
    let server = Server::start(vec![text("User-agent: *\nDisallow: /p$\n"), page()]).await;
    let limits = Limits { trusted: Some(server.url("/")), reach: Reach::Web, ..guest() };
    let client = client(limits);
    client.get(server.url("/homepage/example.org/")).send().await.unwrap();
    let error = client.get(server.url("/homepage/example.org/p")).send().await.unwrap_err();
    assert!(matches!(error, LookupError::Forbidden { .. }));
    assert_eq!(asked(&server), ["/homepage/example.org/robots.txt", "/homepage/example.org/"]);
}

#[tokio::test]
async fn a_days_calls_end_and_a_crawl_delay_puts_off() {
    let server = Server::start(vec![page()]).await;
    let daily = NonZeroU32::new(3).unwrap();
    let client_of_three =
        client(Limits { per_site: Some(SiteLimits { interval: Duration::ZERO, daily }), ..web() });
    for path in ["/1", "/2"] {
        client_of_three.get(server.named(path)).send().await.unwrap();
    }
    let error = client_of_three.get(server.named("/3")).send().await.unwrap_err();
    assert_eq!(error, forbidden("the site has been asked often enough today"));
    assert_eq!(server.connections(), 3);

    let server = Server::start(vec![text("User-agent: *\nCrawl-delay: 20"), page()]).await;
    let client = client(guest());
    client.get(server.named("/1")).send().await.unwrap();
    let Err(LookupError::RateLimited { after }) = client.get(server.named("/2")).send().await else {
        panic!("the site wants a pause")
    };
    assert!(after > Duration::from_secs(18) && after <= Duration::from_secs(20), "{after:?}");
}

/// The provider, asking plain HTTP.
fn provider() -> Arc<dyn Provider> {
    let endpoint = Some("http://{domain}/".to_owned());
    homepage::build(&ProviderSettings { endpoint, ..ProviderSettings::default() }).unwrap()
}

async fn look_up_many(server: &Server, client: &HttpClient, members: usize) -> Vec<&'static str> {
    let provider = provider();
    let mut lookups = JoinSet::new();
    for number in 0..members {
        let url = server.named("/");
        let email = EmailAddress::parse(&format!("ada{number}@{}", url.host_str().unwrap())).unwrap();
        let (provider, http) = (Arc::clone(&provider), client.for_one_lookup());
        lookups.spawn(async move {
            match provider.lookup(&Subject::new(email), &http).await {
                Ok(Lookup::NoMatch) => "no match",
                Ok(_) => "match",
                Err(error) => error.class(),
            }
        });
    }
    lookups.join_all().await
}

/// Whoever signs up ten thousand times at somebody else's domain does not make us a flood.
#[tokio::test]
async fn ten_thousand_members_of_one_domain_cost_it_four_calls_at_most() {
    for (scripts, expected, most) in [
        (vec![text(""), page()], "match", 2),
        (vec![text("User-agent: *\nDisallow: /")], "forbidden", 1),
        (vec![Server::answer("500 Internal Server Error", &[], "")], "refused", 1),
        (vec![text(""), Server::answer("503 Service Unavailable", &[], "")], "refused", 4),
        (vec![text(""), Script::Say(b"HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\n".to_vec())], "refused", 4),
    ] {
        let server = Server::start(scripts).await;
        let client = client(Limits { attempts: 3, ..guest() });
        let outcomes = look_up_many(&server, &client, 10_000).await;
        assert_eq!(outcomes.len(), 10_000);
        assert!(outcomes.iter().all(|outcome| *outcome == expected), "{expected}: {:?}", outcomes.first());
        assert!(server.connections() <= most, "{} calls, {expected}", server.connections());
    }
}

#[tokio::test]
async fn many_who_come_at_once_ask_for_the_rules_once() {
    let server = Server::start(vec![text(""), page()]).await;
    let client = client(guest());
    let mut calls = JoinSet::new();
    for number in 0..50 {
        let (client, url) = (client.clone(), server.named(&format!("/{number}")));
        calls.spawn(async move { client.get(url).send().await.map(|response| response.status()) });
    }
    assert!(calls.join_all().await.iter().all(|outcome| *outcome == Ok(200)));
    assert_eq!(asked(&server).iter().filter(|path| *path == "/robots.txt").count(), 1);
    assert_eq!(server.connections(), 51);
}
