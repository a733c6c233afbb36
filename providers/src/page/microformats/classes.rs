//! The class names of both generations of microformats.
//!
//! Invariant: an element with a root class of the second generation is never read as one of the first.

use scraper::ElementRef;

/// The generation by which an item's properties are named.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Style {
    /// `vcard`, `fn`, `url`.
    First,
    /// `h-card`, `p-name`, `u-url`.
    Second,
}

/// How a property's value is read.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Prefix {
    /// `p-`
    Text,
    /// `u-`
    Link,
    /// `dt-`
    Date,
    /// `e-`
    Embedded,
}

/// The roots of the first generation that hold people, and what they are called in the second.
const FIRST_ROOTS: [(&str, &str); 8] = [
    ("vcard", "h-card"),
    ("adr", "h-adr"),
    ("geo", "h-geo"),
    ("hentry", "h-entry"),
    ("hfeed", "h-feed"),
    ("vevent", "h-event"),
    ("hreview", "h-review"),
    ("hresume", "h-resume"),
];

/// The properties of the first generation that are read: of hCard, and where a card stands in something else.
const FIRST_PROPERTIES: [(&str, Prefix, &str); 30] = [
    ("fn", Prefix::Text, "name"),
    ("given-name", Prefix::Text, "given-name"),
    ("additional-name", Prefix::Text, "additional-name"),
    ("family-name", Prefix::Text, "family-name"),
    ("honorific-prefix", Prefix::Text, "honorific-prefix"),
    ("honorific-suffix", Prefix::Text, "honorific-suffix"),
    ("nickname", Prefix::Text, "nickname"),
    ("org", Prefix::Text, "org"),
    ("organization-name", Prefix::Text, "organization-name"),
    ("organization-unit", Prefix::Text, "organization-unit"),
    ("title", Prefix::Text, "job-title"),
    ("role", Prefix::Text, "role"),
    ("note", Prefix::Text, "note"),
    ("tel", Prefix::Text, "tel"),
    ("category", Prefix::Text, "category"),
    ("label", Prefix::Text, "label"),
    ("tz", Prefix::Text, "tz"),
    ("adr", Prefix::Text, "adr"),
    ("geo", Prefix::Text, "geo"),
    ("agent", Prefix::Text, "agent"),
    ("author", Prefix::Text, "author"),
    ("email", Prefix::Link, "email"),
    ("url", Prefix::Link, "url"),
    ("uid", Prefix::Link, "uid"),
    ("photo", Prefix::Link, "photo"),
    ("logo", Prefix::Link, "logo"),
    ("sound", Prefix::Link, "sound"),
    ("key", Prefix::Link, "key"),
    ("bday", Prefix::Date, "bday"),
    ("rev", Prefix::Date, "rev"),
];

/// The types of the item that begins at this element, if one does, and how its properties are named.
pub(super) fn root<'a>(element: &ElementRef<'a>) -> Option<(Vec<&'a str>, Style)> {
    let types: Vec<_> = classes(element).filter(|class| is_type(class)).collect();
    if !types.is_empty() {
        return Some((types, Style::Second));
    }
    let named = |class| FIRST_ROOTS.iter().find(|(old, _)| *old == class).map(|(_, new)| *new);
    let types: Vec<_> = classes(element).filter_map(named).collect();
    (!types.is_empty()).then_some((types, Style::First))
}

/// Whether an item begins at this element.
pub(in super::super) fn is_root(element: &ElementRef<'_>) -> bool {
    root(element).is_some()
}

/// The properties that an element is of the item around it.
pub(super) fn properties<'a>(
    element: &ElementRef<'a>,
    style: Style,
) -> impl Iterator<Item = (Prefix, &'a str)> {
    classes(element).filter_map(move |class| match style {
        Style::First => first_property(class),
        Style::Second => second_property(class),
    })
}

fn classes<'a>(element: &ElementRef<'a>) -> impl Iterator<Item = &'a str> {
    element.attr("class").unwrap_or_default().split_ascii_whitespace()
}

fn first_property(class: &str) -> Option<(Prefix, &'static str)> {
    let (_, prefix, name) = FIRST_PROPERTIES.iter().find(|(old, _, _)| *old == class)?;
    Some((*prefix, name))
}

fn second_property(class: &str) -> Option<(Prefix, &str)> {
    let (prefix, name) = class.split_once('-')?;
    let prefix = match prefix {
        "p" => Prefix::Text,
        "u" => Prefix::Link,
        "dt" => Prefix::Date,
        "e" => Prefix::Embedded,
        _ => return None,
    };
    is_name(name).then_some((prefix, name))
}

fn is_type(class: &str) -> bool {
    class.strip_prefix("h-").is_some_and(is_name)
}

/// Words of lower-case letters; before them there may be a vendor's word, which may have digits.
fn is_name(name: &str) -> bool {
    let is_word = |word: &str| !word.is_empty() && word.bytes().all(|byte| byte.is_ascii_lowercase());
    let is_vendor = |word: &str| {
        !word.is_empty() && word.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit())
    };
    let mut words = name.split('-');
    let first = words.next().unwrap_or_default();
    let mut is_alone = true;
    let rest = words.all(|word| {
        is_alone = false;
        is_word(word)
    });
    rest && (is_word(first) || (!is_alone && is_vendor(first)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_words_of_letters_after_a_vendors_word() {
        for name in ["name", "given-name", "x-name", "2-name", "x2-given-name", "a"] {
            assert!(is_name(name), "{name}");
        }
        for name in ["", "-", "Name", "name-", "-name", "na_me", "2", "name-2", "x-2-name", "näme"] {
            assert!(!is_name(name), "{name}");
        }
    }
}
