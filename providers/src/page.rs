//! Reading pages: thin helpers over `scraper`. Bytes in, owned facts out, synchronous.
//!
//! A page is a stranger's. html5ever takes quadratic time in the depth of nesting and has no cap (servo/html5ever
//! issue 788), so that the parser is fed in small pieces and stopped when the tree grows too deep or takes too long.
//!
//! Invariant: no I/O, nothing is run or followed, and every list is bounded. CPU-bound: callers on a runtime go
//! through `spawn_blocking`.

mod hcard;
mod jsonld;
mod links;
mod owner;
#[cfg(test)]
mod tests;
mod unite;

use std::borrow::Cow;
use std::fmt;
use std::time::Duration;

use html5ever::driver::{ParseOpts, Parser, parse_document};
use html5ever::tendril::{StrTendril, TendrilSink};
use scraper::{ElementRef, Html, HtmlTreeSink};
use tokio::time::Instant;
use url::Url;

pub use self::owner::{Owner, Proof, owner_of};
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
    /// The people that the page describes, each once, whatever the number of descriptions.
    pub people: Vec<Person>,
    /// Addresses that the page links to with `mailto:`, whosever they are.
    pub addresses: Vec<String>,
    /// Hashes of addresses that the page shows, in lower-case hex, whosever they are.
    pub hashes: Vec<String>,
    /// Where the page says that its author is found as well: `rel=me`.
    pub me: Vec<Url>,
    /// The accounts that the page names as its author's in its head: `fediverse:creator`, `twitter:creator`.
    pub creators: Vec<Url>,
    /// Whether the page asks machines not to keep what it says.
    pub is_closed: bool,
}

/// One person as the page describes them: cleaned of what no text should hold, not yet judged. `Debug` shows nothing.
#[derive(Clone, Default)]
pub struct Person {
    pub name: Parts,
    /// Other names: nicknames, account names, `alternateName`.
    pub nicknames: Vec<String>,
    pub emails: Vec<String>,
    /// Hashes of their addresses (`mbox_sha1sum`, the address of a Gravatar picture), in lower-case hex.
    pub hashes: Vec<String>,
    pub links: Vec<Url>,
    /// Birth dates as they are written.
    pub births: Vec<String>,
    /// The vocabularies that describe this person, in the order of the page.
    pub vocabularies: Vec<Vocabulary>,
}

/// A way in which pages describe people to machines.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Vocabulary {
    /// microformats2, and the older hCard: <https://microformats.org/wiki/h-card>.
    HCard,
    /// schema.org in `<script type="application/ld+json">`.
    JsonLd,
    /// schema.org in `itemscope` and `itemprop`.
    Microdata,
    /// schema.org or FOAF in `typeof` and `property`.
    Rdfa,
    /// `og:type=profile`: <https://ogp.me/#type_profile>.
    OpenGraph,
    /// `<meta name=author>`: the weakest, read where there is no other.
    Author,
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
    let html = parse(&decode(body))?;
    let base = base(&html, url);
    let mut people = hcard::people(&html, &base);
    people.extend(jsonld::people(&html, &base));
    Ok(Facts {
        people: unite::unite(people),
        addresses: links::addresses(&html),
        hashes: Vec::new(),
        me: links::me(&html, &base),
        creators: Vec::new(),
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

/// The text of a body. One place for charsets: today UTF-8, with U+FFFD for what is not.
fn decode(body: &[u8]) -> Cow<'_, str> {
    String::from_utf8_lossy(body.strip_prefix(b"\xef\xbb\xbf").unwrap_or(body))
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

impl Vocabulary {
    /// Its name for people and commands.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::HCard => "h-card",
            Self::JsonLd => "json-ld",
            Self::Microdata => "microdata",
            Self::Rdfa => "rdfa",
            Self::OpenGraph => "opengraph",
            Self::Author => "meta author",
        }
    }
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
