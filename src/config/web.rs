//! How strangers' sites are visited: what holds for every provider that goes out on the open web.
//!
//! Invariant: the defaults are the careful ones; no setting switches the address guard off as a whole.

use std::num::NonZeroU32;
use std::time::Duration;

use gleaner_providers::http::guard::IpNet;
use gleaner_providers::http::{Nets, SiteLimits};
use serde::Deserialize;
use serde::de::{Deserializer, Error as _};

/// The table `[web]`.
#[derive(Clone, Debug, Deserialize, PartialEq)]
#[serde(default, deny_unknown_fields)]
pub struct Web {
    /// Private networks that a stranger's name may lead into, such as `10.1.0.0/16`.
    #[serde(deserialize_with = "networks")]
    pub allow_nets: Vec<IpNet>,
    /// Public networks that it may not lead into: one's own. Wins over `allow_nets`.
    #[serde(deserialize_with = "networks")]
    pub deny_nets: Vec<IpNet>,
    /// Whether an address behind NAT64 is judged by the IPv4 address in it, instead of being refused.
    pub nat64: bool,
    /// The shortest time between two calls to one site.
    pub site_interval_ms: u32,
    /// Calls to one site in a day, robots.txt and redirects included.
    pub site_daily_calls: NonZeroU32,
}

impl Web {
    pub fn nets(&self) -> Nets {
        let (allow, deny) = (self.allow_nets.clone(), self.deny_nets.clone());
        Nets { allow, deny, decode_nat64: self.nat64 }
    }

    pub fn per_site(&self) -> SiteLimits {
        let interval = Duration::from_millis(self.site_interval_ms.into());
        SiteLimits { interval, daily: self.site_daily_calls }
    }

    /// What is wrong with these settings, by key.
    pub(super) fn problem(&self) -> Option<(&'static str, String)> {
        let whole = self.allow_nets.iter().find(|net| net.prefix_len() == 0)?;
        Some(("web.allow_nets", format!("`{whole}` is every address; name the networks that you mean")))
    }
}

impl Default for Web {
    fn default() -> Self {
        let SiteLimits { interval, daily } = SiteLimits::default();
        Self {
            allow_nets: Vec::new(),
            deny_nets: Vec::new(),
            nat64: false,
            site_interval_ms: u32::try_from(interval.as_millis()).unwrap_or(u32::MAX),
            site_daily_calls: daily,
        }
    }
}

fn networks<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<IpNet>, D::Error> {
    let network = |text: &String| {
        text.parse().map_err(|_| {
            D::Error::custom(format!("`{text}` is no network; write address/prefix, such as `10.1.0.0/16`"))
        })
    };
    Vec::<String>::deserialize(deserializer)?.iter().map(network).collect()
}
