//! Reproducible randomness: a stream for every question, derived from the seed by SHA-256.
//!
//! Invariant: no shared generator, so no answer depends on which question came before; one stream a topic, so a
//! new draw in one topic moves nothing in another.

use sha2::{Digest, Sha256};

/// The stream for one topic about one thing.
pub(super) fn stream(seed: u64, topic: &str, about: &[&[u8]]) -> fastrand::Rng {
    fastrand::Rng::with_seed(digest(seed, topic, about))
}

/// 64 bits that look random and depend on every byte given.
pub(super) fn digest(seed: u64, topic: &str, about: &[&[u8]]) -> u64 {
    let mut hash = Sha256::new();
    hash.update(seed.to_le_bytes());
    hash.update(topic.as_bytes());
    for part in about {
        // The separator cannot occur in a UTF-8 text, so that ("ab", "c") and ("a", "bc") differ.
        hash.update([0xff]);
        hash.update(part);
    }
    first_u64(&hash.finalize())
}

/// The first eight bytes as a number.
pub(super) fn first_u64(bytes: &[u8]) -> u64 {
    bytes.iter().take(8).fold(0, |number, byte| (number << 8) | u64::from(*byte))
}

/// Whether an event of this share happens.
pub(super) fn chance(rng: &mut fastrand::Rng, share: f64) -> bool {
    rng.f64() < share
}
