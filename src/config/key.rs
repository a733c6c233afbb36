//! A provider's key, read and looked at before it is ever sent.
//!
//! Invariant: what is wrong with a key is said without a character of it.

use std::path::Path;

use secrecy::{ExposeSecret as _, SecretString};

use super::source::{self, ConfigError};

/// Reads the key of a provider from its file, or else from the environment; `None` where there is none. An empty variable is
/// none, an empty file is a mistake.
pub(super) fn read(
    provider: &str,
    file: Option<&Path>,
    variable: &str,
) -> Result<Option<SecretString>, ConfigError> {
    let place = || match file {
        Some(path) => format!("the file `{}`", path.display()),
        None => format!("the variable {variable}"),
    };
    let wrong = |fault| ConfigError::Key { provider: provider.to_owned(), place: place(), fault };
    match source::secret(file, variable)? {
        None if file.is_some() => Err(wrong("is empty: put the key into it, or take `key_file` out")),
        None => Ok(None),
        Some(key) => match fault(key.expose_secret()) {
            Some(fault) => Err(wrong(fault)),
            None => Ok(Some(key)),
        },
    }
}

/// What is wrong with a key whose ends are free of white space.
pub(super) fn fault(key: &str) -> Option<&'static str> {
    let is_quoted = ['"', '\'', '`']
        .iter()
        .any(|quote| key.len() > 1 && key.starts_with(*quote) && key.ends_with(*quote));
    let scheme = key.split_whitespace().next().unwrap_or_default();
    if is_quoted {
        Some("stands in quotes: write the key alone")
    } else if key.contains(['\n', '\r']) {
        Some("has several lines: write the key alone, on one line")
    } else if matches!(scheme, "Bearer" | "bearer" | "Token" | "token" | "Basic") && scheme.len() < key.len()
    {
        Some("begins with a scheme such as `Bearer`: write the key alone, Gleaner adds the rest")
    } else if key.contains(char::is_whitespace) {
        Some("holds white space: write the key alone")
    } else if key.starts_with("${") || key.starts_with("$(") || key.starts_with("{{") {
        Some("is a placeholder that nothing has filled")
    } else if !key.chars().all(|c| c.is_ascii_graphic()) {
        Some("holds characters that no key has, perhaps from a word processor: copy it anew")
    } else {
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_is_one_word_of_plain_characters() {
        for (key, fault_in_it) in [
            ("k3y-of_the.service/42==", None),
            ("user:password", None),
            ("\"k3y\"", Some("quotes")),
            ("'k3y'", Some("quotes")),
            ("k3y\nother", Some("several lines")),
            ("Bearer k3y", Some("scheme")),
            ("k3y # for tests", Some("white space")),
            ("${KEY}", Some("placeholder")),
            ("k3y\u{2014}9", Some("word processor")),
            ("k3y\u{7}", Some("word processor")),
        ] {
            let told = fault(key);
            assert_eq!(told.is_some(), fault_in_it.is_some(), "{key}");
            assert!(told.unwrap_or_default().contains(fault_in_it.unwrap_or_default()), "{key}: {told:?}");
        }
    }
}
