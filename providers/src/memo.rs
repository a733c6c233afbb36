//! What is remembered of strangers' sites for a day: bounded, in memory, found once by whoever asks first.
//!
//! Invariant: never holds more than its bound, whatever keys strangers choose, and nothing beyond its lifetime.

use std::collections::HashMap;
use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::sync::OnceCell;
use tokio::time::Instant;

/// How long anything is remembered: robots.txt may be for a day (RFC 9309 section 2.4).
const LIFETIME: Duration = Duration::from_hours(24);

/// Values by key, made at the first look and gone a day later.
pub(crate) struct Shelf<V> {
    most: usize,
    places: Mutex<HashMap<Box<str>, Place<V>>>,
}

struct Place<V> {
    value: Arc<V>,
    made: Instant,
}

impl<V> Shelf<V> {
    /// A shelf for at most this many values (at least one).
    pub(crate) fn new(most: usize) -> Self {
        Self { most: most.max(1), places: Mutex::default() }
    }

    /// The value of a key; a new one where there is none or only an old one.
    pub(crate) fn get(&self, key: &str, make: impl FnOnce() -> V) -> Arc<V> {
        let now = Instant::now();
        let mut places = self.places.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(place) = places.get(key).filter(|place| now - place.made < LIFETIME) {
            return Arc::clone(&place.value);
        }
        if places.len() >= self.most && !places.contains_key(key) {
            make_room(&mut places, now);
        }
        let value = Arc::new(make());
        places.insert(key.into(), Place { value: Arc::clone(&value), made: now });
        value
    }

    /// Forgets this value, unless another one has taken its place.
    pub(crate) fn forget(&self, key: &str, value: &Arc<V>) {
        let mut places = self.places.lock().unwrap_or_else(PoisonError::into_inner);
        if places.get(key).is_some_and(|place| Arc::ptr_eq(&place.value, value)) {
            places.remove(key);
        }
    }

    #[cfg(test)]
    pub(crate) fn len(&self) -> usize {
        self.places.lock().unwrap_or_else(PoisonError::into_inner).len()
    }
}

/// Forgets what is old, and the oldest eighth at least: a full shelf is not searched at every look.
fn make_room<V>(places: &mut HashMap<Box<str>, Place<V>>, now: Instant) {
    let mut made: Vec<Instant> = places.values().map(|place| place.made).collect();
    let eighth = made.len() / 8;
    let (_, latest, _) = made.select_nth_unstable(eighth);
    let latest = *latest;
    places.retain(|_, place| now - place.made < LIFETIME && place.made > latest);
}

impl<V> fmt::Debug for Shelf<V> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Shelf").field("most", &self.most).finish_non_exhaustive()
    }
}

/// Answers by question: each found once, however many ask at the same time.
pub(crate) struct Memo<V> {
    shelf: Shelf<OnceCell<V>>,
    /// Tells how many bytes an answer holds. A heavier one than `heaviest` is given and not remembered, so that
    /// `most` times `heaviest` bounds the memory.
    weigh: fn(&V) -> usize,
    heaviest: usize,
}

impl<V: Clone> Memo<V> {
    pub(crate) fn new(most: usize, weigh: fn(&V) -> usize, heaviest: usize) -> Self {
        Self { shelf: Shelf::new(most), weigh, heaviest }
    }

    /// The remembered answer, or the one that `find` brings. Others who ask meanwhile wait for it; if it fails, the
    /// next of them tries. A failure is not remembered.
    pub(crate) async fn get<E>(&self, key: &str, find: impl Future<Output = Result<V, E>>) -> Result<V, E> {
        let cell = self.shelf.get(key, OnceCell::new);
        let answer = cell.get_or_try_init(|| find).await?;
        if (self.weigh)(answer) > self.heaviest {
            self.shelf.forget(key, &cell);
        }
        Ok(answer.clone())
    }
}

impl<V> fmt::Debug for Memo<V> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Memo").field(&self.shelf).finish()
    }
}

#[cfg(test)]
mod tests;
