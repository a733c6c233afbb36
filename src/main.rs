//! The one binary: the commands over the built-in providers.

use std::process::ExitCode;

use gleaner_providers::catalog::Catalog;

/// A tenth less time than glibc's for many small allocations on many threads (`benches/throughput.rs`), and SQLite's too: the
/// crate's feature `override` takes C's `malloc` along. Version 2: version 3 held three times the memory.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

#[tokio::main]
async fn main() -> ExitCode {
    gleaner::cli::run(Catalog::default()).await
}
