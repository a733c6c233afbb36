//! How a guest behaves on a stranger's site: one call at a time, a pause between two, so many a day.
//!
//! A site is a registrable domain (`example.co.uk`, `user.github.io`): its owner feels all calls to all its hosts.
//!
//! Invariant: no two calls to one site are out at once or leave less than the pause apart, and no day sees more of them
//! than its budget. The memory for it is bounded: of a site that is forgotten, the budget begins anew.

use std::fmt;
use std::num::NonZeroU32;
use std::time::Duration;

use tokio::sync::{Mutex, OwnedMutexGuard};
use tokio::time::{Instant, sleep, timeout};
use url::{Host, Url};

use super::exchange::Halt;
use super::permission::Permissions;
use crate::limit::Held;
use crate::memo::Shelf;

/// Sites that are remembered.
const MOST_SITES: usize = 4_096;

/// How often a stranger's site is called.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct SiteLimits {
    /// The shortest time between two calls.
    pub interval: Duration,
    /// Calls in a day, robots.txt, redirects and retries included.
    pub daily: NonZeroU32,
}

impl Default for SiteLimits {
    /// One call a second, and as many a day as a page, a redirect and a retry need, each with its robots.txt.
    fn default() -> Self {
        Self { interval: Duration::from_secs(1), daily: NonZeroU32::MIN.saturating_add(11) }
    }
}

/// What one door knows of the sites behind it.
pub(super) struct Manners {
    limits: SiteLimits,
    sites: Shelf<Mutex<Site>>,
    pub(super) permissions: Permissions,
}

#[derive(Debug, Default)]
struct Site {
    /// When the next call may leave.
    free_at: Option<Instant>,
    /// When the next page may be asked for, where the site has said how long to wait.
    page_at: Option<Instant>,
    calls: u32,
}

/// A turn at one site: none of our other calls is there until it is dropped.
#[derive(Debug)]
pub(super) struct Visit {
    site: OwnedMutexGuard<Site>,
    interval: Duration,
    /// `None` for what is no page.
    crawl_delay: Option<Duration>,
}

impl Manners {
    pub(super) fn new(limits: SiteLimits) -> Self {
        Self { limits, sites: Shelf::new(MOST_SITES), permissions: Permissions::new() }
    }

    /// Waits for a turn at the site of this URL, at most `patience`.
    pub(super) async fn visit(
        &self,
        url: &Url,
        crawl_delay: Option<Duration>,
        patience: Duration,
    ) -> Result<Visit, Halt> {
        let SiteLimits { interval, daily } = self.limits;
        let begun = Instant::now();
        let held = |after: Duration| Halt::Held(Held { after: after.max(interval) });
        let site = self.sites.get(site_of(url), Mutex::default);
        let site = timeout(patience, site.lock_owned()).await.map_err(|_| held(interval))?;
        if site.calls >= daily.get() {
            return Err(Halt::Spent);
        }
        let moment = site.free_at.max(crawl_delay.and(site.page_at)).unwrap_or(begun);
        if moment > begun + patience {
            return Err(held(moment - begun));
        }
        sleep(moment.saturating_duration_since(Instant::now())).await;
        Ok(Visit { site, interval, crawl_delay })
    }
}

impl Visit {
    /// The call leaves now.
    pub(super) fn leave(&mut self) {
        let now = Instant::now();
        self.site.calls += 1;
        self.site.free_at = Some(now + self.interval);
        if let Some(delay) = self.crawl_delay {
            self.site.page_at = Some(now + delay);
        }
    }
}

/// The registrable domain; where there is none, the host.
fn site_of(url: &Url) -> &str {
    let host = url.host_str().unwrap_or_default();
    match url.host() {
        Some(Host::Domain(_)) => psl::domain_str(host.strip_suffix('.').unwrap_or(host)).unwrap_or(host),
        _ => host,
    }
}

impl fmt::Debug for Manners {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Manners").field("limits", &self.limits).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests;
