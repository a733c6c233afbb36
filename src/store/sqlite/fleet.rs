//! Gates, budgets and workers.
//!
//! Invariant: a grant reads, decides and writes in one transaction of the one writer, so that no two grants see the same line.

use std::time::Duration;

use jiff::Timestamp;
use sqlx::Row as _;
use sqlx::sqlite::SqliteRow;

use super::rows::{millis, moment};
use super::{SqliteStore, StoreError, Write};
use crate::job::LookupEntry;
use crate::store::columns::{corrupt, json};
use crate::store::fleet::gate::{Booked, GateRow, Leaves, Spent, after};
use crate::store::fleet::{
    Beat, Bill, Closed, ClosedBy, FORGOTTEN_AFTER, GateState, Granted, Pulse, Resumed, SILENT_AFTER,
    SlotClaim, Usage, WorkerSeen, day, first_of_month,
};

const GATES: &str = "provider_gates";

const REMEMBER: &str = "
    UPDATE provider_gates SET
        next_slot = ?2, holder = ?3, contended_at = ?4,
        day = ?5, day_calls = ?6, month = ?7, month_calls = ?8
    WHERE provider = ?1";

/// The jobs that were put off because of a provider: the reason names each in the form `name: what is wrong`.
const MAKE_DUE: &str = "
    UPDATE enrichment_jobs SET run_at = ?2
    WHERE state = 'waiting' AND run_at > ?2 AND instr('; ' || last_error, '; ' || ?1 || ': ') > 0";

/// What is in the books of today and of this month.
const BOOKED: &str = "
    SELECT
        coalesce(sum(calls) FILTER (WHERE day = ?3), 0) AS day_settled,
        coalesce(sum(cost_micros) FILTER (WHERE day = ?3), 0) AS day_micros,
        coalesce(sum(calls), 0) AS month_settled,
        coalesce(sum(cost_micros), 0) AS month_micros
    FROM provider_usage
    WHERE provider = ?1 AND day BETWEEN ?2 AND ?3";

const SPEND: &str = "
    INSERT INTO provider_usage (provider, day, lookups, calls, cost_micros)
    SELECT
        value ->> 'provider', value ->> 'day', value ->> 'lookups', value ->> 'calls', value ->> 'cost_micros'
    FROM jsonb_each(?1)
    WHERE TRUE
    ON CONFLICT (provider, day) DO UPDATE SET
        lookups = lookups + excluded.lookups,
        calls = calls + excluded.calls,
        cost_micros = cost_micros + excluded.cost_micros";

pub(super) async fn grant(
    store: &SqliteStore,
    claim: &SlotClaim<'_>,
    now: Timestamp,
) -> Result<Granted, StoreError> {
    let mut tx = store.begin().await?;
    let mut gate = gate(&mut tx, claim.provider).await?;
    let booked =
        if claim.budget.counts() { booked(&mut tx, claim.provider, now).await? } else { Booked::default() };
    let granted = gate.decide(claim, &booked, now);
    sqlx::query(REMEMBER)
        .bind(claim.provider)
        .bind(gate.next_slot)
        .bind(&gate.holder)
        .bind(millis(gate.contended_at))
        .bind(gate.today.period)
        .bind(signed(gate.today.calls))
        .bind(gate.month.period)
        .bind(signed(gate.month.calls))
        .execute(&mut *tx)
        .await?;
    tx.commit().await?;
    Ok(granted)
}

/// The row of a provider, made at its first use.
async fn gate(tx: &mut Write, provider: &str) -> Result<GateRow, StoreError> {
    make_gate(tx, provider).await?;
    let row = sqlx::query("SELECT * FROM provider_gates WHERE provider = ?1")
        .bind(provider)
        .fetch_one(&mut **tx)
        .await?;
    let paused_at: Option<i64> = row.try_get("paused_at")?;
    Ok(GateRow {
        next_slot: row.try_get("next_slot")?,
        holder: row.try_get("holder")?,
        contended_at: moment(row.try_get("contended_at")?, GATES)?,
        blocked_until: time(&row, "blocked_until")?,
        is_paused: paused_at.is_some(),
        paused_until: time(&row, "paused_until")?,
        today: Leaves { period: row.try_get("day")?, calls: count(&row, "day_calls")? },
        month: Leaves { period: row.try_get("month")?, calls: count(&row, "month_calls")? },
    })
}

async fn booked(tx: &mut Write, provider: &str, now: Timestamp) -> Result<Booked, StoreError> {
    let row = sqlx::query(BOOKED)
        .bind(provider)
        .bind(first_of_month(now))
        .bind(day(now))
        .fetch_one(&mut **tx)
        .await?;
    let spent = |period: &str| -> Result<Spent, StoreError> {
        Ok(Spent {
            calls: count(&row, &format!("{period}_settled"))?,
            micros: count(&row, &format!("{period}_micros"))?,
        })
    };
    Ok(Booked { today: spent("day")?, month: spent("month")? })
}

pub(super) async fn make_gate(tx: &mut Write, provider: &str) -> Result<(), StoreError> {
    let sql = "INSERT INTO provider_gates (provider) VALUES (?1) ON CONFLICT (provider) DO NOTHING";
    sqlx::query(sql).bind(provider).execute(&mut **tx).await?;
    Ok(())
}

pub(super) async fn block(
    store: &SqliteStore,
    provider: &str,
    wait: Duration,
    why: &str,
    now: Timestamp,
) -> Result<(), StoreError> {
    let sql = "
        UPDATE provider_gates SET blocked_until = ?2, blocked_why = ?3
        WHERE provider = ?1 AND (blocked_until IS NULL OR blocked_until < ?2)";
    let mut tx = store.begin().await?;
    make_gate(&mut tx, provider).await?;
    sqlx::query(sql).bind(provider).bind(millis(after(now, wait))).bind(why).execute(&mut *tx).await?;
    tx.commit().await?;
    Ok(())
}

pub(super) async fn pause(
    store: &SqliteStore,
    provider: &str,
    length: Option<Duration>,
    why: Option<&str>,
    now: Timestamp,
) -> Result<(), StoreError> {
    let sql =
        "UPDATE provider_gates SET paused_at = ?2, paused_until = ?3, paused_why = ?4 WHERE provider = ?1";
    let mut tx = store.begin().await?;
    make_gate(&mut tx, provider).await?;
    sqlx::query(sql)
        .bind(provider)
        .bind(millis(now))
        .bind(length.map(|length| millis(after(now, length))))
        .bind(why)
        .execute(&mut *tx)
        .await?;
    tx.commit().await?;
    Ok(())
}

pub(super) async fn resume(
    store: &SqliteStore,
    provider: &str,
    now: Timestamp,
) -> Result<Resumed, StoreError> {
    let sql = "
        UPDATE provider_gates SET
            epoch = epoch + 1, blocked_until = NULL, blocked_why = NULL,
            trips = 0, probe_until = NULL, probe_by = NULL,
            paused_at = NULL, paused_until = NULL, paused_why = NULL
        WHERE provider = ?1";
    let mut tx = store.begin().await?;
    let gate = gate(&mut tx, provider).await?;
    sqlx::query(sql).bind(provider).execute(&mut *tx).await?;
    let due = sqlx::query(MAKE_DUE).bind(provider).bind(millis(now)).execute(&mut *tx).await?;
    tx.commit().await?;
    Ok(Resumed { was_closed: gate.is_closed(now), jobs_due: due.rows_affected() })
}

pub(super) async fn make_due(store: &SqliteStore, provider: &str, now: Timestamp) -> Result<u64, StoreError> {
    let due = sqlx::query(MAKE_DUE).bind(provider).bind(millis(now)).execute(&store.writer).await?;
    Ok(due.rows_affected())
}

pub(super) async fn pulse(store: &SqliteStore, now: Timestamp) -> Result<Pulse, StoreError> {
    let gates = "
        SELECT provider, epoch, trips, blocked_until, blocked_why, paused_at, paused_until, paused_why
        FROM provider_gates ORDER BY provider";
    let rows = sqlx::query(gates).fetch_all(&store.readers).await?;
    let alive = sqlx::query_scalar("SELECT count(*) FROM workers WHERE beat_at > ?1")
        .bind(millis(now).saturating_sub(milliseconds(SILENT_AFTER)))
        .fetch_one(&store.readers)
        .await?;
    let gates = rows.iter().map(|row| gate_state(row, now)).collect::<Result<_, _>>()?;
    Ok(Pulse { now, gates, alive })
}

fn gate_state(row: &SqliteRow, now: Timestamp) -> Result<GateState, StoreError> {
    let paused_at: Option<i64> = row.try_get("paused_at")?;
    let paused_until = time(row, "paused_until")?;
    let trips = row.try_get("trips")?;
    let blocked_until = time(row, "blocked_until")?.filter(|until| *until > now);
    let closed = if paused_at.is_some() && paused_until.is_none_or(|until| until > now) {
        Some(Closed { by: ClosedBy::Operator, why: row.try_get("paused_why")?, until: paused_until })
    } else if blocked_until.is_some() {
        Some(Closed { by: ClosedBy::of_block(trips), why: row.try_get("blocked_why")?, until: blocked_until })
    } else {
        None
    };
    Ok(GateState { provider: row.try_get("provider")?, epoch: count(row, "epoch")?, trips, closed })
}

pub(super) async fn usage(store: &SqliteStore, now: Timestamp) -> Result<Vec<Usage>, StoreError> {
    let sql = "
        SELECT
            provider,
            sum(lookups) AS lookups, sum(calls) AS calls, sum(cost_micros) AS micros,
            coalesce(sum(lookups) FILTER (WHERE day = ?2), 0) AS lookups_today,
            coalesce(sum(calls) FILTER (WHERE day = ?2), 0) AS calls_today,
            coalesce(sum(cost_micros) FILTER (WHERE day = ?2), 0) AS micros_today
        FROM provider_usage
        WHERE day BETWEEN ?1 AND ?2
        GROUP BY provider ORDER BY provider";
    let rows = sqlx::query(sql).bind(first_of_month(now)).bind(day(now)).fetch_all(&store.readers).await?;
    let usage = |row: &SqliteRow| -> Result<Usage, StoreError> {
        Ok(Usage {
            provider: row.try_get("provider")?,
            lookups_today: count(row, "lookups_today")?,
            calls_today: count(row, "calls_today")?,
            cost_micros_today: count(row, "micros_today")?,
            lookups_this_month: count(row, "lookups")?,
            calls_this_month: count(row, "calls")?,
            cost_micros_this_month: count(row, "micros")?,
        })
    };
    rows.iter().map(usage).collect()
}

pub(super) async fn beat(store: &SqliteStore, beat: &Beat, now: Timestamp) -> Result<(), StoreError> {
    let sql = "
        INSERT INTO workers (incarnation, host, pid, version, started_at, beat_at, in_flight, finished)
        VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)
        ON CONFLICT (incarnation) DO UPDATE SET
            beat_at = excluded.beat_at, in_flight = excluded.in_flight, finished = excluded.finished";
    let mut tx = store.begin().await?;
    sqlx::query(sql)
        .bind(&beat.incarnation)
        .bind(&beat.host)
        .bind(beat.pid)
        .bind(&beat.version)
        .bind(millis(beat.started_at))
        .bind(millis(now))
        .bind(signed(beat.in_flight))
        .bind(signed(beat.finished))
        .execute(&mut *tx)
        .await?;
    sqlx::query("DELETE FROM workers WHERE beat_at < ?1")
        .bind(millis(now).saturating_sub(milliseconds(FORGOTTEN_AFTER)))
        .execute(&mut *tx)
        .await?;
    tx.commit().await?;
    Ok(())
}

pub(super) async fn leave(store: &SqliteStore, incarnation: &str) -> Result<(), StoreError> {
    sqlx::query("DELETE FROM workers WHERE incarnation = ?1")
        .bind(incarnation)
        .execute(&store.writer)
        .await?;
    Ok(())
}

pub(super) async fn workers(store: &SqliteStore, now: Timestamp) -> Result<Vec<WorkerSeen>, StoreError> {
    let rows = sqlx::query("SELECT * FROM workers ORDER BY started_at, incarnation")
        .fetch_all(&store.readers)
        .await?;
    let seen = |row: &SqliteRow| -> Result<WorkerSeen, StoreError> {
        let beat_at = moment(row.try_get("beat_at")?, "workers")?;
        Ok(WorkerSeen {
            incarnation: row.try_get("incarnation")?,
            host: row.try_get("host")?,
            pid: row.try_get("pid")?,
            version: row.try_get("version")?,
            started_at: moment(row.try_get("started_at")?, "workers")?,
            beat_at,
            alive: after(beat_at, SILENT_AFTER) > now,
            in_flight: count(row, "in_flight")?,
            finished: count(row, "finished")?,
        })
    };
    rows.iter().map(seen).collect()
}

/// Enters calls that were made into the books, each on the day on which its lookup began.
pub(super) async fn book<'a>(
    tx: &mut Write,
    lookups: impl Iterator<Item = &'a LookupEntry>,
) -> Result<(), StoreError> {
    let bills = Bill::of(lookups);
    if !bills.is_empty() {
        sqlx::query(SPEND).bind(json(&bills)?).execute(&mut **tx).await?;
    }
    Ok(())
}

fn time(row: &SqliteRow, column: &str) -> Result<Option<Timestamp>, StoreError> {
    let at: Option<i64> = row.try_get(column)?;
    at.map(|at| moment(at, GATES)).transpose()
}

fn count(row: &SqliteRow, column: &str) -> Result<u64, StoreError> {
    let count: i64 = row.try_get(column)?;
    u64::try_from(count).map_err(|_| corrupt(GATES, "a count"))
}

fn signed(count: u64) -> i64 {
    i64::try_from(count).unwrap_or(i64::MAX)
}

pub(super) fn milliseconds(duration: Duration) -> i64 {
    i64::try_from(duration.as_millis()).unwrap_or(i64::MAX)
}
