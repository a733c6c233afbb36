//! Accounts unite by their canonical form; a network is a question, and the accounts on it are the answers.
//!
//! Invariant: an account is never left out because of what is said of another network.

use std::collections::BTreeMap;

use gleaner_providers::SocialProfile;

use super::question::{Candidate, MOST_VOTES, Question, Topic};
use super::sources::Sources;
use super::voices::Said;

/// The chance that a person has several accounts on one network.
const USUALLY_ONE: f64 = 0.15;
/// Sites are not accounts: people have as many as they like.
const ANY_NUMBER: f64 = 0.95;

/// What is said of one network, and what it asks.
pub(super) struct Network<'s, 'a> {
    /// By account.
    pub(super) accounts: Vec<Vec<&'s Said<'a, SocialProfile>>>,
    pub(super) question: Question,
}

/// One question a network. Ids and names of one network are different questions: nobody can say which of them are one account.
pub(super) fn networks<'s, 'a>(
    said: &'s [Said<'a, SocialProfile>],
    sources: &Sources,
    vote: impl Fn(&Said<'a, SocialProfile>, &Sources) -> super::question::Vote,
) -> Vec<Network<'s, 'a>> {
    let mut spaces: BTreeMap<&str, BTreeMap<&str, Vec<&Said<'a, SocialProfile>>>> = BTreeMap::new();
    for said in said {
        spaces.entry(space(said.value)).or_default().entry(said.value.key()).or_default().push(said);
    }
    let network = |(space, accounts): (&str, BTreeMap<&str, Vec<&'s Said<'a, SocialProfile>>>)| {
        let accounts: Vec<_> = accounts.into_values().collect();
        let mut votes = Vec::new();
        let mut candidates = Vec::new();
        for account in &accounts {
            let mut supporters = 0;
            for said in account.iter().take(MOST_VOTES - votes.len()) {
                supporters |= 1 << votes.len();
                votes.push(vote(said, sources));
            }
            candidates.push(Candidate { supporters, breadth: 1.0 });
        }
        let many = if is_open(space) { ANY_NUMBER } else { USUALLY_ONE };
        Network {
            accounts,
            question: Question {
                topic: Topic::Account,
                votes,
                different: candidates.len(),
                candidates,
                many,
                of_two: false,
            },
        }
    };
    spaces.into_iter().map(network).collect()
}

/// The network and the kind of id: what stands before the id in the key.
pub(super) fn space(profile: &SocialProfile) -> &str {
    profile.key().split_once(':').map_or(profile.key(), |(space, _)| space)
}

/// Whether two accounts of one kind say nothing against each other.
pub(super) fn is_open(space: &str) -> bool {
    matches!(space, "website" | "mastodon")
}

/// Of each source every account once, and where it named another on the same network later, only that. Takes them sorted
/// by source and age, the newest first.
pub(super) fn latest_of_each(said: Vec<Said<'_, SocialProfile>>) -> Vec<Said<'_, SocialProfile>> {
    let corrected: Vec<String> =
        said.iter().filter(|said| said.is_correction()).map(|said| space(said.value).to_owned()).collect();
    let mut kept: Vec<Said<'_, SocialProfile>> = Vec::with_capacity(said.len());
    for candidate in said {
        let space = space(candidate.value);
        let overruled = !candidate.is_correction() && corrected.iter().any(|corrected| corrected == space);
        let of_same = kept.iter().filter(|earlier| earlier.provider == candidate.provider);
        let replaced = of_same.clone().any(|earlier| {
            let is_repeat = earlier.value.key() == candidate.value.key();
            let is_newer = earlier.at > candidate.at && !is_open(space);
            is_repeat || (is_newer && self::space(earlier.value) == space)
        });
        if !overruled && !replaced {
            kept.push(candidate);
        }
    }
    kept
}
