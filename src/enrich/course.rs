//! One member's course through the waterfall: what the planner is told of providers, answers and money at each step.
//!
//! Invariant: asks nobody; an enrichment and its forecast are told the same.

use std::sync::Arc;

use gleaner_providers::email::Segment;
use gleaner_providers::{Claim, EmailAddress, Field, Identifier, SocialProfile, Subject};

use super::dossier::Dossier;
use super::merge::Merged;
use super::panel::Installed;
use super::waterfall::ranking::Ranking;
use super::waterfall::{Candidate, Rules, Situation, Standing};
use super::{Enricher, Panel, Policy};
use crate::job::Answer;
use crate::keyring::SubjectKey;
use crate::record::{Confidences, Fields, Sourced};

/// What does not change on the way.
#[derive(Debug)]
pub(super) struct Course<'a> {
    panel: &'a Panel,
    policy: &'a Policy,
    pub(super) segment: Segment,
    ranking: Option<Arc<Ranking>>,
    explored: Option<String>,
    settled: Confidences,
}

impl<'a> Course<'a> {
    /// `settled` is how sure the record is of what need not be asked for again.
    pub(super) fn of(
        enricher: &'a Enricher,
        segment: Segment,
        subject: &SubjectKey,
        settled: Confidences,
    ) -> Self {
        Self {
            panel: &enricher.panel,
            policy: &enricher.policy,
            segment,
            ranking: enricher.market.ranking(segment),
            explored: enricher.market.explored(segment, subject),
            settled,
        }
    }

    pub(super) fn rules(&self) -> Rules<'_> {
        Rules {
            wanted: self.policy.wanted.fields,
            max_cost_micros: self.policy.max_cost_micros,
            ranking: self.ranking.as_deref(),
            explore: self.explored.as_deref(),
        }
    }

    pub(super) fn situation(&self, dossier: &Dossier, found: &Merged, last_chance: bool) -> Situation {
        Situation {
            missing: self.missing(found),
            spent_micros: dossier.spent_micros(),
            waits: dossier.waits(),
            last_chance,
        }
    }

    fn missing(&self, found: &Merged) -> Fields {
        self.policy.wanted.missing_in(found, self.settled)
    }

    /// What providers may be told: the address, and the accounts that are sure enough to be the person's.
    pub(super) fn subject(&self, email: &EmailAddress, found: &Merged) -> Subject {
        let missing = self.missing(found);
        let sure = self.policy.wanted.thresholds.of(Field::Social);
        let is_sure = |profile: &&Sourced<SocialProfile>| profile.confidence >= sure;
        let claim = |profile: &Sourced<SocialProfile>| {
            Claim::new(profile.value.clone(), profile.confidence, profile.assurance)
        };
        let accounts = found.profiles.iter().filter(is_sure).map(claim).collect();
        Subject::new(email.clone()).with_accounts(accounts).wanting(missing.iter())
    }

    /// The questions of a round.
    pub(super) fn questions<'q>(
        &'q self,
        round: &'q [usize],
        candidates: &'q [Candidate<'_>],
    ) -> impl Iterator<Item = Question<'q>> {
        let asked = self.panel.installed().enumerate().filter(|(at, _)| round.contains(at));
        asked.filter_map(|(at, provider)| {
            let told = candidates.get(at)?.told?;
            Some(Question { provider, told, segment: self.segment })
        })
    }

    /// Every provider that is on, in the order of the tiers.
    pub(super) fn candidates(
        &self,
        dossier: &Dossier,
        subject: &Subject,
        asked: &Asked,
    ) -> Vec<Candidate<'a>> {
        let tiers = self.panel.tiers().iter().enumerate();
        let seats = tiers.flat_map(|(tier, installed)| installed.iter().map(move |one| (tier, one)));
        seats
            .enumerate()
            .map(|(at, (tier, one))| {
                let about = one.descriptor();
                let told = about.told_of(subject);
                let standing = match dossier.standing(one.name()) {
                    Standing::Open | Standing::Ready | Standing::Missed if asked.was(at, told) => {
                        Standing::GaveUp
                    }
                    standing => standing,
                };
                Candidate {
                    name: one.name(),
                    supplies: Fields::of(about.supplies),
                    price: about.price,
                    tier,
                    admitted: one.admits(self.segment),
                    told,
                    standing,
                }
            })
            .collect()
    }
}

/// One provider to ask, what it is told, and of which kind of address.
#[derive(Clone, Copy, Debug)]
pub(super) struct Question<'a> {
    pub(super) provider: &'a Arc<Installed>,
    pub(super) told: Identifier,
    pub(super) segment: Segment,
}

/// The questions of one execution.
#[derive(Debug, Default)]
pub(super) struct Asked(Vec<(usize, Identifier)>);

impl Asked {
    /// As if everybody whose answer is in stock had had a second chance: a replay takes what is in stock as it is.
    pub(super) fn those_in_stock(panel: &Panel, stored: &[Answer]) -> Self {
        let has_answered = |name: &str| stored.iter().any(|answer| answer.provider == name);
        let answered = panel.installed().enumerate().filter(|(_, one)| has_answered(one.name()));
        Self(answered.map(|(at, _)| (at, Identifier::Handle)).collect())
    }

    pub(super) fn note(&mut self, round: &[usize], candidates: &[Candidate<'_>]) {
        self.0.extend(round.iter().filter_map(|&at| Some((at, candidates[at].told?))));
    }

    fn was(&self, at: usize, told: Option<Identifier>) -> bool {
        told.is_some_and(|told| self.0.contains(&(at, told)))
    }
}
