//! Links and notices of a page as a whole: addresses, their hashes, `rel=me`, robots.
//!
//! Invariant: pure; says what is written, not whose it is.

use super::contact::{address_at, hash_at};
use super::unite::add;
use super::{Facts, Page, has, is, web_link};

/// Adds what the page says as a whole.
pub(super) fn read(page: &Page<'_>, facts: &mut Facts) {
    for element in page.elements() {
        add(&mut facts.addresses, address_at(&element));
        add(&mut facts.hashes, hash_at(&element));
        let is_link = is(&element, "a") || is(&element, "area") || is(&element, "link");
        if is_link && has(&element, "rel", "me") {
            add(&mut facts.me, element.attr("href").and_then(|href| web_link(href, &page.base)));
        }
        if is(&element, "link")
            && has(&element, "rel", "meta")
            && is_rdf(element.attr("type").unwrap_or_default())
        {
            add(&mut facts.foaf, element.attr("href").and_then(|href| web_link(href, &page.base)));
        }
        facts.is_closed |= is(&element, "meta")
            && is_for_robots(element.attr("name").unwrap_or_default())
            && { super::is_closed(element.attr("content").unwrap_or_default()) };
    }
}

fn is_for_robots(name: &str) -> bool {
    let name = name.trim();
    name.eq_ignore_ascii_case("robots") || name.eq_ignore_ascii_case("gleaner")
}

fn is_rdf(kind: &str) -> bool {
    kind.trim().eq_ignore_ascii_case("application/rdf+xml")
}
