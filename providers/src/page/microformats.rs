//! Microformats: the tree of items that classes mark, after <https://microformats.org/wiki/microformats2-parsing>.
//!
//! Only structure is read here; the value of a property is read when it is asked for, so that the text of a hundred
//! posts costs nothing. Items of the first generation (`vcard`) are read by their own class names.
//!
//! Invariant: one walk over the page without recursion; no more than [`MAX_ITEMS`] items are read.

mod classes;
mod implied;
mod value;

use scraper::ElementRef;

pub(super) use self::classes::is_root;
use self::classes::{Prefix, Style};
use super::Page;
use super::walk::{Visit, below};

/// Items on one page that are read: posts, places and cards.
const MAX_ITEMS: usize = 1024;
/// Properties of one item that are read.
const MAX_PROPERTIES: usize = 256;

/// All items of a page, outer ones first, in the order of the page.
pub(super) struct Items<'a> {
    items: Vec<Item<'a>>,
    page: &'a Page<'a>,
}

/// One item: `class="h-…"`, or a root of the first generation.
pub(super) struct Item<'a> {
    pub(super) root: ElementRef<'a>,
    /// `h-card`, with `vcard` written so, too.
    pub(super) types: Vec<&'a str>,
    /// The properties as which it stands in the item around it.
    pub(super) held_as: Vec<&'a str>,
    style: Style,
    properties: Vec<Property<'a>>,
    has_items: bool,
}

#[derive(Clone, Copy)]
struct Property<'a> {
    prefix: Prefix,
    name: &'a str,
    element: ElementRef<'a>,
    /// The place of the item that is the property's value, if one is.
    item: Option<usize>,
}

impl<'a> Items<'a> {
    pub(super) fn of(page: &'a Page<'a>) -> Self {
        let mut items: Vec<Item<'a>> = Vec::new();
        // The items in which the walk stands, and how deep.
        let mut open: Vec<(usize, usize)> = Vec::new();
        let top = page.html.root_element();
        let walk = below(top, |_| true);
        for (depth, visit) in std::iter::once((0, Visit::Element(top))).chain(walk) {
            let Visit::Element(element) = visit else { continue };
            while open.last().is_some_and(|&(_, around)| around >= depth) {
                open.pop();
            }
            let place = items.len();
            let root = classes::root(&element).filter(|_| place < MAX_ITEMS);
            let held_as = open.last().and_then(|&(around, _)| {
                items.get_mut(around).map(|around| around.hold(element, root.is_some().then_some(place)))
            });
            if let Some((types, style)) = root {
                let held_as = held_as.unwrap_or_default();
                items.push(Item {
                    root: element,
                    types,
                    held_as,
                    style,
                    properties: Vec::new(),
                    has_items: false,
                });
                open.push((place, depth));
            }
        }
        Self { items, page }
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = &Item<'a>> {
        self.items.iter()
    }

    /// The values of an item's property as text, the implied one if there is no other. Links are as written.
    pub(super) fn values(&self, item: &'a Item<'a>, name: &'static str) -> impl Iterator<Item = String> {
        let stated = item.properties.iter().filter(move |property| property.name == name);
        let implied = if item.has(name) { None } else { self.implied(item, name) };
        stated.map(|property| self.value(property)).chain(implied)
    }

    fn value(&self, property: &Property<'_>) -> String {
        let nested = property.item.and_then(|place| self.items.get(place));
        let stand_in = nested.and_then(|nested| self.stand_in(nested, property.prefix));
        stand_in.unwrap_or_else(|| value::of(property.prefix, property.element, self.page))
    }

    /// What an item that is a property's value is in one word: its name, or its link.
    fn stand_in(&self, item: &Item<'_>, prefix: Prefix) -> Option<String> {
        let (name, own_prefix) = match prefix {
            Prefix::Text => ("name", Prefix::Text),
            Prefix::Link => ("url", Prefix::Link),
            Prefix::Date | Prefix::Embedded => return None,
        };
        let stated = item.properties.iter().find(|own| own.name == name && own.prefix == own_prefix);
        match stated {
            Some(own) => Some(value::of(own.prefix, own.element, self.page)),
            None => self.implied(item, name),
        }
    }

    fn implied(&self, item: &Item<'_>, name: &str) -> Option<String> {
        // The first generation implies nothing; an item that holds others must speak for itself.
        if item.style == Style::First || item.has_items {
            return None;
        }
        let has = |prefixes: &[Prefix]| item.properties.iter().any(|own| prefixes.contains(&own.prefix));
        match name {
            "name" if !has(&[Prefix::Text, Prefix::Embedded]) => Some(implied::name(item.root, self.page)),
            "photo" if !has(&[Prefix::Link]) => implied::photo(item.root),
            "url" if !has(&[Prefix::Link]) => implied::link(item.root),
            _ => None,
        }
    }
}

impl<'a> Item<'a> {
    pub(super) fn is(&self, kind: &str) -> bool {
        self.types.contains(&kind)
    }

    pub(super) fn has(&self, name: &str) -> bool {
        self.properties.iter().any(|property| property.name == name)
    }

    /// Takes note of an element within the item, which may be an item itself. Returns the properties that it is.
    fn hold(&mut self, element: ElementRef<'a>, item: Option<usize>) -> Vec<&'a str> {
        self.has_items |= item.is_some();
        let mut names = Vec::new();
        for (prefix, name) in classes::properties(&element, self.style) {
            if self.properties.len() < MAX_PROPERTIES {
                self.properties.push(Property { prefix, name, element, item });
            }
            names.push(name);
        }
        names
    }
}
