//! What asking one provider about one kind of address tends to bring.
//!
//! An answer is one of nine: no match, or a match with one of the eight sets of fields told surely enough. Their probabilities
//! have a Dirichlet prior from published rates (as many pseudo-answers as the table trusts them), and every answer adds one. So
//! it is usable on the first day, and the ledger outweighs the vendors soon.
//!
//! Invariant: pure; probabilities are positive and sum to one.

use std::time::Duration;

use gleaner_providers::Field;
use gleaner_providers::provider::Price;

use crate::jitter;
use crate::record::Fields;

/// No match, and each set of fields.
pub const OUTCOMES: usize = 1 + Fields::SETS;

/// Answers counted by what they brought.
#[derive(Clone, Debug, PartialEq)]
pub struct Worth {
    weights: [f64; OUTCOMES],
    /// Answers that were really seen.
    seen: u64,
    /// What they cost.
    cost_micros: u64,
    /// How long they took together, in seconds.
    seconds: f64,
    agreement: Agreement,
}

/// How often what it told was what others told.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Agreement {
    pub agreed: u64,
    pub contradicted: u64,
}

impl Agreement {
    /// The chance that a field stays filled with what it told: one that the others contradict has to be asked for again.
    /// Before anything is known, 19 of 20, as if 20 had been compared.
    #[expect(clippy::cast_precision_loss, reason = "a count of fields")]
    pub fn holds(self) -> f64 {
        const BEFORE: (f64, f64) = (19.0, 20.0);
        (self.agreed as f64 + BEFORE.0) / ((self.agreed + self.contradicted) as f64 + BEFORE.1)
    }
}

impl Worth {
    /// From rates: how often it matches, and how often a match fills each field; trusted like so many answers.
    pub fn prior(match_rate: f64, fills: [f64; 3], answers: f64) -> Self {
        let mut weights = [0.0; OUTCOMES];
        weights[0] = (1.0 - match_rate) * answers;
        for (bits, weight) in (0_u8..).zip(&mut weights[1..]) {
            let set = Fields::from_bits(bits);
            let chance = |(field, fill): (Field, f64)| if set.contains(field) { fill } else { 1.0 - fill };
            *weight = Field::ALL.into_iter().zip(fills).map(chance).product::<f64>() * match_rate * answers;
        }
        Self { weights, seen: 0, cost_micros: 0, seconds: 0.0, agreement: Agreement::default() }
    }

    /// So many answers of one kind were seen.
    pub fn learn(&mut self, brought: Option<Fields>, answers: u64, cost_micros: u64) {
        #[expect(clippy::cast_precision_loss, reason = "a count of answers")]
        let weight = answers as f64;
        self.weights[index(brought)] += weight;
        self.seen += answers;
        self.cost_micros += cost_micros;
    }

    /// So many answers were "no match with any of these fields": whoever knew the person but none of them counts there too. They are
    /// shared out among the answers that look the same, by what else is known (one step of expectation maximization).
    pub fn learn_missed(&mut self, demanded: Fields, answers: u64) {
        let looks_so = |brought: Option<Fields>| brought.is_none_or(|set| set.and(demanded).is_empty());
        let alike: f64 =
            self.outcomes().iter().filter(|(brought, _)| looks_so(*brought)).map(|(_, chance)| chance).sum();
        let shares = self.outcomes();
        #[expect(clippy::cast_precision_loss, reason = "a count of answers")]
        let count = answers as f64;
        for (weight, (brought, chance)) in self.weights.iter_mut().zip(shares) {
            if looks_so(brought) {
                *weight += count * chance / alike;
            }
        }
        self.seen += answers;
    }

    /// How long answers took, and how often others told the same.
    pub fn observe(&mut self, took: Duration, agreement: Agreement) {
        self.seconds += took.as_secs_f64();
        self.agreement.agreed += agreement.agreed;
        self.agreement.contradicted += agreement.contradicted;
    }

    pub const fn agreement(&self) -> Agreement {
        self.agreement
    }

    /// How long an answer takes on average; nothing is known of the first.
    pub fn mean_seconds(&self) -> f64 {
        #[expect(clippy::cast_precision_loss, reason = "a count of answers")]
        let seen = self.seen.max(1) as f64;
        self.seconds / seen
    }

    /// Every answer with its probability, as far as it lasts: a field that others contradict is as good as not told.
    pub fn lasting(&self) -> [(Option<Fields>, f64); OUTCOMES] {
        let holds = self.agreement.holds() / Agreement::default().holds();
        let mut lasting = self.outcomes().map(|(brought, chance)| match brought {
            Some(set) if !set.is_empty() => (brought, chance * holds.min(1.0)),
            _ => (brought, chance),
        });
        let lost = 1.0 - lasting.iter().map(|(_, chance)| chance).sum::<f64>();
        lasting[index(Some(Fields::NONE))].1 += lost.max(0.0);
        lasting
    }

    pub const fn seen(&self) -> u64 {
        self.seen
    }

    pub const fn cost_micros(&self) -> u64 {
        self.cost_micros
    }

    /// Every answer with its probability.
    pub fn outcomes(&self) -> [(Option<Fields>, f64); OUTCOMES] {
        let sum: f64 = self.weights.iter().sum();
        std::array::from_fn(|at| (brought(at), self.weights[at] / sum))
    }

    pub fn match_rate(&self) -> f64 {
        1.0 - self.outcomes()[0].1
    }

    /// How often an answer fills the field, matches and misses together.
    pub fn fill_rate(&self, field: Field) -> f64 {
        let fills = |&(brought, _): &(Option<Fields>, f64)| brought.is_some_and(|set| set.contains(field));
        self.outcomes().iter().filter(|outcome| fills(outcome)).map(|(_, chance)| chance).sum()
    }

    /// What asking costs on average, in millionths, while these fields are missing.
    pub fn expected_micros(&self, price: Price, missing: Fields) -> f64 {
        let billed =
            |(brought, chance): (Option<Fields>, f64)| chance * micros(billed(price, brought, missing));
        self.outcomes().into_iter().map(billed).sum()
    }

    /// How many of these fields asking fills on average.
    pub fn expected_fields(&self, missing: Fields) -> f64 {
        let new = |(brought, chance): (Option<Fields>, f64)| {
            chance * f64::from(brought.unwrap_or_default().and(missing).len())
        };
        self.lasting().into_iter().map(new).sum()
    }

    /// Another worth that the same answers allow, drawn from the posterior; the same for the same seed.
    #[must_use]
    pub fn draw(&self, seed: u64) -> Self {
        let mut draws = Draws(seed);
        Self { weights: self.weights.map(|weight| draws.gamma(weight).max(1e-12)), ..self.clone() }
    }
}

/// What an answer costs that has these fields, while those are missing.
pub fn billed(price: Price, brought: Option<Fields>, missing: Fields) -> u64 {
    let is_match = brought.is_some_and(|set| !price.only_wanted || !set.and(missing).is_empty());
    if is_match { price.per_match.0 } else { price.per_miss.0 }
}

fn index(brought: Option<Fields>) -> usize {
    brought.map_or(0, |set| 1 + usize::from(set.bits()))
}

fn brought(index: usize) -> Option<Fields> {
    index.checked_sub(1).map(|bits| Fields::from_bits(u8::try_from(bits).unwrap_or(0)))
}

/// An amount as a number to reckon expectations with.
#[expect(clippy::cast_precision_loss, reason = "an expectation is no amount")]
pub(super) const fn micros(amount: u64) -> f64 {
    amount as f64
}

/// Numbers that look random, one after the other.
struct Draws(u64);

impl Draws {
    fn part(&mut self) -> f64 {
        self.0 = self.0.wrapping_add(jitter::GOLDEN);
        jitter::part(self.0).max(f64::MIN_POSITIVE)
    }

    /// Gamma with this shape and scale one (Marsaglia and Tsang, 2000).
    fn gamma(&mut self, shape: f64) -> f64 {
        if shape < 1.0 {
            let boost = self.part().powf(1.0 / shape.max(1e-9));
            return self.gamma(shape + 1.0) * boost;
        }
        let d = shape - 1.0 / 3.0;
        let c = 1.0 / (9.0 * d).sqrt();
        loop {
            // Box and Muller.
            let normal = (-2.0 * self.part().ln()).sqrt() * (std::f64::consts::TAU * self.part()).cos();
            let v = (1.0 + c * normal).powi(3);
            if v > 0.0 && self.part().ln() < 0.5 * normal * normal + d - d * v + d * v.ln() {
                return d * v;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use gleaner_providers::provider::Micros;
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn answers_outweigh_what_was_published() {
        let mut worth = Worth::prior(0.5, [0.8, 0.2, 0.0], 20.0);
        assert!((worth.match_rate() - 0.5).abs() < 1e-9);
        assert!((worth.fill_rate(Field::Name) - 0.4).abs() < 1e-9);
        assert!((worth.fill_rate(Field::Age) - 0.1).abs() < 1e-9);
        worth.learn(None, 1980, 0);
        assert!(worth.match_rate() < 0.01);
        assert_eq!(worth.seen(), 1980);
    }

    #[test]
    fn the_price_of_a_miss_counts() {
        let worth = Worth::prior(0.25, [1.0; 3], 1.0);
        let price = Price { per_match: Micros(400), per_miss: Micros(100), only_wanted: false };
        let all = Fields::from_bits(0b111);
        assert!((worth.expected_micros(price, all) - 175.0).abs() < 1e-9);
        let ages = Worth::prior(0.5, [1.0, 0.2, 1.0], 1.0);
        let age = Fields::of(&[Field::Age]);
        assert!((ages.expected_micros(price.only_wanted(), age) - 130.0).abs() < 1e-9);
        assert!((ages.expected_micros(price.only_wanted(), all) - 250.0).abs() < 1e-9);
    }

    /// What was not told is no proof that the person is unknown.
    #[test]
    fn a_miss_of_a_demanded_field_is_shared_out() {
        let mut worth = Worth::prior(0.8, [1.0, 0.5, 0.0], 10.0);
        worth.learn_missed(Fields::of(&[Field::Age]), 60);
        // Before: 2 no match, 4 a name alone, 4 name and age. The 60 go to the first two, one to two.
        let chance = |brought| worth.outcomes().into_iter().find(|one| one.0 == brought).unwrap().1;
        assert!((chance(None) - 22.0 / 70.0).abs() < 1e-9);
        assert!((chance(Some(Fields::of(&[Field::Name]))) - 44.0 / 70.0).abs() < 1e-9);
        assert_eq!(worth.seen(), 60);
    }

    #[test]
    fn draws_scatter_around_what_they_are_drawn_from() {
        let mut worth = Worth::prior(0.3, [0.9, 0.4, 0.6], 10.0);
        worth.learn(Some(Fields::from_bits(0b101)), 30, 0);
        let draws: Vec<f64> = (0..400).map(|seed| worth.draw(seed * 7919).match_rate()).collect();
        let mean = draws.iter().sum::<f64>() / 400.0;
        // Beta(33, 7): mean 0.825, deviation 0.059; the mean of 400 draws lies within five of its own.
        assert!((mean - 0.825).abs() < 5.0 * 0.059 / 20.0, "{mean}");
        let far = draws.iter().filter(|rate| (**rate - 0.825).abs() > 0.118).count();
        assert!((4..40).contains(&far), "one in twenty lies beyond two deviations: {far}");
    }

    #[test]
    fn a_field_that_others_contradict_does_not_last() {
        let mut worth = Worth::prior(0.8, [1.0, 0.5, 0.5], 20.0);
        assert_eq!(worth.lasting(), worth.outcomes(), "nothing is held against it");
        worth.observe(Duration::ZERO, Agreement { agreed: 90, contradicted: 0 });
        assert_eq!(worth.lasting(), worth.outcomes(), "agreeing more than others is no reason to fill more");
        worth.observe(Duration::ZERO, Agreement { agreed: 0, contradicted: 90 });
        // 109 of 200 hold, where 19 of 20 do by default.
        let holds = (109.0 / 200.0) / 0.95;
        let all = Fields::from_bits(0b111);
        assert!((worth.expected_fields(all) - 0.8 * 2.0 * holds).abs() < 1e-9);
        assert!((worth.lasting().iter().map(|(_, chance)| chance).sum::<f64>() - 1.0).abs() < 1e-9);
        assert_eq!(worth.lasting()[0], worth.outcomes()[0], "a no match is one all the same");
    }

    proptest! {
        #[test]
        fn probabilities_sum_to_one(rate in 0.0..1.0_f64, fills in prop::array::uniform3(0.0..1.0_f64), answers in prop::collection::vec((0_u8..9, 1_u64..50), 0..9)) {
            let mut worth = Worth::prior(rate, fills, 12.0);
            for (outcome, count) in answers {
                worth.learn(brought(outcome.into()), count, 0);
            }
            let sum: f64 = worth.outcomes().iter().map(|(_, chance)| chance).sum();
            prop_assert!((sum - 1.0).abs() < 1e-9);
            prop_assert!(worth.outcomes().iter().all(|(_, chance)| *chance >= 0.0));
        }
    }
}
