//! Tables and properties for social profiles. Invariant: every account is invented; nothing is fetched.

mod properties;
mod refusals;
mod spellings;
