//! The spelling of vendors brought to one alphabet before it is read.
//!
//! Invariant: digits are never made up: superscripts and fractions stay what they are, and are refused later.

use unicode_normalization::UnicodeNormalization;

use super::AgeError;

/// No statement about one person's age is longer, in bytes.
const LONGEST: usize = 80;

/// Trimmed, lower case, composed; every dash a `-`, every space a blank, full-width forms as ASCII.
pub(super) fn tidy(text: &str) -> Result<String, AgeError> {
    let text = text.trim();
    if text.is_empty() {
        return Err(AgeError::Invalid("empty"));
    }
    if text.len() > LONGEST {
        return Err(AgeError::Invalid("too long"));
    }
    if text.is_ascii() {
        return Ok(text.to_ascii_lowercase());
    }
    Ok(text.nfc().flat_map(char::to_lowercase).map(plain).collect())
}

fn plain(c: char) -> char {
    match c {
        '\u{2010}'..='\u{2015}' | '\u{2212}' | '\u{fe58}' | '\u{fe63}' => '-',
        '\u{2018}' | '\u{2019}' => '\'',
        // Full-width ASCII lies at a fixed distance from ASCII.
        '\u{ff01}'..='\u{ff5e}' => char::from_u32(u32::from(c) - 0xfee0).unwrap_or(c).to_ascii_lowercase(),
        c if c.is_whitespace() => ' ',
        c => c,
    }
}
