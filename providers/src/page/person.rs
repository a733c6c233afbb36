//! A person as one description has them, put together word by word. The words are those of schema.org
//! (<https://schema.org/Person>), and FOAF's (<http://xmlns.com/foaf/spec/>) for the same things.
//!
//! Invariant: what is taken is cleaned and bounded; a name is never cut so that a long text would become one.

use url::Url;

use super::contact::{address, hash, hash_in};
use super::text::clean;
use super::unite::add;
use super::{Person, Vocabulary, web_link};

pub(super) struct Draft<'a> {
    person: Person,
    additional: Option<String>,
    base: &'a Url,
}

impl<'a> Draft<'a> {
    pub(super) fn new(vocabulary: Vocabulary, base: &'a Url) -> Self {
        let person = Person { vocabularies: vec![vocabulary], ..Person::default() };
        Self { person, additional: None, base }
    }

    /// Takes in one value of one property; other properties are not kept.
    pub(super) fn take(&mut self, property: &str, value: &str) {
        let Person { name, nicknames, emails, hashes, births, .. } = &mut self.person;
        match property {
            "name" => first(&mut name.full, value),
            "givenName" | "givenname" | "firstName" => first(&mut name.given, value),
            "familyName" | "family_name" | "lastName" | "surname" => first(&mut name.family, value),
            "additionalName" => first(&mut self.additional, value),
            "alternateName" | "nick" | "accountName" => add(nicknames, clean(value)),
            "email" | "mbox" => add(emails, address(value)),
            "mbox_sha1sum" => add(hashes, hash(value)),
            "url" | "sameAs" | "homepage" | "weblog" | "account" | "me" => self.take_link(value),
            "image" | "img" | "depiction" => add(hashes, hash_in(value)),
            "birthDate" => add(births, clean(value)),
            _ => {}
        }
    }

    fn take_link(&mut self, value: &str) {
        if value.trim().get(..7).is_some_and(|scheme| scheme.eq_ignore_ascii_case("mailto:")) {
            add(&mut self.person.emails, address(value));
            return;
        }
        add(&mut self.person.hashes, hash_in(value));
        add(&mut self.person.links, web_link(value, self.base));
    }

    pub(super) fn has_address(&self) -> bool {
        !self.person.emails.is_empty()
    }

    pub(super) fn finish(mut self) -> Person {
        let name = &mut self.person.name;
        if let (None, Some(given), Some(middle), Some(family)) =
            (&name.full, &name.given, &self.additional, &name.family)
        {
            name.full = Some(format!("{given} {middle} {family}"));
        }
        self.person
    }
}

/// The first value that says something stays.
fn first(known: &mut Option<String>, value: &str) {
    if known.is_none() {
        *known = clean(value);
    }
}
