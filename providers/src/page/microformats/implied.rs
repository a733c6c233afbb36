//! What an item without properties says by its shape: a linked name, a captioned picture.
//!
//! Invariant: looks at the root, its children and its only grandchildren, no deeper.

use scraper::ElementRef;

use super::is_root;
use crate::page::{Page, is, text};

/// How an element shows something: its name and the attribute that says what.
type Shape = (&'static str, &'static str);

const NAMES: [Shape; 3] = [("img", "alt"), ("area", "alt"), ("abbr", "title")];
const PHOTOS: [Shape; 2] = [("img", "src"), ("object", "data")];
const LINKS: [Shape; 2] = [("a", "href"), ("area", "href")];

pub(super) fn name(root: ElementRef<'_>, page: &Page<'_>) -> String {
    let own = shown(root, &NAMES);
    let below = || {
        let only = only_child(root)?;
        let of = |element: ElementRef<'_>| shown(element, &NAMES).filter(|name| !name.trim().is_empty());
        of(only).or_else(|| of(only_child(only)?))
    };
    let name = own.or_else(below).unwrap_or_else(|| text::of(root, page));
    name.trim().to_owned()
}

pub(super) fn photo(root: ElementRef<'_>) -> Option<String> {
    shown(root, &PHOTOS).or_else(|| below(root, &PHOTOS))
}

pub(super) fn link(root: ElementRef<'_>) -> Option<String> {
    shown(root, &LINKS).or_else(|| below(root, &LINKS))
}

fn shown(element: ElementRef<'_>, shapes: &[Shape]) -> Option<String> {
    let (_, attribute) = shapes.iter().find(|(name, _)| is(&element, name))?;
    element.attr(attribute).map(str::to_owned)
}

/// What the only child of a kind shows, or else that of the only child.
fn below(root: ElementRef<'_>, shapes: &[Shape]) -> Option<String> {
    only_of_kind(root, shapes).or_else(|| only_of_kind(only_child(root)?, shapes))
}

fn only_of_kind(element: ElementRef<'_>, shapes: &[Shape]) -> Option<String> {
    shapes.iter().find_map(|shape| {
        let mut children = element.child_elements().filter(|child| is(child, shape.0));
        let only = children.next().filter(|_| children.next().is_none())?;
        if is_root(&only) { None } else { shown(only, &[*shape]) }
    })
}

/// The only child element, if it is no item of its own.
fn only_child(element: ElementRef<'_>) -> Option<ElementRef<'_>> {
    let mut children = element.child_elements();
    let only = children.next().filter(|_| children.next().is_none())?;
    (!is_root(&only)).then_some(only)
}
