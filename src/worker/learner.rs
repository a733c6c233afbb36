//! Keeps what this worker knows of providers up to date, where it orders them itself.
//!
//! Invariant: a database that is away changes nothing here; what was learned last holds.

use std::sync::Arc;
use std::time::Duration;

use tokio::time::MissedTickBehavior;
use tokio_util::sync::CancellationToken;

use crate::config::Order;
use crate::enrich::merge::{ENOUGH_ANSWERS, Sources};
use crate::enrich::{Beliefs, Enricher};
use crate::store::SharedStore;

/// How often the ledger is read: it tells what the whole fleet has learned.
const OFTEN: Duration = Duration::from_secs(15);

/// How often answers in stock are weighed against each other.
const SELDOM: Duration = Duration::from_mins(10);

/// Learns from the answers in stock how far each provider is to be believed when they are merged.
pub(super) async fn believe(store: SharedStore, enricher: Arc<Enricher>, enough: CancellationToken) {
    let mut ticks = tokio::time::interval(SELDOM);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        let round = async {
            ticks.tick().await;
            weigh_stock(&store, enricher.beliefs()).await;
        };
        tokio::select! {
            () = round => {}
            () = enough.cancelled() => return,
        }
    }
}

/// Learns it once.
pub async fn weigh_stock(store: &SharedStore, beliefs: &Beliefs) {
    let answers = match store.sample_answers(ENOUGH_ANSWERS).await {
        Ok(answers) => answers,
        Err(error) => return tracing::debug!(%error, "the answers in stock could not be read"),
    };
    // A second of reckoning would keep others from this thread.
    match tokio::task::spawn_blocking(move || Sources::of_answers(&answers)).await {
        Ok(sources) => beliefs.replace(sources),
        Err(error) => tracing::debug!(%error, "nothing could be learned of the answers in stock"),
    }
}

pub(super) async fn learn(store: SharedStore, enricher: Arc<Enricher>, enough: CancellationToken) {
    if enricher.market().order() == Order::Fixed {
        return;
    }
    let mut ticks = tokio::time::interval(OFTEN);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        tokio::select! {
            _ = ticks.tick() => {}
            () = enough.cancelled() => return,
        }
        match store.lessons().await {
            Ok(lessons) => enricher.market().learn(&lessons),
            Err(error) => tracing::debug!(%error, "nothing new could be learned"),
        }
    }
}

#[cfg(test)]
mod tests {
    use gleaner_providers::{Assurance, BirthInterval, Claim, Confidence, Finding};
    use jiff::Timestamp;
    use jiff::civil::date;

    use super::*;
    use crate::clock::ManualClock;
    use crate::config::Config;
    use crate::enrich::{Panel, Policy};
    use crate::job::{Answer, AnswerContent, Fence, Hold, JobId, Paid};
    use crate::keyring::SubjectKey;
    use crate::member::MemberId;
    use crate::store::sqlite::SqliteStore;

    fn answer(subject: u8, provider: &str, year: i16) -> Answer {
        let value = BirthInterval::from_year(year, date(2026, 1, 1)).unwrap();
        let claim = Claim::new(value, Confidence::literal(0.6), Assurance::Broker);
        Answer {
            subject: SubjectKey::from_bytes([subject; 32]),
            provider: provider.to_owned(),
            content: AnswerContent::Match(Finding { birth: Some(claim), ..Finding::default() }),
            cost_micros: 0,
            fetched_at: Timestamp::UNIX_EPOCH,
            expires_at: Timestamp::MAX,
        }
    }

    /// A running worker merges with what the answers in stock have taught it; while they cannot be read, with what it knew.
    #[tokio::test]
    async fn the_answers_in_stock_teach_whom_to_believe() {
        let store: SharedStore = Arc::new(SqliteStore::open(SqliteStore::MEMORY, "key").await.unwrap());
        let policy = Policy::from_config(&Config::default());
        let clock = ManualClock::at(Timestamp::UNIX_EPOCH);
        let enricher = Arc::new(Enricher::new(Panel::of_tiers(Vec::new()), policy, clock));
        let believed = || {
            let report = enricher.beliefs().now().report();
            let of = |name: &str| report.iter().find(|one| one.provider == name).map(|one| one.accuracy);
            (of("good"), of("poor"))
        };
        weigh_stock(&store, enricher.beliefs()).await;
        assert_eq!(believed(), (None, None), "nothing is in stock");

        for subject in 0..120_u8 {
            let year = 1950 + i16::from(subject) % 40;
            let wrong = if subject % 2 == 0 { year } else { 1992 + i16::from(subject) % 9 };
            let told = [("good", year), ("fine", year), ("poor", wrong)];
            let paid = told.map(|(provider, year)| Paid {
                hold: Hold { job: JobId(1), fence: Fence(1) },
                member: MemberId::parse("m-1").unwrap(),
                answer: answer(subject, provider, year),
                entry: None,
            });
            store.save_paid(&paid).await.unwrap();
        }
        let enough = CancellationToken::new();
        let learning = tokio::spawn(believe(Arc::clone(&store), Arc::clone(&enricher), enough.clone()));
        while believed().0.is_none() {
            tokio::task::yield_now().await;
        }
        enough.cancel();
        learning.await.unwrap();
        let (good, poor) = believed();
        assert!(good > Some(0.9) && poor < Some(0.65), "{good:?} {poor:?}");

        store.close().await;
        weigh_stock(&store, enricher.beliefs()).await;
        assert_eq!(believed(), (good, poor), "a store that is away takes nothing back");
    }
}
