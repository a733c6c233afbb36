//! What holds of every text.

use proptest::prelude::*;
use unicode_normalization::is_nfc;

use super::super::words::{Classes, classes};
use super::super::{Parts, PersonName};
use crate::email::is_invisible;

/// Texts that are nearly names, which random ones never are.
fn nearly() -> impl Strategy<Value = String> {
    let word = prop_oneof![
        4 => "[A-Z][a-z]{1,7}",
        2 => "[a-z]{1,7}|[A-Z]{1,7}",
        1 => r"(Dr|Prof|Mr|Sr|Fr|Ing|med)\.?|(PhD|MD|MA|Ph\.D\.|Esq\.)|(Jr|Sr|jr)\.?|III|ii|3rd",
        1 => "van|der|de|VAN|von|al-[a-z]{2,5}|d'[A-Za-z]{2,5}|o'[a-z]{2,4}|'t|mc[a-z]{1,5}|'[A-Za-z]{1,4}'?",
        1 => r"[A-Z]\.|([A-Z]\.){2,3}|[a-z]\.[a-z]{1,4}|[A-Z]\.[A-Z][a-z]{2,4}",
        1 => r#"\([a-z/]{1,8}\)|"[A-Za-z]{1,6}"|\(|\)|"|\||-|–|/|,|:[a-z]{1,5}:|&|@|="#,
        1 => "[a-zé]{1,4}[\u{301}\u{327}\u{30A}]|[İıßŉǆΣςაბᲐ]{1,4}|[山田太郎]{1,4}|[김민준]{1,3}|🦀|🇵🇹|\u{200D}|\u{202E}|न्द्र",
        1 => "unknown|null|Na|test|user|Team|Inc|AG|S\\.A\\.|support",
    ];
    let between = prop_oneof![6 => Just(" "), 1 => Just(", "), 1 => Just("-"), 1 => Just("")];
    prop::collection::vec((word, between), 1..7).prop_map(|pieces| {
        pieces.into_iter().flat_map(|(word, between)| [word, between.to_owned()]).collect()
    })
}

fn any_text() -> impl Strategy<Value = String> {
    prop_oneof![8 => nearly(), 1 => any::<String>(), 1 => r"[\PC ]{0,60}"]
}

fn any_parts() -> impl Strategy<Value = Parts> {
    let part = || prop::option::weighted(0.7, any_text());
    (part(), part(), part()).prop_map(|(full, given, family)| Parts { full, given, family })
}

fn check_text(text: &str) -> Result<(), TestCaseError> {
    prop_assert!(is_nfc(text));
    prop_assert!(!text.is_empty() && text.trim() == text && !text.contains("  "));
    prop_assert!(!text.chars().any(|c| c.is_control() || is_invisible(c) || c == '@'));
    prop_assert!(!text.starts_with(['=', '+', '-', '@']));
    prop_assert!(text.chars().count() <= PersonName::MAX_CHARS);
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(6_000))]

    #[test]
    fn what_is_accepted_is_clean_and_settled(parts in any_parts()) {
        let Ok(name) = PersonName::from_parts(parts) else { return Ok(()) };
        for text in [Some(name.full()), name.given(), name.family()].into_iter().flatten() {
            check_text(text)?;
        }
        for part in [name.given(), name.family()].into_iter().flatten() {
            prop_assert!(name.full().contains(part));
        }
        let stored = serde_json::to_string(&name).unwrap();
        let read = serde_json::from_str::<PersonName>(&stored);
        prop_assert_eq!(read.as_ref().ok(), Some(&name));
        prop_assert!(name.agrees_with(&name));
    }

    #[test]
    fn agreement_is_symmetric(a in any_text(), b in any_text()) {
        let (Ok(a), Ok(b)) = (PersonName::parse(&a), PersonName::parse(&b)) else { return Ok(()) };
        prop_assert_eq!(a.agrees_with(&b), b.agrees_with(&a));
    }

    #[test]
    fn vendors_that_lose_the_case_lose_nothing_else(
        given in "[B-DF-HJ-LN-TV-Z][aeiou][bdlnrst]{1,2}[aeiou]", family in "[B-DF-HJ-LN-TV-Z][aeiou][bdlnrst]{1,2}[aeiou]ski"
    ) {
        // "Della" is a name and a particle, and only its case tells which.
        prop_assume!(classes(&given) == Classes::default());
        let text = format!("{given} {family}");
        let Ok(name) = PersonName::parse(&text) else { return Ok(()) };
        prop_assert_eq!(name.full(), text.as_str());
        prop_assert_eq!(PersonName::parse(&text.to_lowercase()), Ok(name.clone()));
        prop_assert_eq!(PersonName::parse(&text.to_uppercase()), Ok(name));
    }
}
