//! Mailboxes: what an address or its hash is known by, and which addresses are listed.
//!
//! Invariant: an address and its SHA-256 lead to the same key, for listed and unlisted mailboxes alike.

use sha2::{Digest, Sha256};

use super::name::plain_local_part;
use crate::email::{EmailAddress, MailboxKind};
use crate::sandbox::draw::first_u64;

/// The first 64 bits of the SHA-256 of a lower-cased address.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct MailboxKey(pub(super) u64);

/// 13 of these spell a key in a GitHub login.
const LABEL: &[u8; 32] = b"0123456789abcdefghjkmnpqrstvwxyz";

impl MailboxKey {
    /// The key of an address, in any letter case.
    pub fn of_address(address: &str) -> Self {
        let hash = EmailAddress::parse(address).ok().and_then(|email| Self::of_hash(&email.sha256()));
        hash.unwrap_or_else(|| Self(first_u64(&Sha256::digest(address.trim().to_lowercase()))))
    }

    /// The key of a SHA-256 in hex; `None` where it is none.
    pub fn of_hash(hash: &str) -> Option<Self> {
        let mut bytes = [0; 32];
        hex::decode_to_slice(hash, &mut bytes).ok()?;
        Some(Self(first_u64(&bytes)))
    }

    pub(in crate::sandbox) const fn bytes(self) -> [u8; 8] {
        self.0.to_le_bytes()
    }

    /// The key as a number, by which services count their accounts.
    pub(in crate::sandbox) const fn number(self) -> u64 {
        self.0
    }

    /// The 15 digits of the ORCID iD that the person has if ORCID knows them.
    pub(in crate::sandbox) const fn orcid_number(self) -> u64 {
        self.0 % 1_000_000_000_000_000
    }

    /// Reads what [`Self::number`] gave.
    pub(in crate::sandbox) const fn of_number(number: u64) -> Self {
        Self(number)
    }

    /// The key as 13 characters that a login may hold, so that a login alone leads back to its mailbox.
    pub(super) fn label(self) -> String {
        let digit = |place: u32| {
            let index = usize::try_from((self.0 >> (5 * place)) & 31).ok()?;
            LABEL.get(index).copied().map(char::from)
        };
        (0..13).filter_map(digit).collect()
    }

    /// Reads what [`Self::label`] wrote.
    pub(super) fn of_label(label: &str) -> Option<Self> {
        if label.len() != 13 {
            return None;
        }
        label
            .bytes()
            .rev()
            .try_fold(0_u64, |key, byte| {
                let digit = LABEL.iter().position(|digit| *digit == byte)?;
                key.checked_mul(32)?.checked_add(digit as u64)
            })
            .map(Self)
    }
}

/// An address whose person's name agrees with it.
pub(super) struct Listed {
    pub(super) address: String,
    pub(super) local: String,
    pub(super) domain: String,
    /// The key of the mailbox without its tag: who the person is.
    pub(super) identity: MailboxKey,
    pub(super) is_role: bool,
    pub(super) is_free_mail: bool,
    /// Whether the GitHub login is the bare name: the first one who asked for it has it.
    pub(super) plain_login: bool,
}

impl Listed {
    /// Reads a member's address; `None` for one that nobody could be asked about.
    pub(super) fn read(address: &str) -> Option<Self> {
        let email = EmailAddress::parse(address).ok()?;
        let untagged = format!("{}@{}", plain_local_part(email.local_part()), email.domain());
        Some(Self {
            address: email.expose().to_owned(),
            local: email.local_part().to_owned(),
            domain: email.domain().to_owned(),
            identity: MailboxKey::of_address(&untagged),
            is_role: email.kind() == MailboxKind::Role || is_role(email.local_part()),
            is_free_mail: is_free_mail(email.domain()),
            plain_login: false,
        })
    }
}

/// Functions that the sample members use, whatever the address parser thinks of them.
fn is_role(local: &str) -> bool {
    let role = ["info", "sales", "support", "office", "team", "contact", "admin", "billing", "press", "jobs"];
    role.iter().any(|name| local.eq_ignore_ascii_case(name))
}

/// Whether strangers share this mail host, so that it says nothing about a person.
pub(in crate::sandbox) fn is_free_mail(domain: &str) -> bool {
    matches!(domain, "mail.example.com" | "webmail.example.net")
        || EmailAddress::parse(&format!("me@{domain}"))
            .is_ok_and(|email| email.kind() == MailboxKind::FreeMail)
}
