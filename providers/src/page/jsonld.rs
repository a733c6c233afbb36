//! People in JSON-LD: schema.org `Person` (<https://schema.org/Person>) in
//! `<script type="application/ld+json">`.
//!
//! JSON-LD is a graph written as a tree: a person may stand at the top, in `@graph`, or below any property
//! (`mainEntity`, `author`, `founder`), and a node may be given in parts that share an `@id`, in one block or
//! several. All nodes are collected, joined by `@id`, and those that are people are read. Contexts are not resolved:
//! pages write the plain schema.org terms, or common prefixes (see `terms`).
//!
//! Invariant: no more than [`MAX_NODES`] nodes are read; recursion is bounded by the JSON parser (128).

mod block;

use std::collections::HashMap;

use serde_json::{Map, Value};

use super::person::Draft;
use super::terms::{is_organisation, is_person, term};
use super::text::unescape;
use super::unite::MAX_DESCRIPTIONS;
use super::{Facts, MAX_VALUES, Page, Person, Vocabulary};

/// Nodes of one page that are read.
const MAX_NODES: usize = 50_000;
/// What hangs on a person as a node of its own, and the property of that node that is the person's.
const BELOW: [(&str, &str, &str); 3] =
    [("contactPoint", "email", "email"), ("image", "contentUrl", "image"), ("account", "url", "account")];

type Node = Map<String, Value>;

/// Adds the people that a page's JSON-LD describes.
pub(super) fn read(page: &Page<'_>, people: &mut Vec<Person>, facts: &mut Facts) {
    let blocks: Vec<Value> = block::all(page).collect();
    let mut nodes = Vec::new();
    for block in &blocks {
        collect(block, &mut nodes);
    }
    let graph = join(&nodes);
    let persons = graph.iter().filter(|node| node.is(is_person)).take(MAX_DESCRIPTIONS);
    people.extend(persons.map(|node| node.read(page)));
    facts.is_organisations |=
        blocks.iter().flat_map(top).any(|node| node.is(is_organisation) && !node.is(is_person));
}

/// Every object in a block, outer ones first.
fn collect<'a>(value: &'a Value, nodes: &mut Vec<&'a Node>) {
    if nodes.len() >= MAX_NODES {
        return;
    }
    match value {
        Value::Array(values) => values.iter().for_each(|value| collect(value, nodes)),
        Value::Object(node) => {
            nodes.push(node);
            node.values().for_each(|value| collect(value, nodes));
        }
        _ => {}
    }
}

/// The nodes that a block is about: those at its top, and those of its graph.
fn top(block: &Value) -> Vec<Described<'_>> {
    let nodes = several(block).iter().filter_map(Value::as_object);
    nodes
        .flat_map(|node| {
            let graph = node.get("@graph").map(several).unwrap_or_default();
            std::iter::once(node).chain(graph.iter().filter_map(Value::as_object))
        })
        .map(|node| Described(vec![node]))
        .collect()
}

/// Nodes in page order, the parts of one node together.
fn join<'a>(parts: &[&'a Node]) -> Vec<Described<'a>> {
    let mut nodes: Vec<Described<'a>> = Vec::new();
    let mut by_id: HashMap<&str, usize> = HashMap::new();
    for part in parts {
        let id = part.get("@id").or_else(|| part.get("id")).and_then(Value::as_str);
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
    nodes
}

/// One node, as all its parts describe it.
struct Described<'a>(Vec<&'a Node>);

impl Described<'_> {
    fn is(&self, kind: impl Fn(&str) -> bool) -> bool {
        let kinds = self.0.iter().filter_map(|part| part.get("@type").or_else(|| part.get("type")));
        kinds.flat_map(several).filter_map(Value::as_str).any(kind)
    }

    fn read(&self, page: &Page<'_>) -> Person {
        let mut draft = Draft::new(Vocabulary::JsonLd, &page.base);
        let values = || {
            self.0.iter().flat_map(|part| part.iter()).filter_map(|(key, value)| Some((term(key)?, value)))
        };
        // A person's own page before their accounts, whatever the order in the block.
        let (own, other) =
            (values().filter(|(word, _)| *word == "url"), values().filter(|(word, _)| *word != "url"));
        for (property, value) in own.chain(other) {
            for value in several(value).iter().take(MAX_VALUES) {
                take(&mut draft, property, value);
                for (_, inner, word) in BELOW.iter().filter(|(holder, _, _)| *holder == property) {
                    let inner = value.get(inner).into_iter().flat_map(several).take(MAX_VALUES);
                    inner.for_each(|value| take(&mut draft, word, value));
                }
            }
        }
        draft.finish()
    }
}

/// Takes in a text, the one within `{"@value": …}`, or, where an address is meant, within `{"@id": …}`, `{"url": …}`.
fn take(draft: &mut Draft<'_>, property: &str, value: &Value) {
    let within = |key| value.get(key).and_then(Value::as_str);
    let is_name = property.to_ascii_lowercase().ends_with("name");
    let address = || if is_name { None } else { within("@id").or_else(|| within("url")) };
    if let Some(text) = value.as_str().or_else(|| within("@value")).or_else(address) {
        draft.take(property, &unescape(text));
    }
}

/// A value as a list: one, several, or several wrapped in a node of their own.
fn several(value: &Value) -> &[Value] {
    match value {
        Value::Array(values) => values,
        Value::Object(node) => match node.get("@list").or_else(|| node.get("@set")) {
            Some(Value::Array(values)) => values,
            _ => std::slice::from_ref(value),
        },
        one => std::slice::from_ref(one),
    }
}
