//! What the answers of data brokers have in common.
//!
//! Invariant: what is made here is a broker's word, never more.

use serde::{Deserialize, Deserializer};
use serde_json::Value;

use super::{Accounts, birth_of, named};
use crate::age::BirthInterval;
use crate::error::LookupError;
use crate::finding::{Assurance, Claim, Confidence};
use crate::http::Response;
use crate::name::{Parts, PersonName};
use crate::provider::Lookup;
use crate::social::SocialProfile;

/// What is left of the confidence in a birth date when an answer contradicts itself.
const CONTRADICTED: f64 = 0.5;
/// The longest handle of an order that is believed.
const LONGEST_HANDLE: usize = 100;

/// A name, if it is one.
pub(super) fn name(parts: Parts, confidence: Confidence) -> Option<Claim<PersonName>> {
    named(parts, &[]).map(|name| Claim::new(name, confidence, Assurance::Broker))
}

/// The birth that all statements allow; believed less where they contradict each other.
pub(super) fn birth(
    statements: impl IntoIterator<Item = BirthInterval>,
    confidence: Confidence,
) -> Option<Claim<BirthInterval>> {
    let (birth, agreed) = birth_of(statements)?;
    let confidence = if agreed { confidence } else { Confidence::clamped(confidence.get() * CONTRADICTED) };
    Some(Claim::new(birth, confidence, Assurance::Broker))
}

/// The accounts, each once.
pub(super) fn profiles(
    profiles: impl IntoIterator<Item = SocialProfile>,
    confidence: Confidence,
) -> Vec<Claim<SocialProfile>> {
    let mut accounts = Accounts::default();
    let claims = profiles.into_iter().map(|profile| Claim::new(profile, confidence, Assurance::Broker));
    accounts.extend(claims);
    accounts.into_claims()
}

/// The account at a URL, if it is one.
pub(super) fn at(url: Option<&str>) -> Option<SocialProfile> {
    SocialProfile::parse(super::stated(url)?).ok()
}

/// A field that may be null but has to be there: an answer without it is of another shape.
pub(super) fn nullable<'de, T: Deserialize<'de>, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<Option<T>, D::Error> {
    Option::deserialize(deserializer)
}

/// What a vendor wrote at this place of its answer (a JSON pointer), lower case; empty where nothing can be read.
pub(super) fn said(response: &Response, place: &str) -> String {
    let answer: Option<Value> = response.json().ok();
    let text = answer.as_ref().and_then(|answer| answer.pointer(place)).and_then(Value::as_str);
    text.unwrap_or_default().to_lowercase()
}

/// A 404 that is a miss in the vendor's words. Any other is a wrong `endpoint`, and would be remembered of everybody.
pub(super) fn no_match_if(is_miss: bool) -> Result<Lookup, LookupError> {
    if is_miss {
        Ok(Lookup::NoMatch)
    } else {
        Err(LookupError::malformed("a 404 that is no miss: check `endpoint`"))
    }
}

/// The handle of an order, if it is one: it is stored, and becomes part of a URL.
pub(super) fn handle(text: &str) -> Result<String, LookupError> {
    let is_plain = |c: char| c.is_ascii_alphanumeric() || c == '-' || c == '_';
    if text.is_empty() || text.len() > LONGEST_HANDLE || !text.chars().all(is_plain) {
        return Err(LookupError::malformed("an order without a usable handle"));
    }
    Ok(text.to_owned())
}
