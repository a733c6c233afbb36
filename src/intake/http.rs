//! The HTTP door: `POST /v1/registrations`, and where a member is.
//!
//! ```text
//! connection ─► server ─► guard ─► registrations ─► body ─► backlog ─► group ─► store
//!               slots,     host,    permit,          JSON    429        one commit for many
//!               timeouts   token    Idempotency-Key  422
//! ```
//!
//! The document that callers read, `http/openapi.json`, is served and tested against.
//!
//! Invariant: 202 only after our commit. No answer and no log line shows anything of a request but member ids.

use std::net::SocketAddr;
use std::sync::Arc;

use async_trait::async_trait;
use axum::Router;
use axum::extract::DefaultBodyLimit;
use axum::middleware;
use axum::routing::{get, post};
use futures_util::future::BoxFuture;
use tokio::net::TcpListener;
use tokio::sync::Semaphore;
use tokio_util::sync::CancellationToken;

use super::doors::{Door, DoorError, Reception};
use super::group::Group;
use crate::config::{Config, Http};

mod answer;
mod backlog;
mod body;
mod guard;
mod health;
mod idempotency;
mod limits;
mod registrations;
mod server;
mod tokens;

const NAME: &str = "http";

/// The open HTTP door.
pub struct HttpDoor {
    listener: TcpListener,
    desk: Arc<Desk>,
    settings: Http,
    writing: BoxFuture<'static, ()>,
}

/// What every request shares.
struct Desk {
    settings: Http,
    reception: Reception,
    group: Group,
    backlog: backlog::Backlog,
    tokens: tokens::Tokens,
    failures: limits::Failures,
    hosts: guard::Hosts,
    under_way: idempotency::UnderWay,
    /// One permit a request that is read and worked on.
    room: Semaphore,
    request_ids: answer::RequestIds,
}

impl HttpDoor {
    /// Reads the tokens and takes the address; `None` where none is configured.
    pub async fn open(config: &Config, reception: &Reception) -> Result<Option<Self>, DoorError> {
        let Some(listen) = config.http.listen else { return Ok(None) };
        let refused = |reason: String| DoorError::Opening { door: NAME, reason };
        let settings = config.http.clone();
        let tokens = tokens::Tokens::new(&settings.read_tokens()?);
        let request_ids = answer::RequestIds::new()
            .map_err(|error| refused(format!("the system gave no randomness: {error}")))?;
        let listener = TcpListener::bind(listen)
            .await
            .map_err(|error| refused(format!("cannot listen on {listen}: {error}")))?;
        let (group, writing) = Group::start(reception.clone());
        let desk = Desk {
            backlog: backlog::Backlog::new(reception, settings.max_waiting.get().into()),
            failures: limits::Failures::default(),
            hosts: guard::Hosts::new(listen.ip(), &settings.hosts),
            under_way: idempotency::UnderWay::default(),
            room: Semaphore::new(settings.max_requests.get() as usize),
            reception: reception.clone(),
            settings: settings.clone(),
            group,
            tokens,
            request_ids,
        };
        Ok(Some(Self { listener, desk: Arc::new(desk), settings, writing }))
    }

    /// Where it listens: the port that was given where the settings ask for any (`:0`).
    pub fn address(&self) -> std::io::Result<SocketAddr> {
        self.listener.local_addr()
    }
}

impl std::fmt::Debug for HttpDoor {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("HttpDoor").field("listener", &self.listener).finish_non_exhaustive()
    }
}

#[async_trait]
impl Door for HttpDoor {
    fn name(&self) -> &'static str {
        NAME
    }

    async fn serve(self: Box<Self>, stop: CancellationToken) -> Result<(), DoorError> {
        let Self { listener, desk, settings, writing } = *self;
        if let Ok(address) = listener.local_addr() {
            tracing::info!(%address, callers = desk.tokens.names().join(" "), "the HTTP door is open");
        }
        let writing = tokio::spawn(writing);
        // The writer ends when the last request has its answer and the desk is gone.
        server::serve(listener, router(desk), &settings, &stop).await;
        writing
            .await
            .map_err(|_| DoorError::Ended { door: NAME, reason: "a bug: its writer panicked".to_owned() })
    }
}

fn router(desk: Arc<Desk>) -> Router {
    Router::new()
        .route("/v1/registrations", post(registrations::create))
        .route("/v1/registrations/{member_id}", get(registrations::place))
        .route("/healthz", get(health::alive))
        .route("/readyz", get(health::ready))
        .route("/openapi.json", get(health::document))
        .fallback(answer::no_such_path)
        .method_not_allowed_fallback(answer::no_such_method)
        .layer(DefaultBodyLimit::max(desk.settings.max_body_bytes.get()))
        .layer(middleware::from_fn_with_state(Arc::clone(&desk), guard::enter))
        .with_state(desk)
}
