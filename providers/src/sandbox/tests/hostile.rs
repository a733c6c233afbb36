//! Whatever is asked, there is an answer: a handler that panics closes the connection without one.

use std::io::{Read as _, Write as _};
use std::net::TcpStream;

use proptest::prelude::*;

use super::*;

/// Sends bytes as the target of a request; the first bytes of the answer.
fn ask(address: &str, method: &str, target: &str, body: &str) -> String {
    let mut socket = TcpStream::connect(address).unwrap();
    let length = body.len();
    write!(
        socket,
        "{method} {target} HTTP/1.1\r\nHost: sandbox\r\nUser-Agent: x\r\nX-Api-Key: k\r\n\
         Content-Length: {length}\r\nConnection: close\r\n\r\n{body}"
    )
    .unwrap();
    let mut answer = Vec::new();
    let _ = socket.read_to_end(&mut answer);
    String::from_utf8_lossy(&answer).into_owned()
}

fn prefix() -> impl Strategy<Value = &'static str> {
    prop::sample::select(vec![
        "/",
        "/gravatar/v3/profiles/",
        "/github/search/users?q=",
        "/github/search/commits?q=author-email:",
        "/github/users/",
        "/people_data_labs/v5/person/enrich?",
        "/people_data_labs/v5/person/enrich?email=a@example.com&required=",
        "/people_data_labs/v5/person/enrich?email=",
        "/homepage/",
        "/truth?email=",
        "/ledger?after=",
    ])
}

#[test]
fn no_request_goes_without_an_answer() {
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let sandbox = runtime.block_on(Sandbox::start(all_known(1))).unwrap();
    let address = sandbox.url().replace("http://", "");
    let target = (prefix(), "([!-~]|%[0-9a-fA-F]{2}|%[!-~]){0,60}");
    proptest!(|((prefix, rest) in target, post in any::<bool>(), body in "(\\{\"email\":\"[ -~]{0,20}\"\\}|[ -~]{0,40})")| {
        let rest = rest.replace('#', "");
        let method = if post { "POST" } else { "GET" };
        let answer = ask(&address, method, &format!("{prefix}{rest}"), &body);
        prop_assert!(answer.starts_with("HTTP/1.1 "), "{method} {prefix}{rest}: {answer:?}");
        prop_assert!(!answer.starts_with("HTTP/1.1 5"), "{method} {prefix}{rest}: {answer:?}");
    });
    let nested = "(".repeat(5000);
    let deep = ask(
        &address,
        "GET",
        &format!("/people_data_labs/v5/person/enrich?email=a@b.example.com&required={nested}"),
        "",
    );
    assert!(deep.starts_with("HTTP/1.1 404"), "{deep:?}");
    runtime.block_on(sandbox.stop());
}
