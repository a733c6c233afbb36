//! Subjects with what sources say of them, and what is true.
//!
//! Invariant: nobody in it exists.

use gleaner::enrich::merge::{Merged, Said, Trust, Voices};
use gleaner_providers::{Assurance, BirthInterval, Confidence, PersonName, SocialProfile};
use jiff::Timestamp;
use jiff::civil::{Date, date};
use jiff::tz::TimeZone;

/// The day on which everything is asked.
pub(crate) const TODAY: Date = date(2026, 1, 1);

pub(crate) fn midnight(day: Date) -> Timestamp {
    TimeZone::UTC.to_timestamp(day.at(0, 0, 0, 0)).unwrap()
}

/// Sources by name, and subjects.
#[derive(Debug)]
pub(crate) struct Sample {
    pub(crate) names: Vec<String>,
    /// How far the sources' own confidence is believed before anything is learned of them.
    pub(crate) trust: Trust,
    pub(crate) subjects: Vec<Subject>,
}

/// A subject: who it is, and what is said.
#[derive(Clone, Debug)]
pub(crate) struct Subject {
    pub(crate) person: Person,
    /// Whom some sources mean in its place.
    pub(crate) other: Option<Person>,
    pub(crate) statements: Vec<Statement>,
}

/// What is true of somebody.
#[derive(Clone, Debug)]
pub(crate) struct Person {
    pub(crate) name: PersonName,
    pub(crate) birth: Option<Date>,
    /// Their accounts, in canonical form.
    pub(crate) keys: Vec<String>,
}

/// One source's statements about one subject.
#[derive(Clone, Debug)]
pub(crate) struct Statement {
    pub(crate) source: usize,
    pub(crate) name: Option<Told<PersonName>>,
    pub(crate) birth: Option<Told<BirthInterval>>,
    pub(crate) profiles: Vec<Told<SocialProfile>>,
    pub(crate) at: Timestamp,
}

/// One value, with what the source says of it.
#[derive(Clone, Debug)]
pub(crate) struct Told<T> {
    pub(crate) value: T,
    pub(crate) confidence: Option<Confidence>,
    pub(crate) assurance: Assurance,
}

impl<T> Told<T> {
    pub(crate) const fn by_broker(value: T, confidence: Option<Confidence>) -> Self {
        Self { value, confidence, assurance: Assurance::Broker }
    }

    fn by<'s>(&'s self, provider: &'s str, at: Timestamp) -> Said<'s, T> {
        let Self { value, confidence, assurance } = self;
        Said { value, provider, confidence: *confidence, assurance: *assurance, at: Some(at), evidence: None }
    }
}

impl Sample {
    pub(crate) fn voices<'s>(&'s self, subject: &'s Subject) -> Voices<'s> {
        let mut voices = Voices { now: Some(midnight(TODAY)), ..Voices::default() };
        for one in &subject.statements {
            let provider = self.names[one.source].as_str();
            voices.names.extend(one.name.iter().map(|name| name.by(provider, one.at)));
            voices.births.extend(one.birth.iter().map(|birth| birth.by(provider, one.at)));
            voices.profiles.extend(one.profiles.iter().map(|profile| profile.by(provider, one.at)));
        }
        voices.settled()
    }
}

impl Subject {
    /// Whether the record holds something of this person, and something of the other one.
    pub(crate) fn is_mixed(&self, merged: &Merged) -> bool {
        let Some(other) = &self.other else { return false };
        let (mut ours, mut theirs) = (false, false);
        if let Some(name) = &merged.name {
            ours |= name.value.agrees_with(&self.person.name);
            theirs |= name.value.agrees_with(&other.name) && !name.value.agrees_with(&self.person.name);
        }
        if let (Some(birth), Some(truth)) = (&merged.birth, self.person.birth) {
            // An interval that holds both days is nobody's.
            let (is_ours, is_theirs) =
                (birth.value.contains(truth), other.birth.is_some_and(|other| birth.value.contains(other)));
            ours |= is_ours && !is_theirs;
            theirs |= is_theirs && !is_ours;
        }
        for profile in &merged.profiles {
            ours |= self.person.keys.iter().any(|key| key == profile.value.key());
            theirs |= other.keys.iter().any(|key| key == profile.value.key());
        }
        ours && theirs
    }
}
