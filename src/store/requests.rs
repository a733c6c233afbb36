//! What doors ask of a store beyond taking a batch in: requests and events that are known again, how much work is
//! waiting, where a member is.
//!
//! Invariant: a request and what it brought are remembered in one transaction, or neither is.

use std::collections::HashMap;
use std::fmt::Debug;

use async_trait::async_trait;
use jiff::Timestamp;
use serde::Serialize;

use super::StoreError;
use super::columns::{JOBS, corrupt};
use crate::job::{Delivered, Delivery, Intake, Registration};
use crate::keyring::SeenKey;
use crate::member::MemberId;

const TABLE: &str = "seen_requests";

/// The part of a store that doors for messages need.
#[async_trait]
pub trait Requests: Debug + Send + Sync {
    /// Takes deliveries in as [`enqueue`](super::Store::enqueue) takes registrations in, all in one transaction, and
    /// remembers their requests and events until `forget_at`. The answers are in the same order. An error means that
    /// nothing was taken in.
    async fn enqueue_once(
        &self,
        deliveries: &[Delivery],
        now: Timestamp,
        forget_at: Timestamp,
    ) -> Result<Vec<Delivered>, StoreError>;

    /// Forgets requests and events whose time is over, a bounded number at once; returns how many went.
    async fn forget_requests(&self, now: Timestamp) -> Result<u64, StoreError>;

    /// How many jobs are waiting; counts no further than `at_most`.
    async fn backlog(&self, at_most: u64) -> Result<u64, StoreError>;

    /// Where a member is; `None` where nothing of them is kept (any more), also because they must not be looked up.
    async fn place(&self, member: &MemberId, now: Timestamp) -> Result<Option<Place>, StoreError>;
}

/// How many requests are forgotten in one transaction.
pub(super) const FORGET_AT_ONCE: u32 = 5_000;

/// Where a member is now. Holds no personal data.
#[derive(Clone, Copy, Debug, Eq, PartialEq, Serialize)]
pub struct Place {
    pub status: PlaceStatus,
    /// When they were taken in, for one who waits or runs; when the record or the dead letter was written, else.
    pub at: Timestamp,
    /// Executions so far, where there is a job or a dead letter.
    pub attempts: Option<u32>,
    /// When a waiting job is due.
    pub next_run: Option<Timestamp>,
}

/// Which of the places a registration can be in.
#[derive(Clone, Copy, Debug, Eq, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum PlaceStatus {
    Waiting,
    Running,
    Complete,
    Partial,
    NoMatch,
    DeadLetter,
}

impl PlaceStatus {
    pub const ALL: [Self; 6] =
        [Self::Waiting, Self::Running, Self::Complete, Self::Partial, Self::NoMatch, Self::DeadLetter];

    /// The word, in tables as in answers.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Waiting => "waiting",
            Self::Running => "running",
            Self::Complete => "complete",
            Self::Partial => "partial",
            Self::NoMatch => "no_match",
            Self::DeadLetter => "dead_letter",
        }
    }
}

pub(super) fn status_of(word: &str) -> Result<PlaceStatus, StoreError> {
    let known = PlaceStatus::ALL.into_iter().find(|known| known.as_str() == word);
    known.ok_or_else(|| corrupt(JOBS, "a state"))
}

/// What is remembered of a request or an event.
#[derive(Clone, Debug)]
pub(super) struct Seen {
    /// What it said and what became of it; an event has neither.
    pub(super) request: Option<(SeenKey, Vec<Intake>)>,
}

/// A row to remember.
#[derive(Debug)]
pub(super) struct Remembered {
    pub(super) key: SeenKey,
    pub(super) content: Option<SeenKey>,
    pub(super) outcomes: Option<String>,
}

/// Every key that deliveries carry, each once and in order, so that two transactions never wait for each other.
pub(super) fn keys(deliveries: &[Delivery]) -> Vec<SeenKey> {
    let requests = deliveries.iter().filter_map(|delivery| delivery.once).map(|once| once.key);
    let events = deliveries.iter().flat_map(|delivery| &delivery.items).filter_map(|item| item.event);
    let mut keys: Vec<_> = requests.chain(events).collect();
    keys.sort_unstable();
    keys.dedup();
    keys
}

/// Deliveries sorted into what is new and what was seen before.
#[derive(Debug)]
pub(super) struct Sorted<'a> {
    deliveries: &'a [Delivery],
    plans: Vec<Plan>,
    /// What has to be taken in, in order.
    pub(super) registrations: Vec<Registration>,
    /// Events that were seen before, each of them acknowledged once more.
    pub(super) repeats: u32,
    events: Vec<SeenKey>,
}

#[derive(Debug)]
enum Plan {
    /// For each item: which registration it is, or that its event was seen before.
    Take(Vec<Option<usize>>),
    Again(Vec<Intake>),
    /// As an earlier delivery of this batch.
    AsEarlier(usize),
    Conflict,
}

impl<'a> Sorted<'a> {
    pub(super) fn new(deliveries: &'a [Delivery], mut seen: HashMap<SeenKey, Seen>) -> Self {
        let mut sorted =
            Self { deliveries, plans: Vec::new(), registrations: Vec::new(), repeats: 0, events: Vec::new() };
        let mut earlier: HashMap<SeenKey, (usize, SeenKey)> = HashMap::new();
        for (position, delivery) in deliveries.iter().enumerate() {
            let plan = match delivery.once {
                Some(once) => match (seen.get(&once.key), earlier.get(&once.key)) {
                    (Some(Seen { request: Some((content, outcomes)) }), _) if *content == once.content => {
                        Plan::Again(outcomes.clone())
                    }
                    (None, Some((first, content))) if *content == once.content => Plan::AsEarlier(*first),
                    (None, None) => {
                        earlier.insert(once.key, (position, once.content));
                        sorted.take(delivery, &mut seen)
                    }
                    _ => Plan::Conflict,
                },
                None => sorted.take(delivery, &mut seen),
            };
            sorted.plans.push(plan);
        }
        sorted
    }

    fn take(&mut self, delivery: &Delivery, seen: &mut HashMap<SeenKey, Seen>) -> Plan {
        let take_item = |item: &crate::job::Item| {
            if let Some(event) = item.event {
                if seen.contains_key(&event) {
                    self.repeats += 1;
                    return None;
                }
                seen.insert(event, Seen { request: None });
                self.events.push(event);
            }
            self.registrations.push(item.registration.clone());
            Some(self.registrations.len() - 1)
        };
        Plan::Take(delivery.items.iter().map(take_item).collect())
    }

    /// The answers, and what has to be remembered, once it is known what became of the registrations.
    pub(super) fn answers(&self, outcomes: &[Intake]) -> (Vec<Delivered>, Vec<Remembered>) {
        let mut answers: Vec<Delivered> = Vec::with_capacity(self.plans.len());
        let event = |&key| Remembered { key, content: None, outcomes: None };
        let mut rows: Vec<_> = self.events.iter().map(event).collect();
        for (plan, delivery) in self.plans.iter().zip(self.deliveries) {
            let answer = match plan {
                Plan::Take(items) => {
                    let became = |item: &Option<usize>| {
                        item.and_then(|position| outcomes.get(position)).copied().unwrap_or(Intake::Repeated)
                    };
                    let became: Vec<_> = items.iter().map(became).collect();
                    rows.extend(delivery.once.map(|once| Remembered {
                        key: once.key,
                        content: Some(once.content),
                        outcomes: Some(letters(&became)),
                    }));
                    Delivered::Taken(became)
                }
                Plan::Again(became) => Delivered::Again(became.clone()),
                Plan::AsEarlier(first) => match answers.get(*first) {
                    Some(Delivered::Taken(became)) => Delivered::Again(became.clone()),
                    _ => Delivered::Conflict,
                },
                Plan::Conflict => Delivered::Conflict,
            };
            answers.push(answer);
        }
        (answers, rows)
    }
}

const fn letter(intake: Intake) -> char {
    match intake {
        Intake::Queued => 'q',
        Intake::Repeated => 'r',
        Intake::Fresh => 'f',
        Intake::Suppressed => 's',
    }
}

fn letters(outcomes: &[Intake]) -> String {
    outcomes.iter().copied().map(letter).collect()
}

/// Reads what [`letters`] wrote.
fn outcomes_of(letters: &str) -> Result<Vec<Intake>, StoreError> {
    let known = |found: char| Intake::ALL.into_iter().find(|intake| letter(*intake) == found);
    letters.chars().map(known).collect::<Option<_>>().ok_or_else(|| corrupt(TABLE, "its outcomes"))
}

/// One row of `seen_requests`.
pub(super) fn seen_of(
    key: &[u8],
    content: Option<&[u8]>,
    outcomes: Option<&str>,
) -> Result<(SeenKey, Seen), StoreError> {
    let hash =
        |bytes: &[u8]| bytes.try_into().map(SeenKey::from_bytes).map_err(|_| corrupt(TABLE, "a keyed hash"));
    let request = match (content, outcomes) {
        (Some(content), Some(outcomes)) => Some((hash(content)?, outcomes_of(outcomes)?)),
        _ => None,
    };
    Ok((hash(key)?, Seen { request }))
}
