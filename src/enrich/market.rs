//! What providers are worth, as far as is known: published rates at first, then what our own lookups brought.
//!
//! Invariant: what one member's enrichment reads is one consistent state; learning replaces the state as a whole.

use std::collections::HashMap;
use std::sync::{Arc, PoisonError, RwLock};

use gleaner_providers::Descriptor;
use gleaner_providers::email::Segment;

use super::panel::Panel;
use super::waterfall::ranking::{Ranked, Ranking};
use super::waterfall::worth::{Agreement, Worth};
use super::waterfall::{most_of, prior};
use crate::config::{Enrich, Order};
use crate::job::LessonTotals;
use crate::keyring::SubjectKey;
use crate::record::Fields;

/// Of so many members, one helps to find out what a provider is worth that little is known of.
const ONE_IN: u8 = 10;
/// From so many answers on, enough is known.
const ENOUGH: u64 = 50;

/// Every provider's worth for every kind of address.
#[derive(Debug)]
pub struct Market {
    order: Order,
    explore_micros: u64,
    providers: Vec<Descriptor>,
    known: RwLock<Arc<Known>>,
}

#[derive(Debug, Default)]
struct Known {
    worths: HashMap<(String, Segment), Worth>,
    rankings: HashMap<Segment, Arc<Ranking>>,
}

impl Market {
    /// What is known on the first day.
    pub fn new(enrich: &Enrich, panel: &Panel) -> Self {
        let descriptors = panel.tiers().iter().flatten().map(|one| one.descriptor().clone());
        let market = Self {
            order: enrich.order,
            explore_micros: enrich.explore.0.0,
            providers: descriptors.collect(),
            known: RwLock::default(),
        };
        market.learn(&[]);
        market
    }

    pub const fn order(&self) -> Order {
        self.order
    }

    /// Takes over what the ledger says: everything that was ever learned, not what is new.
    pub fn learn(&self, lessons: &[LessonTotals]) {
        let mut known = Known::default();
        for about in &self.providers {
            for segment in Segment::ALL {
                let worth = worth(about, segment, lessons);
                known.worths.insert((about.name.to_string(), segment), worth);
            }
        }
        if self.order == Order::Auto {
            for segment in Segment::ALL {
                let paid = self.providers.iter().filter(|about| !about.price.is_free());
                let ranked =
                    paid.map(|about| ranked(about, &known.worths[&(about.name.to_string(), segment)]));
                known.rankings.insert(segment, Arc::new(Ranking::of(ranked.collect())));
            }
        }
        *self.known.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(known);
    }

    /// What asking it about such an address tends to bring.
    pub fn worth(&self, about: &Descriptor, segment: Segment) -> Worth {
        let known = self.read();
        known
            .worths
            .get(&(about.name.to_string(), segment))
            .cloned()
            .unwrap_or_else(|| worth(about, segment, &[]))
    }

    /// Who comes first; `None` where the tiers decide.
    pub fn ranking(&self, segment: Segment) -> Option<Arc<Ranking>> {
        self.read().rankings.get(&segment).cloned()
    }

    /// The provider that this member helps to know better, if one is needed: the one that least is known of, as long as its
    /// answers about such addresses have cost less than may be spent on that.
    pub fn explored(&self, segment: Segment, subject: &SubjectKey) -> Option<String> {
        if self.order == Order::Fixed || !subject.as_bytes()[0].is_multiple_of(ONE_IN) {
            return None;
        }
        let known = self.read();
        let little = |ranked: &&Ranked| {
            ranked.worth.seen() < ENOUGH
                && ranked.worth.cost_micros() + most_of(ranked.price) <= self.explore_micros
        };
        let ranked = known.rankings.get(&segment)?.ranked();
        ranked
            .iter()
            .filter(little)
            .min_by_key(|ranked| ranked.worth.seen())
            .map(|ranked| ranked.name.clone())
    }

    fn read(&self) -> Arc<Known> {
        Arc::clone(&self.known.read().unwrap_or_else(PoisonError::into_inner))
    }
}

/// A provider with its worth, for an order.
pub fn ranked(about: &Descriptor, worth: &Worth) -> Ranked {
    Ranked {
        name: about.name.to_string(),
        supplies: Fields::of(about.supplies),
        price: about.price,
        worth: worth.clone(),
    }
}

/// The published rates and every lesson about such addresses.
pub fn worth(about: &Descriptor, segment: Segment, lessons: &[LessonTotals]) -> Worth {
    let mut worth = prior::worth(&about.name, segment, Fields::of(about.supplies), about.price);
    for lesson in lessons.iter().filter(|one| one.provider == about.name && one.segment == segment) {
        let (agreed, contradicted) = (lesson.agreed, lesson.contradicted);
        worth.observe(lesson.duration, Agreement { agreed, contradicted });
        if lesson.demanded.is_empty() {
            worth.learn(lesson.brought, lesson.answers, lesson.cost_micros);
        }
    }
    // Last, because they are shared out by what else is known.
    for lesson in lessons.iter().filter(|one| one.provider == about.name && one.segment == segment) {
        if !lesson.demanded.is_empty() {
            worth.learn_missed(lesson.demanded, lesson.answers);
        }
    }
    worth
}
