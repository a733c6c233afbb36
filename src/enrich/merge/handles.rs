//! What accounts are called: like the person that a source names, or like somebody else.
//!
//! Invariant: pure; that no account bears a name proves nothing by itself.

use std::collections::BTreeSet;

use gleaner_providers::PersonName;

use super::voices::Voices;

/// The shortest word of a name that says something.
const SHORTEST: usize = 3;

/// Whether a source whose name is written in other letters than those of a side speaks of its person: the names alone say
/// nothing then, unless an account bears the one that is in Latin letters. None where the letters are the same.
pub(super) fn in_another_script(voices: &Voices<'_>, provider: &str, side: &BTreeSet<&str>) -> Option<bool> {
    let own = voices.name_of(provider)?;
    if voices.names_of(side).any(|name| is_latin(name) == is_latin(own)) {
        return None;
    }
    let (handles, names) = if is_latin(own) {
        (handles_of(voices, side), vec![own])
    } else {
        (handles_of(voices, &BTreeSet::from([provider])), voices.names_of(side).collect())
    };
    let words: Vec<String> = names.into_iter().flat_map(words_of).collect();
    Some(handles.is_empty() || handles.iter().any(|handle| bears(handle, &words)))
}

/// How much likelier the accounts of those who give no name are somebody else's than those of the person whom a side names, by
/// what they are called, as the logarithm of odds. Names in other letters are found again in the side's own accounts.
pub(super) fn evidence_of_another(
    voices: &Voices<'_>,
    nameless: &BTreeSet<&str>,
    side: &BTreeSet<&str>,
) -> f64 {
    /// How often some account of somebody bears their name, and how often that of somebody else does.
    const OWN: f64 = 0.6;
    const FOREIGN: f64 = 0.02;
    let own = handles_of(voices, nameless);
    let theirs = handles_of(voices, side);
    let of_accounts = theirs.iter().flat_map(|handle| long(handle.split(|c: char| !c.is_alphabetic())));
    let of_names = voices.names_of(side).filter(|name| is_latin(name)).flat_map(words_of);
    let words: Vec<String> = of_accounts.chain(of_names).collect();
    let letters = |handle: &String| handle.chars().filter(|c| c.is_alphabetic()).collect::<String>();
    match () {
        () if own.is_empty() || words.is_empty() => 0.0,
        () if own.iter().any(|handle| bears(&letters(handle), &words)) => (FOREIGN / OWN).ln(),
        () => ((1.0 - FOREIGN) / (1.0 - OWN)).ln(),
    }
}

/// What the accounts are called that these sources give, in small letters.
fn handles_of(voices: &Voices<'_>, side: &BTreeSet<&str>) -> Vec<String> {
    let of = voices.profiles.iter().filter(|said| side.contains(said.provider));
    of.filter_map(|said| said.value.handle()).map(str::to_lowercase).collect()
}

fn is_latin(name: &PersonName) -> bool {
    name.full().chars().any(|c| c.is_alphabetic() && c < '\u{250}')
}

/// Whether an account is called by one of these words.
fn bears(handle: &str, words: &[String]) -> bool {
    words.iter().any(|word| handle.contains(word.as_str()))
}

fn words_of(name: &PersonName) -> Vec<String> {
    long(name.full().to_lowercase().split([' ', '-', '.']))
}

fn long<'w>(words: impl Iterator<Item = &'w str>) -> Vec<String> {
    words.filter(|word| word.chars().count() >= SHORTEST).map(str::to_owned).collect()
}
