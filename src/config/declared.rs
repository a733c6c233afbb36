//! The folder of providers that are declared in files.
//!
//! Invariant: a file that is wrong stops the start, with its name, its line and what to do; none is skipped.

use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use gleaner_providers::catalog::{Catalog, Row};
use gleaner_providers::declarative::Declaration;

use super::{Config, ConfigError};

/// The folder beside the settings file, where none is named; without a settings file, where one would be made.
const USUAL: &str = "providers";
/// Beside a checkout's own settings lies a Rust package of that name; no provider can be called so.
const PACKAGE: &str = "Cargo.toml";

impl Config {
    /// Where declared providers are looked for: a relative path begins at the folder of the settings file.
    pub fn declared_in(&self, settings: Option<&Path>) -> PathBuf {
        let folder = settings.and_then(Path::parent).unwrap_or(Path::new(""));
        folder.join(self.providers_dir.as_deref().unwrap_or(Path::new(USUAL)))
    }
}

/// Adds every provider that a file of the folder declares. A folder that nobody named need not be there.
pub(super) fn add(catalog: Catalog, folder: &Path, is_named: bool) -> Result<Catalog, ConfigError> {
    let unreadable = |source| ConfigError::Read { path: folder.to_owned(), source };
    let entries = match std::fs::read_dir(folder) {
        Err(error) if error.kind() == ErrorKind::NotFound && !is_named => return Ok(catalog),
        entries => entries.map_err(unreadable)?,
    };
    let mut files = entries.map(|entry| entry.map(|entry| entry.path())).collect::<Result<Vec<_>, _>>();
    let files = files.as_mut().map_err(|error| unreadable(std::io::Error::from(error.kind())))?;
    files.retain(|path| path.extension().is_some_and(|extension| extension == "toml"));
    files.retain(|path| is_named || path.file_name().is_none_or(|name| name != PACKAGE));
    files.sort();
    files.iter().try_fold(catalog, |catalog, file| {
        let declaration = read(file)?;
        let clash = |error: gleaner_providers::settings::SettingsError| ConfigError::Declaration {
            path: file.clone(),
            message: format!("{error}, by another name of the file"),
        };
        catalog.with(Row::from(declaration)).map_err(clash)
    })
}

/// Reads one file that declares a provider; the provider is called like the file.
pub fn read(file: &Path) -> Result<Declaration, ConfigError> {
    let text = std::fs::read_to_string(file)
        .map_err(|source| ConfigError::Read { path: file.to_owned(), source })?;
    let name = file.file_stem().unwrap_or_default().to_string_lossy();
    Declaration::parse(&name, &text).map_err(|fault| ConfigError::Syntax {
        origin: file.display().to_string(),
        line: fault.line,
        column: fault.column,
        message: fault.message,
    })
}
