//! People in microformats: `h-card` (<https://microformats.org/wiki/h-card>) and `vcard`, wherever they stand.
//!
//! Invariant: what stands in a card within a card is the inner one's; an organisation's card is nobody.

use super::contact::{address_at, hash_at};
use super::microformats::{Item, Items, is_root};
use super::person::Draft;
use super::walk::elements_below;
use super::{Facts, MAX_VALUES, Page, Person, Vocabulary, has};

/// The properties of a card that are read, and the words by which a draft knows them.
const PROPERTIES: [(&str, &str); 10] = [
    ("name", "name"),
    ("given-name", "givenName"),
    ("additional-name", "additionalName"),
    ("family-name", "familyName"),
    ("nickname", "alternateName"),
    ("bday", "birthDate"),
    ("uid", "url"),
    ("url", "url"),
    ("photo", "image"),
    ("email", "email"),
];

/// As what a card in another item is not a person's.
const PLACES: [&str; 5] = ["org", "organization-name", "organization-unit", "location", "adr"];

/// Adds the people of a page that have a card.
pub(super) fn read(page: &Page<'_>, people: &mut Vec<Person>, facts: &mut Facts) {
    let items = Items::of(page);
    for card in items.iter().filter(|item| item.is("h-card")) {
        if is_organisation(&items, card) {
            facts.is_organisations |= card.held_as.is_empty();
        } else {
            people.push(person(&items, card, page));
        }
    }
}

fn person(items: &Items<'_>, card: &Item<'_>, page: &Page<'_>) -> Person {
    let mut draft = Draft::new(Vocabulary::HCard, &page.base);
    for (property, word) in PROPERTIES {
        items.values(card, property).take(MAX_VALUES).for_each(|value| draft.take(word, &value));
    }
    let mut linked = Vec::new();
    let own = elements_below(card.root, |element| !is_root(element));
    for element in std::iter::once(card.root).chain(own.filter(|element| !is_root(element))) {
        linked.extend(address_at(&element).filter(|_| linked.len() <= MAX_VALUES));
        if let Some(hash) = hash_at(&element) {
            draft.take("mbox_sha1sum", &hash);
        }
        if has(&element, "rel", "me") {
            draft.take("url", element.attr("href").unwrap_or_default());
        }
    }
    linked.dedup();
    // One link without a class is this person's address; of several, some are not.
    if let ([address], false) = (linked.as_slice(), draft.has_address()) {
        draft.take("email", address);
    }
    draft.finish()
}

/// By convention a card whose name is its organisation is that organisation's; so is one that names nobody else, and
/// one that stands in another item as its organisation or place.
fn is_organisation(items: &Items<'_>, card: &Item<'_>) -> bool {
    let first = |name| items.values(card, name).find(|text| !text.is_empty());
    let is_place = card.held_as.iter().any(|name| PLACES.contains(name));
    let organisation = first("org").or_else(|| first("organization-name"));
    let has_name = || ["name", "given-name", "family-name"].iter().any(|name| card.has(name));
    is_place || card.is("h-org") || organisation.is_some() && (!has_name() || first("name") == organisation)
}
