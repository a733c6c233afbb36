//! What is known of one member while the job runs: answers old and new, and what is still owed.

use gleaner_providers::{Field, LookupError};
use jiff::Timestamp;

use super::Kept;
use super::lookup::{Reply, Told};
use super::merge::{self, Merged, Sources, Statement};
use super::waterfall::Standing;
use crate::config::Thresholds;
use crate::job::{Answer, AnswerContent, Lesson, LookupEntry};
use crate::record::{Fields, Source};

/// The working papers of one execution.
#[derive(Debug)]
pub(super) struct Dossier {
    answers: Vec<Answer>,
    lookups: Vec<LookupEntry>,
    unstored: Vec<Answer>,
    owed: Vec<Owed>,
    /// Answers that were ordered by an earlier execution and should be ready: provider and handle.
    ready: Vec<(String, String)>,
    objected: bool,
    /// What was reserved of the batch's ceiling, and is not needed any more.
    freed_micros: u64,
}

/// An answer that a provider still owes.
#[derive(Clone, Debug)]
pub(super) struct Owed {
    pub(super) provider: String,
    pub(super) cause: Cause,
}

/// Why it is owed.
#[derive(Clone, Debug)]
pub(super) enum Cause {
    Error(LookupError),
    /// The provider is working on it.
    Pending {
        ready_at: Timestamp,
    },
}

impl Dossier {
    /// Starts from the stored answers. One that was pending and is ready by now is there to be collected.
    pub(super) fn open(stored: Vec<Answer>, now: Timestamp) -> Self {
        let mut dossier = Self {
            answers: Vec::new(),
            lookups: Vec::new(),
            unstored: Vec::new(),
            owed: Vec::new(),
            ready: Vec::new(),
            objected: false,
            freed_micros: 0,
        };
        for answer in stored {
            match &answer.content {
                AnswerContent::Pending { handle, ready_at } if *ready_at <= now => {
                    dossier.ready.push((answer.provider, handle.clone()));
                }
                AnswerContent::Pending { ready_at, .. } => dossier.owe_pending(&answer.provider, *ready_at),
                AnswerContent::Match(_) | AnswerContent::NoMatch => dossier.answers.push(answer),
            }
        }
        dossier
    }

    /// Adds what came of a lookup.
    pub(super) fn file(&mut self, reply: Reply) {
        self.lookups.extend(reply.entry);
        self.freed_micros += reply.freed_micros;
        match reply.result {
            Ok(Told::Objected) => self.objected = true,
            Ok(Told::Answer { answer, kept }) => {
                // A second chance takes the place of the first.
                self.answers.retain(|known| known.provider != answer.provider);
                self.unstored.retain(|known| known.provider != answer.provider);
                if let AnswerContent::Pending { ready_at, .. } = answer.content {
                    self.owe_pending(&answer.provider, ready_at);
                } else {
                    self.answers.push((*answer).clone());
                }
                if kept == Kept::No {
                    self.unstored.push(*answer);
                }
            }
            Err(error) => self.owed.push(Owed { provider: reply.provider, cause: Cause::Error(error) }),
        }
    }

    /// What became of asking the provider, as far as answers tell.
    pub(super) fn standing(&self, provider: &str) -> Standing {
        if self.owed.iter().any(|owed| owed.provider == provider) {
            return Standing::Owes;
        }
        match self.answers.iter().find(|answer| answer.provider == provider).map(|answer| &answer.content) {
            Some(AnswerContent::NoMatch) => Standing::Missed,
            Some(_) => Standing::Answered,
            None if self.handle(provider).is_some() => Standing::Ready,
            None => Standing::Open,
        }
    }

    /// What the answers cost together.
    pub(super) fn spent_micros(&self) -> u64 {
        self.answers.iter().map(|answer| answer.cost_micros).fold(0, u64::saturating_add)
    }

    /// The handle of the answer that was ordered from this provider and should be ready.
    pub(super) fn handle(&self, provider: &str) -> Option<&str> {
        let ready = self.ready.iter().find(|(ordered_from, _)| ordered_from == provider);
        ready.map(|(_, handle)| handle.as_str())
    }

    /// Notes at each lookup what its answer teaches about the provider.
    pub(super) fn learn(&mut self, thresholds: &Thresholds, merged: &Merged) {
        for entry in &mut self.lookups {
            let answer = self.answers.iter().find(|answer| answer.provider == entry.provider);
            entry.lesson = match (entry.lesson, answer) {
                (Some(lesson), Some(answer)) => Some(taught(lesson, answer, thresholds, merged)),
                _ => None,
            };
        }
    }

    /// Whether an answer is still owed.
    pub(super) fn waits(&self) -> bool {
        !self.owed.is_empty()
    }

    pub(super) fn owed(&self) -> &[Owed] {
        &self.owed
    }

    pub(super) const fn freed_micros(&self) -> u64 {
        self.freed_micros
    }

    pub(super) const fn is_objected(&self) -> bool {
        self.objected
    }

    /// What the answers say together, each source believed as far as is known of it.
    pub(super) fn merged(&self, sources: &Sources) -> Merged {
        let statements: Vec<_> = self
            .answers
            .iter()
            .filter_map(|answer| match &answer.content {
                AnswerContent::Match(finding) => {
                    Some(Statement { provider: &answer.provider, fetched_at: answer.fetched_at, finding })
                }
                AnswerContent::NoMatch | AnswerContent::Pending { .. } => None,
            })
            .collect();
        merge::merge(&statements, sources)
    }

    /// The answers that are not stored yet, and the calls that were made.
    pub(super) fn into_papers(self) -> (Vec<Answer>, Vec<LookupEntry>) {
        (self.unstored, self.lookups)
    }

    fn owe_pending(&mut self, provider: &str, ready_at: Timestamp) {
        self.owed.push(Owed { provider: provider.to_owned(), cause: Cause::Pending { ready_at } });
    }
}

/// The lesson with what the answer has told.
fn taught(mut lesson: Lesson, answer: &Answer, thresholds: &Thresholds, merged: &Merged) -> Lesson {
    let AnswerContent::Match(finding) = &answer.content else { return lesson };
    let surest =
        finding.profiles.iter().map(|claim| claim.confidence).max_by(|a, b| a.get().total_cmp(&b.get()));
    let told = [
        (Field::Name, finding.name.as_ref().map(|claim| claim.confidence)),
        (Field::Age, finding.birth.as_ref().map(|claim| claim.confidence)),
        (Field::Social, surest),
    ];
    let mut brought = Fields::NONE;
    for (field, confidence) in told {
        let Some(confidence) = confidence else { continue };
        if confidence >= thresholds.of(field) {
            brought = brought.with(field);
        }
        let voices = sources_of(merged, field);
        let supports = |sources: &[Source]| sources.iter().any(|source| source.provider == answer.provider);
        if voices.iter().any(|sources| sources.len() > 1 && supports(sources)) {
            lesson.agreed = lesson.agreed.with(field);
        } else if field != Field::Social && !voices.iter().any(|sources| supports(sources)) {
            lesson.contradicted = lesson.contradicted.with(field);
        }
    }
    lesson.brought = Some(brought);
    lesson
}

/// Who supports the values of a field, for each value.
fn sources_of(merged: &Merged, field: Field) -> Vec<&[Source]> {
    match field {
        Field::Name => merged.name.iter().map(|name| name.sources.as_slice()).collect(),
        Field::Age => merged.birth.iter().map(|birth| birth.sources.as_slice()).collect(),
        Field::Social => merged.profiles.iter().map(|profile| profile.sources.as_slice()).collect(),
    }
}
