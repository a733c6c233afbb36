//! E-mail addresses: parsed, canonical, hashed, never printed.
//!
//! Invariant: personal data. `Debug` is redacted, there is no `Display`; whoever needs the text calls
//! [`EmailAddress::expose`] and answers for where it goes.

use std::fmt;

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

/// A validated e-mail address.
#[derive(Clone, Deserialize, Eq, Hash, PartialEq, Serialize)]
#[serde(try_from = "String", into = "String")]
pub struct EmailAddress {
    /// As registered: trimmed, its domain in lower-case ASCII.
    address: String,
    /// The key of the mailbox, one for all its spellings.
    canonical: String,
    at: usize,
}

/// Why a text is not an address that can be looked up. Carries nothing of the text.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
pub enum EmailError {
    #[error("is empty")]
    Empty,
    #[error("has no `@`")]
    NoAt,
    #[error("is not an e-mail address: {0}")]
    Invalid(&'static str),
}

impl EmailAddress {
    /// Reads an address.
    pub fn parse(text: &str) -> Result<Self, EmailError> {
        let text = text.trim();
        if text.is_empty() {
            return Err(EmailError::Empty);
        }
        let at = text.rfind('@').ok_or(EmailError::NoAt)?;
        let address = format!("{}@{}", &text[..at], text[at + 1..].to_lowercase());
        Ok(Self { canonical: address.to_lowercase(), address, at })
    }

    /// The address as registered: to ask a provider with, to store in the tables, and nowhere else.
    pub fn expose(&self) -> &str {
        &self.address
    }

    /// The key of the mailbox: one for all its spellings. As personal as the address.
    pub fn canonical(&self) -> &str {
        &self.canonical
    }

    pub fn local_part(&self) -> &str {
        &self.address[..self.at]
    }

    /// The domain in lower-case ASCII (IDNA A-labels).
    pub fn domain(&self) -> &str {
        &self.address[self.at + 1..]
    }

    /// SHA-256 of the trimmed, lower-cased address, in hex: what hash-taking providers ask for.
    pub fn sha256(&self) -> String {
        hex::encode(Sha256::digest(self.address.to_lowercase()))
    }

    /// What kind of mailbox it is, before money is spent on it.
    pub fn kind(&self) -> MailboxKind {
        MailboxKind::Personal
    }
}

/// What kind of mailbox an address names.
#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum MailboxKind {
    /// At a domain of the person's own or of an organisation.
    Personal,
    /// At a public mail host (gmail.com): says nothing about the person's domain.
    FreeMail,
    /// At a throw-away host.
    Disposable,
    /// A function, not a person: `info@`, `sales@`.
    Role,
}

impl fmt::Debug for EmailAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("EmailAddress(redacted)")
    }
}

impl TryFrom<String> for EmailAddress {
    type Error = EmailError;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        Self::parse(&text)
    }
}

impl From<EmailAddress> for String {
    fn from(email: EmailAddress) -> Self {
        email.address
    }
}
