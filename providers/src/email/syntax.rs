//! What an address is made of: RFC 5321 §4.1.2, RFC 6531 §3.3, UTS 46.
//!
//! Invariant: decides, never repairs; no error carries any of the text.

use idna::AsciiDenyList;
use idna::uts46::{DnsLength, Hyphens, Uts46};

use super::EmailError;

const MAX_LOCAL_OCTETS: usize = 64;
const MAX_OCTETS: usize = 254;
const MAX_LABEL_OCTETS: usize = 63;

/// Splits at the one `@` that is not quoted.
pub(super) fn split(text: &str) -> Result<(&str, &str), EmailError> {
    let at = if text.starts_with('"') {
        let close =
            closing_quote(text).ok_or(EmailError::LocalPart("begins a quotation and does not end it"))?;
        match text[close + 1..].chars().next() {
            Some('@') => close + 1,
            Some(_) => return Err(EmailError::LocalPart("goes on after its quotation")),
            None => return Err(EmailError::NoAt),
        }
    } else {
        text.find('@').ok_or(EmailError::NoAt)?
    };
    let (local, domain) = (&text[..at], &text[at + 1..]);
    if domain.contains('@') { Err(EmailError::SeveralAt) } else { Ok((local, domain)) }
}

/// Where the quotation that begins the text ends.
fn closing_quote(text: &str) -> Option<usize> {
    let mut escaped = false;
    for (index, byte) in text.bytes().enumerate().skip(1) {
        match byte {
            _ if escaped => escaped = false,
            b'\\' => escaped = true,
            b'"' => return Some(index),
            _ => {}
        }
    }
    None
}

pub(super) fn check_local(local: &str) -> Result<(), EmailError> {
    if local.is_empty() {
        return Err(EmailError::LocalPart("is empty"));
    }
    if let Some(inner) = quoted(local) {
        if inner.is_empty() {
            return Err(EmailError::LocalPart("is empty"));
        }
        return inner.chars().try_for_each(|c| if c == ' ' { Ok(()) } else { check_visible(c) });
    }
    local.chars().try_for_each(check_visible)?;
    if local.starts_with('.') {
        return Err(EmailError::LocalPart("begins with a dot"));
    }
    if local.ends_with('.') {
        return Err(EmailError::LocalPart("ends with a dot"));
    }
    if local.contains("..") {
        return Err(EmailError::LocalPart("has two dots in a row"));
    }
    if local.contains('"') {
        return Err(EmailError::LocalPart("has a quote inside"));
    }
    if local.chars().all(is_atext_or_dot) {
        Ok(())
    } else {
        Err(EmailError::LocalPart("has a character that must be quoted"))
    }
}

/// The inside of a quoted local part, escapes kept.
pub(super) fn quoted(local: &str) -> Option<&str> {
    local.strip_prefix('"')?.strip_suffix('"')
}

/// Whether a text can stand as a local part without quotes.
pub(super) fn is_dot_atom(text: &str) -> bool {
    text.split('.').all(|atom| !atom.is_empty() && atom.chars().all(is_atext_or_dot))
}

/// RFC 5322 `atext` and the dot; RFC 6531 adds everything beyond ASCII.
fn is_atext_or_dot(c: char) -> bool {
    c.is_ascii_alphanumeric() || "!#$%&'*+-/=?^_`{|}~.".contains(c) || !c.is_ascii()
}

fn check_visible(c: char) -> Result<(), EmailError> {
    let reason = match c {
        '\r' | '\n' => "a line break",
        '\0' => "a NUL",
        _ if c.is_control() => "a control character",
        _ if c.is_whitespace() => "a space",
        _ if is_invisible(c) => "an invisible character",
        '＠' | '﹫' => "a sign that only looks like `@`",
        '\u{FFFD}' | '\u{E000}'..='\u{F8FF}' | '\u{F0000}'.. => "a sign without a meaning",
        _ => return Ok(()),
    };
    Err(EmailError::ForbiddenCharacter(reason))
}

/// Characters that show nothing or turn the direction of the text.
pub(crate) fn is_invisible(c: char) -> bool {
    matches!(c,
        '\u{AD}' | '\u{34F}' | '\u{61C}' | '\u{115F}' | '\u{1160}' | '\u{17B4}' | '\u{17B5}'
        | '\u{180B}'..='\u{180F}' | '\u{200B}'..='\u{200F}' | '\u{202A}'..='\u{202E}'
        | '\u{2060}'..='\u{206F}' | '\u{2028}' | '\u{2029}' | '\u{3164}' | '\u{FE00}'..='\u{FE0F}'
        | '\u{FEFF}' | '\u{FFA0}' | '\u{FFF0}'..='\u{FFFB}' | '\u{1BCA0}'..='\u{1BCA3}'
        | '\u{1D173}'..='\u{1D17A}' | '\u{E0000}'..='\u{E0FFF}')
}

/// The domain as lower-case A-labels.
pub(super) fn domain_to_ascii(domain: &str) -> Result<String, EmailError> {
    if domain.is_empty() {
        return Err(EmailError::Domain("is empty"));
    }
    if domain.starts_with('[') {
        return Err(EmailError::IpAddress);
    }
    domain.chars().try_for_each(check_visible)?;
    let ascii = if domain.is_ascii() && !domain.to_ascii_lowercase().contains("xn--") {
        domain.to_ascii_lowercase()
    } else {
        Uts46::new()
            .to_ascii(domain.as_bytes(), AsciiDenyList::EMPTY, Hyphens::Allow, DnsLength::Ignore)
            .map_err(|_| EmailError::Domain("is not a valid international name"))?
            .into_owned()
    };
    check_domain(&ascii)?;
    Ok(ascii)
}

/// RFC 1035 §2.3.1 and RFC 1123 §2.1: letters, digits and inner hyphens; RFC 3696 §2: no top level of digits only.
fn check_domain(ascii: &str) -> Result<(), EmailError> {
    let problem = |what| Err(EmailError::Domain(what));
    if ascii.parse::<std::net::IpAddr>().is_ok() {
        return Err(EmailError::IpAddress);
    }
    if ascii.starts_with('.') {
        return problem("begins with a dot");
    }
    if ascii.ends_with('.') {
        return problem("ends with a dot");
    }
    if !ascii.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'.') {
        return problem("has a character other than letters, digits, hyphens and dots");
    }
    for label in ascii.split('.') {
        match label.len() {
            0 => return problem("has two dots in a row"),
            1..=MAX_LABEL_OCTETS => {}
            _ => return Err(EmailError::TooLong("a label of a domain has at most 63 octets")),
        }
        if label.starts_with('-') || label.ends_with('-') {
            return problem("has a label that begins or ends with a hyphen");
        }
    }
    let Some((_, top)) = ascii.rsplit_once('.') else {
        return problem("has a single label: an address needs a full domain");
    };
    if top.len() < 2 || top.bytes().all(|b| b.is_ascii_digit()) {
        return problem("has no such top level");
    }
    Ok(())
}

pub(super) fn check_lengths(local: &str, domain: &str) -> Result<(), EmailError> {
    if local.len() > MAX_LOCAL_OCTETS {
        return Err(EmailError::TooLong("the part before the `@` has at most 64 octets"));
    }
    if local.len() + 1 + domain.len() > MAX_OCTETS {
        return Err(EmailError::TooLong("an address has at most 254 octets"));
    }
    Ok(())
}

/// The key is an address too: the same limits hold.
pub(super) fn check_length_of_key(key: &str) -> Result<(), EmailError> {
    key.rsplit_once('@').map_or(Ok(()), |(local, domain)| check_lengths(local, domain))
}
