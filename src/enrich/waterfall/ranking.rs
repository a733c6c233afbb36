//! The order of providers that cost money: who is asked next, for every set of missing fields and of providers still unasked.
//!
//! The next question is the one after which the whole rest is expected to cost least: a small dynamic program over (missing
//! fields, providers left), because the best first question depends on what would have to be asked afterwards. All orders fill
//! the same fields in the end, as every order goes on until nothing is missing or nobody is left; they differ in what that costs.
//! Beyond `EXACT` providers the one with the most expected new fields per cent comes first.
//!
//! Invariant: pure. Answers are taken to be independent of each other.

use gleaner_providers::provider::Price;

use super::worth::Worth;
use crate::record::Fields;

/// So many providers are ordered exactly: a thousand sets of them.
const EXACT: usize = 10;

/// What a second of waiting is worth, in millionths: enough to decide between equals.
const SECOND: f64 = 1.0;

/// One provider to rank.
#[derive(Clone, Debug)]
pub struct Ranked {
    pub name: String,
    pub supplies: Fields,
    pub price: Price,
    pub worth: Worth,
}

/// Whom to ask first, for every situation.
#[derive(Clone, Debug)]
pub struct Ranking {
    ranked: Vec<Ranked>,
    /// For each set of providers and of missing fields, whom to ask.
    choices: Vec<Option<u8>>,
}

impl Ranking {
    pub fn of(ranked: Vec<Ranked>) -> Self {
        let choices = if ranked.len() <= EXACT { choices(&ranked) } else { Vec::new() };
        Self { ranked, choices }
    }

    /// Whom to ask of these, when these fields are missing; `None` when none of them supplies any.
    pub fn choose(&self, missing: Fields, open: &[&str]) -> Option<&str> {
        let is_open = |ranked: &Ranked| open.contains(&ranked.name.as_str());
        let place = if self.choices.is_empty() {
            self.greedy(missing, is_open)?
        } else {
            let bit = |(at, ranked): (usize, &Ranked)| usize::from(is_open(ranked)) << at;
            let set: usize = self.ranked.iter().enumerate().map(bit).sum();
            usize::from((*self.choices.get(set * Fields::SETS + usize::from(missing.bits()))?)?)
        };
        self.ranked.get(place).map(|ranked| ranked.name.as_str())
    }

    pub fn ranked(&self) -> &[Ranked] {
        &self.ranked
    }

    fn greedy(&self, missing: Fields, is_open: impl Fn(&Ranked) -> bool) -> Option<usize> {
        let per_cent = |ranked: &Ranked| {
            let cost = ranked.worth.expected_micros(ranked.price, missing).max(1e-9);
            ranked.worth.expected_fields(missing.and(ranked.supplies)) / cost
        };
        let useful =
            |(_, ranked): &(usize, &Ranked)| is_open(ranked) && !ranked.supplies.and(missing).is_empty();
        // `rev`, because `max_by` keeps the last of equals, and the configured order decides between them.
        let best = self.ranked.iter().enumerate().rev().filter(useful);
        best.max_by(|a, b| per_cent(a.1).total_cmp(&per_cent(b.1))).map(|(place, _)| place)
    }
}

/// From the smallest sets up, each from the smaller ones.
fn choices(ranked: &[Ranked]) -> Vec<Option<u8>> {
    let size = (1 << ranked.len()) * Fields::SETS;
    let mut rest = vec![0.0_f64; size];
    let mut choices = vec![None; size];
    let known: Vec<_> = ranked.iter().map(|one| one.worth.lasting()).collect();
    let cost = |one: &Ranked, bits: usize| {
        let price = one.worth.expected_micros(one.price, Fields::from_bits(u8::try_from(bits).unwrap_or(0)));
        price + SECOND * one.worth.mean_seconds()
    };
    let costs: Vec<[f64; Fields::SETS]> =
        ranked.iter().map(|one| std::array::from_fn(|bits| cost(one, bits))).collect();
    for set in 1..1 << ranked.len() {
        for bits in 1..u8::try_from(Fields::SETS).unwrap_or(u8::MAX) {
            let missing = Fields::from_bits(bits);
            let mut best: Option<(f64, u8)> = None;
            for (place, one) in (0_u8..).zip(ranked) {
                if set & (1 << place) == 0 || one.supplies.and(missing).is_empty() {
                    continue;
                }
                let outcomes = &known[usize::from(place)];
                let others = (set & !(1 << place)) * Fields::SETS;
                let after = |(brought, chance): &(Option<Fields>, f64)| {
                    let left = missing.without(brought.unwrap_or_default());
                    chance * rest[others + usize::from(left.bits())]
                };
                let sum =
                    costs[usize::from(place)][usize::from(bits)] + outcomes.iter().map(after).sum::<f64>();
                if best.is_none_or(|(least, _)| sum < least) {
                    best = Some((sum, place));
                }
            }
            if let Some((least, place)) = best {
                let here = set * Fields::SETS + usize::from(bits);
                rest[here] = least;
                choices[here] = Some(place);
            }
        }
    }
    choices
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use gleaner_providers::Field;
    use gleaner_providers::provider::Micros;
    use proptest::prelude::*;

    use super::super::worth::Agreement;
    use super::*;

    fn ranked(name: &str, per_match: u64, per_miss: u64, rate: f64, fills: [f64; 3]) -> Ranked {
        let price = Price { per_match: Micros(per_match), per_miss: Micros(per_miss), only_wanted: false };
        let worth = Worth::prior(rate, fills, 1.0);
        Ranked { name: name.to_owned(), supplies: Fields::of(&Field::ALL), price, worth }
    }

    #[test]
    fn of_equals_the_cheaper_comes_first_and_a_paid_miss_counts() {
        let name = Fields::of(&[Field::Name]);
        let ranking = Ranking::of(vec![
            ranked("dear", 300, 0, 0.6, [1.0, 0.0, 0.0]),
            ranked("cheap", 10, 0, 0.6, [1.0, 0.0, 0.0]),
            ranked("bills_misses", 10, 10, 0.1, [1.0, 0.0, 0.0]),
        ]);
        assert_eq!(ranking.choose(name, &["dear", "cheap", "bills_misses"]), Some("cheap"));
        assert_eq!(ranking.choose(name, &["dear", "bills_misses"]), Some("bills_misses"));
        assert_eq!(ranking.choose(name, &["dear"]), Some("dear"));
        assert_eq!(ranking.choose(name, &[]), None);
        assert_eq!(ranking.choose(Fields::NONE, &["dear"]), None);
    }

    /// Who has to be asked in any case makes the cheap one that tells less unnecessary.
    #[test]
    fn the_first_question_depends_on_what_has_to_be_asked_afterwards() {
        let ranking = Ranking::of(vec![
            ranked("name_only", 50, 0, 0.9, [1.0, 0.0, 0.0]),
            ranked("everything", 200, 0, 0.9, [1.0, 1.0, 1.0]),
        ]);
        let both = ["name_only", "everything"];
        assert_eq!(ranking.choose(Fields::of(&[Field::Name]), &both), Some("name_only"));
        assert_eq!(ranking.choose(Fields::of(&[Field::Name, Field::Age]), &both), Some("everything"));
    }

    /// What others contradict has to be asked for again.
    #[test]
    fn of_equals_the_one_that_is_contradicted_comes_later_and_the_slow_one_too() {
        let name = Fields::of(&[Field::Name]);
        let equal = |called: &str| ranked(called, 100, 0, 0.6, [1.0, 0.0, 0.0]);
        let both = ["a", "b"];
        assert_eq!(Ranking::of(vec![equal("a"), equal("b")]).choose(name, &both), Some("a"));
        let mut doubted = equal("a");
        doubted.worth.observe(Duration::ZERO, Agreement { agreed: 40, contradicted: 60 });
        assert_eq!(Ranking::of(vec![doubted.clone(), equal("b")]).choose(name, &both), Some("b"));
        let many: Vec<_> = (0..11).map(|n| equal(&format!("other {n}"))).collect();
        let greedy = Ranking::of([doubted, equal("b")].into_iter().chain(many).collect());
        assert_eq!(greedy.choose(name, &both), Some("b"), "beyond what is reckoned exactly, too");
        let mut slow = equal("a");
        slow.worth.observe(Duration::from_secs(9), Agreement::default());
        assert_eq!(Ranking::of(vec![slow, equal("b")]).choose(name, &both), Some("b"));
    }

    fn expected(order: &[&Ranked], missing: Fields) -> f64 {
        let Some((first, rest)) = order.split_first() else { return 0.0 };
        if missing.and(first.supplies).is_empty() {
            return expected(rest, missing);
        }
        let after = |(brought, chance): (Option<Fields>, f64)| {
            chance * expected(rest, missing.without(brought.unwrap_or_default()))
        };
        first.worth.expected_micros(first.price, missing)
            + first.worth.outcomes().into_iter().map(after).sum::<f64>()
    }

    fn followed(ranking: &Ranking, open: &[&str], missing: Fields) -> f64 {
        let Some(next) = ranking.choose(missing, open) else { return 0.0 };
        let one = ranking.ranked().iter().find(|one| one.name == next).unwrap();
        let others: Vec<&str> = open.iter().copied().filter(|name| *name != next).collect();
        let after = |(brought, chance): (Option<Fields>, f64)| {
            chance * followed(ranking, &others, missing.without(brought.unwrap_or_default()))
        };
        one.worth.expected_micros(one.price, missing)
            + one.worth.outcomes().into_iter().map(after).sum::<f64>()
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]
        #[test]
        fn no_fixed_order_is_expected_to_cost_less(
            prices in prop::array::uniform3((1_u64..300, 0_u64..50)),
            rates in prop::array::uniform3(0.05..0.95_f64),
            fills in prop::array::uniform3(prop::array::uniform3(0.05..0.95_f64)),
            bits in 1_u8..8,
        ) {
            let all: Vec<Ranked> = (0..3)
                .map(|n| ranked(["a", "b", "c"][n], prices[n].0, prices[n].1, rates[n], fills[n]))
                .collect();
            let missing = Fields::from_bits(bits);
            let own = followed(&Ranking::of(all.clone()), &["a", "b", "c"], missing);
            for order in [[0, 1, 2], [0, 2, 1], [1, 0, 2], [1, 2, 0], [2, 0, 1], [2, 1, 0]] {
                let fixed = expected(&order.map(|n| &all[n]), missing);
                prop_assert!(own <= fixed + 1e-6, "{own} > {fixed} for {order:?}");
            }
        }
    }
}
