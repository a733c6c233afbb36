//! How an execution ends, from what was found and what is still owed.
//!
//! Invariant: pure.

use jiff::{SignedDuration, Timestamp};

use gleaner_providers::error::Remedy;

use super::Policy;
use super::dossier::{Cause, Dossier, Owed};
use super::lookup::later;
use super::merge::Merged;
use super::schedule;
use crate::job::{Claimed, DeadReason, Outcome, SuppressionReason, Verdict};
use crate::record::{Fields, Record, RecordStatus};

/// Closes the dossier: `found` is what all its answers say together.
pub(super) fn conclude(
    job: &Claimed,
    dossier: Dossier,
    found: Merged,
    policy: &Policy,
    last_chance: bool,
    now: Timestamp,
) -> Outcome {
    let verdict = verdict(job, &dossier, found, policy, last_chance, now);
    let verdict = if job.anew().asks_anybody() { without_partial(verdict) } else { verdict };
    let freed_micros = dossier.freed_micros();
    let (answers, lookups) = dossier.into_papers();
    Outcome {
        hold: job.hold,
        member: job.member.clone(),
        subject: job.subject,
        verdict,
        answers,
        lookups,
        freed_micros,
    }
}

/// A replay that asks again has put the old answers aside: until it knows better, the old record stays.
fn without_partial(verdict: Verdict) -> Verdict {
    match verdict {
        Verdict::Retry { at, error, .. } => Verdict::Retry { at, error, partial: None },
        Verdict::Snooze { at, reason, .. } => Verdict::Snooze { at, reason, partial: None },
        Verdict::Dead { reason, error, .. } => Verdict::Dead { reason, error, partial: None },
        Verdict::Written(_) | Verdict::Suppressed(_) => verdict,
    }
}

fn verdict(
    job: &Claimed,
    dossier: &Dossier,
    found: Merged,
    policy: &Policy,
    last_chance: bool,
    now: Timestamp,
) -> Verdict {
    if dossier.is_objected() {
        return Verdict::Suppressed(SuppressionReason::Objected);
    }
    if is_minor(&found, policy, now) {
        return Verdict::Suppressed(SuppressionReason::Minor);
    }
    let owed = dossier.owed();
    if owed.is_empty() {
        let status = if found.is_empty() { RecordStatus::NoMatch } else { RecordStatus::Complete };
        return Verdict::Written(Box::new(record(job, found, status, policy, now)));
    }
    let partial =
        (!found.is_empty()).then(|| Box::new(record(job, found, RecordStatus::Partial, policy, now)));
    let error = describe(owed);
    let has_failed =
        owed.iter().any(|owed| matches!(&owed.cause, Cause::Error(e) if e.remedy() == Remedy::Retry));
    // Who only waits (for a quota, a pause, an answer that was ordered) does not use up the last attempt either.
    if schedule::is_too_old(job, &policy.retry, now) || (last_chance && has_failed) {
        Verdict::Dead { reason: DeadReason::AttemptsExhausted, error, partial }
    } else if has_failed {
        let delay = schedule::delay(job.hold.job, job.attempt, &policy.retry);
        let delay = SignedDuration::try_from(delay).unwrap_or(SignedDuration::MAX);
        Verdict::Retry { at: later(now, delay), error, partial }
    } else {
        let at = owed.iter().map(|owed| comes_back(owed, policy, now)).min().unwrap_or(now);
        Verdict::Snooze { at, reason: error, partial }
    }
}

/// Whether the person may be under the minimum age: of a range, the youngest age counts.
pub(super) fn is_minor(merged: &Merged, policy: &Policy, now: Timestamp) -> bool {
    let today = now.to_zoned_datetime(jiff::tz::TimeZone::UTC).date();
    merged.birth.as_ref().is_some_and(|birth| {
        let (youngest, _) = birth.value.ages_on(today);
        youngest < policy.minimum_age
    })
}

/// When an owed answer is worth asking for again.
fn comes_back(owed: &Owed, policy: &Policy, now: Timestamp) -> Timestamp {
    let after = match &owed.cause {
        Cause::Pending { ready_at } => return *ready_at,
        Cause::Error(error) => match error.remedy() {
            Remedy::Snooze(Some(after)) => after,
            Remedy::Snooze(None) | Remedy::TellOperator | Remedy::Retry | Remedy::GiveUp => {
                policy.retry.snooze()
            }
        },
    };
    later(now, SignedDuration::try_from(after).unwrap_or(SignedDuration::MAX))
}

/// Who owes what, in one line without personal data.
fn describe(owed: &[Owed]) -> String {
    let lines: Vec<_> = owed
        .iter()
        .map(|owed| match &owed.cause {
            Cause::Error(error) => format!("{}: {error}", owed.provider),
            Cause::Pending { .. } => format!("{}: answer pending", owed.provider),
        })
        .collect();
    lines.join("; ")
}

fn record(job: &Claimed, merged: Merged, status: RecordStatus, policy: &Policy, now: Timestamp) -> Record {
    Record {
        member: job.member.clone(),
        email: job.email.clone(),
        name: merged.name,
        birth: merged.birth,
        profiles: merged.profiles,
        conflicts: Fields::of(&merged.conflicts),
        status,
        policy_version: policy.policy_version.clone(),
        collected_at: now,
        updated_at: now,
        expires_at: later(now, policy.retention.records()),
    }
}
