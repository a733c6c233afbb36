//! Numbers that look random and are the same when asked twice: delays that spread out, and tests that repeat.
//!
//! Invariant: pure.

/// What two neighbouring seeds should differ by: 2^64 divided by the golden ratio.
pub(crate) const GOLDEN: u64 = 0x9e37_79b9_7f4a_7c15;

/// A number in 0..1 (`SplitMix64`, Steele et al. 2014). Seeds that differ in any bit give unlike numbers.
pub(crate) fn part(seed: u64) -> f64 {
    let mut z = (seed ^ (seed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^= z >> 31;
    #[expect(clippy::cast_precision_loss, reason = "53 of 64 bits are random enough")]
    let part = (z >> 11) as f64 / (1_u64 << 53) as f64;
    part
}
