//! CSS selectors over a page, for providers that are declared in a file.
//!
//! Invariant: bounded in matches and in time; what a selector costs is the operator's choice, what a page holds is a
//! stranger's.

use std::fmt;
use std::time::Duration;

use scraper::ElementRef;
use tokio::time::Instant;
use url::Url;

use super::{Facts, MAX_VALUES, PATIENCE, Page, PageError, charset, links, parse, text, web_link};

/// What all selectors of a page may take together, and the elements between two looks at the time.
const SELECTING: Duration = PATIENCE.saturating_mul(4);
const ELEMENTS_BETWEEN: usize = 64;

/// A selector, and the attribute that is read of what it selects; without one it is the text.
#[derive(Clone, Debug)]
pub struct Css {
    selector: scraper::Selector,
    attribute: Option<String>,
}

impl Css {
    /// Reads a selector of CSS level 4, with `@attribute` behind it where not the text is wanted: `a[rel=me] @href`.
    pub fn parse(text: &str) -> Result<Self, String> {
        let (selector, attribute) = match text.rsplit_once('@') {
            Some((selector, attribute)) if is_name(attribute.trim()) => {
                (selector, Some(attribute.trim().to_ascii_lowercase()))
            }
            _ => (text, None),
        };
        let selector = scraper::Selector::parse(selector.trim())
            .map_err(|_| format!("`{text}` is no CSS selector, such as `h1.name` or `a[rel=me] @href`"))?;
        Ok(Self { selector, attribute })
    }
}

fn is_name(text: &str) -> bool {
    !text.is_empty() && text.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | ':'))
}

/// What each of the selectors found, in their order. `Debug` shows no personal data.
#[derive(Clone, Default)]
pub struct Selected {
    /// Texts on one line, and links made absolute; an element without text is `None`.
    pub found: Vec<Vec<Option<String>>>,
    /// Whether the page asks machines not to keep what it says.
    pub is_closed: bool,
}

impl fmt::Debug for Selected {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Selected({} selectors, redacted)", self.found.len())
    }
}

/// Reads a page that came from `url`, and what `selectors` select.
pub fn select(
    body: &[u8],
    content_type: Option<&str>,
    url: &Url,
    selectors: &[Css],
) -> Result<Selected, PageError> {
    let html = parse(&charset::decode(body, content_type))?;
    let page = Page::of(&html, url);
    let mut facts = Facts::default();
    links::read(&page, &mut facts);
    let ends = Instant::now() + SELECTING;
    let found = selectors.iter().map(|css| css.read(&page, ends)).collect::<Result<_, _>>()?;
    Ok(Selected { found, is_closed: facts.is_closed })
}

impl Css {
    fn read(&self, page: &Page<'_>, ends: Instant) -> Result<Vec<Option<String>>, PageError> {
        let mut values = Vec::new();
        for (number, element) in page.elements().enumerate() {
            if number % ELEMENTS_BETWEEN == 0 && Instant::now() > ends {
                return Err(PageError::TooSlow);
            }
            if self.selector.matches(&element) {
                values.push(self.value(element, page));
            }
            if values.len() == MAX_VALUES {
                break;
            }
        }
        Ok(values)
    }

    fn value(&self, element: ElementRef<'_>, page: &Page<'_>) -> Option<String> {
        match self.attribute.as_deref() {
            None => text::clean(&text::of(element, page)),
            Some(name @ ("href" | "src")) => {
                element.attr(name).and_then(|href| web_link(href, &page.base)).map(Into::into)
            }
            Some(name) => element.attr(name).and_then(text::clean),
        }
    }
}
