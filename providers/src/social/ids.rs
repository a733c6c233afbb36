//! The syntaxes of account names and ids, and how they are compared and written into addresses.
//!
//! Invariant: every reader is idempotent: what it returns, it reads as itself.

use std::borrow::Cow;

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use unicode_normalization::UnicodeNormalization;

/// What is written out in a path; all else is percent-encoded.
const PLAIN: &AsciiSet = &NON_ALPHANUMERIC
    .remove(b'-')
    .remove(b'.')
    .remove(b'_')
    .remove(b'~')
    .remove(b'@')
    .remove(b':')
    .remove(b'/')
    .remove(b'+')
    .remove(b',')
    .remove(b'!')
    .remove(b'(')
    .remove(b')')
    .remove(b'*')
    .remove(b'=')
    .remove(b'&')
    .remove(b';');

pub(super) fn encoded(text: &str) -> String {
    utf8_percent_encode(text, PLAIN).to_string()
}

/// Composed (NFC), as every address is written.
pub(super) fn composed(text: &str) -> Cow<'_, str> {
    if text.is_ascii() { Cow::Borrowed(text) } else { Cow::Owned(text.nfc().collect()) }
}

/// Folded for comparison: lower case, composed.
pub(super) fn lower(text: &str) -> String {
    if text.is_ascii() { text.to_ascii_lowercase() } else { text.to_lowercase().nfc().collect() }
}

/// Facebook delivers `ada.example` and `adaexample` to one account.
pub(super) fn lower_without_dots(text: &str) -> String {
    lower(text).replace('.', "")
}

fn plain(text: &str, lengths: std::ops::RangeInclusive<usize>, extra: &str) -> Option<String> {
    let fits = |c: char| c.is_ascii_alphanumeric() || extra.contains(c);
    (lengths.contains(&text.len()) && text.chars().all(fits)).then(|| text.to_owned())
}

/// Letters, digits and underscores, of bounded length.
pub(super) fn word<const MIN: usize, const MAX: usize>(text: &str) -> Option<String> {
    plain(text, MIN..=MAX, "_")
}

/// The widest common syntax: letters, digits, `_`, `-` and inner dots.
pub(super) fn name(text: &str) -> Option<String> {
    plain(text, 1..=100, "_-.").filter(|id| !id.starts_with('.') && !id.contains(".."))
}

/// Letters, digits, `_` and `-`.
pub(super) fn slug(text: &str) -> Option<String> {
    plain(text, 1..=100, "_-")
}

/// A slug that cannot be mistaken for a number or a numbered account (`123`, `user123`).
pub(super) fn lettered_slug(text: &str) -> Option<String> {
    let lower = text.to_ascii_lowercase();
    slug(text).filter(|_| digits(lower.strip_prefix("user").unwrap_or(&lower)).is_none())
}

pub(super) fn digits(text: &str) -> Option<String> {
    (matches!(text.len(), 1..=24) && text.bytes().all(|b| b.is_ascii_digit()) && !text.starts_with('0'))
        .then(|| text.to_owned())
}

/// A number long enough that it cannot be an account name of digits.
pub(super) fn long_number(text: &str) -> Option<String> {
    digits(text).filter(|id| id.len() > 15)
}

/// A number, or the long one that ends a page's address: `Ada-Example-100000000000001`.
pub(super) fn facebook_number(text: &str) -> Option<String> {
    digits(text).or_else(|| digits(text.rsplit_once('-')?.1).filter(|id| id.len() >= 8))
}

/// `9900001-ada-example`: the number at the beginning.
pub(super) fn leading_number(text: &str) -> Option<String> {
    digits(text.split(['-', '.']).next().unwrap_or_default())
}

pub(super) fn github(text: &str) -> Option<String> {
    plain(text, 1..=39, "-").filter(|id| !id.starts_with('-') && !id.ends_with('-') && !id.contains("--"))
}

pub(super) fn gitlab(text: &str) -> Option<String> {
    plain(text, 2..=255, "_.-").filter(|id| !id.starts_with('-') && !id.starts_with('.'))
}

pub(super) fn instagram(text: &str) -> Option<String> {
    plain(text, 1..=30, "_.").filter(|id| !id.contains("..") && !id.starts_with('.') && !id.ends_with('.'))
}

pub(super) fn tiktok(text: &str) -> Option<String> {
    plain(text, 2..=24, "_.")
}

pub(super) fn facebook(text: &str) -> Option<String> {
    let is_script = text.rsplit('.').next().is_some_and(|end| end.eq_ignore_ascii_case("php"));
    plain(text, 5..=50, ".").filter(|id| !is_script && digits(id).is_none() && id.bytes().any(|b| b != b'.'))
}

/// On the short domain, names and codes of posts share the path: `1GgRuVZzM` is a code, `ada.example` a name.
pub(super) fn facebook_short(text: &str) -> bool {
    let has = |is: fn(&u8) -> bool| text.as_bytes().iter().any(is);
    has(u8::is_ascii_digit) && has(u8::is_ascii_uppercase) && !text.contains('.')
}

/// Slugs at `LinkedIn` are shown in lower case.
pub(super) fn linkedin(text: &str) -> Option<String> {
    let id = lower(text);
    let is_member = linkedin_member(text).is_some();
    ((3..=100).contains(&id.chars().count()) && !is_member && id.chars().all(|c| visible(c, "-_")))
        .then_some(id)
}

/// Member ids at `LinkedIn`, case-sensitive; sales links append words after a comma.
pub(super) fn linkedin_member(text: &str) -> Option<String> {
    let id = text.split(',').next().unwrap_or_default();
    let is_member = id.starts_with("ACoAA") || id.starts_with("ACwAA") || id.starts_with("AEMAA");
    plain(id, 12..=60, "_-").filter(|_| is_member)
}

/// Old public addresses at `LinkedIn`: a name and three short codes.
pub(super) fn linkedin_public(text: &str) -> Option<String> {
    let id = lower(text);
    let parts: Vec<&str> = id.split('/').collect();
    let [name, codes @ ..] = parts.as_slice() else { return None };
    let is_code = |code: &&str| plain(code, 1..=5, "").is_some();
    let named = *name != "dir" && !name.is_empty() && name.chars().all(|c| visible(c, "-_"));
    (named && codes.len() == 3 && codes.iter().all(is_code)).then(|| id.clone())
}

pub(super) fn youtube(text: &str) -> Option<String> {
    let fits = (3..=30).contains(&text.chars().count()) && text.chars().all(|c| visible(c, "_-.·"));
    (fits && youtube_channel(text).is_none()).then(|| text.to_owned())
}

pub(super) fn youtube_channel(text: &str) -> Option<String> {
    plain(text, 24..=24, "_-").filter(|id| id.starts_with("UC"))
}

/// A name in any script: `Ada-Example-1`, `Ada_Example2`.
pub(super) fn unicode_name(text: &str) -> Option<String> {
    let fits = (1..=100).contains(&text.chars().count()) && text.chars().all(|c| visible(c, "-_."));
    (fits && !text.starts_with('.')).then(|| text.to_owned())
}

/// ASCII letters, digits and the listed signs; beyond ASCII whatever is neither space, control nor invisible.
fn visible(c: char, extra: &str) -> bool {
    if c.is_ascii() {
        return c.is_ascii_alphanumeric() || extra.contains(c);
    }
    let invisible = matches!(c, '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}'
        | '\u{ad}' | '\u{61c}' | '\u{feff}' | '\u{fff0}'..='\u{ffff}');
    extra.contains(c) || !(invisible || c.is_whitespace() || c.is_control())
}

pub(super) fn telegram(text: &str) -> Option<String> {
    plain(text, 5..=32, "_").filter(|id| id.starts_with(|c: char| c.is_ascii_alphabetic()))
}

/// A screen name; `id123` is an account, `club123` and the like are not people.
pub(super) fn vk(text: &str) -> Option<String> {
    const NUMBERED: [&str; 11] =
        ["id", "club", "public", "event", "wall", "album", "photo", "video", "audio", "topic", "app"];
    let lower = text.to_ascii_lowercase();
    let number = |prefix| {
        lower.strip_prefix(prefix).is_some_and(|n| n.starts_with(|c: char| c.is_ascii_digit() || c == '-'))
    };
    plain(text, 2..=32, "_.").filter(|id| digits(id).is_none() && !NUMBERED.into_iter().any(number))
}

pub(super) fn flickr_nsid(text: &str) -> Option<String> {
    let (number, suffix) = text.split_once("@N")?;
    (digits(number).is_some() && suffix.len() == 2 && suffix.bytes().all(|b| b.is_ascii_digit()))
        .then(|| text.to_owned())
}

/// A hash of an address, MD5 or SHA-256.
pub(super) fn address_hash(text: &str) -> Option<String> {
    (matches!(text.len(), 32 | 64) && text.bytes().all(|b| b.is_ascii_hexdigit()))
        .then(|| text.to_ascii_lowercase())
}

pub(super) fn not_a_hash(text: &str) -> Option<String> {
    slug(text).filter(|id| address_hash(id).is_none())
}

/// An ORCID iD with its check digit (ISO 7064 mod 11-2), with or without hyphens.
pub(super) fn orcid(text: &str) -> Option<String> {
    let compact: String = text.replace('-', "").to_ascii_uppercase();
    let hyphens_fit =
        !text.contains('-') || text.len() == 19 && text.bytes().skip(4).step_by(5).all(|b| b == b'-');
    let (body, check) = compact.split_at_checked(15).filter(|_| compact.len() == 16 && hyphens_fit)?;
    let total = body.chars().try_fold(0, |total, c| Some((total + c.to_digit(10)?) * 2 % 11))?;
    let expected = match (12 - total % 11) % 11 {
        10 => 'X',
        digit => char::from_digit(digit, 10)?,
    };
    let groups = [compact.get(..4)?, compact.get(4..8)?, compact.get(8..12)?, compact.get(12..)?];
    (check.chars().eq([expected])).then(|| groups.join("-"))
}

/// A domain as a handle, of at least two labels.
pub(super) fn bluesky(text: &str) -> Option<String> {
    let is_label =
        |label: &str| plain(label, 1..=63, "-").is_some_and(|l| !l.starts_with('-') && !l.ends_with('-'));
    let (_, top) = text.rsplit_once('.')?;
    let named = top.starts_with(|c: char| c.is_ascii_alphabetic()) && !top.eq_ignore_ascii_case("invalid");
    (text.len() <= 253 && named && text.split('.').all(is_label)).then(|| text.to_owned())
}

/// A decentralized identifier, without its leading `did:`.
pub(super) fn did(text: &str) -> Option<String> {
    let id = text.strip_prefix("did:")?;
    let valid = match id.split_once(':')? {
        ("plc", code) => code.len() == 24 && code.bytes().all(|b| matches!(b, b'a'..=b'z' | b'2'..=b'7')),
        ("web", domain) => bluesky(domain).is_some(),
        _ => false,
    };
    valid.then(|| id.to_owned())
}

pub(super) fn reddit(text: &str) -> Option<String> {
    plain(text, 3..=20, "_-")
}

pub(super) fn tumblr(text: &str) -> Option<String> {
    plain(text, 1..=32, "-").filter(|id| !id.starts_with('-') && !id.ends_with('-'))
}

/// One label of a host name.
pub(super) fn host_label(text: &str) -> Option<String> {
    plain(text, 3..=63, "-")
        .filter(|id| !id.starts_with('-') && !id.ends_with('-'))
        .map(|id| id.to_ascii_lowercase())
}

/// `+AdaExample`, the vanity names of Google+.
pub(super) fn google_plus(text: &str) -> Option<String> {
    let name = text.strip_prefix('+')?;
    (!name.is_empty() && unicode_name(name).is_some()).then(|| text.to_owned())
}

pub(super) fn scholar(text: &str) -> Option<String> {
    plain(text, 12..=12, "_-")
}
