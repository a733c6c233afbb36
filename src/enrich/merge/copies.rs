//! Who copies from whom: two vendors that resell one data set make the same mistakes, and are one voice.
//!
//! Two accurate sources agree often too. What tells them apart is how a third one sees them (Dong, Berti-Équille,
//! Srivastava 2009: shared false values are the evidence): whoever copies agrees more with its original than their
//! agreement with everybody else can explain. So the sources are learned once as strangers and once with each suspicious
//! pair as a family, and what explains all answers best by a margin is kept; greedily, until no family is added.
//!
//! Invariant: pure and deterministic; without four sources nothing is suspected.

use super::learn::learn;
use super::question::{Question, number};
use super::sources::{Kin, Prior, Skill, Sources};
use super::weigh;

/// Questions looked at; more change nothing.
const ENOUGH: usize = 6000;
/// Rounds of learning for each suspicion.
const ROUNDS: usize = 12;
/// How much better (in logarithms of likelihood) a family must explain the answers: in all, and for each question; less is
/// asked of those who say nearly always the same.
const MARGIN: f64 = 6.0;
const MARGIN_EACH: f64 = 0.1;
const MARGIN_OF_TWINS: f64 = 0.03;
const TWINS: f64 = 0.95;
/// Of two voices nobody can say which is right, and so not who of them is the copy.
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
pub(super) fn families(questions: &[&Question], names: &[&str], prior: Prior) -> Vec<Option<Kin>> {
    let mut kin: Vec<Option<Kin>> = vec![None; names.len()];
    let stride = questions.len().div_ceil(ENOUGH).max(1);
    let sample: Vec<&Question> = questions.iter().step_by(stride).copied().collect();
    let (mut sources, mut fit) = learn(&sample, names, &kin, prior, ROUNDS);
    if names.len() <= LEAST_VOICES {
        return kin;
    }
    for _ in 1..names.len() {
        let mut best: Option<(f64, Vec<Option<Kin>>, Sources)> = None;
        for Suspicion { suspects, rate } in suspicions(&sample, &sources) {
            let each = if rate >= TWINS { MARGIN_OF_TWINS } else { MARGIN_EACH };
            let margin = MARGIN.max(each * number(sample.len()));
            let united = unite(&kin, &suspects);
            if voices(&united) < LEAST_VOICES {
                continue;
            }
            let (learned, better) = learn(&sample, names, &united, prior, ROUNDS);
            if suspects.iter().all(|seat| is_plausible(&learned, *seat))
                && better > fit + margin
                && best.as_ref().is_none_or(|(most, ..)| better > *most)
            {
                best = Some((better, united, learned));
            }
        }
        let Some((better, united, learned)) = best else { break };
        (fit, kin, sources) = (better, united, learned);
    }
    kin
}

/// Families, and sources without one.
fn voices(kin: &[Option<Kin>]) -> usize {
    kin.iter().filter(|kin| kin.is_none_or(|kin| kin.rank == 0)).count()
}

/// Whether a member of a family copies at all, and is right now and then where it does not.
fn is_plausible(sources: &Sources, seat: usize) -> bool {
    const LEAST_ACCURACY: f64 = 0.2;
    const SOME: f64 = 5.0;
    let copies = sources.kin(Some(seat)).is_none_or(|kin| kin.rank == 0 || kin.share > LEAST_SHARE);
    let skills = sources.providers.get(seat).map(|provider| &provider.skills);
    let hopeless = |skill: &Skill| skill.compared > SOME && skill.right < LEAST_ACCURACY * skill.compared;
    copies && !skills.is_some_and(|skills| skills.iter().any(hopeless))
}

/// The same families with these sources in one.
fn unite(kin: &[Option<Kin>], suspects: &[usize]) -> Vec<Option<Kin>> {
    const USUAL_SHARE: f64 = 0.8;
    let family = |seat: usize| kin.get(seat).copied().flatten().map_or(seat, |kin| kin.family);
    let families: Vec<usize> = suspects.iter().map(|seat| family(*seat)).collect();
    let kept = families.iter().copied().min().unwrap_or_default();
    let mut united = kin.to_vec();
    let mut rank = 0;
    for (seat, slot) in united.iter_mut().enumerate() {
        if families.contains(&family(seat)) {
            *slot = Some(Kin { family: kept, rank, share: USUAL_SHARE });
            rank += 1;
        }
    }
    united
}

/// Sources, not yet of one family, that agree more than the rest makes likely: pairs, and with each pair all who agree with
/// both of them nearly as much.
fn suspicions(questions: &[&Question], sources: &Sources) -> Vec<Suspicion> {
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
    let rate = |a: usize, b: usize| pairs[a.min(b) * count + a.max(b)].rate();
    let usual = |seat: usize, but: usize| {
        let rates: Vec<f64> = (0..count)
            .filter(|other| *other != seat && *other != but)
            .filter_map(|other| rate(seat, other))
            .collect();
        if rates.is_empty() { 1.0 } else { rates.iter().sum::<f64>() / number(rates.len()) }
    };
    let mut ranked: Vec<(usize, usize, f64, f64)> = Vec::new();
    for a in 0..count {
        for b in a + 1..count {
            let related = matches!((sources.kin(Some(a)), sources.kin(Some(b))), (Some(a), Some(b)) if a.family == b.family);
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

/// Sources that may be one voice, and how often they agree.
struct Suspicion {
    suspects: Vec<usize>,
    rate: f64,
}

/// How two sources agree.
#[derive(Clone, Copy, Default)]
struct Pair {
    common: f64,
    agreed: f64,
    expected: f64,
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
