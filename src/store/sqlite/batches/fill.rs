//! Putting a selection's members into the queue, chunk by chunk, and counting them before.
//!
//! Invariant: the mark that says how far a batch is filled moves in the transaction that puts the members in.

use jiff::Timestamp;
use sqlx::query::Query;
use sqlx::sqlite::SqliteArguments;
use sqlx::{AssertSqlSafe, Sqlite};

use super::super::rows::{millis, stamp};
use super::super::{SqliteStore, Write};
use super::{StoreError, look, read};
use crate::job::{BatchId, DeadReason};
use crate::store::batches::columns::Mark;
use crate::store::batches::conditions::{Dialect, of_letters, of_records};
use crate::store::batches::{Batch, BatchState, Counting, Filled, Sampled, Selected, Selection};
use crate::store::columns::{RECORDS, email_of, json, recorded_of, subject_of};

/// Records hold their times as texts, our own tables as numbers: 15 to 17 are the texts of 2, 3 and 9.
const DIALECT: Dialect = Dialect {
    status_is_one_of: "record.status IN (SELECT value FROM jsonb_each($1))",
    id_is_one_of: "letter.id IN (SELECT value FROM jsonb_each($12))",
    error_holds: "instr(letter.error, $11) > 0",
    now: "$17",
    is_less_sure: [
        "coalesce(record.confidence ->> 'name', 0) < $7",
        "coalesce(record.confidence ->> 'age', 0) < $7",
        "coalesce(
            (SELECT max(profile.value ->> 'confidence') FROM json_each(record.social_profiles) AS profile), 0
        ) < $7",
    ],
};

const MOVE: &str = "
    UPDATE batches SET filled_to = ?2, is_filled = ?3, state = iif(?3, 'running', state) WHERE id = ?1";

const LETTERS: &str = "dead_letters AS letter
    LEFT JOIN supplemental_member_information AS record ON record.member_id = letter.member_id";

/// The first member behind, and how many: 13 and 14.
#[derive(Clone, Copy, Default)]
pub(super) struct Window<'a> {
    pub(super) after: &'a str,
    pub(super) limit: u32,
}

/// A statement about a selection, with what it is bound to: 1 to 17.
pub(super) fn bound<'q>(
    sql: String,
    selection: &Selection,
    batch: BatchId,
    window: Window<'_>,
    now: Timestamp,
) -> Result<Query<'q, Sqlite, SqliteArguments>, StoreError> {
    Ok(sqlx::query(AssertSqlSafe(sql))
        .persistent(false)
        .bind(selection.statuses().map(|words| json(&words)).transpose()?)
        .bind(selection.since.map(millis))
        .bind(selection.until.map(millis))
        .bind(selection.batch.map(|batch| batch.0))
        .bind(selection.provider.clone())
        .bind(selection.answered_before.map(millis))
        .bind(selection.below.map_or(0.0, |below| below.confidence))
        .bind(batch.0)
        .bind(millis(now))
        .bind(selection.dead_reason.map(DeadReason::as_str))
        .bind(selection.dead_error.clone())
        .bind(selection.dead_ids.as_ref().map(json).transpose()?)
        .bind(window.after.to_owned())
        .bind(window.limit)
        .bind(selection.since.map(stamp))
        .bind(selection.until.map(stamp))
        .bind(stamp(now)))
}

pub(super) fn records_where(selection: &Selection) -> String {
    of_records(selection, &DIALECT)
        .replace("record.updated_at >= $2", "record.updated_at >= $15")
        .replace("record.updated_at < $3", "record.updated_at < $16")
}

fn takes_records(selection: &Selection) -> bool {
    selection.statuses().is_none_or(|words| !words.is_empty())
}

pub(super) async fn count_selected(
    store: &SqliteStore,
    batch: BatchId,
    now: Timestamp,
) -> Result<Selected, StoreError> {
    let selection = look(store, batch).await?.map(|(batch, _)| batch.selection).unwrap_or_default();
    let mut selected = Selected::default();
    let count = async |sql: String| -> Result<(u64, u64), StoreError> {
        let row = bound(sql, &selection, batch, Window::default(), now)?.fetch_one(&store.readers).await?;
        Ok((sqlx::Row::try_get(&row, 0)?, sqlx::Row::try_get(&row, 1)?))
    };
    if takes_records(&selection) {
        let (members, busy) = count(format!(
            "SELECT count(*), count(job.member_id)
             FROM supplemental_member_information AS record
             LEFT JOIN enrichment_jobs AS job ON job.member_id = record.member_id
             WHERE {}",
            records_where(&selection)
        ))
        .await?;
        selected.with_record = members;
        selected.have_a_job += busy;
    }
    if selection.takes_letters() {
        let (members, busy) = count(format!(
            "SELECT count(*), count(job.member_id)
             FROM {LETTERS}
             LEFT JOIN enrichment_jobs AS job ON job.member_id = letter.member_id
             WHERE {}",
            of_letters(&selection, &DIALECT)
        ))
        .await?;
        selected.dead_letters = members;
        selected.have_a_job += busy;
    }
    Ok(selected)
}

/// Keyed hashes are evenly spread: those below a bound are a fair part of all.
pub(super) async fn sample(
    store: &SqliteStore,
    batch: BatchId,
    of: Selected,
    about: u32,
    now: Timestamp,
) -> Result<Vec<Sampled>, StoreError> {
    let below = crate::store::batches::part_of(of.members(), about);
    let selection = look(store, batch).await?.map(|(batch, _)| batch.selection).unwrap_or_default();
    let mut parts = Vec::new();
    if takes_records(&selection) {
        parts.push(format!(
            "SELECT record.email, record.subject, record.confidence FROM supplemental_member_information AS record
             WHERE record.subject < $18 AND {}",
            records_where(&selection)
        ));
    }
    if selection.takes_letters() {
        parts.push(format!(
            "SELECT letter.email, letter.subject, NULL FROM {LETTERS} WHERE letter.subject < $18 AND {}",
            of_letters(&selection, &DIALECT)
        ));
    }
    let sql = format!("{} LIMIT $14", parts.join(" UNION ALL "));
    let window = Window { after: "", limit: about.saturating_mul(4) };
    let rows = bound(sql, &selection, batch, window, now)?.bind(below).fetch_all(&store.readers).await?;
    rows.iter()
        .map(|row| {
            let email = email_of(sqlx::Row::try_get(row, 0)?, RECORDS)?;
            let recorded = recorded_of(sqlx::Row::try_get(row, 2)?);
            Ok(Sampled { email, subject: subject_of(sqlx::Row::try_get(row, 1)?, RECORDS)?, recorded })
        })
        .collect()
}

pub(super) async fn fill(
    store: &SqliteStore,
    batch: BatchId,
    chunk: u32,
    now: Timestamp,
) -> Result<Filled, StoreError> {
    let mut tx = store.begin().await?;
    let Some((batch, mark)) = read(&mut tx, batch).await? else {
        return Ok(Filled { is_over: true, ..Filled::default() });
    };
    if batch.state != BatchState::Filling {
        return Ok(Filled { is_over: batch.is_filled, is_held: !batch.is_filled, ..Filled::default() });
    }
    let mark = Mark::read(mark.as_deref());
    let step = match &mark {
        Mark::Records(after) if takes_records(&batch.selection) => {
            let window = Window { after, limit: chunk };
            put_in(&mut tx, &batch, Part::Records, window, now).await?
        }
        Mark::Records(_) => Step::default(),
        Mark::Letters(after) => {
            put_in(&mut tx, &batch, Part::Letters, Window { after, limit: chunk }, now).await?
        }
    };
    let next = match (mark, step.last) {
        (Mark::Records(_), Some(last)) => Some(Mark::Records(last)),
        (Mark::Records(_), None) if batch.selection.takes_letters() => Some(Mark::Letters(String::new())),
        (Mark::Letters(_), Some(last)) => Some(Mark::Letters(last)),
        (Mark::Records(_) | Mark::Letters(_), None) => None,
    };
    let is_over = next.is_none();
    if is_over {
        sqlx::query("DELETE FROM batch_members WHERE batch = ?1").bind(batch.id.0).execute(&mut *tx).await?;
    }
    let next = next.map(|mark| mark.write());
    sqlx::query(MOVE).bind(batch.id.0).bind(next).bind(is_over).execute(&mut *tx).await?;
    let mut counting = Counting::default();
    counting.add(batch.id, "queued", step.made);
    counting.add(batch.id, "joined", step.seen - step.made);
    super::count(&mut tx, &counting).await?;
    tx.commit().await?;
    if step.made > 0 {
        store.jobs.notify_one();
    }
    Ok(Filled { seen: step.seen, made: step.made, is_over, is_held: false })
}

#[derive(Clone, Copy, Eq, PartialEq)]
enum Part {
    Records,
    Letters,
}

#[derive(Default)]
struct Step {
    seen: u64,
    made: u64,
    /// The last member that was looked at; `None` at the end of the part.
    last: Option<String>,
}

async fn put_in(
    tx: &mut Write,
    batch: &Batch,
    part: Part,
    window: Window<'_>,
    now: Timestamp,
) -> Result<Step, StoreError> {
    let selection = &batch.selection;
    let (columns, from, wheres, one) = match part {
        Part::Records => (
            "record.member_id, record.email, record.subject, record.batch, NULL AS error",
            "supplemental_member_information AS record",
            records_where(selection),
            "record",
        ),
        Part::Letters => (
            "letter.member_id, letter.email, letter.subject, letter.batch, letter.error",
            LETTERS,
            of_letters(selection, &DIALECT),
            "letter",
        ),
    };
    let chosen = format!(
        "SELECT {columns} FROM {from}
         WHERE {one}.member_id > $13 AND {wheres}
         ORDER BY {one}.member_id
         LIMIT $14"
    );
    let seen = format!("SELECT count(*), max(member_id) FROM ({chosen})");
    let row = bound(seen, selection, batch.id, window, now)?.fetch_one(&mut **tx).await?;
    let (seen, last): (u64, Option<String>) = (sqlx::Row::try_get(&row, 0)?, sqlx::Row::try_get(&row, 1)?);
    // Suppressed people have neither record nor letter; the second lock on the door.
    let insert = format!(
        "INSERT INTO enrichment_jobs
             (member_id, email, subject, priority, run_at, queued_at, batch, replay, last_error)
         SELECT member_id, email, subject, {}, $9, $9, batch, $8, error
         FROM ({chosen}) AS chosen
         WHERE NOT EXISTS (SELECT 1 FROM suppressions WHERE suppressions.subject = chosen.subject)
         ON CONFLICT (member_id) DO NOTHING",
        batch.priority
    );
    let made = bound(insert, selection, batch.id, window, now)?.execute(&mut **tx).await?.rows_affected();
    if part == Part::Letters {
        // Those that have a job of this replay now.
        let delete = format!(
            "DELETE FROM dead_letters WHERE subject IS NOT NULL AND member_id IN (
                 SELECT chosen.member_id FROM ({chosen}) AS chosen
                 JOIN enrichment_jobs AS job ON job.member_id = chosen.member_id AND job.replay = $8
             )"
        );
        bound(delete, selection, batch.id, window, now)?.execute(&mut **tx).await?;
    }
    Ok(Step { seen, made, last })
}
