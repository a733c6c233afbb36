//! The value of one property: attributes first, then the value-class pattern
//! (<https://microformats.org/wiki/value-class-pattern>), then text.
//!
//! Invariant: links stay as written; who uses one makes it absolute.

use scraper::ElementRef;

use super::classes::{Prefix, Style, is_root, properties};
use crate::page::walk::elements_below;
use crate::page::{Page, has, text};

/// Parts of one value that are read.
const MAX_PARTS: usize = 16;

pub(super) fn of(prefix: Prefix, element: ElementRef<'_>, page: &Page<'_>) -> String {
    let value = match prefix {
        Prefix::Text => words(element, page),
        Prefix::Link => link(element, page),
        Prefix::Date => date(element, page),
        Prefix::Embedded => text::of(element, page),
    };
    value.trim().to_owned()
}

/// `p-*`
fn words(element: ElementRef<'_>, page: &Page<'_>) -> String {
    pattern(element, page).or_else(|| attribute(&element)).unwrap_or_else(|| text::of(element, page))
}

/// `u-*`
fn link(element: ElementRef<'_>, page: &Page<'_>) -> String {
    let attributes: &[&str] = match element.value().name() {
        "a" | "area" | "link" => &["href"],
        "img" | "audio" | "source" | "iframe" => &["src"],
        "video" => &["src", "poster"],
        "object" => &["data"],
        _ => &[],
    };
    let stated = attributes.iter().find_map(|name| element.attr(name)).map(str::to_owned);
    stated.unwrap_or_else(|| {
        let title = pattern(element, page).or_else(|| link_attribute(&element));
        title.unwrap_or_else(|| text::of(element, page))
    })
}

/// `dt-*`: of a date and a time that are given apart, the date.
fn date(element: ElementRef<'_>, page: &Page<'_>) -> String {
    let mut parts = parts(element, page).map(|part| match part {
        Part::Title(title) => title.to_owned(),
        Part::Value(value) => {
            date_attribute(&value).or_else(|| attribute(&value)).unwrap_or_else(|| text::of(value, page))
        }
    });
    let year_first = |text: &String| text.trim().bytes().take_while(u8::is_ascii_digit).count() == 4;
    parts.find(year_first).or_else(|| date_attribute(&element)).unwrap_or_else(|| text::of(element, page))
}

fn date_attribute(element: &ElementRef<'_>) -> Option<String> {
    let name = match element.value().name() {
        "time" | "ins" | "del" => "datetime",
        "abbr" => "title",
        "data" | "input" => "value",
        _ => return None,
    };
    element.attr(name).map(str::to_owned)
}

/// What an element says by an attribute in place of its text.
fn attribute(element: &ElementRef<'_>) -> Option<String> {
    let name = match element.value().name() {
        "abbr" | "link" => "title",
        "data" | "input" => "value",
        "img" | "area" => "alt",
        _ => return None,
    };
    element.attr(name).map(str::to_owned)
}

fn link_attribute(element: &ElementRef<'_>) -> Option<String> {
    let name = match element.value().name() {
        "abbr" => "title",
        "data" | "input" => "value",
        _ => return None,
    };
    element.attr(name).map(str::to_owned)
}

/// A part of a value by the value-class pattern.
enum Part<'a> {
    Title(&'a str),
    Value(ElementRef<'a>),
}

/// What the parts of a value say together.
fn pattern(element: ElementRef<'_>, page: &Page<'_>) -> Option<String> {
    let parts: Vec<String> = parts(element, page)
        .map(|part| match part {
            Part::Title(title) => title.to_owned(),
            Part::Value(value) => {
                attribute(&value).unwrap_or_else(|| text::of(value, page)).trim().to_owned()
            }
        })
        .collect();
    (!parts.is_empty()).then(|| parts.concat())
}

/// The elements that hold the value; those within another item or property hold another value.
fn parts<'a>(element: ElementRef<'a>, page: &Page<'_>) -> impl Iterator<Item = Part<'a>> {
    let is_value = |element: &ElementRef<'_>| has(element, "class", "value");
    let goes_into = move |element: &ElementRef<'_>| {
        !is_value(element) && !is_root(element) && properties(element, Style::Second).next().is_none()
    };
    let elements = elements_below(element, goes_into).take_while(|_| page.may_step());
    let parts = elements.filter_map(move |child| {
        if has(&child, "class", "value-title") {
            return child.attr("title").map(Part::Title);
        }
        is_value(&child).then_some(Part::Value(child))
    });
    parts.take(MAX_PARTS)
}
