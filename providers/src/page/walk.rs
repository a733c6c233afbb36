//! One way through a tree: depth first, in the order of the page, without recursion.
//!
//! Invariant: every step costs the same, whatever the shape of the tree; what is left out is never looked at.

use scraper::ElementRef;

/// What stands at one place of a page.
#[derive(Clone, Copy)]
pub(super) enum Visit<'a> {
    Element(ElementRef<'a>),
    Text(&'a str),
}

/// Everything below an element, each with its depth (1 for a child), but nothing below those elements into which the
/// caller does not want to go. Scripts, styles and templates are not shown, and so not part of the page.
pub(super) fn below<'a>(
    root: ElementRef<'a>,
    goes_into: impl Fn(&ElementRef<'a>) -> bool,
) -> impl Iterator<Item = (usize, Visit<'a>)> {
    let mut open = vec![root.children()];
    std::iter::from_fn(move || {
        loop {
            let depth = open.len();
            let Some(node) = open.last_mut()?.next() else {
                open.pop();
                continue;
            };
            if let Some(element) = ElementRef::wrap(node) {
                if matches!(element.value().name(), "script" | "style" | "template") {
                    continue;
                }
                if goes_into(&element) {
                    open.push(node.children());
                }
                return Some((depth, Visit::Element(element)));
            }
            if let Some(text) = node.value().as_text() {
                return Some((depth, Visit::Text(text)));
            }
        }
    })
}

/// The elements below an element, in the same way.
pub(super) fn elements_below<'a>(
    root: ElementRef<'a>,
    goes_into: impl Fn(&ElementRef<'a>) -> bool,
) -> impl Iterator<Item = ElementRef<'a>> {
    below(root, goes_into).filter_map(|(_, visit)| match visit {
        Visit::Element(element) => Some(element),
        Visit::Text(_) => None,
    })
}
