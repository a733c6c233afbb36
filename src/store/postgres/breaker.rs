//! Providers that fail again and again: left alone by everybody, then tried by one.
//!
//! Invariant: of all who trip a provider at once, one counts; of all who would try it, one may.

use std::time::Duration;

use jiff::Timestamp;
use sqlx::Row as _;

use super::fleet::ring;
use super::rows::{micros, storable};
use super::{PostgresStore, StoreError, bell};
use crate::store::fleet::{Probe, Trip};

const TRIP: &str = concat!(
    "
    WITH closed AS (
        INSERT INTO provider_gates AS gate (provider, trips, blocked_until, blocked_why)
        SELECT $1, 1, now + $2 * interval '1 microsecond', $4
        FROM (SELECT coalesce($5, clock_timestamp()) AS now) AS clock
        ON CONFLICT (provider) DO UPDATE SET
            blocked_until = coalesce($5, clock_timestamp())
                + least($2 * power(2, least(gate.trips, 20)), $3) * interval '1 microsecond',
            blocked_why = excluded.blocked_why,
            trips = gate.trips + 1, probe_until = NULL, probe_by = NULL
        WHERE gate.blocked_until IS NULL OR gate.blocked_until <= coalesce($5, clock_timestamp())
        RETURNING 1
    )
    SELECT ",
    ring!(),
    " FROM closed"
);

/// The row is locked before it is judged: of two that ask at once, the second sees what the first has taken.
const PROBE: &str = "
    WITH clock AS (SELECT coalesce($4, clock_timestamp()) AS now),
    gate AS (SELECT * FROM provider_gates WHERE provider = $1 FOR UPDATE),
    judged AS (
        SELECT
            gate.provider, clock.now,
            coalesce(gate.blocked_until <= clock.now, TRUE)
                AND (coalesce(gate.probe_until <= clock.now, TRUE) OR gate.probe_by = $2) AS go,
            greatest(gate.blocked_until, gate.probe_until) AS again
        FROM gate CROSS JOIN clock
    ),
    taken AS (
        UPDATE provider_gates SET probe_until = judged.now + $3 * interval '1 microsecond', probe_by = $2
        FROM judged
        WHERE provider_gates.provider = judged.provider AND judged.go
    )
    SELECT go, coalesce((extract(epoch FROM again - now) * 1000000)::bigint, 0) AS wait FROM judged";

const MEND: &str = concat!(
    "
    WITH mended AS (
        UPDATE provider_gates SET trips = 0, probe_until = NULL, probe_by = NULL
        WHERE provider = $1 AND trips > 0
            AND (blocked_until IS NULL OR blocked_until <= coalesce($2, clock_timestamp()))
        RETURNING 1
    )
    SELECT ",
    ring!(),
    " FROM mended"
);

pub(super) async fn trip(
    store: &PostgresStore,
    provider: &str,
    trip: &Trip<'_>,
    now: Timestamp,
) -> Result<(), StoreError> {
    let mut session = store.sessions.alone().await?;
    let query = session
        .query(TRIP)
        .bind(provider)
        .bind(micros(trip.first))
        .bind(micros(trip.longest))
        .bind(storable(trip.why))
        .bind(store.now(now));
    session.rows(query).await?;
    session.end().await
}

pub(super) async fn probe(
    store: &PostgresStore,
    provider: &str,
    owner: &str,
    lease: Duration,
    now: Timestamp,
) -> Result<Probe, StoreError> {
    let mut session = store.sessions.alone().await?;
    let query = session.query(PROBE).bind(provider).bind(owner).bind(micros(lease)).bind(store.now(now));
    let rows = session.rows(query).await?;
    session.end().await?;
    // No row: nobody has ever closed it.
    let Some(row) = rows.first() else { return Ok(Probe::Go) };
    let wait = Duration::from_micros(row.try_get::<i64, _>("wait")?.try_into().unwrap_or_default());
    Ok(if row.try_get("go")? { Probe::Go } else { Probe::Wait(wait) })
}

pub(super) async fn mend(store: &PostgresStore, provider: &str, now: Timestamp) -> Result<(), StoreError> {
    let mut session = store.sessions.alone().await?;
    let query = session.query(MEND).bind(provider).bind(store.now(now));
    session.rows(query).await?;
    session.end().await
}
