//! One list of people a page: an h-card, a JSON-LD node and ten bylines may all be one person.
//!
//! Invariant: two people are never made one by a name alone where each states an address of their own. Bounded work:
//! no more than [`MAX_PEOPLE`] people are kept, and only the first [`MAX_DESCRIPTIONS`] descriptions are compared.

use std::collections::HashSet;

use super::{MAX_PEOPLE, MAX_VALUES, Person};
use crate::email::EmailAddress;
use crate::name::PersonName;

/// Descriptions that are compared; a page that has more is a listing.
pub(super) const MAX_DESCRIPTIONS: usize = 256;

/// The people of a page, each once, in the order of the page.
pub(super) fn unite(people: impl IntoIterator<Item = Person>) -> Vec<Person> {
    let mut known: Vec<Known> = Vec::new();
    for person in people.into_iter().filter_map(Known::read).take(MAX_DESCRIPTIONS) {
        if let Some(known) = known.iter_mut().find(|known| known.is(&person)) {
            known.join(person);
        } else if known.len() < MAX_PEOPLE {
            known.push(person);
        }
    }
    known.into_iter().map(|known| known.person).collect()
}

/// A person and what they are recognized by.
struct Known {
    person: Person,
    name: Option<PersonName>,
    mailboxes: HashSet<String>,
}

impl Known {
    /// A description that says something of somebody.
    fn read(person: Person) -> Option<Self> {
        let name = PersonName::from_parts(person.name.clone()).ok();
        let mailboxes: HashSet<_> = person
            .emails
            .iter()
            .filter_map(|text| EmailAddress::parse(text).ok())
            .map(|address| address.canonical().to_owned())
            .collect();
        let says_something = name.is_some() || !mailboxes.is_empty() || !person.hashes.is_empty();
        says_something.then_some(Self { person, name, mailboxes })
    }

    /// Whether two descriptions are of one person: their names agree, or one of them gives no more than one word
    /// and both give one address or one page. Where both give addresses, one of these must be common.
    fn is(&self, other: &Self) -> bool {
        let is_common = !self.mailboxes.is_disjoint(&other.mailboxes);
        if !is_common && !self.mailboxes.is_empty() && !other.mailboxes.is_empty() {
            return false;
        }
        match (&self.name, &other.name) {
            (Some(a), Some(b)) if a.agrees_with(b) => true,
            (Some(a), Some(b)) if !is_one_word(a) && !is_one_word(b) => false,
            _ => is_common || self.shares_a_link(other),
        }
    }

    fn shares_a_link(&self, other: &Self) -> bool {
        self.person.links.iter().any(|link| other.person.links.contains(link))
    }

    fn join(&mut self, other: Self) {
        let is_fuller = |known: &Option<PersonName>, other: &Option<PersonName>| {
            known.as_ref().is_none_or(is_one_word) && other.as_ref().is_some_and(|other| !is_one_word(other))
        };
        let more = other.person;
        let (name, other_name) = (&mut self.person.name, more.name);
        if self.name.is_none() || is_fuller(&self.name, &other.name) {
            *name = other_name;
            self.name = other.name;
        } else if name.given.is_none() && name.family.is_none() {
            // The name as it was shown first; its parts as they are stated anywhere.
            (name.given, name.family) = (other_name.given, other_name.family);
        }
        add(&mut self.person.nicknames, more.nicknames);
        add(&mut self.person.emails, more.emails);
        add(&mut self.person.hashes, more.hashes);
        add(&mut self.person.links, more.links);
        add(&mut self.person.births, more.births);
        add(&mut self.person.vocabularies, more.vocabularies);
        self.mailboxes.extend(other.mailboxes);
    }
}

fn is_one_word(name: &PersonName) -> bool {
    !name.full().contains(' ')
}

/// Adds what is not there yet, as far as there is room.
pub(super) fn add<T: PartialEq>(list: &mut Vec<T>, more: impl IntoIterator<Item = T>) {
    for item in more {
        if list.len() >= MAX_VALUES {
            break;
        }
        if !list.contains(&item) {
            list.push(item);
        }
    }
}
