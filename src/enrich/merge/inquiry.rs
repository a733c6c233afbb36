//! From what was said to questions with votes, and from questions to chances.
//!
//! Invariant: pure; a question never mixes fields.

use gleaner_providers::{Assurance, BirthInterval, Confidence, SocialProfile};
use jiff::Timestamp;

use super::accounts::{self, Network};
use super::births::{self, Cell};
use super::names::Names;
use super::question::{MOST_VOTES, Question, Topic, Traits, Vote};
use super::sources::Sources;
use super::voices::{Said, Voices};
use super::weigh::{self, Term, Weighed};

/// The question of the name.
pub(super) struct Inquiry {
    pub(super) names: Names,
    name: Question,
}

impl Inquiry {
    /// `newest`: the day that ages of statements are counted from.
    pub(super) fn of(voices: &Voices<'_>, sources: &Sources, newest: Option<Timestamp>) -> Self {
        let names = Names::of(&voices.names);
        let said = voices.names.iter().take(MOST_VOTES).enumerate();
        let votes = said
            .map(|(index, said)| vote(said, sources, newest, names.breadth(index), names.wording(index)))
            .collect();
        let candidates = names.candidates.clone();
        let name = Question {
            topic: Topic::Name,
            votes,
            different: candidates.len(),
            candidates,
            many: 0.0,
            of_two: false,
        };
        Self { names, name }
    }

    pub(super) fn name(&self, sources: &Sources) -> Answered {
        Answered::of(sources, &self.name)
    }

    pub(super) fn into_question(self) -> Question {
        self.name
    }
}

/// The question of the birth.
pub(super) fn births(
    said: &[Said<'_, BirthInterval>],
    sources: &Sources,
    newest: Option<Timestamp>,
) -> (Vec<Cell>, Question) {
    let cells = births::cells(said);
    let all = said.get(..MOST_VOTES).unwrap_or(said);
    let of = |said: &Said<'_, BirthInterval>| {
        vote(said, sources, newest, births::breadth(*said.value), births::wording(*said.value, all))
    };
    let votes = all.iter().map(of).collect();
    let candidates = cells.iter().map(|cell| cell.candidate).collect();
    let different = births::different(&cells);
    (cells, Question { topic: Topic::Birth, votes, candidates, different, many: 0.0, of_two: false })
}

/// The questions of the accounts.
pub(super) fn networks<'s, 'a>(
    said: &'s [Said<'a, SocialProfile>],
    sources: &Sources,
    newest: Option<Timestamp>,
) -> Vec<Network<'s, 'a>> {
    accounts::networks(said, sources, |said, sources| vote(said, sources, newest, 1.0, (0, 0)))
}

fn vote<T>(
    said: &Said<'_, T>,
    sources: &Sources,
    newest: Option<Timestamp>,
    breadth: f64,
    (form, wording): (u8, u8),
) -> Vote {
    const YEAR_SECS: f64 = 365.25 * 86_400.0;
    let age = newest.zip(said.at).map(|(newest, at)| newest.duration_since(at).as_secs_f64() / YEAR_SECS);
    let traits = Traits {
        confidence: said.confidence.map(Confidence::get),
        years: age.unwrap_or_default().max(0.0),
        is_proven: said.assurance == Assurance::Proven,
    };
    Vote { seat: sources.seat(said.provider), traits, breadth, form, wording }
}

/// A question with the chances of its answers.
pub(super) struct Answered {
    terms: Vec<Term>,
    weighed: Weighed,
}

impl Answered {
    pub(super) fn of(sources: &Sources, question: &Question) -> Self {
        let terms = weigh::terms(sources, question);
        let weighed = weigh::weigh(sources, question, &terms);
        Self { terms, weighed }
    }

    pub(super) fn chance(&self, candidate: usize) -> f64 {
        self.weighed.chances.get(candidate).copied().unwrap_or_default()
    }

    pub(super) fn chances(&self) -> &[f64] {
        &self.weighed.chances
    }

    /// The logarithm of the likelihood of all votes together; that nobody says anything is no surprise.
    pub(super) fn likelihood(&self) -> f64 {
        if self.terms.is_empty() { 0.0 } else { self.weighed.likelihood }
    }

    /// The weight of a vote, as the logarithm of odds.
    pub(super) fn gain(&self, vote: usize) -> f64 {
        self.terms.get(vote).map_or(0.0, Term::gain)
    }

    /// The candidates, likeliest first; of equals the one named first.
    pub(super) fn by_chance(&self) -> Vec<usize> {
        let mut order: Vec<usize> = (0..self.weighed.chances.len()).collect();
        order.sort_by(|a, b| self.chance(*b).total_cmp(&self.chance(*a)).then(a.cmp(b)));
        order
    }
}
