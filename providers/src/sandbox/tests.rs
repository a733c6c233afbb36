//! The sandbox from outside, over loopback, and what the tests share.

mod answers;
mod books;
mod built_ins;
mod distortions;
mod hostile;
mod keyed;
mod pages;
mod stability;
mod trouble;

use reqwest::{Method, Response};
use serde_json::Value;

use super::{MatchRate, Sandbox, SandboxSettings, Service, ServiceSettings, Truth};
use crate::email::EmailAddress;

/// Services that answer a URL without more: those before the vendors with a key, who are asked in `keyed.rs`.
const BY_URL: usize = 11;
const ADA: &str = "ada.example@example.com";

/// A bare client: the tests look at the wire itself, not through the polite door.
#[expect(clippy::disallowed_methods, reason = "tests look at the wire itself")]
fn client() -> reqwest::Client {
    // A second installation fails, and the first serves all.
    let _ = rustls::crypto::ring::default_provider().install_default();
    reqwest::Client::builder().user_agent("gleaner-tests").build().unwrap()
}

#[expect(clippy::disallowed_methods, reason = "the sandbox's bodies are small")]
async fn text(response: Response) -> String {
    response.text().await.unwrap()
}

/// A sandbox in which everybody is known to everybody, and truthfully.
fn candid(seed: u64) -> SandboxSettings {
    SandboxSettings { distortion: 0.0, ..all_known(seed) }
}

/// A sandbox in which everybody is known to everybody.
fn all_known(seed: u64) -> SandboxSettings {
    let mut settings = SandboxSettings::calm(seed);
    for service in Service::ALL {
        let match_rate = Some(MatchRate { free_mail: 1.0, own_domain: 1.0 });
        settings.providers.insert(service, ServiceSettings { match_rate, ..ServiceSettings::default() });
    }
    settings
}

/// The first question to each service about an address, as URLs, in the order of the services.
fn questions(sandbox: &Sandbox, address: &str) -> [String; BY_URL] {
    let base = sandbox.url();
    let hash = EmailAddress::parse(address).unwrap().sha256();
    let escaped: String = url::form_urlencoded::byte_serialize(address.as_bytes()).collect();
    let (local_part, domain) = address.rsplit_once('@').unwrap();
    let key = crate::builtin::openpgp::key_in_directory(local_part);
    let local_part: String = url::form_urlencoded::byte_serialize(local_part.as_bytes()).collect();
    let person = sandbox.population().person(super::MailboxKey::of_address(address));
    let login = person.login();
    [
        format!("{base}/gravatar/v3/profiles/{hash}"),
        format!("{base}/github/search/users?q={escaped}+in:email"),
        format!("{base}/people_data_labs/v5/person/enrich?email={escaped}&api_key=k&include_if_matched=true"),
        format!("{base}/homepage/{domain}/"),
        format!("{base}/webfinger/{domain}/.well-known/webfinger?resource=acct:{escaped}"),
        format!("{base}/gitlab/api/v4/users?search={escaped}"),
        format!("{base}/keybase/_/api/1.0/user/lookup.json?github={login}"),
        format!("{base}/bluesky/xrpc/app.bsky.actor.getProfile?actor={login}.bsky.social"),
        format!("{base}/openpgp/{domain}/.well-known/openpgpkey/hu/{key}?l={local_part}"),
        format!("{base}/orcid/v3.0/expanded-search/?q=email:%22{escaped}%22&rows=3"),
        format!("{base}/wikidata/sparql?format=json&query=%3Cmailto:{escaped}%3E"),
    ]
}

async fn get(url: &str) -> (u16, String) {
    let response = client().request(Method::GET, url).send().await.unwrap();
    (response.status().as_u16(), text(response).await)
}

async fn get_json(url: &str) -> Value {
    let (status, body) = get(url).await;
    assert_eq!(status, 200, "{url}");
    serde_json::from_str(&body).unwrap()
}

fn truth(sandbox: &Sandbox, address: &str) -> Truth {
    sandbox.population().truth(address)
}

/// The sample members' addresses that can be asked about.
fn sample() -> Vec<String> {
    let addresses = super::members::addresses(super::SAMPLE_MEMBERS);
    addresses
        .into_iter()
        .filter(|address| address.is_ascii() && EmailAddress::parse(address).is_ok())
        .collect()
}
