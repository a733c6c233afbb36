//! Where this process's callers meet the quota that is shared with others: asks for slots ahead of need, and hands them out.
//!
//! Invariant: one question at a time, asked by a task of its own, so that a caller who gives up leaves nothing half asked. No
//! lock is held while anything is awaited.

use std::borrow::Cow;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::Notify;

use super::hand::{Hand, Moment, Turn};
use super::shared::{Pace, SharedQuota, nanos};
use super::{AtomicMoment, TokioClock};

/// One provider's slots and the way to more.
#[derive(Debug)]
pub(super) struct Desk {
    quota: Arc<dyn SharedQuota>,
    clock: TokioClock,
    hand: Mutex<Hand>,
    /// Told whenever the head of the queue should look again.
    pub(super) news: Notify,
    /// Until when the provider is closed for everybody; unlike a pause, it can be taken back.
    closed_until: AtomicMoment,
}

impl Desk {
    pub(super) fn new(quota: Arc<dyn SharedQuota>, pace: Pace, clock: TokioClock) -> Arc<Self> {
        Arc::new(Self {
            quota,
            clock,
            hand: Mutex::new(Hand::new(pace)),
            news: Notify::new(),
            closed_until: AtomicMoment::default(),
        })
    }

    /// When the head of the queue may leave; asks for more slots where so many waiting callers will need them.
    pub(super) fn turn(self: &Arc<Self>, now: Duration, waiting: u32) -> Turn {
        let now = nanos(now);
        let mut hand = self.hand();
        let turn = hand.turn(now);
        let Some(ask) = hand.ask(now, waiting) else { return turn };
        drop(hand);
        let desk = Arc::clone(self);
        tokio::spawn(async move {
            let grant = desk.quota.grant(ask).await;
            let answered = nanos(desk.clock.elapsed());
            desk.hand().take(now, answered, grant);
            desk.news.notify_waiters();
        });
        if matches!(turn, Turn::Perhaps(_)) { Turn::Perhaps(Moment::MAX) } else { turn }
    }

    /// Uses the slot that [`Self::turn`] has shown.
    pub(super) fn spend(&self, now: Duration) {
        self.hand().spend(nanos(now));
    }

    /// Tells everybody that nobody may call for so long.
    pub(super) fn stay_away(&self, wait: Duration, why: Cow<'static, str>) {
        self.quota.stay_away(wait, why);
    }

    /// Closes the provider for so long, or opens it.
    pub(super) fn close_for(&self, wait: Option<Duration>) {
        let until = wait.map_or(Duration::ZERO, |wait| self.clock.elapsed().saturating_add(wait));
        let before = self.closed_until.get();
        self.closed_until.set(until);
        if until < before {
            self.reopen();
        }
    }

    /// Looks anew, whatever was known before.
    pub(super) fn reopen(&self) {
        self.hand().reopen();
        self.news.notify_waiters();
    }

    /// Until when nothing can be had, as far as is known.
    pub(super) fn closed_until(&self) -> Duration {
        let told = Duration::from_nanos(u64::try_from(self.hand().closed_until()).unwrap_or(0));
        told.max(self.closed_until.get())
    }

    /// Until when the provider is closed for everybody.
    pub(super) fn shut_until(&self) -> Duration {
        self.closed_until.get()
    }

    fn hand(&self) -> MutexGuard<'_, Hand> {
        self.hand.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
