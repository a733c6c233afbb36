//! What operators watch: metrics today, their page to come.
//!
//! Invariant: nothing here changes anything, and no label holds personal data or what a user typed.

pub mod metrics;
