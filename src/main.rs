//! The one binary: reads the command line, runs a command, answers with an exit code.

use std::process::ExitCode;

use clap::Parser as _;

mod cli;

/// Many threads free what others allocated, which the system's allocator is slow at.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

#[tokio::main]
async fn main() -> ExitCode {
    cli::Cli::parse().run().await
}
