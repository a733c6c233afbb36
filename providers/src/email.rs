//! E-mail addresses: parsed, canonical, hashed, never printed.
//!
//! Three texts of one address, each for its own purpose: as registered ([`EmailAddress::expose`]: what providers
//! are asked with), the key of the mailbox ([`EmailAddress::canonical`]: what duplicates, stored answers and
//! suppressions are found by) and the hash ([`EmailAddress::sha256`]: what hash-taking providers are told).
//!
//! A valid address is safe to carry, not safe to paste: a local part may hold `/`, `?`, `%`, `'`, `"` or a leading
//! `=`. Consumers percent-encode it into URLs and bind it into statements.
//!
//! Invariant: personal data. `Debug` is redacted, there is no `Display`; whoever needs the text calls
//! [`EmailAddress::expose`] and answers for where it goes.

use std::fmt;

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use crate::name::PersonName;

pub use segment::Segment;
pub(crate) use syntax::is_invisible;

mod canonical;
mod guess;
mod kind;
mod segment;
mod syntax;
mod unwrap;

#[cfg(test)]
mod tests;

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
    #[error("has more than one `@`: give one address")]
    SeveralAt,
    /// RFC 5321 §4.5.3.1: 64 octets before the `@`, 254 in all (RFC 3696, erratum 1690).
    #[error("is too long: {0}")]
    TooLong(&'static str),
    /// A space, a line break, another control character or an invisible one inside the address.
    #[error("has a character that no address may have: {0}")]
    ForbiddenCharacter(&'static str),
    #[error("the part before the `@` {0}")]
    LocalPart(&'static str),
    #[error("the domain {0}")]
    Domain(&'static str),
    /// `user@[10.0.0.1]`: names a machine, not somebody's mail domain.
    #[error("the domain is an IP address: give a domain name")]
    IpAddress,
}

impl EmailAddress {
    /// Reads an address after RFC 5321, RFC 6531 (UTF-8 local parts) and UTS 46 (international domains, kept as
    /// A-labels). What people and exports put around one is taken off first: white space, quotes, `<…>`,
    /// `Jane Doe <…>` and `mailto:`.
    ///
    /// Refused although the RFCs know them: single-label domains, IP addresses, comments and an empty quoted
    /// local part; none of them is anybody's mailbox on the public network.
    pub fn parse(text: &str) -> Result<Self, EmailError> {
        let bare = unwrap::bare(text)?;
        let (local, domain) = syntax::split(&bare)?;
        syntax::check_local(local)?;
        let domain = syntax::domain_to_ascii(domain)?;
        let canonical = canonical::key(local, &domain);
        syntax::check_lengths(local, &domain)?;
        // Lower case can need more octets than upper case (Ⱥ, ⱥ), and the key must itself be an address.
        syntax::check_length_of_key(&canonical)?;
        Ok(Self { address: format!("{local}@{domain}"), canonical, at: local.len() })
    }

    /// The address as registered: to ask a provider with, to store in the tables, and nowhere else.
    pub fn expose(&self) -> &str {
        &self.address
    }

    /// The key of the mailbox: one for all its spellings. As personal as the address.
    ///
    /// Case is folded everywhere. Tags, dots and twin domains are folded only at hosts that publish such a rule:
    /// at any other domain `jane+news@` may be somebody other than `jane@`, and one key for two persons would
    /// show the one what was found about the other. Two keys for one person merely cost a second lookup.
    pub fn canonical(&self) -> &str {
        &self.canonical
    }

    /// The part before the `@`, as registered.
    pub fn local_part(&self) -> &str {
        self.address.get(..self.at).unwrap_or_default()
    }

    /// The domain in lower-case ASCII (IDNA A-labels).
    pub fn domain(&self) -> &str {
        self.address.get(self.at + 1..).unwrap_or_default()
    }

    /// SHA-256 of the trimmed, lower-cased address as registered, in hex: Gravatar's rule, and what other
    /// hash-taking providers ask for. Tags and dots stay, because the vendors hash them too.
    pub fn sha256(&self) -> String {
        hex::encode(Sha256::digest(self.address.to_lowercase()))
    }

    /// What kind of mailbox it is, before money is spent on it.
    pub fn kind(&self) -> MailboxKind {
        kind::of(self.canonical_local_part(), self.domain())
    }

    /// The name that the address itself suggests: `jane.doe@` may well be Jane Doe's.
    ///
    /// A guess, for the lowest confidence only: just for two or three plain words parted by dots, never for roles,
    /// initials, digits or handles. Which word is the family name is not guessed.
    pub fn name_guess(&self) -> Option<PersonName> {
        // Not of the key: at Gmail it has lost the dots that part the words.
        guess::name(&canonical::fold_case(self.local_part()), self.kind())
    }

    fn canonical_local_part(&self) -> &str {
        self.canonical.rsplit_once('@').map_or("", |(local, _)| local)
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
    /// At a throw-away host, or behind a mask that is made for one recipient: nobody else knows the address.
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
