//! How well a merge does: each record held against the truth, beside the vote of the majority and each source by itself.
//!
//! Invariant: a field counts where somebody told it.

use gleaner::enrich::merge::{Learner, Merged, Voices, merge_voices};
use gleaner_providers::{Confidence, PersonName, SocialProfile};

use super::sample::{Sample, Subject};

/// How well a merge did, all fields together.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Score {
    /// The share of fields that are right: merged, by the vote of the majority.
    pub(crate) merged: f64,
    pub(crate) majority: f64,
    /// The same of the fields that the merge gives: it withholds what only those tell who speak of somebody else.
    pub(crate) of_given: f64,
    pub(crate) majority_of_given: f64,
    /// The share of all fields that are right where only one source is heard, of that which does best.
    pub(crate) alone: f64,
    /// Of the fields that the best single source told: what share of them it had right, and the merge.
    pub(crate) best_source: f64,
    pub(crate) merged_there: f64,
    /// Expected calibration error, in ten bins.
    pub(crate) calibration: f64,
    /// Subjects whose record holds something of two people.
    pub(crate) mixed: usize,
}

/// Learns from the sample, merges it, and holds the records against the truth.
pub(crate) fn score(sample: &Sample) -> Score {
    let voices: Vec<Voices<'_>> = sample.subjects.iter().map(|subject| sample.voices(subject)).collect();
    let mut learner = Learner::new(sample.names.iter().map(String::as_str), sample.trust);
    for voices in &voices {
        learner.hear(voices);
    }
    let sources = learner.learn();
    let mut book = Book { sources: vec![(0.0, 0.0, 0.0); sample.names.len()], ..Book::default() };
    for (subject, voices) in sample.subjects.iter().zip(&voices) {
        let merged = merge_voices(voices, &sources);
        book.enter(subject, &merged);
    }
    book.score()
}

#[derive(Debug, Default)]
struct Book {
    asked: f64,
    merged: f64,
    majority: f64,
    majority_of_given: f64,
    /// By source: fields told, right, and right when merged.
    sources: Vec<(f64, f64, f64)>,
    /// By bin: fields, their confidence, right ones.
    bins: [(f64, f64, f64); 10],
    mixed: usize,
}

impl Book {
    fn enter(&mut self, subject: &Subject, merged: &Merged) {
        let told = &subject.statements;
        let named: Vec<_> =
            told.iter().filter_map(|one| Some((one.source, &one.name.as_ref()?.value))).collect();
        let is_name = |name: &PersonName| name.agrees_with(&subject.person.name);
        let name = merged.name.as_ref().map(|name| (is_name(&name.value), name.confidence));
        self.question(&named, PersonName::agrees_with, is_name, name);

        if let Some(truth) = subject.person.birth {
            let born: Vec<_> =
                told.iter().filter_map(|one| Some((one.source, &one.birth.as_ref()?.value))).collect();
            let birth = merged.birth.as_ref().map(|birth| (birth.value.contains(truth), birth.confidence));
            self.question(&born, |a, b| a.intersect(b).is_some(), |birth| birth.contains(truth), birth);
        }
        let is_known = |profile: &SocialProfile| subject.person.keys.iter().any(|key| key == profile.key());
        let profiles =
            || told.iter().flat_map(|one| one.profiles.iter().map(move |told| (one.source, &told.value)));
        let mut networks: Vec<&str> = profiles().map(|(_, profile)| profile.network()).collect();
        networks.sort_unstable();
        networks.dedup();
        for network in networks {
            let claims: Vec<_> = profiles().filter(|(_, profile)| profile.network() == network).collect();
            let best = merged.profiles.iter().filter(|shown| shown.value.network() == network);
            let best = best.max_by(|a, b| a.confidence.get().total_cmp(&b.confidence.get()));
            let best = best.map(|shown| (is_known(&shown.value), shown.confidence));
            self.question(&claims, |a, b| a.key() == b.key(), is_known, best);
        }
        self.mixed += usize::from(subject.is_mixed(merged));
    }

    /// One field: what the sources said, and what was made of it.
    fn question<T>(
        &mut self,
        claims: &[(usize, &T)],
        agree: impl Fn(&T, &T) -> bool,
        is_right: impl Fn(&T) -> bool,
        merged: Option<(bool, Confidence)>,
    ) {
        if claims.is_empty() {
            return;
        }
        let right = merged.is_some_and(|(right, _)| right);
        self.asked += 1.0;
        self.merged += number(right);
        let votes = |value: &T| claims.iter().filter(|(_, other)| agree(value, other)).count();
        let most = claims.iter().map(|(_, value)| votes(value)).max().unwrap_or_default();
        let winners: Vec<_> = claims.iter().filter(|(_, value)| votes(value) == most).collect();
        let won = winners.iter().filter(|(_, value)| is_right(value)).count();
        let share = count(won) / count(winners.len());
        self.majority += share;
        self.majority_of_given += if merged.is_some() { share } else { 0.0 };
        for (source, value) in claims {
            let (told, own, ours) = &mut self.sources[*source];
            *told += 1.0;
            *own += number(is_right(value));
            *ours += number(right);
        }
        if let Some((right, confidence)) = merged {
            let (fields, sum, rights) =
                &mut self.bins[(0..9).filter(|bin| confidence.get() >= count(bin + 1) / 10.0).count()];
            *fields += 1.0;
            *sum += confidence.get();
            *rights += number(right);
        }
    }

    fn score(&self) -> Score {
        let rate = |(told, own, _): &&(f64, f64, f64)| own / told.max(1.0);
        let best =
            self.sources.iter().max_by(|a, b| rate(a).total_cmp(&rate(b))).copied().unwrap_or_default();
        let given: f64 = self.bins.iter().map(|(count, ..)| count).sum();
        let off: f64 = self.bins.iter().map(|(_, sum, rights)| (sum - rights).abs()).sum();
        Score {
            merged: self.merged / self.asked,
            majority: self.majority / self.asked,
            of_given: self.merged / given,
            majority_of_given: self.majority_of_given / given,
            alone: self.sources.iter().map(|(_, own, _)| own / self.asked).fold(0.0, f64::max),
            best_source: best.1 / best.0,
            merged_there: best.2 / best.0,
            calibration: off / given,
            mixed: self.mixed,
        }
    }
}

fn count(things: usize) -> f64 {
    f64::from(u32::try_from(things).unwrap())
}

fn number(is: bool) -> f64 {
    f64::from(u8::from(is))
}
