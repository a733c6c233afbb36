//! Gates, budgets and workers, by the database's clock.
//!
//! Invariant: a grant locks the provider's row, reads, decides and writes, so that no two grants see the same line.

use std::time::Duration;

use async_trait::async_trait;
use jiff::Timestamp;
use sqlx::Row as _;
use sqlx::postgres::{PgBindIterExt as _, PgRow};

use super::rows::{Moment, count_from, moment_from, signed, storable};
use super::session::Session;
use super::{PostgresStore, StoreError, bell};
use crate::job::LookupEntry;
use crate::store::fleet::gate::{GateRow, Spent, after};
use crate::store::fleet::{
    Beat, Bill, Closed, ClosedBy, FORGOTTEN_AFTER, Fleet, GateState, Granted, Pulse, Resumed, SILENT_AFTER,
    SlotClaim, Usage, WorkerSeen, day, first_of_month,
};

/// No wait is longer: a century, in microseconds.
const LONGEST_WAIT: i64 = 3_155_760_000_000_000;

const LOCK: &str = "
    SELECT *, coalesce($2, clock_timestamp()) AS now FROM provider_gates WHERE provider = $1 FOR UPDATE";

const MAKE: &str = "INSERT INTO provider_gates (provider) VALUES ($1) ON CONFLICT (provider) DO NOTHING";

const REMEMBER: &str = "
    UPDATE provider_gates SET
        next_slot = $2, holder = $3, contended_at = $4,
        day = $5, day_calls = $6, day_settled = $7, day_micros = $8,
        month = $9, month_calls = $10, month_settled = $11, month_micros = $12
    WHERE provider = $1";

/// A shorter block never ends a longer one.
const BLOCK: &str = "
    INSERT INTO provider_gates AS gate (provider, blocked_until, blocked_why)
    VALUES ($1, coalesce($4, statement_timestamp()) + $2 * interval '1 microsecond', $3)
    ON CONFLICT (provider) DO UPDATE SET
        blocked_until = excluded.blocked_until, blocked_why = excluded.blocked_why
    WHERE gate.blocked_until IS NULL OR gate.blocked_until < excluded.blocked_until";

const PAUSE: &str = "
    INSERT INTO provider_gates (provider, paused_at, paused_until, paused_why)
    VALUES (
        $1, coalesce($4, statement_timestamp()),
        coalesce($4, statement_timestamp()) + $2::bigint * interval '1 microsecond', $3
    )
    ON CONFLICT (provider) DO UPDATE SET
        paused_at = excluded.paused_at, paused_until = excluded.paused_until, paused_why = excluded.paused_why";

const RESUME: &str = "
    UPDATE provider_gates SET
        epoch = epoch + 1, blocked_until = NULL, blocked_why = NULL,
        paused_at = NULL, paused_until = NULL, paused_why = NULL
    WHERE provider = $1";

/// The jobs that were put off because of a provider: the reason names each in the form `name: what is wrong`. Wakes
/// the workers.
const MAKE_DUE: &str = concat!(
    "WITH due AS (
         UPDATE enrichment_jobs SET run_at = coalesce($2, statement_timestamp()) WHERE id = ANY(ARRAY(
             SELECT id FROM enrichment_jobs
             WHERE state = 'waiting' AND run_at > coalesce($2, statement_timestamp())
                 AND position('; ' || $1 || ': ' IN '; ' || last_error) > 0
             ORDER BY member_id COLLATE \"C\"
             FOR UPDATE
         ))
         RETURNING 1
     )
     SELECT count(*) AS due, (SELECT pg_notify('",
    bell::channel!(),
    "', '') WHERE EXISTS (SELECT 1 FROM due)) FROM due"
);

const GATES: &str = "
    SELECT
        provider, epoch, blocked_until, blocked_why, paused_at, paused_until, paused_why,
        coalesce($1, statement_timestamp()) AS now
    FROM provider_gates ORDER BY provider COLLATE \"C\"";

const ALIVE: &str = "
    SELECT count(*) AS alive, coalesce($1, statement_timestamp()) AS now FROM workers
    WHERE beat_at > coalesce($1, statement_timestamp()) - $2 * interval '1 microsecond'";

const USAGE: &str = "
    SELECT
        provider,
        sum(lookups)::bigint AS lookups, sum(calls)::bigint AS calls, sum(cost_micros)::bigint AS micros,
        coalesce(sum(lookups) FILTER (WHERE day = $2), 0)::bigint AS lookups_today,
        coalesce(sum(calls) FILTER (WHERE day = $2), 0)::bigint AS calls_today,
        coalesce(sum(cost_micros) FILTER (WHERE day = $2), 0)::bigint AS micros_today
    FROM provider_usage
    WHERE day BETWEEN $1 AND $2
    GROUP BY provider ORDER BY provider COLLATE \"C\"";

const BEAT: &str = "
    WITH forgotten AS (
        DELETE FROM workers
        WHERE beat_at < coalesce($8, statement_timestamp()) - $9 * interval '1 microsecond' AND incarnation <> $1
    )
    INSERT INTO workers (incarnation, host, pid, version, started_at, beat_at, in_flight, finished)
    VALUES ($1, $2, $3, $4, $5, coalesce($8, statement_timestamp()), $6, $7)
    ON CONFLICT (incarnation) DO UPDATE SET
        beat_at = excluded.beat_at, in_flight = excluded.in_flight, finished = excluded.finished";

const WORKERS: &str = "
    SELECT *, coalesce($1, statement_timestamp()) AS now FROM workers ORDER BY started_at, incarnation COLLATE \"C\"";

const SPEND: &str = "
    INSERT INTO provider_usage AS used (provider, day, lookups, calls, cost_micros)
    SELECT * FROM unnest($1::text[], $2::bigint[], $3::bigint[], $4::bigint[], $5::bigint[])
    ON CONFLICT (provider, day) DO UPDATE SET
        lookups = used.lookups + excluded.lookups,
        calls = used.calls + excluded.calls,
        cost_micros = used.cost_micros + excluded.cost_micros";

/// The gates are locked in the order of their names.
const SETTLE: &str = "
    WITH
    bill AS (
        SELECT * FROM unnest($1::text[], $2::bigint[], $3::bigint[], $4::bigint[], $5::bigint[])
            AS bill (provider, day, month, calls, micros)
    ),
    locked AS MATERIALIZED (
        SELECT gate.provider, gate.day, gate.month FROM provider_gates AS gate
        WHERE gate.provider = ANY($1) ORDER BY gate.provider COLLATE \"C\" FOR UPDATE
    ),
    sums AS (
        SELECT
            locked.provider,
            coalesce(sum(bill.calls) FILTER (WHERE bill.day = locked.day), 0)::bigint AS day_calls,
            coalesce(sum(bill.micros) FILTER (WHERE bill.day = locked.day), 0)::bigint AS day_micros,
            coalesce(sum(bill.calls) FILTER (WHERE bill.month = locked.month), 0)::bigint AS month_calls,
            coalesce(sum(bill.micros) FILTER (WHERE bill.month = locked.month), 0)::bigint AS month_micros
        FROM locked
        JOIN bill USING (provider)
        GROUP BY locked.provider
    )
    UPDATE provider_gates AS gate SET
        day_settled = gate.day_settled + sums.day_calls,
        day_micros = gate.day_micros + sums.day_micros,
        month_settled = gate.month_settled + sums.month_calls,
        month_micros = gate.month_micros + sums.month_micros
    FROM sums
    WHERE gate.provider = sums.provider";

#[async_trait]
impl Fleet for PostgresStore {
    async fn grant(&self, claim: &SlotClaim<'_>, now: Timestamp) -> Result<Granted, StoreError> {
        let mut session = self.sessions.plain().await?;
        let (mut gate, now) = lock(&mut session, claim.provider, self.now(now)).await?;
        let granted = gate.decide(claim, now);
        let (today, month) = (gate.today, gate.month);
        let counts = [today.calls, today.settled, today.micros, month.calls, month.settled, month.micros];
        let counts = signed(counts.into_iter())?;
        let query = session
            .query(REMEMBER)
            .bind(claim.provider)
            .bind(gate.next_slot)
            .bind(gate.holder)
            .bind(Moment(gate.contended_at))
            .bind(today.period)
            .bind(counts[0])
            .bind(counts[1])
            .bind(counts[2])
            .bind(month.period)
            .bind(counts[3])
            .bind(counts[4])
            .bind(counts[5]);
        session.run(query).await?;
        session.end().await?;
        Ok(granted)
    }

    async fn block(
        &self,
        provider: &str,
        wait: Duration,
        why: &str,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        let mut session = self.sessions.alone().await?;
        let query =
            session.query(BLOCK).bind(provider).bind(micros(wait)).bind(storable(why)).bind(self.now(now));
        session.run(query).await?;
        session.end().await
    }

    async fn pause(
        &self,
        provider: &str,
        length: Option<Duration>,
        why: Option<&str>,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        let mut session = self.sessions.alone().await?;
        let query = session
            .query(PAUSE)
            .bind(provider)
            .bind(length.map(micros))
            .bind(why.map(storable))
            .bind(self.now(now));
        session.run(query).await?;
        session.end().await
    }

    async fn resume(&self, provider: &str, now: Timestamp) -> Result<Resumed, StoreError> {
        let mut session = self.sessions.plain().await?;
        // The jobs first, as commits do, and then the gate.
        let query = session.query(MAKE_DUE).bind(provider).bind(self.now(now));
        let jobs_due = count_from(&session.row(query).await?, "due")?;
        let (gate, now) = lock(&mut session, provider, self.now(now)).await?;
        let query = session.query(RESUME).bind(provider);
        session.run(query).await?;
        session.end().await?;
        Ok(Resumed { was_closed: gate.is_closed(now), jobs_due })
    }

    async fn pulse(&self, now: Timestamp) -> Result<Pulse, StoreError> {
        let mut session = self.sessions.alone().await?;
        let query = session.query(GATES).bind(self.now(now));
        let gates = session.rows(query).await?.iter().map(gate_state).collect::<Result<_, _>>()?;
        let query = session.query(ALIVE).bind(self.now(now)).bind(micros(SILENT_AFTER));
        let row = session.row(query).await?;
        session.end().await?;
        let alive = u32::try_from(count_from(&row, "alive")?).unwrap_or(u32::MAX);
        Ok(Pulse { now: moment_from(&row, "now")?, gates, alive })
    }

    async fn usage(&self, now: Timestamp) -> Result<Vec<Usage>, StoreError> {
        let mut session = self.sessions.alone().await?;
        let query = session.query("SELECT coalesce($1, statement_timestamp()) AS now").bind(self.now(now));
        let now = moment_from(&session.row(query).await?, "now")?;
        let query = session.query(USAGE).bind(first_of_month(now)).bind(day(now));
        let rows = session.rows(query).await?;
        session.end().await?;
        rows.iter().map(usage).collect()
    }

    async fn beat(&self, beat: &Beat, now: Timestamp) -> Result<(), StoreError> {
        let mut session = self.sessions.alone().await?;
        let counts = signed([beat.in_flight, beat.finished].into_iter())?;
        let query = session
            .query(BEAT)
            .bind(beat.incarnation.clone())
            .bind(storable(&beat.host))
            .bind(i64::from(beat.pid))
            .bind(beat.version.clone())
            .bind(Moment(beat.started_at))
            .bind(counts[0])
            .bind(counts[1])
            .bind(self.now(now))
            .bind(micros(FORGOTTEN_AFTER));
        session.run(query).await?;
        session.end().await
    }

    async fn leave(&self, incarnation: &str) -> Result<(), StoreError> {
        let mut session = self.sessions.alone().await?;
        let query = session.query("DELETE FROM workers WHERE incarnation = $1").bind(incarnation);
        session.run(query).await?;
        session.end().await
    }

    async fn workers(&self, now: Timestamp) -> Result<Vec<WorkerSeen>, StoreError> {
        let mut session = self.sessions.alone().await?;
        let query = session.query(WORKERS).bind(self.now(now));
        let rows = session.rows(query).await?;
        session.end().await?;
        rows.iter().map(worker_seen).collect()
    }
}

/// Adds calls that were made to the books, each to the day on which its lookup began.
pub(super) async fn settle(session: &mut Session, lookups: &[&LookupEntry]) -> Result<(), StoreError> {
    let bills = Bill::of(lookups);
    if bills.is_empty() {
        return Ok(());
    }
    let calls = signed(bills.iter().map(|bill| bill.calls))?;
    let costs = signed(bills.iter().map(|bill| bill.cost_micros))?;
    let providers = || bills.iter().map(|bill| bill.provider).bind_iter();
    let days = || bills.iter().map(|bill| bill.day).bind_iter();
    let spend = session
        .query(SPEND)
        .bind(providers())
        .bind(days())
        .bind(signed(bills.iter().map(|bill| bill.lookups))?)
        .bind(&calls)
        .bind(&costs);
    session.run(spend).await?;
    let settle = session
        .query(SETTLE)
        .bind(providers())
        .bind(days())
        .bind(bills.iter().map(|bill| bill.month).bind_iter())
        .bind(calls)
        .bind(costs);
    session.run(settle).await?;
    Ok(())
}

/// The row of a provider, made at its first use and locked; and the time.
async fn lock(
    session: &mut Session,
    provider: &str,
    now: Option<Moment>,
) -> Result<(GateRow, Timestamp), StoreError> {
    let make = session.query(MAKE).bind(provider);
    session.run(make).await?;
    let query = session.query(LOCK).bind(provider).bind(now);
    let row = session.row(query).await?;
    let spent = |period: &str| -> Result<Spent, StoreError> {
        let column = |name: &str| count_from(&row, &format!("{period}_{name}"));
        Ok(Spent {
            period: row.try_get(period)?,
            calls: column("calls")?,
            settled: column("settled")?,
            micros: column("micros")?,
        })
    };
    let gate = GateRow {
        next_slot: row.try_get("next_slot")?,
        holder: row.try_get("holder")?,
        contended_at: moment_from(&row, "contended_at")?,
        blocked_until: time(&row, "blocked_until")?,
        is_paused: time(&row, "paused_at")?.is_some(),
        paused_until: time(&row, "paused_until")?,
        today: spent("day")?,
        month: spent("month")?,
    };
    // A given time as it was given: a slot's has more digits than the database's.
    Ok((gate, now.map_or_else(|| moment_from(&row, "now"), |now| Ok(now.0))?))
}

fn gate_state(row: &PgRow) -> Result<GateState, StoreError> {
    let now = moment_from(row, "now")?;
    let paused_until = time(row, "paused_until")?;
    let is_paused = time(row, "paused_at")?.is_some() && paused_until.is_none_or(|until| until > now);
    let blocked_until = time(row, "blocked_until")?.filter(|until| *until > now);
    let closed = if is_paused {
        Some(Closed { by: ClosedBy::Operator, why: row.try_get("paused_why")?, until: paused_until })
    } else if blocked_until.is_some() {
        Some(Closed { by: ClosedBy::Provider, why: row.try_get("blocked_why")?, until: blocked_until })
    } else {
        None
    };
    Ok(GateState { provider: row.try_get("provider")?, epoch: count_from(row, "epoch")?, closed })
}

fn usage(row: &PgRow) -> Result<Usage, StoreError> {
    Ok(Usage {
        provider: row.try_get("provider")?,
        lookups_today: count_from(row, "lookups_today")?,
        calls_today: count_from(row, "calls_today")?,
        cost_micros_today: count_from(row, "micros_today")?,
        lookups_this_month: count_from(row, "lookups")?,
        calls_this_month: count_from(row, "calls")?,
        cost_micros_this_month: count_from(row, "micros")?,
    })
}

fn worker_seen(row: &PgRow) -> Result<WorkerSeen, StoreError> {
    let beat_at = moment_from(row, "beat_at")?;
    Ok(WorkerSeen {
        incarnation: row.try_get("incarnation")?,
        host: row.try_get("host")?,
        pid: u32::try_from(count_from(row, "pid")?).unwrap_or(0),
        version: row.try_get("version")?,
        started_at: moment_from(row, "started_at")?,
        beat_at,
        alive: after(beat_at, SILENT_AFTER) > moment_from(row, "now")?,
        in_flight: count_from(row, "in_flight")?,
        finished: count_from(row, "finished")?,
    })
}

fn time(row: &PgRow, column: &str) -> Result<Option<Timestamp>, StoreError> {
    Ok(row.try_get::<Option<Moment>, _>(column)?.map(|at| at.0))
}

fn micros(wait: Duration) -> i64 {
    i64::try_from(wait.as_micros()).unwrap_or(LONGEST_WAIT).min(LONGEST_WAIT)
}
