//! A line that is a vendor's object in JSON in place of a text.
//!
//! Invariant: a key that is not known is an error, so that nobody takes a misspelt key for a value that was refused.

use serde::de::DeserializeOwned;

/// The object that a line holds; nothing if it is a plain text.
pub(super) fn read<T: DeserializeOwned>(line: &str) -> Option<Result<T, String>> {
    let inner = line.trim().strip_prefix('{')?.trim_start();
    let is_object = inner.starts_with(['"', '}']);
    is_object.then(|| {
        serde_json::from_str(line).map_err(|error| format!("is not an object that is known: {error}"))
    })
}
