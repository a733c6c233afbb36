//! How a provider gets a person wrong: the traps of PROVIDERS.md, drawn per person and provider.
//!
//! Invariant: the truth is never changed, only what is said of it.

use serde::Serialize;

use super::mailbox::MailboxKey;
use super::person::Person;
use crate::sandbox::draw::{self, chance};
use crate::sandbox::service::Service;

/// One way in which what a provider says differs from the truth.
#[derive(Clone, Copy, Debug, Eq, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Distortion {
    /// Tells somebody else's name, birth and accounts.
    WrongPerson,
    /// The display name is a nickname.
    Nickname,
    /// The name is null.
    NullName,
    /// One of the accounts is marked as hidden: it must not be shown.
    HiddenAccount,
    /// The hash in the answer is that of the person's primary address, not the one asked with.
    OtherHash,
    /// GitHub: no account has the address, only commits.
    CommitsOnly,
    /// GitHub, GitLab: the account that the search finds states another address.
    OtherEmail,
    /// PDL: "ada ada example".
    DuplicatedName,
    /// PDL: an account on a network that is gone.
    DeadNetwork,
    /// PDL, Wikidata: no birth at all.
    NoBirth,
    /// PDL, Wikidata: a birth year only.
    YearOnly,
    /// PDL: the year padded to 1 January.
    Placeholder,
    /// PDL: the year is off by one.
    StaleBirth,
    /// PDL: a restricted plan's booleans instead of values.
    Booleans,
    /// `WebFinger`, Bluesky: the account asks not to be found, or not to be shown to strangers.
    AsksToBeLeftOut,
    /// `WebFinger`: the server answers signed requests only.
    SignedOnly,
    /// Keybase: proofs that were valid once.
    StaleProof,
}

/// What a provider would say of a person whom it knows.
#[derive(Clone)]
pub(in crate::sandbox) struct Portrait {
    /// The person it describes: now and then the wrong one.
    pub(in crate::sandbox) person: Person,
    pub(in crate::sandbox) distortions: Vec<Distortion>,
}

impl Portrait {
    /// Draws what `service` makes of `person`; `scale` 0 is a faithful portrait, 1 one as in life.
    pub(super) fn draw(seed: u64, service: Service, key: MailboxKey, person: Person, scale: f64) -> Self {
        let mut rng = draw::stream(seed, "distortion", &[service.as_str().as_bytes(), &key.bytes()]);
        let distortions: Vec<Distortion> = catalogue(service)
            .iter()
            .filter(|(_, share)| chance(&mut rng, share * scale))
            .map(|(distortion, _)| *distortion)
            .collect();
        let wrong = distortions.contains(&Distortion::WrongPerson);
        Self { person: if wrong { Person::stranger(seed, key) } else { person }, distortions }
    }

    pub(in crate::sandbox) fn has(&self, distortion: Distortion) -> bool {
        self.distortions.contains(&distortion)
    }
}

/// What a service gets wrong, and how often.
const fn catalogue(service: Service) -> &'static [(Distortion, f64)] {
    match service {
        Service::Gravatar => &[
            (Distortion::WrongPerson, 0.01),
            (Distortion::Nickname, 0.2),
            (Distortion::HiddenAccount, 0.15),
            (Distortion::OtherHash, 0.1),
        ],
        Service::Github => &[
            (Distortion::NullName, 0.2),
            (Distortion::Nickname, 0.1),
            (Distortion::CommitsOnly, 0.15),
            (Distortion::OtherEmail, 0.02),
        ],
        Service::PeopleDataLabs => &[
            (Distortion::WrongPerson, 0.03),
            (Distortion::DuplicatedName, 0.08),
            (Distortion::DeadNetwork, 0.2),
            (Distortion::NoBirth, 0.25),
            (Distortion::YearOnly, 0.2),
            (Distortion::Placeholder, 0.1),
            (Distortion::StaleBirth, 0.03),
            (Distortion::Booleans, 0.05),
        ],
        Service::Webfinger => &[
            (Distortion::Nickname, 0.2),
            (Distortion::AsksToBeLeftOut, 0.15),
            (Distortion::SignedOnly, 0.05),
        ],
        Service::Gitlab => &[(Distortion::Nickname, 0.1), (Distortion::OtherEmail, 0.05)],
        Service::Keybase => &[(Distortion::NullName, 0.2), (Distortion::StaleProof, 0.3)],
        Service::Bluesky => {
            &[(Distortion::NullName, 0.1), (Distortion::Nickname, 0.25), (Distortion::AsksToBeLeftOut, 0.1)]
        }
        Service::Openpgp => &[(Distortion::NullName, 0.2), (Distortion::Nickname, 0.15)],
        Service::Wikidata => &[(Distortion::NoBirth, 0.1), (Distortion::YearOnly, 0.3)],
        // A page is its owner's own, its variants are drawn in `page.rs`; a record at ORCID is looked after.
        Service::Homepage | Service::Orcid => &[],
    }
}
