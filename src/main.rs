//! The one binary: reads the command line, runs a command, answers with an exit code.

use std::process::ExitCode;

use clap::Parser as _;

mod cli;

#[tokio::main]
async fn main() -> ExitCode {
    cli::Cli::parse().run().await
}
