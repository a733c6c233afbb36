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
    let own = voices.names.iter().find(|said| said.provider == provider)?.value;
    let theirs: Vec<_> = voices.names.iter().filter(|said| side.contains(said.provider)).collect();
    if theirs.iter().any(|said| is_latin(said.value) == is_latin(own)) {
        return None;
    }
    let accounts = |of_side: bool| {
        let of = voices.profiles.iter().filter(move |said| {
            if of_side { side.contains(said.provider) } else { said.provider == provider }
        });
        of.filter_map(|said| said.value.handle()).collect::<Vec<_>>()
    };
    let (handles, names): (_, Vec<&PersonName>) = if is_latin(own) {
        (accounts(true), vec![own])
    } else {
        (accounts(false), theirs.iter().map(|said| said.value).collect())
    };
    Some(handles.is_empty() || names.iter().any(|name| handles.iter().any(|handle| bears(handle, name))))
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
    let handles = |side: &BTreeSet<&str>| {
        let of = voices.profiles.iter().filter(|said| side.contains(said.provider));
        of.filter_map(|said| said.value.handle()).map(str::to_lowercase).collect::<Vec<_>>()
    };
    let own = handles(nameless);
    let mut words: Vec<String> = handles(side)
        .iter()
        .flat_map(|handle| handle.split(|c: char| !c.is_alphabetic()).map(str::to_owned).collect::<Vec<_>>())
        .collect();
    let names = voices.names.iter().filter(|said| side.contains(said.provider) && is_latin(said.value));
    words.extend(names.flat_map(|said| words_of(said.value)));
    words.retain(|word| word.chars().count() >= SHORTEST);
    let letters = |handle: &String| handle.chars().filter(|c| c.is_alphabetic()).collect::<String>();
    let is_called_so = |handle: &String| words.iter().any(|word| letters(handle).contains(word.as_str()));
    match () {
        () if own.is_empty() || words.is_empty() => 0.0,
        () if own.iter().any(is_called_so) => (FOREIGN / OWN).ln(),
        () => ((1.0 - FOREIGN) / (1.0 - OWN)).ln(),
    }
}

fn is_latin(name: &PersonName) -> bool {
    name.full().chars().any(|c| c.is_alphabetic() && c < '\u{250}')
}

/// Whether an account is called like the person.
fn bears(handle: &str, name: &PersonName) -> bool {
    let handle = handle.to_lowercase();
    words_of(name).iter().any(|word| word.chars().count() >= SHORTEST && handle.contains(word.as_str()))
}

fn words_of(name: &PersonName) -> Vec<String> {
    name.full().to_lowercase().split([' ', '-', '.']).map(str::to_owned).collect()
}
