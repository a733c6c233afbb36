//! The explicit table of built-in providers.

use std::sync::Arc;

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

/// Every built-in, in the order in which `gleaner provider list` shows them.
pub const BUILT_INS: &[Entry] = &[];

/// The built-in of this name; an unknown name lists the known ones.
pub fn find(name: &str) -> Result<&'static Entry, SettingsError> {
    BUILT_INS.iter().find(|entry| entry.name == name).ok_or_else(|| SettingsError::UnknownProvider {
        name: name.to_owned(),
        known: BUILT_INS.iter().map(|entry| entry.name).collect::<Vec<_>>().join(", "),
    })
}
