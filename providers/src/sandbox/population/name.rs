//! Names of invented people: made up from words, or read out of a listed address.
//!
//! Invariant: the true name. What a provider makes of it is `distortion.rs`.

use std::fmt;

use unicode_normalization::UnicodeNormalization as _;
use unicode_normalization::char::is_combining_mark;

use super::words::{self, Culture, Word};

/// A person's or an organisation's name, and how handles spell it.
#[derive(Clone)]
pub struct Name {
    pub full: String,
    pub given: String,
    /// None for mononyms and organisations.
    pub family: Option<String>,
    /// Lower-case ASCII words: what handles are made of. Never empty.
    pub(in crate::sandbox) ascii: Vec<String>,
}

impl Name {
    /// A name out of the word lists.
    pub(super) fn invent(rng: &mut fastrand::Rng) -> Self {
        let culture = words::culture(rng);
        let given = culture.given(rng);
        Self::compose(culture, given, culture.family(rng))
    }

    /// An organisation's name: of its domain where that is listed, else out of the word lists.
    pub(super) fn organization(domain: Option<&str>, rng: &mut fastrand::Rng) -> Self {
        let full = domain.and_then(own_label).map_or_else(
            || format!("{} {}", words::thing("adjective", rng), words::thing("trade", rng)),
            |label| title_words(&label).join(" "),
        );
        let ascii = ascii_words(&full);
        Self { given: full.clone(), family: None, ascii, full }
    }

    /// The name that a listed address suggests: `ada.example` is Ada Example, `ada` is Ada Somebody, `j.smith` is
    /// James Smith, `me` is anybody.
    pub(super) fn of_local_part(local: &str, rng: &mut fastrand::Rng) -> Self {
        let culture = words::culture(&mut fastrand::Rng::with_seed(0));
        let parts = title_words(plain_local_part(local.trim_matches('"')));
        match parts.as_slice() {
            [] => Self::invent(rng),
            [only] if is_nobody(only) || only.chars().count() < 2 => Self::invent(rng),
            [only] => Self::of_texts(only.clone(), culture.family(rng).map(|word| word.text.to_owned())),
            [first, rest @ ..] => {
                let given = if first.chars().count() == 1 {
                    culture.given_with_initial(&first.to_lowercase(), rng).text.to_owned()
                } else {
                    first.clone()
                };
                Self::of_texts(given, Some(rest.join(" ")))
            }
        }
    }

    fn of_texts(given: String, family: Option<String>) -> Self {
        let full = family.as_ref().map_or_else(|| given.clone(), |family| format!("{given} {family}"));
        Self { ascii: ascii_words(&full), full, given, family }
    }

    fn compose(culture: &Culture, given: Word, family: Option<Word>) -> Self {
        let full = match (culture.name, family) {
            (_, None) => given.text.to_owned(),
            ("chinese" | "korean", Some(family)) => format!("{}{}", family.text, given.text),
            ("japanese" | "vietnamese", Some(family)) => format!("{} {}", family.text, given.text),
            (_, Some(family)) => format!("{} {}", given.text, family.text),
        };
        let ascii = [Some(given), family].into_iter().flatten().flat_map(|word| word.ascii.split(' '));
        Self {
            full,
            given: given.text.to_owned(),
            family: family.map(|word| word.text.to_owned()),
            ascii: ascii.map(str::to_owned).collect(),
        }
    }

    /// What the person calls themself online; not a name to keep.
    pub(in crate::sandbox) fn nickname(&self, rng: &mut fastrand::Rng) -> String {
        let first = self.ascii.first().map_or("somebody", String::as_str);
        match rng.u8(..5) {
            0 => format!("{first}{}", rng.u16(10..1000)),
            1 => format!("the_real_{first}"),
            2 => format!("{first} 🦀"),
            3 => format!("xX{first}Xx"),
            _ => format!("{first}.codes"),
        }
    }
}

impl fmt::Debug for Name {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Name(redacted)")
    }
}

/// The local part without its tag.
pub(super) fn plain_local_part(local: &str) -> &str {
    local.split_once('+').map_or(local, |(name, _)| name)
}

/// The label of a domain that its owner chose: `lovelace-fan` of `lovelace-fan.example.org`.
fn own_label(domain: &str) -> Option<String> {
    let labels: Vec<&str> = domain.split('.').collect();
    labels.len().checked_sub(3).and_then(|index| labels.get(index)).map(|label| (*label).to_owned())
}

fn title_words(text: &str) -> Vec<String> {
    text.split(['.', '_', '-', ' '])
        .map(|word| word.trim_matches(|c: char| c.is_numeric()))
        .filter(|word| !word.is_empty() && word.chars().all(char::is_alphabetic))
        .take(4)
        .map(title_case)
        .collect()
}

fn title_case(word: &str) -> String {
    let mut letters = word.chars();
    letters.next().map_or_else(String::new, |first| {
        first.to_uppercase().chain(letters.flat_map(char::to_lowercase)).collect()
    })
}

/// Local parts that name nobody.
fn is_nobody(word: &str) -> bool {
    matches!(word, "Me" | "Hi" | "Hello" | "Hallo" | "Mail" | "Email" | "Post" | "Myself" | "I")
}

/// Lower-case ASCII words of a text, accents dropped; `person` where nothing is left.
fn ascii_words(text: &str) -> Vec<String> {
    let plain: String = text
        .to_lowercase()
        .replace('ß', "ss")
        .replace('ł', "l")
        .nfd()
        .filter(|c| !is_combining_mark(*c))
        .map(|c| if c == '-' { ' ' } else { c })
        .filter(|c| c.is_ascii_alphanumeric() || *c == ' ')
        .collect();
    let words: Vec<String> = plain.split_whitespace().map(str::to_owned).collect();
    if words.is_empty() { vec!["person".to_owned()] } else { words }
}
