//! Personal names: any vendor's spelling in, one form out.
//!
//! What is changed: characters that are no part of a name go (emoji, `:shortcodes:`, marks of direction, pronouns,
//! nicknames, slogans), titles and degrees go, "Doe, Jane" is turned round, and a name that is *all* lower or upper
//! case gets capitals. What is not: the script, the order, mixed case, particles, initials, generations ("Jr.",
//! "III", which tell two people apart). A full name is never split: given and family name are known only from a
//! source that states them, or from the comma of "Doe, Jane".
//!
//! Invariant: pure. Personal data: `Debug` is redacted, there is no `Display`. Normalizing a normalized name
//! changes nothing, so that the stored form reads back equal.

use std::fmt;

use serde::{Deserialize, Serialize};

mod agree;
mod case;
mod clean;
mod damage;
mod parts;
mod refuse;
mod structure;
mod words;

#[cfg(test)]
mod tests;

/// A person's name: NFC, single spaces, no control characters, at most 200 characters.
#[derive(Clone, Deserialize, Eq, PartialEq, Serialize)]
#[serde(try_from = "Parts", into = "Parts")]
pub struct PersonName {
    full: String,
    given: Option<String>,
    family: Option<String>,
}

/// A name as a source states it, part by part; all may be absent. Also the stored form of [`PersonName`].
#[derive(Clone, Default, Deserialize, Eq, PartialEq, Serialize)]
pub struct Parts {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub full: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub given: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub family: Option<String>,
}

/// How far two names agree, least first.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub enum Agreement {
    /// They cannot be one person's.
    Contradicting,
    /// One may be short for the other: an initial, a nickname, a name left out, a variant of the spelling.
    Compatible,
    /// The same words, whatever their case, accents and order.
    Equal,
}

/// How much of a name a spelling says.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Fullness {
    /// Words in full; nicknames among them.
    pub words: usize,
    /// Words cut to their first letter.
    pub initials: usize,
    /// Words that only ever stand for another name: `Bob`.
    pub nicknames: usize,
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
    /// Longest name that is kept, in characters; a longer text is no name.
    pub const MAX_CHARS: usize = 200;

    /// Reads a full name. Given and family name are kept apart only where the text itself does so ("Doe, Jane").
    pub fn parse(text: &str) -> Result<Self, NameError> {
        Self::from_parts(Parts { full: Some(text.to_owned()), ..Parts::default() })
    }

    /// Reads a name from the parts that a source gives separately.
    ///
    /// Without a full name the parts make one. A part that the full name does not contain is dropped: what a
    /// person shows as their name outweighs what a vendor cut out of some name.
    pub fn from_parts(parts: Parts) -> Result<Self, NameError> {
        /// Two rounds settle what people write; more are for what an attacker does.
        const MAX_ROUNDS: usize = 8;
        let mut name = parts;
        for _ in 0..MAX_ROUNDS {
            let again = parts::read(&name)?;
            if again == name {
                let Parts { full, given, family } = name;
                return Ok(Self { full: full.ok_or(NameError::Empty)?, given, family });
            }
            name = again;
        }
        Err(NameError::NotAName("has no settled spelling"))
    }

    /// The whole name in the order the person is called, for example `Martin Luther King Jr.`
    pub fn full(&self) -> &str {
        &self.full
    }

    /// The given name or names, perhaps an initial; a part of [`PersonName::full`].
    pub fn given(&self) -> Option<&str> {
        self.given.as_deref()
    }

    /// The family name with its particles, without a generation; a part of [`PersonName::full`].
    pub fn family(&self) -> Option<&str> {
        self.family.as_deref()
    }

    /// Whether two spellings can be one person's name: case, accents, order, initials, middle names and common
    /// nicknames apart. Symmetric, not transitive; scripts are not transliterated.
    pub fn agrees_with(&self, other: &Self) -> bool {
        self.agreement(other) != Agreement::Contradicting
    }

    /// How far two spellings agree.
    pub fn agreement(&self, other: &Self) -> Agreement {
        if self.full == other.full { Agreement::Equal } else { agree::degree(&self.full, &other.full) }
    }

    /// How much of a name this spelling says.
    pub fn fullness(&self) -> Fullness {
        agree::fullness(&self.full)
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
