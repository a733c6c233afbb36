//! Who is asked next, and what each is told.
//!
//! Invariant: pure.

use std::sync::Arc;

use gleaner_providers::{Confidence, Descriptor, Field, Identifier, Subject};

use super::dossier::Dossier;
use super::merge::Merged;
use super::panel::Installed;

/// The fields to fill, and how sure is sure enough.
#[derive(Clone, Copy, Debug)]
pub(super) struct Wanted<'a> {
    pub(super) fields: &'a [Field],
    pub(super) min_confidence: Confidence,
}

/// What is known when a round is put together.
#[derive(Debug)]
pub(super) struct Known<'a> {
    pub(super) dossier: &'a Dossier,
    /// What the answers so far say together.
    pub(super) found: &'a Merged,
    pub(super) subject: &'a Subject,
    pub(super) last_chance: bool,
}

/// One provider to ask, and what it is told.
#[derive(Clone, Copy, Debug)]
pub(super) struct Question<'a> {
    pub(super) provider: &'a Arc<Installed>,
    pub(super) told: Identifier,
}

/// Whom to ask in the round of the tier at `at`: the tier, if it is worth asking; and of the earlier ones whoever did not
/// know the address, and can be asked about an account that was found since. The round after the last tier has only the
/// latter.
pub(super) fn round<'a>(
    tiers: &'a [Vec<Arc<Installed>>],
    at: usize,
    wanted: &Wanted<'_>,
    known: &Known<'_>,
) -> Vec<Question<'a>> {
    let ask = |provider: &'a Arc<Installed>| {
        let told = provider.descriptor().told_of(known.subject)?;
        Some(Question { provider, told })
    };
    let mut round: Vec<_> = tiers.get(at).into_iter().flatten().filter_map(ask).collect();
    if !goes_on(wanted, known, &round) {
        round.clear();
    }
    round.retain(|question| known.dossier.lacks(question.provider.name()));
    let earlier = tiers.iter().take(at).flatten().filter_map(ask);
    round.extend(earlier.filter(|question| is_second_chance(wanted, known, question)));
    round
}

/// Whether a tier is worth asking.
///
/// One that costs money waits for the free answers that are still owed: they may make it unnecessary. On the last
/// chance it waits no more.
fn goes_on(wanted: &Wanted<'_>, known: &Known<'_>, tier: &[Question<'_>]) -> bool {
    let paid = tier.iter().any(|question| !question.provider.descriptor().price.is_free());
    tier.iter().any(|question| is_useful(wanted, known.found, question.provider.descriptor()))
        && (!paid || !known.dossier.waits() || known.last_chance)
}

/// Whether asking it by the account costs nothing and may fill what its answer to the address left open.
fn is_second_chance(wanted: &Wanted<'_>, known: &Known<'_>, question: &Question<'_>) -> bool {
    let descriptor = question.provider.descriptor();
    question.told == Identifier::Handle
        && descriptor.price.is_free()
        && known.dossier.missed_by_address(question.provider.name())
        && is_useful(wanted, known.found, descriptor)
}

/// Whether it supplies a wanted field that is not filled yet.
fn is_useful(wanted: &Wanted<'_>, found: &Merged, descriptor: &Descriptor) -> bool {
    let unfilled = |field: &&Field| found.confidence(**field).is_none_or(|sure| sure < wanted.min_confidence);
    wanted.fields.iter().filter(unfilled).any(|field| descriptor.supplies.contains(field))
}
