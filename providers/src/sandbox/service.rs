//! The wire formats that the sandbox speaks, and the facts about each.
//!
//! Invariant: one row a service. Whoever adds one adds its row here, its wire format in `wire`, and what it gets wrong in
//! `population/distortion.rs`.

use serde::{Deserialize, Serialize};

use super::settings::{MatchRate, QuotaSettings};
use crate::provider::{Micros, Price};

/// A service, named like the built-in provider that speaks its format.
#[derive(Clone, Copy, Debug, Deserialize, Eq, Hash, Ord, PartialEq, PartialOrd, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Service {
    Gravatar,
    Github,
    PeopleDataLabs,
    Homepage,
    Webfinger,
    Gitlab,
    Keybase,
    Bluesky,
}

/// What is fixed about a service.
#[derive(Clone, Copy, Debug)]
pub(super) struct Facts {
    /// The name of the built-in provider that speaks its format.
    name: &'static str,
    /// What a provider's `endpoint` ends in.
    pub(super) path: &'static str,
    /// The vendor's published quota, told in headers and used for peaks where none is enforced.
    pub(super) quota: QuotaSettings,
    /// How many it knows, roughly as in life: nobody has published numbers for address → person.
    pub(super) match_rate: MatchRate,
    pub(super) price: Price,
}

/// How many services there are.
pub(super) const COUNT: usize = Service::ALL.len();

impl Service {
    pub const ALL: [Self; 8] = [
        Self::Gravatar,
        Self::Github,
        Self::PeopleDataLabs,
        Self::Homepage,
        Self::Webfinger,
        Self::Gitlab,
        Self::Keybase,
        Self::Bluesky,
    ];

    pub(super) const fn facts(self) -> Facts {
        match self {
            Self::Gravatar => Facts {
                name: "gravatar",
                path: "gravatar/v3/",
                quota: quota(100, 3600),
                match_rate: MatchRate { free_mail: 0.25, own_domain: 0.40 },
                price: Price::FREE,
            },
            Self::Github => Facts {
                name: "github",
                path: "github/",
                quota: quota(5000, 3600),
                match_rate: MatchRate { free_mail: 0.20, own_domain: 0.35 },
                price: Price::FREE,
            },
            Self::PeopleDataLabs => Facts {
                name: "people_data_labs",
                path: "people_data_labs/",
                quota: quota(1000, 60),
                match_rate: MatchRate { free_mail: 0.65, own_domain: 0.55 },
                price: Price::per_match(Micros::from_cents(28)),
            },
            Self::Homepage => Facts {
                name: "homepage",
                path: "homepage/{domain}/",
                quota: quota(10, 1),
                match_rate: MatchRate { free_mail: 0.0, own_domain: 0.60 },
                price: Price::FREE,
            },
            // Of those who have an account in the fediverse.
            Self::Webfinger => Facts {
                name: "webfinger",
                path: "webfinger/{domain}/",
                quota: quota(300, 300),
                match_rate: MatchRate { free_mail: 0.0, own_domain: 0.50 },
                price: Price::FREE,
            },
            // Of those who have an account there.
            Self::Gitlab => Facts {
                name: "gitlab",
                path: "gitlab/",
                quota: quota(2000, 60),
                match_rate: MatchRate { free_mail: 0.45, own_domain: 0.60 },
                price: Price::FREE,
            },
            // Asked about accounts: by whom they were found says nothing about the kind of address.
            Self::Keybase => Facts {
                name: "keybase",
                path: "keybase/",
                quota: quota(60, 60),
                match_rate: MatchRate { free_mail: 0.30, own_domain: 0.30 },
                price: Price::FREE,
            },
            Self::Bluesky => Facts {
                name: "bluesky",
                path: "bluesky/",
                quota: quota(3000, 300),
                match_rate: MatchRate { free_mail: 0.95, own_domain: 0.95 },
                price: Price::FREE,
            },
        }
    }

    /// The name of the built-in provider that speaks this format.
    pub const fn as_str(self) -> &'static str {
        self.facts().name
    }

    /// The service whose built-in provider has this name.
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|service| service.as_str() == name)
    }

    /// Its place in tables that hold one row a service.
    pub(super) const fn index(self) -> usize {
        self as usize
    }
}

const fn quota(calls: u32, window_secs: u64) -> QuotaSettings {
    QuotaSettings { calls, window_secs, sliding: false }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_service_stands_in_its_place_under_its_own_name() {
        for (index, service) in Service::ALL.into_iter().enumerate() {
            assert_eq!(service.index(), index, "{service:?}");
            assert_eq!(serde_json::to_value(service).unwrap(), service.as_str(), "{service:?}");
            assert!(service.facts().path.starts_with(service.as_str()), "{service:?}");
            assert_eq!(Service::named(service.as_str()), Some(service));
        }
    }
}
