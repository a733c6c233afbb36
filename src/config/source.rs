//! Where settings and secrets come from: files and the environment.
//!
//! Invariant: an error names file, line and key, and never a secret.

use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use gleaner_providers::settings::Fault;
use secrecy::SecretString;

use super::Config;

/// Where a configuration is looked for when none is named.
const USUAL_PLACES: [&str; 3] = ["gleaner.toml", "config/gleaner.toml", "/etc/gleaner/gleaner.toml"];

/// Settings and where they came from.
#[derive(Debug)]
pub struct Loaded {
    pub config: Config,
    /// `None`: no file was found and every setting is the default.
    pub file: Option<PathBuf>,
}

/// Why there are no settings.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    #[error("cannot read `{}`", path.display())]
    Read { path: PathBuf, source: std::io::Error },
    #[error("{origin}:{line}:{column}: {message}")]
    Syntax { origin: String, line: usize, column: usize, message: String },
    #[error("{}: {message}", path.display())]
    Declaration { path: PathBuf, message: String },
    #[error("the key file `{}` can be read by others; run `chmod 600` on it", path.display())]
    Exposed { path: PathBuf },
    #[error("the key of `{provider}` in {place} {fault}")]
    Key { provider: String, place: String, fault: &'static str },
    #[error(
        "the HTTP door has no token; make one with `gleaner token new FILE`, and set `http.token_file` or GLEANER_HTTP_TOKEN"
    )]
    NoToken,
    #[error(
        "the HTTP token of `{caller}` is shorter than 32 random bytes, or holds other characters than visible ASCII; make \
         one with `gleaner token new FILE`"
    )]
    WeakToken { caller: String },
}

pub(super) fn load(file: Option<&Path>) -> Result<Loaded, ConfigError> {
    if let Some(path) = file {
        return read(path).map(|config| Loaded { config, file: Some(path.to_owned()) });
    }
    for place in USUAL_PLACES {
        match read(Path::new(place)) {
            Err(ConfigError::Read { source, .. }) if source.kind() == ErrorKind::NotFound => {}
            found => return found.map(|config| Loaded { config, file: Some(place.into()) }),
        }
    }
    Ok(Loaded { config: Config::default(), file: None })
}

fn read(path: &Path) -> Result<Config, ConfigError> {
    let text = std::fs::read_to_string(path)
        .map_err(|source| ConfigError::Read { path: path.to_owned(), source })?;
    parse(&text, &path.display().to_string())
}

pub(super) fn parse(text: &str, origin: &str) -> Result<Config, ConfigError> {
    toml::from_str(text).map_err(|error| {
        let Fault { line, column, message } = Fault::of(text, &error);
        ConfigError::Syntax { origin: origin.to_owned(), line, column, message }
    })
}

/// A secret from its file, or else from the environment; an empty one is none.
pub(super) fn secret(file: Option<&Path>, variable: &str) -> Result<Option<SecretString>, ConfigError> {
    let text = match file {
        Some(path) => {
            let text = std::fs::read_to_string(path)
                .map_err(|source| ConfigError::Read { path: path.to_owned(), source })?;
            refuse_if_exposed(path)?;
            Some(text)
        }
        #[expect(clippy::disallowed_methods, reason = "this is where settings come from")]
        None => std::env::var(variable).ok(),
    };
    Ok(text.map(|text| text.trim().to_owned()).filter(|text| !text.is_empty()).map(SecretString::from))
}

fn refuse_if_exposed(path: &Path) -> Result<(), ConfigError> {
    match crate::keyring::is_private(path) {
        Ok(true) => Ok(()),
        Ok(false) => Err(ConfigError::Exposed { path: path.to_owned() }),
        Err(source) => Err(ConfigError::Read { path: path.to_owned(), source }),
    }
}
