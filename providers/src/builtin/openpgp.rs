//! `OpenPGP` keys: the name that a person has put beside their address in a key that they have published.
//!
//! Asked in the Web Key Directory of the address's own domain, or (`source = "key_server"`) at keys.openpgp.org, which
//! shows an address only after its owner has confirmed it, and answers one question a minute: with it, members wait for
//! their turn. A key is read as a list of names; no signature is checked, so that it is a hint like others.
//!
//! Invariant: only the name beside the very address that was asked about is taken.

mod packets;
#[cfg(test)]
#[cfg(feature = "contract")]
mod tests;

use std::num::NonZeroU32;
use std::sync::Arc;

use async_trait::async_trait;
use serde::Deserialize;
use sha1::{Digest, Sha1};
use url::Url;

use super::site::{self, Template};
use super::{below, named};
use crate::access::Access;
use crate::email::EmailAddress;
use crate::error::LookupError;
use crate::finding::{Assurance, Claim, Confidence, Finding};
use crate::http::HttpClient;
use crate::name::Parts;
use crate::provider::{Descriptor, Field, Identifier, KeyNeed, Lookup, Price, Provider, Quota, Reach};
use crate::settings::{ProviderSettings, SettingsError};
use crate::subject::Subject;

/// The owner of the address has put the name beside it: mostly a real one.
const NAME: Confidence = Confidence::literal(0.8);
/// Our own manners towards all domains together.
const DIRECTORIES: Quota = Quota::per_second(10).with_burst(NonZeroU32::MIN.saturating_add(4));
/// The key server's limit for questions by address.
const KEY_SERVER: Quota = Quota::per_minute(1);

/// Asks the domain's directory, or `GET /vks/v1/by-email/{address}`.
#[derive(Debug)]
pub struct OpenPgp {
    descriptor: Descriptor,
    place: Place,
}

/// Where keys are looked for.
#[derive(Debug)]
enum Place {
    /// At every domain; its `openpgpkey` host first, unless an operator has named another place.
    Directory {
        template: Template,
        advanced: Option<Template>,
    },
    KeyServer(Url),
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct Options {
    source: Source,
}

/// Which of the two is asked: their limits and manners have nothing in common.
#[derive(Clone, Copy, Debug, Default, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Source {
    #[default]
    Directory,
    KeyServer,
}

/// What the directories are.
pub fn descriptor() -> Descriptor {
    Descriptor {
        name: "openpgp".into(),
        title: "OpenPGP keys".into(),
        docs: "https://datatracker.ietf.org/doc/draft-koch-openpgp-webkey-service/".into(),
        endpoint: "https://{domain}/".into(),
        reach: Reach::Web,
        supplies: &[Field::Name],
        told: Identifier::Address,
        reads: &[],
        takes_hash: false,
        quota: DIRECTORIES,
        price: Price::FREE,
        key: KeyNeed::None,
        terms: None,
        opt_in: false,
    }
}

/// What the key server is.
fn key_server() -> Descriptor {
    Descriptor {
        docs: "https://keys.openpgp.org/about/api".into(),
        endpoint: "https://keys.openpgp.org/".into(),
        reach: Reach::Vendor,
        quota: KEY_SERVER,
        ..descriptor()
    }
}

/// Builds it from an operator's settings. For directories `endpoint` is a template that holds `{domain}`.
pub fn build(settings: &ProviderSettings) -> Result<Arc<dyn Provider>, SettingsError> {
    let Options { source } = settings.options()?;
    Ok(Arc::new(match source {
        Source::Directory => {
            let descriptor = descriptor();
            let template = Template::of(settings, &descriptor)?;
            let advanced = settings.endpoint.is_none().then(|| Template::new("https://openpgpkey.{domain}/"));
            OpenPgp { descriptor, place: Place::Directory { template, advanced } }
        }
        Source::KeyServer => {
            let Access { descriptor, endpoint, .. } = Access::of(settings, key_server())?;
            OpenPgp { descriptor, place: Place::KeyServer(endpoint) }
        }
    }))
}

#[async_trait]
impl Provider for OpenPgp {
    fn descriptor(&self) -> &Descriptor {
        &self.descriptor
    }

    async fn lookup(&self, subject: &Subject, http: &HttpClient) -> Result<Lookup, LookupError> {
        let email = subject.email();
        let names = match &self.place {
            Place::Directory { template, advanced } => {
                let mut names = None;
                for url in directories(template, advanced.as_ref(), email) {
                    if names.is_none() {
                        names = in_directory(url, http).await?;
                    }
                }
                names.unwrap_or_default()
            }
            Place::KeyServer(endpoint) => {
                let url = below(endpoint, &["vks", "v1", "by-email", email.expose()]);
                let response = http.get(url).header("accept", "application/pgp-keys").send().await?;
                if response.status() == 404 {
                    return Ok(Lookup::NoMatch);
                }
                if response.is_truncated() {
                    return Err(LookupError::malformed("the key is longer than we read"));
                }
                let key = packets::dearmored(response.body());
                let names = key.and_then(|key| packets::user_ids(&key));
                names.ok_or_else(|| LookupError::malformed("an answer that is no key"))?
            }
        };
        Ok(finding(&names, email).map_or(Lookup::NoMatch, Lookup::Match))
    }
}

/// Where a person's own domain may have their key: by the advanced method, then by the direct one.
fn directories(template: &Template, advanced: Option<&Template>, email: &EmailAddress) -> Vec<Url> {
    let Some(direct) = template.of_person(email) else { return Vec::new() };
    let (domain, key) = (email.domain(), key_in_directory(email.local_part()));
    let advanced = advanced.and_then(|host| host.at(domain));
    let advanced = advanced.map(|host| below(&host, &[".well-known", "openpgpkey", domain, "hu", &key]));
    let direct = below(&direct, &[".well-known", "openpgpkey", "hu", &key]);
    let mut places: Vec<_> = advanced.into_iter().chain([direct]).collect();
    for url in &mut places {
        url.query_pairs_mut().append_pair("l", email.local_part());
    }
    places
}

/// The names in the key that a directory holds; `None` where it holds none that can be read.
async fn in_directory(url: Url, http: &HttpClient) -> Result<Option<Vec<String>>, LookupError> {
    let response = site::ask(http.get(url)).await?;
    let found =
        response.filter(|response| (200..300).contains(&response.status()) && !response.is_truncated());
    Ok(found.and_then(|response| packets::user_ids(response.body())))
}

/// What the key says of the address, if it says anything.
fn finding(user_ids: &[String], email: &EmailAddress) -> Option<Finding> {
    let ours = user_ids.iter().filter_map(|id| named_in(id, email)).collect::<Vec<_>>();
    let name = ours.iter().find_map(|name| {
        let full = Some((*name).to_owned()).filter(|name| !name.is_empty());
        named(Parts { full, ..Parts::default() }, &[email.local_part(), email.expose()])
    });
    let name = name.map(|name| Claim::new(name, NAME, Assurance::SelfAsserted));
    (!ours.is_empty()).then(|| Finding { name, ..Finding::default() })
}

/// The name in `Name (comment) <address>`, if the address is ours; often it is empty.
fn named_in<'a>(user_id: &'a str, email: &EmailAddress) -> Option<&'a str> {
    let (name, address) =
        user_id.strip_suffix('>').and_then(|rest| rest.rsplit_once('<')).unwrap_or(("", user_id));
    let address = EmailAddress::parse(address).ok()?;
    let name = name.trim();
    let plain =
        name.strip_suffix(')').and_then(|rest| rest.rsplit_once('(')).map_or(name, |(name, _)| name.trim());
    (address.canonical() == email.canonical()).then_some(plain)
}

/// What a directory calls the key of this mailbox.
pub(crate) fn key_in_directory(local_part: &str) -> String {
    zbase32(&Sha1::digest(local_part.to_ascii_lowercase()))
}

/// The alphabet of Z-Base-32, in which directories spell hashes.
const ZBASE32: &[u8; 32] = b"ybndrfg8ejkmcpqxot1uwisza345h769";

fn zbase32(bytes: &[u8]) -> String {
    let bits = bytes.len() * 8;
    let bit = |at: usize| bytes.get(at / 8).map_or(0, |byte| (byte >> (7 - at % 8)) & 1);
    let digit = |at: usize| (at..at + 5).fold(0_u8, |digit, at| (digit << 1) | bit(at));
    (0..bits)
        .step_by(5)
        .filter_map(|at| ZBASE32.get(usize::from(digit(at))))
        .map(|byte| char::from(*byte))
        .collect()
}
