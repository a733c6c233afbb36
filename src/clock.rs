//! Time, as the whole workspace reads it. Kept by the lower crate, because providers date what they are told.

pub use gleaner_providers::clock::{Clock, ManualClock, SharedClock, SystemClock};
