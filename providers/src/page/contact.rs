//! Addresses as pages write them: `mailto:` links, Cloudflare's covers, `ada [at] example [dot] com`, and hashes.
//!
//! Invariant: only what can be undone in one way is undone, and nothing is looked for in running text.

use percent_encoding::percent_decode_str;
use scraper::ElementRef;
use url::Url;

/// More than any address or `mailto:` link holds (RFC 5321: 254).
const MAX_ADDRESS_BYTES: usize = 1024;
/// The path at which Cloudflare's covered addresses lead.
const COVER: &str = "/cdn-cgi/l/email-protection#";

/// The address that a property for addresses holds, with or without `mailto:`.
pub(super) fn address(text: &str) -> Option<String> {
    let text = text.trim();
    if text.len() > MAX_ADDRESS_BYTES {
        return None;
    }
    if let Some((_, cover)) = text.split_once(COVER) {
        return uncover(cover);
    }
    let address = match mailto(text) {
        Some(address) => address,
        None if has_scheme(text, "mailto") => return None,
        None => text.to_owned(),
    };
    let address: String = if address.contains('@') { address } else { spelled_out(&address)? };
    let is_whole = !address.contains(|c: char| c.is_whitespace() || c.is_control());
    is_whole.then_some(address)
}

/// The address that an element links to or covers.
pub(super) fn address_at(element: &ElementRef<'_>) -> Option<String> {
    if let Some(cover) = element.attr("data-cfemail") {
        return uncover(cover);
    }
    let href = element.attr("href")?;
    let is_contact = has_scheme(href.trim(), "mailto") || href.contains(COVER);
    if is_contact { address(href) } else { None }
}

/// The hash of an address that an element carries: in the address of its picture, or in an attribute that says so.
pub(super) fn hash_at(element: &ElementRef<'_>) -> Option<String> {
    let is_hash =
        |name: &str| ["hash", "sha1", "sha256", "md5", "gravatar"].iter().any(|part| name.contains(part));
    element.value().attrs().find_map(|(name, value)| match name {
        "src" | "data-src" => hash_in(value),
        name if is_hash(name) => hash(value),
        _ => None,
    })
}

/// The hash in the address of a picture or profile at Gravatar or Libravatar.
pub(super) fn hash_in(address: &str) -> Option<String> {
    if !address.contains("avatar") {
        return None;
    }
    let address = address.trim();
    let url = match address.strip_prefix("//") {
        Some(rest) => Url::parse(&format!("https://{rest}")).ok()?,
        None => Url::parse(address).ok()?,
    };
    let host = url.host_str()?;
    let is_at =
        |domain: &str| host.strip_suffix(domain).is_some_and(|rest| rest.is_empty() || rest.ends_with('.'));
    if !is_at("gravatar.com") && !is_at("libravatar.org") {
        return None;
    }
    let segment = url.path_segments()?.next_back()?;
    hash(segment.split('.').next().unwrap_or_default())
}

/// A hash in hex: MD5, SHA-1 or SHA-256.
pub(super) fn hash(text: &str) -> Option<String> {
    let text = text.trim();
    let is_hash = matches!(text.len(), 32 | 40 | 64) && text.bytes().all(|byte| byte.is_ascii_hexdigit());
    is_hash.then(|| text.to_ascii_lowercase())
}

fn has_scheme(text: &str, scheme: &str) -> bool {
    text.split_once(':').is_some_and(|(start, _)| start.eq_ignore_ascii_case(scheme))
}

/// The first address of a `mailto:` link (RFC 6068).
fn mailto(href: &str) -> Option<String> {
    let (scheme, rest) = href.split_once(':')?;
    if !scheme.eq_ignore_ascii_case("mailto") {
        return None;
    }
    let first = rest.split(['?', ',']).next()?;
    let address = percent_decode_str(first).decode_utf8().ok()?;
    Some(address.trim().to_owned()).filter(|address| !address.is_empty())
}

/// An address that Cloudflare covered: in hex, a key and then each byte of the address under that key.
fn uncover(cover: &str) -> Option<String> {
    let bytes = hex::decode(cover.trim().get(..cover.trim().len().min(MAX_ADDRESS_BYTES))?).ok()?;
    let (key, covered) = bytes.split_first()?;
    let address = String::from_utf8(covered.iter().map(|byte| byte ^ key).collect()).ok()?;
    let is_address =
        address.contains('@') && !address.contains(|c: char| c.is_whitespace() || c.is_control());
    is_address.then_some(address)
}

/// `ada [at] example [dot] com`: words in brackets, or the bare words between spaces.
fn spelled_out(text: &str) -> Option<String> {
    const BRACKETS: [(char, char); 4] = [('[', ']'), ('(', ')'), ('{', '}'), ('<', '>')];
    let mut spelled = text.to_ascii_lowercase();
    for (word, sign) in [("at", "@"), ("dot", ".")] {
        for (open, close) in BRACKETS {
            spelled = spelled.replace(&format!("{open}{word}{close}"), &format!(" {word} "));
            spelled = spelled.replace(&format!("{open} {word} {close}"), &format!(" {word} "));
        }
        let words: Vec<&str> = spelled.split_whitespace().collect();
        spelled =
            words.iter().map(|each| if *each == word { sign } else { each }).collect::<Vec<_>>().join(" ");
    }
    let spelled = spelled.replace(" @ ", "@").replace(" . ", ".");
    let (_, domain) = spelled.split_once('@')?;
    (domain.contains('.') && !domain.contains('@')).then_some(spelled)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_read_in_every_spelling_that_has_one_meaning() {
        for (text, expected) in [
            ("mailto:ada@example.com", Some("ada@example.com")),
            (" MAILTO:ada%2Bnews%40example.com?subject=Hello ", Some("ada+news@example.com")),
            ("mailto:%61%64%61%40%65%78ample.com", Some("ada@example.com")),
            ("mailto:ada+news@example.com,bob@example.com", Some("ada+news@example.com")),
            ("mailto:ada[at]example.com", Some("ada@example.com")),
            ("mailto:?subject=Share", None),
            ("mailto:%ff@example.com", None),
            ("https://example.com/", None),
            ("ada@example.com", Some("ada@example.com")),
            ("ada [at] example [dot] com", Some("ada@example.com")),
            ("Ada (AT) Example (DOT) com", Some("ada@example.com")),
            ("ada{at}mail{dot}example{dot}com", Some("ada@mail.example.com")),
            ("ada at example dot com", Some("ada@example.com")),
            ("ada[ at ]example.com", Some("ada@example.com")),
            ("look at me at home", None),
            ("write at example", None),
            ("platform dot com", None),
            ("", None),
            ("/cdn-cgi/l/email-protection#4f2e2b2e0f2a372e223f232a612c2022", Some("ada@example.com")),
            (
                "https://example.com/cdn-cgi/l/email-protection#4f2e2b2e0f2a372e223f232a612c2022",
                Some("ada@example.com"),
            ),
            ("/cdn-cgi/l/email-protection#4", None),
            ("/cdn-cgi/l/email-protection#zz", None),
            ("/cdn-cgi/l/email-protection", None),
        ] {
            assert_eq!(address(text).as_deref(), expected, "{text}");
        }
    }

    #[test]
    fn hashes_stand_in_addresses_of_pictures() {
        let md5 = "0123456789abcdef0123456789abcdef";
        for (address, expected) in [
            (format!("https://www.gravatar.com/avatar/{md5}?s=80&d=mm"), true),
            (format!("//secure.gravatar.com/avatar/{}.jpg", md5.to_uppercase()), true),
            (format!("https://seccdn.libravatar.org/avatar/{md5}"), true),
            (format!("https://gravatar.com/{md5}"), true),
            (format!("https://gravatar.com.example.org/avatar/{md5}"), false),
            (format!("https://notgravatar.com/avatar/{md5}"), false),
            (format!("/avatar/{md5}"), false),
            ("https://gravatar.com/avatar/0123".into(), false),
        ] {
            assert_eq!(hash_in(&address), expected.then(|| md5.to_owned()), "{address}");
        }
    }
}
