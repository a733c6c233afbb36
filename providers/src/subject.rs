//! What a provider may know of a member, and nothing more.
//!
//! Invariant: no member id, no registration data: only the address and what earlier tiers found.

use crate::email::EmailAddress;
use crate::finding::Claim;
use crate::provider::Field;
use crate::social::SocialProfile;

/// The person a lookup is about: the e-mail address, and the accounts found by an earlier tier.
#[derive(Clone, Debug)]
pub struct Subject {
    email: EmailAddress,
    accounts: Vec<Claim<SocialProfile>>,
    wanted: Vec<Field>,
}

impl Subject {
    pub const fn new(email: EmailAddress) -> Self {
        Self { email, accounts: Vec::new(), wanted: Vec::new() }
    }

    /// The same subject, with accounts that an earlier tier found, the surest first.
    #[must_use]
    pub fn with_accounts(mut self, accounts: Vec<Claim<SocialProfile>>) -> Self {
        self.accounts = accounts;
        self
    }

    /// The same subject, of which these fields are still missing.
    #[must_use]
    pub fn wanting(mut self, fields: impl IntoIterator<Item = Field>) -> Self {
        self.wanted = fields.into_iter().collect();
        self
    }

    /// The fields that are still missing, for vendors that can be told to bill no match without any of them; empty where
    /// everything is welcome.
    pub fn wanted(&self) -> &[Field] {
        &self.wanted
    }

    pub const fn email(&self) -> &EmailAddress {
        &self.email
    }

    pub fn accounts(&self) -> &[Claim<SocialProfile>] {
        &self.accounts
    }

    /// The accounts with a handle on one of these networks, the surest first.
    pub fn accounts_on(&self, networks: &[&str]) -> impl Iterator<Item = &Claim<SocialProfile>> {
        let is_read =
            |profile: &SocialProfile| profile.handle().is_some() && networks.contains(&profile.network());
        self.accounts.iter().filter(move |account| is_read(&account.value))
    }

    /// The surest of them.
    pub fn account_on(&self, networks: &[&str]) -> Option<&Claim<SocialProfile>> {
        self.accounts_on(networks).next()
    }
}
