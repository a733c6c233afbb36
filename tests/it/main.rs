//! The integration tests: one binary, so that they link once.

#[cfg(test)]
mod store;
