//! Providers that fail again and again: left alone by everybody, then tried by one.
//!
//! Invariant: of all who trip a provider at once, one counts; of all who would try it, one may.

use std::time::Duration;

use jiff::Timestamp;

use super::fleet::{make_gate, milliseconds};
use super::rows::millis;
use super::{SqliteStore, StoreError};
use crate::store::fleet::{Probe, Trip};

pub(super) async fn trip(
    store: &SqliteStore,
    provider: &str,
    trip: &Trip<'_>,
    now: Timestamp,
) -> Result<(), StoreError> {
    let sql = "
        UPDATE provider_gates SET
            blocked_until = ?2 + min(?3 << min(trips, 20), ?4), blocked_why = ?5,
            trips = trips + 1, probe_until = NULL, probe_by = NULL
        WHERE provider = ?1 AND (blocked_until IS NULL OR blocked_until <= ?2)";
    let mut tx = store.begin().await?;
    make_gate(&mut tx, provider).await?;
    sqlx::query(sql)
        .bind(provider)
        .bind(millis(now))
        .bind(milliseconds(trip.first))
        .bind(milliseconds(trip.longest))
        .bind(trip.why)
        .execute(&mut *tx)
        .await?;
    tx.commit().await?;
    Ok(())
}

pub(super) async fn probe(
    store: &SqliteStore,
    provider: &str,
    owner: &str,
    lease: Duration,
    now: Timestamp,
) -> Result<Probe, StoreError> {
    let sql = "
        UPDATE provider_gates SET probe_until = ?2 + ?4, probe_by = ?3
        WHERE provider = ?1 AND (blocked_until IS NULL OR blocked_until <= ?2)
            AND (probe_until IS NULL OR probe_until <= ?2 OR probe_by = ?3)";
    let mut tx = store.begin().await?;
    make_gate(&mut tx, provider).await?;
    let taken = sqlx::query(sql)
        .bind(provider)
        .bind(millis(now))
        .bind(owner)
        .bind(milliseconds(lease))
        .execute(&mut *tx)
        .await?;
    let again: i64 = sqlx::query_scalar(
        "SELECT max(coalesce(blocked_until, 0), coalesce(probe_until, 0)) FROM provider_gates WHERE provider = ?1",
    )
    .bind(provider)
    .fetch_one(&mut *tx)
    .await?;
    tx.commit().await?;
    let wait = Duration::from_millis(again.saturating_sub(millis(now)).try_into().unwrap_or_default());
    Ok(if taken.rows_affected() > 0 { Probe::Go } else { Probe::Wait(wait) })
}

pub(super) async fn mend(store: &SqliteStore, provider: &str, now: Timestamp) -> Result<(), StoreError> {
    let sql = "
        UPDATE provider_gates SET trips = 0, probe_until = NULL, probe_by = NULL
        WHERE provider = ?1 AND (blocked_until IS NULL OR blocked_until <= ?2)";
    sqlx::query(sql).bind(provider).bind(millis(now)).execute(&store.writer).await?;
    Ok(())
}
