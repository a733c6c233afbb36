//! Links and notices of a page as a whole: `mailto:`, `rel=me`, robots.
//!
//! Invariant: pure; says what is written, not whose it is.

use percent_encoding::percent_decode_str;
use scraper::Html;
use url::Url;

use super::{MAX_VALUES, elements, has, is, web_link};

/// The addresses that the page links to.
pub(super) fn addresses(html: &Html) -> Vec<String> {
    let links = elements(html).filter_map(|element| element.attr("href"));
    links.filter_map(mailto).take(MAX_VALUES).collect()
}

/// The pages that say "this is me": `<a rel=me>`, `<link rel=me>`.
pub(super) fn me(html: &Html, base: &Url) -> Vec<Url> {
    let links = elements(html).filter(|element| is(element, "a") || is(element, "link"));
    let links = links.filter(|element| has(element, "rel", "me"));
    links.filter_map(|element| web_link(element.attr("href")?, base)).take(MAX_VALUES).collect()
}

/// What `<meta name=robots>` asks for.
pub(super) fn robots(html: &Html) -> impl Iterator<Item = &str> {
    let notices = elements(html).filter(|element| is(element, "meta")).filter(|element| {
        let name = element.attr("name").unwrap_or_default().trim();
        name.eq_ignore_ascii_case("robots") || name.eq_ignore_ascii_case("gleaner")
    });
    notices.filter_map(|element| element.attr("content"))
}

/// An address as pages write it, with or without `mailto:`.
pub(super) fn address(text: &str) -> String {
    mailto(text).unwrap_or_else(|| text.trim().to_owned())
}

/// The first address of a `mailto:` link (RFC 6068).
fn mailto(href: &str) -> Option<String> {
    let (scheme, rest) = href.trim().split_once(':')?;
    if !scheme.eq_ignore_ascii_case("mailto") {
        return None;
    }
    let first = rest.split(['?', ',']).next()?;
    let address = percent_decode_str(first).decode_utf8().ok()?;
    Some(address.trim().to_owned()).filter(|address| !address.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn mailto_links_are_read_to_the_first_address() {
        for (href, address) in [
            ("mailto:ada@example.com", Some("ada@example.com")),
            (" MAILTO:ada%2Bnews%40example.com?subject=Hello ", Some("ada+news@example.com")),
            ("mailto:ada+news@example.com,bob@example.com", Some("ada+news@example.com")),
            ("mailto:?subject=Share", None),
            ("mailto:%ff@example.com", None),
            ("https://example.com/", None),
            ("ada@example.com", None),
        ] {
            assert_eq!(mailto(href).as_deref(), address, "{href}");
        }
    }
}
