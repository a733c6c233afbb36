//! What is not a person's name.
//!
//! Invariant: judges and changes nothing; no reason carries any of the text.

use super::NameError;
use super::clean::SEPARATOR;
use super::words::{Classes, Word};

fn not_a_name(reason: &'static str) -> NameError {
    NameError::NotAName(reason)
}

/// Judges the cleaned text as a whole.
pub(super) fn text(text: &str) -> Result<(), NameError> {
    if text.is_empty() {
        return Err(NameError::Empty);
    }
    let first_word = text.trim_start_matches(['=', '+', '-', ' ']);
    let is_one_handle = first_word.strip_prefix('@').is_some_and(|rest| !rest.contains(' '));
    if is_one_handle || inner_at(first_word) {
        return Err(not_a_name("has an `@`: an address or a handle"));
    }
    if text.starts_with('=') && text.contains(['(', '!', SEPARATOR]) {
        return Err(not_a_name("is a formula"));
    }
    if text.contains(['.', ':', '/', '\\', ')', ']', '<']) {
        marked(&text.to_lowercase())?;
    }
    if !text.chars().any(char::is_alphabetic) {
        return Err(not_a_name("has no letters"));
    }
    Ok(())
}

/// What punctuation gives away.
fn marked(lower: &str) -> Result<(), NameError> {
    if lower.contains("://") || lower.contains("www.") || lower.contains("mailto:") {
        return Err(not_a_name("is a web address"));
    }
    if lower.ends_with("[bot]") || lower.ends_with("(bot)") {
        return Err(not_a_name("is a program"));
    }
    if lower.contains("<script") {
        return Err(not_a_name("is code"));
    }
    if matches!(lower, "n/a" | "n.a." | "n\\a") {
        return Err(not_a_name("is a placeholder"));
    }
    Ok(())
}

fn inner_at(text: &str) -> bool {
    text.strip_prefix('@').unwrap_or(text).contains('@')
}

/// Judges the words of a whole name, titles and all.
pub(super) fn words(words: &[&Word]) -> Result<(), NameError> {
    if words.iter().all(|word| word.is(Classes::EMPTY)) {
        return Err(not_a_name("is a placeholder"));
    }
    if is_organisation(words) {
        return Err(not_a_name("is an organisation"));
    }
    if words.len() > 1 && words.last().is_some_and(|word| word.is(Classes::FUNCTION)) {
        return Err(not_a_name("is a function, not a person"));
    }
    if names_several(words) {
        return Err(not_a_name("names several people"));
    }
    marks(words)
}

/// "Ada and Jane"; but "von und zu" is one family.
fn names_several(words: &[&Word]) -> bool {
    let joins = |pair: &[&Word]| matches!(pair, [before, and] if matches!(and.text.as_str(), "and" | "und") && !before.is(Classes::PARTICLE));
    words.iter().any(|word| word.text.contains('&')) || words.windows(2).any(joins)
}

/// Judges the characters of words: handles, web addresses, numbers, noise.
pub(super) fn marks(words: &[&Word]) -> Result<(), NameError> {
    if words.iter().any(|word| is_handle(&word.text)) {
        return Err(not_a_name("is a handle"));
    }
    if words.iter().any(|word| is_host_name(&word.text)) {
        return Err(not_a_name("is a web address"));
    }
    let count =
        |test: fn(&char) -> bool| words.iter().flat_map(|word| word.text.chars()).filter(test).count();
    let (letters, digits) = (count(|c| c.is_alphabetic()), count(|c| c.is_numeric()));
    if letters == 0 {
        return Err(not_a_name("has no letters"));
    }
    if digits >= 3 || digits * 3 >= letters || (digits > 0 && words.len() == 1) {
        return Err(not_a_name("has too many digits"));
    }
    if words.iter().any(|word| is_noise(&word.text)) {
        return Err(not_a_name("is noise"));
    }
    Ok(())
}

fn is_organisation(words: &[&Word]) -> bool {
    let the = words.len() > 1 && words.first().is_some_and(|word| word.text.eq_ignore_ascii_case("the"));
    let form = words.len() > 1
        && words.last().is_some_and(|last| {
            let marked =
                last.text.contains('.') || last.is_upper() && !words.iter().all(|word| word.is_upper());
            last.is(Classes::COMPANY_FORM) && marked
        });
    the || form || words.iter().any(|word| word.is(Classes::COMPANY))
}

/// `ada_example`, `xXadaXx`.
fn is_handle(word: &str) -> bool {
    let lower = word.to_ascii_lowercase();
    word.contains(['_', '\\', '=']) || word.len() > 4 && lower.starts_with("xx") && lower.ends_with("xx")
}

/// `ada.example`, `example.com`: a dot inside, with small letters on both its sides.
fn is_host_name(word: &str) -> bool {
    word.match_indices('.').any(|(dot, _)| {
        let before = word.get(..dot).and_then(|text| text.chars().next_back());
        let mut after = word.get(dot + 1..).unwrap_or_default().chars();
        let two_after =
            after.next().is_some_and(char::is_lowercase) && after.next().is_some_and(char::is_lowercase);
        two_after && before.is_some_and(|c| c.is_lowercase() || c.is_numeric())
    })
}

/// `aaaa`: one letter over and over.
fn is_noise(word: &str) -> bool {
    let mut letters = word.chars();
    let first = letters.next();
    word.is_ascii()
        && word.len() >= 3
        && letters.all(|c| Some(c.to_ascii_lowercase()) == first.map(|c| c.to_ascii_lowercase()))
        && !word.eq_ignore_ascii_case("iii")
}
