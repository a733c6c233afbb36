//! Gleaner with one provider more: every command knows it, as if it were built in.

use std::process::ExitCode;

use gleaner_own_provider::acme_directory;
use gleaner_providers::catalog::{Catalog, Entry};
use gleaner_providers::settings::SettingsError;

const ACME_DIRECTORY: Entry =
    Entry { name: "acme_directory", descriptor: acme_directory::descriptor, build: acme_directory::build };

#[tokio::main]
async fn main() -> Result<ExitCode, SettingsError> {
    Ok(gleaner::cli::run(Catalog::default().with(ACME_DIRECTORY.into())?).await)
}
