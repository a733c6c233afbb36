//! What is known of one member while the job runs: answers old and new, and what is still owed.

use gleaner_providers::LookupError;
use gleaner_providers::error::Remedy;
use jiff::Timestamp;

use super::Kept;
use super::lookup::{Reply, Told};
use super::merge::{self, Merged, Sources, Statement};
use crate::job::{Answer, AnswerContent, LookupEntry};

/// The working papers of one execution.
#[derive(Debug)]
pub(super) struct Dossier {
    answers: Vec<Answer>,
    lookups: Vec<LookupEntry>,
    unstored: Vec<Answer>,
    owed: Vec<Owed>,
    objected: bool,
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
    /// Starts from the stored answers. One that is pending and ready by now is asked for again.
    pub(super) fn open(stored: Vec<Answer>, now: Timestamp) -> Self {
        let mut dossier = Self {
            answers: Vec::new(),
            lookups: Vec::new(),
            unstored: Vec::new(),
            owed: Vec::new(),
            objected: false,
        };
        for answer in stored {
            match &answer.content {
                AnswerContent::Pending { ready_at, .. } if *ready_at <= now => {}
                AnswerContent::Pending { ready_at, .. } => dossier.owe_pending(&answer.provider, *ready_at),
                AnswerContent::Match(_) | AnswerContent::NoMatch => dossier.answers.push(answer),
            }
        }
        dossier
    }

    /// Adds what came of a lookup.
    pub(super) fn file(&mut self, reply: Reply) {
        self.lookups.extend(reply.entry);
        match reply.result {
            Ok(Told::Objected) => self.objected = true,
            Ok(Told::Answer { answer, kept }) => {
                if let AnswerContent::Pending { ready_at, .. } = answer.content {
                    self.owe_pending(&answer.provider, ready_at);
                } else {
                    self.answers.push((*answer).clone());
                }
                if kept == Kept::No {
                    self.unstored.push(*answer);
                }
            }
            // Given up for good: nobody owes an answer, and nothing is remembered.
            Err(error) if error.remedy() == Remedy::GiveUp => {}
            Err(error) => self.owed.push(Owed { provider: reply.provider, cause: Cause::Error(error) }),
        }
    }

    /// Whether the provider has neither answered nor said "later".
    pub(super) fn lacks(&self, provider: &str) -> bool {
        !self.answers.iter().any(|answer| answer.provider == provider)
            && !self.owed.iter().any(|owed| owed.provider == provider)
    }

    /// Whether an answer is still owed.
    pub(super) fn waits(&self) -> bool {
        !self.owed.is_empty()
    }

    pub(super) fn owed(&self) -> &[Owed] {
        &self.owed
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
