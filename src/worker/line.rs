//! Where members stand until there is a place to run them: the most urgent first, and of equals whoever came first.
//!
//! Jobs are claimed ahead, so that someone who registers meanwhile comes after members of a replay who were claimed before.
//!
//! Invariant: pure but for the wait.

use std::collections::BTreeMap;

use tokio::sync::mpsc::UnboundedReceiver;

use super::claimer::Ready;

#[derive(Debug)]
pub(super) struct Line {
    arriving: UnboundedReceiver<Ready>,
    /// By priority and number.
    standing: BTreeMap<(i16, u64), Ready>,
    number: u64,
}

impl Line {
    pub(super) const fn of(arriving: UnboundedReceiver<Ready>) -> Self {
        Self { arriving, standing: BTreeMap::new(), number: 0 }
    }

    /// The next one to run; `None` when nobody is left and nobody can come any more. Nobody is lost when the wait is given up.
    pub(super) async fn next(&mut self) -> Option<Ready> {
        while let Ok(ready) = self.arriving.try_recv() {
            self.number += 1;
            self.standing.insert((ready.job.priority, self.number), ready);
        }
        match self.standing.pop_first() {
            Some((_, next)) => Some(next),
            None => self.arriving.recv().await,
        }
    }
}

#[cfg(test)]
mod tests {
    use tokio::sync::mpsc;

    use super::*;
    use crate::worker::held::tests::job;

    #[tokio::test]
    async fn a_registration_overtakes_replays_that_were_claimed_before() {
        let (arrive, arriving) = mpsc::unbounded_channel();
        let mut line = Line::of(arriving);
        let join = |id, priority| {
            let mut job = job(id, 1);
            job.priority = priority;
            arrive.send(Ready { job, stored: Vec::new() }).unwrap();
        };
        for id in [4, 2, 3] {
            join(id, 1_000);
        }
        join(1, 0);
        let mut order = vec![line.next().await.unwrap().job.hold.job.0];
        join(9, 2_000);
        join(5, 0);
        drop(arrive);
        while let Some(next) = line.next().await {
            order.push(next.job.hold.job.0);
        }
        assert_eq!(order, [1, 5, 4, 2, 3, 9]);
    }
}
