//! Capitals for names that come without small or without capital letters.
//!
//! Invariant: a name that has both is left as it is: its writer knew better (`McDonald`, `van der Berg`).

use super::words::{Classes, classes};

/// Gives a whole name its capitals, if it has only one case.
pub(super) fn capitalize(words: &mut [String]) {
    if is_one_case(words) {
        each(words, false);
    }
}

/// The same for a given or family name alone, which may begin with a particle ("van der Berg").
pub(super) fn capitalize_part(words: &mut [String]) {
    if is_one_case(words) {
        each(words, true);
    }
}

/// Whether a text has letters of one case only. Initials alone are no shouting: "J. R." stays.
fn is_one_case(words: &[String]) -> bool {
    let mut upper = 0_usize;
    let mut lower = 0_usize;
    for c in words.iter().flat_map(|word| word.chars()).filter(|c| has_case(*c)) {
        if c.is_lowercase() { lower += 1 } else { upper += 1 }
    }
    upper == 0 && lower > 0 || lower == 0 && upper > 0
}

/// Georgian has capitals for headlines only: never in a name.
fn has_case(c: char) -> bool {
    (c.is_lowercase() || c.is_uppercase()) && !matches!(c, '\u{10A0}'..='\u{10FF}' | '\u{1C90}'..='\u{1CBF}')
}

fn each(words: &mut [String], particle_may_begin: bool) {
    let last = words.iter().rposition(|word| !classes(word).has(Classes::GENERATION)).unwrap_or(0);
    for (index, word) in words.iter_mut().enumerate() {
        let class = classes(word);
        let begins = index == 0 && !particle_may_begin;
        *word = if index > last {
            generation(word)
        } else if !begins && index < last && class.has(Classes::PARTICLE) {
            word.to_lowercase()
        } else {
            capitalized(word, begins)
        };
    }
}

/// "III", "Jr.", "3rd"
fn generation(word: &str) -> String {
    if word.starts_with(['i', 'I']) {
        word.to_uppercase()
    } else if word.starts_with(|c: char| c.is_numeric()) {
        word.to_lowercase()
    } else {
        first_upper(&word.to_lowercase())
    }
}

/// One word, each piece between hyphens by itself: "Jean-Luc", "al-Rashid", "O'Neil-McDonald".
fn capitalized(word: &str, begins: bool) -> String {
    // İ would fall apart into an i and a dot above.
    let lower = word.replace('İ', "i").to_lowercase();
    let pieces: Vec<&str> = lower.split('-').collect();
    let inner = pieces.len() > 1;
    let pieces = pieces.iter().enumerate().map(|(index, piece)| {
        let ends = index == 0 || index + 1 == pieces.len();
        let arabic_article = inner && index == 0 && *piece == "al";
        let particle = inner && !ends && classes(piece).has(Classes::PARTICLE);
        if arabic_article || particle { (*piece).to_owned() } else { piece_capitalized(piece, begins) }
    });
    pieces.collect::<Vec<_>>().join("-")
}

fn piece_capitalized(piece: &str, begins: bool) -> String {
    if piece == "'t" {
        return piece.to_owned();
    }
    if piece.contains('.') {
        // J.R.R.
        return piece.split('.').map(first_upper).collect::<Vec<_>>().join(".");
    }
    if let Some((before, after)) = piece.split_once('\'') {
        return around_apostrophe(before, after, begins);
    }
    if let Some(rest) = piece.strip_prefix("mc").filter(|rest| rest.chars().count() >= 2) {
        return format!("Mc{}", first_upper(rest));
    }
    if let Some(rest) = piece.strip_prefix("mac").filter(|_| is_mac_name(piece)) {
        return format!("Mac{}", first_upper(rest));
    }
    first_upper(piece)
}

/// "O'Neil", "D'Angelo", but "Jeanne d'Arc"; after more than two letters the apostrophe is a sound ("Ka'ahumanu").
fn around_apostrophe(before: &str, after: &str, begins: bool) -> String {
    let prefix = before.chars().count() <= 2 && after.chars().count() > 1;
    let before = if before == "d" && !begins { before.to_owned() } else { first_upper(before) };
    let after = if prefix { piece_capitalized(after, true) } else { after.to_owned() };
    format!("{before}'{after}")
}

/// Mac names are few; Machado, Macron, Macey and Mackie are not among them.
fn is_mac_name(piece: &str) -> bool {
    matches!(
        piece,
        "macallister"
            | "macarthur"
            | "macaskill"
            | "macbeth"
            | "maccallum"
            | "macdonald"
            | "macdonell"
            | "macdougall"
            | "macdowell"
            | "macfarlane"
            | "macgregor"
            | "macinnes"
            | "macintyre"
            | "mackinnon"
            | "maclachlan"
            | "maclean"
            | "maclellan"
            | "macleod"
            | "macmillan"
            | "macneil"
            | "macneill"
            | "macpherson"
            | "macqueen"
            | "macrae"
            | "mactavish"
    )
}

fn first_upper(text: &str) -> String {
    let mut chars = text.chars();
    match chars.next() {
        Some(first) if has_case(first) => first.to_uppercase().chain(chars).collect(),
        _ => text.to_owned(),
    }
}
