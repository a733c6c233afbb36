//! What an answer means: the first rule of the file that fits, or else the common reading of its status.
//!
//! Invariant: an answer that no rule covers is `Malformed`, never "no match", which would be remembered.

use std::time::Duration;

use super::file::{Statuses, Then};
use super::select::{Document, Selector};
use super::template::{Filling, Template};
use crate::error::LookupError;
use crate::http::{Response, default_meaning};

/// How long an answer takes to be ready when nobody says so.
const UNSAID_WAIT: Duration = Duration::from_mins(2);

/// The longest word for an answer that is not ready.
const LONGEST_HANDLE: usize = 512;

/// One rule.
#[derive(Clone, Debug)]
pub(super) struct Rule {
    pub(super) status: Option<Statuses>,
    pub(super) finds: Option<Selector>,
    pub(super) unless: Option<Selector>,
    pub(super) equals: Option<Template>,
    pub(super) then: Then,
    pub(super) after: Option<Duration>,
    pub(super) handle: Option<Selector>,
    pub(super) reason: Option<String>,
}

/// What an answer is taken for.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Ruling {
    /// A match; by its status alone only if a field's selector finds something in it.
    Match {
        by_status: bool,
    },
    NoMatch,
    Pending {
        handle: String,
        after: Duration,
    },
    Objected,
    Error(LookupError),
}

impl Rule {
    /// Whether it looks into the answer.
    pub(super) const fn looks_inside(&self) -> bool {
        self.finds.is_some() || self.unless.is_some()
    }

    fn fits_status(&self, status: u16) -> bool {
        let in_range = |(from, to): &(u16, u16)| (*from..=*to).contains(&status);
        self.status.as_ref().is_none_or(|statuses| statuses.0.iter().any(in_range))
    }

    fn fits(&self, status: u16, document: &Document, filling: Filling<'_>) -> bool {
        let is_readable = !matches!(document, Document::Unreadable(_));
        self.fits_status(status)
            && (is_readable || !self.looks_inside())
            && self.finds.as_ref().is_none_or(|selector| {
                let found = document.find(selector);
                match &self.equals {
                    Some(wanted) => wanted.fill(filling).is_ok_and(|wanted| {
                        found.texts.iter().any(|text| text.to_lowercase() == wanted.to_lowercase())
                    }),
                    None => found.places > 0,
                }
            })
            && self.unless.as_ref().is_none_or(|selector| document.find(selector).places == 0)
    }

    fn ruling(&self, response: &Response, document: &Document) -> Ruling {
        let after = || response.retry_after().or(self.after);
        let reason = || match &self.reason {
            Some(reason) => reason.clone().into(),
            None => format!("status {}", response.status()).into(),
        };
        match self.then {
            Then::Match => Ruling::Match { by_status: !self.looks_inside() },
            Then::NoMatch => Ruling::NoMatch,
            Then::Objected => Ruling::Objected,
            Then::Pending => {
                let after = after().unwrap_or(UNSAID_WAIT);
                let Some(selector) = &self.handle else {
                    return Ruling::Pending { handle: String::new(), after };
                };
                match document.find(selector).texts.into_iter().next().filter(|text| is_handle(text)) {
                    Some(handle) => Ruling::Pending { handle, after },
                    None => {
                        Ruling::Error(LookupError::malformed("an answer to wait for, without its handle"))
                    }
                }
            }
            Then::RateLimited => {
                Ruling::Error(LookupError::RateLimited { after: after().unwrap_or(UNSAID_WAIT) })
            }
            Then::QuotaExhausted => {
                Ruling::Error(LookupError::QuotaExhausted { reason: reason(), after: after() })
            }
            Then::Denied => Ruling::Error(LookupError::Denied { reason: reason() }),
            Then::Unavailable => Ruling::Error(LookupError::Unavailable { reason: reason() }),
            Then::Refused => Ruling::Error(LookupError::Refused { reason: reason() }),
            Then::Malformed => Ruling::Error(LookupError::Malformed { reason: reason() }),
        }
    }
}

/// Whether a text can be kept, and sent again in a URL: one word of plain characters.
fn is_handle(text: &str) -> bool {
    text.len() <= LONGEST_HANDLE && text.chars().all(|c| c.is_ascii_graphic())
}

/// The rule that fits, by its number from 1, and what the answer means.
pub(super) fn judge(
    rules: &[Rule],
    response: &Response,
    document: &Document,
    filling: Filling<'_>,
) -> (Option<usize>, Ruling) {
    let fitting = rules.iter().enumerate().find(|(_, rule)| rule.fits(response.status(), document, filling));
    match fitting {
        Some((at, rule)) => (Some(at + 1), rule.ruling(response, document)),
        None => (None, unruled(rules, response, document)),
    }
}

/// The answer is no rule's: its status is read as everywhere. A success is a match, unless the file says what a match
/// looks like.
fn unruled(rules: &[Rule], response: &Response, document: &Document) -> Ruling {
    if let Some(error) = default_meaning(response) {
        return Ruling::Error(error);
    }
    let status = response.status();
    match document {
        Document::Unreadable(error) if status != 404 => Ruling::Error(error.clone()),
        _ if status == 404 || rules.iter().any(|rule| rule.then == Then::Match) => {
            let reason = format!("no rule of the file covers this answer of status {status}");
            Ruling::Error(LookupError::malformed(reason))
        }
        _ => Ruling::Match { by_status: true },
    }
}

/// What goes wrong with a page by its status alone: it is read only after it has passed the door, which needs to know.
pub(super) fn fault_of_page(rules: &[Rule], response: &Response) -> Option<LookupError> {
    let Some(rule) = rules.iter().find(|rule| rule.fits_status(response.status())) else {
        return default_meaning(response);
    };
    let unread = Document::Unreadable(LookupError::malformed("not read yet"));
    match rule.ruling(response, &unread) {
        Ruling::Error(error) => Some(error),
        _ => None,
    }
}
