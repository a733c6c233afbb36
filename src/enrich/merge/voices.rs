//! What was said about one subject, field by field, in an order of its own.
//!
//! Invariant: the order in which answers arrived is gone; a source has one say on name and birth, and one on each account.

use std::cmp::Reverse;
use std::collections::BTreeSet;

use gleaner_providers::{Assurance, BirthInterval, Confidence, Finding, PersonName, SocialProfile};
use jiff::Timestamp;

use super::accounts;

/// The member's own word, which beats every provider: the name under which it stands among them.
pub const CORRECTION: &str = "correction";

/// One provider's finding, with when it was fetched.
#[derive(Clone, Copy, Debug)]
pub struct Statement<'a> {
    pub provider: &'a str,
    pub fetched_at: Timestamp,
    pub finding: &'a Finding,
}

/// One value as one source states it.
#[derive(Debug)]
pub struct Said<'a, T> {
    pub value: &'a T,
    pub provider: &'a str,
    /// How sure the source says it is, if it says so.
    pub confidence: Option<Confidence>,
    pub assurance: Assurance,
    /// When it was true, or was fetched.
    pub at: Option<Timestamp>,
    pub evidence: Option<&'a str>,
}

impl<T> Clone for Said<'_, T> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<T> Copy for Said<'_, T> {}

/// Everything that was said about one subject.
#[derive(Clone, Debug, Default)]
pub struct Voices<'a> {
    pub names: Vec<Said<'a, PersonName>>,
    pub births: Vec<Said<'a, BirthInterval>>,
    pub profiles: Vec<Said<'a, SocialProfile>>,
    /// The moment from which the age of statements is counted; where it is absent, that of the newest of them.
    pub now: Option<Timestamp>,
}

impl<'a> Voices<'a> {
    /// What these sources say.
    pub(super) fn of_side(&self, side: &BTreeSet<&str>) -> Self {
        fn some<'a, T>(said: &[Said<'a, T>], side: &BTreeSet<&str>) -> Vec<Said<'a, T>> {
            said.iter().filter(|said| side.contains(said.provider)).copied().collect()
        }
        Self {
            names: some(&self.names, side),
            births: some(&self.births, side),
            profiles: some(&self.profiles, side),
            now: self.now,
        }
    }

    /// The name that a source gives, if it gives one.
    pub(super) fn name_of(&self, provider: &str) -> Option<&'a PersonName> {
        self.names.iter().find(|said| said.provider == provider).map(|said| said.value)
    }

    /// The names that these sources give.
    pub(super) fn names_of(&self, side: &BTreeSet<&str>) -> impl Iterator<Item = &'a PersonName> {
        self.names.iter().filter(|said| side.contains(said.provider)).map(|said| said.value)
    }

    /// What these findings say.
    pub fn of(statements: &[Statement<'a>]) -> Self {
        fn said<'a, T>(statement: &Statement<'a>, claim: &'a gleaner_providers::Claim<T>) -> Said<'a, T> {
            Said {
                value: &claim.value,
                provider: statement.provider,
                confidence: Some(claim.confidence),
                assurance: claim.assurance,
                at: Some(statement.fetched_at),
                evidence: claim.evidence.as_deref(),
            }
        }
        let mut voices = Self::default();
        for statement in statements {
            let Finding { name, birth, profiles } = statement.finding;
            voices.names.extend(name.iter().map(|claim| said(statement, claim)));
            voices.births.extend(birth.iter().map(|claim| said(statement, claim)));
            voices.profiles.extend(profiles.iter().map(|claim| said(statement, claim)));
        }
        voices.settled()
    }

    /// The same in its own order: the newest word of each source, and only the member's where there is one.
    #[must_use]
    pub fn settled(mut self) -> Self {
        prefer_correction(&mut self.names);
        self.names.sort_by(|a, b| a.before(b).then_with(|| a.value.full().cmp(b.value.full())));
        self.names.dedup_by(|later, kept| later.provider == kept.provider);

        prefer_correction(&mut self.births);
        let bounds = |birth: &BirthInterval| (birth.width_in_days(), birth.earliest());
        self.births.sort_by(|a, b| a.before(b).then_with(|| bounds(a.value).cmp(&bounds(b.value))));
        self.births = narrowest_of_each(&self.births);

        self.profiles.retain(|said| !said.value.is_defunct());
        self.profiles.sort_by(|a, b| a.before(b).then_with(|| a.value.url().cmp(b.value.url())));
        self.profiles = accounts::latest_of_each(std::mem::take(&mut self.profiles));
        self
    }

    /// The moment from which the age of statements is counted.
    pub(super) fn newest(&self) -> Option<Timestamp> {
        if self.now.is_some() {
            return self.now;
        }
        let names = self.names.iter().filter_map(|said| said.at);
        let births = self.births.iter().filter_map(|said| said.at);
        names.chain(births).chain(self.profiles.iter().filter_map(|said| said.at)).max()
    }
}

impl<T> Said<'_, T> {
    /// By source; of one source the newest first, then the surest.
    fn before(&self, other: &Self) -> std::cmp::Ordering {
        let sure = |said: &Self| said.confidence.map_or(-1.0, Confidence::get);
        let by_source = self.provider.cmp(other.provider);
        let by_age = by_source.then_with(|| Reverse(self.at).cmp(&Reverse(other.at)));
        let by_assurance = by_age.then_with(|| other.assurance.cmp(&self.assurance));
        by_assurance.then_with(|| sure(other).total_cmp(&sure(self)))
    }

    pub(super) fn is_correction(&self) -> bool {
        self.provider == CORRECTION
    }
}

/// Of each source the narrowest of the statements that its newest one allows. Takes them sorted by source and age.
fn narrowest_of_each<'a>(said: &[Said<'a, BirthInterval>]) -> Vec<Said<'a, BirthInterval>> {
    let of_source = said.chunk_by(|a, b| a.provider == b.provider);
    let narrowest = |claims: &[Said<'a, BirthInterval>]| {
        let newest = claims.first()?;
        let allowed = claims.iter().filter(|claim| claim.value.intersect(newest.value).is_some());
        allowed.min_by_key(|claim| claim.value.width_in_days()).copied()
    };
    of_source.filter_map(narrowest).collect()
}

/// Leaves only what the member said, where they said something.
fn prefer_correction<T>(said: &mut Vec<Said<'_, T>>) {
    if said.iter().any(Said::is_correction) {
        said.retain(Said::is_correction);
    }
}
