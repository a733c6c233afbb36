//! The provider contract of Gleaner, its polite HTTP client and the built-in providers.
//!
//! A provider is an outside source of facts about the person behind an e-mail address. It implements
//! [`Provider`]: build the request, read the answer. Transport, quotas, retries and telemetry are the host's,
//! behind [`HttpClient`].
//!
//! Invariant: this crate knows nothing of queues, SQL or members' ids; cargo itself enforces that.

// In reading order: the contract, what goes in, what comes out, the door to the network, the providers.
pub mod provider;

pub mod email;
pub mod subject;

pub mod age;
pub mod finding;
pub mod name;
pub mod social;

pub mod clock;
pub mod error;
pub mod http;
pub mod limit;
mod memo;
mod retry;

pub mod page;
pub mod robots;

pub mod access;
pub mod mapping;

pub mod builtin;
pub mod catalog;
pub mod declarative;
pub mod settings;

#[cfg(feature = "contract")]
pub mod contract;
#[cfg(any(feature = "contract", feature = "sandbox"))]
mod hostile;
#[cfg(feature = "sandbox")]
pub mod sandbox;

pub use access::Access;
pub use age::BirthInterval;
pub use clock::Clock;
pub use email::EmailAddress;
pub use error::LookupError;
pub use finding::{Assurance, Claim, Confidence, Finding};
pub use http::HttpClient;
pub use name::PersonName;
pub use provider::{Descriptor, Field, Identifier, Lookup, Provider};
pub use settings::ProviderSettings;
pub use social::SocialProfile;
pub use subject::Subject;
