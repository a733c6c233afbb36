//! The built-in providers, one file a service.
//!
//! Invariant: a file here builds requests and reads answers. It opens no connection, keeps no time, and
//! stores nothing (but those that visit strangers' sites remember them, in a `Memo` or on a `Shelf`).

pub mod apollo;
pub mod bluesky;
mod broker;
pub mod enrich_so;
pub mod fullcontact;
pub mod fullenrich;
pub mod github;
pub mod gitlab;
pub mod gravatar;
pub mod homepage;
pub mod hunter;
pub mod keybase;
pub mod openpgp;
pub mod orcid;
pub mod people_data_labs;
pub mod pipl;
pub mod rocketreach;
mod site;
pub mod webfinger;
pub mod wikidata;

#[cfg(test)]
#[cfg(feature = "contract")]
use crate::finding::{Assurance, Claim, Confidence, Finding};
use crate::mapping::{Accounts, below, birth_of, named, seen_at, stated};
#[cfg(test)]
#[cfg(feature = "contract")]
use crate::social::SocialProfile;

/// A finding as it is stored, a line for each claim.
#[cfg(test)]
#[cfg(feature = "contract")]
fn lines(finding: &Finding) -> String {
    let name = finding.name.as_ref().map(serde_json::to_string);
    let birth = finding.birth.as_ref().map(serde_json::to_string);
    let claims = name.into_iter().chain(birth).chain(finding.profiles.iter().map(serde_json::to_string));
    claims.map(Result::unwrap_or_default).collect::<Vec<_>>().join("\n")
}

/// An account that an earlier tier found, this surely the person's.
#[cfg(test)]
#[cfg(feature = "contract")]
fn account(url: &str, confidence: f64) -> Claim<SocialProfile> {
    Claim::new(SocialProfile::parse(url).unwrap(), Confidence::clamped(confidence), Assurance::Proven)
}
