//! Takes off what people and exports put around an address: white space, quotes, `<…>`, a display name, `mailto:`.
//!
//! Invariant: touches the ends only, and never chooses between two addresses.

use std::borrow::Cow;

use percent_encoding::percent_decode_str;

use super::EmailError;
use super::syntax::is_invisible;

/// Room for a display name or a `mailto:` query around 254 octets of address.
const MAX_OCTETS: usize = 2_000;

/// Wrappings inside wrappings: `"Jane Doe" <mailto:jane@example.com>` has two.
const MAX_LAYERS: usize = 4;

/// The address itself, not yet validated.
pub(super) fn bare(text: &str) -> Result<Cow<'_, str>, EmailError> {
    let trimmed = trim(text);
    if trimmed.is_empty() {
        return Err(EmailError::Empty);
    }
    if trimmed.len() > MAX_OCTETS {
        return Err(EmailError::TooLong("an address has at most 254 octets"));
    }
    let mut bare = Cow::Borrowed(trimmed);
    for _ in 0..MAX_LAYERS {
        match unwrap_once(&bare)? {
            Some(inner) => bare = Cow::Owned(inner),
            None => break,
        }
    }
    if bare.is_empty() { Err(EmailError::Empty) } else { Ok(bare) }
}

/// White space, zero-width and direction marks at the ends come from copying, not from the person.
fn trim(text: &str) -> &str {
    text.trim_matches(|c: char| c.is_whitespace() || is_invisible(c))
}

fn unwrap_once(text: &str) -> Result<Option<String>, EmailError> {
    if let Some(inner) = quoted_whole(text) {
        return Ok(Some(trim(inner).to_owned()));
    }
    if let Some(inner) = in_angle_brackets(text)? {
        return Ok(Some(trim(inner).to_owned()));
    }
    if text.get(..7).is_some_and(|scheme| scheme.eq_ignore_ascii_case("mailto:")) {
        return from_mailto(text.get(7..).unwrap_or_default()).map(Some);
    }
    Ok(None)
}

/// The inside of a text that is quoted as a whole. No domain ends with a quote, so no address is mistaken for one.
fn quoted_whole(text: &str) -> Option<&str> {
    const PAIRS: [(char, char); 7] =
        [('"', '"'), ('\'', '\''), ('`', '`'), ('“', '”'), ('‘', '’'), ('«', '»'), ('„', '“')];
    PAIRS.iter().find_map(|&(open, close)| text.strip_prefix(open)?.strip_suffix(close))
}

/// The inside of `<…>` at the end of the text; what stands before it must be a display name.
fn in_angle_brackets(text: &str) -> Result<Option<&str>, EmailError> {
    let Some(head) = text.strip_suffix('>') else { return Ok(None) };
    let Some(open) = first_outside_quotes(head, '<') else { return Ok(None) };
    let (display, inner) = (trim(&head[..open]), &head[open + 1..]);
    let quoted = quoted_whole(display).is_some();
    if display.contains('@') && !quoted && !display.eq_ignore_ascii_case(trim(inner)) {
        return Err(EmailError::SeveralAt);
    }
    Ok(Some(inner))
}

/// Where `wanted` first stands outside `"…"` (in which a backslash escapes).
fn first_outside_quotes(text: &str, wanted: char) -> Option<usize> {
    let mut quoted = false;
    let mut escaped = false;
    for (index, c) in text.char_indices() {
        match c {
            _ if escaped => escaped = false,
            '\\' if quoted => escaped = true,
            '"' => quoted = !quoted,
            _ if c == wanted && !quoted => return Some(index),
            _ => {}
        }
    }
    None
}

/// RFC 6068: the address is percent-encoded, `?` begins the header fields.
fn from_mailto(rest: &str) -> Result<String, EmailError> {
    let encoded = rest.split('?').next().unwrap_or_default();
    let decoded = percent_decode_str(encoded)
        .decode_utf8()
        .map_err(|_| EmailError::ForbiddenCharacter("not UTF-8 once decoded"))?;
    Ok(trim(&decoded).to_owned())
}
