//! Networks of many hosts: accounts of the fediverse (`@ada@social.example.com`) and of Bluesky (domains, DIDs).
//!
//! Invariant: offline. The host in an address is taken for the account's domain, although a server may run both
//! apart; only `WebFinger` could tell.

use url::Url;

use super::address::{self, Address};
use super::{ProfileError, SocialProfile, network};

const NO_ACCOUNT: ProfileError = ProfileError::Malformed("not an account of the form user@host");

/// `ada@social.example.com`, as written after `@` or `acct:`.
pub(super) fn account(text: &str) -> Result<SocialProfile, ProfileError> {
    let (user, domain) = text.trim_start_matches('@').split_once('@').ok_or(NO_ACCOUNT)?;
    at(user, domain)
}

/// The account of a user on a domain. Networks that speak the protocol keep their own rows.
fn at(user: &str, domain: &str) -> Result<SocialProfile, ProfileError> {
    if domain.contains(['/', '?', '#', ':', '@', '%']) || !is_user(user) {
        return Err(NO_ACCOUNT);
    }
    let host = Url::parse(&format!("https://{domain}/"))
        .map_err(|_| NO_ACCOUNT)
        .and_then(|url| address::public(url.domain().ok_or(NO_ACCOUNT)?))?;
    let host = host.strip_prefix("www.").filter(|rest| rest.contains('.')).unwrap_or(&host);
    match network::site_of(host) {
        network::Where::Elsewhere => {}
        network::Where::On(known, _, None) if known.name == "threads" => return known.account(user),
        _ => return Err(ProfileError::NotAProfile("a network outside the fediverse")),
    }
    Ok(SocialProfile {
        network: super::MASTODON.into(),
        key: format!("mastodon:{}@{host}", user.to_ascii_lowercase()),
        handle: Some(format!("{user}@{host}")),
        url: format!("https://{host}/@{user}"),
    })
}

/// The account that an address on no known network shows by its pattern.
pub(super) fn profile_at(found: &Address) -> Option<Result<SocialProfile, ProfileError>> {
    let mut segments = found.segments.iter().map(String::as_str);
    let first = segments.next()?;
    let account = match first {
        // Mastodon's own web clients, old and new.
        "web" | "deck" => segments.next()?.strip_prefix('@')?,
        // Every kind of site has `/users/…`: here the host has to look like a server of the fediverse too.
        "users" | "u" if looks_federated(&found.host) => {
            let user = segments.next()?;
            if segments.next().is_some() {
                return None;
            }
            user
        }
        _ => first.strip_prefix('@')?,
    };
    if account.contains('@') {
        return Some(self::account(account));
    }
    is_user(account).then(|| at(account, &found.host))
}

fn looks_federated(host: &str) -> bool {
    const SIGNS: [&str; 8] = ["mastodon", "masto", "mstdn", "social", "toot", "fedi", "pleroma", "pixelfed"];
    const SERVERS: [&str; 8] = [
        "chaos.social",
        "fosstodon.org",
        "hachyderm.io",
        "infosec.exchange",
        "mas.to",
        "mathstodon.xyz",
        "ruby.social",
        "techhub.social",
    ];
    SERVERS.contains(&host)
        || host.split(['.', '-']).any(|label| SIGNS.iter().any(|sign| label.starts_with(sign)))
}

fn is_user(text: &str) -> bool {
    let inner = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'_' | b'.' | b'-');
    let edge = |c: char| c.is_ascii_alphanumeric() || c == '_';
    matches!(text.len(), 1..=64) && text.bytes().all(inner) && text.starts_with(edge) && text.ends_with(edge)
}
