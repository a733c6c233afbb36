//! What a commit does for the batches that its members are in: counts, tags, changes, ceilings.
//!
//! Invariant: nothing at all where no member is in one; batches' rows are locked in the order of their numbers.

use std::collections::{BTreeMap, HashMap};

use sqlx::Row as _;
use sqlx::postgres::PgBindIterExt as _;

use super::super::read::{READ_RECORDS, record_from};
use super::super::rows::{Moment, count_from, signed};
use super::super::session::Session;
use super::StoreError;
use crate::job::BatchId;
use crate::record::{Change, changes};
use crate::store::batches::Counting;
use crate::store::plan::Tag;

const COUNT: &str = "
    INSERT INTO batch_counts AS counts (batch, what, stripe, count)
    SELECT batch, what, pg_backend_pid() % 16, count
    FROM unnest($1::bigint[], $2::text[], $3::bigint[]) AS counted (batch, what, count)
    ORDER BY batch, what COLLATE \"C\"
    ON CONFLICT (batch, what, stripe) DO UPDATE SET count = counts.count + excluded.count";

const TAG: &str = "
    UPDATE supplemental_member_information AS record SET
        batch = coalesce(tag.batch, record.batch), replay = coalesce(tag.replay, record.replay)
    FROM unnest($1::text[], $2::bigint[], $3::bigint[]) AS tag (member_id, batch, replay)
    WHERE record.member_id = tag.member_id
        AND (record.batch, record.replay)
            IS DISTINCT FROM (coalesce(tag.batch, record.batch), coalesce(tag.replay, record.replay))";

/// One row after the other, because a row that is waited for is read again only by itself.
const SETTLE: &str = "
    UPDATE batches SET
        spent_micros = spent_micros + $2,
        reserved_micros = greatest(reserved_micros - $3, 0),
        reserved_at = coalesce($4, statement_timestamp())
    WHERE id = $1";

const CHANGED: &str = "
    INSERT INTO batch_changes (member_id, batch, field, change)
    SELECT * FROM unnest($1::text[], $2::bigint[], $3::text[], $4::text[])
    ON CONFLICT (member_id, batch, field) DO UPDATE SET change = excluded.change";

pub(in super::super) async fn count(session: &mut Session, counting: &Counting) -> Result<(), StoreError> {
    if counting.is_empty() {
        return Ok(());
    }
    let query = session
        .query(COUNT)
        .bind(counting.rows().map(|(batch, ..)| batch).bind_iter())
        .bind(counting.rows().map(|(_, what, _)| what).bind_iter())
        .bind(signed(counting.rows().map(|(.., count)| count))?);
    session.run(query).await?;
    Ok(())
}

/// What is counted of the batches of locked jobs that are about to be buried.
pub(in super::super) async fn counting_dead(
    session: &mut Session,
    jobs: &[i64],
) -> Result<Counting, StoreError> {
    let mut counting = Counting::default();
    if !jobs.is_empty() {
        let sql = "
            SELECT coalesce(replay, batch) AS batch, count(*) AS count FROM enrichment_jobs
            WHERE id = ANY($1) AND coalesce(replay, batch) IS NOT NULL
            GROUP BY 1";
        let query = session.query(sql).bind(jobs);
        for row in session.rows(query).await? {
            counting.add(BatchId(row.try_get("batch")?), "dead", count_from(&row, "count")?);
        }
    }
    Ok(counting)
}

/// Tells the records that were just written which batch and which replay they are of.
pub(in super::super) async fn tag(session: &mut Session, tags: &[Tag<'_>]) -> Result<(), StoreError> {
    if tags.is_empty() {
        return Ok(());
    }
    let query = session
        .query(TAG)
        .bind(tags.iter().map(|tag| tag.record.member.as_str()).bind_iter())
        .bind(tags.iter().map(|tag| tag.batch.map(|batch| batch.0)).bind_iter())
        .bind(tags.iter().map(|tag| tag.replay.map(|replay| replay.0)).bind_iter());
    session.run(query).await?;
    Ok(())
}

/// Notes what replays change, before it is written.
pub(in super::super) async fn compare(
    session: &mut Session,
    tags: &[Tag<'_>],
    counting: &mut Counting,
) -> Result<(), StoreError> {
    let replayed: Vec<_> = tags.iter().filter_map(|tag| Some((tag.replay?, tag.record))).collect();
    if replayed.is_empty() {
        return Ok(());
    }
    let members: Vec<&str> = replayed.iter().map(|(_, record)| record.member.as_str()).collect();
    let query = session.query(READ_RECORDS).bind(members);
    let rows = session.rows(query).await?;
    let mut before = HashMap::with_capacity(rows.len());
    for row in &rows {
        // One that cannot be read is overwritten in a moment.
        if let Ok(record) = record_from(row) {
            before.insert(record.member.clone(), record);
        }
    }
    let mut found = Vec::new();
    for (replay, record) in replayed {
        for change in changes(before.get(&record.member), record) {
            found.push((record.member.as_str(), replay, change));
        }
    }
    note(session, &found, counting).await
}

/// Writes down what changed, and counts it.
pub(super) async fn note(
    session: &mut Session,
    found: &[(&str, BatchId, Change)],
    counting: &mut Counting,
) -> Result<(), StoreError> {
    if found.is_empty() {
        return Ok(());
    }
    for (_, batch, change) in found {
        counting.add(*batch, format!("changed.{}.{}", change.field, change.kind.as_str()), 1);
    }
    let query = session
        .query(CHANGED)
        .bind(found.iter().map(|(member, ..)| *member).bind_iter())
        .bind(found.iter().map(|(_, batch, _)| batch.0).bind_iter())
        .bind(found.iter().map(|(.., change)| change.field).bind_iter())
        .bind(found.iter().map(|(.., change)| change.kind.as_str()).bind_iter());
    session.run(query).await?;
    Ok(())
}

/// Books what was spent of ceilings, and gives back what had been reserved for it.
pub(in super::super) async fn settle(
    session: &mut Session,
    settled: &BTreeMap<BatchId, (u64, u64)>,
    now: Option<Moment>,
) -> Result<(), StoreError> {
    for (batch, (spent, reserved)) in settled {
        let amounts = signed([*spent, *reserved].into_iter())?;
        let query = session.query(SETTLE).bind(batch.0).bind(amounts[0]).bind(amounts[1]).bind(now);
        session.run(query).await?;
    }
    Ok(())
}
