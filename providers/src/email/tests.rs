//! The specification of addresses, as tables.

mod kinds;
mod properties;
mod refused;
mod spellings;

use super::{EmailAddress, EmailError};

fn email(text: &str) -> EmailAddress {
    EmailAddress::parse(text).unwrap_or_else(|error| panic!("{text:?}: {error}"))
}

fn refusal(text: &str) -> EmailError {
    EmailAddress::parse(text).expect_err(text)
}
