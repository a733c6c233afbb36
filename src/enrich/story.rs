//! Why a record says what it says: for every value who supports it, and who said something else.
//!
//! Invariant: pure; told from the record and from the answers in stock, nothing is decided anew.

use gleaner_providers::{Assurance, BirthInterval, Claim, Finding, SocialProfile};
use serde::Serialize;

use crate::job::{Answer, AnswerContent};
use crate::record::{Record, Sourced};

/// One value of a record and everything that was said about its field.
#[derive(Clone, Debug)]
pub struct FieldStory {
    /// `name`, `born`, or the network of an account.
    pub field: String,
    pub value: String,
    pub confidence: f64,
    pub assurance: Assurance,
    /// Who supports it, the surest first.
    pub supporters: Vec<String>,
    pub contradictors: Vec<Contradiction>,
}

/// Somebody who said something else.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Contradiction {
    pub provider: String,
    /// What it said.
    pub value: String,
}

/// What somebody said and the record does not hold.
#[derive(Clone, Debug, Eq, PartialEq, Serialize)]
pub struct Rejected {
    pub provider: String,
    /// `name`, `born`, or the network of an account.
    pub field: String,
    pub value: String,
}

/// What the answers say and the record does not: another name, another birth, another account, or somebody else's.
pub fn rejected(record: &Record, answers: &[Answer]) -> Vec<Rejected> {
    let mut rejected = Vec::new();
    for answer in answers {
        let AnswerContent::Match(finding) = &answer.content else { continue };
        let mut add = |field: &str, value: String| {
            rejected.push(Rejected { provider: answer.provider.clone(), field: field.to_owned(), value });
        };
        if let Some(claim) = &finding.name
            && !supports(record.name.as_ref(), answer)
        {
            add("name", claim.value.full().to_owned());
        }
        if let Some(claim) = &finding.birth
            && !supports(record.birth.as_ref(), answer)
        {
            add("born", interval(claim.value));
        }
        let is_shown = |claim: &&Claim<SocialProfile>| {
            record.profiles.iter().any(|profile| profile.value.key() == claim.value.key())
        };
        for claim in finding.profiles.iter().filter(|claim| !is_shown(claim) && !claim.value.is_defunct()) {
            add(claim.value.network(), claim.value.url().to_owned());
        }
    }
    rejected
}

fn supports<T>(field: Option<&Sourced<T>>, answer: &Answer) -> bool {
    field.is_some_and(|field| field.sources.iter().any(|source| source.provider == answer.provider))
}

/// The stories of all values of a record.
pub fn of(record: &Record, answers: &[Answer]) -> Vec<FieldStory> {
    let name = record.name.iter().map(|name| {
        let said = |finding: &Finding| finding.name.as_ref().map(|claim| claim.value.full().to_owned());
        story("name", name.value.full().to_owned(), name, others(name, answers, said))
    });
    let born = record.birth.iter().map(|birth| {
        let said = |finding: &Finding| finding.birth.as_ref().map(|claim| interval(claim.value));
        story("born", interval(birth.value), birth, others(birth, answers, said))
    });
    let profiles = record.profiles.iter().map(|profile| {
        // Another account on the same network, from somebody who does not know this one.
        let said = |finding: &Finding| {
            let knows = finding.profiles.iter().any(|claim| claim.value.key() == profile.value.key());
            let elsewhere = |claim: &&Claim<_>| is_other(&profile.value, claim);
            let other = finding.profiles.iter().find(elsewhere);
            other.filter(|_| !knows).map(|claim| claim.value.url().to_owned())
        };
        let (network, url) = (profile.value.network(), profile.value.url());
        story(network, url.to_owned(), profile, others(profile, answers, said))
    });
    name.chain(born).chain(profiles).collect()
}

fn is_other(profile: &SocialProfile, claim: &Claim<SocialProfile>) -> bool {
    // People have several sites, and one account each elsewhere.
    claim.value.network() == profile.network() && profile.handle().is_some()
}

fn story<T>(
    field: &str,
    value: String,
    sourced: &Sourced<T>,
    contradictors: Vec<Contradiction>,
) -> FieldStory {
    FieldStory {
        field: field.to_owned(),
        value,
        confidence: sourced.confidence.get(),
        assurance: sourced.assurance,
        supporters: sourced.sources.iter().map(|source| source.provider.clone()).collect(),
        contradictors,
    }
}

/// What those say who do not support a value.
fn others<T>(
    sourced: &Sourced<T>,
    answers: &[Answer],
    said: impl Fn(&Finding) -> Option<String>,
) -> Vec<Contradiction> {
    let supports = |provider: &str| sourced.sources.iter().any(|source| source.provider == provider);
    let other = |answer: &Answer| match &answer.content {
        AnswerContent::Match(finding) if !supports(&answer.provider) => {
            Some(Contradiction { provider: answer.provider.clone(), value: said(finding)? })
        }
        _ => None,
    };
    answers.iter().filter_map(other).collect()
}

fn interval(birth: BirthInterval) -> String {
    if birth.earliest() == birth.latest() {
        birth.earliest().to_string()
    } else {
        format!("{} to {}", birth.earliest(), birth.latest())
    }
}
