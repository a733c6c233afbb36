//! The explicit table of built-in providers.
//!
//! Invariant: a provider that is not a row here does not exist; nothing registers itself.

use std::sync::Arc;

use crate::builtin::{bluesky, github, gitlab, gravatar, homepage, keybase, people_data_labs, webfinger};
use crate::provider::{Descriptor, Provider};
use crate::settings::{ProviderSettings, SettingsError};

/// One row of the catalog.
#[derive(Clone, Copy, Debug)]
pub struct Entry {
    pub name: &'static str,
    /// What it says of itself before it is built.
    pub descriptor: fn() -> Descriptor,
    pub build: fn(&ProviderSettings) -> Result<Arc<dyn Provider>, SettingsError>,
}

/// Every built-in, in the order in which `gleaner provider list` shows them: free and proven ones first.
pub const BUILT_INS: &[Entry] = &[
    Entry { name: "gravatar", descriptor: gravatar::descriptor, build: gravatar::build },
    Entry { name: "github", descriptor: github::descriptor, build: github::build },
    Entry { name: "homepage", descriptor: homepage::descriptor, build: homepage::build },
    Entry { name: "webfinger", descriptor: webfinger::descriptor, build: webfinger::build },
    Entry { name: "gitlab", descriptor: gitlab::descriptor, build: gitlab::build },
    Entry { name: "keybase", descriptor: keybase::descriptor, build: keybase::build },
    Entry { name: "bluesky", descriptor: bluesky::descriptor, build: bluesky::build },
    Entry {
        name: "people_data_labs",
        descriptor: people_data_labs::descriptor,
        build: people_data_labs::build,
    },
];

/// The built-in of this name; an unknown name lists the known ones.
pub fn find(name: &str) -> Result<&'static Entry, SettingsError> {
    BUILT_INS.iter().find(|entry| entry.name == name).ok_or_else(|| SettingsError::UnknownProvider {
        name: name.to_owned(),
        known: BUILT_INS.iter().map(|entry| entry.name).collect::<Vec<_>>().join(", "),
    })
}

#[cfg(test)]
mod tests {
    use secrecy::SecretString;

    use super::*;
    use crate::provider::KeyNeed;

    fn settings(options: &str) -> ProviderSettings {
        let key = Some(SecretString::from("key-for-tests"));
        ProviderSettings { key, options: options.parse().unwrap(), ..ProviderSettings::default() }
    }

    #[test]
    fn every_row_names_and_builds_the_provider_it_describes() {
        for entry in BUILT_INS {
            let described = (entry.descriptor)();
            let built = (entry.build)(&settings("")).unwrap();
            assert_eq!(described.name, entry.name);
            assert_eq!(built.descriptor().name, entry.name);
            assert!(
                std::ptr::eq(find(entry.name).unwrap(), entry)
                    || find(entry.name).unwrap().name == entry.name
            );
        }
    }

    #[test]
    fn a_needed_key_is_demanded_and_an_unknown_option_refused() {
        for entry in BUILT_INS {
            let keyless = (entry.build)(&ProviderSettings::default());
            let needs_key = (entry.descriptor)().key == KeyNeed::Required;
            assert_eq!(matches!(keyless, Err(SettingsError::KeyMissing)), needs_key, "{}", entry.name);
            let mistyped = (entry.build)(&settings("min_likelyhood = 3"));
            assert!(matches!(mistyped, Err(SettingsError::Options { .. })), "{}", entry.name);
        }
    }

    #[test]
    fn an_unknown_name_lists_the_known_ones() {
        let error = find("grvatar").unwrap_err().to_string();
        insta::assert_snapshot!(error, @"unknown provider `grvatar`; known are: gravatar, github, homepage, webfinger, gitlab, keybase, bluesky, people_data_labs");
    }
}
