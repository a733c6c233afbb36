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
    Openpgp,
    Orcid,
    Wikidata,
    EnrichSo,
    Hunter,
    Apollo,
    Fullenrich,
    Fullcontact,
    Rocketreach,
    Pipl,
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
    pub const ALL: [Self; 18] = [
        Self::Gravatar,
        Self::Github,
        Self::PeopleDataLabs,
        Self::Homepage,
        Self::Webfinger,
        Self::Gitlab,
        Self::Keybase,
        Self::Bluesky,
        Self::Openpgp,
        Self::Orcid,
        Self::Wikidata,
        Self::EnrichSo,
        Self::Hunter,
        Self::Apollo,
        Self::Fullenrich,
        Self::Fullcontact,
        Self::Rocketreach,
        Self::Pipl,
    ];

    #[expect(clippy::too_many_lines, reason = "one row a service")]
    pub(super) const fn facts(self) -> Facts {
        match self {
            Self::Gravatar => free("gravatar", "gravatar/v3/", quota(100, 3600), 0.25, 0.40),
            Self::Github => free("github", "github/", quota(5000, 3600), 0.20, 0.35),
            Self::PeopleDataLabs => Facts {
                name: "people_data_labs",
                path: "people_data_labs/",
                quota: quota(1000, 60),
                match_rate: MatchRate { free_mail: 0.65, own_domain: 0.55 },
                price: Price::per_match(Micros::from_cents(28)),
            },
            Self::Homepage => free("homepage", "homepage/{domain}/", quota(10, 1), 0.0, 0.60),
            // Of those who have an account in the fediverse.
            Self::Webfinger => free("webfinger", "webfinger/{domain}/", quota(300, 300), 0.0, 0.50),
            // Of those who have an account there.
            Self::Gitlab => free("gitlab", "gitlab/", quota(2000, 60), 0.45, 0.60),
            // Asked about accounts: by whom they were found says nothing about the kind of address.
            Self::Keybase => free("keybase", "keybase/", quota(60, 60), 0.30, 0.30),
            Self::Bluesky => free("bluesky", "bluesky/", quota(3000, 300), 0.95, 0.95),
            Self::Openpgp => free("openpgp", "openpgp/{domain}/", quota(10, 1), 0.0, 0.10),
            Self::Orcid => free("orcid", "orcid/v3.0/", quota(12, 1), 0.02, 0.05),
            Self::Wikidata => free("wikidata", "wikidata/", quota(60, 60), 0.01, 0.03),
            Self::EnrichSo => Facts {
                name: "enrich_so",
                path: "enrich_so/api/v3/",
                quota: quota(10, 60),
                match_rate: MatchRate { free_mail: 0.20, own_domain: 0.45 },
                price: Price::per_match(Micros(4_900)),
            },
            Self::Hunter => Facts {
                name: "hunter",
                path: "hunter/",
                quota: quota(500, 60),
                match_rate: MatchRate { free_mail: 0.15, own_domain: 0.45 },
                price: Price::per_match(Micros(24_500)),
            },
            Self::Apollo => Facts {
                name: "apollo",
                path: "apollo/",
                quota: quota(1000, 60),
                match_rate: MatchRate { free_mail: 0.10, own_domain: 0.50 },
                price: Price::per_match(Micros::from_cents(5)),
            },
            Self::Fullenrich => Facts {
                name: "fullenrich",
                path: "fullenrich/api/v2/",
                quota: quota(60, 60),
                match_rate: MatchRate { free_mail: 0.30, own_domain: 0.55 },
                price: Price::per_match(Micros(58_000)),
            },
            Self::Fullcontact => Facts {
                name: "fullcontact",
                path: "fullcontact/",
                quota: quota(6000, 60),
                match_rate: MatchRate { free_mail: 0.50, own_domain: 0.40 },
                price: Price {
                    per_match: Micros::from_cents(10),
                    per_miss: Micros::from_cents(10),
                    only_wanted: false,
                },
            },
            Self::Rocketreach => Facts {
                name: "rocketreach",
                path: "rocketreach/",
                quota: quota(100, 60),
                match_rate: MatchRate { free_mail: 0.25, own_domain: 0.45 },
                price: Price::per_match(Micros::from_cents(30)),
            },
            Self::Pipl => Facts {
                name: "pipl",
                path: "pipl/",
                quota: quota(10, 1),
                match_rate: MatchRate { free_mail: 0.70, own_domain: 0.60 },
                price: Price::per_match(Micros::from_cents(50)),
            },
        }
    }

    /// Whether it sells people: of organisations it knows nothing.
    pub(super) const fn sells_people(self) -> bool {
        matches!(
            self,
            Self::PeopleDataLabs
                | Self::EnrichSo
                | Self::Hunter
                | Self::Apollo
                | Self::Fullenrich
                | Self::Fullcontact
                | Self::Rocketreach
                | Self::Pipl
        )
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

const fn free(
    name: &'static str,
    path: &'static str,
    quota: QuotaSettings,
    free_mail: f64,
    own_domain: f64,
) -> Facts {
    Facts { name, path, quota, match_rate: MatchRate { free_mail, own_domain }, price: Price::FREE }
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
