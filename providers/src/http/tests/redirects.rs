//! Redirects, and names that lead where they should not.

use secrecy::SecretString;
use url::Url;

use super::server::{Script, Server};
use super::{client, error_of, forbidden, vendor, web};
use crate::error::LookupError;
use crate::http::exchange::{Hop, judge_hop};
use crate::http::guard::Route;
use crate::http::{Limits, Nets};
use crate::provider::{Quota, Reach};

fn redirect(to: &str) -> Script {
    Server::answer("302 Found", &[&format!("location: {to}")], "moved")
}

#[tokio::test]
async fn a_redirect_within_the_origin_is_followed_with_its_secret() {
    let server = Server::start(vec![redirect("/there?x=1#part"), Server::answer("200 OK", &[], "yes")]).await;
    let client = client(vendor(&server));
    let key = SecretString::from("k-canary");
    let request = client.get(server.url("/here")).secret_header("x-key", "", Some(&key));
    let response = request.send().await.unwrap();
    assert_eq!((response.body(), response.url()), (&b"yes"[..], &server.url("/there?x=1")));
    assert_eq!(client.traffic().calls, 2);
    let heard = server.heard();
    assert!(heard[1].starts_with("GET /there?x=1 HTTP/1.1\r\n") && heard[1].contains("x-key: k-canary"));
    assert!(!heard[1].contains("referer"));
}

#[tokio::test]
async fn a_vendor_cannot_send_us_elsewhere() {
    let sentinel = Server::start(vec![Server::answer("200 OK", &[], "")]).await;
    let elsewhere = sentinel.url("/").to_string();
    let by_name = format!("//localhost:{}/", sentinel.address().port());
    for target in [elsewhere.as_str(), by_name.as_str(), "https://api.example.com/", "file:///etc/passwd"] {
        let server = Server::start(vec![redirect(target)]).await;
        let error = error_of(vendor(&server), server.url("/")).await;
        assert!(matches!(error, LookupError::Forbidden { .. }), "{target}: {error}");
    }
    assert_eq!(sentinel.connections(), 0);
}

#[tokio::test]
async fn the_web_cannot_send_us_inside() {
    let sentinel = Server::start(vec![Server::answer("200 OK", &[], "")]).await;
    let port = sentinel.address().port();
    let targets = [
        format!("http://127.0.0.1:{port}/"),
        format!("http://2130706433:{port}/"),
        format!("http://0x7f.1:{port}/"),
        format!("http://0177.0.0.1:{port}/"),
        format!("http://[::ffff:127.0.0.1]:{port}/"),
        format!("http://0:{port}/"),
        format!("http://127.0.0.1.:{port}/"),
        format!("//127.0.0.1:{port}/"),
        format!("\\\\127.0.0.1:{port}\\"),
        format!("http://localhost:{port}/"),
        format!("http://user@p{port}.inside.example.com/"),
        sentinel.named("/").to_string(),
        "http://mixed.example.com/".to_owned(),
        "gopher://127.0.0.1/".to_owned(),
        "http://169.254.169.254/latest/meta-data/".to_owned(),
    ];
    for target in targets {
        // The operator's own origin answers with the stranger's redirect; no network is allowed.
        let server = Server::start(vec![redirect(&target)]).await;
        let limits = Limits { reach: Reach::Web, ..vendor(&server) };
        let error = error_of(limits, server.url("/")).await;
        assert!(matches!(error, LookupError::Forbidden { .. }), "{target}: {error}");
    }
    assert_eq!(sentinel.connections(), 0);
}

#[tokio::test]
async fn a_name_that_leads_inside_is_refused_unless_allowed() {
    let server = Server::start(vec![Server::answer("200 OK", &[], "yes")]).await;
    let strict = Limits { nets: Nets::default(), ..web() };
    assert_eq!(error_of(strict.clone(), server.named("/")).await, forbidden("a loopback address"));
    let mixed = Url::parse("http://mixed.example.com/").unwrap();
    assert_eq!(error_of(strict.clone(), mixed).await, forbidden("a private address"));
    assert_eq!(server.connections(), 0);
    let nowhere = Url::parse("http://nowhere.example.com/").unwrap();
    let nobody = LookupError::Unreachable { reason: "name did not resolve".into() };
    assert_eq!(error_of(strict, nowhere).await, nobody);

    let response = client(web()).get(server.named("/")).send().await.unwrap();
    assert_eq!(response.body(), b"yes");
    let response = client(web()).get(server.url("/")).send().await.unwrap();
    assert_eq!(response.body(), b"yes", "an address in an allowed network");
}

/// A connection that one provider may use is not there for another one to find.
#[tokio::test]
async fn a_kept_connection_is_not_shared_with_strangers() {
    let answer = b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n".to_vec();
    let server = Server::start(vec![Script::Stall(answer)]).await;
    let network = super::Network::new(None, crate::clock::SystemClock::shared()).unwrap();
    let allowed = network.client("allowed", web());
    allowed.get(server.named("/")).send().await.unwrap();
    let strict = network.client("strict", Limits { nets: Nets::default(), ..web() });
    let error = strict.get(server.named("/")).send().await.unwrap_err();
    assert_eq!(error, forbidden("a loopback address"));
    assert_eq!(server.heard().len(), 1);
}

#[tokio::test]
async fn a_secret_stays_with_its_origin() {
    let other = Server::start(vec![Server::answer("200 OK", &[], "yes")]).await;
    let server = Server::start(vec![redirect(other.url("/").as_str())]).await;
    let key = SecretString::from("k-canary");
    let client = client(web());
    let request = client.get(server.url("/")).header("x-plain", "1").secret_header("x-key", "", Some(&key));
    request.send().await.unwrap();
    assert!(server.heard()[0].contains("x-key: k-canary"));
    assert!(!other.heard()[0].contains("canary") && other.heard()[0].contains("x-plain: 1"));
}

#[tokio::test]
async fn a_stranger_cannot_use_what_the_operator_allows_us() {
    let operators = Server::start(vec![Server::answer("200 OK", &[], "yes")]).await;
    let strangers = Server::start(vec![redirect(operators.url("/admin").as_str())]).await;
    let limits = Limits { trusted: Some(operators.url("/")), ..web() };
    let error = error_of(limits, strangers.url("/")).await;
    assert_eq!(error, forbidden("a stranger's redirect to the operator's own origin"));
    assert_eq!((strangers.connections(), operators.connections()), (1, 0));
}

#[tokio::test]
async fn circles_and_chains_end() {
    let server = Server::start(vec![redirect("/a")]).await;
    assert_eq!(error_of(vendor(&server), server.url("/a")).await, forbidden("a redirect in a circle"));
    assert_eq!(server.connections(), 1);

    let hops = ["/1", "/2", "/3", "/4", "/5"].map(redirect).to_vec();
    let server = Server::start(hops).await;
    assert_eq!(error_of(vendor(&server), server.url("/")).await, forbidden("too many redirects"));
    assert_eq!(server.connections(), 4);
}

#[tokio::test]
async fn a_redirect_without_quota_costs_an_attempt() {
    let server = Server::start(vec![redirect("/there")]).await;
    let limits = Limits { quota: Quota::per_hour(1), ..vendor(&server) };
    let error = error_of(limits, server.url("/here")).await;
    assert_eq!(error, super::unavailable("no quota left to follow a redirect"));
    assert_eq!(server.connections(), 1);
}

#[tokio::test]
async fn a_redirect_to_nowhere_is_an_answer_or_malformed() {
    let server = Server::start(vec![Server::answer("302 Found", &[], "")]).await;
    assert!(matches!(error_of(vendor(&server), server.url("/")).await, LookupError::Refused { .. }));
    let server = Server::start(vec![redirect("http://")]).await;
    assert!(matches!(error_of(vendor(&server), server.url("/")).await, LookupError::Malformed { .. }));
}

#[tokio::test]
async fn encryption_is_not_dropped_on_the_way() {
    let client = client(web());
    let url = Url::parse("https://ada.example.com/").unwrap();
    let from = Hop { url, route: Route::Guarded, takes_secrets: true };
    let judged = |to: &str| judge_hop(&client.door, &from, Url::parse(to));
    assert!(judged("http://ada.example.com/").is_err());
    assert!(judged("https://bob.example.com/").is_ok_and(|hop| !hop.takes_secrets));
    assert!(judged("https://ada.example.com/x").is_ok_and(|hop| hop.takes_secrets));
}
