//! Which spellings can be one person's.

use super::name;

#[test]
fn agreement_is_generous_and_symmetric() {
    let table: &[(&str, &str, bool)] = &[
        ("Jane Doe", "Jane Doe", true),
        ("Jane Doe", "JANE DOE", true),
        ("Jane Doe", "Doe Jane", true),
        ("Jane Doe", "Doe, Jane", true),
        ("José García", "Jose Garcia", true),
        ("Łukasz Żółć", "Lukasz Zolc", true),
        ("Søren Strauß", "Soren Strauss", true),
        ("J. Doe", "Jane Doe", true),
        ("J Doe", "Jane Doe", true),
        ("Jane D.", "Jane Doe", true),
        ("J.R.R. Tolkien", "J. R. R. Tolkien", true),
        ("JRR Tolkien", "J.R.R. Tolkien", true),
        ("J. Tolkien", "John Ronald Reuel Tolkien", true),
        ("Jane Marie Doe", "Jane Doe", true),
        ("Jane M. Doe", "Jane Marie Doe", true),
        ("Bob Smith", "Robert Smith", true),
        ("Bill Smith", "William Smith", true),
        ("Liz Smith", "Elizabeth Smith", true),
        ("Beth Smith", "Liz Smith", true),
        ("Smith, Bob", "Robert James Smith", true),
        ("Mohd Rahman", "Muhammad Rahman", true),
        ("Jean-Luc Picard", "Jean Luc Picard", true),
        ("Jean-Luc Picard", "Jeanluc Picard", true),
        ("Jane Doe-Smith", "Jane Doe", true),
        ("Conan O'Brien", "Conan OBrien", true),
        ("Ada van der Berg", "Ada Vanderberg", true),
        ("Ada van der Berg", "Ada Berg", true),
        ("Ada", "Ada Example", true),
        ("John Smith Jr.", "John Smith", true),
        ("John Smith Jr.", "John Smith Jr", true),
        ("山田太郎", "山田 太郎", true),
        ("Νίκος Παππάς", "ΝΙΚΟΣ ΠΑΠΠΑΣ", true),
        ("Jürgen Müller", "Juergen Mueller", true),
        ("Anna Janssen", "Anna Jansen", true),
        ("Sophia Berg", "Sofia Berg", true),
        ("Michael Stone", "Micheal Stone", true),
        ("정하은", "하은", true),
        ("佐藤太郎", "太郎", true),
        ("정하은", "하준", false),
        ("Martin Smith", "Marvin Smith", false),
        ("Jane Lee", "Jane Le", false),
        ("Jane Doe", "John Doe", false),
        ("Jane Doe", "Jane Smith", false),
        ("Jane Doe", "Ada Example", false),
        ("Jane Ann Doe", "Jane Marie Doe", false),
        ("Jane A. Doe", "Jane Marie Doe", false),
        ("J. Doe", "Ada Doe", false),
        ("J. D.", "Jane Doe", false),
        ("John Smith Jr.", "John Smith Sr.", false),
        ("John Smith Jr.", "John Smith III", false),
        ("Robert Smith", "Albert Smith", false),
        ("Bob Smith", "Bob Jones", false),
        ("Иван Петров", "Ivan Petrov", false),
        ("Jane Jane Doe Roe", "Jane Doe Poe Loe", false),
    ];
    for (a, b, wanted) in table {
        assert_eq!(name(a).agrees_with(&name(b)), *wanted, "{a:?} and {b:?}");
        assert_eq!(name(b).agrees_with(&name(a)), *wanted, "{b:?} and {a:?}");
    }
}

#[test]
fn agreement_has_degrees() {
    use crate::name::Agreement::{Compatible, Contradicting, Equal};
    for (a, b, wanted) in [
        ("Jane Doe", "DOE, JANE", Equal),
        ("Doe Jane", "Jane Doe", Equal),
        ("José García", "Jose Garcia", Equal),
        ("Jean-Luc Picard", "Jeanluc Picard", Equal),
        ("J. Doe", "Jane Doe", Compatible),
        ("Bob Smith", "Robert Smith", Compatible),
        ("Jane Marie Doe", "Jane Doe", Compatible),
        ("Juergen Mueller", "Jürgen Müller", Compatible),
        ("John Smith Jr.", "John Smith", Compatible),
        ("John Smith Jr.", "John Smith III", Contradicting),
        ("Jane Doe", "John Doe", Contradicting),
    ] {
        assert_eq!(name(a).agreement(&name(b)), wanted, "{a:?} and {b:?}");
        assert_eq!(name(b).agreement(&name(a)), wanted, "{b:?} and {a:?}");
    }
}

#[test]
fn a_spelling_is_known_by_how_much_it_says() {
    for (text, words, initials, nicknames) in
        [("Jane Doe", 2, 0, 0), ("J. R. Doe", 1, 2, 0), ("Bob Smith", 2, 0, 1), ("Robert Smith", 2, 0, 0)]
    {
        let fullness = name(text).fullness();
        assert_eq!((fullness.words, fullness.initials, fullness.nicknames), (words, initials, nicknames));
    }
}

#[test]
fn the_table_of_nicknames_is_usable() {
    let lines = || include_str!("../nicknames.txt").lines().filter(|line| !line.starts_with('#'));
    assert!(lines().count() >= 80);
    for line in lines() {
        let names: Vec<&str> = line.split_whitespace().collect();
        assert!(names.len() >= 2, "{line}");
        let unique: std::collections::HashSet<_> = names.iter().collect();
        assert_eq!(unique.len(), names.len(), "{line}");
        assert!(names.iter().all(|name| name.chars().all(|c| c.is_ascii_lowercase())), "{line}");
    }
}
