//! Connections: how many at once, how long each may take its time, and how they end.
//!
//! Invariant: nobody holds a connection for ever. A head that does not arrive, an idle connection and one that has grown
//! old are ended, whatever the other side does.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use hyper::Request;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::{Service as _, service_fn};
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::service::TowerToHyperService;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use crate::config::Http;

/// After this a connection is ended between two requests: whoever reads or writes slowly does not stay for ever.
const OLDEST: Duration = Duration::from_mins(5);
/// How long an accept that failed (no file descriptor is free) is put off.
const BREATH: Duration = Duration::from_millis(100);
const MAX_HEADERS: usize = 64;
const MAX_HEADER_BYTES: usize = 16 * 1024;

/// Whom a request came from, as the connection knows it.
#[derive(Clone, Copy, Debug)]
pub(super) struct Peer(pub(super) SocketAddr);

/// Serves until told to stop, and then until the requests in hand are answered.
pub(super) async fn serve(listener: TcpListener, router: Router, settings: &Http, stop: &CancellationToken) {
    let slots = Arc::new(Semaphore::new(settings.max_connections.get() as usize));
    let mut connections = JoinSet::new();
    let timeout = settings.timeout();
    while let Some(accepted) = next(&listener, &slots, &mut connections, stop).await {
        let (router, stop) = (router.clone(), stop.clone());
        connections.spawn(async move { converse(accepted, router, timeout, &stop).await });
    }
    drop((listener, router));
    while connections.join_next().await.is_some() {}
}

/// A connection, and the slot that it holds while it lasts.
struct Accepted {
    stream: TcpStream,
    peer: SocketAddr,
    slot: OwnedSemaphorePermit,
}

/// The next connection, once there is a slot for it; `None` when told to stop.
async fn next(
    listener: &TcpListener,
    slots: &Arc<Semaphore>,
    connections: &mut JoinSet<()>,
    stop: &CancellationToken,
) -> Option<Accepted> {
    loop {
        while connections.try_join_next().is_some() {}
        let accept = async {
            // Never closed, so there is always a permit in the end.
            let slot = Arc::clone(slots).acquire_owned().await.ok()?;
            Some((listener.accept().await, slot))
        };
        tokio::select! {
            () = stop.cancelled() => return None,
            accepted = accept => match accepted? {
                (Ok((stream, peer)), slot) => return Some(Accepted { stream, peer, slot }),
                (Err(error), _) => {
                    tracing::warn!(%error, "a connection was not accepted");
                    tokio::time::sleep(BREATH).await;
                }
            },
        }
    }
}

/// One connection, request after request.
async fn converse(accepted: Accepted, router: Router, timeout: Duration, stop: &CancellationToken) {
    let Accepted { stream, peer, slot: _slot } = accepted;
    // Answers are small and whole: waiting for more to send would only delay them.
    let _ = stream.set_nodelay(true);
    let router = TowerToHyperService::new(router);
    let service = service_fn(move |mut request: Request<Incoming>| {
        request.extensions_mut().insert(Peer(peer));
        router.call(request)
    });
    let mut builder = http1::Builder::new();
    builder
        .timer(TokioTimer::new())
        .header_read_timeout(timeout)
        .max_headers(MAX_HEADERS)
        .max_header_size(MAX_HEADER_BYTES);
    let connection = builder.serve_connection(TokioIo::new(stream), service);
    let mut connection = std::pin::pin!(connection);
    tokio::select! {
        // Errors here are the other side's: it went away, was too slow, or spoke something else than HTTP.
        _ = connection.as_mut() => return,
        () = stop.cancelled() => {}
        () = tokio::time::sleep(OLDEST) => {}
    }
    connection.as_mut().graceful_shutdown();
    // Head, body, answer: what each of them may take.
    let _ = tokio::time::timeout(timeout * 3, connection).await;
}
