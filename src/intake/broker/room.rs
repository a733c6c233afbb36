//! Back-pressure: while too many jobs are waiting, messages stay at the broker.
//!
//! Invariant: counting costs next to nothing while there is room, because one count answers for many messages.

use std::time::Duration;

use tokio_util::sync::CancellationToken;

use super::super::doors::Reception;

/// How often it is looked whether there is room again.
const LOOK_EVERY: Duration = Duration::from_secs(1);
/// One count answers for at least so many batches where there is room for them.
const BATCHES: u64 = 10;

/// How many more registrations may come before the waiting jobs are counted again.
#[derive(Debug)]
pub(super) struct Room {
    max_waiting: u64,
    batch: u64,
    left: u64,
}

impl Room {
    pub(super) fn new(max_waiting: u32, batch: usize) -> Self {
        Self { max_waiting: max_waiting.into(), batch: batch as u64, left: 0 }
    }

    /// Waits until there is room, or until told to stop.
    pub(super) async fn wait(&mut self, door: &'static str, reception: &Reception, stop: &CancellationToken) {
        let mut full = false;
        while self.left == 0 && !stop.is_cancelled() {
            match reception.store.backlog(self.max_waiting).await {
                Ok(waiting) if waiting >= self.max_waiting => {
                    if !full {
                        tracing::warn!(
                            door,
                            waiting,
                            "enough jobs are waiting: messages stay at the broker until there is room"
                        );
                    }
                    full = true;
                    tokio::select! {
                        () = tokio::time::sleep(LOOK_EVERY) => {}
                        () = stop.cancelled() => {}
                    }
                }
                Ok(waiting) => self.left = self.share(self.max_waiting - waiting),
                // The next batch finds out, and waits with what it has in hand.
                Err(_) => self.left = 1,
            }
        }
        if full && self.left > 0 {
            tracing::info!(door, "there is room again");
        }
    }

    /// What was taken in.
    pub(super) fn take(&mut self, registrations: usize) {
        self.left = self.left.saturating_sub(registrations as u64);
    }

    /// Others fill the room as well: the closer it is to full, the sooner it is counted again.
    fn share(&self, free: u64) -> u64 {
        free.min((free / 10).max(self.batch * BATCHES))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_count_answers_for_a_tenth_of_what_is_free_or_for_ten_batches() {
        let room = Room::new(1_000_000, 200);
        let shares = [1_000_000, 100_000, 2_500, 1_999, 1].map(|free| room.share(free));
        assert_eq!(shares, [100_000, 10_000, 2_000, 1_999, 1]);
    }
}
