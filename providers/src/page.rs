//! Reading pages: thin helpers over `scraper`. Bytes in, owned facts out, synchronous.
//!
//! A page is a stranger's. html5ever takes quadratic time in the depth of nesting and has no cap (servo/html5ever
//! issue 788), so that the parser is fed in small pieces and stopped when the tree grows too deep or takes too long.
//!
//! Invariant: no I/O, nothing is run or followed, and every list is bounded. CPU-bound: callers on a runtime go
//! through `spawn_blocking`.

mod charset;
mod hcard;
mod jsonld;
mod links;
#[cfg(test)]
mod tests;

use std::fmt;
use std::time::Duration;

use html5ever::driver::{ParseOpts, Parser, parse_document};
use html5ever::tendril::{StrTendril, TendrilSink};
use scraper::{ElementRef, Html, HtmlTreeSink};
use tokio::time::Instant;
use url::Url;

use crate::name::Parts;

/// The depth at which browsers stop nesting, too.
const MAX_DEPTH: usize = 512;
/// How much is parsed between two looks at depth and time. The worst 4 KiB took 74 ms.
const PIECE_BYTES: usize = 4096;
/// The backstop for shapes that are slow without being deep; an honest page of 1 MiB takes a tenth of it.
const DEADLINE: Duration = Duration::from_secs(1);
/// People on one page that are read; a longer staff list is read in part.
const MAX_PEOPLE: usize = 64;
/// Values of one kind that are read, for one person and for the page.
const MAX_VALUES: usize = 64;

/// What a page states. `Debug` shows no personal data.
#[derive(Clone, Default)]
pub struct Facts {
    /// Each person that the page describes, once for each description: a person may appear several times.
    pub people: Vec<Person>,
    /// Addresses that the page links to with `mailto:`.
    pub addresses: Vec<String>,
    /// Where the page says that its author is found as well: `rel=me`.
    pub me: Vec<Url>,
    /// Whether the page asks machines not to keep what it says.
    pub is_closed: bool,
}

/// One person as one h-card or one schema.org node describes them: raw, not yet judged. `Debug` shows nothing.
#[derive(Clone, Default)]
pub struct Person {
    pub name: Parts,
    pub emails: Vec<String>,
    pub links: Vec<Url>,
    pub births: Vec<String>,
}

/// Why a page is not read.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
pub enum PageError {
    #[error("the page nests deeper than {MAX_DEPTH} elements")]
    TooDeep,
    #[error("the page takes too long to read")]
    TooSlow,
}

/// Reads a page that came from `url`.
pub fn read(body: &[u8], url: &Url) -> Result<Facts, PageError> {
    read_as(body, None, url)
}

/// Reads a page that came from `url` with this `Content-Type`, which may name its charset.
pub fn read_as(body: &[u8], content_type: Option<&str>, url: &Url) -> Result<Facts, PageError> {
    let html = parse(&charset::decode(body, content_type))?;
    let base = base(&html, url);
    let mut people = hcard::people(&html, &base);
    people.extend(jsonld::people(&html, &base));
    people.truncate(MAX_PEOPLE);
    Ok(Facts {
        people,
        addresses: links::addresses(&html),
        me: links::me(&html, &base),
        is_closed: links::robots(&html).any(is_closed),
    })
}

/// Whether a robots directive (`X-Robots-Tag`, `<meta name=robots>`) asks not to keep the page. One that is meant
/// for another robot by name (`otherbot: noindex`) does not count.
pub fn is_closed(directives: &str) -> bool {
    let rules = match directives.split_once(':') {
        Some((robot, rules)) if !robot.contains(',') && !is_rule(robot) => {
            let is_ours = matches!(robot.trim().to_ascii_lowercase().as_str(), "*" | "gleaner");
            if is_ours { rules } else { "" }
        }
        _ => directives,
    };
    let mut rules = rules.split(',').map(|rule| rule.trim().to_ascii_lowercase());
    rules.any(|rule| matches!(rule.as_str(), "noindex" | "none" | "noai"))
}

/// Whether the word before a colon is a rule with a value and not a robot's name.
fn is_rule(word: &str) -> bool {
    let word = word.trim().to_ascii_lowercase();
    word == "unavailable_after" || word.starts_with("max-")
}

/// The tree of a page, or why it is not built.
fn parse(text: &str) -> Result<Html, PageError> {
    let started = Instant::now();
    let mut parser = parse_document(HtmlTreeSink::new(Html::new_document()), ParseOpts::default());
    for piece in pieces(text) {
        parser.process(StrTendril::from_slice(piece));
        if depth(&parser) > MAX_DEPTH {
            return Err(PageError::TooDeep);
        }
        if started.elapsed() > DEADLINE {
            return Err(PageError::TooSlow);
        }
    }
    Ok(parser.finish())
}

/// The text in pieces of about [`PIECE_BYTES`], cut between characters.
fn pieces(mut rest: &str) -> impl Iterator<Item = &str> {
    std::iter::from_fn(move || {
        let end = rest.floor_char_boundary(PIECE_BYTES);
        let (piece, after) = rest.split_at(end);
        rest = after;
        (!piece.is_empty()).then_some(piece)
    })
}

/// How deep the place is at which the parser stands: the last child of the last child, and so on.
fn depth(parser: &Parser<HtmlTreeSink>) -> usize {
    let html = parser.tokenizer.sink.sink.0.borrow();
    let (mut node, mut depth) = (html.tree.root(), 0);
    while let Some(child) = node.last_child()
        && depth <= MAX_DEPTH
    {
        (node, depth) = (child, depth + 1);
    }
    depth
}

/// What relative links are relative to.
fn base(html: &Html, url: &Url) -> Url {
    let stated = elements(html).find(|element| is(element, "base")).and_then(|base| base.attr("href"));
    stated.and_then(|href| url.join(href.trim()).ok()).unwrap_or_else(|| url.clone())
}

/// Every element, in the order of the page.
fn elements(html: &Html) -> impl Iterator<Item = ElementRef<'_>> {
    html.tree.root().descendants().filter_map(ElementRef::wrap)
}

fn is(element: &ElementRef<'_>, name: &str) -> bool {
    element.value().name() == name
}

/// Whether a space-separated attribute (`class`, `rel`) holds this word.
fn has(element: &ElementRef<'_>, attribute: &str, word: &str) -> bool {
    element.attr(attribute).is_some_and(|words| words.split_ascii_whitespace().any(|each| each == word))
}

/// An `http` or `https` link, made absolute. Others (`javascript:`, `data:`, `tel:`) are nobody's page.
fn web_link(href: &str, base: &Url) -> Option<Url> {
    base.join(href.trim()).ok().filter(|url| matches!(url.scheme(), "http" | "https"))
}

impl fmt::Debug for Facts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Facts({} people, redacted)", self.people.len())
    }
}

impl fmt::Debug for Person {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Person(redacted)")
    }
}
