//! The text of an element, and texts cleaned of what no text should hold.
//!
//! Invariant: bounded: a text has at most [`MAX_TEXT_BYTES`], and all readers of a page share one allowance of
//! steps, so that texts within texts cost no more than texts side by side.

use scraper::{ElementRef, Html};

use super::walk::{Visit, below};
use super::{Page, is};

/// More text than any property holds.
const MAX_TEXT_BYTES: usize = 1024;

/// The text within an element as it is read out, pictures by their caption.
pub(super) fn of(element: ElementRef<'_>, page: &Page<'_>) -> String {
    let mut text = String::new();
    if is(&element, "img") {
        push(&mut text, element.attr("alt").unwrap_or_default());
    }
    for (_, visit) in below(element, |_| true) {
        match visit {
            Visit::Text(part) => push(&mut text, part),
            Visit::Element(inner) => match inner.value().name() {
                "img" => push(&mut text, inner.attr("alt").unwrap_or_default()),
                name if is_line(name) => push(&mut text, "\n"),
                _ => {}
            },
        }
        if text.len() >= MAX_TEXT_BYTES || !page.may_step() {
            break;
        }
    }
    text
}

/// Elements that begin on a line of their own, so that words on both sides are two.
fn is_line(name: &str) -> bool {
    matches!(name, "br" | "p" | "div" | "li" | "td" | "th" | "tr" | "dd" | "dt" | "h1" | "h2" | "h3" | "h4")
}

fn push(text: &mut String, part: &str) {
    let room = MAX_TEXT_BYTES.saturating_sub(text.len());
    text.push_str(part.get(..part.floor_char_boundary(room)).unwrap_or_default());
}

/// A text on one line, with single spaces, without control characters and marks of direction; nothing if that is
/// all it was.
pub(super) fn clean(text: &str) -> Option<String> {
    let text = text.get(..text.floor_char_boundary(MAX_TEXT_BYTES)).unwrap_or_default();
    let is_wanted = |c: &char| c.is_whitespace() || !(c.is_control() || is_mark(*c));
    let text: String = text.chars().filter(is_wanted).collect();
    let text = text.split_whitespace().collect::<Vec<_>>().join(" ");
    (!text.is_empty()).then_some(text)
}

/// Marks that turn the direction of a text, and the sign of a file's beginning.
fn is_mark(c: char) -> bool {
    matches!(c, '\u{200E}' | '\u{200F}' | '\u{61C}' | '\u{202A}'..='\u{202E}' | '\u{2066}'..='\u{2069}' | '\u{FEFF}')
}

/// A text in which characters are written as HTML's `&amp;` and `&#39;`.
pub(super) fn unescape(text: &str) -> String {
    if !text.contains('&') {
        return text.to_owned();
    }
    let html = Html::parse_fragment(&text.replace('<', "&lt;"));
    html.root_element().text().collect()
}
