//! The jobs that this process holds: for the heartbeat, for back-pressure, and so that two jobs about one subject run
//! one after the other (the second then finds the first one's answers stored).

use std::collections::hash_map::Entry;
use std::collections::{HashMap, VecDeque};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::Notify;
use tokio::time::Instant;

use crate::job::{Claimed, Fence, Hold, JobId};
use crate::keyring::SubjectKey;

/// Every job claimed and not yet committed or given back.
#[derive(Debug, Default)]
pub(super) struct Held {
    state: Mutex<State>,
    changed: Notify,
    /// Jobs that came to an end.
    finished: AtomicU64,
}

#[derive(Debug, Default)]
struct State {
    /// With the moment from which the lease counts, as far as this process knows.
    holds: HashMap<JobId, (Fence, Instant)>,
    /// Jobs that wait for another one about the same subject.
    twins: HashMap<SubjectKey, VecDeque<Claimed>>,
}

impl Held {
    /// Enters claimed jobs and returns those that may start now; the others wait for their twin.
    pub(super) fn admit(&self, claimed: Vec<Claimed>) -> Vec<Claimed> {
        let mut state = self.lock();
        let now = Instant::now();
        let mut starting = Vec::with_capacity(claimed.len());
        for job in claimed {
            state.holds.insert(job.hold.job, (job.hold.fence, now));
            match state.twins.entry(job.subject) {
                Entry::Occupied(mut waiting) => waiting.get_mut().push_back(job),
                Entry::Vacant(free) => {
                    free.insert(VecDeque::new());
                    starting.push(job);
                }
            }
        }
        starting
    }

    /// Takes a finished job out; returns the next one about the same subject, which may start now.
    pub(super) fn finish(&self, hold: Hold, subject: SubjectKey) -> Option<Claimed> {
        let next = {
            let mut state = self.lock();
            if state.holds.get(&hold.job).is_some_and(|(fence, _)| *fence == hold.fence) {
                state.holds.remove(&hold.job);
            }
            let next = state.twins.get_mut(&subject).and_then(VecDeque::pop_front);
            if next.is_none() {
                state.twins.remove(&subject);
            }
            next
        };
        self.finished.fetch_add(1, Ordering::Relaxed);
        self.changed.notify_waiters();
        next
    }

    /// How many jobs have come to an end so far.
    pub(super) fn finished(&self) -> u64 {
        self.finished.load(Ordering::Relaxed)
    }

    /// How many jobs are held.
    pub(super) fn len(&self) -> usize {
        self.lock().holds.len()
    }

    /// Every hold.
    pub(super) fn holds(&self) -> Vec<Hold> {
        self.lock().holds.iter().map(|(&job, &(fence, _))| Hold { job, fence }).collect()
    }

    /// The holds whose lease has not been renewed for this long.
    pub(super) fn due_for_renewal(&self, age: Duration) -> Vec<Hold> {
        let now = Instant::now();
        let state = self.lock();
        let due = state.holds.iter().filter(|(_, (_, renewed))| now.duration_since(*renewed) >= age);
        due.map(|(&job, &(fence, _))| Hold { job, fence }).collect()
    }

    /// These leases were renewed, and count from this moment.
    pub(super) fn renewed(&self, holds: impl Iterator<Item = Hold>, from: Instant) {
        let mut state = self.lock();
        for hold in holds {
            if let Some((fence, renewed)) = state.holds.get_mut(&hold.job)
                && *fence == hold.fence
            {
                *renewed = from;
            }
        }
    }

    /// How much of this length is left since this very lease was renewed; `None` when nothing is.
    pub(super) fn left(&self, hold: Hold, length: Duration) -> Option<Duration> {
        let state = self.lock();
        let &(fence, renewed) = state.holds.get(&hold.job)?;
        if fence != hold.fence {
            return None;
        }
        length.checked_sub(renewed.elapsed()).filter(|left| !left.is_zero())
    }

    /// Waits until at most `most` jobs are held.
    pub(super) async fn at_most(&self, most: usize) {
        loop {
            // Registered before the look, so that no change between the two is missed.
            let mut changed = std::pin::pin!(self.changed.notified());
            changed.as_mut().enable();
            if self.len() <= most {
                return;
            }
            changed.await;
        }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
pub(super) mod tests {
    use gleaner_providers::EmailAddress;
    use jiff::Timestamp;

    use super::*;
    use crate::member::MemberId;
    use crate::record::Confidences;

    pub(in crate::worker) fn job(id: i64, subject: u8) -> Claimed {
        Claimed {
            hold: Hold { job: JobId(id), fence: Fence(1) },
            member: MemberId::parse(&format!("m{id}")).unwrap(),
            email: EmailAddress::parse("ada@example.com").unwrap(),
            subject: SubjectKey::from_bytes([subject; 32]),
            attempt: 1,
            queued_at: Timestamp::UNIX_EPOCH,
            priority: 0,
            recorded: Confidences::default(),
            batch: None,
        }
    }

    #[test]
    fn jobs_about_one_subject_run_one_after_the_other() {
        let held = Held::default();
        let starting = held.admit(vec![job(1, 7), job(2, 7), job(3, 8), job(4, 7)]);
        assert_eq!(starting.iter().map(|job| job.hold.job.0).collect::<Vec<_>>(), [1, 3]);
        assert!(held.admit(vec![job(5, 7)]).is_empty());

        for (finished, next) in [(1, Some(2)), (2, Some(4)), (4, Some(5)), (5, None)] {
            let started = held.finish(job(finished, 7).hold, job(finished, 7).subject);
            assert_eq!(started.map(|job| job.hold.job.0), next);
        }
        assert_eq!(held.admit(vec![job(6, 7)]).len(), 1);
        assert_eq!(held.len(), 2);
    }

    #[test]
    fn an_older_hold_does_not_end_a_newer_one() {
        let held = Held::default();
        let older = job(1, 7);
        let mut newer = job(1, 7);
        newer.hold.fence = Fence(2);
        held.admit(vec![older.clone(), newer]);
        held.finish(older.hold, older.subject);
        assert_eq!(held.len(), 1);
    }

    #[tokio::test(start_paused = true)]
    async fn only_old_leases_are_renewed() {
        let held = Held::default();
        held.admit(vec![job(1, 1)]);
        tokio::time::advance(Duration::from_secs(20)).await;
        held.admit(vec![job(2, 2)]);
        let due = held.due_for_renewal(Duration::from_secs(20));
        assert_eq!(due.iter().map(|hold| hold.job.0).collect::<Vec<_>>(), [1]);
        assert_eq!(held.due_for_renewal(Duration::from_secs(20)), due, "until it has worked");
        held.renewed(due.iter().copied(), Instant::now());
        assert!(held.due_for_renewal(Duration::from_secs(20)).is_empty());
    }

    #[tokio::test(start_paused = true)]
    async fn a_lease_that_was_not_renewed_is_not_relied_on() {
        let held = Held::default();
        held.admit(vec![job(1, 1)]);
        let (claimed, three_quarters) = (job(1, 1).hold, Duration::from_secs(45));
        assert_eq!(held.left(claimed, three_quarters), Some(three_quarters));
        tokio::time::advance(three_quarters).await;
        assert_eq!(held.left(claimed, three_quarters), None);
        held.renewed([claimed].into_iter(), Instant::now());
        assert_eq!(held.left(claimed, three_quarters), Some(three_quarters));
        assert_eq!(held.left(Hold { fence: Fence(2), ..claimed }, three_quarters), None);
    }

    #[tokio::test]
    async fn waiting_for_room_ends_when_there_is_room() {
        let held = std::sync::Arc::new(Held::default());
        held.admit(vec![job(1, 1), job(2, 2)]);
        let waiting = tokio::spawn({
            let held = std::sync::Arc::clone(&held);
            async move { held.at_most(1).await }
        });
        tokio::task::yield_now().await;
        assert!(!waiting.is_finished());
        held.finish(job(1, 1).hold, job(1, 1).subject);
        waiting.await.unwrap();
    }
}
