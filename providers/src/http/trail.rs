//! What a lookup did, step by step, for whoever tries a provider out. Nobody else keeps one.
//!
//! Invariant: secrets do not get in, personal data does: a trail is shown to the one who asked, and never logged.

use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};

use reqwest::header::HeaderMap;
use serde::Serialize;

/// The steps of one lookup. Clones write to the same one.
#[derive(Clone, Default)]
pub struct Trail(Arc<Mutex<Vec<Step>>>);

/// One step.
#[derive(Clone, Eq, PartialEq, Serialize)]
pub struct Step {
    /// What happened, in a word: `sent`, `header`, `answer`, `rule`, `field`, …
    pub step: &'static str,
    pub text: String,
}

impl Trail {
    pub fn note(&self, step: &'static str, text: String) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).push(Step { step, text });
    }

    /// The steps so far.
    pub fn steps(&self) -> Vec<Step> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

/// Headers as they may be shown.
pub(super) fn shown(headers: &HeaderMap) -> impl Iterator<Item = String> {
    headers.iter().map(|(name, value)| {
        let value = match value.to_str() {
            _ if value.is_sensitive() => "[secret]",
            Ok(value) => value,
            Err(_) => "[no text]",
        };
        format!("{name}: {value}")
    })
}

impl fmt::Debug for Trail {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Trail({} steps, redacted)", self.steps().len())
    }
}

impl fmt::Debug for Step {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Step").field("step", &self.step).finish_non_exhaustive()
    }
}
