//! What a provider may know of a member, and nothing more.
//!
//! Invariant: no member id, no registration data: only the address and what earlier tiers found.

use crate::email::EmailAddress;
use crate::social::SocialProfile;

/// The person a lookup is about: the e-mail address, and the accounts found by an earlier tier.
#[derive(Clone, Debug)]
pub struct Subject {
    email: EmailAddress,
    accounts: Vec<SocialProfile>,
}

impl Subject {
    pub const fn new(email: EmailAddress) -> Self {
        Self { email, accounts: Vec::new() }
    }

    /// The same subject, with accounts that an earlier tier found.
    #[must_use]
    pub fn with_accounts(mut self, accounts: Vec<SocialProfile>) -> Self {
        self.accounts = accounts;
        self
    }

    pub const fn email(&self) -> &EmailAddress {
        &self.email
    }

    pub fn accounts(&self) -> &[SocialProfile] {
        &self.accounts
    }
}
