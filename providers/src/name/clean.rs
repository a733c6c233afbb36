//! Characters: what may be in a name, and what the rest becomes.
//!
//! Invariant: the outcome is NFC, holds no control character and no two spaces in a row. Only characters are judged
//! here, never words.

use unicode_normalization::UnicodeNormalization;
use unicode_normalization::char::is_combining_mark;

use super::{NameError, damage};
use crate::email::is_invisible;

/// A text of this many octets is no name, whatever it holds.
const MAX_OCTETS: usize = 4_000;

/// What stands where a slogan begins: one sign for all of them.
pub(super) const SEPARATOR: char = '|';

/// The text with only the characters that a name, or the structure around one, is made of.
pub(super) fn clean(text: &str) -> Result<String, NameError> {
    if text.len() > MAX_OCTETS {
        return Err(NameError::NotAName("is too long"));
    }
    let text = &*damage::undone(text)?;
    let mut kept = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(c) = rest.chars().next() {
        if c == ':'
            && let Some(after) = after_shortcode(rest)
        {
            push(&mut kept, ' ');
            rest = after;
            continue;
        }
        if c.is_ascii() {
            push(&mut kept, ascii_replacement(c));
        } else if c == '\u{FFFD}' {
            return Err(NameError::NotAName("has characters that were lost in decoding"));
        } else if is_styled_letter(c) {
            c.nfkc().for_each(|plain| push(&mut kept, plain));
        } else if !is_invisible(c) {
            push(&mut kept, replacement(c));
        }
        rest = rest.get(c.len_utf8()..).unwrap_or_default();
    }
    kept.truncate(kept.trim_end_matches(' ').len());
    if !kept.is_ascii() {
        kept = kept.nfc().collect();
    }
    Ok(kept)
}

/// Adds a character; of spaces only the first, and none in front.
fn push(kept: &mut String, c: char) {
    if c != ' ' || !(kept.is_empty() || kept.ends_with(' ')) {
        kept.push(c);
    }
}

/// What follows a `:shortcode:` at the start of the text.
fn after_shortcode(text: &str) -> Option<&str> {
    let inner = text.strip_prefix(':')?;
    let end = inner.find(|c: char| !(c.is_ascii_alphanumeric() || "_+-".contains(c)))?;
    if end == 0 { None } else { inner.get(end..)?.strip_prefix(':') }
}

/// Letters dressed up as other characters: 𝓐𝓭𝓪, Ⓐⓓⓐ, Ａｄａ.
fn is_styled_letter(c: char) -> bool {
    let styled = matches!(c,
        '\u{1D400}'..='\u{1D7FF}' | '\u{24B6}'..='\u{24E9}' | '\u{2100}'..='\u{214F}'
        | '\u{FF21}'..='\u{FF3A}' | '\u{FF41}'..='\u{FF5A}');
    styled && c.is_alphabetic()
}

fn ascii_replacement(c: char) -> char {
    let is_mark = matches!(c, '!'..=')' | '+'..='/' | ':'..='@' | '['..='_' | '{'..='}');
    let says_nothing = matches!(c, '$' | '%' | '^' | '?');
    if c == '`' {
        '\''
    } else if c == '#' {
        // `#opentowork`
        SEPARATOR
    } else if c.is_ascii_alphanumeric() || is_mark && !says_nothing {
        c
    } else {
        ' '
    }
}

/// Beyond ASCII: one sign for all that look alike, letters and marks as they are.
fn replacement(c: char) -> char {
    match c {
        '’' | '‘' | '´' | 'ʹ' | '′' | '＇' => '\'',
        '‐' | '‑' | '−' | '－' | '﹣' => '-',
        '–' | '—' | '―' => '–',
        '“' | '”' | '„' | '‟' | '«' | '»' | '″' | '「' | '」' | '『' | '』' | '＂' => '"',
        '（' | '〔' | '【' => '(',
        '）' | '〕' | '】' => ')',
        '|' | '¦' | '•' | '‣' | '∙' | '⋅' | '●' | '│' | '┃' | '｜' | '❘' | '⁄' => {
            SEPARATOR
        }
        '，' | '、' | '،' => ',',
        '＠' | '﹫' => '@',
        '／' => '/',
        '：' => ':',
        // Catalan l·l, Japanese and Chinese dots between the words of foreign names, Hebrew signs for initials
        '·' | '・' | '‧' | '\u{5F3}' | '\u{5F4}' => c,
        _ if !is_picture(c) && (c.is_alphanumeric() || is_combining_mark(c)) => c,
        _ => ' ',
    }
}

/// Emoji and the like, some of which Unicode counts as letters.
fn is_picture(c: char) -> bool {
    matches!(c, '\u{1F000}'..='\u{1FAFF}')
}
