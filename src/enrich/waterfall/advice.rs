//! What another order would cost: the present one, the best fixed one and the self-made one, by what is known of providers.
//!
//! How sure that is, is told by drawing the providers' true rates again and again from what the answers so far allow, and
//! looking how often and by how much one order is cheaper than the other.
//!
//! Invariant: pure, and the same when asked twice.

use gleaner_providers::email::Segment;

use super::ranking::{Ranked, Ranking};
use super::worth::Worth;
use crate::record::Fields;

/// Up to so many paid providers every order is tried.
const ALL_ORDERS: usize = 6;
/// How often the rates are drawn.
const DRAWS: u16 = 400;

/// The members of one kind of address.
#[derive(Clone, Debug)]
pub struct Slice {
    pub segment: Segment,
    /// Their part of all members.
    pub share: f64,
    pub wanted: Fields,
    /// What asking each free provider tends to bring.
    pub free: Vec<Worth>,
    /// Those that cost money, in the order of the tiers.
    pub paid: Vec<Ranked>,
}

/// Positions of paid providers, asked group after group, the members of a group at the same time.
pub type Groups = Vec<Vec<usize>>;

/// What an order costs and brings, for one member on average.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Bill {
    /// In millionths.
    pub micros: f64,
    /// Wanted fields filled in the end. All orders fill the same.
    pub fields: f64,
}

impl Bill {
    pub fn per_field(&self) -> f64 {
        if self.fields > 0.0 { self.micros / self.fields } else { 0.0 }
    }
}

/// The advice.
#[derive(Clone, Debug)]
pub struct Advice {
    pub present: Bill,
    pub best: Bill,
    pub best_order: Vec<usize>,
    pub own: Bill,
    /// In how many of all draws the best fixed order is cheaper than the present one, and the self-made one.
    pub best_is_cheaper: f64,
    pub own_is_cheaper: f64,
    /// What the best fixed order saves of the present cost: nine draws of ten lie between these.
    pub saves: (f64, f64),
}

/// Compares orders over all kinds of address. `present` is the configured one.
pub fn advise(slices: &[Slice], present: &Groups) -> Advice {
    let best_order = best_order(slices);
    let best: Groups = best_order.iter().map(|&place| vec![place]).collect();
    let rankings: Vec<_> = slices.iter().map(|slice| Ranking::of(slice.paid.clone())).collect();
    let (mut cheaper, mut own_cheaper, mut savings) = (0_u32, 0_u32, Vec::new());
    for draw in 0..DRAWS {
        let drawn: Vec<_> = slices.iter().map(|slice| slice.draw(u64::from(draw))).collect();
        let now = of_groups(&drawn, present).micros;
        let then = of_groups(&drawn, &best).micros;
        cheaper += u32::from(then < now);
        own_cheaper += u32::from(of_rankings(&drawn, &rankings).micros < now);
        savings.push(if now > 0.0 { 1.0 - then / now } else { 0.0 });
    }
    savings.sort_by(f64::total_cmp);
    let part = |count: u32| f64::from(count) / f64::from(DRAWS);
    Advice {
        present: of_groups(slices, present),
        best: of_groups(slices, &best),
        best_order,
        own: of_rankings(slices, &rankings),
        best_is_cheaper: part(cheaper),
        own_is_cheaper: part(own_cheaper),
        saves: (savings[savings.len() / 20], savings[savings.len() * 19 / 20]),
    }
}

/// The fixed order that is expected to cost least.
fn best_order(slices: &[Slice]) -> Vec<usize> {
    let count = slices.first().map_or(0, |slice| slice.paid.len());
    if count > ALL_ORDERS {
        return greedy_order(slices, count);
    }
    let mut best: (f64, Vec<usize>) = (f64::INFINITY, (0..count).collect());
    permute(&mut (0..count).collect(), 0, &mut |order| {
        let groups: Groups = order.iter().map(|&place| vec![place]).collect();
        let cost = of_groups(slices, &groups).micros;
        if cost < best.0 - 1e-9 {
            best = (cost, order.to_vec());
        }
    });
    best.1
}

fn permute(order: &mut Vec<usize>, from: usize, visit: &mut impl FnMut(&[usize])) {
    if from == order.len() {
        return visit(order);
    }
    for at in from..order.len() {
        order.swap(from, at);
        permute(order, from + 1, visit);
        order.swap(from, at);
    }
}

/// The most expected fields per cent first.
fn greedy_order(slices: &[Slice], count: usize) -> Vec<usize> {
    let per_cent = |&place: &usize| {
        let sum =
            |of: &dyn Fn(&Slice) -> f64| slices.iter().map(|slice| slice.share * of(slice)).sum::<f64>();
        let fields = sum(&|slice| slice.paid[place].worth.expected_fields(slice.wanted));
        let cost =
            sum(&|slice| slice.paid[place].worth.expected_micros(slice.paid[place].price, slice.wanted));
        fields / cost.max(1e-9)
    };
    let mut order: Vec<usize> = (0..count).collect();
    order.sort_by(|a, b| per_cent(b).total_cmp(&per_cent(a)));
    order
}

/// What a fixed order costs.
pub fn of_groups(slices: &[Slice], groups: &Groups) -> Bill {
    of_each(slices, |slice, missing| {
        let mut cost = 0.0;
        let mut missing = missing;
        for group in groups {
            let mut next = [0.0; Fields::SETS];
            for (bits, chance) in (0_u8..).zip(missing).filter(|(_, chance)| *chance > 0.0) {
                let here = Fields::from_bits(bits);
                let mut spread = [0.0; Fields::SETS];
                spread[usize::from(bits)] = chance;
                for one in group.iter().map(|&place| &slice.paid[place]) {
                    if !one.supplies.and(here).is_empty() {
                        cost += chance * one.worth.expected_micros(one.price, here);
                        spread = after(&one.worth, spread);
                    }
                }
                for (sum, part) in next.iter_mut().zip(spread) {
                    *sum += part;
                }
            }
            missing = next;
        }
        (cost, missing)
    })
}

/// What the self-made order costs: one ranking for each slice.
pub fn of_rankings(slices: &[Slice], rankings: &[Ranking]) -> Bill {
    let mut rankings = rankings.iter();
    of_each(slices, |slice, missing| {
        let Some(ranking) = rankings.next() else { return (0.0, missing) };
        let names: Vec<&str> = slice.paid.iter().map(|one| one.name.as_str()).collect();
        let mut ended = [0.0; Fields::SETS];
        let mut cost = 0.0;
        let mut ways: Vec<(Vec<&str>, Fields, f64)> = (0_u8..)
            .zip(missing)
            .filter(|(_, chance)| *chance > 0.0)
            .map(|(bits, chance)| (names.clone(), Fields::from_bits(bits), chance))
            .collect();
        while let Some((open, missing, chance)) = ways.pop() {
            let next = ranking.choose(missing, &open);
            let Some(one) = next.and_then(|next| slice.paid.iter().find(|one| one.name == next)) else {
                ended[usize::from(missing.bits())] += chance;
                continue;
            };
            cost += chance * one.worth.expected_micros(one.price, missing);
            let others: Vec<&str> = open.into_iter().filter(|name| *name != one.name).collect();
            let mut spread = [0.0; Fields::SETS];
            spread[usize::from(missing.bits())] = chance;
            for (bits, chance) in (0_u8..).zip(after(&one.worth, spread)).filter(|(_, chance)| *chance > 1e-9)
            {
                ways.push((others.clone(), Fields::from_bits(bits), chance));
            }
        }
        (cost, ended)
    })
}

/// Asks the free ones, then has the rest reckoned, slice by slice.
fn of_each(
    slices: &[Slice],
    mut rest: impl FnMut(&Slice, [f64; Fields::SETS]) -> (f64, [f64; Fields::SETS]),
) -> Bill {
    let mut bill = Bill { micros: 0.0, fields: 0.0 };
    for slice in slices {
        let mut missing = [0.0; Fields::SETS];
        missing[usize::from(slice.wanted.bits())] = 1.0;
        for worth in &slice.free {
            missing = after(worth, missing);
        }
        let (cost, missing) = rest(slice, missing);
        let filled = |(bits, chance): (u8, f64)| {
            chance * f64::from(slice.wanted.without(Fields::from_bits(bits)).len())
        };
        bill.micros += slice.share * cost;
        bill.fields += slice.share * (0_u8..).zip(missing).map(filled).sum::<f64>();
    }
    bill
}

/// What is missing after one more answer.
fn after(worth: &Worth, missing: [f64; Fields::SETS]) -> [f64; Fields::SETS] {
    let mut next = [0.0; Fields::SETS];
    for (bits, chance) in (0_u8..).zip(missing).filter(|(_, chance)| *chance > 0.0) {
        for (brought, likely) in worth.lasting() {
            let left = Fields::from_bits(bits).without(brought.unwrap_or_default());
            next[usize::from(left.bits())] += chance * likely;
        }
    }
    next
}

impl Slice {
    fn draw(&self, seed: u64) -> Self {
        let seed = seed.wrapping_mul(1_000_003).wrapping_add(self.segment as u64);
        let paid = (0..).zip(&self.paid).map(|(place, one): (u64, _)| Ranked {
            worth: one.worth.draw(seed.wrapping_add(place << 32)),
            ..one.clone()
        });
        Self { paid: paid.collect(), ..self.clone() }
    }
}

#[cfg(test)]
mod tests {
    use gleaner_providers::Field;
    use gleaner_providers::provider::{Micros, Price};

    use super::*;

    fn paid(name: &str, cents: u64, answers: f64) -> Ranked {
        Ranked {
            name: name.to_owned(),
            supplies: Fields::of(&Field::ALL),
            price: Price::per_match(Micros::from_cents(cents)),
            worth: Worth::prior(0.5, [0.9, 0.4, 0.7], answers),
        }
    }

    fn slices(answers: f64) -> Vec<Slice> {
        let slice = |segment, share| Slice {
            segment,
            share,
            wanted: Fields::of(&Field::ALL),
            free: vec![Worth::prior(0.3, [0.9, 0.0, 0.9], 10.0)],
            paid: vec![paid("dear", 28, answers), paid("cheap", 2, answers), paid("middling", 9, answers)],
        };
        vec![slice(Segment::FreeMail, 0.7), slice(Segment::Company, 0.3)]
    }

    #[test]
    fn the_cheap_ones_come_first_and_that_is_sure() {
        let advice = advise(&slices(500.0), &vec![vec![0], vec![1], vec![2]]);
        assert_eq!(advice.best_order, [1, 2, 0]);
        assert!(advice.best.micros < advice.present.micros);
        assert!(advice.own.micros <= advice.best.micros + 1e-6, "{advice:?}");
        assert!((advice.best.fields - advice.present.fields).abs() < 1e-9, "all orders fill the same");
        assert!((advice.own.fields - advice.present.fields).abs() < 1e-6);
        assert!(advice.best_is_cheaper > 0.99);
        let (least, most) = advice.saves;
        let expected = 1.0 - advice.best.micros / advice.present.micros;
        assert!(least < expected && expected < most, "{least} {expected} {most}");
    }

    #[test]
    fn little_knowledge_is_told_as_such() {
        let close = |answers| {
            let mut slices = slices(answers);
            for slice in &mut slices {
                slice.paid = vec![
                    Ranked { worth: Worth::prior(0.50, [0.9, 0.4, 0.7], answers), ..paid("a", 10, answers) },
                    Ranked { worth: Worth::prior(0.50, [0.9, 0.5, 0.7], answers), ..paid("b", 10, answers) },
                ];
            }
            advise(&slices, &vec![vec![0], vec![1]]).best_is_cheaper
        };
        let (unsure, sure) = (close(10.0), close(20_000.0));
        assert!(unsure < 0.9, "{unsure}");
        assert!(sure > 0.99, "{sure}");
    }

    #[test]
    fn asking_a_group_at_once_costs_more_than_one_after_the_other() {
        let slices = slices(100.0);
        let together = of_groups(&slices, &vec![vec![0, 1, 2]]);
        let one_by_one = of_groups(&slices, &vec![vec![1], vec![2], vec![0]]);
        assert!(together.micros > one_by_one.micros * 1.3);
        assert!((together.fields - one_by_one.fields).abs() < 1e-9);
    }
}
