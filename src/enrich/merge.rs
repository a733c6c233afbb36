//! Findings become one record: per field the best supported value.
//!
//! Agreement raises confidence: independent sources that say the same leave 1 − Π(1 − cᵢ) of doubt removed, at most
//! 0.99. Values are never averaged and never mixed.
//!
//! Invariant: pure, and independent of the order in which answers arrived.

use std::cmp::Reverse;
use std::collections::BTreeMap;

use gleaner_providers::{
    Assurance, BirthInterval, Claim, Confidence, Field, Finding, PersonName, SocialProfile,
};
use jiff::Timestamp;

use crate::record::{Source, Sourced};

/// No agreement of sources makes certain: they may copy from each other.
const CEILING: f64 = 0.99;

/// One provider's finding, with when it was fetched.
#[derive(Clone, Copy, Debug)]
pub struct Statement<'a> {
    pub provider: &'a str,
    pub fetched_at: Timestamp,
    pub finding: &'a Finding,
}

/// The fields of a record before it is one.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Merged {
    pub name: Option<Sourced<PersonName>>,
    pub birth: Option<Sourced<BirthInterval>>,
    /// Best assurance first, then most confident.
    pub profiles: Vec<Sourced<SocialProfile>>,
}

impl Merged {
    /// Whether nothing at all was found.
    pub const fn is_empty(&self) -> bool {
        self.name.is_none() && self.birth.is_none() && self.profiles.is_empty()
    }

    /// How sure the field is; of several profiles, the surest one counts.
    pub fn confidence(&self, field: Field) -> Option<Confidence> {
        match field {
            Field::Name => self.name.as_ref().map(|name| name.confidence),
            Field::Age => self.birth.as_ref().map(|birth| birth.confidence),
            Field::Social => self
                .profiles
                .iter()
                .map(|profile| profile.confidence)
                .max_by(|a, b| a.get().total_cmp(&b.get())),
        }
    }
}

/// Merges what several providers said about one subject.
pub fn merge(statements: &[Statement<'_>]) -> Merged {
    Merged {
        name: merge_names(&claims(statements, |finding| finding.name.iter())),
        birth: merge_births(&claims(statements, |finding| finding.birth.iter())),
        profiles: merge_profiles(&claims(statements, |finding| finding.profiles.iter())),
    }
}

/// A claim and who made it.
struct Said<'a, T> {
    claim: &'a Claim<T>,
    provider: &'a str,
    fetched_at: Timestamp,
}

/// Every claim on one field, the most confident first and the rest of the order fixed, so that arrival does not matter.
fn claims<'a, T: 'a, I: Iterator<Item = &'a Claim<T>>>(
    statements: &[Statement<'a>],
    field: impl Fn(&'a Finding) -> I,
) -> Vec<Said<'a, T>> {
    let mut claims: Vec<_> = statements
        .iter()
        .flat_map(|statement| {
            let (provider, fetched_at) = (statement.provider, statement.fetched_at);
            field(statement.finding).map(move |claim| Said { claim, provider, fetched_at })
        })
        .collect();
    claims.sort_by(|a, b| {
        let by_confidence = b.claim.confidence.get().total_cmp(&a.claim.confidence.get());
        by_confidence.then_with(|| a.provider.cmp(b.provider))
    });
    claims
}

/// A value with the sources that support it. A provider counts once, by its most confident claim.
fn sourced<T>(value: T, supporters: &[&Said<'_, T>]) -> Sourced<T> {
    let mut doubt = 1.0;
    let mut assurance = Assurance::Broker;
    let mut sources: Vec<Source> = Vec::with_capacity(supporters.len());
    for said in supporters {
        if sources.iter().any(|source| source.provider == said.provider) {
            continue;
        }
        doubt *= 1.0 - said.claim.confidence.get();
        assurance = assurance.max(said.claim.assurance);
        sources.push(Source {
            provider: said.provider.to_owned(),
            fetched_at: said.fetched_at,
            evidence: said.claim.evidence.clone(),
        });
    }
    // A single source keeps its own confidence, even above the ceiling.
    let most = supporters.first().map_or(0.0, |said| said.claim.confidence.get()).max(CEILING);
    Sourced { value, confidence: Confidence::clamped((1.0 - doubt).min(most)), assurance, sources }
}

/// The name that most sources agree with; of the spellings that agree, the one that says most.
fn merge_names(claims: &[Said<'_, PersonName>]) -> Option<Sourced<PersonName>> {
    let says_most =
        |name: &PersonName| (name.given().is_some() && name.family().is_some(), name.full().chars().count());
    let candidates = claims.iter().map(|center| {
        let supporters: Vec<_> =
            claims.iter().filter(|said| said.claim.value.agrees_with(&center.claim.value)).collect();
        sourced(center.claim.value.clone(), &supporters)
    });
    // `rev`, because `max_by` keeps the last of equals and the most confident claim comes first.
    candidates.rev().max_by(|a, b| {
        let by_support = a.confidence.get().total_cmp(&b.confidence.get());
        by_support.then_with(|| says_most(&a.value).cmp(&says_most(&b.value)))
    })
}

/// The interval that most sources allow, narrowed to what all of them allow.
fn merge_births(claims: &[Said<'_, BirthInterval>]) -> Option<Sourced<BirthInterval>> {
    let candidates = claims.iter().map(|center| {
        let mut interval = center.claim.value;
        let mut supporters = vec![center];
        for said in claims.iter().filter(|said| !std::ptr::eq(*said, center)) {
            if let Some(narrower) = interval.intersect(&said.claim.value) {
                interval = narrower;
                supporters.push(said);
            }
        }
        supporters.sort_by(|a, b| b.claim.confidence.get().total_cmp(&a.claim.confidence.get()));
        sourced(interval, &supporters)
    });
    candidates.rev().max_by(|a, b| a.confidence.get().total_cmp(&b.confidence.get()))
}

/// One profile an account, whatever its spellings; dead networks are left out.
fn merge_profiles(claims: &[Said<'_, SocialProfile>]) -> Vec<Sourced<SocialProfile>> {
    let mut accounts: BTreeMap<&str, Vec<&Said<'_, SocialProfile>>> = BTreeMap::new();
    for said in claims.iter().filter(|said| !said.claim.value.is_defunct()) {
        accounts.entry(said.claim.value.key()).or_default().push(said);
    }
    let mut profiles: Vec<_> = accounts
        .into_values()
        .filter_map(|supporters| Some(sourced(supporters.first()?.claim.value.clone(), &supporters)))
        .collect();
    profiles.sort_by(|a, b| {
        let by_assurance = Reverse(a.assurance).cmp(&Reverse(b.assurance));
        by_assurance.then_with(|| b.confidence.get().total_cmp(&a.confidence.get()))
    });
    profiles
}

#[cfg(test)]
mod tests;
