//! Batches: the book of them here, filling, dead letters and what commits count beside.
//!
//! Two locks beside those of rows: who makes a batch or fills one holds an advisory lock of the batch, so that one at a time
//! does so without holding the batch's row, which commits want while they hold members'.
//!
//! Invariant: jobs' rows first, the batch's row after them, counts last.

use async_trait::async_trait;
use jiff::Timestamp;
use sqlx::Row as _;
use sqlx::postgres::PgRow;

use super::rows::{Moment, count_from, moment_from};
use super::session::Session;
use super::{PostgresStore, StoreError};
use crate::job::{BatchId, BatchName, Refresh};
use crate::member::MemberId;
use crate::store::batches::columns::{kind_of, name_of, selection_of, state_of};
use crate::store::batches::{
    Batch, BatchKind, BatchStanding, BatchState, Batches, Cancelled, ChangePage, Counts, FieldChange, Filled,
    IMPORT_LEVELS, LetterFilter, LetterGroup, NewBatch, QueueAge, REPLAY_LEVELS, Rebuilt, RecordChunk,
    Reserve, Sampled, Selected,
};
use crate::store::columns::json;
use crate::store::{DeadLetter, Page};

mod book;
mod commit;
mod fill;
mod hold;
mod letters;
mod rebuild;

pub(super) use book::{in_batches, open_for};
pub(super) use commit::{compare, count, counting_dead, settle, tag};

/// One at a time makes a batch.
const ALONE: &str = "SELECT pg_advisory_xact_lock(1198286178, 0)";

macro_rules! columns {
    () => {
        "id, name, kind, state, priority, selection::text AS selection, selected, is_filled, filled_to, refresh_before, \
         refresh_provider, ceiling_micros, spent_micros, reserved_micros, why, created_at, ended_at"
    };
}
use columns;

/// A level of the queue at which nobody waits and no batch that is open.
macro_rules! free_level {
    ($from:literal, $to:literal) => {
        concat!(
            "coalesce(
                 (
                     SELECT min(level) FROM generate_series(", $from, ", ", $to, " - 1) AS level
                     WHERE NOT EXISTS (
                         SELECT 1 FROM batches WHERE priority = level AND state NOT IN ('done', 'cancelled')
                     ) AND NOT EXISTS (
                         SELECT 1 FROM enrichment_jobs WHERE state = 'waiting' AND priority = level
                     )
                 ),
                 ", $to, " - 1
             )"
        )
    };
}
use free_level;

const CREATE: &str = concat!(
    "INSERT INTO batches
         (name, kind, state, priority, selection, refresh_before, refresh_provider, ceiling_micros, created_at)
     SELECT $1, $2, $3, ",
    free_level!("$4", "$5"),
    ", $6::jsonb, $7, $8, $9, coalesce($10, statement_timestamp())
     ON CONFLICT (name) DO NOTHING
     RETURNING ",
    columns!()
);

/// Drafts that nobody decided about.
const FORGET_DRAFTS: &str = "
    WITH gone AS (
        DELETE FROM batches
        WHERE state = 'draft'
            AND (name = $2 OR created_at < coalesce($1, statement_timestamp()) - interval '1 day')
        RETURNING id
    )
    DELETE FROM batch_members WHERE batch IN (SELECT id FROM gone)";

/// Filled, and none of its jobs is left. One whose members wait among all others never ends by itself.
const END: &str = "
    UPDATE batches SET state = 'done', ended_at = coalesce($1, statement_timestamp())
    WHERE state = 'running' AND is_filled AND (
        kind = 'renormalize' OR (
            priority > 0
            AND NOT EXISTS (
                SELECT 1 FROM enrichment_jobs
                WHERE enrichment_jobs.state = 'waiting' AND enrichment_jobs.priority = batches.priority
            )
            AND NOT EXISTS (
                SELECT 1 FROM enrichment_jobs
                WHERE enrichment_jobs.state = 'running' AND coalesce(replay, batch) = batches.id
            )
        )
    )";

const ALL: &str =
    concat!("SELECT ", columns!(), " FROM batches WHERE state <> 'draft' ORDER BY id DESC LIMIT 1000");

const ONE: &str = concat!("SELECT ", columns!(), " FROM batches WHERE name = $1");
const BY_ID: &str = concat!("SELECT ", columns!(), " FROM batches WHERE id = $1");

const COUNTS: &str =
    "SELECT what, sum(count)::bigint AS count FROM batch_counts WHERE batch = $1 GROUP BY what";

/// What waits is found by the batch's level, where it has one.
const STANDING: &str = "
    SELECT
        (
            SELECT count(*) FROM enrichment_jobs
            WHERE state = 'waiting' AND priority = $2 AND coalesce(replay, batch) = $1
        ) AS waiting,
        (SELECT count(*) FROM enrichment_jobs WHERE state = 'running' AND coalesce(replay, batch) = $1) AS running";

const DEAD: &str = "
    SELECT reason, count(*) AS letters FROM dead_letters
    WHERE coalesce(replay, batch) = $1
    GROUP BY reason";

const APPROVE: &str = "UPDATE batches SET state = 'filling', selected = $2 WHERE id = $1 AND state = 'draft'";

const RESUME: &str = "
    UPDATE batches SET
        state = CASE
            WHEN state <> 'paused' THEN state
            WHEN is_filled OR kind = 'import' THEN 'running'
            ELSE 'filling'
        END,
        why = CASE WHEN state = 'paused' THEN NULL ELSE why END,
        ceiling_micros = coalesce($2, ceiling_micros)
    WHERE id = $1 AND state IN ('filling', 'running', 'paused')
    RETURNING state";

const CLOSE_IMPORT: &str = "
    UPDATE batches SET is_filled = TRUE, state = CASE WHEN state = 'filling' THEN 'running' ELSE state END
    WHERE id = $1 AND kind = 'import'";

const CHANGES: &str = "
    SELECT member_id, field, change FROM batch_changes
    WHERE batch = $1 AND member_id > $2
    ORDER BY member_id, field
    LIMIT $3";

const AGE: &str = "
    SELECT
        coalesce(extract(epoch FROM coalesce($1, statement_timestamp()) - min(run_at)), 0)::bigint AS oldest_due,
        coalesce(extract(epoch FROM coalesce($1, statement_timestamp()) - min(queued_at)), 0)::bigint AS oldest_queued
    FROM enrichment_jobs
    WHERE state = 'waiting'";

#[async_trait]
impl Batches for PostgresStore {
    async fn create_batch(&self, new: &NewBatch, now: Timestamp) -> Result<Option<Batch>, StoreError> {
        let mut session = self.sessions.write().await?;
        let lock = session.query(ALONE);
        session.run(lock).await?;
        let end = session.query(END).bind(self.now(now));
        session.run(end).await?;
        let forget = session.query(FORGET_DRAFTS).bind(self.now(now)).bind(new.name.as_str().to_owned());
        session.run(forget).await?;
        let (levels, state) = match new.kind {
            BatchKind::Import => (IMPORT_LEVELS, BatchState::Filling),
            BatchKind::Replay | BatchKind::Renormalize => (REPLAY_LEVELS, BatchState::Draft),
        };
        let refresh = new.refresh.as_ref();
        let query = session
            .query(CREATE)
            .bind(new.name.as_str().to_owned())
            .bind(new.kind.as_str())
            .bind(state.as_str())
            .bind(i32::from(levels.start))
            .bind(i32::from(levels.end))
            .bind(json(&new.selection)?)
            .bind(refresh.map(|refresh| Moment(refresh.before)))
            .bind(refresh.and_then(|refresh| refresh.provider.clone()))
            .bind(new.ceiling_micros.and_then(|micros| i64::try_from(micros).ok()))
            .bind(self.now(now));
        let rows = session.rows(query).await?;
        session.end().await?;
        rows.first().map(batch_from).transpose()
    }

    async fn batches(&self, now: Timestamp) -> Result<Vec<Batch>, StoreError> {
        self.end_batches(now).await?;
        let mut session = self.sessions.alone().await?;
        let query = session.query(ALL);
        let rows = session.rows(query).await?;
        session.end().await?;
        rows.iter().map(batch_from).collect()
    }

    async fn batch(&self, name: &BatchName, now: Timestamp) -> Result<Option<Batch>, StoreError> {
        self.end_batches(now).await?;
        let mut session = self.sessions.alone().await?;
        let query = session.query(ONE).bind(name.as_str().to_owned());
        let rows = session.rows(query).await?;
        session.end().await?;
        rows.first().map(batch_from).transpose()
    }

    async fn batch_counts(&self, batch: BatchId) -> Result<Counts, StoreError> {
        let mut session = self.sessions.alone().await?;
        let query = session.query(COUNTS).bind(batch.0);
        let rows = session.rows(query).await?;
        session.end().await?;
        let counts = rows.iter().map(|row| Ok((row.try_get("what")?, count_from(row, "count")?)));
        Ok(Counts(counts.collect::<Result<_, StoreError>>()?))
    }

    async fn batch_standing(&self, batch: &Batch) -> Result<BatchStanding, StoreError> {
        let mut session = self.sessions.report().await?;
        let query = session.query(STANDING).bind(batch.id.0).bind(batch.priority);
        let row = session.row(query).await?;
        let query = session.query(DEAD).bind(batch.id.0);
        let dead = session.rows(query).await?;
        session.end().await?;
        let letters = dead.iter().map(|row| {
            let reason = crate::store::columns::dead_reason_of(row.try_get("reason")?)?;
            Ok((reason, count_from(row, "letters")?))
        });
        Ok(BatchStanding {
            waiting: count_from(&row, "waiting")?,
            running: count_from(&row, "running")?,
            dead_letters: letters.collect::<Result<_, StoreError>>()?,
        })
    }

    async fn list_members(&self, batch: BatchId, members: &[MemberId]) -> Result<(), StoreError> {
        fill::list(self, batch, members).await
    }

    async fn list_by_error(
        &self,
        batch: BatchId,
        class: &str,
        provider: Option<&str>,
        and_listed: bool,
    ) -> Result<(), StoreError> {
        fill::list_by_error(self, batch, class, provider, and_listed).await
    }

    async fn count_selected(&self, batch: BatchId, now: Timestamp) -> Result<Selected, StoreError> {
        fill::count_selected(self, batch, now).await
    }

    async fn sample_selected(
        &self,
        batch: BatchId,
        of: Selected,
        about: u32,
        now: Timestamp,
    ) -> Result<Vec<Sampled>, StoreError> {
        fill::sample(self, batch, of, about, now).await
    }

    async fn approve_batch(&self, batch: BatchId, selected: u64) -> Result<bool, StoreError> {
        let mut session = self.sessions.alone().await?;
        let query = session.query(APPROVE).bind(batch.0).bind(i64::try_from(selected).unwrap_or(i64::MAX));
        let approved = session.run(query).await? > 0;
        session.end().await?;
        Ok(approved)
    }

    async fn discard_batch(&self, batch: BatchId) -> Result<(), StoreError> {
        let sql = "
            WITH gone AS (DELETE FROM batches WHERE id = $1 AND state = 'draft' RETURNING id)
            DELETE FROM batch_members WHERE batch IN (SELECT id FROM gone)";
        let mut session = self.sessions.alone().await?;
        let query = session.query(sql).bind(batch.0);
        session.run(query).await?;
        session.end().await
    }

    async fn fill_batch(&self, batch: BatchId, chunk: u32, now: Timestamp) -> Result<Filled, StoreError> {
        fill::fill(self, batch, chunk, now).await
    }

    async fn close_import(&self, batch: BatchId, _now: Timestamp) -> Result<(), StoreError> {
        let mut session = self.sessions.alone().await?;
        let query = session.query(CLOSE_IMPORT).bind(batch.0);
        session.run(query).await?;
        session.end().await
    }

    async fn next_records(
        &self,
        batch: BatchId,
        after: Option<&MemberId>,
        chunk: u32,
        now: Timestamp,
    ) -> Result<Option<RecordChunk>, StoreError> {
        rebuild::next(self, batch, after, chunk, now).await
    }

    async fn write_rebuilt(
        &self,
        batch: BatchId,
        chunk: &RecordChunk,
        rebuilt: &[Rebuilt],
        _now: Timestamp,
    ) -> Result<Filled, StoreError> {
        rebuild::write(self, batch, chunk, rebuilt).await
    }

    async fn unfilled(&self) -> Result<Vec<(BatchId, BatchKind)>, StoreError> {
        let sql = "SELECT id, kind FROM batches WHERE state = 'filling' AND kind <> 'import' ORDER BY id";
        let mut session = self.sessions.alone().await?;
        let query = session.query(sql);
        let rows = session.rows(query).await?;
        session.end().await?;
        rows.iter().map(|row| Ok((BatchId(row.try_get("id")?), kind_of(row.try_get("kind")?)?))).collect()
    }

    async fn pause_batch(&self, batch: BatchId, why: &str) -> Result<Option<BatchState>, StoreError> {
        hold::pause(self, batch, why).await
    }

    async fn resume_batch(
        &self,
        batch: BatchId,
        ceiling_micros: Option<u64>,
    ) -> Result<Option<BatchState>, StoreError> {
        let mut session = self.sessions.alone().await?;
        let ceiling = ceiling_micros.map(|micros| i64::try_from(micros).unwrap_or(i64::MAX));
        let query = session.query(RESUME).bind(batch.0).bind(ceiling);
        let rows = session.rows(query).await?;
        let ring = session.query(book::RING);
        session.run(ring).await?;
        session.end().await?;
        rows.first().map(|row| state_of(row.try_get("state")?)).transpose()
    }

    async fn cancel_batch(&self, batch: BatchId, now: Timestamp) -> Result<Cancelled, StoreError> {
        book::cancel(self, batch, now).await
    }

    async fn reserve(&self, wishes: &[Reserve], now: Timestamp) -> Result<Vec<bool>, StoreError> {
        book::reserve(self, wishes, now).await
    }

    async fn changes(&self, batch: BatchId, page: ChangePage<'_>) -> Result<Vec<FieldChange>, StoreError> {
        let mut session = self.sessions.alone().await?;
        let query =
            session.query(CHANGES).bind(batch.0).bind(page.after.to_owned()).bind(i64::from(page.limit));
        let rows = session.rows(query).await?;
        session.end().await?;
        let change = |row: &PgRow| {
            let (member_id, field) = (row.try_get("member_id")?, row.try_get("field")?);
            Ok(FieldChange { member_id, field, change: row.try_get("change")? })
        };
        rows.iter().map(change).collect()
    }

    async fn find_dead_letters(
        &self,
        filter: &LetterFilter,
        page: Page,
    ) -> Result<Vec<DeadLetter>, StoreError> {
        letters::find(self, filter, page).await
    }

    async fn group_dead_letters(&self, filter: &LetterFilter) -> Result<Vec<LetterGroup>, StoreError> {
        letters::group(self, filter).await
    }

    async fn purge_dead_letters(&self, filter: &LetterFilter) -> Result<u64, StoreError> {
        letters::purge(self, filter).await
    }

    async fn queue_age(&self, now: Timestamp) -> Result<QueueAge, StoreError> {
        let mut session = self.sessions.report().await?;
        let query = session.query(AGE).bind(self.now(now));
        let row = session.row(query).await?;
        session.end().await?;
        Ok(QueueAge {
            oldest_due_secs: count_from(&row, "oldest_due")?,
            oldest_queued_secs: count_from(&row, "oldest_queued")?,
        })
    }
}

impl PostgresStore {
    async fn end_batches(&self, now: Timestamp) -> Result<(), StoreError> {
        let mut session = self.sessions.alone().await?;
        let query = session.query(END).bind(self.now(now));
        session.run(query).await?;
        session.end().await
    }
}

/// Reads one, as a part of the caller's transaction; with how far it is filled.
async fn read(session: &mut Session, batch: BatchId) -> Result<Option<(Batch, Option<String>)>, StoreError> {
    let query = session.query(BY_ID).bind(batch.0);
    let rows = session.rows(query).await?;
    rows.first().map(|row| Ok((batch_from(row)?, row.try_get("filled_to")?))).transpose()
}

fn batch_from(row: &PgRow) -> Result<Batch, StoreError> {
    let ended: Option<Moment> = row.try_get("ended_at")?;
    let refresh: Option<Moment> = row.try_get("refresh_before")?;
    let ceiling: Option<i64> = row.try_get("ceiling_micros")?;
    Ok(Batch {
        id: BatchId(row.try_get("id")?),
        name: name_of(row.try_get("name")?)?,
        kind: kind_of(row.try_get("kind")?)?,
        state: state_of(row.try_get("state")?)?,
        priority: row.try_get("priority")?,
        selection: selection_of(row.try_get("selection")?)?,
        selected: count_from(row, "selected")?,
        is_filled: row.try_get("is_filled")?,
        refresh_before: refresh.map(|at| at.0),
        refresh_provider: row.try_get("refresh_provider")?,
        ceiling_micros: ceiling.map(|micros| u64::try_from(micros).unwrap_or(0)),
        spent_micros: count_from(row, "spent_micros")?,
        reserved_micros: count_from(row, "reserved_micros")?,
        why: row.try_get("why")?,
        created_at: moment_from(row, "created_at")?,
        ended_at: ended.map(|at| at.0),
    })
}

impl Batch {
    /// What its jobs must know of it.
    fn in_batch(&self) -> crate::job::InBatch {
        let refresh =
            self.refresh_before.map(|before| Refresh { before, provider: self.refresh_provider.clone() });
        crate::job::InBatch {
            batch: self.id,
            is_replay: self.kind == BatchKind::Replay,
            is_capped: self.ceiling_micros.is_some(),
            refresh,
        }
    }
}
