//! What the head of a page says of its author: the profile of `OpenGraph`, `<meta name=author>`, accounts of creators.
//!
//! Invariant: a title is never a name; `og:title` says what the page is called.

use url::Url;

use super::person::Draft;
use super::unite::add;
use super::{Facts, MAX_VALUES, Page, Person, Vocabulary, is};

/// The `<meta>` elements of a page, by lower-case name or property.
pub(super) struct Head<'a>(Vec<(String, &'a str)>);

impl<'a> Head<'a> {
    pub(super) fn of(page: &'a Page<'a>) -> Self {
        let notices = page.elements().filter(|element| is(element, "meta")).filter_map(|element| {
            let name = element.attr("property").or_else(|| element.attr("name"))?;
            let is_read = name.len() <= MAX_VALUES;
            is_read.then_some((name.trim().to_ascii_lowercase(), element.attr("content")?))
        });
        Self(notices.take(4 * MAX_VALUES).collect())
    }

    fn all(&self, name: &str) -> impl Iterator<Item = &'a str> {
        self.0.iter().filter(move |(known, _)| known == name).map(|(_, content)| *content)
    }

    /// The person whose profile the page says it is.
    pub(super) fn profile(&self, page: &Page<'_>) -> Option<Person> {
        if !self.all("og:type").any(|kind| kind.trim().eq_ignore_ascii_case("profile")) {
            return None;
        }
        let mut draft = Draft::new(Vocabulary::OpenGraph, &page.base);
        for (property, word) in [
            ("profile:first_name", "givenName"),
            ("profile:last_name", "familyName"),
            ("profile:username", "alternateName"),
            ("og:url", "url"),
            ("og:see_also", "sameAs"),
            ("og:image", "image"),
        ] {
            self.all(property).for_each(|value| draft.take(word, value));
        }
        Some(draft.finish())
    }

    /// The person whom the page names as its author.
    pub(super) fn author(&self, page: &Page<'_>) -> Option<Person> {
        let mut authors = self.all("author").filter(|name| !name.trim().is_empty());
        let author = authors.next()?;
        if authors.any(|other| other.trim() != author.trim()) {
            return None;
        }
        let mut draft = Draft::new(Vocabulary::Author, &page.base);
        draft.take("name", author);
        Some(draft.finish())
    }

    /// Adds the accounts of the page's creator.
    pub(super) fn creators(&self, facts: &mut Facts) {
        add(&mut facts.creators, self.all("fediverse:creator").filter_map(fediverse));
        let accounts = self.all("twitter:creator").chain(self.all("twitter:site"));
        add(&mut facts.creators, accounts.filter_map(twitter));
    }
}

/// `@ada@social.example.com`
fn fediverse(account: &str) -> Option<Url> {
    let (name, host) = account.trim().trim_start_matches('@').split_once('@')?;
    let is_plain =
        is_account(name) && host.bytes().all(|byte| byte.is_ascii_alphanumeric() || b".-".contains(&byte));
    if is_plain { Url::parse(&format!("https://{host}/@{name}")).ok() } else { None }
}

/// `@ada`
fn twitter(account: &str) -> Option<Url> {
    let name = account.trim().strip_prefix('@')?;
    if is_account(name) { Url::parse(&format!("https://twitter.com/{name}")).ok() } else { None }
}

fn is_account(name: &str) -> bool {
    let is_letter = |byte: u8| byte.is_ascii_alphanumeric() || b"_.-".contains(&byte);
    !name.is_empty() && name.len() <= MAX_VALUES && name.bytes().all(is_letter)
}
