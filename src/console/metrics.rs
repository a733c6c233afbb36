//! `GET /metrics` for Prometheus, `/healthz` and `/readyz` for probes: everything in one read of the store, so that any process of a fleet tells all of it.
//!
//! Invariant: however often it is scraped, the store is read once in `refresh_secs`.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use axum::Router;
use axum::extract::State;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use gleaner_providers::catalog::Row;
use jiff::Timestamp;
use tokio::net::TcpListener;
use tokio::sync::Mutex;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use crate::clock::SharedClock;
use crate::config::{Budget, Config};
use crate::intake::doors::{Door, DoorError, Reception};
use crate::store::batches::QueueAge;
use crate::store::fleet::{GateState, Usage, WorkerSeen};
use crate::store::{Census, LookupTotals, SharedStore, StoreError};

mod text;

const NAME: &str = "metrics";
/// A probe does not wait longer.
const READY_WITHIN: Duration = Duration::from_secs(2);

/// The open listener.
#[derive(Debug)]
pub struct MetricsListener {
    listener: TcpListener,
    board: Arc<Board>,
}

/// What all scrapes share.
#[derive(Debug)]
struct Board {
    store: SharedStore,
    clock: SharedClock,
    refresh: Duration,
    /// What may be used of each provider, where that is limited.
    budgets: BTreeMap<String, Budget>,
    /// The last reading. Held while the store is read: of scrapes that come at once, one reads and the others take what it found.
    last: Mutex<Option<(Instant, Arc<str>)>>,
}

/// What the store says at one moment.
#[derive(Clone, Debug)]
struct Reading {
    now: Timestamp,
    census: Census,
    lookups: Vec<LookupTotals>,
    usage: Vec<Usage>,
    age: QueueAge,
    batches: BTreeMap<&'static str, u64>,
    gates: Vec<GateState>,
    workers: Vec<WorkerSeen>,
    budgets: BTreeMap<String, Budget>,
}

impl MetricsListener {
    /// Takes the address; `None` where none is configured.
    pub async fn open(config: &Config, reception: &Reception) -> Result<Option<Self>, DoorError> {
        let Some(listen) = config.metrics.listen else { return Ok(None) };
        let listener = TcpListener::bind(listen).await.map_err(|error| DoorError::Opening {
            door: NAME,
            reason: format!("cannot listen on {listen}: {error}"),
        })?;
        let board = Board {
            store: Arc::clone(&reception.store),
            clock: Arc::clone(&reception.clock),
            refresh: config.metrics.refresh(),
            budgets: budgets(config),
            last: Mutex::new(None),
        };
        Ok(Some(Self { listener, board: Arc::new(board) }))
    }

    /// Where it listens: the port that was given where the settings ask for any (`:0`).
    pub fn address(&self) -> std::io::Result<SocketAddr> {
        self.listener.local_addr()
    }
}

#[async_trait]
impl Door for MetricsListener {
    fn name(&self) -> &'static str {
        NAME
    }

    async fn serve(self: Box<Self>, stop: CancellationToken) -> Result<(), DoorError> {
        let router = Router::new()
            .route("/metrics", get(scrape))
            .route("/healthz", get(|| async { "alive\n" }))
            .route("/readyz", get(ready))
            .with_state(self.board);
        let serving = axum::serve(self.listener, router).with_graceful_shutdown(stop.cancelled_owned());
        serving.await.map_err(|error| DoorError::Ended { door: NAME, reason: error.to_string() })
    }
}

/// Whether the database answers.
async fn ready(State(board): State<Arc<Board>>) -> Response {
    match tokio::time::timeout(READY_WITHIN, board.store.backlog(1)).await {
        Ok(Ok(_)) => "ready\n".into_response(),
        Ok(Err(_)) | Err(_) => {
            (StatusCode::SERVICE_UNAVAILABLE, "the database does not answer\n").into_response()
        }
    }
}

async fn scrape(State(board): State<Arc<Board>>) -> Response {
    match board.text().await {
        Ok(text) => ([(header::CONTENT_TYPE, "text/plain; version=0.0.4; charset=utf-8")], text.to_string())
            .into_response(),
        Err(error) => {
            tracing::warn!(%error, "metrics cannot be read");
            (StatusCode::SERVICE_UNAVAILABLE, "the database cannot be read\n").into_response()
        }
    }
}

impl Board {
    async fn text(&self) -> Result<Arc<str>, StoreError> {
        let mut last = self.last.lock().await;
        if let Some((at, text)) = last.as_ref()
            && at.elapsed() < self.refresh
        {
            return Ok(Arc::clone(text));
        }
        let text: Arc<str> = text::render(&self.read().await?).into();
        *last = Some((Instant::now(), Arc::clone(&text)));
        Ok(text)
    }

    async fn read(&self) -> Result<Reading, StoreError> {
        let now = self.clock.now();
        let pulse = self.store.pulse(now).await?;
        let mut batches = BTreeMap::new();
        for batch in self.store.batches(now).await? {
            *batches.entry(batch.state.as_str()).or_default() += 1;
        }
        Ok(Reading {
            now: pulse.now,
            census: self.store.census().await?,
            lookups: self.store.lookup_totals().await?,
            usage: self.store.usage(now).await?,
            age: self.store.queue_age(now).await?,
            batches,
            gates: pulse.gates,
            workers: self.store.workers(now).await?,
            budgets: self.budgets.clone(),
        })
    }
}

fn budgets(config: &Config) -> BTreeMap<String, Budget> {
    let budget = |row: &Row| (row.name().to_owned(), config.provider(row.name()).budget(&row.descriptor()));
    config.catalog.rows().map(budget).collect()
}
