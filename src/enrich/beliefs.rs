//! How far each provider is believed at the moment.
//!
//! Invariant: one member's enrichment uses one state; learning replaces the state as a whole.

use std::sync::{Arc, PoisonError, RwLock};

use super::merge::Sources;

/// What is believed of the sources; its clones share it.
#[derive(Clone, Debug)]
pub struct Beliefs(Arc<RwLock<Arc<Sources>>>);

impl Beliefs {
    pub fn now(&self) -> Arc<Sources> {
        Arc::clone(&self.0.read().unwrap_or_else(PoisonError::into_inner))
    }

    pub fn replace(&self, sources: Sources) {
        *self.0.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(sources);
    }
}

/// What is believed before anything is learned.
impl Default for Beliefs {
    fn default() -> Self {
        Self(Arc::new(RwLock::new(Arc::new(Sources::shipped()))))
    }
}
