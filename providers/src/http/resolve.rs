//! Names to addresses, for calls whose address a stranger chose.
//!
//! A name is resolved once, all its answers are judged, and the connection goes to exactly what was judged: there
//! is no second resolution that could answer differently.
//!
//! Invariant: one refused answer refuses the whole name.

use std::fmt;
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use reqwest::dns::{Addrs, Name, Resolve, Resolving};
use tokio::time::timeout;

use super::guard::{Nets, Refusal};

const RESOLVE_TIMEOUT: Duration = Duration::from_secs(3);

/// A resolver that answers with allowed addresses or not at all.
pub(super) struct GuardedResolver {
    nets: Arc<Nets>,
}

impl GuardedResolver {
    pub(super) fn new(nets: &Nets) -> Self {
        Self { nets: Arc::new(nets.clone()) }
    }
}

impl Resolve for GuardedResolver {
    fn resolve(&self, name: Name) -> Resolving {
        let nets = Arc::clone(&self.nets);
        Box::pin(async move {
            let addresses = timeout(RESOLVE_TIMEOUT, lookup(name.as_str()))
                .await
                .map_err(|_| io::Error::from(io::ErrorKind::TimedOut))??;
            if addresses.is_empty() {
                return Err(io::Error::from(io::ErrorKind::NotFound).into());
            }
            judge_all(&addresses, &nets)?;
            let addresses: Addrs = Box::new(addresses.into_iter());
            Ok(addresses)
        })
    }
}

async fn lookup(name: &str) -> io::Result<Vec<SocketAddr>> {
    #[cfg(test)]
    if let Some(addresses) = super::tests::names::fixed(name) {
        return Ok(addresses);
    }
    Ok(tokio::net::lookup_host((name, 0)).await?.collect())
}

/// Passes if every address may be connected to.
pub(super) fn judge_all(addresses: &[SocketAddr], nets: &Nets) -> Result<(), RefusedAddress> {
    addresses.iter().try_for_each(|address| nets.admit(address.ip())).map_err(RefusedAddress)
}

/// A name led to an address that may not be reached. Travels through the client's error chain.
#[derive(Clone, Copy, Debug)]
pub(super) struct RefusedAddress(pub(super) Refusal);

impl fmt::Display for RefusedAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0.reason())
    }
}

impl std::error::Error for RefusedAddress {}
