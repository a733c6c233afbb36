//! The words that are no part of a name, or a special one; kept in `words.txt`.
//!
//! Invariant: looked up by key (lower case, without dots), never by the spelling in the text.

use std::collections::HashMap;
use std::sync::LazyLock;

/// What a word can be; one word can be several things.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub(super) struct Classes(u16);

impl Classes {
    /// "Dr", "Prof.", "Frau", in front of a name.
    pub(super) const TITLE: Self = Self(1);
    /// "Col.", "Fr.": a title only where it is written with its dot.
    pub(super) const DOTTED_TITLE: Self = Self(1 << 1);
    /// "med.", "habil.": goes on with a title.
    pub(super) const TITLE_FIELD: Self = Self(1 << 2);
    /// `PhD`, `Esq.`: a degree or an honour behind a name.
    pub(super) const DEGREE: Self = Self(1 << 3);
    /// "MA", "Do": a degree or a name.
    pub(super) const DEGREE_OR_NAME: Self = Self(1 << 4);
    /// "Jr.", "III": tells two people of one name apart.
    pub(super) const GENERATION: Self = Self(1 << 5);
    /// "van", "de": lower-case inside a name.
    pub(super) const PARTICLE: Self = Self(1 << 6);
    /// "Inc", "University": makes the whole an organisation.
    pub(super) const COMPANY: Self = Self(1 << 7);
    /// "AG", "S.A.": the same, if written in capitals or with dots at the end.
    pub(super) const COMPANY_FORM: Self = Self(1 << 8);
    /// "unknown", "user": says nothing; no name consists of such words alone.
    pub(super) const EMPTY: Self = Self(1 << 9);
    /// "support": a function, if it is the last word.
    pub(super) const FUNCTION: Self = Self(1 << 10);
    /// "engineer": what follows a comma is a slogan, not a given name.
    pub(super) const JOB: Self = Self(1 << 11);
    /// "she": what "she/her" begins with.
    pub(super) const PRONOUN: Self = Self(1 << 12);

    /// "null": stands where a part of the name is missing.
    pub(super) const ABSENT: Self = Self(1 << 13);
    /// "née", "at": what follows says more of the person, and is no part of the name.
    pub(super) const ASIDE: Self = Self(1 << 14);

    pub(super) const fn has(self, class: Self) -> bool {
        self.0 & class.0 != 0
    }

    pub(super) const fn or(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    fn named(section: &str) -> Self {
        match section {
            "title" => Self::TITLE,
            "dotted title" => Self::DOTTED_TITLE,
            "title field" => Self::TITLE_FIELD,
            "degree" => Self::DEGREE,
            "degree or name" => Self::DEGREE_OR_NAME,
            "generation" => Self::GENERATION,
            "particle" => Self::PARTICLE,
            "company" => Self::COMPANY,
            "company form" => Self::COMPANY_FORM,
            "empty" => Self::EMPTY,
            "function" => Self::FUNCTION,
            "job" => Self::JOB,
            "pronoun" => Self::PRONOUN,
            "absent" => Self::ABSENT,
            "aside" => Self::ASIDE,
            _ => Self::default(),
        }
    }
}

static WORDS: LazyLock<HashMap<&'static str, Classes>> = LazyLock::new(|| {
    let mut words = HashMap::new();
    let mut class = Classes::default();
    for line in include_str!("words.txt").lines().filter(|line| !line.starts_with('#')) {
        match line.strip_prefix('[').and_then(|line| line.strip_suffix(']')) {
            Some(section) => class = Classes::named(section),
            None => line.split_whitespace().for_each(|word| {
                let known: &mut Classes = words.entry(word).or_default();
                *known = known.or(class);
            }),
        }
    }
    words
});

/// A word of a name, with what is known of it.
#[derive(Clone, Debug)]
pub(super) struct Word {
    pub(super) text: String,
    pub(super) classes: Classes,
}

impl Word {
    pub(super) fn new(text: &str) -> Self {
        Self { text: text.to_owned(), classes: classes(text) }
    }

    pub(super) fn is(&self, class: Classes) -> bool {
        self.classes.has(class)
    }

    /// Written in capitals only, at least two.
    pub(super) fn is_upper(&self) -> bool {
        self.text.chars().filter(|c| c.is_uppercase()).count() >= 2
            && !self.text.chars().any(char::is_lowercase)
    }
}

/// What is known of a word, by its key.
pub(super) fn classes(text: &str) -> Classes {
    WORDS.get(key(text).as_str()).copied().unwrap_or_default()
}

/// What a word is looked up by: lower case, letters, digits and inner hyphens.
pub(super) fn key(text: &str) -> String {
    let mut key = String::with_capacity(text.len());
    if text.is_ascii() {
        key.extend(text.chars().filter(|c| c.is_ascii_alphanumeric() || *c == '-'));
        key.make_ascii_lowercase();
        return key;
    }
    for c in text.chars().filter(|c| c.is_alphanumeric() || *c == '-') {
        key.extend(c.to_lowercase());
    }
    key
}
