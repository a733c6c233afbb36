//! A broker that tests can publish to, and a store behind its door.

use std::sync::Arc;

use async_trait::async_trait;
use gleaner::clock::SystemClock;
use gleaner::intake::broker::{Report, Summary};
use gleaner::intake::doors::{Door, DoorError, Reception};
use gleaner::keyring::Keyring;
use gleaner::store::sqlite::SqliteStore;
use gleaner::store::{Census, DeadLetter, Page, SharedStore};
use tokio::sync::watch;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

use crate::faulty::{AtTheDoor, Faulty};
use crate::support::until;

/// How a test gathers: small batches, so that there are many.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Tuning {
    pub(crate) batch: u32,
    /// The most messages in hand.
    pub(crate) prefetch: u32,
    /// What is not acknowledged for so long comes again (seconds).
    pub(crate) ack_wait: u32,
    pub(crate) create: bool,
    pub(crate) max_waiting: u32,
}

impl Default for Tuning {
    fn default() -> Self {
        Self { batch: 50, prefetch: 100, ack_wait: 30, create: false, max_waiting: 1_000_000 }
    }
}

/// A real broker with a place of this test's own, a stream or a queue.
#[async_trait]
pub(crate) trait TestBroker: Sized + Send + Sync {
    const NAME: &'static str;

    /// At the server that all tests share.
    async fn shared() -> Self;

    /// At a server of this test's own, which may be crashed.
    async fn private() -> Self;

    /// Kills the private server and starts it again.
    async fn crash(&self);

    /// Kills the private server.
    async fn stop(&self);

    /// Starts the private server again.
    async fn start_again(&self);

    /// Sends a message and waits until the broker has acknowledged it; tells whether it did.
    async fn publish(&self, id: Option<&str>, body: &[u8]) -> bool;

    /// Messages that wait and are in nobody's hand.
    async fn waiting(&self) -> u64;

    /// Messages that were not acknowledged to the broker. Ask when no door is open.
    async fn left(&self) -> u64;

    /// Removes the stream or the queue.
    async fn remove(&self);

    /// Makes it again.
    async fn make(&self);

    async fn open(
        &self,
        reception: &Reception,
        report: Arc<Report>,
        tuning: Tuning,
    ) -> Result<Box<dyn Door>, DoorError>;

    /// The part of a configuration that opens the door.
    fn config(&self) -> String;
}

/// A name that nobody else uses.
pub(crate) fn a_name(prefix: &str) -> String {
    format!("{prefix}{}", gleaner::keyring::incarnation().unwrap().replace('-', "x"))
}

/// A store with a switch at its door.
pub(crate) struct Behind {
    pub(crate) store: SharedStore,
    pub(crate) switch: watch::Sender<AtTheDoor>,
    reception: Reception,
    _folder: tempfile::TempDir,
}

/// A door that serves.
pub(crate) struct Serving {
    pub(crate) report: Arc<Report>,
    stop: CancellationToken,
    task: JoinHandle<Result<(), DoorError>>,
}

impl Behind {
    pub(crate) async fn new() -> Self {
        Self::with(|faulty| faulty).await
    }

    /// With more faults than the switch.
    pub(crate) async fn with(faults: impl FnOnce(Faulty) -> Faulty) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let keyring = Arc::new(Keyring::from_bytes([7; 32]));
        let path = folder.path().join("gleaner.db");
        let store: SharedStore = Arc::new(SqliteStore::open(path, &keyring.fingerprint()).await.unwrap());
        let (switch, switched) = watch::channel(AtTheDoor::Open);
        let guarded: SharedStore = Arc::new(faults(Faulty::over(Arc::clone(&store)).switched(switched)));
        let remember = jiff::SignedDuration::from_hours(72);
        let reception = Reception { store: guarded, keyring, clock: SystemClock::shared(), remember };
        Self { store, switch, reception, _folder: folder }
    }

    pub(crate) async fn try_open(
        &self,
        broker: &impl TestBroker,
        tuning: Tuning,
    ) -> Result<Serving, DoorError> {
        let report = Arc::<Report>::default();
        let door = broker.open(&self.reception, Arc::clone(&report), tuning).await?;
        let stop = CancellationToken::new();
        Ok(Serving { report, task: tokio::spawn(door.serve(stop.clone())), stop })
    }

    pub(crate) async fn open(&self, broker: &impl TestBroker, tuning: Tuning) -> Serving {
        self.try_open(broker, tuning).await.unwrap()
    }

    /// The census, which adds up at every moment.
    pub(crate) async fn census(&self) -> Census {
        let census = self.store.census().await.unwrap();
        assert!(census.adds_up(), "{census:?}");
        census
    }

    pub(crate) async fn dead_letters(&self) -> Vec<DeadLetter> {
        self.store.dead_letters(Page { limit: 1_000, before: None }).await.unwrap()
    }
}

impl Serving {
    pub(crate) async fn until(&self, what: &str, is_so: impl Fn(&Summary) -> bool) -> Summary {
        until(what, async || self.report.summary(), is_so).await
    }

    /// Stops in order: what is in hand is finished.
    pub(crate) async fn shut(self) -> Summary {
        self.stop.cancel();
        self.task.await.unwrap().unwrap();
        self.report.summary()
    }

    /// Asks to stop, and does not wait.
    pub(crate) fn ask_to_stop(&self) {
        self.stop.cancel();
    }

    /// Ends in the middle of everything, as a process that is killed.
    pub(crate) async fn kill(self) {
        self.task.abort();
        assert!(self.task.await.unwrap_err().is_cancelled());
    }

    pub(crate) fn is_over(&self) -> bool {
        self.task.is_finished()
    }
}

/// The registration of member `m<n>`.
pub(crate) fn message(n: u32) -> String {
    format!(r#"{{"member_id":"m{n}","email":"member{n}@example.com"}}"#)
}
