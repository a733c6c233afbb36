//! Open doors beside a worker, and `gleaner intake`: only the doors.
//!
//! Invariant: the doors are shut before the worker drains, so that nothing is taken in that nobody waits for.

use anyhow::bail;
use gleaner::console::metrics::MetricsListener;
use gleaner::intake::doors::{DoorError, Doors, Reception};
use gleaner::worker::{Ending, Stop, Worker};

use super::host::{Host, Vault};
use super::{Exit, Global};

/// Opens every configured door.
pub(crate) async fn open(host: &Host, vault: &Vault) -> anyhow::Result<Doors> {
    Doors::open(&host.config, &reception(host, vault)).await.map_err(told)
}

/// Lets metrics be read beside the doors, where that is configured.
pub(crate) async fn show_metrics(doors: &mut Doors, host: &Host, vault: &Vault) -> anyhow::Result<()> {
    let opened = MetricsListener::open(&host.config, &reception(host, vault)).await;
    if let Some(listener) = opened.map_err(told)? {
        tracing::info!(address = %listener.address()?, "metrics can be read");
        doors.add(Box::new(listener));
    }
    Ok(())
}

/// Wrong settings have an exit code of their own.
fn told(error: DoorError) -> anyhow::Error {
    match error {
        DoorError::Config(error) => error.into(),
        other => other.into(),
    }
}

/// What doors hand over to.
pub(crate) fn reception(host: &Host, vault: &Vault) -> Reception {
    Reception {
        store: vault.store.clone(),
        keyring: vault.keyring.clone(),
        clock: host.clock.clone(),
        remember: host.config.retention.requests(),
    }
}

/// Runs a worker beside open doors until it is done, told to stop, or left without a door.
pub(crate) async fn work(worker: Worker, mut doors: Doors, stop: Stop) -> anyhow::Result<Ending> {
    let inner = Stop::default();
    let mut working = std::pin::pin!(worker.run(inner.clone()));
    let fault = tokio::select! {
        ending = &mut working => {
            doors.shut().await;
            return Ok(ending?);
        }
        () = stop.asked() => None,
        error = doors.ended() => Some(error),
    };
    // The worker goes on while the doors shut.
    let shutting = async {
        tokio::select! {
            () = doors.shut() => {}
            () = stop.asked_hard() => {}
        }
        inner.drain();
        stop.asked_hard().await;
        inner.abort();
        std::future::pending().await
    };
    let ending = tokio::select! {
        ending = &mut working => ending?,
        never = shutting => never,
    };
    match fault {
        None => Ok(ending),
        Some(error) => Err(error.into()),
    }
}

/// `gleaner intake`: takes registrations in and leaves them to workers elsewhere.
pub(crate) async fn run(global: &Global) -> anyhow::Result<Exit> {
    let stop = Stop::on_signals()?;
    let host = Host::open(global)?;
    let Some(vault) = host.vault_when_there(&stop).await? else { return Ok(Exit::Done) };
    let mut doors = open(&host, &vault).await?;
    if doors.names().is_empty() {
        bail!("no door is configured; set `http.listen`, `nats.url` or `rabbitmq.url`");
    }
    tracing::info!(doors = doors.names().join(" "), "doors opened");
    show_metrics(&mut doors, &host, &vault).await?;
    let fault = tokio::select! {
        () = stop.asked() => None,
        error = doors.ended() => Some(error),
    };
    tokio::select! {
        () = doors.shut() => {}
        () = stop.asked_hard() => {}
    }
    vault.store.close().await;
    tracing::info!("doors shut");
    match fault {
        None => Ok(Exit::Done),
        Some(error) => Err(error.into()),
    }
}
