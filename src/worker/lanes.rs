//! Two lanes to the committer: who registered just now does not stand behind the members of a replay.
//!
//! Invariant: pure but for the wait.

use tokio::sync::mpsc::{self, Receiver, Sender};

use super::committer::Writing;
use crate::job::Claimed;

/// Where writings are handed in. Each lane holds so many; then whoever hands in waits. There is one of it: its senders are counted.
#[derive(Debug)]
pub(super) struct Lanes {
    urgent: Sender<Writing>,
    patient: Sender<Writing>,
}

/// Where they come out.
#[derive(Debug)]
pub(super) struct Arriving {
    urgent: Receiver<Writing>,
    patient: Receiver<Writing>,
}

pub(super) fn lanes(capacity: usize) -> (Lanes, Arriving) {
    let (urgent_in, urgent) = mpsc::channel(capacity);
    let (patient_in, patient) = mpsc::channel(capacity);
    (Lanes { urgent: urgent_in, patient: patient_in }, Arriving { urgent, patient })
}

impl Lanes {
    /// The lane of this job, until the sender is dropped.
    pub(super) fn of(&self, job: &Claimed) -> Sender<Writing> {
        if job.is_fresh() { self.urgent.clone() } else { self.patient.clone() }
    }
}

impl Arriving {
    /// Waits for something to write, and takes what is there along, `most` at most. Returns how large the group may still grow, if that
    /// is worth waiting for; `None` once every sender is gone.
    pub(super) async fn group(&mut self, taken: &mut Vec<Writing>, most: usize) -> Option<usize> {
        tokio::select! {
            biased;
            Some(writing) = self.urgent.recv() => {
                taken.push(writing);
                take(&mut self.urgent, taken, most);
                Some(if self.patient.is_empty() { most } else { taken.len() })
            }
            Some(writing) = self.patient.recv() => {
                taken.push(writing);
                // Small groups while a registration is on its way (any sender but that of `Lanes`): it will not wait long for the
                // end of this one.
                let is_awaited = self.urgent.sender_strong_count() > 1;
                let most = if is_awaited { most / 4 } else { most };
                take(&mut self.patient, taken, most);
                Some(if is_awaited { taken.len() } else { most })
            }
            else => None,
        }
    }

    /// Takes along what has come meanwhile, the urgent first.
    pub(super) fn more(&mut self, taken: &mut Vec<Writing>, most: usize) {
        take(&mut self.urgent, taken, most);
        take(&mut self.patient, taken, most);
    }
}

fn take(lane: &mut Receiver<Writing>, taken: &mut Vec<Writing>, most: usize) {
    while taken.len() < most
        && let Ok(writing) = lane.try_recv()
    {
        taken.push(writing);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::job::{Fence, Hold, JobId};
    use crate::keyring::SubjectKey;
    use crate::worker::held::tests::job;

    fn writing(id: i64) -> Writing {
        let hold = Hold { job: JobId(id), fence: Fence(1) };
        Writing::Lost { hold, subject: SubjectKey::from_bytes([1; 32]) }
    }

    fn ids(taken: &mut Vec<Writing>) -> Vec<i64> {
        let id = |writing| match writing {
            Writing::Lost { hold, .. } => hold.job.0,
            other => panic!("not handed in: {other:?}"),
        };
        taken.drain(..).map(id).collect()
    }

    #[tokio::test]
    async fn a_registration_is_written_before_the_replay_and_nothing_is_lost() {
        let (lanes, mut arriving) = lanes(16);
        let fresh = job(1, 1);
        let replayed = Claimed { priority: 1_000, ..job(2, 2) };
        for id in 100..112 {
            lanes.of(&replayed).try_send(writing(id)).unwrap();
        }
        let mut taken = Vec::new();
        assert_eq!(arriving.group(&mut taken, 4).await, Some(4), "nobody else is on the way: a whole group");
        assert_eq!(ids(&mut taken), [100, 101, 102, 103]);

        let registration = lanes.of(&fresh);
        assert_eq!(arriving.group(&mut taken, 8).await, Some(2), "small ones, and no lingering");
        assert_eq!(ids(&mut taken), [104, 105]);

        registration.try_send(writing(1)).unwrap();
        registration.try_send(writing(2)).unwrap();
        assert_eq!(arriving.group(&mut taken, 8).await, Some(2), "by themselves, at once");
        assert_eq!(ids(&mut taken), [1, 2]);

        drop(registration);
        assert_eq!(arriving.group(&mut taken, 8).await, Some(8));
        assert_eq!(ids(&mut taken), [106, 107, 108, 109, 110, 111]);

        lanes.of(&fresh).try_send(writing(3)).unwrap();
        assert_eq!(
            arriving.group(&mut taken, 8).await,
            Some(8),
            "registrations wait for company among themselves"
        );
        lanes.of(&replayed).try_send(writing(112)).unwrap();
        lanes.of(&fresh).try_send(writing(4)).unwrap();
        arriving.more(&mut taken, 3);
        assert_eq!(ids(&mut taken), [3, 4, 112]);

        lanes.of(&replayed).try_send(writing(113)).unwrap();
        drop(lanes);
        assert_eq!(arriving.group(&mut taken, 8).await, Some(8), "what was handed in is not lost");
        assert_eq!(ids(&mut taken), [113]);
        assert_eq!(arriving.group(&mut taken, 8).await, None);
    }
}
