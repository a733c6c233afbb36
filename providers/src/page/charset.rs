//! Which characters the bytes of a page are.
//!
//! Invariant: never fails: bytes that are no character of the charset become U+FFFD. The order is the HTML standard's
//! (`html.spec.whatwg.org`, "determining the character encoding"): byte order mark, `Content-Type`, `<meta>` within the
//! first 1,024 bytes, and else windows-1252, unless the bytes are UTF-8 all through.

use std::borrow::Cow;

use encoding_rs::{Encoding, UTF_8, UTF_16BE, UTF_16LE, WINDOWS_1252, X_USER_DEFINED};

/// How far a `<meta>` is looked for.
const PRESCAN_BYTES: usize = 1_024;

/// The text of a body that came with this `Content-Type`.
pub(super) fn decode<'a>(body: &'a [u8], content_type: Option<&str>) -> Cow<'a, str> {
    let stated = || content_type.and_then(parameter).or_else(|| meta(body));
    // A page that says nothing and is UTF-8 is UTF-8: windows-1252 would make every accent two letters.
    let silent = || if std::str::from_utf8(body).is_ok() { UTF_8 } else { WINDOWS_1252 };
    let (encoding, mark) = Encoding::for_bom(body).unwrap_or_else(|| (stated().unwrap_or_else(silent), 0));
    encoding.decode_without_bom_handling(body.get(mark..).unwrap_or_default()).0
}

/// The charset of `text/html; charset=iso-8859-2`.
fn parameter(content_type: &str) -> Option<&'static Encoding> {
    let mut parameters = content_type.split(';').skip(1).filter_map(|parameter| parameter.split_once('='));
    let (_, label) = parameters.find(|(name, _)| name.trim().eq_ignore_ascii_case("charset"))?;
    Encoding::for_label(label.trim().trim_matches(['"', '\'']).as_bytes())
}

/// The charset that a `<meta>` states: `charset=…` in either of its forms. That of a comment does not count.
fn meta(body: &[u8]) -> Option<&'static Encoding> {
    let head = body.get(..PRESCAN_BYTES).unwrap_or(body).to_ascii_lowercase();
    let mut rest = head.as_slice();
    while let Some(at) = rest.iter().position(|byte| *byte == b'<') {
        rest = rest.get(at + 1..)?;
        if let Some(comment) = rest.strip_prefix(b"!--") {
            let end = comment.windows(3).position(|window| window == b"-->")?;
            rest = comment.get(end + 3..)?;
        } else if let Some(tag) = rest.strip_prefix(b"meta") {
            let tag = tag.split(|byte| *byte == b'>').next()?;
            if let Some(encoding) = charset(tag) {
                return Some(encoding);
            }
        }
    }
    None
}

/// The charset among a tag's attributes.
fn charset(tag: &[u8]) -> Option<&'static Encoding> {
    const NAME: &[u8] = b"charset";
    let at = tag.windows(NAME.len()).position(|window| window == NAME)?;
    let value = tag.get(at + NAME.len()..)?.trim_ascii_start().strip_prefix(b"=")?.trim_ascii_start();
    let value = value.strip_prefix(b"\"").or(value.strip_prefix(b"'")).unwrap_or(value);
    let is_end = |byte: &u8| byte.is_ascii_whitespace() || matches!(byte, b'"' | b'\'' | b';' | b'/');
    match Encoding::for_label(value.split(is_end).next()?)? {
        // Who could read the statement did not read UTF-16.
        encoding if encoding == UTF_16LE || encoding == UTF_16BE => Some(UTF_8),
        encoding if encoding == X_USER_DEFINED => Some(WINDOWS_1252),
        encoding => Some(encoding),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn the_charset_is_found_where_it_is_stated() {
        let latin2 = b"\xa3\xf3d\xbc"; // Łódź in ISO 8859-2
        let with = |head: &str| [head.as_bytes(), latin2].concat();
        let late = format!("{}<meta charset=iso-8859-2>", " ".repeat(PRESCAN_BYTES));
        for (content_type, body, expected) in [
            (Some("text/html; charset=ISO-8859-2"), latin2.to_vec(), "Łódź"),
            (Some("text/html; Charset = \"iso-8859-2\" ; x=y"), latin2.to_vec(), "Łódź"),
            (Some("text/html"), with("<meta charset=iso-8859-2>"), "Łódź"),
            (None, with("<META CHARSET='Latin2'/>"), "Łódź"),
            (None, with("<meta http-equiv=content-type content=\"text/html; charset=iso-8859-2\">"), "Łódź"),
            (None, with("<meta name=x><meta charset = iso-8859-2 >"), "Łódź"),
            // The header wins over the page.
            (Some("text/html; charset=iso-8859-2"), with("<meta charset=utf-8>"), "Łódź"),
            // Nothing readable is stated.
            (None, latin2.to_vec(), "£ód¼"),
            (None, with("<!-- <meta charset=iso-8859-2> -->"), "£ód¼"),
            (None, with("<meta charset=klingon>"), "£ód¼"),
            (Some("text/html; charset=klingon"), with("<meta charset=iso-8859-2>"), "Łódź"),
            (None, with(&late), "£ód¼"),
            // UTF-8, stated or not, and with a mark that wins over everything.
            (None, "Łódź".into(), "Łódź"),
            (None, "<meta charset=utf-16>Łódź".into(), "Łódź"),
            (Some("text/html; charset=iso-8859-2"), "\u{feff}Łódź".into(), "Łódź"),
            (None, b"\xff\xfeA\0\x41\x01".to_vec(), "AŁ"),
            (None, b"\xfe\xff\0A\x01\x41".to_vec(), "AŁ"),
            (Some("text/html; charset=utf-8"), b"A\xff".to_vec(), "A\u{fffd}"),
        ] {
            let text = decode(&body, content_type);
            assert!(text.ends_with(expected), "{content_type:?}, {body:?}: {text}");
        }
    }

    proptest! {
        #[test]
        fn no_bytes_make_it_panic(
            tag in "(<|<!--|<meta )?(charset|CHARSET)?[ =\"';/>a-z0-9-]{0,20}",
            tail in prop::collection::vec(any::<u8>(), 0..50),
            content_type in "text/html[; =\"a-z0-9-]{0,30}",
        ) {
            decode(&[tag.as_bytes(), &tail].concat(), Some(&content_type));
        }
    }
}
