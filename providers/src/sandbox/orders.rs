//! Questions that a vendor takes as orders: when each was placed, about whom, and whether its answer was billed.
//!
//! Invariant: an order is billed once, however often its answer is fetched.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use tokio::time::Instant;

use super::draw;
use super::population::Asked;
use super::service::Service;

/// The orders of all services.
pub(super) struct Orders {
    /// How long the vendor takes over one.
    search: Duration,
    placed: Mutex<HashMap<(Service, u64), Order>>,
}

struct Order {
    asked: Asked,
    placed: Instant,
    fetched: bool,
}

/// How an order stands.
#[derive(Clone, Copy)]
pub(super) enum Standing {
    Searching,
    Ready { asked: Asked, is_first: bool },
}

impl Orders {
    pub(super) fn new(search: Duration) -> Self {
        Self { search, placed: Mutex::default() }
    }

    /// Places an order under a number of its own, which fits into a JSON number.
    pub(super) fn place(&self, service: Service, asked: Asked, now: Instant) -> u64 {
        let mut placed = self.placed.lock().unwrap_or_else(PoisonError::into_inner);
        let nth = placed.len().to_le_bytes();
        let number = draw::digest(0, "order", &[service.as_str().as_bytes(), &asked.key.bytes(), &nth]) >> 12;
        placed.insert((service, number), Order { asked, placed: now, fetched: false });
        number
    }

    /// Places an order under this number unless there is one.
    pub(super) fn place_once(&self, service: Service, number: u64, asked: Asked, now: Instant) -> bool {
        let mut placed = self.placed.lock().unwrap_or_else(PoisonError::into_inner);
        let known = placed.len();
        placed.entry((service, number)).or_insert(Order { asked, placed: now, fetched: false });
        placed.len() > known
    }

    /// How the order of this number stands; `None` where there is none.
    pub(super) fn look(&self, service: Service, number: u64, now: Instant) -> Option<Standing> {
        let mut placed = self.placed.lock().unwrap_or_else(PoisonError::into_inner);
        let order = placed.get_mut(&(service, number))?;
        if now.saturating_duration_since(order.placed) < self.search {
            return Some(Standing::Searching);
        }
        let is_first = !std::mem::replace(&mut order.fetched, true);
        Some(Standing::Ready { asked: order.asked, is_first })
    }
}
