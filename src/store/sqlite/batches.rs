//! Batches: the book of them here, filling, dead letters and what commits count beside.
//!
//! Invariant: every write is one transaction of the one writer, so that a batch is filled by one at a time.

use async_trait::async_trait;
use jiff::Timestamp;
use sqlx::Row as _;
use sqlx::sqlite::SqliteRow;

use super::rows::{millis, moment};
use super::{SqliteStore, StoreError, Write};
use crate::job::{BatchId, BatchName};
use crate::member::MemberId;
use crate::store::batches::columns::{kind_of, name_of, selection_of, state_of};
use crate::store::batches::{
    Batch, BatchKind, BatchStanding, BatchState, Batches, Cancelled, ChangePage, Counts, FieldChange, Filled,
    IMPORT_LEVELS, LetterFilter, LetterGroup, NewBatch, QueueAge, REPLAY_LEVELS, Rebuilt, RecordChunk,
    Reserve, Sampled, Selected,
};
use crate::store::columns::{dead_reason_of, json};
use crate::store::{DeadLetter, Page};

mod book;
mod commit;
mod fill;
mod hold;
mod letters;
mod rebuild;

pub(super) use book::{in_batches, open_for};
pub(super) use commit::{compare, count, settle, tag};

const TABLE: &str = "batches";

macro_rules! columns {
    () => {
        "id, name, kind, state, priority, selection, selected, is_filled, filled_to, refresh_before, refresh_provider, \
         ceiling_micros, spent_micros, reserved_micros, why, created_at, ended_at"
    };
}
use columns;

/// A level of the queue at which nobody waits and no batch that is open.
macro_rules! free_level {
    ($from:literal, $to:literal) => {
        concat!(
            "coalesce(
                 (
                     WITH RECURSIVE level (priority) AS (
                         SELECT ", $from, " UNION ALL SELECT priority + 1 FROM level WHERE priority < ", $to, " - 1
                     )
                     SELECT priority FROM level
                     WHERE NOT EXISTS (
                         SELECT 1 FROM batches AS other
                         WHERE other.priority = level.priority AND other.state NOT IN ('done', 'cancelled')
                     ) AND NOT EXISTS (
                         SELECT 1 FROM enrichment_jobs AS job
                         WHERE job.state = 'waiting' AND job.priority = level.priority
                     )
                     LIMIT 1
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
     SELECT ?1, ?2, ?3, ",
    free_level!("?4", "?5"),
    ", ?6, ?7, ?8, ?9, ?10
     WHERE TRUE
     ON CONFLICT (name) DO NOTHING
     RETURNING ",
    columns!()
);

/// Drafts that nobody decided about.
const FORGET_DRAFTS: [&str; 2] = [
    "DELETE FROM batch_members WHERE batch IN (
         SELECT id FROM batches WHERE state = 'draft' AND (name = ?2 OR created_at < ?1 - 86400000)
     )",
    "DELETE FROM batches WHERE state = 'draft' AND (name = ?2 OR created_at < ?1 - 86400000)",
];

/// Filled, and none of its jobs is left. One whose members wait among all others never ends by itself.
const END: &str = "
    UPDATE batches SET state = 'done', ended_at = ?1
    WHERE state = 'running' AND is_filled AND (
        kind = 'renormalize' OR (
            priority > 0
            AND NOT EXISTS (
                SELECT 1 FROM enrichment_jobs AS job
                WHERE job.state = 'waiting' AND job.priority = batches.priority
            )
            AND NOT EXISTS (
                SELECT 1 FROM enrichment_jobs AS job
                WHERE job.state = 'running' AND coalesce(job.replay, job.batch) = batches.id
            )
        )
    )";

/// Whether a look is worth a write.
const HAS_RUNNING: &str = "SELECT EXISTS (SELECT 1 FROM batches WHERE state = 'running' AND is_filled)";

const ALL: &str =
    concat!("SELECT ", columns!(), " FROM batches WHERE state <> 'draft' ORDER BY id DESC LIMIT 1000");
const ONE: &str = concat!("SELECT ", columns!(), " FROM batches WHERE name = ?1");
const BY_ID: &str = concat!("SELECT ", columns!(), " FROM batches WHERE id = ?1");

/// What waits is found by the batch's level.
const STANDING: &str = "
    SELECT
        (
            SELECT count(*) FROM enrichment_jobs
            WHERE state = 'waiting' AND priority = ?2 AND coalesce(replay, batch) = ?1
        ),
        (SELECT count(*) FROM enrichment_jobs WHERE state = 'running' AND coalesce(replay, batch) = ?1)";

const DEAD: &str = "
    SELECT reason, count(*) FROM dead_letters WHERE coalesce(replay, batch) = ?1 GROUP BY reason";

const RESUME: &str = "
    UPDATE batches SET
        state = CASE
            WHEN state <> 'paused' THEN state
            WHEN is_filled OR kind = 'import' THEN 'running'
            ELSE 'filling'
        END,
        why = CASE WHEN state = 'paused' THEN NULL ELSE why END,
        ceiling_micros = coalesce(?2, ceiling_micros)
    WHERE id = ?1 AND state IN ('filling', 'running', 'paused')
    RETURNING state";

const CLOSE_IMPORT: &str = "
    UPDATE batches SET is_filled = TRUE, state = CASE WHEN state = 'filling' THEN 'running' ELSE state END
    WHERE id = ?1 AND kind = 'import'";

const CHANGES: &str = "
    SELECT member_id, field, change FROM batch_changes
    WHERE batch = ?1 AND member_id > ?2
    ORDER BY member_id, field
    LIMIT ?3";

#[async_trait]
impl Batches for SqliteStore {
    async fn create_batch(&self, new: &NewBatch, now: Timestamp) -> Result<Option<Batch>, StoreError> {
        let (levels, state) = match new.kind {
            BatchKind::Import => (IMPORT_LEVELS, BatchState::Filling),
            BatchKind::Replay | BatchKind::Renormalize => (REPLAY_LEVELS, BatchState::Draft),
        };
        let refresh = new.refresh.as_ref();
        let mut tx = self.begin().await?;
        sqlx::query(END).bind(millis(now)).execute(&mut *tx).await?;
        for sql in FORGET_DRAFTS {
            sqlx::query(sql).bind(millis(now)).bind(new.name.as_str()).execute(&mut *tx).await?;
        }
        let row = sqlx::query(CREATE)
            .bind(new.name.as_str())
            .bind(new.kind.as_str())
            .bind(state.as_str())
            .bind(levels.start)
            .bind(levels.end)
            .bind(json(&new.selection)?)
            .bind(refresh.map(|refresh| millis(refresh.before)))
            .bind(refresh.and_then(|refresh| refresh.provider.as_deref()))
            .bind(new.ceiling_micros.map(|micros| i64::try_from(micros).unwrap_or(i64::MAX)))
            .bind(millis(now))
            .fetch_optional(&mut *tx)
            .await?;
        tx.commit().await?;
        row.as_ref().map(batch_from).transpose()
    }

    async fn batches(&self, now: Timestamp) -> Result<Vec<Batch>, StoreError> {
        self.end_batches(now).await?;
        sqlx::query(ALL).fetch_all(&self.readers).await?.iter().map(batch_from).collect()
    }

    async fn batch(&self, name: &BatchName, now: Timestamp) -> Result<Option<Batch>, StoreError> {
        self.end_batches(now).await?;
        let row = sqlx::query(ONE).bind(name.as_str()).fetch_optional(&self.readers).await?;
        row.as_ref().map(batch_from).transpose()
    }

    async fn batch_counts(&self, batch: BatchId) -> Result<Counts, StoreError> {
        let sql = "SELECT what, count FROM batch_counts WHERE batch = ?1";
        let rows: Vec<(String, u64)> = sqlx::query_as(sql).bind(batch.0).fetch_all(&self.readers).await?;
        Ok(Counts(rows.into_iter().collect()))
    }

    async fn batch_standing(&self, batch: &Batch) -> Result<BatchStanding, StoreError> {
        let (waiting, running): (u64, u64) =
            sqlx::query_as(STANDING).bind(batch.id.0).bind(batch.priority).fetch_one(&self.readers).await?;
        let dead: Vec<(String, u64)> = sqlx::query_as(DEAD).bind(batch.id.0).fetch_all(&self.readers).await?;
        let letters = dead.into_iter().map(|(reason, count)| Ok((dead_reason_of(&reason)?, count)));
        Ok(BatchStanding { waiting, running, dead_letters: letters.collect::<Result<_, StoreError>>()? })
    }

    async fn list_members(&self, batch: BatchId, members: &[MemberId]) -> Result<(), StoreError> {
        let sql = "
            INSERT INTO batch_members (member_id, batch)
            SELECT value, ?2 FROM jsonb_each(?1) WHERE TRUE
            ON CONFLICT DO NOTHING";
        sqlx::query(sql).bind(json(&members)?).bind(batch.0).execute(&self.writer).await?;
        Ok(())
    }

    async fn list_by_error(
        &self,
        batch: BatchId,
        class: &str,
        provider: Option<&str>,
        and_listed: bool,
    ) -> Result<(), StoreError> {
        let sql = if and_listed {
            "DELETE FROM batch_members WHERE batch = ?1 AND member_id NOT IN (
                 SELECT member_id FROM lookup_log WHERE outcome = ?2 AND (?3 IS NULL OR provider = ?3)
             )"
        } else {
            "INSERT INTO batch_members (member_id, batch)
             SELECT DISTINCT member_id, ?1 FROM lookup_log
             WHERE outcome = ?2 AND (?3 IS NULL OR provider = ?3)
             ON CONFLICT DO NOTHING"
        };
        sqlx::query(sql).bind(batch.0).bind(class).bind(provider).execute(&self.writer).await?;
        Ok(())
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
        let sql = "UPDATE batches SET state = 'filling', selected = ?2 WHERE id = ?1 AND state = 'draft'";
        let selected = i64::try_from(selected).unwrap_or(i64::MAX);
        let done = sqlx::query(sql).bind(batch.0).bind(selected).execute(&self.writer).await?;
        Ok(done.rows_affected() > 0)
    }

    async fn discard_batch(&self, batch: BatchId) -> Result<(), StoreError> {
        let mut tx = self.begin().await?;
        for sql in [
            "DELETE FROM batch_members
             WHERE batch IN (SELECT id FROM batches WHERE id = ?1 AND state = 'draft')",
            "DELETE FROM batches WHERE id = ?1 AND state = 'draft'",
        ] {
            sqlx::query(sql).bind(batch.0).execute(&mut *tx).await?;
        }
        Ok(tx.commit().await?)
    }

    async fn fill_batch(&self, batch: BatchId, chunk: u32, now: Timestamp) -> Result<Filled, StoreError> {
        fill::fill(self, batch, chunk, now).await
    }

    async fn close_import(&self, batch: BatchId, _now: Timestamp) -> Result<(), StoreError> {
        sqlx::query(CLOSE_IMPORT).bind(batch.0).execute(&self.writer).await?;
        Ok(())
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
        let rows: Vec<(i64, String)> = sqlx::query_as(sql).fetch_all(&self.readers).await?;
        rows.into_iter().map(|(id, kind)| Ok((BatchId(id), kind_of(&kind)?))).collect()
    }

    async fn pause_batch(&self, batch: BatchId, why: &str) -> Result<Option<BatchState>, StoreError> {
        hold::pause(self, batch, why).await
    }

    async fn resume_batch(
        &self,
        batch: BatchId,
        ceiling_micros: Option<u64>,
    ) -> Result<Option<BatchState>, StoreError> {
        let ceiling = ceiling_micros.map(|micros| i64::try_from(micros).unwrap_or(i64::MAX));
        let state: Option<String> =
            sqlx::query_scalar(RESUME).bind(batch.0).bind(ceiling).fetch_optional(&self.writer).await?;
        self.jobs.notify_one();
        state.map(|word| state_of(&word)).transpose()
    }

    async fn cancel_batch(&self, batch: BatchId, now: Timestamp) -> Result<Cancelled, StoreError> {
        book::cancel(self, batch, now).await
    }

    async fn reserve(&self, wishes: &[Reserve], now: Timestamp) -> Result<Vec<bool>, StoreError> {
        book::reserve(self, wishes, now).await
    }

    async fn changes(&self, batch: BatchId, page: ChangePage<'_>) -> Result<Vec<FieldChange>, StoreError> {
        let rows: Vec<(String, String, String)> = sqlx::query_as(CHANGES)
            .bind(batch.0)
            .bind(page.after)
            .bind(page.limit)
            .fetch_all(&self.readers)
            .await?;
        let change = |(member_id, field, change)| FieldChange { member_id, field, change };
        Ok(rows.into_iter().map(change).collect())
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
        let sql = "
            SELECT coalesce(?1 - min(run_at), 0), coalesce(?1 - min(queued_at), 0)
            FROM enrichment_jobs WHERE state = 'waiting'";
        let (due, queued): (i64, i64) =
            sqlx::query_as(sql).bind(millis(now)).fetch_one(&self.readers).await?;
        let seconds = |millis: i64| u64::try_from(millis / 1000).unwrap_or(0);
        Ok(QueueAge { oldest_due_secs: seconds(due), oldest_queued_secs: seconds(queued) })
    }
}

impl SqliteStore {
    async fn end_batches(&self, now: Timestamp) -> Result<(), StoreError> {
        let has_running: bool = sqlx::query_scalar(HAS_RUNNING).fetch_one(&self.readers).await?;
        if has_running {
            sqlx::query(END).bind(millis(now)).execute(&self.writer).await?;
        }
        Ok(())
    }
}

/// Reads one, as a part of the caller's transaction; with how far it is filled.
async fn read(tx: &mut Write, batch: BatchId) -> Result<Option<(Batch, Option<String>)>, StoreError> {
    let row = sqlx::query(BY_ID).bind(batch.0).fetch_optional(&mut **tx).await?;
    row.as_ref().map(|row| Ok((batch_from(row)?, row.try_get("filled_to")?))).transpose()
}

/// The same, outside of one.
async fn look(store: &SqliteStore, batch: BatchId) -> Result<Option<(Batch, Option<String>)>, StoreError> {
    let row = sqlx::query(BY_ID).bind(batch.0).fetch_optional(&store.readers).await?;
    row.as_ref().map(|row| Ok((batch_from(row)?, row.try_get("filled_to")?))).transpose()
}

fn batch_from(row: &SqliteRow) -> Result<Batch, StoreError> {
    let time = |column: &str| -> Result<Option<Timestamp>, StoreError> {
        row.try_get::<Option<i64>, _>(column)?.map(|at| moment(at, TABLE)).transpose()
    };
    Ok(Batch {
        id: BatchId(row.try_get("id")?),
        name: name_of(row.try_get("name")?)?,
        kind: kind_of(row.try_get("kind")?)?,
        state: state_of(row.try_get("state")?)?,
        priority: row.try_get("priority")?,
        selection: selection_of(row.try_get("selection")?)?,
        selected: row.try_get("selected")?,
        is_filled: row.try_get("is_filled")?,
        refresh_before: time("refresh_before")?,
        refresh_provider: row.try_get("refresh_provider")?,
        ceiling_micros: row.try_get("ceiling_micros")?,
        spent_micros: row.try_get("spent_micros")?,
        reserved_micros: row.try_get("reserved_micros")?,
        why: row.try_get("why")?,
        created_at: moment(row.try_get("created_at")?, TABLE)?,
        ended_at: time("ended_at")?,
    })
}
