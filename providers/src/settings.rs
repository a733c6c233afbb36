//! What an operator may set for one provider, as the provider sees it.
//!
//! Invariant: secrets are `SecretString`; nothing here reads files or the environment.

mod fault;

use secrecy::SecretString;
use serde::de::DeserializeOwned;
use url::Url;

use crate::provider::{Micros, Price};
pub use fault::{Fault, nearest};

/// A provider's own settings, already read and checked by the host.
#[derive(Clone, Debug, Default)]
pub struct ProviderSettings {
    /// Overrides the vendor's base URL: a vendor's sandbox host, a proxy, our own sandbox.
    pub endpoint: Option<String>,
    pub key: Option<SecretString>,
    /// The address must not leave the house: a provider that takes a hash in its place sends nothing but the hash.
    pub hash_only: bool,
    /// What a match costs by the operator's own contract.
    pub price: Option<Micros>,
    /// What only this provider knows, from the table `options`.
    pub options: toml::Table,
}

/// Why a provider could not be built from its settings.
#[derive(Clone, Debug, thiserror::Error)]
pub enum SettingsError {
    #[error("unknown provider `{name}`; known are: {known}{hint}")]
    UnknownProvider { name: String, known: String, hint: String },
    #[error("there is a provider `{name}` already: give this one another name")]
    NameTaken { name: String },
    #[error("`endpoint` is not a usable URL: {reason}")]
    Endpoint { reason: String },
    #[error("needs a key: set `key_env` or `key_file`")]
    KeyMissing,
    #[error("options: {reason}")]
    Options { reason: String },
}

impl ProviderSettings {
    /// The base URL to ask: the override, or else the vendor's own. Ends in `/`, so that paths can be joined.
    pub fn endpoint_or(&self, default: &str) -> Result<Url, SettingsError> {
        let text = self.endpoint.as_deref().unwrap_or(default);
        let mut url =
            Url::parse(text).map_err(|error| SettingsError::Endpoint { reason: error.to_string() })?;
        if !matches!(url.scheme(), "http" | "https") || url.cannot_be_a_base() {
            return Err(SettingsError::Endpoint { reason: "only http and https URLs are asked".into() });
        }
        if !url.path().ends_with('/') {
            url.set_path(&format!("{}/", url.path()));
        }
        Ok(url)
    }

    /// The origin that the operator chose: the override's or the default endpoint's, where that names a host (a
    /// template such as `https://{domain}/` does not).
    pub fn trusted_origin(&self, default: &str) -> Option<Url> {
        Url::parse(self.endpoint.as_deref().unwrap_or(default)).ok()
    }

    /// The operator's own price, or else the vendor's list. Whether a miss costs as much is the vendor's way.
    pub const fn price_or(&self, list: Price) -> Price {
        let Some(price) = self.price else { return list };
        let per_miss = if list.per_miss.is_zero() { Micros::ZERO } else { price };
        Price { per_match: price, per_miss, ..list }
    }

    /// The provider's own options; an unknown key is refused by the type's `deny_unknown_fields`.
    pub fn options<T: DeserializeOwned>(&self) -> Result<T, SettingsError> {
        self.options.clone().try_into().map_err(|error: toml::de::Error| SettingsError::Options {
            reason: fault::with_nearest(error.message()),
        })
    }

    /// For a provider that has none: each is a mistake.
    pub fn refuse_options(&self) -> Result<(), SettingsError> {
        match self.options.keys().next() {
            None => Ok(()),
            Some(key) => {
                let reason = format!("unknown field `{key}`: this provider has no options");
                Err(SettingsError::Options { reason })
            }
        }
    }
}
