//! Whose page it is: which of a page's people, if any, the address belongs to.
//!
//! Invariant: without proof there is nobody. Among several people only one who states the address is taken.

use std::collections::HashSet;

use unicode_normalization::UnicodeNormalization;
use unicode_normalization::char::is_combining_mark;

use crate::email::EmailAddress;
use crate::name::PersonName;
use crate::page::{Facts, Person};

/// A part of a name that is shorter proves nothing.
const MIN_NAME_CHARS: usize = 3;

/// What ties a person on the page to the address, strongest first.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Proof {
    /// The person's own card or node states the address.
    Stated,
    /// The page links to the address and has one person on it.
    OnlyPerson,
    /// The page has one person on it, after whom the mailbox is named.
    NameAgrees,
}

/// The person whose address it is. Where the page is about that person alone, its `rel=me` links are theirs too.
pub(super) fn owner(facts: &Facts, email: &EmailAddress) -> Option<(Person, Proof)> {
    let mut people = unite(&facts.people);
    let stating = people.iter().position(|person| states(&person.emails, email));
    let is_sole = people.len() == 1;
    let mut person = people.swap_remove(stating.or(is_sole.then_some(0))?);
    let proof = if stating.is_some() {
        Proof::Stated
    } else if states(&facts.addresses, email) {
        Proof::OnlyPerson
    } else if name(&person).is_some_and(|name| is_named_after(email.local_part(), &name)) {
        Proof::NameAgrees
    } else {
        return None;
    };
    if is_sole {
        person.links.extend_from_slice(&facts.me);
    }
    Some((person, proof))
}

/// The people of a page, each once: an h-card, a JSON-LD node and ten bylines may be one person.
fn unite(people: &[Person]) -> Vec<Person> {
    let mut united: Vec<Person> = Vec::new();
    for person in people.iter().filter(|person| says_something(person)) {
        match united.iter_mut().find(|known| is_one(known, person)) {
            Some(known) => join(known, person),
            None => united.push(person.clone()),
        }
    }
    united
}

fn says_something(person: &Person) -> bool {
    name(person).is_some() || !person.emails.is_empty()
}

/// Whether two descriptions are of one person: a common address, or one name without a different address.
fn is_one(a: &Person, b: &Person) -> bool {
    let (ours, theirs) = (mailboxes(a), mailboxes(b));
    if !ours.is_empty() && !theirs.is_empty() {
        return !ours.is_disjoint(&theirs);
    }
    matches!((name(a), name(b)), (Some(a), Some(b)) if a.agrees_with(&b))
}

fn join(known: &mut Person, more: &Person) {
    let parts = |person: &Person| person.name.given.is_some() && person.name.family.is_some();
    if known.name.full.is_none() || (!parts(known) && parts(more)) {
        known.name = more.name.clone();
    }
    known.emails.extend_from_slice(&more.emails);
    known.links.extend_from_slice(&more.links);
    known.births.extend_from_slice(&more.births);
}

fn name(person: &Person) -> Option<PersonName> {
    PersonName::from_parts(person.name.clone()).ok()
}

fn mailboxes(person: &Person) -> HashSet<String> {
    let addresses = person.emails.iter().filter_map(|text| EmailAddress::parse(text).ok());
    addresses.map(|address| address.canonical().to_owned()).collect()
}

fn states(addresses: &[String], email: &EmailAddress) -> bool {
    let mut addresses = addresses.iter().filter_map(|text| EmailAddress::parse(text).ok());
    addresses.any(|address| address.canonical() == email.canonical())
}

/// Whether a mailbox is named after a person: `ada`, `example`, `ada.example`, `aexample`, `a.example`, `adae`.
fn is_named_after(local_part: &str, name: &PersonName) -> bool {
    let mailbox = local_part.split('+').next().unwrap_or_default();
    let mailbox: String = fold(mailbox).chars().filter(|c| c.is_alphabetic()).collect();
    let words: Vec<String> =
        name.full().split([' ', '-']).map(fold).filter(|word| !word.is_empty()).collect();
    let (Some(first), Some(last)) = (words.first(), words.last()) else { return false };
    let initial = |word: &String| word.chars().take(1).collect::<String>();
    let spellings = [
        first.clone(),
        last.clone(),
        format!("{first}{last}"),
        format!("{last}{first}"),
        format!("{}{last}", initial(first)),
        format!("{first}{}", initial(last)),
        words.concat(),
    ];
    mailbox.chars().count() >= MIN_NAME_CHARS && spellings.contains(&mailbox)
}

/// Lower case without accents: mailboxes are mostly written in plain letters.
fn fold(text: &str) -> String {
    text.nfd().filter(|c| !is_combining_mark(*c)).flat_map(char::to_lowercase).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::name::Parts;

    fn person(name: &str, emails: &[&str]) -> Person {
        let name = Parts { full: Some(name.into()), ..Parts::default() };
        Person { name, emails: emails.iter().map(|&email| email.into()).collect(), ..Person::default() }
    }

    fn proof(people: Vec<Person>, addresses: &[&str]) -> Option<(String, Proof)> {
        let addresses = addresses.iter().map(|&address| address.into()).collect();
        let facts = Facts { people, addresses, ..Facts::default() };
        let email = EmailAddress::parse("ada@example.com").unwrap();
        owner(&facts, &email).map(|(person, proof)| (person.name.full.unwrap_or_default(), proof))
    }

    #[test]
    fn a_page_is_taken_only_with_proof() {
        let ada = || person("Ada Example", &[]);
        let bob = || person("Bob Sample", &[]);
        let stating = || person("Ada Example", &["ada@example.com"]);
        let cases = [
            ("nobody", vec![], &["ada@example.com"][..], None),
            ("the one who states it", vec![stating()], &[], Some(Proof::Stated)),
            ("the one of several who states it", vec![bob(), stating()], &[], Some(Proof::Stated)),
            (
                "the only one, and the page links it",
                vec![ada()],
                &["ADA@example.com"],
                Some(Proof::OnlyPerson),
            ),
            ("the only one, after whom it is named", vec![ada()], &[], Some(Proof::NameAgrees)),
            ("the only one, described twice", vec![ada(), ada()], &[], Some(Proof::NameAgrees)),
            ("several, and the page links it", vec![ada(), bob()], &["ada@example.com"], None),
            ("the only one, with another name", vec![bob()], &[], None),
            ("the only one, and the page links another", vec![bob()], &["bob@example.com"], None),
        ];
        for (case, people, addresses, expected) in cases {
            let expected = expected.map(|proof| ("Ada Example".to_owned(), proof));
            assert_eq!(proof(people, addresses), expected, "{case}");
        }
    }

    #[test]
    fn namesakes_with_different_addresses_stay_apart() {
        let others =
            vec![person("Ada Example", &["ada2@example.com"]), person("Ada Example", &["ada3@example.com"])];
        assert_eq!(proof(others, &["ada@example.com"]), None);
    }

    #[test]
    fn mailboxes_are_named_after_people_in_a_few_ways() {
        let name = |text| PersonName::parse(text).unwrap();
        for local_part in
            ["ada", "Example", "ada.example", "example-ada", "aexample", "a.example", "ada+news", "adae"]
        {
            assert!(is_named_after(local_part, &name("Ada Example")), "{local_part}");
        }
        for local_part in ["a", "ae", "adam", "office", "exam", "", "+ada", "1987"] {
            assert!(!is_named_after(local_part, &name("Ada Example")), "{local_part}");
        }
        assert!(is_named_after("jurgen", &name("Jürgen Müller")));
        assert!(!is_named_after("li", &name("Li Wu")), "two letters prove nothing");
    }
}
