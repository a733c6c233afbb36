//! Gleaner: a supplemental-information enrichment worker.
//!
//! A new member registers; the worker asks providers what is publicly known about their e-mail address, within
//! each provider's quota and with retries, and writes one normalized row of name, age and social profiles.
//! `ARCHITECTURE.md` has the bird's-eye view.
//!
//! Invariant: a room imports only the rooms declared before it here (`tests/it/tidy.rs` holds the edges).

pub mod clock;
mod jitter;
pub mod keyring;

pub mod member;
pub mod record;

pub mod job;

pub mod config;
pub mod telemetry;

pub mod store;

pub mod fleet;

pub mod enrich;
pub mod replay;

pub mod intake;
pub mod worker;

pub mod console;

pub mod cli;

// The commands name the library as any other binary would.
extern crate self as gleaner;
