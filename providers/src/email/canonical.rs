//! The key of a mailbox: which spellings of an address reach the same one.
//!
//! Only what a host itself publishes counts; the data are `hosts.txt`, each rule with its source.
//!
//! Invariant: the key is itself a valid address, and the key of the key is the key.

use std::borrow::Cow;
use std::collections::HashMap;
use std::sync::LazyLock;

use unicode_normalization::{UnicodeNormalization, is_nfc};

use super::syntax::{is_dot_atom, quoted};

/// What a host does with the spelling of its addresses.
struct Host {
    /// The domain that the mailbox is known by; twins share one.
    domain: &'static str,
    /// The signs that begin a tag.
    tags: &'static str,
    dots: Dots,
}

#[derive(Clone, Copy)]
enum Dots {
    Count,
    /// `jane.doe` and `janedoe` are one (Gmail).
    Ignored,
    /// `jane.doe` and `jane-doe` are one (Yandex).
    AreHyphens,
}

/// The rules by domain.
static HOSTS: LazyLock<HashMap<&'static str, Host>> =
    LazyLock::new(|| super::kind::entries(include_str!("hosts.txt")).flat_map(rule).collect());

/// Reads one line: `domain, twins… | signs of tags | dots`. A `=` before the first domain says that the others are
/// its twins; without it each is a host of its own under one rule.
fn rule(line: &'static str) -> Vec<(&'static str, Host)> {
    let mut columns = line.split('|').map(str::trim);
    let domains = columns.next().unwrap_or_default();
    let tags = columns.next().unwrap_or_default();
    let dots = match columns.next() {
        Some("ignored") => Dots::Ignored,
        Some("hyphens") => Dots::AreHyphens,
        _ => Dots::Count,
    };
    let twins = domains.strip_prefix('=').map(str::trim);
    let main = twins.and_then(|names| names.split_whitespace().next());
    twins
        .unwrap_or(domains)
        .split_whitespace()
        .map(|domain| (domain, Host { domain: main.unwrap_or(domain), tags, dots }))
        .collect()
}

/// The key of the mailbox that `local` names at `domain` (lower-case ASCII).
pub(super) fn key(local: &str, domain: &str) -> String {
    let plain = plain_spelling(local);
    let folded = fold_case(&plain);
    let Some(host) = HOSTS.get(domain) else { return format!("{folded}@{domain}") };
    // A quotation that is still needed holds signs no public host gives out: nothing is known of it.
    let local = if folded.starts_with('"') { folded } else { without_tag_and_dots(folded, host) };
    // Once more: a mark that followed a dot may now compose with the letter before it.
    format!("{}@{}", fold_case(&local), host.domain)
}

/// Whether the domain is a public host whose rules are known.
pub(super) fn is_public_host(domain: &str) -> bool {
    HOSTS.contains_key(domain)
}

/// RFC 5321 §4.1.2: quotes and escapes that are not needed mean nothing.
fn plain_spelling(local: &str) -> Cow<'_, str> {
    let Some(inner) = quoted(local) else { return Cow::Borrowed(local) };
    let mut content = String::with_capacity(inner.len());
    let mut escaped = false;
    for c in inner.chars() {
        escaped = c == '\\' && !escaped;
        if !escaped {
            content.push(c);
        }
    }
    if is_dot_atom(&content) {
        return Cow::Owned(content);
    }
    Cow::Owned(format!("\"{}\"", content.replace('\\', "\\\\").replace('"', "\\\"")))
}

/// One spelling for all cases and compositions. No host in use tells `Jane@` and `jane@` apart, though RFC 5321
/// would let it.
pub(super) fn fold_case(text: &str) -> Cow<'_, str> {
    if text.bytes().all(|b| b.is_ascii() && !b.is_ascii_uppercase()) {
        return Cow::Borrowed(text);
    }
    let lower = text.to_lowercase();
    if lower.is_ascii() || is_nfc(&lower) {
        return Cow::Owned(lower);
    }
    Cow::Owned(lower.nfc().collect())
}

/// Removes the tag and folds the dots, unless nothing would be left.
fn without_tag_and_dots<'a>(local: Cow<'a, str>, host: &Host) -> Cow<'a, str> {
    let base = match local.find(|c| host.tags.contains(c)) {
        Some(at @ 1..) => local.get(..at).unwrap_or_default().trim_end_matches('.'),
        _ => &local,
    };
    if base.is_empty() {
        return local;
    }
    match host.dots {
        Dots::Ignored if base.contains('.') => Cow::Owned(base.replace('.', "")),
        Dots::AreHyphens if base.contains('.') => Cow::Owned(base.replace('.', "-")),
        _ if base.len() == local.len() => local,
        _ => Cow::Owned(base.to_owned()),
    }
}
