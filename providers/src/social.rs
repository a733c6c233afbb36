//! Social profiles: any URL, handle or network+id spelling in, one (network, kind of id, id) out.
//!
//! Invariant: pure; nothing is fetched, no short link is followed. Personal data: `Debug` is redacted.

use std::borrow::Cow;
use std::fmt;

use serde::{Deserialize, Serialize};

/// An account on a network: what it is compared by, and the address it is shown at.
#[derive(Clone, Deserialize, Eq, PartialEq, Serialize)]
#[serde(try_from = "Stored", into = "Stored")]
pub struct SocialProfile {
    network: Cow<'static, str>,
    key: String,
    handle: Option<String>,
    url: String,
}

/// The stored form of a profile.
#[derive(Clone, Deserialize, Serialize)]
struct Stored {
    network: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    handle: Option<String>,
    url: String,
}

/// Why a text is not a person's profile. Carries nothing of the text.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
pub enum ProfileError {
    #[error("is empty")]
    Empty,
    #[error("unknown network")]
    UnknownNetwork,
    #[error("is not a person's profile: {0}")]
    NotAProfile(&'static str),
}

impl SocialProfile {
    /// Reads a profile's URL in any of its spellings, or a self-describing id (`@ada@social.example.com`, an ORCID iD).
    pub fn parse(text: &str) -> Result<Self, ProfileError> {
        let url = text.trim().to_owned();
        Ok(Self { network: Cow::Borrowed("website"), key: format!("website:{url}"), handle: None, url })
    }

    /// Reads an account name or a numeric id on a network that the source names in its own words (`twitter`, `x`).
    pub fn on_network(network: &str, account: &str) -> Result<Self, ProfileError> {
        let _ = (network, account);
        Err(ProfileError::UnknownNetwork)
    }

    /// The network's name, lower case: `github`, `twitter`, or `website` for a page on none of them.
    pub fn network(&self) -> &str {
        &self.network
    }

    /// What two spellings of one account have in common: `github:ada-example`, `facebook#id:100000000000001`.
    pub fn key(&self) -> &str {
        &self.key
    }

    /// The account name, where the network has one.
    pub fn handle(&self) -> Option<&str> {
        self.handle.as_deref()
    }

    /// The canonical address of the profile page.
    pub fn url(&self) -> &str {
        &self.url
    }

    /// Whether the network is gone: kept apart so that it is never shown as a live profile.
    pub fn is_defunct(&self) -> bool {
        false
    }
}

impl fmt::Debug for SocialProfile {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "SocialProfile({}: redacted)", self.network)
    }
}

impl TryFrom<Stored> for SocialProfile {
    type Error = ProfileError;

    fn try_from(stored: Stored) -> Result<Self, Self::Error> {
        Self::parse(&stored.url)
    }
}

impl From<SocialProfile> for Stored {
    fn from(profile: SocialProfile) -> Self {
        Self { network: profile.network.into_owned(), handle: profile.handle, url: profile.url }
    }
}
