//! What an enrichment of one address would do, without doing it.
//!
//! Invariant: asks nobody and writes nothing.

use gleaner_providers::email::Segment;
use gleaner_providers::provider::Price;
use gleaner_providers::{EmailAddress, Field, Identifier};
use serde::Serialize;

use super::Enricher;
use super::course::{Asked, Course};
use super::dossier::Dossier;
use super::merge::Merged;
use super::panel::State;
use super::waterfall::forecast::forecast;
use super::waterfall::{self, Skip};
use crate::job::{Answer, AnswerContent};
use crate::keyring::SubjectKey;
use crate::record::Confidences;

/// The plan for one address.
#[derive(Clone, Debug)]
pub struct Plan {
    pub segment: Segment,
    /// What the answers in stock say together.
    pub found: Merged,
    /// Wanted fields that they leave open.
    pub missing: Vec<Field>,
    pub stock: Vec<InStock>,
    pub spent_micros: u64,
    /// Whom to ask, in the order in which they may first be.
    pub steps: Vec<PlannedStep>,
    /// Who is asked as well if those find an account that it can be asked about; what that costs is not in the sums.
    pub if_found: Vec<IfFound>,
    pub unasked: Vec<Unasked>,
    /// In millionths.
    pub expected_micros: f64,
    pub least_micros: u64,
    pub most_micros: u64,
    /// How likely each wanted field is filled in the end.
    pub filled: Vec<(Field, f64)>,
}

/// A stored answer.
#[derive(Clone, Debug, Serialize)]
pub struct InStock {
    pub provider: String,
    /// `match`, `no_match` or `pending`.
    pub outcome: &'static str,
    pub fetched_at: jiff::Timestamp,
    pub expires_at: jiff::Timestamp,
    pub cost_micros: u64,
}

/// A question that may be asked.
#[derive(Clone, Debug)]
pub struct PlannedStep {
    pub provider: String,
    pub round: usize,
    pub told: Option<Identifier>,
    pub price: Price,
    /// How likely it is asked at all.
    pub chance: f64,
    pub match_rate: f64,
    pub expected_micros: f64,
}

/// A provider that is told an account.
#[derive(Clone, Debug)]
pub struct IfFound {
    pub provider: String,
    pub price: Price,
    pub match_rate: f64,
}

/// A provider that is not asked, and why.
#[derive(Clone, Debug, Serialize)]
pub struct Unasked {
    pub provider: String,
    pub why: String,
}

impl Enricher {
    /// What would be asked about an address now, given the unexpired answers about it.
    pub fn plan(&self, email: &EmailAddress, subject: &SubjectKey, stored: Vec<Answer>) -> Plan {
        self.plan_with(email, subject, stored, &Asked::default(), Confidences::default())
    }

    /// What a replay would ask: the answers that it takes are final, and what the record has settled stays settled.
    pub fn plan_replay(
        &self,
        email: &EmailAddress,
        subject: &SubjectKey,
        stored: Vec<Answer>,
        settled: Confidences,
    ) -> Plan {
        let asked = Asked::those_in_stock(&self.panel, &stored);
        self.plan_with(email, subject, stored, &asked, settled)
    }

    fn plan_with(
        &self,
        email: &EmailAddress,
        subject: &SubjectKey,
        stored: Vec<Answer>,
        asked: &Asked,
        settled: Confidences,
    ) -> Plan {
        let stock = stored.iter().map(InStock::of).collect();
        let dossier = Dossier::open(stored, self.clock.now());
        let course = Course::of(self, email.segment(), subject, settled);
        let found = dossier.merged(&self.policy.beliefs.now());
        let situation = course.situation(&dossier, &found, false);
        let about = course.subject(email, &found);
        let candidates = course.candidates(&dossier, &about, asked);
        let worths: Vec<_> =
            self.panel.installed().map(|one| self.market.worth(one.descriptor(), course.segment)).collect();
        let foreseen = forecast(&course.rules(), &situation, &candidates, &worths);
        let steps = foreseen.steps.iter().map(|step| {
            let candidate = &candidates[step.at];
            PlannedStep {
                provider: candidate.name.to_owned(),
                round: step.round,
                told: candidate.told,
                price: candidate.price,
                chance: step.chance,
                match_rate: worths[step.at].match_rate(),
                expected_micros: step.expected_micros,
            }
        });
        let may_find = foreseen.steps.iter().any(|step| candidates[step.at].supplies.contains(Field::Social));
        let (mut if_found, mut unasked) = (Vec::new(), Vec::new());
        for (at, candidate) in candidates.iter().enumerate() {
            if foreseen.steps.iter().any(|step| step.at == at) {
                continue;
            }
            let provider = candidate.name.to_owned();
            let skip = match waterfall::judge(&course.rules(), &situation, candidate) {
                Err(skip) => skip,
                // Open now, and never reached: the money is spent before.
                Ok(()) => Skip::MaxCost,
            };
            if skip == Skip::NoAccount && may_find {
                let match_rate = worths[at].match_rate();
                if_found.push(IfFound { provider, price: candidate.price, match_rate });
            } else {
                unasked.push(Unasked { provider, why: skip.words().to_owned() });
            }
        }
        Plan {
            segment: course.segment,
            missing: situation.missing.iter().collect(),
            stock,
            spent_micros: situation.spent_micros,
            steps: steps.collect(),
            if_found,
            unasked: unasked.into_iter().chain(self.off()).collect(),
            expected_micros: foreseen.expected_micros,
            least_micros: foreseen.least_micros,
            most_micros: foreseen.most_micros,
            filled: foreseen.filled,
            found,
        }
    }

    /// Providers that are off, or in no tier.
    fn off(&self) -> impl Iterator<Item = Unasked> {
        self.panel.seats().iter().filter_map(|seat| {
            let why = match &seat.state {
                State::Off(why) => format!("off: {why}"),
                State::On(_) if self.panel.installed().any(|one| one.name() == seat.descriptor.name) => {
                    return None;
                }
                State::On(_) => "in no tier".to_owned(),
            };
            Some(Unasked { provider: seat.descriptor.name.to_string(), why })
        })
    }
}

impl InStock {
    pub fn of(answer: &Answer) -> Self {
        Self {
            provider: answer.provider.clone(),
            outcome: match answer.content {
                AnswerContent::Match(_) => "match",
                AnswerContent::NoMatch => "no_match",
                AnswerContent::Pending { .. } => "pending",
            },
            fetched_at: answer.fetched_at,
            expires_at: answer.expires_at,
            cost_micros: answer.cost_micros,
        }
    }
}
