//! A proxy named in the environment would make every address check void: it must be ignored.

use std::process::Command;

use super::server::Server;
use super::{client, vendor};
use crate::http::Limits;

const TARGET: &str = "GLEANER_TEST_TARGET";

/// Runs itself again with a proxy in the environment, which a test cannot set for itself alone.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_proxy_in_the_environment_is_ignored() {
    #[expect(clippy::disallowed_methods, reason = "how this test talks to its second self")]
    if let Ok(target) = std::env::var(TARGET) {
        let target: url::Url = target.parse().unwrap();
        let unused = Server::start(vec![]).await;
        let limits = Limits { trusted: Some(target.clone()), ..vendor(&unused) };
        assert_eq!(client(limits).get(target.clone()).send().await.unwrap().body(), b"yes");
        // The control: a client that was not told otherwise does use the proxy.
        rustls::crypto::ring::default_provider().install_default().unwrap();
        reqwest::Client::builder().build().unwrap().get(target).send().await.unwrap();
        return;
    }
    let server = Server::start(vec![Server::answer("200 OK", &[], "yes")]).await;
    let proxy = Server::start(vec![Server::answer("200 OK", &[], "proxied")]).await;
    let url = proxy.url("/").to_string();
    let mut again = Command::new(std::env::current_exe().unwrap());
    again.args(["--exact", "http::tests::proxy::a_proxy_in_the_environment_is_ignored"]);
    again.env(TARGET, server.url("/").as_str());
    for variable in ["HTTP_PROXY", "http_proxy", "HTTPS_PROXY", "https_proxy", "ALL_PROXY", "all_proxy"] {
        again.env(variable, &url);
    }
    again.env_remove("NO_PROXY").env_remove("no_proxy");
    let output = tokio::task::spawn_blocking(move || again.output()).await.unwrap().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stdout));
    assert_eq!((server.connections(), proxy.connections()), (1, 1));
}
