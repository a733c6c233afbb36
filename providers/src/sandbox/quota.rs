//! Enforced quotas: fixed windows that begin with the first call in them, as the vendors count.
//!
//! Invariant: one short lock a call; a service without a quota is never refused.

use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use tokio::time::Instant;

use super::settings::{QuotaSettings, SandboxSettings, Service};

/// What a vendor tells of a quota in its headers.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) struct Allowance {
    pub(super) limit: u32,
    pub(super) remaining: u32,
    /// How long until the window ends.
    pub(super) resets_in: Duration,
    /// Whether this call is within it.
    pub(super) granted: bool,
}

struct Window {
    quota: QuotaSettings,
    /// When the current window began, and how many calls it has seen.
    current: Mutex<Option<(Instant, u32)>>,
}

/// The quotas of all services.
pub(super) struct Quotas {
    windows: [Option<Window>; 4],
}

impl Quotas {
    pub(super) fn new(settings: &SandboxSettings) -> Self {
        let window =
            |service| settings.quota(service).map(|quota| Window { quota, current: Mutex::default() });
        Self { windows: Service::ALL.map(window) }
    }

    /// Counts one call. Without a quota the published one is told, untouched.
    pub(super) fn take(&self, service: Service, now: Instant) -> Allowance {
        let Some(window) = self.windows.get(service.index()).and_then(Option::as_ref) else {
            let QuotaSettings { calls, window_secs } = service.published_quota();
            let resets_in = Duration::from_secs(window_secs);
            return Allowance { limit: calls, remaining: calls, resets_in, granted: true };
        };
        window.take(now)
    }
}

impl Window {
    fn take(&self, now: Instant) -> Allowance {
        let length = self.quota.window();
        let mut current = self.current.lock().unwrap_or_else(PoisonError::into_inner);
        let (began, seen) =
            current.filter(|(began, _)| now.saturating_duration_since(*began) < length).unwrap_or((now, 0));
        let seen = seen.saturating_add(1);
        *current = Some((began, seen));
        Allowance {
            limit: self.quota.calls,
            remaining: self.quota.calls.saturating_sub(seen),
            resets_in: length.saturating_sub(now.saturating_duration_since(began)),
            granted: seen <= self.quota.calls,
        }
    }
}
