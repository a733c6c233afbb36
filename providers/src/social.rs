//! Social profiles: any URL, handle or network+id spelling in, one (network, kind of id, id) out.
//!
//! Invariant: pure; nothing is fetched, no short link is followed. Personal data: `Debug` is redacted.

use std::borrow::Cow;
use std::fmt;

use serde::{Deserialize, Serialize, Serializer};

mod address;
mod fediverse;
mod ids;
mod network;
mod refused;
mod table;
mod website;

#[cfg(test)]
mod tests;

/// The network of pages that are on none.
const WEBSITE: &str = "website";
/// The network of accounts on any server of the fediverse.
const MASTODON: &str = "mastodon";

/// An account on a network: what it is compared by, and the address it is shown at.
///
/// The canonical address alone is enough to read the profile again, so that stored profiles follow the table as
/// it learns.
#[derive(Clone, Deserialize, Eq, Hash, PartialEq)]
#[serde(try_from = "Stored<'_>")]
pub struct SocialProfile {
    network: Cow<'static, str>,
    key: String,
    handle: Option<String>,
    url: String,
}

/// The stored form of a profile.
#[derive(Deserialize, Serialize)]
struct Stored<'a> {
    network: Cow<'a, str>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    handle: Option<Cow<'a, str>>,
    url: Cow<'a, str>,
}

/// Why a text is not a person's profile. Carries nothing of the text.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
pub enum ProfileError {
    #[error("is empty")]
    Empty,
    #[error("unknown network")]
    UnknownNetwork,
    /// On a network, but an organisation, a post, a listing, a page of the network itself.
    #[error("is not a person's profile: {0}")]
    NotAProfile(&'static str),
    #[error("is a short link: follow it first, and give where it leads")]
    ShortLink,
    /// A telephone number, an e-mail address, an invitation: beyond what is promised to members.
    #[error("is a way to reach somebody, which is never kept")]
    Contact,
    /// Made to lead somewhere else than it seems, or outside the public web.
    #[error("is not a safe address: {0}")]
    Unsafe(&'static str),
    #[error("cannot be read: {0}")]
    Malformed(&'static str),
}

/// Every network with a row of its own, and `mastodon` and `website`, which need none.
pub fn networks() -> impl Iterator<Item = &'static str> {
    table::all().map(|network| network.name).chain([MASTODON, WEBSITE])
}

impl SocialProfile {
    /// Reads a profile's URL in any of its spellings, or a self-describing id (`@ada@social.example.com`, an ORCID iD).
    pub fn parse(text: &str) -> Result<Self, ProfileError> {
        let text = address::tidy(text)?;
        if let Some(result) = Self::self_describing(text) {
            return result;
        }
        let (address, url) = address::Address::read(text)?;
        if let Some(inner) = address::put_behind(text)
            && !matches!(network::site_of(&address.host), network::Where::Elsewhere)
        {
            return Self::parse(inner);
        }
        if address.host == "fb.me" && address.segments.first().is_some_and(|first| ids::facebook_short(first))
        {
            return Err(ProfileError::ShortLink);
        }
        let host = address.host.trim_start_matches("www.");
        if host.ends_with(".bsky.social") {
            return Self::account_on("bluesky", host);
        }
        network::profile_at(&address)
            .or_else(|| fediverse::profile_at(&address))
            .unwrap_or_else(|| website::profile(&address, &url))
    }

    /// Reads an account name or a numeric id on a network that the source names in its own words (`twitter`, `x`).
    /// An address in place of the account speaks for itself, whatever the word.
    pub fn on_network(network: &str, account: &str) -> Result<Self, ProfileError> {
        let account = address::tidy(account)?;
        if account.contains("://") || account.starts_with("//") {
            return Self::parse(account);
        }
        let word = network.trim().to_ascii_lowercase();
        match word.as_str() {
            "mastodon" | "fediverse" | "activitypub" | "hometown" | "pleroma" | "misskey" | "pixelfed"
            | "friendica" => {
                if account.contains('/') {
                    Self::parse(account)
                } else {
                    fediverse::account(account)
                }
            }
            "website" | "web" | "homepage" | "blog" | "personal" | "generic" | "other" | "url" | "link" => {
                Self::parse(account)
            }
            _ => match (network::by_word(&word), Self::host_of(account)) {
                (Some(network), Some(host)) if Self::is_on(network, host) => Self::parse(account),
                (Some(network), _) => network.account(account),
                (None, _) => Err(ProfileError::UnknownNetwork),
            },
        }
    }

    /// Ids that say themselves what they are.
    fn self_describing(text: &str) -> Option<Result<Self, ProfileError>> {
        let scheme = text.split_once(':').map(|(scheme, rest)| (scheme.to_ascii_lowercase(), rest));
        match scheme.as_ref().map(|(scheme, rest)| (scheme.as_str(), *rest)) {
            Some(("acct", account)) => return Some(fediverse::account(account)),
            Some(("did", _)) => return Some(Self::account_on("bluesky", text)),
            Some(("at", rest)) => {
                let repository = rest.trim_start_matches('/').split('/').next().unwrap_or_default();
                return Some(Self::account_on("bluesky", repository));
            }
            Some(("tg", rest)) => {
                let name = rest.strip_prefix("//resolve?domain=")?.split('&').next()?;
                return Some(Self::account_on("telegram", name));
            }
            _ => {}
        }
        if let Some(handle) = text.strip_prefix('@').filter(|handle| handle.ends_with(".bsky.social")) {
            return Some(Self::account_on("bluesky", handle));
        }
        if text.starts_with('@') && text.matches('@').count() == 2 {
            return Some(fediverse::account(text));
        }
        let is_orcid = matches!(text.len(), 16 | 19)
            && text.bytes().all(|b| b.is_ascii_digit() || matches!(b, b'-' | b'x' | b'X'));
        is_orcid.then(|| Self::account_on("orcid", text))
    }

    /// Reads an account and nothing else: whoever is called by [`Self::parse`] must not call it again (`did://x`).
    fn account_on(network: &str, account: &str) -> Result<Self, ProfileError> {
        network::by_word(network).ok_or(ProfileError::UnknownNetwork)?.account(address::tidy(account)?)
    }

    /// The host that an address without a scheme begins with.
    fn host_of(account: &str) -> Option<&str> {
        let host = account.split('/').next()?;
        host.contains('.').then_some(host)
    }

    fn is_on(wanted: &network::Network, host: &str) -> bool {
        match network::site_of(&host.to_ascii_lowercase()) {
            network::Where::On(found, _, _) => found.name == wanted.name,
            network::Where::Beside | network::Where::Elsewhere => false,
        }
    }

    /// The network's name, lower case: `github`, `twitter`, or `website` for a page on none of them.
    pub fn network(&self) -> &str {
        &self.network
    }

    /// What two spellings of one account have in common: `github:ada-example`, `facebook#id:100000000000001`.
    pub fn key(&self) -> &str {
        &self.key
    }

    /// The account name as it was found, where the network has one.
    pub fn handle(&self) -> Option<&str> {
        self.handle.as_deref()
    }

    /// The canonical address of the profile page.
    pub fn url(&self) -> &str {
        &self.url
    }

    /// Whether the network is gone: kept apart so that it is never shown as a live profile.
    pub fn is_defunct(&self) -> bool {
        network::by_word(&self.network).is_some_and(|network| network.defunct)
    }
}

impl fmt::Debug for SocialProfile {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "SocialProfile({}: redacted)", self.network)
    }
}

impl TryFrom<Stored<'_>> for SocialProfile {
    type Error = ProfileError;

    fn try_from(stored: Stored<'_>) -> Result<Self, Self::Error> {
        Self::parse(&stored.url)
    }
}

impl Serialize for SocialProfile {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let Self { network, handle, url, .. } = self;
        let stored = Stored {
            network: Cow::Borrowed(network),
            handle: handle.as_deref().map(Cow::Borrowed),
            url: Cow::Borrowed(url),
        };
        stored.serialize(serializer)
    }
}
