//! Pages on no network that we know: kept as an address, normalized.
//!
//! Invariant: the canonical address reads as itself. `https` is shown for every page: what the web has moved to.

use url::Url;

use super::address::{self, Address};
use super::{ProfileError, SocialProfile, ids};

/// Parameters that tell where a visitor came from.
const TRACKING: &[&str] = &[
    "_ga",
    "_hsenc",
    "_hsmi",
    "dclid",
    "fbclid",
    "gbraid",
    "gclid",
    "igsh",
    "igshid",
    "li_fat_id",
    "mc_cid",
    "mc_eid",
    "mkt_tok",
    "msclkid",
    "ref",
    "ref_src",
    "ref_url",
    "s_cid",
    "si",
    "srsltid",
    "trk",
    "ttclid",
    "twclid",
    "wbraid",
    "yclid",
];

pub(super) fn profile(address: &Address, url: &Url) -> Result<SocialProfile, ProfileError> {
    let port = url.port().filter(|port| *port != 80).map(|port| format!(":{port}")).unwrap_or_default();
    let segments = url.path().split('/').filter(|segment| !segment.is_empty());
    let path: String = segments.flat_map(|segment| ["/".to_owned(), recoded(segment)]).collect();
    let kept: Vec<&str> = url.query().unwrap_or_default().split('&').filter(is_content).collect();
    let query = if kept.is_empty() { String::new() } else { format!("?{}", kept.join("&")) };
    let written = format!("https://{}{port}{path}{query}", address.host);
    // Without what a later reading would cut off.
    let url = address::trim_end(&written);
    let place = url.strip_prefix("https://").unwrap_or(url);
    let key = format!("website:{}", place.strip_prefix("www.").unwrap_or(place));
    if place.is_empty() {
        return Err(ProfileError::Malformed("not a web address"));
    }
    Ok(SocialProfile { network: super::WEBSITE.into(), key, handle: None, url: url.to_owned() })
}

/// One spelling for each segment: decoded, composed, encoded again where that loses nothing.
fn recoded(segment: &str) -> String {
    let text = address::decoded(segment);
    let safe = !text.contains(['/', '%']) && !text.chars().any(char::is_control);
    if safe { ids::encoded(&text) } else { segment.to_owned() }
}

/// Whether a parameter chooses the page, once the punctuation is gone that a later reading would cut off.
fn is_content(pair: &&str) -> bool {
    let name = address::trim_end(pair).split('=').next().unwrap_or_default().to_ascii_lowercase();
    !name.is_empty() && !name.starts_with("utm_") && !TRACKING.contains(&name.as_str())
}
