//! Migrations, as far as they are the same in every engine.
//!
//! Invariant: a database that a newer version wrote is refused, with what to do.

use serde::Serialize;
use sqlx::migrate::{MigrateError, Migrator};

use super::StoreError;

/// What opening a database did to its tables.
#[derive(Clone, Debug, Default, Eq, PartialEq, Serialize)]
pub struct Migrated {
    /// The number of the newest migration, and so of the tables.
    pub version: i64,
    /// What was applied just now; empty where the tables were up to date.
    pub applied: Vec<Applied>,
}

/// One migration that was applied.
#[derive(Clone, Debug, Eq, PartialEq, Serialize)]
pub struct Applied {
    pub version: i64,
    pub description: String,
}

impl Migrated {
    /// Of all migrations, those that were not there before.
    pub(super) fn since(before: &[i64], all: &Migrator) -> Self {
        let new = all.iter().filter(|migration| !before.contains(&migration.version));
        Self {
            version: all.iter().map(|migration| migration.version).max().unwrap_or(0),
            applied: new
                .map(|migration| Applied {
                    version: migration.version,
                    description: migration.description.to_string(),
                })
                .collect(),
        }
    }
}

pub(super) fn migration_error(error: MigrateError) -> StoreError {
    match error {
        MigrateError::VersionMissing(version) => StoreError::Open(format!(
            "a newer version of gleaner wrote it (migration {version}); install that version, or restore a backup"
        )),
        MigrateError::VersionMismatch(version) => StoreError::Open(format!(
            "its tables were made by another build of gleaner (migration {version} differs); use that build"
        )),
        MigrateError::Execute(error) => error.into(),
        MigrateError::ExecuteMigration(error, version) => {
            StoreError::Open(format!("migration {version} failed: {}", StoreError::from(error)))
        }
        other => StoreError::Open(other.to_string()),
    }
}

/// Whether a database was written with this key.
pub(super) fn check_key(written_with: &str, key_fingerprint: &str) -> Result<(), StoreError> {
    if written_with == key_fingerprint {
        return Ok(());
    }
    Err(StoreError::Open(format!(
        "it was written with the key {written_with}, and the key file holds {key_fingerprint}; restore the key file \
         that belongs to this database, or start with another database"
    )))
}
