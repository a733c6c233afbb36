//! Where metrics are read.

use std::net::SocketAddr;
use std::num::NonZeroU32;
use std::time::Duration;

use serde::Deserialize;

use super::count;

/// The listener for metrics: apart from every door, so that who scrapes needs no token and reaches nothing else.
#[derive(Clone, Debug, Deserialize, PartialEq)]
#[serde(default, deny_unknown_fields)]
pub struct Metrics {
    /// Absent: no metrics.
    pub listen: Option<SocketAddr>,
    /// The database is read at most this often, however often it is scraped: counting many records takes a while.
    pub refresh_secs: NonZeroU32,
}

impl Metrics {
    pub fn refresh(&self) -> Duration {
        Duration::from_secs(self.refresh_secs.get().into())
    }
}

impl Default for Metrics {
    fn default() -> Self {
        Self { listen: None, refresh_secs: count::<15>() }
    }
}
