//! People in JSON-LD: schema.org `Person` (<https://schema.org/Person>) in
//! `<script type="application/ld+json">`.
//!
//! JSON-LD is a graph written as a tree: a person may stand at the top, in `@graph`, or below any property
//! (`mainEntity`, `author`, `founder`), and a node may be given in parts that share an `@id`. All nodes are
//! collected, joined by `@id`, and those that are people are read. Contexts are not resolved: pages write the plain
//! schema.org terms.
//!
//! Invariant: a block that is not JSON is skipped, never repaired.

use std::collections::HashMap;

use scraper::Html;
use serde_json::{Map, Value};
use url::Url;

use super::links::address;
use super::{MAX_PEOPLE, MAX_VALUES, Person, Vocabulary, elements, is, web_link};
use crate::name::Parts;

type Node = Map<String, Value>;

/// The people that a page's JSON-LD describes.
pub(super) fn people(html: &Html, base: &Url) -> Vec<Person> {
    let blocks: Vec<Value> = blocks(html).collect();
    let mut nodes = Vec::new();
    for block in &blocks {
        collect(block, &mut nodes);
    }
    let graph = Graph::of(&nodes);
    graph.people().take(MAX_PEOPLE).map(|person| person.read(base)).collect()
}

fn blocks(html: &Html) -> impl Iterator<Item = Value> {
    let scripts = elements(html).filter(|element| is(element, "script")).filter(|element| {
        let kind = element.attr("type").unwrap_or_default().split(';').next().unwrap_or_default();
        kind.trim().eq_ignore_ascii_case("application/ld+json")
    });
    scripts.filter_map(|script| serde_json::from_str(&script.text().collect::<String>()).ok())
}

/// Every object in a block, outer ones first. The depth is bounded by the JSON parser (128).
fn collect<'a>(value: &'a Value, nodes: &mut Vec<&'a Node>) {
    match value {
        Value::Array(values) => values.iter().for_each(|value| collect(value, nodes)),
        Value::Object(node) => {
            nodes.push(node);
            node.values().for_each(|value| collect(value, nodes));
        }
        _ => {}
    }
}

/// Nodes in page order, the parts of one node together.
struct Graph<'a> {
    nodes: Vec<Described<'a>>,
}

/// One node, as all its parts describe it.
struct Described<'a>(Vec<&'a Node>);

impl<'a> Graph<'a> {
    fn of(parts: &[&'a Node]) -> Self {
        let mut nodes: Vec<Described<'a>> = Vec::new();
        let mut by_id: HashMap<&str, usize> = HashMap::new();
        for part in parts {
            let id = part.get("@id").and_then(Value::as_str);
            let known = id.and_then(|id| by_id.get(id)).and_then(|&at| nodes.get_mut(at));
            if let Some(known) = known {
                known.0.push(part);
                continue;
            }
            if let Some(id) = id {
                by_id.insert(id, nodes.len());
            }
            nodes.push(Described(vec![part]));
        }
        Self { nodes }
    }

    fn people(&self) -> impl Iterator<Item = &Described<'a>> {
        self.nodes.iter().filter(|node| node.is_person())
    }
}

impl Described<'_> {
    fn is_person(&self) -> bool {
        self.texts("@type").iter().any(|kind| {
            let kind = kind.rsplit(['/', ':', '#']).next().unwrap_or_default();
            kind == "Person"
        })
    }

    fn read(&self, base: &Url) -> Person {
        let first = |name| self.texts(name).first().map(|&text| text.to_owned());
        let links = self.texts("url").into_iter().chain(self.texts("sameAs"));
        Person {
            name: Parts { full: first("name"), given: first("givenName"), family: first("familyName") },
            emails: self.texts("email").into_iter().map(address).collect(),
            links: links.filter_map(|link| web_link(link, base)).take(MAX_VALUES).collect(),
            births: self.texts("birthDate").into_iter().map(str::to_owned).collect(),
            vocabularies: vec![Vocabulary::JsonLd],
            ..Person::default()
        }
    }

    /// All texts of a property: one, several, or each wrapped in a node of its own.
    fn texts(&self, property: &str) -> Vec<&str> {
        let values = self.0.iter().filter_map(|part| part.get(property));
        let values = values.flat_map(|value| match value {
            Value::Array(values) => values.as_slice(),
            one => std::slice::from_ref(one),
        });
        values.filter_map(one_text).filter(|text| !text.trim().is_empty()).take(MAX_VALUES).collect()
    }
}

/// A text, or the one within `{"@value": …}`, `{"@id": …}`.
fn one_text(value: &Value) -> Option<&str> {
    value.as_str().or_else(|| value.get("@value")?.as_str()).or_else(|| value.get("@id")?.as_str())
}
