//! What an import or a replay is called, and what a claimed job must know of its own.
//!
//! Invariant: pure types; a batch's name can stand in logs, as a member's id can.

use std::fmt;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::Answer;
use crate::record::Confidences;

/// A batch's row number.
#[derive(Clone, Copy, Debug, Deserialize, Eq, Hash, Ord, PartialEq, PartialOrd, Serialize)]
#[serde(transparent)]
pub struct BatchId(pub i64);

/// What people call a batch.
#[derive(Clone, Debug, Deserialize, Eq, Hash, Ord, PartialEq, PartialOrd, Serialize)]
#[serde(try_from = "String", into = "String")]
pub struct BatchName(String);

/// Why a text cannot be a batch's name.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
pub enum BatchNameError {
    #[error("the batch's name is empty")]
    Empty,
    #[error("the batch's name is longer than {} bytes", BatchName::MAX_BYTES)]
    TooLong,
    #[error("the batch's name may hold letters, digits and `.` `-` `_` `:` only: it appears in logs")]
    Character,
}

impl BatchName {
    pub const MAX_BYTES: usize = 100;

    pub fn parse(text: &str) -> Result<Self, BatchNameError> {
        let text = text.trim();
        if text.is_empty() {
            Err(BatchNameError::Empty)
        } else if text.len() > Self::MAX_BYTES {
            Err(BatchNameError::TooLong)
        } else if text.chars().all(|c| c.is_alphanumeric() || ".-_:".contains(c)) {
            Ok(Self(text.to_owned()))
        } else {
            Err(BatchNameError::Character)
        }
    }

    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for BatchName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl TryFrom<String> for BatchName {
    type Error = BatchNameError;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        Self::parse(&text)
    }
}

impl From<BatchName> for String {
    fn from(name: BatchName) -> Self {
        name.0
    }
}

/// What a job must know of the batch that it runs for.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct InBatch {
    pub batch: BatchId,
    /// Whether it looks members up again.
    pub is_replay: bool,
    /// Whether money for it must be reserved before it is spent.
    pub is_capped: bool,
    /// Which stored answers are not good enough.
    pub refresh: Option<Refresh>,
}

/// The answers that a replay asks for again.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Refresh {
    /// Those fetched before: what the replay itself has fetched is good, also after a crash.
    pub before: Timestamp,
    /// Of this provider only.
    pub provider: Option<String>,
}

impl Refresh {
    /// Whether an answer of this provider and moment is asked for again.
    pub fn asks_again(&self, provider: &str, fetched_at: Timestamp) -> bool {
        fetched_at < self.before && self.provider.as_deref().is_none_or(|only| only == provider)
    }
}

/// What a job asks for anew, and what it takes as it is: the job and its forecast go by the same.
#[derive(Clone, Copy, Debug)]
pub struct Anew<'a>(Option<&'a Refresh>);

impl<'a> Anew<'a> {
    pub const fn of(refresh: Option<&'a Refresh>) -> Self {
        Self(refresh)
    }

    /// Whether anybody is asked again.
    pub const fn asks_anybody(self) -> bool {
        self.0.is_some()
    }

    /// Whether a stored answer is good enough.
    pub fn takes(self, answer: &Answer) -> bool {
        self.0.is_none_or(|refresh| !refresh.asks_again(&answer.provider, answer.fetched_at))
    }

    /// What is filled as far as the record knows, unless it is looked up anew. What we think of a provider changes as we learn; that
    /// a replay would then ask, and pay, for what the record holds already was nobody's wish.
    pub fn settled(self, recorded: Confidences) -> Confidences {
        if self.asks_anybody() { Confidences::default() } else { recorded }
    }

    /// The one provider that is asked again whatever the others have said.
    pub fn on_purpose(self) -> Option<&'a str> {
        self.0?.provider.as_deref()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_can_stand_in_a_log_and_on_a_command_line() {
        for good in ["spring-2026", " a ", "übernahme:7", "x.y_z"] {
            assert_eq!(BatchName::parse(good).unwrap().as_str(), good.trim());
        }
        for (bad, error) in [
            (" ", BatchNameError::Empty),
            ("ada@example.com", BatchNameError::Character),
            ("two words", BatchNameError::Character),
            ("a\nb", BatchNameError::Character),
            (&"x".repeat(101), BatchNameError::TooLong),
        ] {
            assert_eq!(BatchName::parse(bad), Err(error), "{bad}");
        }
    }

    #[test]
    fn only_older_answers_of_the_named_provider_are_asked_for_again() {
        let at = |second| Timestamp::from_second(second).unwrap();
        let all = Refresh { before: at(10), provider: None };
        let one = Refresh { before: at(10), provider: Some("github".to_owned()) };
        for (refresh, provider, fetched, again) in [
            (&all, "gravatar", 9, true),
            (&all, "gravatar", 10, false),
            (&one, "github", 9, true),
            (&one, "gravatar", 9, false),
        ] {
            assert_eq!(refresh.asks_again(provider, at(fetched)), again);
        }
    }
}
