//! The connections that all providers share: one client for origins that operators chose, one for the open web.
//!
//! The two never share a pool, so a connection into a private network that an operator allowed for one provider
//! cannot be picked up by a call whose address a stranger chose.
//!
//! Invariant: the only file that builds a `reqwest::Client`. No proxy from the environment, no redirect, no retry
//! and no referer happens below us.

use std::sync::{Arc, OnceLock};
use std::time::Duration;

use reqwest::header::HeaderValue;
use reqwest::redirect::Policy;
use rustls::crypto::{CryptoProvider, ring};
use rustls::{ClientConfig, RootCertStore};
use rustls_platform_verifier::BuilderVerifierExt as _;

use super::guard::Nets;
use super::permission::PRODUCT;
use super::resolve::GuardedResolver;
use super::{HttpClient, Limits};
use crate::clock::SharedClock;
use crate::limit::SharedQuota;

/// The longest wait for a connection, name resolution and TLS included.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);

/// The connections that all providers share. Built once a process; clones are the same network.
#[derive(Clone, Debug)]
pub struct Network {
    shared: Arc<Shared>,
}

#[derive(Debug)]
struct Shared {
    user_agent: HeaderValue,
    clock: SharedClock,
    vendors: reqwest::Client,
    /// Built at the first guarded call: most installations ask vendors only.
    web: OnceLock<reqwest::Client>,
}

/// The door could not be built.
#[derive(Debug, thiserror::Error)]
#[error("cannot set up the HTTP client: {0}")]
pub struct NetworkError(pub String);

impl Network {
    /// `contact` is the operator's URL or address in the user agent: `Gleaner/0.1.0 (+contact)`.
    pub fn new(contact: Option<&str>, clock: SharedClock) -> Result<Self, NetworkError> {
        let version = env!("CARGO_PKG_VERSION");
        let user_agent = match contact {
            Some(contact) => format!("{PRODUCT}/{version} (+{contact})"),
            None => format!("{PRODUCT}/{version}"),
        };
        let user_agent = HeaderValue::try_from(user_agent)
            .map_err(|_| NetworkError("the contact holds characters that no header may".into()))?;
        let vendors = builder(&user_agent, tls(&[b"h2", b"http/1.1"])?).build().map_err(NetworkError::of)?;
        Ok(Self { shared: Arc::new(Shared { user_agent, clock, vendors, web: OnceLock::new() }) })
    }

    /// One provider's door: cheap to clone, its clones share permits, pause and quota.
    pub fn client(&self, provider: &str, limits: Limits) -> HttpClient {
        HttpClient::new(provider, self.clone(), limits, None)
    }

    /// One provider's door, whose quota is shared with other processes.
    pub fn sharing_client(&self, provider: &str, limits: Limits, shared: Arc<dyn SharedQuota>) -> HttpClient {
        HttpClient::new(provider, self.clone(), limits, Some(shared))
    }

    pub(super) fn clock(&self) -> &SharedClock {
        &self.shared.clock
    }

    /// The client for origins that an operator chose.
    pub(super) fn vendors(&self) -> &reqwest::Client {
        &self.shared.vendors
    }

    /// A client that connects to public addresses only, and by the operator's exceptions. All providers without exceptions of
    /// their own share one.
    pub(super) fn web(&self, nets: &Nets) -> Result<reqwest::Client, NetworkError> {
        if !nets.is_empty() {
            return self.build_web(nets);
        }
        if let Some(client) = self.shared.web.get() {
            return Ok(client.clone());
        }
        let client = self.build_web(nets)?;
        Ok(self.shared.web.get_or_init(|| client).clone())
    }

    fn build_web(&self, nets: &Nets) -> Result<reqwest::Client, NetworkError> {
        builder(&self.shared.user_agent, tls(&[b"http/1.1"])?)
            .http1_only()
            .pool_max_idle_per_host(1)
            .dns_resolver(Arc::new(GuardedResolver::new(nets)))
            .build()
            .map_err(NetworkError::of)
    }
}

impl NetworkError {
    #[expect(clippy::needless_pass_by_value, reason = "fits `map_err`")]
    fn of(error: impl ToString) -> Self {
        Self(error.to_string())
    }
}

#[expect(clippy::disallowed_methods, reason = "the one place that builds clients")]
fn builder(user_agent: &HeaderValue, tls: ClientConfig) -> reqwest::ClientBuilder {
    reqwest::Client::builder()
        .user_agent(user_agent.clone())
        .tls_backend_preconfigured(tls)
        .connect_timeout(CONNECT_TIMEOUT)
        .no_proxy()
        .redirect(Policy::none())
        .referer(false)
        .retry(reqwest::retry::never())
}

/// The TLS settings that speak these protocols. The system's root certificates are read once a process.
fn tls(protocols: &[&[u8]]) -> Result<ClientConfig, NetworkError> {
    static VERIFIED: OnceLock<ClientConfig> = OnceLock::new();
    if VERIFIED.get().is_none() {
        // Two that come at once may both read the certificates; one of the readings is kept.
        let _ = VERIFIED.set(verified_by_system()?);
    }
    let mut config = VERIFIED.get().cloned().ok_or_else(|| NetworkError("no TLS settings".into()))?;
    config.alpn_protocols = protocols.iter().map(|protocol| protocol.to_vec()).collect();
    Ok(config)
}

fn verified_by_system() -> Result<ClientConfig, NetworkError> {
    let builder = |crypto: Arc<CryptoProvider>| {
        ClientConfig::builder_with_provider(crypto)
            .with_safe_default_protocol_versions()
            .map_err(NetworkError::of)
    };
    let crypto = Arc::new(ring::default_provider());
    match builder(crypto.clone())?.with_platform_verifier() {
        Ok(verified) => Ok(verified.with_no_client_auth()),
        // A minimal container has no certificates, and may never need them: the sandbox speaks plain HTTP.
        Err(error) => {
            tracing::warn!(%error, "no https provider can be asked: install your system's `ca-certificates`");
            Ok(builder(crypto)?.with_root_certificates(RootCertStore::empty()).with_no_client_auth())
        }
    }
}
