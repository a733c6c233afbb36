//! What can be named where members are taken in: files, `-` for standard input, e-mail addresses.

use std::path::Path;
use std::sync::Arc;

use gleaner::intake::file::{Source, SourceError};
use gleaner::intake::{self, IntakeReport};
use gleaner::job::BatchName;
use gleaner_providers::sandbox::SAMPLE_MEMBERS;

use super::host::{Host, Vault};
use super::progress::Progress;

/// Takes everything in, in the order given.
pub(crate) async fn take_in(
    names: &[String],
    batch: Option<&BatchName>,
    host: &Host,
    vault: &Vault,
) -> anyhow::Result<IntakeReport> {
    let mut report = IntakeReport::default();
    for name in names {
        report += take_in_one(open(name, vault).await?, batch, host, vault).await?;
    }
    Ok(report)
}

/// Makes what is known of their members old, so that taking them in looks everybody up again.
pub(crate) async fn forget(names: &[String], host: &Host, vault: &Vault) -> anyhow::Result<()> {
    anyhow::ensure!(
        !names.iter().any(|name| name == "-"),
        "`--refresh` reads its members twice, and standard input can be read once: give a file"
    );
    for name in names {
        let mut source = open(name, vault).await?;
        while let Some(batch) = source.next_batch().await? {
            if !batch.registrations.is_empty() {
                vault.store.forget_answers(&batch.registrations, host.clock.now()).await?;
            }
        }
    }
    Ok(())
}

/// Takes the built-in sample members in.
pub(crate) async fn take_in_samples(host: &Host, vault: &Vault) -> anyhow::Result<IntakeReport> {
    let keyring = Arc::clone(&vault.keyring);
    let samples = Source::read(SAMPLE_MEMBERS.as_bytes(), "sample-members.csv", keyring).await?;
    take_in_one(samples, None, host, vault).await
}

async fn open(name: &str, vault: &Vault) -> Result<Source, SourceError> {
    let path = Path::new(name);
    if is_address(name) {
        Ok(Source::addresses(&[name], &vault.keyring))
    } else {
        Source::open(path, Arc::clone(&vault.keyring)).await
    }
}

/// Whether an argument means an address and not a file.
pub(crate) fn is_address(name: &str) -> bool {
    name.contains('@') && !Path::new(name).exists()
}

async fn take_in_one(
    mut source: Source,
    batch: Option<&BatchName>,
    host: &Host,
    vault: &Vault,
) -> anyhow::Result<IntakeReport> {
    let progress = Progress::reading(&source);
    Ok(intake::take_in(&mut source, batch, &*vault.store, &*host.clock, |report| progress.read(report))
        .await?)
}
