//! Full, given and family name brought together: one round of normalization.
//!
//! Invariant: a part that is kept is found in the full name, and given and family name never overlap.

use std::ops::Range;

use super::structure::{Structure, read_full, read_part};
use super::words::key;
use super::{NameError, Parts, PersonName, agree};

/// Normalizes once. The outcome always has a full name.
pub(super) fn read(parts: &Parts) -> Result<Parts, NameError> {
    let given = stated(parts.given.as_deref());
    let family = stated(parts.family.as_deref());
    let full = match parts.full.as_deref().map(read_full) {
        Some(Ok(full)) => full,
        // A handle or a slogan where the name should be: the parts may still be good.
        refused => {
            let reason = refused.and_then(Result::err).filter(|reason| *reason != NameError::Empty);
            match (given?, family?) {
                (None, None) => return Err(reason.unwrap_or(NameError::Empty)),
                (given, family) => return from_parts_alone(&given, &family, parts.family.as_deref()),
            }
        }
    };
    Ok(together(full, &given.unwrap_or_default(), &family.unwrap_or_default()))
}

type Words = Option<Vec<String>>;

fn stated(text: Option<&str>) -> Result<Words, NameError> {
    text.map_or(Ok(None), read_part)
}

/// Makes the full name of the parts; it must then be a name itself.
fn from_parts_alone(given: &Words, family: &Words, family_text: Option<&str>) -> Result<Parts, NameError> {
    let mut full = composed(given.as_deref().unwrap_or_default(), family.as_deref().unwrap_or_default());
    if let Some(generation) = family_text.and_then(generation_of) {
        full = format!("{full} {generation}");
    }
    Ok(together(read_full(&full)?, given, family))
}

/// "King Jr.": the generation belongs to the full name.
fn generation_of(family: &str) -> Option<&str> {
    let (_, last) = family.trim().rsplit_once([' ', ','])?;
    super::words::classes(last).has(super::words::Classes::GENERATION).then_some(last)
}

/// Given and family name as one; East Asian ones the other way round and without a space.
fn composed(given: &[String], family: &[String]) -> String {
    let east_asian =
        |words: &[String]| !words.is_empty() && words.iter().flat_map(|word| word.chars()).all(is_east_asian);
    if east_asian(given) && east_asian(family) {
        return [family, given].concat().concat();
    }
    [given, family].concat().join(" ")
}

/// Han, kana and hangul.
pub(super) fn is_east_asian(c: char) -> bool {
    matches!(c, '\u{3005}'..='\u{3007}' | '\u{3040}'..='\u{30FF}' | '\u{3400}'..='\u{9FFF}'
        | '\u{AC00}'..='\u{D7AF}' | '\u{F900}'..='\u{FAFF}' | '\u{20000}'..='\u{3134F}')
}

/// Keeps the parts that the full name contains, in its spelling.
fn together(full: Structure, given: &Words, family: &Words) -> Parts {
    let Structure { mut words, given: given_told, family: family_told } = full;
    if let (Some(given), Some(family)) = (given, family)
        && is_only_one_of(&words, given, family)
    {
        let longer = composed(given, family);
        if longer.chars().count() <= PersonName::MAX_CHARS {
            words = longer.split(' ').map(str::to_owned).collect();
        }
    }
    let (given_place, family_place) = places(&words, given, family);
    let full = words.join(" ");
    let part = |place: Option<Range<usize>>, stated: &Words, told: Option<String>| {
        let words = place.and_then(|place| words.get(place)).filter(|part| !part.is_empty());
        words.map(|part| part.join(" ")).or_else(|| east_asian_inside(&full, stated)).or(told)
    };
    let given = part(given_place, given, given_told);
    let family = part(family_place, family, family_told);
    Parts { full: Some(full), given, family }
}

/// Where the full name holds given and family name; never the same words for both.
fn places(full: &[String], given: &Words, family: &Words) -> (Option<Range<usize>>, Option<Range<usize>>) {
    let family = family.as_deref().and_then(|family| place(full, family, Side::Right));
    let given = given.as_deref().and_then(|given| place(full, given, Side::Left));
    match (given, family) {
        // Vendors that put the whole name into the given name: what precedes the family name is the given one.
        (Some(given), Some(family)) if given.start < family.end && family.start < given.end => {
            (Some(given.start..family.start.max(given.start)), Some(family))
        }
        apart => apart,
    }
}

/// A part of an East Asian name, which is written without spaces.
fn east_asian_inside(full: &str, part: &Words) -> Option<String> {
    let part = part.as_ref()?.concat();
    (part.chars().all(is_east_asian) && full != part && full.contains(part.as_str())).then_some(part)
}

/// Whether a source put just the given or just the family name where the full one should be.
fn is_only_one_of(full: &[String], given: &[String], family: &[String]) -> bool {
    let apart = place(given, family, Side::Right).is_none() && place(family, given, Side::Left).is_none();
    let full = folded(full);
    apart && (full == folded(given) || full == folded(family))
}

#[derive(Clone, Copy, Eq, PartialEq)]
enum Side {
    Left,
    Right,
}

/// Where the full name holds the words of a part, however they are spaced, hyphened, accented and cased.
fn place(full: &[String], part: &[String], side: Side) -> Option<Range<usize>> {
    let wanted = folded(part);
    if wanted.is_empty() {
        return None;
    }
    let from = |start: usize| {
        let mut seen = String::new();
        for (offset, word) in full.iter().skip(start).enumerate() {
            seen.push_str(&folded(std::slice::from_ref(word)));
            if seen.len() >= wanted.len() {
                return (seen == wanted).then_some(start..start + offset + 1);
            }
        }
        None
    };
    match side {
        Side::Left => (0..full.len()).find_map(from),
        Side::Right => (0..full.len()).rev().find_map(from),
    }
}

fn folded(words: &[String]) -> String {
    words.iter().map(|word| key(&agree::fold(word)).replace('-', "")).collect()
}
