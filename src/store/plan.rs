//! What a group commit writes, sorted by table before anything is written.
//!
//! Invariant: pure; a stale outcome puts nothing into the plan.

use std::collections::{BTreeMap, HashSet};

use gleaner_providers::Field;
use jiff::Timestamp;
use serde::Serialize;

use super::batches::{self, Counting};
use super::columns::RecordColumns;
use crate::job::{Answer, BatchId, Committed, Hold, LookupEntry, Outcome, Paid, SuppressionReason, Verdict};
use crate::keyring::SubjectKey;
use crate::member::MemberId;
use crate::record::Record;

/// What the database says of an outcome whose fence is still good.
#[derive(Clone, Copy, Debug)]
pub(super) struct Guard {
    /// Which outcome of the batch it is about.
    pub(super) position: usize,
    /// The subject that was looked up must not be looked up any more.
    pub(super) suppressed: bool,
    /// The member has registered another address meanwhile.
    pub(super) outdated: bool,
    /// That other address's subject must not be looked up.
    pub(super) successor_suppressed: bool,
    /// What the member was handed over with, and the replay that the job runs for.
    pub(super) batch: Option<BatchId>,
    pub(super) replay: Option<BatchId>,
}

impl Guard {
    /// The batch that what comes of the job is counted for.
    fn counted(&self) -> Option<BatchId> {
        self.replay.or(self.batch)
    }
}

/// The rows of a group commit.
#[derive(Default)]
pub(super) struct Plan<'a> {
    pub(super) answered: Vec<Committed>,
    /// Jobs that are over.
    pub(super) done: Vec<i64>,
    pub(super) again: Vec<Again<'a>>,
    pub(super) dead: Vec<Dead<'a>>,
    pub(super) records: Vec<RecordColumns<'a>>,
    pub(super) answers: Vec<&'a Answer>,
    /// What the log does not have yet.
    pub(super) lookups: Vec<Logged<'a>>,
    /// Lookups whose lessons are known by now.
    pub(super) lessons: Vec<&'a LookupEntry>,
    /// People who turned out not to be looked up.
    pub(super) suppress: Vec<(SubjectKey, SuppressionReason)>,
    /// Members whose record goes, whatever address it was about.
    pub(super) forget: Vec<&'a str>,
    /// Members of whom perhaps nothing is left.
    pub(super) maybe_gone: Vec<&'a str>,
    /// What is counted of batches.
    pub(super) counting: Counting,
    /// Records that are told which batch they came with.
    pub(super) tags: Vec<Tag<'a>>,
    /// Ceilings: the batch, what was spent, and what had been reserved for it.
    pub(super) settled: BTreeMap<BatchId, (u64, u64)>,
}

/// A lookup as the log has it.
#[derive(Clone, Copy)]
pub(super) struct Logged<'a> {
    pub(super) job: i64,
    pub(super) member: &'a str,
    pub(super) entry: &'a LookupEntry,
}

/// Which batch a record came with, and which replay wrote it.
pub(super) struct Tag<'a> {
    pub(super) record: &'a Record,
    pub(super) batch: Option<BatchId>,
    pub(super) replay: Option<BatchId>,
}

/// A job that is due again later.
pub(super) struct Again<'a> {
    pub(super) id: i64,
    pub(super) at: Timestamp,
    /// Whether the attempt is given back.
    pub(super) snoozed: bool,
    pub(super) error: Option<&'a str>,
}

/// A job that stopped for good.
#[derive(Serialize)]
pub(super) struct Dead<'a> {
    pub(super) id: i64,
    pub(super) reason: &'static str,
    pub(super) error: &'a str,
}

impl<'a> Plan<'a> {
    pub(super) fn of(paid: &'a [Paid], outcomes: &'a [Outcome], guards: &[Guard], now: Timestamp) -> Self {
        let mut guard_of = vec![None; outcomes.len()];
        let mut jobs = HashSet::new();
        for guard in guards {
            if let (Some(slot), Some(outcome)) =
                (guard_of.get_mut(guard.position), outcomes.get(guard.position))
                // One hold ends one execution: of two outcomes for it, the second is stale.
                && jobs.insert(outcome.hold.job)
            {
                *slot = Some(*guard);
            }
        }
        let mut plan = Self::default();
        for ahead in paid {
            plan.answers.push(&ahead.answer);
            plan.log(ahead.hold, &ahead.member, &ahead.entry);
        }
        for (outcome, guard) in outcomes.iter().zip(&guard_of) {
            if let (Verdict::Suppressed(reason), Some(_)) = (&outcome.verdict, guard) {
                plan.suppress.push((outcome.subject, *reason));
            }
        }
        let suppressed: HashSet<_> = plan.suppress.iter().map(|(subject, _)| *subject).collect();
        for (outcome, guard) in outcomes.iter().zip(guard_of) {
            let answered = match guard {
                None => Committed::Stale,
                Some(guard) => {
                    let suppressed = guard.suppressed || suppressed.contains(&outcome.subject);
                    plan.guarded(outcome, Guard { suppressed, ..guard }, now)
                }
            };
            plan.answered.push(answered);
        }
        plan
    }

    fn guarded(&mut self, outcome: &'a Outcome, guard: Guard, now: Timestamp) -> Committed {
        // Calls that were made are on the record whatever became of them.
        self.log(outcome.hold, &outcome.member, outcome.lookups.iter().filter(|entry| !entry.is_logged));
        self.lessons.extend(&outcome.lookups);
        if let Some(batch) = guard.counted() {
            self.count_lookups(outcome, batch);
        }
        let told_to_suppress = matches!(outcome.verdict, Verdict::Suppressed(_));
        if told_to_suppress {
            self.forget.push(outcome.member.as_str());
        }
        if guard.suppressed || told_to_suppress {
            self.count(&guard, "suppressed");
            self.end_or_succeed(outcome, guard, now);
            return if told_to_suppress { Committed::Applied } else { Committed::Suppressed };
        }
        self.answers.extend(&outcome.answers);
        if guard.outdated {
            self.end_or_succeed(outcome, guard, now);
        } else {
            self.apply(outcome, guard);
        }
        Committed::Applied
    }

    fn log(&mut self, hold: Hold, member: &'a MemberId, entries: impl IntoIterator<Item = &'a LookupEntry>) {
        let logged = |entry| Logged { job: hold.job.0, member: member.as_str(), entry };
        self.lookups.extend(entries.into_iter().map(logged));
    }

    fn count(&mut self, guard: &Guard, what: &str) {
        if let Some(batch) = guard.counted() {
            self.counting.add(batch, what, 1);
        }
    }

    fn count_lookups(&mut self, outcome: &Outcome, batch: BatchId) {
        for entry in &outcome.lookups {
            batches::count_lookup(&mut self.counting, batch, entry);
        }
        if outcome.freed_micros > 0 {
            let (spent, freed) = self.settled.entry(batch).or_default();
            *spent += outcome.lookups.iter().map(|entry| entry.cost_micros).sum::<u64>();
            *freed += outcome.freed_micros;
        }
    }

    /// What a member's end means for the batch.
    fn count_record(&mut self, guard: &Guard, record: &Record) {
        for field in Field::ALL.into_iter().filter(|field| record.has(*field)) {
            self.count(guard, &format!("with.{}", field.as_str()));
        }
    }

    /// Ends a job whose verdict is not wanted; one that has another address by now runs again for it.
    fn end_or_succeed(&mut self, outcome: &'a Outcome, guard: Guard, now: Timestamp) {
        if guard.outdated && !guard.successor_suppressed {
            self.run_again(outcome, now, false, None);
        } else {
            self.done.push(outcome.hold.job.0);
            self.maybe_gone.push(outcome.member.as_str());
        }
    }

    fn apply(&mut self, outcome: &'a Outcome, guard: Guard) {
        match &outcome.verdict {
            Verdict::Written(record) => {
                self.done.push(outcome.hold.job.0);
                self.count(&guard, record.status.as_str());
                self.count_record(&guard, record);
                self.write(outcome, Some(record), guard);
            }
            Verdict::Retry { at, error, partial } => {
                self.run_again(outcome, *at, false, Some(error));
                self.count(&guard, "retries");
                self.write(outcome, partial.as_deref(), guard);
            }
            Verdict::Snooze { at, reason, partial } => {
                self.run_again(outcome, *at, true, Some(reason));
                self.count(&guard, "snoozes");
                self.write(outcome, partial.as_deref(), guard);
            }
            Verdict::Dead { reason, error, partial } => {
                let id = outcome.hold.job.0;
                self.dead.push(Dead { id, reason: reason.as_str(), error });
                self.done.push(id);
                self.count(&guard, "dead");
                if let Some(record) = partial {
                    self.count_record(&guard, record);
                }
                self.write(outcome, partial.as_deref(), guard);
            }
            // Handled before: nothing of the person is written.
            Verdict::Suppressed(_) => {}
        }
    }

    fn run_again(&mut self, outcome: &Outcome, at: Timestamp, snoozed: bool, error: Option<&'a str>) {
        self.again.push(Again { id: outcome.hold.job.0, at, snoozed, error });
    }

    fn write(&mut self, outcome: &'a Outcome, record: Option<&'a Record>, guard: Guard) {
        let Some(record) = record else { return };
        self.records.push(RecordColumns::of(record, &outcome.member, &outcome.subject));
        if guard.counted().is_some() {
            let Guard { batch, replay, .. } = guard;
            self.tags.push(Tag { record, batch, replay });
        }
    }
}
