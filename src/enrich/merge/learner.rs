//! Hears subject after subject, and learns from all of them how good the sources are.
//!
//! Invariant: keeps numbers only; what was learned of people is forgotten as soon as it is a vote.

use std::collections::BTreeMap;

use super::copies;
use super::identity::Meetings;
use super::inquiry::{self, Inquiry};
use super::learn;
use super::person;
use super::question::Question;
use super::sources::{Prior, Sources};
use super::voices::{CORRECTION, Statement, Voices};
use crate::job::{Answer, AnswerContent};

/// Questions a topic that are learned from; evenly spread over all that were heard.
const ENOUGH: usize = 40_000;
/// Answers in stock that are learned from: more would not change what is believed of a provider.
pub const ENOUGH_ANSWERS: u32 = 10_000;
/// Rounds of learning at most.
const ROUNDS: usize = 60;

/// How far sources' own confidence is believed before anything is learned of them.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Trust {
    /// Vendors' numbers of all kinds: half.
    Strangers,
    /// Our own providers, whose scales are mapped at their edge: fully.
    BuiltIn,
}

impl Trust {
    const fn prior(self) -> Prior {
        match self {
            Self::Strangers => Prior::STRANGERS,
            Self::BuiltIn => Prior::BUILT_IN,
        }
    }
}

/// What was heard so far.
#[derive(Debug)]
pub struct Learner {
    names: Vec<String>,
    unlearned: Sources,
    prior: Prior,
    questions: [Heard; 3],
    claims: BTreeMap<String, [u64; 3]>,
    meetings: Meetings,
}

/// The questions of one topic, thinned out evenly as they grow too many.
#[derive(Debug, Default)]
struct Heard {
    kept: Vec<Question>,
    seen: usize,
    stride: usize,
}

impl Learner {
    /// A learner who knows the sources by name. (Others that turn up are weighed by the prior, and not learned.)
    pub fn new<'a>(names: impl IntoIterator<Item = &'a str>, trust: Trust) -> Self {
        let mut names: Vec<String> =
            names.into_iter().filter(|name| *name != CORRECTION).map(str::to_owned).collect();
        names.sort_unstable();
        names.dedup();
        let unlearned = Sources::unlearned(names.iter().map(String::as_str), trust.prior());
        Self {
            names,
            unlearned,
            prior: trust.prior(),
            questions: Default::default(),
            claims: BTreeMap::new(),
            meetings: Meetings::default(),
        }
    }

    /// Hears what was said about one more subject. Corrections teach nothing: who was corrected was not asked alike.
    pub fn hear(&mut self, voices: &Voices<'_>) {
        let said = voices.names.iter().map(|said| (said.provider, 0));
        let said = said.chain(voices.births.iter().map(|said| (said.provider, 1)));
        for (provider, topic) in said.chain(voices.profiles.iter().map(|said| (said.provider, 2))) {
            if let Some(count) = self.claims.entry(provider.to_owned()).or_default().get_mut::<usize>(topic) {
                *count += 1;
            }
        }
        self.meetings.hear(voices, &self.unlearned);
        let newest = voices.newest();
        let name = Inquiry::of(voices, &self.unlearned, newest).into_question();
        let (_, birth) = inquiry::births(&voices.births, &self.unlearned, newest);
        let networks = inquiry::networks(&voices.profiles, &self.unlearned, newest);
        let questions = [name, birth].into_iter().chain(networks.into_iter().map(|network| network.question));
        let of_two = person::speak_of_two(voices);
        for question in questions.filter(|question| question.votes.len() > 1) {
            self.add(Question { of_two, ..question });
        }
    }

    fn add(&mut self, question: Question) {
        let heard = &mut self.questions[question.topic.index()];
        let stride = heard.stride.max(1);
        if heard.seen.is_multiple_of(stride) {
            heard.kept.push(question);
        }
        heard.seen += 1;
        if heard.kept.len() >= 2 * ENOUGH {
            let mut index = 0;
            heard.kept.retain(|_| {
                index += 1;
                index % 2 == 1
            });
            heard.stride = stride * 2;
        }
    }

    /// What is to be believed of the sources.
    pub fn learn(mut self) -> Sources {
        let names: Vec<&str> = self.names.iter().map(String::as_str).collect();
        let questions: Vec<&Question> = self.questions.iter().flat_map(|heard| &heard.kept).collect();
        let kin = copies::families(&questions, &names, self.prior);
        // Copies of one source are no two who mean the same person.
        for question in self.questions.iter_mut().flat_map(|heard| &mut heard.kept) {
            question.of_two &= copies::stand_two_against_two(question, &kin);
        }
        let questions: Vec<&Question> = self.questions.iter().flat_map(|heard| &heard.kept).collect();
        let (mut sources, _) = learn::learn(&questions, &names, &kin, self.prior, ROUNDS);
        for provider in &mut sources.providers {
            let claims = self.claims.get(&provider.name).copied().unwrap_or_default();
            for (skill, claims) in provider.skills.iter_mut().zip(claims) {
                skill.claims = claims;
            }
        }
        sources.identity = self.meetings.identity(self.prior.identity);
        sources
    }
}

impl Sources {
    /// What stored answers teach about our own providers.
    pub fn of_answers(answers: &[Answer]) -> Self {
        let mut of_subjects: BTreeMap<_, Vec<Statement<'_>>> = BTreeMap::new();
        for answer in answers {
            if let AnswerContent::Match(finding) = &answer.content {
                let statement =
                    Statement { provider: &answer.provider, fetched_at: answer.fetched_at, finding };
                of_subjects.entry(answer.subject).or_default().push(statement);
            }
        }
        let mut learner = Learner::new(answers.iter().map(|answer| answer.provider.as_str()), Trust::BuiltIn);
        for statements in of_subjects.values() {
            learner.hear(&Voices::of(statements));
        }
        learner.learn()
    }
}
