//! The one binary: the commands over the built-in providers.

use std::process::ExitCode;

use gleaner_providers::catalog::Catalog;

/// Many small allocations on many threads, SQLite's among them: `docs/decisions/0021-allocator.md`.
#[global_allocator]
static ALLOCATOR: tikv_jemallocator::Jemalloc = tikv_jemallocator::Jemalloc;

#[tokio::main]
async fn main() -> ExitCode {
    gleaner::cli::run(Catalog::default()).await
}
