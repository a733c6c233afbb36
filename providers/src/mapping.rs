//! Rules of mapping that providers share: from what a vendor writes to the claims of a finding.
//!
//! Invariant: pure; whatever an answer lists, a finding stays small.

use url::Url;

use crate::age::BirthInterval;
use crate::finding::{Claim, Finding};
use crate::name::{Parts, PersonName};
use crate::social::SocialProfile;

/// More accounts than anybody has: what a lying answer lists beyond it is not read.
const MAX_PROFILES: usize = 50;

/// A text that says something: vendors write `""` and `" "` for "absent".
pub fn stated(text: Option<&str>) -> Option<&str> {
    text.map(str::trim).filter(|text| !text.is_empty())
}

/// The URL of `segments` below `base`, each percent-encoded.
pub fn below(base: &Url, segments: &[&str]) -> Url {
    let mut url = base.clone();
    if let Ok(mut path) = url.path_segments_mut() {
        path.pop_if_empty().extend(segments);
    }
    url
}

/// A person's name from its parts, unless it only repeats an account name: people leave nicknames in name fields.
pub fn named(parts: Parts, handles: &[&str]) -> Option<PersonName> {
    let name = PersonName::from_parts(parts).ok()?;
    let is_handle = handles.iter().any(|handle| handle.to_lowercase() == name.full().to_lowercase());
    (!is_handle).then_some(name)
}

/// The interval that all statements about one birth allow. Where they contradict each other, the narrowest of
/// them, and `false`.
pub fn birth_of(statements: impl IntoIterator<Item = BirthInterval>) -> Option<(BirthInterval, bool)> {
    let days = |interval: &BirthInterval| (interval.latest() - interval.earliest()).get_days();
    let mut statements: Vec<_> = statements.into_iter().collect();
    statements.sort_by_key(days);
    let narrowest = *statements.first()?;
    let common = statements.iter().try_fold(narrowest, |common, other| common.intersect(other));
    Some(common.map_or((narrowest, false), |common| (common, true)))
}

/// The accounts of one finding: each once, as its best assured statement has it.
#[derive(Debug, Default)]
pub struct Accounts(Vec<Claim<SocialProfile>>);

impl Accounts {
    /// Takes in a statement, unless it names a network that is gone.
    pub fn add(&mut self, claim: Claim<SocialProfile>) {
        if claim.value.is_defunct() {
            return;
        }
        let has_room = self.0.len() < MAX_PROFILES;
        match self.0.iter_mut().find(|known| known.value.key() == claim.value.key()) {
            Some(known) if (known.assurance, known.confidence) < (claim.assurance, claim.confidence) => {
                *known = claim;
            }
            None if has_room => self.0.push(claim),
            Some(_) | None => {}
        }
    }

    pub fn into_claims(self) -> Vec<Claim<SocialProfile>> {
        self.0
    }
}

impl Extend<Claim<SocialProfile>> for Accounts {
    fn extend<I: IntoIterator<Item = Claim<SocialProfile>>>(&mut self, claims: I) {
        claims.into_iter().for_each(|claim| self.add(claim));
    }
}

/// The same finding with the public page on which all of it can be seen again.
pub fn seen_at(mut finding: Finding, evidence: Option<&str>) -> Finding {
    let evidence = evidence.map(str::to_owned);
    if let Some(name) = &mut finding.name {
        name.evidence.clone_from(&evidence);
    }
    if let Some(birth) = &mut finding.birth {
        birth.evidence.clone_from(&evidence);
    }
    for profile in &mut finding.profiles {
        profile.evidence.clone_from(&evidence);
    }
    finding
}

#[cfg(test)]
mod tests {
    use jiff::civil::date;

    use super::*;
    use crate::finding::{Assurance, Confidence};

    #[test]
    fn births_intersect_and_a_contradiction_keeps_the_narrowest() {
        let year = BirthInterval::between(date(1987, 1, 1), date(1987, 12, 31)).unwrap();
        let day = BirthInterval::between(date(1987, 6, 7), date(1987, 6, 7)).unwrap();
        let other = BirthInterval::between(date(1990, 1, 1), date(1990, 12, 31)).unwrap();
        assert_eq!(birth_of([]), None);
        assert_eq!(birth_of([year, day]), Some((day, true)));
        assert_eq!(birth_of([other, year, day]), Some((day, false)));
    }

    #[test]
    fn an_account_is_kept_once_as_best_assured() {
        let claim = |assurance, confidence| {
            let profile = SocialProfile::parse("https://github.com/ada-example").unwrap();
            Claim::new(profile, Confidence::clamped(confidence), assurance)
        };
        let mut accounts = Accounts::default();
        accounts.add(claim(Assurance::SelfAsserted, 0.9));
        accounts.add(claim(Assurance::Proven, 0.8));
        accounts.add(claim(Assurance::Broker, 1.0));
        let claims = accounts.into_claims();
        assert_eq!(claims, [claim(Assurance::Proven, 0.8)]);
    }

    #[test]
    fn path_segments_cannot_leave_the_endpoint() {
        let base = Url::parse("https://api.example.com/v3/").unwrap();
        assert_eq!(
            below(&base, &["users", "a/../b?c"]).as_str(),
            "https://api.example.com/v3/users/a%2F..%2Fb%3Fc"
        );
        assert_eq!(below(&base, &["..", "x"]).as_str(), "https://api.example.com/v3/x");
    }
}
