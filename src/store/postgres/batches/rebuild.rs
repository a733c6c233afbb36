//! Records that are made anew from stored answers, without a lookup.
//!
//! Invariant: a record that somebody else has written meanwhile, or that a job will write, is left alone.

use std::collections::HashSet;

use jiff::Timestamp;
use sqlx::Row as _;
use sqlx::postgres::PgBindIterExt as _;

use super::super::PostgresStore;
use super::super::commit::write_records;
use super::super::read::record_from;
use super::super::rows::{Moment, subject_from};
use super::fill::{LOCK, bound, records_where};
use super::{StoreError, read};
use crate::job::BatchId;
use crate::member::MemberId;
use crate::store::batches::columns::Mark;
use crate::store::batches::{BatchState, Counting, Filled, Rebuilt, RecordChunk};
use crate::store::columns::{RECORDS, RecordColumns};

/// Locks the records that are still the ones that were read.
const UNCHANGED: &str = "
    SELECT record.member_id
    FROM unnest($1::text[], $2::timestamptz[]) AS rebuilt (member_id, replaces)
    JOIN supplemental_member_information AS record
        ON record.member_id = rebuilt.member_id AND record.updated_at = rebuilt.replaces
    WHERE NOT EXISTS (SELECT 1 FROM enrichment_jobs WHERE enrichment_jobs.member_id = record.member_id)
    ORDER BY record.member_id COLLATE \"C\"
    FOR UPDATE OF record";

const TAG: &str = "UPDATE supplemental_member_information SET replay = $2 WHERE member_id = ANY($1)";

const MOVE: &str = "
    UPDATE batches SET filled_to = $2, is_filled = $3, state = CASE WHEN $3 THEN 'running' ELSE state END
    WHERE id = $1";

pub(super) async fn next(
    store: &PostgresStore,
    batch: BatchId,
    after: Option<&MemberId>,
    chunk: u32,
    now: Timestamp,
) -> Result<Option<RecordChunk>, StoreError> {
    let mut session = store.sessions.alone().await?;
    let Some((batch, from)) = read(&mut session, batch).await? else { return Ok(None) };
    if !matches!(batch.state, BatchState::Filling | BatchState::Draft) {
        return Ok(None);
    }
    let Mark::Records(mark) = Mark::read(from.as_deref()) else { return Ok(None) };
    let after = after.map_or(mark, |after| after.as_str().to_owned());
    let sql = format!(
        "SELECT
             member_id, email, subject, full_name, given_name, family_name, birth_earliest, birth_latest,
             social_profiles::text AS social_profiles, status, confidence::text AS confidence,
             provenance::text AS provenance, policy_version, collected_at, updated_at, expires_at
         FROM supplemental_member_information AS record
         WHERE record.member_id > $13 AND {}
         ORDER BY record.member_id
         LIMIT $14",
        records_where(&batch.selection)
    );
    let query = bound(sql, &batch.selection, batch.id, store.now(now)).bind(after).bind(i64::from(chunk));
    let rows = session.rows(query).await?;
    session.end().await?;
    let records = rows.iter().map(|row| Ok((subject_from(row, RECORDS)?, record_from(row)?)));
    let records = records.collect::<Result<Vec<_>, StoreError>>()?;
    let is_last = records.len() < chunk as usize;
    Ok(Some(RecordChunk { records, from, is_last }))
}

pub(super) async fn write(
    store: &PostgresStore,
    batch: BatchId,
    chunk: &RecordChunk,
    rebuilt: &[Rebuilt],
) -> Result<Filled, StoreError> {
    let mut session = store.sessions.write().await?;
    let lock = session.query(LOCK).bind(batch.0);
    session.run(lock).await?;
    let Some((batch, from)) = read(&mut session, batch).await? else {
        return Ok(Filled { is_over: true, ..Filled::default() });
    };
    if batch.state != BatchState::Filling {
        return Ok(Filled { is_over: batch.is_filled, is_held: !batch.is_filled, ..Filled::default() });
    }
    if from != chunk.from {
        // Somebody else has done this part.
        return Ok(Filled::default());
    }
    let query = session
        .query(UNCHANGED)
        .bind(rebuilt.iter().map(|one| one.record.member.as_str()).bind_iter())
        .bind(rebuilt.iter().map(|one| Moment(one.replaces)).bind_iter());
    let rows = session.rows(query).await?;
    let unchanged = rows.iter().map(|row| row.try_get(0)).collect::<Result<HashSet<String>, _>>()?;
    let good: Vec<_> = rebuilt.iter().filter(|one| unchanged.contains(one.record.member.as_str())).collect();
    let columns: Vec<_> =
        good.iter().map(|one| RecordColumns::of(&one.record, &one.record.member, &one.subject)).collect();
    write_records(&mut session, &columns).await?;
    let members: Vec<&str> = good.iter().map(|one| one.record.member.as_str()).collect();
    let query = session.query(TAG).bind(members).bind(batch.id.0);
    session.run(query).await?;
    let mut counting = Counting::default();
    counting.add(batch.id, "seen", chunk.records.len() as u64);
    counting.add(batch.id, "rebuilt", good.len() as u64);
    let found: Vec<_> = good
        .iter()
        .flat_map(|one| one.changes.iter().map(|change| (one.record.member.as_str(), batch.id, *change)))
        .collect();
    super::commit::note(&mut session, &found, &mut counting).await?;
    let last = chunk.records.last().map(|(_, record)| record.member.as_str().to_owned());
    let mark = last.map(|last| Mark::Records(last).write()).or(from);
    let moved = session.query(MOVE).bind(batch.id.0).bind(mark).bind(chunk.is_last);
    session.run(moved).await?;
    super::count(&mut session, &counting).await?;
    session.end().await?;
    let seen = chunk.records.len() as u64;
    Ok(Filled { seen, made: good.len() as u64, is_over: chunk.is_last, is_held: false })
}
