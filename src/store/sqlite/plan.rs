//! What a group commit writes, sorted by table before anything is written.
//!
//! Invariant: pure; a stale outcome puts nothing into the plan.

use std::collections::HashSet;

use jiff::Timestamp;
use serde::Serialize;

use super::answers::AnswerRow;
use super::rows::{RecordRow, millis};
use crate::job::{Committed, LookupEntry, Outcome, SuppressionReason, Verdict};
use crate::keyring::SubjectKey;
use crate::record::Record;

/// What the database says of an outcome whose fence is still good.
#[derive(Clone, Copy, Debug, sqlx::FromRow)]
pub(super) struct Guard {
    /// Which outcome of the batch it is about.
    pub(super) position: u32,
    /// The subject that was looked up must not be looked up any more.
    pub(super) suppressed: bool,
    /// The member has registered another address meanwhile.
    pub(super) outdated: bool,
    /// That other address's subject must not be looked up.
    pub(super) successor_suppressed: bool,
}

/// The rows of a group commit.
#[derive(Default)]
pub(super) struct Plan<'a> {
    pub(super) answered: Vec<Committed>,
    /// Jobs that are over.
    pub(super) done: Vec<i64>,
    pub(super) again: Vec<AgainRow<'a>>,
    pub(super) dead: Vec<DeadRow<'a>>,
    pub(super) records: Vec<RecordRow<'a>>,
    pub(super) answers: Vec<AnswerRow<'a>>,
    pub(super) lookups: Vec<LookupRow<'a>>,
    /// People who turned out not to be looked up.
    pub(super) suppress: Vec<(SubjectKey, SuppressionReason)>,
    /// Members whose record goes, whatever address it was about.
    pub(super) forget: Vec<&'a str>,
    /// Members of whom perhaps nothing is left.
    pub(super) maybe_gone: Vec<&'a str>,
}

/// A job that is due again later.
#[derive(Serialize)]
pub(super) struct AgainRow<'a> {
    id: i64,
    run_at: i64,
    /// Whether the attempt is given back.
    snoozed: u8,
    error: Option<&'a str>,
}

#[derive(Serialize)]
pub(super) struct DeadRow<'a> {
    id: i64,
    reason: &'static str,
    error: &'a str,
}

#[derive(Serialize)]
pub(super) struct LookupRow<'a> {
    job_id: i64,
    member_id: &'a str,
    provider: &'a str,
    told: &'static str,
    outcome: &'static str,
    duration_us: u64,
    cost_micros: u64,
    at: i64,
}

impl<'a> Plan<'a> {
    pub(super) fn of(outcomes: &'a [Outcome], guards: &[Guard], now: Timestamp) -> Self {
        let mut guard_of = vec![None; outcomes.len()];
        let mut jobs = HashSet::new();
        for guard in guards {
            let position = usize::try_from(guard.position).unwrap_or(usize::MAX);
            if let (Some(slot), Some(outcome)) = (guard_of.get_mut(position), outcomes.get(position))
                // One hold ends one execution: of two outcomes for it, the second is stale.
                && jobs.insert(outcome.hold.job)
            {
                *slot = Some(*guard);
            }
        }
        let mut plan = Self::default();
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
        self.lookups.extend(outcome.lookups.iter().map(|entry| LookupRow::of(outcome, entry)));
        let told_to_suppress = matches!(outcome.verdict, Verdict::Suppressed(_));
        if told_to_suppress {
            self.forget.push(outcome.member.as_str());
        }
        if guard.suppressed || told_to_suppress {
            self.end_or_succeed(outcome, guard, now);
            return if told_to_suppress { Committed::Applied } else { Committed::Suppressed };
        }
        self.answers.extend(outcome.answers.iter().map(AnswerRow::of));
        if guard.outdated {
            self.end_or_succeed(outcome, guard, now);
        } else {
            self.apply(outcome);
        }
        Committed::Applied
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

    fn apply(&mut self, outcome: &'a Outcome) {
        match &outcome.verdict {
            Verdict::Written(record) => {
                self.done.push(outcome.hold.job.0);
                self.write(outcome, Some(record));
            }
            Verdict::Retry { at, error, partial } => {
                self.run_again(outcome, *at, false, Some(error));
                self.write(outcome, partial.as_deref());
            }
            Verdict::Snooze { at, reason, partial } => {
                self.run_again(outcome, *at, true, Some(reason));
                self.write(outcome, partial.as_deref());
            }
            Verdict::Dead { reason, error, partial } => {
                let id = outcome.hold.job.0;
                self.dead.push(DeadRow { id, reason: reason.as_str(), error });
                self.done.push(id);
                self.write(outcome, partial.as_deref());
            }
            // Handled before: nothing of the person is written.
            Verdict::Suppressed(_) => {}
        }
    }

    fn run_again(&mut self, outcome: &Outcome, at: Timestamp, snoozed: bool, error: Option<&'a str>) {
        let (id, run_at) = (outcome.hold.job.0, millis(at));
        self.again.push(AgainRow { id, run_at, snoozed: u8::from(snoozed), error });
    }

    fn write(&mut self, outcome: &'a Outcome, record: Option<&'a Record>) {
        self.records.extend(record.map(|record| RecordRow::of(record, &outcome.member, &outcome.subject)));
    }
}

impl<'a> LookupRow<'a> {
    fn of(outcome: &'a Outcome, entry: &'a LookupEntry) -> Self {
        Self {
            job_id: outcome.hold.job.0,
            member_id: outcome.member.as_str(),
            provider: &entry.provider,
            told: entry.told.as_str(),
            outcome: entry.outcome,
            duration_us: u64::try_from(entry.duration.as_micros()).unwrap_or(u64::MAX),
            cost_micros: entry.cost_micros,
            at: millis(entry.at),
        }
    }
}
