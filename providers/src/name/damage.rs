//! What software did to a name on its way, undone where it is certain.
//!
//! Invariant: a text without damage is returned as it is, and what is undone holds no damage of the same kind.

use std::borrow::Cow;

use super::NameError;

/// Longer character references than any of a letter (`&thinsp;`, `&#x1F600;`).
const LONGEST_REFERENCE: usize = 10;

/// The bytes 0x80 to 0x9F as Windows shows them (windows-1252).
const WINDOWS: &str = "€\u{81}‚ƒ„…†‡ˆ‰Š‹Œ\u{8d}Ž\u{8f}\u{90}‘’“”•–—˜™š›œ\u{9d}žŸ";

/// The text as it was before it was escaped for HTML, or read as what it is not.
pub(super) fn undone(text: &str) -> Result<Cow<'_, str>, NameError> {
    let mut undone = Cow::Borrowed(text);
    if text.contains('&') && text.contains(';') {
        undone = Cow::Owned(unescaped(text));
    }
    if !undone.is_ascii()
        && let Some(read_again) = read_as_utf8(&undone)
    {
        undone = Cow::Owned(read_again);
    }
    if is_lossy(&undone) {
        Err(NameError::NotAName("has characters that were lost in decoding"))
    } else {
        Ok(undone)
    }
}

/// Whether signs stand for letters that are gone: `Jos? Garc?a`, `Jos\\u00e9`.
fn is_lossy(text: &str) -> bool {
    let inside = |(at, _): (usize, &str)| {
        let before = text.get(..at).and_then(|text| text.chars().next_back());
        let after = text.get(at + 1..).and_then(|text| text.chars().next());
        before.is_some_and(char::is_alphabetic) && after.is_some_and(char::is_alphabetic)
    };
    let escape = |(at, _): (usize, &str)| {
        text.get(at + 2..at + 6).is_some_and(|code| code.bytes().all(|b| b.is_ascii_hexdigit()))
    };
    text.contains('?') && text.match_indices('?').any(inside)
        || text.contains('\\') && text.match_indices("\\u").any(escape)
}

/// `O&#39;Neil`, `Jos&eacute;`
fn unescaped(text: &str) -> String {
    let mut plain = String::with_capacity(text.len());
    let mut rest = text;
    while let Some((before, after)) = rest.split_once('&') {
        plain.push_str(before);
        let reference = after.split_once(';').filter(|(name, _)| name.len() <= LONGEST_REFERENCE);
        let stands_for = |(name, after)| push_referenced(&mut plain, name).map(|()| after);
        rest = if let Some(after) = reference.and_then(stands_for) {
            after
        } else {
            plain.push('&');
            after
        };
    }
    plain.push_str(rest);
    plain
}

/// Adds what a character reference stands for; a letter with an accent as the two, to be composed later.
fn push_referenced(plain: &mut String, name: &str) -> Option<()> {
    if let Some(number) = name.strip_prefix('#') {
        let code = match number.strip_prefix(['x', 'X']) {
            Some(digits) => u32::from_str_radix(digits, 16),
            None => number.parse(),
        };
        plain.push(char::from_u32(code.ok()?)?);
        return Some(());
    }
    plain.push_str(match name {
        "amp" => "&",
        "quot" => "\"",
        "apos" | "rsquo" | "lsquo" => "'",
        "lt" => "<",
        "gt" => ">",
        "nbsp" => " ",
        "ndash" | "mdash" => "–",
        "szlig" => "ß",
        "oslash" => "ø",
        "Oslash" => "Ø",
        "aelig" => "æ",
        "AElig" => "Æ",
        "oelig" => "œ",
        "OElig" => "Œ",
        "eth" => "ð",
        "thorn" => "þ",
        _ => {
            let letter = name.chars().next().filter(char::is_ascii_alphabetic)?;
            let mark = match name.get(1..)? {
                "grave" => '\u{300}',
                "acute" => '\u{301}',
                "circ" => '\u{302}',
                "tilde" => '\u{303}',
                "uml" => '\u{308}',
                "ring" => '\u{30A}',
                "caron" => '\u{30C}',
                "cedil" => '\u{327}',
                _ => return None,
            };
            plain.extend([letter, mark]);
            return Some(());
        }
    });
    Some(())
}

/// `JosÃ©` is José whose UTF-8 was read as windows-1252: undone if all of the text allows it.
fn read_as_utf8(text: &str) -> Option<String> {
    // What two-byte letters of Latin scripts and typographic signs begin with.
    if !text.contains(['Ã', 'Ä', 'Å', 'Â', 'â']) {
        return None;
    }
    let bytes: Vec<u8> = text.chars().map(byte).collect::<Option<_>>()?;
    let again = String::from_utf8(bytes).ok()?;
    let is_latin = |c: char| c < '\u{180}' || matches!(c, '\u{2010}'..='\u{203A}' | '€' | '™');
    (again.len() < text.len() && again.chars().all(is_latin)).then_some(again)
}

fn byte(c: char) -> Option<u8> {
    let place = WINDOWS.chars().position(|known| known == c).and_then(|place| u8::try_from(place).ok());
    place.map(|place| 0x80 + place).or_else(|| u8::try_from(u32::from(c)).ok())
}
