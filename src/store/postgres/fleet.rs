//! Gates, budgets and workers.
//!
//! Nothing here is kept of people, so that it goes past the gate of erasures; and nothing waits for a worker: a grant is one call of
//! a function in the database, which holds the provider's row for the time of its decision.
//!
//! Invariant: the books are written in the transaction that writes the log.

use std::time::Duration;

use async_trait::async_trait;
use gleaner_providers::limit::{HORIZON, Slots};
use jiff::Timestamp;
use sqlx::Row as _;
use sqlx::postgres::{PgBindIterExt as _, PgRow};

use super::rows::{Day, Moment, count_from, micros, moment_from, signed, storable};
use super::session::Session;
use super::{PostgresStore, StoreError, bell, breaker};
use crate::config::Budget;
use crate::job::LookupEntry;
use crate::store::fleet::gate::moment;
use crate::store::fleet::{
    Beat, Bill, Closed, ClosedBy, FORGOTTEN_AFTER, Fleet, GateRefusal, GateState, Granted, Probe, Pulse,
    Resumed, SILENT_AFTER, SlotClaim, Trip, Usage, WorkerSeen, date_of,
};

const GRANT: &str = "
    SELECT decided_at, first_slot, granted, none_before, refusal, contended
    FROM gleaner_grant($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14)";

macro_rules! ring {
    () => {
        concat!("pg_notify('", bell::gates!(), "', '')")
    };
}
pub(super) use ring;

const BLOCK: &str = concat!(
    "
    WITH closed AS (
        INSERT INTO provider_gates AS gate (provider, blocked_until, blocked_why)
        VALUES ($1, coalesce($4, clock_timestamp()) + $2 * interval '1 microsecond', $3)
        ON CONFLICT (provider) DO UPDATE SET
            blocked_until = excluded.blocked_until, blocked_why = excluded.blocked_why
        WHERE gate.blocked_until IS NULL OR gate.blocked_until < excluded.blocked_until
        RETURNING 1
    )
    SELECT ",
    ring!(),
    " FROM closed"
);

const PAUSE: &str = concat!(
    "
    WITH closed AS (
        INSERT INTO provider_gates (provider, paused_at, paused_until, paused_why)
        VALUES (
            $1, coalesce($4, clock_timestamp()), coalesce($4, clock_timestamp()) + $2 * interval '1 microsecond', $3
        )
        ON CONFLICT (provider) DO UPDATE SET
            paused_at = excluded.paused_at, paused_until = excluded.paused_until, paused_why = excluded.paused_why
        RETURNING 1
    )
    SELECT ",
    ring!(),
    " FROM closed"
);

/// Opens the gate, and tells whether it was closed. The row is locked first, so that what is told was true.
const RESUME: &str = concat!(
    "
    WITH before AS (
        SELECT
            coalesce(paused_at IS NOT NULL AND (paused_until IS NULL OR paused_until > now), FALSE)
                OR coalesce(blocked_until > now, FALSE) AS was_closed
        FROM provider_gates
        CROSS JOIN (SELECT coalesce($2, clock_timestamp()) AS now) AS clock
        WHERE provider = $1
        FOR UPDATE OF provider_gates
    ),
    opened AS (
        INSERT INTO provider_gates AS gate (provider, epoch)
        SELECT $1, 1 FROM (SELECT count(*) FROM before) AS looked_first
        ON CONFLICT (provider) DO UPDATE SET
            epoch = gate.epoch + 1, blocked_until = NULL, blocked_why = NULL,
            trips = 0, probe_until = NULL, probe_by = NULL,
            paused_at = NULL, paused_until = NULL, paused_why = NULL
        RETURNING 1
    )
    SELECT coalesce((SELECT was_closed FROM before), FALSE) AS was_closed, ",
    ring!(),
    " FROM opened"
);

/// The jobs that were put off because of a provider: the reason names each in the form `name: what is wrong`. Those that somebody
/// is working with are passed over.
const MAKE_DUE: &str = "
    UPDATE enrichment_jobs SET run_at = coalesce($2, statement_timestamp())
    WHERE id = ANY(ARRAY(
        SELECT id FROM enrichment_jobs
        WHERE state = 'waiting' AND run_at > coalesce($2, statement_timestamp())
            AND strpos('; ' || last_error, '; ' || $1 || ': ') > 0
        ORDER BY id
        LIMIT $3
        FOR UPDATE SKIP LOCKED
    ))";

/// Jobs made due in one transaction.
const DUE_AT_ONCE: i64 = 5_000;

const GATES: &str = "
    SELECT
        coalesce($1, clock_timestamp()) AS now,
        (
            SELECT count(*) FROM workers
            WHERE beat_at > coalesce($1, clock_timestamp()) - $2 * interval '1 microsecond'
        ) AS alive,
        gate.provider, gate.epoch, gate.trips, gate.blocked_until, gate.blocked_why, gate.paused_at, gate.paused_until, gate.paused_why
    FROM (VALUES (1)) AS always
    LEFT JOIN provider_gates AS gate ON TRUE
    ORDER BY gate.provider";

const USAGE: &str = "
    WITH clock AS (SELECT (coalesce($1, clock_timestamp()) AT TIME ZONE 'UTC')::date AS today)
    SELECT
        provider,
        sum(lookups)::bigint AS lookups, sum(calls)::bigint AS calls, sum(cost_micros)::bigint AS micros,
        coalesce(sum(lookups) FILTER (WHERE day = today), 0)::bigint AS lookups_today,
        coalesce(sum(calls) FILTER (WHERE day = today), 0)::bigint AS calls_today,
        coalesce(sum(cost_micros) FILTER (WHERE day = today), 0)::bigint AS micros_today
    FROM provider_usage
    CROSS JOIN clock
    WHERE day BETWEEN date_trunc('month', today)::date AND today
    GROUP BY provider
    ORDER BY provider";

const BEAT: &str = "
    WITH forgotten AS (
        DELETE FROM workers
        WHERE beat_at < coalesce($8, clock_timestamp()) - $9 * interval '1 microsecond' AND incarnation <> $1
    )
    INSERT INTO workers (incarnation, host, pid, version, started_at, beat_at, in_flight, finished)
    VALUES (
        $1, $2, $3, $4, coalesce($8, clock_timestamp()) - $5 * interval '1 microsecond', coalesce($8, clock_timestamp()),
        $6, $7
    )
    ON CONFLICT (incarnation) DO UPDATE SET
        beat_at = excluded.beat_at, in_flight = excluded.in_flight, finished = excluded.finished";

const WORKERS: &str = "
    SELECT
        *, beat_at > coalesce($1, clock_timestamp()) - $2 * interval '1 microsecond' AS alive
    FROM workers
    ORDER BY started_at, incarnation";

const BOOK: &str = "
    INSERT INTO provider_usage AS books (provider, day, stripe, lookups, calls, cost_micros)
    SELECT provider, day, pg_backend_pid() % 16, lookups, calls, cost_micros
    FROM unnest($1::text[], $2::date[], $3::bigint[], $4::bigint[], $5::bigint[])
        AS bill (provider, day, lookups, calls, cost_micros)
    ON CONFLICT (provider, day, stripe) DO UPDATE SET
        lookups = books.lookups + excluded.lookups,
        calls = books.calls + excluded.calls,
        cost_micros = books.cost_micros + excluded.cost_micros";

#[async_trait]
impl Fleet for PostgresStore {
    async fn grant(&self, claim: &SlotClaim<'_>, now: Timestamp) -> Result<Granted, StoreError> {
        let Budget { daily_calls, monthly_calls, daily_micros, monthly_micros, call_micros } = claim.budget;
        let mut session = self.sessions.alone().await?;
        let query = session
            .query(GRANT)
            .bind(claim.provider)
            .bind(claim.owner)
            .bind(i64::from(claim.ask.want))
            .bind(i64::from(claim.ask.unused))
            .bind(nanos(claim.ask.notice))
            .bind(nanos(claim.ask.pace.interval).max(1))
            .bind(nanos(claim.ask.pace.tolerance))
            .bind(nanos(HORIZON))
            .bind(daily_calls.map(whole))
            .bind(monthly_calls.map(whole))
            .bind(daily_micros.map(whole))
            .bind(monthly_micros.map(whole))
            .bind(whole(call_micros))
            .bind(self.now(now));
        let row = session.row(query).await?;
        session.end().await?;
        granted(&row)
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
        session.rows(query).await?;
        session.end().await
    }

    async fn trip(&self, provider: &str, trip: &Trip<'_>, now: Timestamp) -> Result<(), StoreError> {
        breaker::trip(self, provider, trip, now).await
    }

    async fn probe(
        &self,
        provider: &str,
        owner: &str,
        lease: Duration,
        now: Timestamp,
    ) -> Result<Probe, StoreError> {
        breaker::probe(self, provider, owner, lease, now).await
    }

    async fn mend(&self, provider: &str, now: Timestamp) -> Result<(), StoreError> {
        breaker::mend(self, provider, now).await
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
        session.rows(query).await?;
        session.end().await
    }

    /// First the gate, then the jobs in batches, so that no lock is held for long: what is claimed in between finds the gate open.
    async fn resume(&self, provider: &str, now: Timestamp) -> Result<Resumed, StoreError> {
        let mut session = self.sessions.alone().await?;
        let query = session.query(RESUME).bind(provider).bind(self.now(now));
        let was_closed = session.row(query).await?.try_get("was_closed")?;
        session.end().await?;
        Ok(Resumed { was_closed, jobs_due: self.make_due(provider, now).await? })
    }

    async fn make_due(&self, provider: &str, now: Timestamp) -> Result<u64, StoreError> {
        let mut jobs_due = 0;
        loop {
            let mut session = self.sessions.alone().await?;
            let query = session.query(MAKE_DUE).bind(provider).bind(self.now(now)).bind(DUE_AT_ONCE);
            let due = session.run(query).await?;
            session.end().await?;
            jobs_due += due;
            if due < DUE_AT_ONCE.unsigned_abs() {
                if jobs_due > 0 {
                    ring_for_jobs(self).await?;
                }
                return Ok(jobs_due);
            }
        }
    }

    async fn pulse(&self, now: Timestamp) -> Result<Pulse, StoreError> {
        let mut session = self.sessions.alone().await?;
        let query = session.query(GATES).bind(self.now(now)).bind(micros(SILENT_AFTER));
        let rows = session.rows(query).await?;
        session.end().await?;
        let mut pulse = Pulse { now, gates: Vec::new(), alive: 0 };
        for row in &rows {
            pulse.now = moment_from(row, "now")?;
            pulse.alive = u32::try_from(count_from(row, "alive")?).unwrap_or(u32::MAX);
            pulse.gates.extend(gate_state(row, pulse.now)?);
        }
        Ok(pulse)
    }

    async fn usage(&self, now: Timestamp) -> Result<Vec<Usage>, StoreError> {
        let mut session = self.sessions.alone().await?;
        let query = session.query(USAGE).bind(self.now(now));
        let rows = session.rows(query).await?;
        session.end().await?;
        let usage = |row: &PgRow| -> Result<Usage, StoreError> {
            Ok(Usage {
                provider: row.try_get("provider")?,
                lookups_today: count_from(row, "lookups_today")?,
                calls_today: count_from(row, "calls_today")?,
                cost_micros_today: count_from(row, "micros_today")?,
                lookups_this_month: count_from(row, "lookups")?,
                calls_this_month: count_from(row, "calls")?,
                cost_micros_this_month: count_from(row, "micros")?,
            })
        };
        rows.iter().map(usage).collect()
    }

    async fn beat(&self, beat: &Beat, now: Timestamp) -> Result<(), StoreError> {
        // By the database's clock, as everything that workers compare.
        let age = Duration::try_from(now.duration_since(beat.started_at)).unwrap_or_default();
        let mut session = self.sessions.alone().await?;
        let query = session
            .query(BEAT)
            .bind(beat.incarnation.clone())
            .bind(storable(&beat.host))
            .bind(i64::from(beat.pid))
            .bind(beat.version.clone())
            .bind(micros(age))
            .bind(whole(beat.in_flight))
            .bind(whole(beat.finished))
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
        let query = session.query(WORKERS).bind(self.now(now)).bind(micros(SILENT_AFTER));
        let rows = session.rows(query).await?;
        session.end().await?;
        let seen = |row: &PgRow| -> Result<WorkerSeen, StoreError> {
            Ok(WorkerSeen {
                incarnation: row.try_get("incarnation")?,
                host: row.try_get("host")?,
                pid: u32::try_from(count_from(row, "pid")?).unwrap_or(0),
                version: row.try_get("version")?,
                started_at: moment_from(row, "started_at")?,
                beat_at: moment_from(row, "beat_at")?,
                alive: row.try_get("alive")?,
                in_flight: count_from(row, "in_flight")?,
                finished: count_from(row, "finished")?,
            })
        };
        rows.iter().map(seen).collect()
    }

    async fn wait_for_gates(&self) {
        self.bell.gates_rung().await;
    }
}

fn granted(row: &PgRow) -> Result<Granted, StoreError> {
    let count = u32::try_from(count_from(row, "granted")?).unwrap_or(u32::MAX);
    let refusal: Option<String> = row.try_get("refusal")?;
    let slots = if refusal.is_none() {
        Slots::From { first: moment(row.try_get("first_slot")?), count }
    } else {
        Slots::NoneBefore(row.try_get::<Option<i64>, _>("none_before")?.map(moment))
    };
    Ok(Granted {
        now: moment_from(row, "decided_at")?,
        slots,
        refusal: refusal.and_then(|word| GateRefusal::from_word(&word)),
        contended: row.try_get("contended")?,
    })
}

async fn ring_for_jobs(store: &PostgresStore) -> Result<(), StoreError> {
    let sql = concat!("SELECT pg_notify('", bell::channel!(), "', '')");
    let mut session = store.sessions.alone().await?;
    let query = session.query(sql);
    session.rows(query).await?;
    session.end().await
}

/// `None` for the one row that comes where there is no gate.
fn gate_state(row: &PgRow, now: Timestamp) -> Result<Option<GateState>, StoreError> {
    let Some(provider) = row.try_get("provider")? else { return Ok(None) };
    let time = |column: &str| -> Result<Option<Timestamp>, StoreError> {
        Ok(row.try_get::<Option<Moment>, _>(column)?.map(|at| at.0))
    };
    let paused_until = time("paused_until")?;
    let is_paused = time("paused_at")?.is_some() && paused_until.is_none_or(|until| until > now);
    let blocked_until = time("blocked_until")?.filter(|until| *until > now);
    let trips = u32::try_from(row.try_get::<i32, _>("trips")?).unwrap_or_default();
    let closed = if is_paused {
        Some(Closed { by: ClosedBy::Operator, why: row.try_get("paused_why")?, until: paused_until })
    } else if blocked_until.is_some() {
        Some(Closed { by: ClosedBy::of_block(trips), why: row.try_get("blocked_why")?, until: blocked_until })
    } else {
        None
    };
    Ok(Some(GateState { provider, epoch: count_from(row, "epoch")?, trips, closed }))
}

/// Enters calls that were made into the books, each on the day on which its lookup began.
pub(super) async fn book<'a>(
    session: &mut Session,
    lookups: impl Iterator<Item = &'a LookupEntry>,
) -> Result<(), StoreError> {
    let bills = Bill::of(lookups);
    if bills.is_empty() {
        return Ok(());
    }
    let query = session
        .query(BOOK)
        .bind(bills.iter().map(|bill| bill.provider).bind_iter())
        .bind(bills.iter().map(|bill| Day(date_of(bill.day))).bind_iter())
        .bind(signed(bills.iter().map(|bill| bill.lookups))?)
        .bind(signed(bills.iter().map(|bill| bill.calls))?)
        .bind(signed(bills.iter().map(|bill| bill.cost_micros))?);
    session.run(query).await?;
    Ok(())
}

fn nanos(duration: Duration) -> i64 {
    i64::try_from(duration.as_nanos()).unwrap_or(i64::MAX)
}

fn whole(count: u64) -> i64 {
    i64::try_from(count).unwrap_or(i64::MAX)
}
