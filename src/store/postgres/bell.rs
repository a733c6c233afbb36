//! The bells that ring when jobs were taken in, when a service left something in the inbox, and when a provider was closed or
//! opened: `LISTEN` on a connection of its own, from the first time that someone waits.
//!
//! Invariant: a hint and nothing more. Whoever listens never gives up; what was rung meanwhile is found by looking.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use sqlx::Executor as _;
use sqlx::postgres::{PgConnectOptions, PgListener, PgPoolOptions};
use tokio::sync::Notify;
use tokio::task::AbortHandle;

use super::StoreError;

/// The channels' names, as parts of a statement.
macro_rules! channel {
    () => {
        "gleaner_jobs"
    };
}

macro_rules! gates {
    () => {
        "gleaner_gates"
    };
}

pub(super) use {channel, gates};

/// What `gleaner_enqueue` rings (a migration names it too).
const INBOX_CHANNEL: &str = "gleaner_inbox";

/// Between two tries to listen.
const SHORTEST_PAUSE: Duration = Duration::from_millis(100);
const LONGEST_PAUSE: Duration = Duration::from_secs(5);
/// A connection on which nothing came for so long is asked whether it is still there.
const SILENCE: Duration = Duration::from_mins(1);
const PATIENCE: Duration = Duration::from_secs(10);

/// What was rung since it was last waited for.
#[derive(Debug, Default)]
struct Rung {
    jobs: Notify,
    inbox: Notify,
    gates: Notify,
}

/// The bell for jobs, for whoever finds some in another way.
#[derive(Clone, Debug)]
pub(super) struct JobsBell(Arc<Rung>);

impl JobsBell {
    pub(super) fn ring(&self) {
        self.0.jobs.notify_one();
    }
}

#[derive(Debug)]
pub(super) struct Bell {
    /// None behind a pooler, which hands the connection on after every transaction.
    options: Option<PgConnectOptions>,
    rung: Arc<Rung>,
    listening: Mutex<Option<AbortHandle>>,
}

impl Bell {
    pub(super) fn new(options: PgConnectOptions) -> Self {
        let options = Some(options.application_name("gleaner listening"));
        Self { options, rung: Arc::default(), listening: Mutex::default() }
    }

    pub(super) fn behind_a_pooler() -> Self {
        Self { options: None, rung: Arc::default(), listening: Mutex::default() }
    }

    pub(super) fn for_jobs(&self) -> JobsBell {
        JobsBell(Arc::clone(&self.rung))
    }

    /// Ends when the bell for jobs rings, or has rung since the last time.
    pub(super) async fn jobs_rung(&self) {
        self.listen();
        self.rung.jobs.notified().await;
    }

    /// The same for the inbox.
    pub(super) async fn inbox_rung(&self) {
        self.listen();
        self.rung.inbox.notified().await;
    }

    /// The same for providers that were closed or opened.
    pub(super) async fn gates_rung(&self) {
        self.listen();
        self.rung.gates.notified().await;
    }

    pub(super) fn stop(&self) {
        if let Some(listening) = &*self.listening.lock().unwrap_or_else(PoisonError::into_inner) {
            listening.abort();
        }
    }

    fn listen(&self) {
        let mut listening = self.listening.lock().unwrap_or_else(PoisonError::into_inner);
        if listening.is_some() {
            return;
        }
        let task = if let Some(options) = &self.options {
            tokio::spawn(keep_listening(options.clone(), Arc::clone(&self.rung)))
        } else {
            tracing::info!(
                "behind a pooler nothing can be listened for; new jobs and closed providers are found by polling"
            );
            tokio::spawn(std::future::ready(()))
        };
        *listening = Some(task.abort_handle());
    }
}

impl Drop for Bell {
    fn drop(&mut self) {
        self.stop();
    }
}

async fn keep_listening(options: PgConnectOptions, rung: Arc<Rung>) {
    let mut pause = SHORTEST_PAUSE;
    let mut told = false;
    loop {
        let mut was_heard = false;
        let Err(error) = listen_once(&options, &rung, &mut was_heard).await;
        if was_heard {
            (pause, told) = (SHORTEST_PAUSE, false);
        }
        // Once: while the database is away, its other users say enough.
        if !told {
            tracing::info!(%error, "not listening for new jobs; they are found by polling until this works again");
            told = true;
        }
        tokio::time::sleep(pause).await;
        pause = (pause * 2).min(LONGEST_PAUSE);
    }
}

/// Listens until the connection fails.
async fn listen_once(
    options: &PgConnectOptions,
    rung: &Rung,
    was_heard: &mut bool,
) -> Result<std::convert::Infallible, StoreError> {
    let pool = PgPoolOptions::new()
        .max_connections(1)
        .acquire_timeout(PATIENCE)
        .idle_timeout(None)
        .max_lifetime(None)
        .connect_lazy_with(options.clone());
    let mut listener = PgListener::connect_with(&pool).await?;
    listener.eager_reconnect(false);
    listener.listen_all([channel!(), INBOX_CHANNEL, gates!()]).await?;
    *was_heard = true;
    // What happened before this moment rang for nobody.
    for bell in [&rung.jobs, &rung.inbox, &rung.gates] {
        bell.notify_one();
    }
    loop {
        let Ok(heard) = tokio::time::timeout(SILENCE, listener.try_recv()).await else {
            let asked = tokio::time::timeout(PATIENCE, listener.execute("SELECT 1")).await;
            asked.map_err(|_| StoreError::Unavailable("the connection is silent".to_owned()))??;
            continue;
        };
        match heard? {
            None => return Err(StoreError::Unavailable("the connection was lost".to_owned())),
            Some(heard) if heard.channel() == INBOX_CHANNEL => rung.inbox.notify_one(),
            Some(heard) if heard.channel() == gates!() => rung.gates.notify_one(),
            Some(_) => rung.jobs.notify_one(),
        }
    }
}
