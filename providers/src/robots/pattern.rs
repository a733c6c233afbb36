//! Paths with `*` and `$`, and the one spelling in which they are compared.
//!
//! RFC 9309 section 2.2.2: an octet that needs no percent-encoding is compared as itself, every other one as its
//! encoding. So `/%62ar` is `/bar`, `/a%2fb` is `/a%2Fb` and not `/a/b`, and `/ツ` is `/%E3%83%84`. A `*` or `$` in a
//! URL is written `%2A`, `%24`, so that it is never taken for a rule's wildcard.
//!
//! Invariant: matching takes time linear in pattern and path.

/// The path of a rule in its normal spelling: `*` is any run of octets, `$` at the end is the path's end.
#[derive(Clone, Debug)]
pub(super) struct Pattern(Box<str>);

impl Pattern {
    /// `None` for an empty path, which restricts nothing, and for one that is longer than `longest` bytes.
    pub(super) fn parse(path: &[u8], longest: usize) -> Option<Self> {
        if path.is_empty() || path.len() > longest {
            return None;
        }
        let (path, is_anchored) = path.strip_suffix(b"$").map_or((path, false), |path| (path, true));
        let mut text = normal(path, Wildcards::Kept);
        if is_anchored {
            text.push('$');
        }
        Some(Self(text.into()))
    }

    pub(super) fn as_str(&self) -> &str {
        &self.0
    }

    /// How specific it is.
    pub(super) fn octets(&self) -> usize {
        self.0.len()
    }

    /// Whether it matches a path in normal spelling.
    ///
    /// Each piece between two `*` is looked for where the one before it ended: the first place is always the best
    /// one, so that nothing is ever looked at twice.
    pub(super) fn matches(&self, path: &str) -> bool {
        let (text, is_anchored) = self.0.strip_suffix('$').map_or((&*self.0, false), |text| (text, true));
        let Some((first, rest)) = text.split_once('*') else {
            return if is_anchored { path == text } else { path.starts_with(text) };
        };
        let Some(mut path) = path.strip_prefix(first) else { return false };
        // The end of an anchored pattern has its place; only what stands before it has to be looked for.
        let (middle, last) = rest.rsplit_once('*').unwrap_or(("", rest));
        let (middle, last) = if is_anchored { (middle, last) } else { (rest, "") };
        for piece in middle.split('*') {
            let Some((_, after)) = path.split_once(piece) else { return false };
            path = after;
        }
        path.ends_with(last)
    }
}

/// The normal spelling of a URL's path with its query.
pub(super) fn normal_path(path: &str) -> String {
    let path = if path.is_empty() { "/" } else { path };
    normal(path.as_bytes(), Wildcards::Encoded)
}

#[derive(Clone, Copy, PartialEq)]
enum Wildcards {
    Kept,
    Encoded,
}

fn normal(path: &[u8], wildcards: Wildcards) -> String {
    let mut text = String::with_capacity(path.len());
    let mut rest = path;
    let mut is_query = false;
    while let Some((&byte, after)) = rest.split_first() {
        rest = after;
        let (octet, was_encoded) = match encoded_octet(byte, after) {
            Some(octet) => {
                rest = after.get(2..).unwrap_or_default();
                (octet, true)
            }
            None => (byte, false),
        };
        let is_plain = if was_encoded {
            is_unreserved(octet) || (is_query && needs_no_encoding_in_query(octet))
        } else {
            is_unreserved(octet) || is_reserved(octet) || (octet == b'*' && wildcards == Wildcards::Kept)
        };
        if is_plain {
            text.push(char::from(octet));
        } else {
            push_encoded(&mut text, octet);
        }
        is_query |= octet == b'?' && !was_encoded;
    }
    text
}

/// The octet that `%xx` stands for.
fn encoded_octet(percent: u8, after: &[u8]) -> Option<u8> {
    let (&high, &low) = (after.first()?, after.get(1)?);
    let digit = |byte| char::from(byte).to_digit(16);
    let octet = digit(high)? * 16 + digit(low)?;
    (percent == b'%').then(|| u8::try_from(octet).ok())?
}

fn push_encoded(text: &mut String, octet: u8) {
    let digit = |value: u8| char::from(b"0123456789ABCDEF"[usize::from(value & 15)]);
    text.extend(['%', digit(octet >> 4), digit(octet)]);
}

/// RFC 3986 section 2.3.
const fn is_unreserved(octet: u8) -> bool {
    octet.is_ascii_alphanumeric() || matches!(octet, b'-' | b'.' | b'_' | b'~')
}

/// RFC 3986 section 2.2 without the wildcards, and the percent sign of an escape that is none.
const fn is_reserved(octet: u8) -> bool {
    matches!(
        octet,
        b':' | b'/'
            | b'?'
            | b'#'
            | b'['
            | b']'
            | b'@'
            | b'!'
            | b'&'
            | b'\''
            | b'('
            | b')'
            | b'+'
            | b','
            | b';'
            | b'='
            | b'%'
    )
}

/// What means the same in a query, encoded or not (RFC 3986 section 3.4): `?to=https://…` is `?to=https%3A%2F%2F…`.
const fn needs_no_encoding_in_query(octet: u8) -> bool {
    matches!(octet, b':' | b'/' | b'?' | b'@')
}
