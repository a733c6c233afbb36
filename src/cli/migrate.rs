//! `gleaner migrate`: make the tables, or bring them up to date.

use serde_json::json;

use super::host::Host;
use super::{Exit, Global, out};

pub(crate) async fn run(global: &Global) -> anyhow::Result<Exit> {
    let (vault, migrated) = Host::open(global)?.vault_and_migrations().await?;
    vault.store.close().await;
    if global.json {
        out::json(&json!(migrated))?;
        return Ok(Exit::Done);
    }
    for migration in &migrated.applied {
        out::line(format_args!("applied {:04} {}", migration.version, migration.description));
    }
    let done = if migrated.applied.is_empty() { "nothing to do; " } else { "" };
    out::line(format_args!("{done}the tables are at migration {}", migrated.version));
    Ok(Exit::Done)
}
