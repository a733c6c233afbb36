//! The integration tests: one binary, so that they link once.

mod support;

mod commands;
mod kill;
mod privacy;
mod store;
mod tidy;
mod wild;
