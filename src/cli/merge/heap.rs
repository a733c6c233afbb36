//! Everything that was read, by subject.
//!
//! Invariant: subjects come out sorted, and each subject's findings in an order of their own, whatever the order of lines.

use std::collections::{BTreeSet, HashMap};

use gleaner::enrich::merge::{Said, Voices};
use gleaner_providers::{Assurance, BirthInterval, Confidence, PersonName, SocialProfile};
use jiff::Timestamp;

/// One value with where it comes from.
#[derive(Debug)]
pub(super) struct Told<T> {
    pub(super) value: T,
    pub(super) provider: u32,
    pub(super) confidence: Option<Confidence>,
    pub(super) assurance: Assurance,
    pub(super) at: Option<Timestamp>,
}

/// What was told of one subject.
#[derive(Debug, Default)]
pub(super) struct Lore {
    pub(super) names: Vec<Told<PersonName>>,
    pub(super) births: Vec<Told<BirthInterval>>,
    pub(super) profiles: Vec<Told<SocialProfile>>,
}

#[derive(Debug, Default)]
pub(super) struct Heap {
    places: HashMap<String, usize>,
    subjects: Vec<(String, Lore)>,
    seats: HashMap<String, u32>,
    providers: Vec<String>,
    /// The newest of all: what the age of the others is counted from.
    newest: Option<Timestamp>,
}

impl Heap {
    /// The number under which a source is kept.
    pub(super) fn provider(&mut self, name: &str) -> u32 {
        if let Some(seat) = self.seats.get(name) {
            return *seat;
        }
        let seat = u32::try_from(self.providers.len()).unwrap_or(u32::MAX);
        self.seats.insert(name.to_owned(), seat);
        self.providers.push(name.to_owned());
        seat
    }

    /// Where to put what is told of a subject.
    pub(super) fn subject(&mut self, name: &str) -> Option<&mut Lore> {
        let place = self.places.get(name).copied().unwrap_or_else(|| {
            self.places.insert(name.to_owned(), self.subjects.len());
            self.subjects.push((name.to_owned(), Lore::default()));
            self.subjects.len() - 1
        });
        self.subjects.get_mut(place).map(|(_, told)| told)
    }

    /// Notes the moment of a finding.
    pub(super) fn dated(&mut self, at: Option<Timestamp>) {
        self.newest = self.newest.max(at);
    }

    /// Sorts the subjects, once everything is read.
    pub(super) fn settle(&mut self) {
        self.places = HashMap::new();
        self.subjects.sort_unstable_by(|(a, _), (b, _)| a.cmp(b));
    }

    pub(super) fn is_empty(&self) -> bool {
        self.subjects.is_empty()
    }

    pub(super) fn len(&self) -> usize {
        self.subjects.len()
    }

    /// Every source, sorted.
    pub(super) fn providers(&self) -> BTreeSet<&str> {
        self.providers.iter().map(String::as_str).collect()
    }

    /// Every subject with what was said of it.
    pub(super) fn subjects(&self) -> impl Iterator<Item = (&str, Voices<'_>)> {
        self.subjects.iter().map(|(name, told)| (name.as_str(), self.voices(told)))
    }

    fn voices<'h>(&'h self, told: &'h Lore) -> Voices<'h> {
        Voices {
            names: told.names.iter().map(|told| self.said(told)).collect(),
            births: told.births.iter().map(|told| self.said(told)).collect(),
            profiles: told.profiles.iter().map(|told| self.said(told)).collect(),
            now: self.newest,
        }
        .settled()
    }

    fn said<'h, T>(&'h self, told: &'h Told<T>) -> Said<'h, T> {
        let provider = self.providers.get(told.provider as usize).map_or("", String::as_str);
        let Told { value, confidence, assurance, at, .. } = told;
        Said { value, provider, confidence: *confidence, assurance: *assurance, at: *at, evidence: None }
    }
}
