//! A local server that speaks every built-in's wire format over an invented, seeded population.
//!
//! For demonstrations, tests and benchmarks: people with names, birth dates and accounts, known to each provider
//! about as often, and told about as badly, as in life; with latency, faults, quotas and prices to choose.
//!
//! Invariant: nobody here exists, nothing leaves the machine, and the same seed gives the same answers whatever
//! was asked before.

mod draw;
mod fault;
mod ledger;
mod members;
mod orders;
mod population;
mod quota;
mod server;
mod service;
mod settings;
mod switch;
#[cfg(test)]
mod tests;
mod truth;
mod wire;
mod world;

pub use fault::Fault;
pub use ledger::{Answered, Entry, ServiceSummary, Summary};
pub use members::addresses as member_addresses;
pub use population::{Account, BirthShown, Distortion, Layout, MailboxKey, Name, Person, Population};
pub use server::Sandbox;
pub use service::Service;
pub use settings::{
    FaultRates, Latency, MatchRate, QuotaSettings, SandboxSettings, Script, ServiceSettings, When,
};
pub use truth::{KnownTo, Truth};

/// About 200 invented members, `member_id,email`; some rows are wrong on purpose.
pub const SAMPLE_MEMBERS: &str = include_str!("../../config/sample-members.csv");
