//! The server's life and its own pages: index, truth, ledger, the switch for faults.
//!
//! Invariant: listens on loopback only.

use std::fmt;
use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::body::{Body, Bytes};
use axum::extract::{RawQuery, State};
use axum::http::header::CONTENT_TYPE;
use axum::http::{Response, StatusCode};
use axum::response::{IntoResponse as _, Json};
use axum::routing::get;
use axum::serve::ListenerExt as _;
use futures_util::stream;
use tokio::net::TcpListener;
use tokio::task::JoinHandle;

use super::ledger::{Entry, Summary};
use super::population::Population;
use super::service::Service;
use super::settings::SandboxSettings;
use super::switch;
use super::wire;
use super::world::World;

/// How long open connections may take to end when the sandbox stops.
const PARTING: Duration = Duration::from_secs(1);

const INDEX: &str = "\
Gleaner's sandbox: invented people behind real wire formats. Nobody here exists.

GET      /gravatar/v3/profiles/{sha256}
GET      /github/search/users?q={address}+in:email
GET      /github/search/commits?q=author-email:{address}
GET      /github/users/{login}
GET      /github/users/{login}/social_accounts
GET POST /people_data_labs/v5/person/enrich    any key; `exhausted` is answered 402, `wrong` 401
GET      /homepage/{domain}/
GET      /webfinger/{domain}/.well-known/webfinger?resource=acct:{address}
GET      /webfinger/{domain}/users/{name}
GET      /gitlab/api/v4/users?search={address}   any token; without one only ?username={login}
GET      /gitlab/api/v4/users/{id}
GET      /keybase/_/api/1.0/user/lookup.json?github={login}
GET      /bluesky/xrpc/app.bsky.actor.getProfile?actor={handle}
POST     /enrich_so/api/v3/reverse-lookup/lookup
GET      /hunter/v2/people/find?email={address}
POST     /apollo/api/v1/people/match
POST     /fullenrich/api/v2/contact/reverse/email/bulk   an order; GET …/bulk/{id} for its answer
POST     /fullcontact/v3/person.enrich
GET      /rocketreach/api/v2/person/lookup?email={address}
GET      /rocketreach/api/v2/person/checkStatus?ids={id}
POST     /pipl/search/                         a form; of these vendors too `exhausted` and `wrong` are keys
GET      /openpgp/{domain}/.well-known/openpgpkey/hu/{hash}?l={local part}
GET      /openpgp/vks/v1/by-email/{address}    the key server, in place of directories
GET      /orcid/v3.0/expanded-search/?q=email:%22{address}%22
GET      /orcid/v3.0/{id}/person
GET      /wikidata/sparql?query={SPARQL with <mailto:{address}>}

GET      /faults/{provider}                    how often its calls meet which fault: shares from 0 to 1
PUT      /faults/{provider}                    from now on so: {\"server_error\": 1}
DELETE   /faults/{provider}                    from now on as set at the start

GET      /truth?email={address}                who it really is, and who knows them
GET      /ledger?provider={name}&after={seq}   every call received, as JSON lines
GET      /ledger/summary                       counts, bills and peaks
DELETE   /ledger
";

/// A running sandbox. Dropping it stops it without waiting.
pub struct Sandbox {
    address: SocketAddr,
    world: Arc<World>,
    server: JoinHandle<()>,
}

impl Sandbox {
    /// Starts a sandbox on the settings' loopback port; fails where the port is taken.
    pub async fn start(settings: SandboxSettings) -> io::Result<Self> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, settings.port)).await?;
        let address = listener.local_addr()?;
        // Small answers must not wait for the caller's delayed acknowledgements. A socket that refuses still works.
        let listener = listener.tap_io(|socket| drop(socket.set_nodelay(true)));
        let world = Arc::new(World::new(&settings));
        let stop = Arc::clone(&world.stop);
        let serving = axum::serve(listener, router(Arc::clone(&world)))
            .with_graceful_shutdown(async move { stop.reached().await });
        let server = tokio::spawn(async move {
            // `axum::serve` never returns an error: it waits out failing accepts.
            drop(serving.await);
        });
        Ok(Self { address, world, server })
    }

    /// Its address, without a slash at the end: `http://127.0.0.1:8025`.
    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// What a built-in provider's `endpoint` has to be set to so that it asks the sandbox; `None` for one whose
    /// format the sandbox does not speak.
    pub fn endpoint(&self, provider: &str) -> Option<String> {
        Some(format!("{}/{}", self.url(), Service::named(provider)?.facts().path))
    }

    /// Who there is, and what is true of them.
    pub fn population(&self) -> &Population {
        &self.world.population
    }

    /// Every call received so far, in order.
    pub fn ledger(&self) -> Vec<Entry> {
        let mut entries: Vec<Entry> = Vec::new();
        loop {
            let page = self.world.ledger.page(entries.last().map_or(0, |entry| entry.seq));
            if page.is_empty() {
                return entries;
            }
            entries.extend(page);
        }
    }

    /// What the calls so far add up to.
    pub fn summary(&self) -> Summary {
        self.world.ledger.summary()
    }

    /// Forgets the calls so far.
    pub fn clear_ledger(&self) {
        self.world.ledger.clear();
    }

    /// Stops listening, lets every held call go and waits for the connections to end, at most a second.
    pub async fn stop(mut self) {
        self.world.stop.now();
        let _ = tokio::time::timeout(PARTING, &mut self.server).await;
    }
}

impl fmt::Debug for Sandbox {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Sandbox({})", self.address)
    }
}

impl Drop for Sandbox {
    fn drop(&mut self) {
        self.world.stop.now();
        self.server.abort();
    }
}

fn router(world: Arc<World>) -> Router {
    Router::new()
        .route("/", get(|| async { INDEX }))
        .route("/truth", get(truth))
        .route("/faults/{provider}", get(switch::show).put(switch::set).delete(switch::reset))
        .route("/ledger", get(ledger).delete(clear))
        .route("/ledger/summary", get(summary))
        .merge(wire::gravatar::routes())
        .merge(wire::github::routes())
        .merge(wire::people_data_labs::routes())
        .merge(wire::homepage::routes())
        .merge(wire::webfinger::routes())
        .merge(wire::gitlab::routes())
        .merge(wire::keybase::routes())
        .merge(wire::bluesky::routes())
        .merge(wire::enrich_so::routes())
        .merge(wire::hunter::routes())
        .merge(wire::apollo::routes())
        .merge(wire::fullenrich::routes())
        .merge(wire::fullcontact::routes())
        .merge(wire::rocketreach::routes())
        .merge(wire::pipl::routes())
        .merge(wire::openpgp::routes())
        .merge(wire::orcid::routes())
        .merge(wire::wikidata::routes())
        // A vendor answers 404 to a wrong path as it does to a miss: a wrong `endpoint` must not pass for one.
        .fallback(|| async { (StatusCode::BAD_REQUEST, "no such path: see `GET /`, and check `endpoint`\n") })
        .with_state(world)
}

async fn truth(State(world): State<Arc<World>>, RawQuery(query): RawQuery) -> Response<Body> {
    match wire::parameter(query.as_deref(), "email") {
        Some(email) => Json(world.population.truth(&email)).into_response(),
        None => (StatusCode::BAD_REQUEST, "name an address: /truth?email=…\n").into_response(),
    }
}

async fn ledger(State(world): State<Arc<World>>, RawQuery(query): RawQuery) -> Response<Body> {
    let provider = wire::parameter(query.as_deref(), "provider");
    let after = wire::parameter(query.as_deref(), "after").map_or(Ok(0), |text| text.parse::<u64>());
    let Ok(after) = after else {
        return (StatusCode::BAD_REQUEST, "`after` is a sequence number\n").into_response();
    };
    // Page by page, so that neither the lock nor the memory is held for a million lines.
    let lines = stream::unfold(after, move |after| {
        let page = world.ledger.page(after);
        let next = page.last().map(|entry| entry.seq);
        let lines = lines(&page, provider.as_deref());
        async move { next.map(|next| (Ok::<_, io::Error>(Bytes::from(lines)), next)) }
    });
    ([(CONTENT_TYPE, "application/x-ndjson")], Body::from_stream(lines)).into_response()
}

fn lines(page: &[Entry], provider: Option<&str>) -> Vec<u8> {
    let mut lines = Vec::new();
    for entry in page.iter().filter(|entry| provider.is_none_or(|name| name == entry.provider)) {
        // Writing to memory does not fail, and our own type always serialises.
        let _ = serde_json::to_writer(&mut lines, entry);
        lines.push(b'\n');
    }
    lines
}

async fn summary(State(world): State<Arc<World>>) -> Json<Summary> {
    Json(world.ledger.summary())
}

async fn clear(State(world): State<Arc<World>>) -> StatusCode {
    world.ledger.clear();
    StatusCode::NO_CONTENT
}
