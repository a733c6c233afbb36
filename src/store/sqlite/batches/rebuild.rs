//! Records that are made anew from stored answers, without a lookup.
//!
//! Invariant: a record that somebody else has written meanwhile, or that a job will write, is left alone.

use std::collections::HashSet;

use jiff::Timestamp;

use super::super::SqliteStore;
use super::super::commit::RECORDS;
use super::super::rows::{bind_record, record_from, stamp, subject_from};
use super::fill::{Window, bound, records_where};
use super::{StoreError, look, read};
use crate::job::BatchId;
use crate::member::MemberId;
use crate::store::batches::columns::Mark;
use crate::store::batches::{BatchState, Counting, Filled, Rebuilt, RecordChunk};
use crate::store::columns::{self, RecordColumns, json};

const UNCHANGED: &str = "
    SELECT record.member_id
    FROM jsonb_each(?1) AS rebuilt
    CROSS JOIN supplemental_member_information AS record
        ON record.member_id = rebuilt.value ->> 0 AND record.updated_at = rebuilt.value ->> 1
    WHERE NOT EXISTS (SELECT 1 FROM enrichment_jobs AS job WHERE job.member_id = record.member_id)";

const TAG: &str = "
    UPDATE supplemental_member_information SET replay = ?2
    WHERE member_id IN (SELECT value FROM jsonb_each(?1))";

const MOVE: &str = "
    UPDATE batches SET filled_to = ?2, is_filled = ?3, state = iif(?3, 'running', state) WHERE id = ?1";

pub(super) async fn next(
    store: &SqliteStore,
    batch: BatchId,
    after: Option<&MemberId>,
    chunk: u32,
    now: Timestamp,
) -> Result<Option<RecordChunk>, StoreError> {
    let Some((batch, from)) = look(store, batch).await? else { return Ok(None) };
    if !matches!(batch.state, BatchState::Filling | BatchState::Draft) {
        return Ok(None);
    }
    let Mark::Records(mark) = Mark::read(from.as_deref()) else { return Ok(None) };
    let after = after.map_or(mark, |after| after.as_str().to_owned());
    let sql = format!(
        "SELECT
             member_id, email, subject, full_name, given_name, family_name, birth_earliest, birth_latest,
             social_profiles, status, confidence, provenance, policy_version, collected_at, updated_at, expires_at
         FROM supplemental_member_information AS record
         WHERE record.member_id > $13 AND {}
         ORDER BY record.member_id
         LIMIT $14",
        records_where(&batch.selection)
    );
    let window = Window { after: &after, limit: chunk };
    let rows = bound(sql, &batch.selection, batch.id, window, now)?.fetch_all(&store.readers).await?;
    let records = rows.iter().map(|row| Ok((subject_from(row, columns::RECORDS)?, record_from(row)?)));
    let records = records.collect::<Result<Vec<_>, StoreError>>()?;
    let is_last = records.len() < chunk as usize;
    Ok(Some(RecordChunk { records, from, is_last }))
}

pub(super) async fn write(
    store: &SqliteStore,
    batch: BatchId,
    chunk: &RecordChunk,
    rebuilt: &[Rebuilt],
) -> Result<Filled, StoreError> {
    let mut tx = store.begin().await?;
    let Some((batch, from)) = read(&mut tx, batch).await? else {
        return Ok(Filled { is_over: true, ..Filled::default() });
    };
    if batch.state != BatchState::Filling {
        return Ok(Filled { is_over: batch.is_filled, is_held: !batch.is_filled, ..Filled::default() });
    }
    if from != chunk.from {
        // Somebody else has done this part.
        return Ok(Filled::default());
    }
    let read_then: Vec<_> = rebuilt.iter().map(|one| (&one.record.member, stamp(one.replaces))).collect();
    let unchanged: Vec<String> =
        sqlx::query_scalar(UNCHANGED).bind(json(&read_then)?).fetch_all(&mut *tx).await?;
    let unchanged: HashSet<String> = unchanged.into_iter().collect();
    let good: Vec<_> = rebuilt.iter().filter(|one| unchanged.contains(one.record.member.as_str())).collect();
    let rows: Vec<_> =
        good.iter().map(|one| RecordColumns::of(&one.record, &one.record.member, &one.subject)).collect();
    RECORDS.run(&mut tx, &rows, bind_record).await?;
    let members: Vec<_> = good.iter().map(|one| &one.record.member).collect();
    sqlx::query(TAG).bind(json(&members)?).bind(batch.id.0).execute(&mut *tx).await?;
    let mut counting = Counting::default();
    counting.add(batch.id, "seen", chunk.records.len() as u64);
    counting.add(batch.id, "rebuilt", good.len() as u64);
    let found: Vec<_> = good
        .iter()
        .flat_map(|one| one.changes.iter().map(|change| (one.record.member.as_str(), batch.id, *change)))
        .collect();
    super::commit::note(&mut tx, &found, &mut counting).await?;
    let last = chunk.records.last().map(|(_, record)| record.member.as_str().to_owned());
    let mark = last.map(|last| Mark::Records(last).write()).or(from);
    sqlx::query(MOVE).bind(batch.id.0).bind(mark).bind(chunk.is_last).execute(&mut *tx).await?;
    super::count(&mut tx, &counting).await?;
    tx.commit().await?;
    let seen = chunk.records.len() as u64;
    Ok(Filled { seen, made: good.len() as u64, is_over: chunk.is_last, is_held: false })
}
