//! Whether sources that agree also use the same words. Independent sources write one name now as `J. Doe` and now as `Jane
//! Doe`, each by its own habits; a copy writes what its original wrote.
//!
//! Invariant: sources that always write in one way are never suspected for it, and neither are all sources together.

use super::question::{Question, Topic};

/// Pairs of sources, at `lower seat × count + higher seat`.
pub(super) struct Wordings {
    pairs: Vec<Pair>,
    count: usize,
}

/// Answers of two sources that agree.
#[derive(Clone, Copy, Default)]
struct Pair {
    agreed: f64,
    same_words: f64,
    /// How many would be in the same words if each kept to its habits.
    expected: f64,
}

/// How often each source writes in each form, by topic.
type Habits = [[f64; FORMS]; 3];
/// Forms that are told apart.
pub(super) const FORMS: usize = 32;

impl Wordings {
    pub(super) fn of(questions: &[&Question], count: usize) -> Self {
        let habits = habits(questions, count);
        let mut pairs = vec![Pair::default(); count * count];
        for question in questions.iter().filter(|question| question.topic != Topic::Account) {
            for (one, vote) in question.votes.iter().enumerate() {
                for (other, earlier) in question.votes.iter().enumerate().take(one) {
                    let (Some(a), Some(b)) = (vote.seat, earlier.seat) else { continue };
                    if a == b || !question.agree(one, other) {
                        continue;
                    }
                    let topic = question.topic.index();
                    let alike: f64 = habits[a][topic].iter().zip(habits[b][topic]).map(|(a, b)| a * b).sum();
                    let pair = &mut pairs[a.min(b) * count + a.max(b)];
                    pair.agreed += 1.0;
                    pair.same_words += f64::from(u8::from(vote.wording == earlier.wording));
                    pair.expected += alike;
                }
            }
        }
        Self { pairs, count }
    }

    /// How much likelier (as a logarithm) the same words are if these sources copy than if each writes by itself. The
    /// least convincing pair counts.
    pub(super) fn evidence(&self, suspects: &[usize]) -> f64 {
        let pairs =
            suspects.iter().flat_map(|a| suspects.iter().filter(move |b| a < b).map(move |b| (*a, *b)));
        let least = pairs.map(|(a, b)| self.evidence_of(a, b)).fold(f64::INFINITY, f64::min);
        if least.is_finite() { least * (super::question::number(suspects.len()) - 1.0) } else { 0.0 }
    }

    fn evidence_of(&self, a: usize, b: usize) -> f64 {
        const ENOUGH: f64 = 20.0;
        let pair = self.pairs[a * self.count + b];
        if pair.agreed < ENOUGH {
            return 0.0;
        }
        // Some people's names are always written in one way: what all pairs have in common says nothing.
        let (same, expected) = self.others(a, b);
        let usual = if expected > 0.0 { (same / expected).max(1.0) } else { 1.0 };
        let expected = (usual * pair.expected / pair.agreed).clamp(0.01, 0.99);
        let found = (pair.same_words / pair.agreed).min(0.999);
        if found <= expected {
            return 0.0;
        }
        let other = pair.agreed - pair.same_words;
        pair.same_words * (found / expected).ln() + other * ((1.0 - found) / (1.0 - expected)).ln()
    }

    /// The same words and the expected ones of pairs with a source outside.
    fn others(&self, a: usize, b: usize) -> (f64, f64) {
        let mut sums = (0.0, 0.0);
        for x in 0..self.count {
            for y in x + 1..self.count {
                if (x, y) != (a, b) {
                    let pair = self.pairs[x * self.count + y];
                    sums = (sums.0 + pair.same_words, sums.1 + pair.expected);
                }
            }
        }
        sums
    }
}

fn habits(questions: &[&Question], count: usize) -> Vec<Habits> {
    let mut habits = vec![[[0.0; FORMS]; 3]; count];
    for question in questions {
        for vote in &question.votes {
            if let Some(seat) = vote.seat {
                habits[seat][question.topic.index()][usize::from(vote.form) % FORMS] += 1.0;
            }
        }
    }
    for forms in habits.iter_mut().flatten() {
        let sum: f64 = forms.iter().sum();
        for form in forms.iter_mut() {
            *form /= sum.max(1.0);
        }
    }
    habits
}
