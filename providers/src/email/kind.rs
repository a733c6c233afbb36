//! What kind of mailbox an address names, told by kept lists: `roles.txt`, `free.txt`, `disposable.txt`.
//!
//! Invariant: a list that lacks an entry costs a lookup, never a person: whoever is in no list is `Personal`.

use std::collections::HashSet;
use std::sync::LazyLock;

use super::MailboxKind;
use super::canonical::is_public_host;

type List = LazyLock<HashSet<&'static str>>;

static ROLES: List = LazyLock::new(|| entries(include_str!("roles.txt")).collect());
static FREE: List = LazyLock::new(|| entries(include_str!("free.txt")).collect());
static DISPOSABLE: List = LazyLock::new(|| entries(include_str!("disposable.txt")).collect());

/// The lines of a data file, without comments and blank ones.
pub(super) fn entries(file: &'static str) -> impl Iterator<Item = &'static str> {
    file.lines().map(|line| line.split('#').next().unwrap_or_default().trim()).filter(|line| !line.is_empty())
}

/// The kind of a mailbox. A throw-away host outweighs the role, the role outweighs the free host.
pub(super) fn of(local: &str, domain: &str) -> MailboxKind {
    if is_disposable(domain) {
        MailboxKind::Disposable
    } else if is_role(local) {
        MailboxKind::Role
    } else if FREE.contains(domain) || is_public_host(domain) {
        MailboxKind::FreeMail
    } else {
        MailboxKind::Personal
    }
}

/// A listed domain or any name under one: such hosts hand out subdomains by the thousand.
fn is_disposable(domain: &str) -> bool {
    let mut rest = domain;
    loop {
        if DISPOSABLE.contains(rest) {
            return true;
        }
        match rest.split_once('.') {
            Some((_, parent)) => rest = parent,
            None => return false,
        }
    }
}

/// `local` is lower-case. A tag, a number at the end (`info2`) and the sign between words do not change a role.
pub(super) fn is_role(local: &str) -> bool {
    /// Addresses that machines make (`bounce-4711@`) and those of mailing lists (RFC 2142 §6).
    const PREFIXES: [&str; 8] =
        ["noreply-", "no-reply-", "donotreply-", "do-not-reply-", "bounce-", "bounces-", "owner-", "prvs="];
    const SUFFIXES: [&str; 7] =
        ["-request", "-owner", "-bounces", "-subscribe", "-unsubscribe", "-noreply", "-no-reply"];
    let bare = local.split('+').next().unwrap_or_default();
    let bare = bare.trim_end_matches(|c: char| c.is_ascii_digit()).trim_end_matches(['-', '_', '.']);
    if ROLES.contains(bare) {
        return true;
    }
    if !bare.contains(['-', '_', '.', '=']) {
        return false;
    }
    let hyphened = bare.replace(['_', '.'], "-");
    ROLES.contains(hyphened.as_str())
        || PREFIXES.iter().any(|prefix| hyphened.starts_with(prefix))
        || SUFFIXES.iter().any(|suffix| hyphened.ends_with(suffix))
}
