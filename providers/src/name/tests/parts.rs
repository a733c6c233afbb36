//! Names that come in parts, and their stored form.

use super::super::{Parts, PersonName};
use super::{name, parts};

#[test]
fn parts_are_kept_where_the_full_name_contains_them() {
    type Row = ((&'static str, &'static str, &'static str), (&'static str, &'static str, &'static str));
    let table: &[Row] = &[
        // The full name is made of the parts
        (("", "Jane", "Doe"), ("Jane Doe", "Jane", "Doe")),
        (("", "jane", "doe"), ("Jane Doe", "Jane", "Doe")),
        (("", "JANE", "DOE"), ("Jane Doe", "Jane", "Doe")),
        (("", "Jean", "DUPONT"), ("Jean Dupont", "Jean", "Dupont")),
        (("", "ada", "van der berg"), ("Ada van der Berg", "Ada", "van der Berg")),
        (("", "J", "Doe"), ("J Doe", "J", "Doe")),
        (("", "J.", "Doe"), ("J. Doe", "J.", "Doe")),
        (("", "Jane", ""), ("Jane", "Jane", "")),
        (("", "", "Doe"), ("Doe", "", "Doe")),
        (("", "Dr. Jane", "Doe, PhD"), ("Jane Doe", "Jane", "Doe")),
        (("", "Martin", "King Jr."), ("Martin King Jr.", "Martin", "King")),
        (("", "Jane", "null"), ("Jane", "Jane", "")),
        (("", "Jane", "Unknown"), ("Jane", "Jane", "")),
        (("", "Na", "Li"), ("Na Li", "Na", "Li")),
        (("", "Robert \"Bob\"", "Smith"), ("Robert Smith", "Robert", "Smith")),
        (("", "太郎", "山田"), ("山田太郎", "太郎", "山田")),
        (("", "민준", "김"), ("김민준", "민준", "김")),
        // The full name decides, and lends its spelling
        (("Jane Doe", "Jane", "Doe"), ("Jane Doe", "Jane", "Doe")),
        (("jane marie doe", "jane", "doe"), ("Jane Marie Doe", "Jane", "Doe")),
        (("Jean DUPONT", "jean", "dupont"), ("Jean DUPONT", "Jean", "DUPONT")),
        (("José García", "Jose", "Garcia"), ("José García", "José", "García")),
        (("Ada van der Berg", "ada", "VAN DER BERG"), ("Ada van der Berg", "Ada", "van der Berg")),
        (("Jean-Luc Picard", "Jean Luc", "Picard"), ("Jean-Luc Picard", "Jean-Luc", "Picard")),
        (("J. R. R. Tolkien", "J.R.R.", "Tolkien"), ("J. R. R. Tolkien", "J. R. R.", "Tolkien")),
        (("Martin Luther King Jr.", "Martin", "King Jr."), ("Martin Luther King Jr.", "Martin", "King")),
        (
            ("kimberly kimberly patton", "kimberly kimberly", "patton"),
            ("Kimberly Patton", "Kimberly", "Patton"),
        ),
        (("Doe, Jane", "Jane", "Doe"), ("Jane Doe", "Jane", "Doe")),
        (("山田太郎", "太郎", "山田"), ("山田太郎", "太郎", "山田")),
        (("Jennifer Null", "Jennifer", "Null"), ("Jennifer Null", "Jennifer", "Null")),
        // What disagrees is dropped
        (("Jane Doe", "Ada", "Example"), ("Jane Doe", "", "")),
        (("Jane Doe", "Jane", "Example"), ("Jane Doe", "Jane", "")),
        (("Bob Smith", "Robert", "Smith"), ("Bob Smith", "", "Smith")),
        (("Jane Doe", "J", "Doe"), ("Jane Doe", "", "Doe")),
        (("Prince", "Prince", "Prince"), ("Prince", "", "Prince")),
        (("Jane Doe", "Jane Doe", "Doe"), ("Jane Doe", "Jane", "Doe")),
        (("Jane Doe", "Jane", "ada@example.com"), ("Jane Doe", "Jane", "")),
        // Only one part where the full name should be: the parts know more
        (("Jane", "Jane", "Doe"), ("Jane Doe", "Jane", "Doe")),
        (("doe", "jane", "doe"), ("Jane Doe", "Jane", "Doe")),
        // No name where the full name should be
        (("ada_example", "Ada", "Example"), ("Ada Example", "Ada", "Example")),
        (("Unknown", "Ada", "Example"), ("Ada Example", "Ada", "Example")),
    ];
    for ((full, given, family), wanted) in table {
        let read = PersonName::from_parts(parts(full, given, family))
            .unwrap_or_else(|error| panic!("{full:?} {given:?} {family:?}: {error}"));
        let told = (read.full(), read.given().unwrap_or_default(), read.family().unwrap_or_default());
        assert_eq!(told, *wanted, "{full:?} {given:?} {family:?}");
        assert_eq!(PersonName::from_parts(read.clone().into()), Ok(read));
    }
}

#[test]
fn the_stored_form_is_lean_and_reads_back() {
    let stored = serde_json::to_string(&name("Doe, Jane")).unwrap();
    insta::assert_snapshot!(stored, @r#"{"full":"Jane Doe","given":"Jane","family":"Doe"}"#);
    assert_eq!(serde_json::from_str::<PersonName>(&stored).unwrap(), name("Doe, Jane"));
    insta::assert_snapshot!(serde_json::to_string(&name("Ada")).unwrap(), @r#"{"full":"Ada"}"#);
    assert!(serde_json::from_str::<PersonName>(r#"{"full":"Unknown"}"#).is_err());
    assert!(serde_json::from_str::<PersonName>("{}").is_err());
}

#[test]
fn nothing_of_the_name_is_printed() {
    let text = format!("{:?} {:?}", name("Ada Example"), Parts::from(name("Ada Example")));
    insta::assert_snapshot!(text, @"PersonName(redacted) Parts(redacted)");
}
