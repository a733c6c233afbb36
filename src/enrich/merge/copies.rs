//! Who copies from whom: two vendors that resell one data set make the same mistakes, and are one voice.
//!
//! Two accurate sources agree often too. What tells them apart is how a third one sees them (Dong, Berti-Équille,
//! Srivastava 2009: shared false values are the evidence): whoever copies agrees more with its original than their
//! agreement with everybody else can explain. So the sources are learned once as strangers and once with each suspicious
//! group as a family, and what explains all answers best by a margin is kept; greedily, until no family is added. First for
//! all topics together, then for each by itself. That two sources write what they agree on in the same words more often
//! than their habits make likely ([`wording`](super::wording)) counts too.
//!
//! Invariant: pure and deterministic; without three sources nothing is suspected.

use std::collections::BTreeSet;

use super::learn::learn;
use super::question::{Candidate, Question, Topic, Vote, number};
use super::sources::{Kin, Prior, Skill, Sources};
use super::weigh;
use super::wording::Wordings;

/// Whose family each source is of, by topic.
pub(super) type Families = Vec<[Option<Kin>; 3]>;

/// Questions looked at; more change nothing.
const ENOUGH: usize = 4000;
/// Rounds of learning for each suspicion.
const ROUNDS: usize = 12;
/// How much better (in logarithms of likelihood) a family must explain the answers: in all, and for each question; less is
/// asked of those who say nearly always the same.
const MARGIN: f64 = 6.0;
const MARGIN_EACH: f64 = 0.1;
const MARGIN_OF_TWINS: f64 = 0.03;
const TWINS: f64 = 0.95;
/// Of two voices nobody can say which is right, and so not who of them is the copy, unless it copies their very words.
const LEAST_VOICES: usize = 3;
/// Whoever copies less than this is a source of its own.
const LEAST_SHARE: f64 = 0.2;
/// Answers to common questions before two sources are suspected.
const LEAST_COMMON: f64 = 20.0;
/// Suspicions followed up a round: by how they stand out, and by what learning cannot explain.
const SUSPECTS: usize = 4;
/// Agreement with a pair, against its own, that puts a third one beside it.
const NEARLY: f64 = 0.85;

/// Finds the families among these sources.
pub(super) fn families(questions: &[&Question], names: &[&str], prior: Prior) -> Families {
    let mut families = vec![[None; 3]; names.len()];
    if names.len() < 3 {
        return families;
    }
    let plain: Vec<Question> =
        questions.iter().filter(|question| !question.of_two).map(|question| plain(question)).collect();
    let questions: Vec<&Question> = plain.iter().collect();
    search(&thinned(&questions), names, prior, &Topic::ALL, &mut families);
    for topic in Topic::ALL {
        let of_topic: Vec<&Question> =
            questions.iter().filter(|question| question.topic == topic).copied().collect();
        search(&thinned(&of_topic), names, prior, &[topic], &mut families);
    }
    families
}

/// The question with its answers reduced to who agrees with whom: intervals that overlap somewhere are one answer.
fn plain(question: &Question) -> Question {
    let sets: Vec<u128> = question.candidates.iter().map(|candidate| candidate.supporters).collect();
    let is_largest = |set: &u128| !sets.iter().any(|other| other != set && set & other == *set);
    let mut largest: Vec<u128> = sets.iter().copied().filter(is_largest).collect();
    largest.sort_unstable();
    largest.dedup();
    let candidates =
        largest.iter().map(|supporters| Candidate { supporters: *supporters, breadth: 1.0 }).collect();
    let votes = question.votes.iter().map(|vote| Vote { breadth: vote.breadth.max(1.0), ..*vote }).collect();
    Question { votes, candidates, different: largest.len(), ..*question }
}

fn thinned<'q>(questions: &[&'q Question]) -> Vec<&'q Question> {
    questions.iter().step_by(questions.len().div_ceil(ENOUGH).max(1)).copied().collect()
}

/// Adds families that hold for these topics, as long as one explains the answers better.
fn search(sample: &[&Question], names: &[&str], prior: Prior, topics: &[Topic], families: &mut Families) {
    let Some(topic) = topics.first().copied() else { return };
    let wordings = Wordings::of(sample, names.len());
    let (mut sources, mut fit) = learn(sample, names, families, prior, ROUNDS);
    for _ in 1..names.len() {
        let mut best: Option<(f64, Families, Sources)> = None;
        for Suspicion { suspects, rate } in suspicions(sample, &sources, topic) {
            let each = if rate >= TWINS { MARGIN_OF_TWINS } else { MARGIN_EACH };
            let margin = MARGIN.max(each * number(sample.len()));
            let same_words = wordings.evidence(&suspects);
            let united = unite(families, &suspects, topics);
            let told_apart = voices(&united, topic) >= LEAST_VOICES;
            if !told_apart && same_words < margin {
                continue;
            }
            let (learned, explained) = learn(sample, names, &united, prior, ROUNDS);
            let better = explained + same_words;
            let is_plausible = suspects.iter().all(|seat| is_plausible(&learned, *seat, topics));
            if is_plausible && better > fit + margin && best.as_ref().is_none_or(|(most, ..)| better > *most)
            {
                best = Some((better, united, learned));
            }
        }
        let Some((better, united, learned)) = best else { return };
        (fit, *families, sources) = (better, united, learned);
    }
}

/// Whether answers that exclude each other each have two voices of their own.
pub(super) fn stand_two_against_two(question: &Question, families: &Families) -> bool {
    let has_two = |candidate: &&Candidate| {
        let votes = question.votes.iter().enumerate().filter(|(vote, _)| candidate.has(*vote));
        let voices = votes.map(|(_, vote)| vote.seat.map(|seat| family(families, question.topic, seat)));
        voices.collect::<BTreeSet<_>>().len() > 1
    };
    let doubled: Vec<&Candidate> = question.candidates.iter().filter(has_two).collect();
    doubled.iter().any(|one| doubled.iter().any(|other| one.supporters & other.supporters == 0))
}

/// A source's family; that of one without kin is itself.
fn family(families: &Families, topic: Topic, seat: usize) -> usize {
    families.get(seat).and_then(|kin| kin[topic.index()]).map_or(seat, |kin| kin.family)
}

/// Families, and sources without one.
fn voices(families: &Families, topic: Topic) -> usize {
    families.iter().filter(|kin| kin[topic.index()].is_none_or(|kin| kin.rank == 0)).count()
}

/// Whether a member of a family copies at all, and is right now and then where it does not.
fn is_plausible(sources: &Sources, seat: usize, topics: &[Topic]) -> bool {
    const LEAST_ACCURACY: f64 = 0.2;
    const SOME: f64 = 5.0;
    let Some(provider) = sources.providers.get(seat) else { return false };
    let hopeless = |skill: &Skill| skill.compared > SOME && skill.right < LEAST_ACCURACY * skill.compared;
    let copies = |kin: Kin| kin.rank == 0 || kin.share > LEAST_SHARE;
    topics.iter().all(|topic| {
        !hopeless(&provider.skills[topic.index()]) && provider.kin[topic.index()].is_none_or(copies)
    })
}

/// The same families with these sources in one.
fn unite(families: &Families, suspects: &[usize], topics: &[Topic]) -> Families {
    const USUAL_SHARE: f64 = 0.8;
    let mut united = families.clone();
    for topic in topics {
        let family = |seat: usize| family(families, *topic, seat);
        let gathered: Vec<usize> = suspects.iter().map(|seat| family(*seat)).collect();
        let kept = gathered.iter().copied().min().unwrap_or_default();
        let mut rank = 0;
        for (seat, kin) in united.iter_mut().enumerate() {
            if gathered.contains(&family(seat)) {
                kin[topic.index()] = Some(Kin { family: kept, rank, share: USUAL_SHARE });
                rank += 1;
            }
        }
    }
    united
}

/// Sources that may be one voice, and how often they agree.
struct Suspicion {
    suspects: Vec<usize>,
    rate: f64,
}

/// Sources, not yet of one family, that agree more than the rest makes likely: pairs, and with each pair all who agree with
/// both of them nearly as much.
fn suspicions(questions: &[&Question], sources: &Sources, topic: Topic) -> Vec<Suspicion> {
    let count = sources.providers.len();
    let pairs = pairs(questions, sources);
    let rate = |a: usize, b: usize| pairs[a.min(b) * count + a.max(b)].rate();
    let usual = |seat: usize, but: usize| {
        let others = (0..count).filter(|other| *other != seat && *other != but);
        let rates: Vec<f64> = others.filter_map(|other| rate(seat, other)).collect();
        if rates.is_empty() { 1.0 } else { rates.iter().sum::<f64>() / number(rates.len()) }
    };
    let mut ranked: Vec<(usize, usize, f64, f64)> = Vec::new();
    for a in 0..count {
        for b in a + 1..count {
            let kin = (sources.kin(topic, Some(a)), sources.kin(topic, Some(b)));
            let related = matches!(kin, (Some(a), Some(b)) if a.family == b.family);
            if let (false, Some(rate)) = (related, rate(a, b)) {
                let stands_out = rate / (usual(a, b) * usual(b, a)).sqrt();
                ranked.push((a, b, stands_out, pairs[a * count + b].excess()));
            }
        }
    }
    let mut chosen = Vec::new();
    for by in [|pair: &(usize, usize, f64, f64)| pair.2, |pair: &(usize, usize, f64, f64)| pair.3] {
        ranked.sort_by(|x, y| by(y).total_cmp(&by(x)).then((x.0, x.1).cmp(&(y.0, y.1))));
        for (a, b, ..) in ranked.iter().take(SUSPECTS) {
            let rate_of_pair = rate(*a, *b).unwrap_or_default();
            let nearly = rate_of_pair * NEARLY;
            let as_much = |with: usize, seat: usize| rate(with, seat).is_some_and(|rate| rate >= nearly);
            let near = |seat: &usize| seat == a || seat == b || (as_much(*a, *seat) && as_much(*b, *seat));
            chosen.push(Suspicion { suspects: vec![*a, *b], rate: rate_of_pair });
            chosen.push(Suspicion { suspects: (0..count).filter(near).collect(), rate: nearly });
        }
    }
    chosen.sort_by(|a, b| a.suspects.cmp(&b.suspects).then(b.rate.total_cmp(&a.rate)));
    chosen.dedup_by(|a, b| a.suspects == b.suspects);
    chosen
}

/// How two sources agree.
#[derive(Clone, Copy, Default)]
struct Pair {
    common: f64,
    agreed: f64,
    expected: f64,
}

/// Every pair, at `lower seat × count + higher seat`.
fn pairs(questions: &[&Question], sources: &Sources) -> Vec<Pair> {
    let count = sources.providers.len();
    let mut pairs = vec![Pair::default(); count * count];
    for question in questions {
        let terms = weigh::terms(sources, question);
        for (one, vote) in question.votes.iter().enumerate() {
            for (other, earlier) in question.votes.iter().enumerate().take(one) {
                let (Some(a), Some(b)) = (vote.seat, earlier.seat) else { continue };
                if a == b {
                    continue;
                }
                let pair = &mut pairs[a.min(b) * count + a.max(b)];
                let (a, b) = (&terms[one], &terms[other]);
                let by_chance = (1.0 - a.accuracy) * (1.0 - b.accuracy) * a.coincidence.max(b.coincidence);
                pair.common += 1.0;
                pair.agreed += f64::from(u8::from(question.agree(one, other)));
                pair.expected += a.accuracy.mul_add(b.accuracy, by_chance);
            }
        }
    }
    pairs
}

impl Pair {
    fn rate(&self) -> Option<f64> {
        (self.common >= LEAST_COMMON).then(|| (self.agreed + 1.0) / (self.common + 2.0))
    }

    /// In standard deviations.
    fn excess(&self) -> f64 {
        let share = self.expected / self.common.max(1.0);
        (self.agreed - self.expected) / (self.common * share * (1.0 - share)).sqrt().max(1.0)
    }
}
