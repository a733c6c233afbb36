//! How a vendor is reached, as its operator set it: what nearly every provider is built from.
//!
//! Invariant: reads settings and nothing else; the key stays a secret.

use secrecy::SecretString;
use url::Url;

use crate::mapping::below;
use crate::provider::{Descriptor, Identifier, KeyNeed};
use crate::settings::{ProviderSettings, SettingsError};

/// A vendor as this operator reaches it.
#[derive(Debug)]
pub struct Access {
    /// What the provider is, with the operator's own price, and told a hash where no address may leave the house.
    pub descriptor: Descriptor,
    /// The base URL to ask.
    pub endpoint: Url,
    /// Always there where the descriptor requires one.
    pub key: Option<SecretString>,
}

impl Access {
    /// Fails where a required key is missing, or the endpoint is no URL.
    pub fn of(settings: &ProviderSettings, mut descriptor: Descriptor) -> Result<Self, SettingsError> {
        if settings.key.is_none() && descriptor.key == KeyNeed::Required {
            return Err(SettingsError::KeyMissing);
        }
        descriptor.price = settings.price_or(descriptor.price);
        if settings.hash_only && descriptor.takes_hash {
            descriptor.told = Identifier::AddressHash;
        }
        let endpoint = settings.endpoint_or(&descriptor.endpoint)?;
        let key = settings.key.clone().filter(|_| descriptor.key != KeyNeed::None);
        Ok(Self { descriptor, endpoint, key })
    }

    /// The same for a provider that has nothing to choose: an option is a mistake.
    pub fn without_options(
        settings: &ProviderSettings,
        descriptor: Descriptor,
    ) -> Result<Self, SettingsError> {
        settings.refuse_options()?;
        Self::of(settings, descriptor)
    }

    /// The URL of these segments below the endpoint.
    pub fn url(&self, segments: &[&str]) -> Url {
        below(&self.endpoint, segments)
    }
}
