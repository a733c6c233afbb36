//! Text to web address: what stands around it is cut away, what is hostile or private is refused.
//!
//! Invariant: the host is the one a browser would go to, and nobody's name or password is carried along.

use percent_encoding::percent_decode_str;
use unicode_normalization::UnicodeNormalization;
use url::{Host, Url};

use super::{ProfileError, refused};

/// No profile's address is longer, in bytes.
const LONGEST: usize = 2048;

/// Names that never lead to the public web (RFC 6761, RFC 6762, RFC 8375 and habit). `example` is left to tests.
const PRIVATE_DOMAINS: &[&str] = &[
    "arpa",
    "corp",
    "home",
    "internal",
    "intranet",
    "invalid",
    "lan",
    "local",
    "localdomain",
    "localhost",
    "onion",
    "private",
    "test",
];

/// The parts of an address that tell whose it is.
#[derive(Clone)]
pub(super) struct Address {
    /// Lower case, punycode, without a final dot.
    pub(super) host: String,
    /// Decoded and composed (NFC), without empty ones.
    pub(super) segments: Vec<String>,
    query: String,
}

impl Address {
    /// Reads an address on the public web. `https` is meant where no scheme is given.
    pub(super) fn read(text: &str) -> Result<(Self, Url), ProfileError> {
        let text = with_scheme(text)?;
        let authority = text.split_once("//").map_or("", |(_, rest)| rest);
        let authority = authority.split(['/', '?', '#']).next().unwrap_or_default();
        if authority.contains('@') {
            return Err(ProfileError::Unsafe("a user name stands before the host"));
        }
        let url = Url::parse(&text).map_err(|_| ProfileError::Malformed("not a web address"))?;
        let host = match url.host() {
            Some(Host::Domain(domain)) => public(domain)?,
            Some(_) => return Err(ProfileError::Unsafe("an IP address instead of a host name")),
            None => return Err(ProfileError::Malformed("not a web address")),
        };
        // `/#!/name` is how addresses were written before browsers could change a path.
        let path = match url.fragment().and_then(|fragment| fragment.strip_prefix('!')) {
            Some(path) if url.path() == "/" => path,
            _ => url.path(),
        };
        let segments = segments(path);
        Ok((Self { host, segments, query: url.query().unwrap_or_default().to_owned() }, url))
    }

    /// Reads the part of an address that follows the host.
    pub(super) fn path_only(text: &str) -> Result<Self, ProfileError> {
        let (path, query) = text.split_once('?').unwrap_or((text, ""));
        let segments = segments(path);
        if segments.is_empty() {
            return Err(ProfileError::Empty);
        }
        if path.split('/').any(|segment| matches!(segment, "." | "..")) {
            return Err(ProfileError::Malformed("steps out of its path"));
        }
        Ok(Self { host: String::new(), segments, query: query.to_owned() })
    }

    /// The same address with the sub-domain's label as the first segment.
    pub(super) fn below(&self, label: &str) -> Self {
        let segments = std::iter::once(label.to_owned()).chain(self.segments.iter().cloned()).collect();
        Self { segments, ..self.clone() }
    }

    pub(super) fn parameter(&self, name: &str) -> Option<String> {
        let mut pairs = url::form_urlencoded::parse(self.query.as_bytes());
        pairs.find(|(key, _)| key.eq_ignore_ascii_case(name)).map(|(_, value)| value.nfc().collect())
    }
}

/// Cuts away what surrounds an address in running text, and refuses what no address contains.
pub(super) fn tidy(text: &str) -> Result<&str, ProfileError> {
    let outside = |c: char| c.is_whitespace() || "<\"'“”‘’«»\u{feff}\u{200b}\u{200e}\u{200f}".contains(c);
    let text = trim_end(text.trim_matches(outside).trim_start_matches('('));
    if text.is_empty() {
        return Err(ProfileError::Empty);
    }
    if text.len() > LONGEST {
        return Err(ProfileError::Malformed("too long"));
    }
    if text.chars().any(|c| c.is_control() || c.is_whitespace() || matches!(c, '\\' | '<' | '>' | '"' | '`'))
    {
        return Err(ProfileError::Malformed("characters that no address contains"));
    }
    Ok(text)
}

/// Cuts the punctuation of a sentence off the end; a bracket stays where it was opened in the address.
pub(super) fn trim_end(text: &str) -> &str {
    let text = text
        .trim_end_matches(|c: char| c.is_whitespace() || "/.,;:!?&'\"<>“”‘’«»\u{feff}\u{200b}".contains(c));
    match text.strip_suffix(')') {
        Some(rest) if !rest.contains('(') => trim_end(rest),
        _ => text,
    }
}

fn with_scheme(text: &str) -> Result<String, ProfileError> {
    let Some((scheme, rest)) = text.split_once(':').filter(|(before, _)| is_scheme(before)) else {
        let bare = text.trim_start_matches('/');
        let host = bare.split(['/', '?', '#', ':']).next().unwrap_or_default();
        return match host.split_once('@') {
            Some(("", _)) => Err(ProfileError::Malformed("an account without its network")),
            Some(_) => Err(ProfileError::Contact),
            None if is_registrable(host) => Ok(format!("https://{bare}")),
            None => Err(ProfileError::Malformed("neither an address nor a self-describing id")),
        };
    };
    match scheme.to_ascii_lowercase().as_str() {
        // What follows decides the host; extra or missing slashes do not, nor a scheme that a form put in front.
        "http" | "https" => match rest.trim_start_matches('/') {
            again if again.split_once("://").is_some_and(|(scheme, _)| is_scheme(scheme)) => {
                with_scheme(again)
            }
            rest => Ok(format!("https://{rest}")),
        },
        "mailto" | "tel" | "sms" | "skype" | "callto" | "whatsapp" | "facetime" | "xmpp" | "sip" => {
            Err(ProfileError::Contact)
        }
        _ => Err(ProfileError::Unsafe("a scheme that is not of the web")),
    }
}

/// The last address that was put whole behind another's path: `https://x.com/https://x.com/ada`, by a form that
/// already had the host. It holds no further one.
pub(super) fn put_behind(text: &str) -> Option<&str> {
    let path = text.split(['?', '#']).next()?;
    let at = path.rfind("/http://").max(path.rfind("/https://"))?;
    let begins = path.get(..at)?;
    begins.contains("://").then(|| text.get(at + 1..))?
}

/// Whether the text before a colon is a scheme, and not a host with a port behind it.
fn is_scheme(text: &str) -> bool {
    text.starts_with(|c: char| c.is_ascii_alphabetic())
        && text.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'+' | b'-'))
}

/// Whether a word is likely meant as a host: it ends in a known public suffix, or in the one for documentation.
fn is_registrable(host: &str) -> bool {
    let host = host.trim_end_matches('.').to_lowercase();
    let Some((_, top)) = host.rsplit_once('.') else { return false };
    top == "example"
        || !top.is_ascii()
        || psl::suffix(host.as_bytes()).is_some_and(|suffix| suffix.is_known())
}

/// The host, if it can be reached by everybody.
pub(super) fn public(domain: &str) -> Result<String, ProfileError> {
    let host = domain.strip_suffix('.').unwrap_or(domain);
    let top = host.rsplit_once('.').map(|(_, top)| top);
    let is_name = |label: &str| {
        matches!(label.len(), 1..=63)
            && label.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || matches!(b, b'-' | b'_'))
    };
    match top {
        None => Err(ProfileError::Unsafe("a host without a domain")),
        Some(top) if PRIVATE_DOMAINS.contains(&top) => {
            Err(ProfileError::Unsafe("a host outside the public web"))
        }
        Some(top) if top.len() >= 2 && top.starts_with(|c: char| c.is_ascii_lowercase()) => {
            if host.len() > 253 || !host.split('.').all(is_name) {
                return Err(ProfileError::Malformed("not a host name"));
            }
            refused::host(host).map_or_else(|| Ok(host.to_owned()), Err)
        }
        Some(_) => Err(ProfileError::Malformed("not a host name")),
    }
}

fn segments(path: &str) -> Vec<String> {
    let cut = |segment: &str| trim_end(&decoded(segment)).to_owned();
    path.split('/').filter(|segment| !segment.is_empty()).take(12).map(cut).collect()
}

/// Percent-decoded and composed; a segment that is no text stays as it is.
pub(super) fn decoded(segment: &str) -> String {
    match percent_decode_str(segment).decode_utf8() {
        Ok(text) if text.is_ascii() => text.into_owned(),
        Ok(text) => text.nfc().collect(),
        Err(_) => segment.to_owned(),
    }
}
