//! Literal addresses in every spelling, and a name that shows one address and means another.

use tokio::net::TcpListener;
use url::Url;

use super::names::PRIVATE;
use super::server::Server;
use super::{client, error_of, web};
use crate::error::LookupError;
use crate::http::{Limits, Nets};

#[tokio::test]
async fn no_spelling_of_an_address_reaches_it() {
    let sentinel = Server::start(vec![Server::answer("200 OK", &[], "")]).await;
    let port = sentinel.address().port();
    for host in [
        "127.0.0.1",
        "2130706433",
        "0x7f.1",
        "0x7f000001",
        "0177.0.0.1",
        "127.1",
        "[::ffff:127.0.0.1]",
        "[::ffff:7f00:1]",
        "0",
        "127.0.0.1.",
        "１２７.0.0.1",
        "127。0。0。1",
        "localhost",
        "localhost.",
    ] {
        let url = Url::parse(&format!("http://{host}:{port}/")).unwrap();
        let limits = Limits { nets: Nets::default(), ..web() };
        let error = error_of(limits, url).await;
        assert!(matches!(error, LookupError::Forbidden { .. }), "{host}: {error}");
    }
    assert_eq!(sentinel.connections(), 0);
}

#[tokio::test]
async fn a_rebinding_name_never_reaches_what_it_means() {
    let server = Server::start(vec![Server::answer("200 OK", &[], "yes")]).await;
    let sentinel = TcpListener::bind((PRIVATE, 0)).await.unwrap();
    let ports = (server.address().port(), sentinel.local_addr().unwrap().port());
    let url = Url::parse(&format!("http://rebinds-{}-{}.example.com/", ports.0, ports.1)).unwrap();
    let nets = Nets { allow: vec!["127.0.0.1/32".parse().unwrap()], ..Nets::default() };
    let client = client(Limits { nets, ..web() });
    let (mut answers, mut refusals) = (0, 0);
    for _ in 0..1_000 {
        match client.get(url.clone()).send().await {
            Ok(response) => answers += usize::from(response.body() == b"yes"),
            Err(LookupError::Forbidden { reason }) => refusals += usize::from(reason == "a loopback address"),
            Err(other) => panic!("{other}"),
        }
    }
    assert_eq!((answers, refusals, server.connections()), (500, 500, 500));
    let nobody_came = tokio::time::timeout(std::time::Duration::from_millis(50), sentinel.accept()).await;
    assert!(nobody_came.is_err());
}
