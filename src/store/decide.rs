//! What becomes of a batch of registrations, from what is known of each.
//!
//! A member counts once, where its job is, else its dead letter, else its record. Invariant: pure; every registration
//! gets one answer and is counted once.

use std::collections::HashMap;

use super::batches::Counting;
use crate::job::{BatchId, BatchName, Intake, Registration};

/// What is known of one registration.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Known {
    pub(super) suppressed: bool,
    /// The member's record is about this subject, final and unexpired.
    pub(super) fresh: bool,
    pub(super) member: Traces,
}

/// What there is of a member.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Traces {
    pub(super) has_job: bool,
    pub(super) has_record: bool,
    pub(super) has_dead_letter: bool,
}

/// What was counted at the door.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Tally {
    pub(super) taken_in: u32,
    pub(super) repeated: u32,
    pub(super) suppressed: u32,
}

/// What becomes of a batch.
#[derive(Debug, Default)]
pub(super) struct Decided<'a> {
    pub(super) answers: Vec<Intake>,
    /// Where in the batch the newest registration of each member is that has a job now.
    jobs: HashMap<&'a str, usize>,
    /// Members whose dead letter is overtaken by a registration.
    pub(super) superseded: Vec<&'a str>,
    pub(super) tally: Tally,
}

impl<'a> Decided<'a> {
    pub(super) fn about(batch: &'a [Registration], known: &[Known]) -> Self {
        let mut decided = Self::default();
        for (position, (registration, known)) in batch.iter().zip(known).enumerate() {
            let answer = decided.one(position, registration, *known);
            decided.answers.push(answer);
        }
        decided
    }

    fn one(&mut self, position: usize, registration: &'a Registration, known: Known) -> Intake {
        let member = registration.member.as_str();
        if known.suppressed {
            self.tally.taken_in += 1;
            self.tally.suppressed += 1;
            return Intake::Suppressed;
        }
        if known.member.has_dead_letter {
            self.superseded.push(member);
        }
        let has_job = known.member.has_job || self.jobs.contains_key(member);
        if !has_job && known.fresh {
            self.tally.repeated += 1;
            return Intake::Fresh;
        }
        self.jobs.insert(member, position);
        if has_job || known.member.has_record || known.member.has_dead_letter {
            self.tally.repeated += 1;
        } else {
            self.tally.taken_in += 1;
        }
        if has_job { Intake::Repeated } else { Intake::Queued }
    }

    /// What is counted of the batches that the registrations name.
    pub(super) fn counting(
        &self,
        batch: &[Registration],
        number_of: impl Fn(&BatchName) -> Option<BatchId>,
    ) -> Counting {
        let mut counting = Counting::default();
        for (registration, answer) in batch.iter().zip(&self.answers) {
            if let Some(batch) = registration.batch.as_ref().and_then(&number_of) {
                counting.took_in(batch, *answer);
            }
        }
        counting
    }

    /// The registrations that have a job now, the newest of each member, in the order of the batch: first come, first
    /// served.
    pub(super) fn jobs(&self, batch: &'a [Registration]) -> Vec<&'a Registration> {
        let is_newest = |(position, registration): &(usize, &'a Registration)| {
            self.jobs.get(registration.member.as_str()) == Some(position)
        };
        batch.iter().enumerate().filter(is_newest).map(|(_, registration)| registration).collect()
    }
}
