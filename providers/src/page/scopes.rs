//! People in attributes: microdata (`itemscope`, `itemtype`, `itemprop`, `itemref`:
//! <https://html.spec.whatwg.org/multipage/microdata.html>) and `RDFa` Lite (`typeof`, `property`:
//! <https://www.w3.org/TR/rdfa-lite/>) with the words of schema.org or FOAF.
//!
//! Invariant: what stands in a scope within a scope is the inner one's.

use std::collections::HashMap;

use scraper::ElementRef;

use super::contact::address_at;
use super::person::Draft;
use super::terms::{is_person, term};
use super::text;
use super::unite::MAX_DESCRIPTIONS;
use super::walk::elements_below;
use super::{Page, Person, Vocabulary};

/// Elements elsewhere on the page that one item may call its own.
const MAX_REFERENCES: usize = 16;

/// The attributes of one of the two.
struct Dialect {
    vocabulary: Vocabulary,
    scope: &'static str,
    kind: &'static str,
    properties: &'static [&'static str],
}

const DIALECTS: [Dialect; 2] = [
    Dialect {
        vocabulary: Vocabulary::Microdata,
        scope: "itemscope",
        kind: "itemtype",
        properties: &["itemprop"],
    },
    Dialect {
        vocabulary: Vocabulary::Rdfa,
        scope: "typeof",
        kind: "typeof",
        properties: &["property", "rel"],
    },
];

/// Adds the people of a page that have a scope.
pub(super) fn read(page: &Page<'_>, people: &mut Vec<Person>) {
    let ids = ids(page);
    for dialect in &DIALECTS {
        let scopes = page.elements().filter(|element| dialect.is_person(element)).take(MAX_DESCRIPTIONS);
        people.extend(scopes.map(|scope| dialect.person(scope, &ids, page)));
    }
}

/// The elements to which an item may refer.
fn ids<'a>(page: &Page<'a>) -> HashMap<&'a str, ElementRef<'a>> {
    if !page.elements().any(|element| element.attr("itemref").is_some()) {
        return HashMap::new();
    }
    let mut ids = HashMap::new();
    for element in page.elements() {
        if let Some(id) = element.attr("id") {
            ids.entry(id).or_insert(element);
        }
    }
    ids
}

impl Dialect {
    fn is_person(&self, element: &ElementRef<'_>) -> bool {
        let mut kinds = element.attr(self.kind).unwrap_or_default().split_ascii_whitespace();
        element.attr(self.scope).is_some() && kinds.any(is_person)
    }

    fn is_scope(&self, element: &ElementRef<'_>) -> bool {
        element.attr(self.scope).is_some()
    }

    fn person<'a>(
        &self,
        scope: ElementRef<'a>,
        ids: &HashMap<&str, ElementRef<'a>>,
        page: &Page<'_>,
    ) -> Person {
        let mut draft = Draft::new(self.vocabulary, &page.base);
        self.take_below(scope, &mut draft, page);
        let references = scope.attr("itemref").unwrap_or_default().split_ascii_whitespace();
        for element in references.take(MAX_REFERENCES).filter_map(|id| ids.get(id)) {
            self.take(element, &mut draft, page);
            self.take_below(*element, &mut draft, page);
        }
        draft.finish()
    }

    fn take_below(&self, root: ElementRef<'_>, draft: &mut Draft<'_>, page: &Page<'_>) {
        for element in elements_below(root, |element| !self.is_scope(element)) {
            self.take(&element, draft, page);
            if !page.may_step() {
                break;
            }
        }
    }

    fn take(&self, element: &ElementRef<'_>, draft: &mut Draft<'_>, page: &Page<'_>) {
        let is_outer = self.is_scope(element);
        let names = self.properties.iter().filter_map(|attribute| element.attr(attribute));
        for name in names.flat_map(str::split_ascii_whitespace).filter_map(term).filter(|_| !is_outer) {
            // An address may stand covered, or as a link around any text.
            match address_at(element).filter(|_| matches!(name, "email" | "mbox")) {
                Some(address) => draft.take(name, &address),
                None => draft.take(name, &value(*element, page)),
            }
        }
    }
}

/// The value of a property, which is an attribute of most elements.
fn value(element: ElementRef<'_>, page: &Page<'_>) -> String {
    let attribute = match element.value().name() {
        "a" | "area" | "link" => "href",
        "audio" | "embed" | "iframe" | "img" | "source" | "track" | "video" => "src",
        "object" => "data",
        "data" | "meter" => "value",
        "time" => "datetime",
        _ => "content",
    };
    let stated = element.attr("content").or_else(|| element.attr(attribute));
    stated.map_or_else(|| text::of(element, page), str::to_owned)
}
