//! What a network is: its names, its hosts, its kinds of id, and how a path on a host becomes an id.
//!
//! Invariant: a host belongs to a network only if the table lists it; likeness never counts.

use std::collections::HashMap;
use std::sync::LazyLock;

use super::address::Address;
use super::refused;
use super::{ProfileError, SocialProfile, ids, table};

/// One row of the table.
#[derive(Clone, Copy)]
pub(super) struct Network {
    pub(super) name: &'static str,
    /// Other words for it, in lower case letters and digits.
    aliases: &'static [&'static str],
    /// Kinds of id; an account given without a path is the first kind that reads it.
    kinds: &'static [Kind],
    sites: &'static [Site],
    /// Words that are pages of the network where accounts could stand.
    reserved: &'static [&'static str],
    pub(super) defunct: bool,
}

/// Hosts that share their routes. `*.example.com` is every direct sub-domain; its label is the first segment.
#[derive(Clone, Copy)]
pub(super) struct Site {
    hosts: &'static [&'static str],
    /// Tried in order: `in/{handle}/**`, `user?id={handle}`, `@{handle}`. `{kind}` captures one segment, `{kind+}`
    /// all that are left, `*` skips one and `**` any number.
    routes: &'static [&'static str],
}

/// One space of ids within a network.
#[derive(Clone, Copy)]
pub(super) struct Kind {
    /// `handle`, or the word between `#` and `:` in the key.
    name: &'static str,
    /// The id as it is shown, where the text is one.
    read: fn(&str) -> Option<String>,
    /// How spellings that mean the same account are made one.
    fold: fn(&str) -> String,
    /// The canonical address, with `{}` for the id.
    url: &'static str,
}

impl Network {
    pub(super) const fn new(name: &'static str, kinds: &'static [Kind], sites: &'static [Site]) -> Self {
        Self { name, aliases: &[], kinds, sites, reserved: &[], defunct: false }
    }

    pub(super) const fn aliases(self, aliases: &'static [&'static str]) -> Self {
        Self { aliases, ..self }
    }

    pub(super) const fn reserved(self, reserved: &'static [&'static str]) -> Self {
        Self { reserved, ..self }
    }

    pub(super) const fn defunct(self) -> Self {
        Self { defunct: true, ..self }
    }

    /// Reads an account that a source gives on this network: a handle, an id, or a path such as `in/ada-example`.
    pub(super) fn account(&'static self, text: &str) -> Result<SocialProfile, ProfileError> {
        let text = &ids::composed(text);
        if refused::is_no_name(&text.replace('/', "-")) {
            return Err(refused::page(""));
        }
        let path = Address::path_only(text)?;
        let sites = self.sites.iter().filter(|site| site.hosts.iter().all(|host| !host.starts_with('*')));
        let routed = sites.flat_map(|site| site.routes).find_map(|route| self.follow(route, &path));
        let bare = text.strip_prefix('@').unwrap_or(text);
        routed
            .or_else(|| self.kinds.iter().find_map(|kind| self.read(kind, bare)))
            .ok_or_else(|| refused::page(bare.split(['/', '?']).next().unwrap_or_default()))
    }

    fn site_profile(&'static self, site: &Site, address: &Address) -> Result<SocialProfile, ProfileError> {
        let first = address.segments.first().map_or("", String::as_str);
        let found = site.routes.iter().find_map(|route| self.follow(route, address));
        found.ok_or_else(|| refused::page(first))
    }

    /// The profile at an address, if it lies on this route.
    fn follow(&'static self, route: &str, address: &Address) -> Option<SocialProfile> {
        let (path, query) = route.split_once('?').map_or((route, None), |(path, query)| (path, Some(query)));
        let mut segments = address.segments.iter();
        let mut captured = None;
        for part in path.split('/') {
            if part == "**" {
                segments = [].iter();
                break;
            }
            let (literal, kind) = part.split_once('{').map_or((part, None), |(lit, kind)| (lit, Some(kind)));
            let segment = segments.next()?;
            match kind {
                None if part == "*" || segment.eq_ignore_ascii_case(literal) => {}
                None => return None,
                Some(kind) => {
                    let (head, tail) = segment.split_at_checked(literal.len())?;
                    if !head.eq_ignore_ascii_case(literal) {
                        return None;
                    }
                    let kind = kind.trim_end_matches('}');
                    captured = Some(if let Some(kind) = kind.strip_suffix('+') {
                        let rest = segments.by_ref().map(String::as_str);
                        (kind, std::iter::once(tail).chain(rest).collect::<Vec<_>>().join("/"))
                    } else {
                        (kind, tail.to_owned())
                    });
                }
            }
        }
        if segments.next().is_some() {
            return None;
        }
        if let Some((name, kind)) = query.and_then(|query| query.split_once("={")) {
            captured = Some((kind.trim_end_matches('}'), address.parameter(name)?));
        }
        let (kind, id) = captured?;
        self.read(self.kinds.iter().find(|candidate| candidate.name == kind)?, &id)
    }

    fn read(&'static self, kind: &Kind, text: &str) -> Option<SocialProfile> {
        let id = (kind.read)(text).filter(|id| !id.ends_with(['.', ',', ')']))?;
        let is_handle = kind.name == "handle";
        if is_handle && self.is_reserved(kind, &id) {
            return None;
        }
        let (network, folded) = (self.name, (kind.fold)(&id));
        let key = if is_handle {
            format!("{network}:{folded}")
        } else {
            format!("{network}#{}:{folded}", kind.name)
        };
        let url = kind.url.replace("{}", &ids::encoded(&id));
        Some(SocialProfile { network: network.into(), key, handle: is_handle.then_some(id), url })
    }

    fn is_reserved(&self, kind: &Kind, id: &str) -> bool {
        let is_word = |words: &[&str]| words.iter().any(|word| word.eq_ignore_ascii_case(id));
        // Directly under the host, accounts and the network's own pages share one space of names.
        let at_root = kind.url.ends_with("/{}") && kind.url.matches('/').count() == 3
            || kind.url.starts_with("https://{}");
        is_word(self.reserved) || refused::is_no_name(id) || at_root && refused::is_page_word(id)
    }
}

impl Site {
    pub(super) const fn new(hosts: &'static [&'static str], routes: &'static [&'static str]) -> Self {
        Self { hosts, routes }
    }
}

impl Kind {
    /// Account names, compared without regard to case.
    pub(super) const fn handle(url: &'static str, read: fn(&str) -> Option<String>) -> Self {
        Self { name: "handle", read, fold: ids::lower, url }
    }

    /// Another kind of id, compared as it is.
    pub(super) const fn id(name: &'static str, url: &'static str, read: fn(&str) -> Option<String>) -> Self {
        Self { name, read, fold: str::to_owned, url }
    }

    pub(super) const fn folded_by(self, fold: fn(&str) -> String) -> Self {
        Self { fold, ..self }
    }
}

static BY_HOST: LazyLock<HashMap<&str, (&Network, &Site)>> = LazyLock::new(|| {
    let sites = table::all().flat_map(|network| network.sites.iter().map(move |site| (network, site)));
    sites.flat_map(|(network, site)| site.hosts.iter().map(move |host| (*host, (network, site)))).collect()
});

static BY_WORD: LazyLock<HashMap<&str, &Network>> = LazyLock::new(|| {
    let words =
        |network: &'static Network| std::iter::once(network.name).chain(network.aliases.iter().copied());
    table::all().flat_map(|network| words(network).map(move |word| (word, network))).collect()
});

/// The network that a source names in its own words: `X`, `Stack Overflow`, `google+`, `twitter.com`.
pub(super) fn by_word(word: &str) -> Option<&'static Network> {
    let mut plain = String::with_capacity(word.len());
    for c in word.chars().flat_map(char::to_lowercase) {
        match c {
            '+' => plain.push_str("plus"),
            c if c.is_alphanumeric() => plain.push(c),
            _ => {}
        }
    }
    let by_name = BY_WORD.get(plain.as_str()).copied();
    by_name.or_else(|| match site_of(&word.trim().to_ascii_lowercase()) {
        Where::On(network, _, None) => Some(network),
        _ => None,
    })
}

/// Where a host belongs.
pub(super) enum Where<'h> {
    /// To a site of a network, with the label where the site is a sub-domain of the account's own.
    On(&'static Network, &'static Site, Option<&'h str>),
    /// To a network, but to no part of it where profiles are.
    Beside,
    Elsewhere,
}

/// Looks a lower-case host up, also without the labels that choose a device or a language.
pub(super) fn site_of(host: &str) -> Where<'_> {
    let mut rest = host;
    loop {
        if let Some((network, site)) = BY_HOST.get(rest) {
            return Where::On(network, site, None);
        }
        let Some((label, parent)) = rest.split_once('.') else { break };
        if !is_device(label) && (!is_language(label) || has_languages_as_sites(parent)) {
            break;
        }
        rest = parent;
    }
    let Some((label, parent)) = rest.split_once('.') else { return Where::Elsewhere };
    if let Some((network, site)) = BY_HOST.get(format!("*.{parent}").as_str()) {
        return Where::On(network, site, Some(label));
    }
    if belongs_to_accounts(parent) {
        return Where::Elsewhere;
    }
    let mut parent = parent;
    loop {
        if BY_HOST.contains_key(parent) {
            return Where::Beside;
        }
        match parent.split_once('.') {
            Some((_, next)) => parent = next,
            None => return Where::Elsewhere,
        }
    }
}

/// Hosts that give sub-domains away to accounts under names of their own: pages of somebody, not of the network.
fn belongs_to_accounts(parent: &str) -> bool {
    matches!(parent, "substack.com" | "bandcamp.com")
}

/// A label that fits the page to a device.
fn is_device(label: &str) -> bool {
    matches!(label, "www" | "m" | "mobile" | "mbasic" | "touch" | "web" | "old" | "new" | "np" | "secure")
}

/// A label that chooses a language: `de`, `pt-br`.
fn is_language(label: &str) -> bool {
    let letters = |text: &str| text.len() == 2 && text.bytes().all(|b| b.is_ascii_lowercase());
    label
        .split_once('-')
        .map_or_else(|| letters(label), |(language, country)| letters(language) && letters(country))
}

/// Hosts whose two-letter sub-domains are sites of their own, with accounts of their own.
fn has_languages_as_sites(parent: &str) -> bool {
    matches!(
        parent,
        "stackoverflow.com" | "quora.com" | "wordpress.com" | "tumblr.com" | "medium.com" | "github.io"
    )
}

/// The profile at an address on a known host; none where the host belongs to no network.
pub(super) fn profile_at(address: &Address) -> Option<Result<SocialProfile, ProfileError>> {
    Some(match site_of(&address.host) {
        Where::On(network, site, None) => network.site_profile(site, address),
        Where::On(network, site, Some(label)) => network.site_profile(site, &address.below(label)),
        Where::Beside => Err(refused::page("")),
        Where::Elsewhere => return None,
    })
}
