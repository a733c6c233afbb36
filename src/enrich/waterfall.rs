//! Whether the next tier is asked.
//!
//! Invariant: pure.

use std::sync::Arc;

use gleaner_providers::{Confidence, Field};

use super::merge::Merged;
use super::panel::Installed;

/// The fields to fill, and how sure is sure enough.
#[derive(Clone, Copy, Debug)]
pub(super) struct Wanted<'a> {
    pub(super) fields: &'a [Field],
    pub(super) min_confidence: Confidence,
}

/// Whether to ask this tier, given what is known. `waits`: an earlier provider still owes an answer.
///
/// A tier that costs money waits for the free answers that are still owed: they may make it unnecessary. On the last
/// chance it waits no more.
pub(super) fn goes_on(
    wanted: &Wanted<'_>,
    found: &Merged,
    tier: &[Arc<Installed>],
    waits: bool,
    last_chance: bool,
) -> bool {
    let unfilled = |&field: &Field| found.confidence(field).is_none_or(|sure| sure < wanted.min_confidence);
    let useful = |provider: &Arc<Installed>| {
        wanted
            .fields
            .iter()
            .filter(|field| unfilled(field))
            .any(|field| provider.descriptor().supplies.contains(field))
    };
    let paid = tier.iter().any(|provider| !provider.descriptor().price.is_free());
    tier.iter().any(useful) && (!paid || !waits || last_chance)
}
