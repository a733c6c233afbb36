//! Faults on PostgreSQL: whatever dies, hangs or comes back from the dead, nothing is lost, nothing is written twice, and no
//! process gives up by itself.

mod clocks;
mod connections;
mod processes;
mod server;
mod story;
