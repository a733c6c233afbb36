//! The integration tests: one binary, so that they link once.

<<<<<<< HEAD
mod support;

mod commands;
mod kill;
mod privacy;
=======
#[cfg(test)]
>>>>>>> store
mod store;
mod tidy;
mod wild;
