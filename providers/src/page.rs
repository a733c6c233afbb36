//! Reading pages: thin helpers over `scraper`. Bytes in, owned facts out, synchronous.
//!
//! A page is a stranger's. html5ever takes quadratic time in the depth of nesting and has no cap (servo/html5ever
//! issue 788), so that the parser is fed in small pieces and stopped when the tree grows too deep or takes too long.
//!
//! Invariant: no I/O, nothing is run or followed, and every list is bounded. CPU-bound: callers on a runtime go
//! through `spawn_blocking`.

mod charset;
mod contact;
mod hcard;
mod head;
mod jsonld;
mod links;
mod microformats;
mod owner;
mod person;
mod scopes;
mod select;
mod terms;
#[cfg(test)]
mod tests;
mod text;
mod unite;
mod walk;

use std::cell::Cell;
use std::fmt;
use std::time::Duration;

use html5ever::driver::{ParseOpts, Parser, parse_document};
use html5ever::tendril::{StrTendril, TendrilSink};
use scraper::{ElementRef, Html, HtmlTreeSink};
use tokio::time::Instant;
use url::Url;

use self::head::Head;
pub use self::owner::{Owner, Proof, owner_of};
pub use self::select::{Css, Selected, select};
use crate::name::Parts;

/// The depth at which browsers stop nesting, too.
const MAX_DEPTH: usize = 512;
/// How much is parsed between two looks at depth and time. The worst 4 KiB took 74 ms.
const PIECE_BYTES: usize = 4096;
/// The backstop for shapes that are slow without being deep: what every page may take, and what it may take for each
/// piece that has been parsed, so that a page of 1 MiB has a second. An honest one takes a tenth of it.
const PATIENCE: Duration = Duration::from_millis(150);
const PATIENCE_PER_PIECE: Duration = Duration::from_micros(3300);
/// Steps within texts and scopes that readers share; an honest page of 1 MiB takes a tenth of it.
const MAX_STEPS: usize = 200_000;
/// More than any address of a page that is shown to people.
const MAX_LINK_BYTES: usize = 2048;
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
    /// Files in which the page says that more stands of its author (FOAF); they are not read.
    pub foaf: Vec<Url>,
    /// Whether the page is about an organisation, too, whose links and addresses may be nobody's in particular.
    pub is_organisations: bool,
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
    read_as(body, None, url)
}

/// Reads a page that came from `url` with this `Content-Type`, which may name its charset.
pub fn read_as(body: &[u8], content_type: Option<&str>, url: &Url) -> Result<Facts, PageError> {
    let html = parse(&charset::decode(body, content_type))?;
    let page = Page::of(&html, url);
    let (mut facts, mut people) = (Facts::default(), Vec::new());
    hcard::read(&page, &mut people, &mut facts);
    jsonld::read(&page, &mut people, &mut facts);
    scopes::read(&page, &mut people);
    links::read(&page, &mut facts);
    let head = Head::of(&page);
    people.extend(head.profile(&page));
    head.creators(&mut facts);
    facts.people = unite::unite(people);
    if facts.people.is_empty() {
        facts.people = unite::unite(head.author(&page));
    }
    Ok(facts)
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
    let mut patience = PATIENCE;
    for piece in pieces(text) {
        patience += PATIENCE_PER_PIECE;
        parser.process(StrTendril::from_slice(piece));
        if depth(&parser) > MAX_DEPTH {
            return Err(PageError::TooDeep);
        }
        if started.elapsed() > patience {
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

/// A parsed page, as its readers share it.
struct Page<'a> {
    html: &'a Html,
    /// What relative links are relative to.
    base: Url,
    /// What is left of [`MAX_STEPS`].
    steps: Cell<usize>,
}

impl<'a> Page<'a> {
    fn of(html: &'a Html, url: &Url) -> Self {
        let page = Self { html, base: url.clone(), steps: Cell::new(MAX_STEPS) };
        let stated = page.elements().filter(|element| is(element, "base")).find_map(|base| base.attr("href"));
        let base = stated.and_then(|href| web_link(href, url)).unwrap_or_else(|| url.clone());
        Self { base, ..page }
    }

    /// Every element, in the order of the page.
    fn elements(&self) -> impl Iterator<Item = ElementRef<'a>> + use<'a> {
        self.html.tree.root().descendants().filter_map(ElementRef::wrap)
    }

    /// Counts one step of a reader that may pass the same place again and again, and says whether there are more.
    fn may_step(&self) -> bool {
        let left = self.steps.get().saturating_sub(1);
        self.steps.set(left);
        left > 0
    }
}

fn is(element: &ElementRef<'_>, name: &str) -> bool {
    element.value().name() == name
}

/// Whether a space-separated attribute (`class`, `rel`) holds this word.
fn has(element: &ElementRef<'_>, attribute: &str, word: &str) -> bool {
    element.attr(attribute).is_some_and(|words| words.split_ascii_whitespace().any(|each| each == word))
}

/// An `http` or `https` link, made absolute. Others (`javascript:`, `data:`, `tel:`) are nobody's page, and neither
/// are those with a password in them.
fn web_link(href: &str, base: &Url) -> Option<Url> {
    let href = href.trim();
    let url = if href.len() <= MAX_LINK_BYTES { base.join(href).ok()? } else { return None };
    let is_web =
        matches!(url.scheme(), "http" | "https") && url.username().is_empty() && url.password().is_none();
    is_web.then_some(url)
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
