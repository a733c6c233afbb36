//! The built-in providers, one file a service.
//!
//! Invariant: a file here builds requests and reads answers. It opens no connection, keeps no time, and
//! stores nothing (but `homepage` remembers sites, in a `Memo`).

pub mod github;
pub mod gravatar;
pub mod homepage;
pub mod people_data_labs;

#[cfg(test)]
#[cfg(feature = "contract")]
use crate::finding::Finding;
use crate::mapping::{Accounts, below, birth_of, named, seen_at, stated};

/// A finding as it is stored, a line for each claim.
#[cfg(test)]
#[cfg(feature = "contract")]
fn lines(finding: &Finding) -> String {
    let name = finding.name.as_ref().map(serde_json::to_string);
    let birth = finding.birth.as_ref().map(serde_json::to_string);
    let claims = name.into_iter().chain(birth).chain(finding.profiles.iter().map(serde_json::to_string));
    claims.map(Result::unwrap_or_default).collect::<Vec<_>>().join("\n")
}
