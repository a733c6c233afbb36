//! People in microformats2: `h-card` (<https://microformats.org/wiki/h-card>), as far as name, address, links and
//! birthday go.
//!
//! Invariant: every element is visited for the card that is nearest above it and no other, so that cards within
//! cards cost no more than cards side by side.

use scraper::{ElementRef, Html};
use url::Url;

use super::links::address;
use super::{MAX_PEOPLE, MAX_VALUES, Person, Vocabulary, elements, has, is, web_link};
use crate::name::Parts;

/// More text than any property holds.
const MAX_TEXT_BYTES: usize = 1024;

/// The people of a page that have a card. An organisation's card is nobody.
pub(super) fn people(html: &Html, base: &Url) -> Vec<Person> {
    let cards = elements(html).filter(|element| has(element, "class", "h-card")).take(MAX_PEOPLE);
    cards.map(Card::read).filter(|card| !card.is_organisation()).map(|card| card.person(base)).collect()
}

/// One card: its root and the elements that are its own.
struct Card<'a> {
    root: ElementRef<'a>,
    own: Vec<ElementRef<'a>>,
}

impl<'a> Card<'a> {
    fn read(root: ElementRef<'a>) -> Self {
        let mut own = Vec::new();
        let mut open: Vec<_> = root.child_elements().collect();
        open.reverse();
        while let Some(element) = open.pop() {
            own.push(element);
            if !is_root(&element) {
                let first = open.len();
                open.extend(element.child_elements());
                if let Some(children) = open.get_mut(first..) {
                    children.reverse();
                }
            }
        }
        Self { root, own }
    }

    fn person(&self, base: &Url) -> Person {
        let first = |class| self.with(class).map(text_value).find(|text| !text.is_empty());
        let (given, family) = (first("p-given-name"), first("p-family-name"));
        let full = first("p-name").or_else(|| self.implied_name());
        let emails = self.with("u-email").map(|email| address(&link_value(email)));
        let links = self.with("u-url").chain(self.with("u-uid")).map(link_value);
        let links = links.chain(self.implied_link()).filter_map(|link| web_link(&link, base));
        Person {
            name: Parts { full, given, family },
            emails: emails.take(MAX_VALUES).collect(),
            links: links.take(MAX_VALUES).collect(),
            births: self.with("dt-bday").map(date_value).take(MAX_VALUES).collect(),
            vocabularies: vec![Vocabulary::HCard],
            ..Person::default()
        }
    }

    /// By convention a card whose name is its organisation is that organisation's; one inside another card that is
    /// its `p-org` is so, too.
    fn is_organisation(&self) -> bool {
        let is_part = ["p-org", "p-location", "p-adr"].iter().any(|class| has(&self.root, "class", class));
        let name = self.with("p-name").map(text_value).next();
        is_part || name.is_some() && name == self.with("p-org").map(text_value).next()
    }

    fn with(&self, class: &'static str) -> impl Iterator<Item = ElementRef<'a>> {
        self.own.iter().copied().filter(move |element| has(element, "class", class))
    }

    fn has_any(&self, prefixes: &[&str]) -> bool {
        self.own
            .iter()
            .flat_map(|element| element.value().classes())
            .any(|class| prefixes.iter().any(|prefix| class.starts_with(prefix)))
    }

    /// The name of a card without properties: its own text or picture's text.
    fn implied_name(&self) -> Option<String> {
        if self.has_any(&["p-", "e-", "h-"]) {
            return None;
        }
        let only = if self.own.len() == 1 { self.own.first() } else { None };
        let implied = [Some(&self.root), only].into_iter().flatten().find_map(alternative);
        let name = implied.map_or_else(|| text(self.root), str::to_owned);
        (!name.is_empty()).then_some(name)
    }

    /// The link of a card without `u-*`: its own, or its only one.
    fn implied_link(&self) -> Option<String> {
        if self.has_any(&["u-"]) {
            return None;
        }
        let mut links = self.own.iter().filter(|element| is(element, "a") && !is_root(element));
        let only = links.next().filter(|_| links.next().is_none());
        let link = self.root.attr("href").or_else(|| only?.attr("href"))?;
        Some(link.to_owned())
    }
}

/// Whether a microformat of its own begins here.
fn is_root(element: &ElementRef<'_>) -> bool {
    element.value().classes().any(|class| class.starts_with("h-"))
}

/// `p-*`
fn text_value(element: ElementRef<'_>) -> String {
    let parts: Vec<_> =
        values(element).map(|value| alternative(&value).map_or_else(|| text(value), str::to_owned)).collect();
    if !parts.is_empty() {
        return parts.concat();
    }
    alternative(&element).map_or_else(|| text(element), |value| value.trim().to_owned())
}

/// `u-*`
fn link_value(element: ElementRef<'_>) -> String {
    let attribute = match element.value().name() {
        "a" | "area" | "link" => "href",
        "img" | "audio" | "video" | "source" => "src",
        "object" => "data",
        _ => return text_value(element),
    };
    element.attr(attribute).map_or_else(|| text_value(element), str::to_owned)
}

/// `dt-*`: of a date and a time given apart, the date.
fn date_value(element: ElementRef<'_>) -> String {
    let date = |element: &ElementRef<'_>| {
        let machine = ["time", "ins", "del"].contains(&element.value().name());
        let datetime = element.attr("datetime").filter(|_| machine).or_else(|| alternative(element));
        datetime.map_or_else(|| text(*element), |value| value.trim().to_owned())
    };
    let mut parts = values(element).map(|value| date(&value));
    let year_first = |text: &String| text.bytes().take_while(u8::is_ascii_digit).count() == 4;
    parts.find(year_first).unwrap_or_else(|| date(&element))
}

/// The value-class pattern: the parts of a property that hold its value.
fn values(element: ElementRef<'_>) -> impl Iterator<Item = ElementRef<'_>> {
    let parts = element.descendent_elements().skip(1).take(MAX_VALUES);
    parts.filter(|part| has(part, "class", "value") || has(part, "class", "value-title"))
}

/// What an element says by an attribute in place of its text.
fn alternative<'a>(element: &ElementRef<'a>) -> Option<&'a str> {
    let attribute = match element.value().name() {
        _ if has(element, "class", "value-title") => "title",
        "abbr" => "title",
        "data" | "input" => "value",
        "img" | "area" => "alt",
        _ => return None,
    };
    element.attr(attribute)
}

/// The text within an element, with single spaces, without what is not shown.
fn text(element: ElementRef<'_>) -> String {
    let hidden = |name: &str| matches!(name, "script" | "style" | "template");
    let mut text = String::new();
    for node in element.descendants() {
        let parent = node.parent().and_then(ElementRef::wrap);
        if parent.is_some_and(|parent| hidden(parent.value().name())) {
            continue;
        }
        if let Some(part) = node.value().as_text() {
            let room = MAX_TEXT_BYTES.saturating_sub(text.len());
            text.push_str(part.get(..part.floor_char_boundary(room)).unwrap_or_default());
        }
        if text.len() >= MAX_TEXT_BYTES {
            break;
        }
    }
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}
