//! Where a file that somebody wrote in TOML is wrong, and what was probably meant.
//!
//! Invariant: a fault names line and key, and nothing that stands elsewhere in the file.

use std::fmt;

/// One thing that is wrong with a text, at its place.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Fault {
    /// From 1.
    pub line: usize,
    pub column: usize,
    /// What is wrong, and what to do about it.
    pub message: String,
}

impl Fault {
    /// The fault that a reader found in `text`. Serde lists the keys it knows; this adds the one that was probably meant.
    pub fn of(text: &str, error: &toml::de::Error) -> Self {
        let message = with_nearest(error.message());
        Self::at(text, error.span().map_or(0, |span| span.start), message)
    }

    /// A fault at this byte of the text.
    pub fn at(text: &str, byte: usize, message: impl Into<String>) -> Self {
        let before = text.get(..byte).unwrap_or(text);
        let line_start = before.rfind('\n').map_or(0, |newline| newline + 1);
        let line = before.matches('\n').count() + 1;
        let column = before.get(line_start..).unwrap_or_default().chars().count() + 1;
        Self { line, column, message: message.into() }
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}: {}", self.line, self.column, self.message)
    }
}

/// Any other message than one of an unknown word stays as it is.
pub(super) fn with_nearest(message: &str) -> String {
    let mut quoted = message.split('`').skip(1).step_by(2);
    let (true, Some(unknown)) = (message.starts_with("unknown "), quoted.next()) else {
        return message.to_owned();
    };
    match nearest(unknown, quoted) {
        Some(known) => format!("{message}; did you mean `{known}`?"),
        None => message.to_owned(),
    }
}

/// The known word that a mistyped one is closest to, if any is close.
pub fn nearest<'a>(word: &str, known: impl Iterator<Item = &'a str>) -> Option<&'a str> {
    known
        .map(|candidate| (strsim::jaro_winkler(word, candidate), candidate))
        .filter(|(similarity, _)| *similarity > 0.75)
        .max_by(|a, b| a.0.total_cmp(&b.0))
        .map(|(_, candidate)| candidate)
}
