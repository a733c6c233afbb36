//! What a commit does for the batches that its members are in: counts, tags, changes, ceilings.
//!
//! Invariant: nothing at all where no member is in one.

use std::collections::{BTreeMap, HashMap};

use jiff::Timestamp;

use super::super::rows::{millis, record_from};
use super::super::{StoreError, Write};
use crate::job::BatchId;
use crate::record::{Change, changes};
use crate::store::batches::Counting;
use crate::store::columns::json;
use crate::store::plan::Tag;

const COUNT: &str = "
    INSERT INTO batch_counts (batch, what, count)
    SELECT value ->> 0, value ->> 1, value ->> 2 FROM jsonb_each(?1) WHERE TRUE
    ON CONFLICT (batch, what) DO UPDATE SET count = count + excluded.count";

const TAG: &str = "
    UPDATE supplemental_member_information SET
        batch = coalesce(tag.batch, supplemental_member_information.batch),
        replay = coalesce(tag.replay, supplemental_member_information.replay)
    FROM (
        SELECT value ->> 0 AS member_id, value ->> 1 AS batch, value ->> 2 AS replay FROM jsonb_each(?1)
    ) AS tag
    WHERE supplemental_member_information.member_id = tag.member_id";

const SETTLE: &str = "
    UPDATE batches SET
        spent_micros = spent_micros + ?2, reserved_micros = max(reserved_micros - ?3, 0), reserved_at = ?4
    WHERE id = ?1";

const READ: &str = "
    SELECT
        member_id, email, full_name, given_name, family_name, birth_earliest, birth_latest,
        social_profiles, status, confidence, provenance, policy_version, collected_at, updated_at,
        expires_at
    FROM supplemental_member_information
    WHERE member_id IN (SELECT value FROM jsonb_each(?1))";

const CHANGED: &str = "
    INSERT INTO batch_changes (member_id, batch, field, change)
    SELECT value ->> 0, value ->> 1, value ->> 2, value ->> 3 FROM jsonb_each(?1) WHERE TRUE
    ON CONFLICT (member_id, batch, field) DO UPDATE SET change = excluded.change";

pub(in super::super) async fn count(tx: &mut Write, counting: &Counting) -> Result<(), StoreError> {
    if !counting.is_empty() {
        let rows: Vec<_> = counting.rows().collect();
        sqlx::query(COUNT).bind(json(&rows)?).execute(&mut **tx).await?;
    }
    Ok(())
}

/// Tells the records that were just written which batch and which replay they are of.
pub(in super::super) async fn tag(tx: &mut Write, tags: &[Tag<'_>]) -> Result<(), StoreError> {
    if !tags.is_empty() {
        let row = |tag: &Tag<'_>| {
            (
                tag.record.member.as_str().to_owned(),
                tag.batch.map(|batch| batch.0),
                tag.replay.map(|replay| replay.0),
            )
        };
        let rows: Vec<_> = tags.iter().map(row).collect();
        sqlx::query(TAG).bind(json(&rows)?).execute(&mut **tx).await?;
    }
    Ok(())
}

/// Notes what replays change, before it is written.
pub(in super::super) async fn compare(
    tx: &mut Write,
    tags: &[Tag<'_>],
    counting: &mut Counting,
) -> Result<(), StoreError> {
    let replayed: Vec<_> = tags.iter().filter_map(|tag| Some((tag.replay?, tag.record))).collect();
    if replayed.is_empty() {
        return Ok(());
    }
    let members: Vec<_> = replayed.iter().map(|(_, record)| &record.member).collect();
    let rows = sqlx::query(READ).bind(json(&members)?).fetch_all(&mut **tx).await?;
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
    note(tx, &found, counting).await
}

/// Writes down what changed, and counts it.
pub(super) async fn note(
    tx: &mut Write,
    found: &[(&str, BatchId, Change)],
    counting: &mut Counting,
) -> Result<(), StoreError> {
    if found.is_empty() {
        return Ok(());
    }
    for (_, batch, change) in found {
        counting.add(*batch, format!("changed.{}.{}", change.field, change.kind.as_str()), 1);
    }
    let rows: Vec<_> = found
        .iter()
        .map(|(member, batch, change)| (member, batch.0, change.field, change.kind.as_str()))
        .collect();
    sqlx::query(CHANGED).bind(json(&rows)?).execute(&mut **tx).await?;
    Ok(())
}

/// Books what was spent of ceilings, and gives back what had been reserved for it.
pub(in super::super) async fn settle(
    tx: &mut Write,
    settled: &BTreeMap<BatchId, (u64, u64)>,
    now: Timestamp,
) -> Result<(), StoreError> {
    let signed = |micros: u64| i64::try_from(micros).unwrap_or(i64::MAX);
    for (batch, (spent, reserved)) in settled {
        sqlx::query(SETTLE)
            .bind(batch.0)
            .bind(signed(*spent))
            .bind(signed(*reserved))
            .bind(millis(now))
            .execute(&mut **tx)
            .await?;
    }
    Ok(())
}
