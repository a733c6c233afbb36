//! What is no person's name, and why.

use super::super::{NameError, PersonName};
use super::parts;

const REFUSED: &[(&str, &[&str])] = &[
    ("is empty", &["", " \t", "\u{200B}", "🦀", ":verified:", "\u{202E}\u{202C}"]),
    ("is not a person's name: has no letters", &["123", "...", "-", "?!", "=1+1", "'", "1985-05-12", "( )"]),
    (
        "is not a person's name: has an `@`: an address or a handle",
        &["ada@example.com", "Ada <ada@example.com>", "@ada", "@ada_example", "@ada@social.example.com"],
    ),
    (
        "is not a person's name: is a web address",
        &["https://example.com/ada", "www.example.com", "example.com", "Ada example.com", "ada.example"],
    ),
    (
        "is not a person's name: is a handle",
        &["ada_example", "Ada_Example", "xXadaXx", "ada_1985", "Ada ada_example"],
    ),
    (
        "is not a person's name: has too many digits",
        &["ada99", "user12345", "Ada 1985", "R2D2", "4d4 3x4mpl3", "+1 555 0100 Ada"],
    ),
    (
        "is not a person's name: is an organisation",
        &[
            "Example Inc",
            "Example, Inc.",
            "Example LLC",
            "Example GmbH",
            "Example Ltd.",
            "Example S.A.",
            "Example AG",
            "University of Example",
            "Example Foundation",
            "The Example Company",
            "The Examples",
            "Universität Beispiel",
            "Example Solutions",
            "Team Example",
            "EXAMPLE CORP",
            "Example Holding B.V.",
        ],
    ),
    (
        "is not a person's name: is a placeholder",
        &[
            "Unknown",
            "unknown",
            "N/A",
            "n/a",
            "NULL",
            "null",
            "undefined",
            "None",
            "Test",
            "Test User",
            "test test",
            "Anonymous",
            "Deleted user",
            "[deleted]",
            "Deleted Account",
            "(unknown)",
            "First Last",
            "Your Name",
            "No Name",
            "admin",
            "User",
            "[object Object]",
            "LinkedIn Member",
            "Customer Support",
            "Support",
            "Info",
            "asdf",
            "Unbekannt",
            "неизвестно",
            "Sales Team!",
        ],
    ),
    (
        "is not a person's name: is a function, not a person",
        &["Example Support", "Ada Helpdesk", "Example Newsletter", "Example Billing"],
    ),
    (
        "is not a person's name: names several people",
        &["Ada & Jane Example", "John and Jane Doe", "Max und Erika Muster", "Ada &amp; Jane"],
    ),
    ("is not a person's name: is a program", &["renovate[bot]", "Example (bot)"]),
    ("is not a person's name: is a formula", &["=HYPERLINK(\"x\")", "=cmd|' /C calc'!A0", "=SUM(A1)"]),
    ("is not a person's name: is only a title", &["Dr.", "Mr", "Prof. Dr.", "Sir"]),
    ("is not a person's name: is noise", &["aaaa", "Zzz", "kkkkkk Example"]),
    ("is not a person's name: has characters that were lost in decoding", &["Jos\u{FFFD} Garc\u{FFFD}a"]),
];

#[test]
fn every_refusal_says_why() {
    for (reason, texts) in REFUSED {
        for text in *texts {
            let error = PersonName::parse(text).map(|name| name.full().to_owned()).expect_err(text);
            assert_eq!(error.to_string(), *reason, "{text:?}");
        }
    }
}

#[test]
fn two_hundred_characters_are_a_name_and_one_more_are_not() {
    let long = |chars: usize| {
        let text = "Zoë ".repeat(chars / 4);
        let text: Vec<String> = text
            .split_whitespace()
            .enumerate()
            .map(|(n, word)| {
                // Neighbours differ, or they would be repeats.
                if n % 2 == 0 { word.to_owned() } else { "Ada".to_owned() }
            })
            .collect();
        text.join(" ")
    };
    let name = format!("{}s", long(200));
    assert_eq!(name.chars().count(), 200);
    let name = PersonName::parse(&format!("{name} ")).expect("200 characters");
    assert_eq!(name.full().chars().count(), 200);
    let longer = format!("{}ss", long(200));
    assert_eq!(PersonName::parse(&longer), Err(NameError::NotAName("is longer than 200 characters")));
    assert!(PersonName::parse(&"Ada ".repeat(1_000_000)).is_err());
}

#[test]
fn parts_are_refused_like_wholes() {
    assert_eq!(PersonName::from_parts(parts("", "", "")), Err(NameError::Empty));
    for (full, given, family) in [
        ("", "unknown", "unknown"),
        ("", "null", "null"),
        ("Unknown", "", ""),
        ("", "Example", "Inc"),
        ("", "ada@example.com", ""),
        ("", "Customer", "Support"),
        ("ada_example", "", ""),
    ] {
        assert!(PersonName::from_parts(parts(full, given, family)).is_err(), "{full} {given} {family}");
    }
}

#[test]
fn refusals_carry_nothing_of_the_text() {
    for text in ["Secretcompany Inc", "secret_handle", "secret@example.com", "Secret Support"] {
        let error = PersonName::parse(text).unwrap_err();
        assert!(!format!("{error} {error:?}").to_lowercase().contains("secret"));
    }
}

#[test]
fn every_section_of_the_word_list_is_known() {
    use super::super::words::{Classes, classes};
    for section in include_str!("../words.txt").split("\n[").skip(1) {
        let (heading, words) = section.split_once(']').unwrap();
        for word in words.split_whitespace() {
            assert_ne!(classes(word), Classes::default(), "{word} in [{heading}]");
        }
    }
}
