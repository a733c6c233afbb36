//! The name that an address suggests.
//!
//! Invariant: silent unless the local part is plainly `word.word`: a wrong name is worse than none.

use super::MailboxKind;
use super::kind::is_role;
use crate::name::PersonName;

/// Words that stand beside a dot in addresses and are nobody's name.
const NOT_NAMES: &[&str] = &[
    "account",
    "bot",
    "business",
    "code",
    "company",
    "contact",
    "dev",
    "email",
    "first",
    "firstname",
    "hello",
    "home",
    "info",
    "last",
    "lastname",
    "mail",
    "me",
    "music",
    "my",
    "mymail",
    "name",
    "news",
    "no",
    "not",
    "office",
    "official",
    "online",
    "private",
    "real",
    "reply",
    "service",
    "shop",
    "spam",
    "store",
    "surname",
    "team",
    "test",
    "the",
    "user",
    "web",
    "work",
    "your",
];

/// `local` is lower-case, with its dots; a tag may follow.
pub(super) fn name(local: &str, kind: MailboxKind) -> Option<PersonName> {
    if matches!(kind, MailboxKind::Role | MailboxKind::Disposable) {
        return None;
    }
    let base = local.split('+').next()?;
    let words: Vec<&str> = base.split('.').collect();
    if !(2..=4).contains(&words.len()) {
        return None;
    }
    let first = words.first()?;
    let last = words.last()?;
    let ends_are_words = is_name_word(first) && is_name_word(last);
    let middle = words.get(1..words.len() - 1)?;
    if !ends_are_words || !middle.iter().all(|word| is_name_word(word) || is_particle(word)) {
        return None;
    }
    PersonName::parse(&words.join(" ")).ok()
}

fn is_particle(word: &str) -> bool {
    matches!(word, "de" | "del" | "den" | "der" | "di" | "da" | "dos" | "la" | "le" | "van" | "von" | "bin")
}

/// Letters only (with an inner hyphen), pronounceable, and no role.
fn is_name_word(word: &str) -> bool {
    let letters = word.chars().filter(|c| c.is_alphabetic()).count();
    let hyphens = word.matches('-').count();
    let pronounceable = !word.is_ascii() || word.contains(['a', 'e', 'i', 'o', 'u', 'y']);
    (2..=20).contains(&letters)
        && hyphens <= 1
        && letters + hyphens == word.chars().count()
        && !word.starts_with('-')
        && !word.ends_with('-')
        && pronounceable
        && !is_role(word)
        && !NOT_NAMES.contains(&word)
}
