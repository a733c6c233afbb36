//! Where a claim begins to search.
//!
//! A job that was claimed leaves its entry in the index of waiting jobs until no snapshot can see it any more. A reader that holds
//! one for ten minutes keeps them all, and a claim that began at the front of the index would read each of them. So it begins at
//! a mark for each level of priority. A look at everything, which does read them all, is taken beside claims, the more rarely the
//! longer it takes.
//!
//! Invariant: a mark is no later than the oldest job that waited at the last look, and five seconds earlier than that look at
//! least. What was put back with an older time since (released, rescued), comes out of a transaction that was open for longer, or is of
//! a new level, is found by the next look: within [`LONGEST_PAUSE`]; while looks are quick, before a claim says that nothing waits.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use sqlx::Row as _;
use tokio::time::Instant;

use super::StoreError;
use super::bell::JobsBell;
use super::rows::Moment;
use super::session::Sessions;
use crate::store::due;

/// What comes in is dated when its statement begins, and seen when its transaction ends.
macro_rules! slack {
    () => {
        "interval '5 seconds'"
    };
}

/// Looks may take a fiftieth of the time.
const PAUSE_FOR_EACH: u32 = 50;
const SHORTEST_PAUSE: Duration = Duration::from_millis(500);
const LONGEST_PAUSE: Duration = Duration::from_secs(10);
/// A claim that finds nothing waits for a look where the last one took no longer.
const QUICK: Duration = Duration::from_millis(5);

/// Registrations have a mark also while none waits: the next one comes at that level.
const LOOK: &str = concat!(
    due::levels!(),
    "
    SELECT
        level.priority,
        least(
            (SELECT min(run_at) FROM enrichment_jobs WHERE state = 'waiting' AND priority = level.priority),
            coalesce($1, statement_timestamp()) - ",
    slack!(),
    "
        ) AS mark
    FROM (SELECT priority FROM level WHERE priority IS NOT NULL UNION SELECT 0::smallint) AS level
    ORDER BY level.priority"
);

/// The levels of priority in their order, each with the time from which on its waiting jobs are searched.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub(super) struct Marks {
    pub(super) levels: Vec<i16>,
    pub(super) since: Vec<Moment>,
}

impl Marks {
    /// Whether these let a claim find what the others hide.
    pub(super) fn reach_further_than(&self, others: &Self) -> bool {
        let other =
            |level| others.levels.iter().position(|known| known == level).map(|at| others.since[at].0);
        let mut marks = self.levels.iter().zip(&self.since);
        marks.any(|(level, mark)| other(level).is_none_or(|other| mark.0 < other))
    }
}

/// What one process knows of the front of the queue.
#[derive(Clone, Debug)]
pub(super) struct Front {
    sessions: Sessions,
    bell: JobsBell,
    seen: Arc<Mutex<Seen>>,
}

#[derive(Debug)]
struct Seen {
    marks: Option<Marks>,
    took: Duration,
    next_look: Instant,
}

impl Front {
    pub(super) fn new(sessions: Sessions, bell: JobsBell) -> Self {
        let seen = Seen { marks: None, took: Duration::ZERO, next_look: Instant::now() };
        Self { sessions, bell, seen: Arc::new(Mutex::new(seen)) }
    }

    /// The marks of the last look, or of one taken now where there was none, or where the caller's clock decides (`now`).
    pub(super) async fn marks(&self, now: Option<Moment>) -> Result<Marks, StoreError> {
        let known = self.seen().marks.clone().filter(|_| now.is_none());
        match known {
            Some(marks) => Ok(marks),
            None => self.look(now).await,
        }
    }

    /// A claim found nothing: the marks of another look, where that is quickly done. A slow one is taken beside what comes next.
    pub(super) async fn look_again(&self, now: Option<Moment>) -> Option<Marks> {
        let was_quick = self.seen().took <= QUICK;
        if was_quick && now.is_none() {
            // A database that is away fails the next claim, which says so.
            return self.look(now).await.ok();
        }
        self.look_beside(now);
        None
    }

    /// Takes another look beside what comes next, if it is time for one. It rings where the next claim may find more.
    pub(super) fn look_beside(&self, now: Option<Moment>) {
        if now.is_some() || !self.begin() {
            return;
        }
        let front = self.clone();
        tokio::spawn(async move {
            let before = front.seen().marks.clone().unwrap_or_default();
            if front.look(None).await.is_ok_and(|marks| marks.reach_further_than(&before)) {
                front.bell.ring();
            }
        });
    }

    /// Whether it is time for a look, which nobody else begins then.
    fn begin(&self) -> bool {
        let mut seen = self.seen();
        let now = Instant::now();
        let is_time = seen.next_look <= now;
        if is_time {
            seen.next_look = now + LONGEST_PAUSE;
        }
        is_time
    }

    async fn look(&self, now: Option<Moment>) -> Result<Marks, StoreError> {
        let mut session = self.sessions.alone().await?;
        let began = Instant::now();
        let query = session.query(LOOK).bind(now);
        let mut marks = Marks::default();
        for row in session.rows(query).await? {
            marks.levels.push(row.try_get("priority")?);
            marks.since.push(row.try_get("mark")?);
        }
        session.end().await?;
        let took = began.elapsed();
        let pause = (took * PAUSE_FOR_EACH).clamp(SHORTEST_PAUSE, LONGEST_PAUSE);
        *self.seen() = Seen { marks: Some(marks.clone()), took, next_look: Instant::now() + pause };
        Ok(marks)
    }

    fn seen(&self) -> std::sync::MutexGuard<'_, Seen> {
        self.seen.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use jiff::Timestamp;

    use super::*;

    fn marks(of: &[(i16, i64)]) -> Marks {
        let moment = |second| Moment(Timestamp::from_second(second).unwrap());
        Marks {
            levels: of.iter().map(|(level, _)| *level).collect(),
            since: of.iter().map(|(_, second)| moment(*second)).collect(),
        }
    }

    #[test]
    fn a_new_level_or_an_older_job_is_worth_another_claim() {
        let known = marks(&[(0, 100), (20, 50)]);
        assert!(!known.reach_further_than(&known));
        assert!(!marks(&[(0, 101)]).reach_further_than(&known));
        assert!(marks(&[(0, 101), (10, 200)]).reach_further_than(&known));
        assert!(marks(&[(0, 101), (20, 49)]).reach_further_than(&known));
    }
}
