//! Suppression: the durable mark, and the removal of what is stored about a person.
//!
//! Running jobs stay (without their address) until their worker commits, releases or loses them; each of these
//! ends them. Invariant: no waiting job, record, answer or dead letter has a suppressed subject.

use jiff::Timestamp;

use super::rows::{millis, subject_hex};
use super::{SqliteStore, StoreError, Write, intake};
use crate::job::SuppressionReason;
use crate::keyring::SubjectKey;
use crate::store::columns::json;
use crate::store::decide::Tally;

const MARK: &str = "
    INSERT INTO suppressions (subject, reason, created_at)
    SELECT unhex(value ->> 0), value ->> 1, ?2
    FROM jsonb_each(?1)
    WHERE TRUE
    ON CONFLICT (subject) DO NOTHING";

/// What may be the last trace of a member: the table's rows are counted as suppressed once nothing is left.
const REMOVE_MEMBERS: [&str; 3] = [
    "DELETE FROM supplemental_member_information
     WHERE subject IN (SELECT unhex(value ->> 0) FROM jsonb_each(?1))
     RETURNING member_id",
    "DELETE FROM dead_letters
     WHERE subject IN (SELECT unhex(value ->> 0) FROM jsonb_each(?1))
     RETURNING member_id",
    "DELETE FROM enrichment_jobs
     WHERE state = 'waiting' AND subject IN (SELECT unhex(value ->> 0) FROM jsonb_each(?1))
     RETURNING member_id",
];

const REMOVE_ANSWERS: &str = "
    DELETE FROM provider_answers
    WHERE subject IN (SELECT unhex(value ->> 0) FROM jsonb_each(?1))";

const REMOVE_ADDRESSES: &str = "
    UPDATE enrichment_jobs SET email = ''
    WHERE subject IN (SELECT unhex(value ->> 0) FROM jsonb_each(?1))";

/// What batches know of members by name.
const REMOVE_TRACES: [&str; 2] = [
    "DELETE FROM batch_members WHERE member_id IN (SELECT value FROM jsonb_each(?1))",
    "DELETE FROM batch_changes WHERE member_id IN (SELECT value FROM jsonb_each(?1))",
];

const GONE: &str = "
    SELECT count(DISTINCT member.value)
    FROM jsonb_each(?1) AS member
    WHERE NOT EXISTS (SELECT 1 FROM enrichment_jobs WHERE member_id = member.value)
      AND NOT EXISTS (SELECT 1 FROM supplemental_member_information WHERE member_id = member.value)
      AND NOT EXISTS (SELECT 1 FROM dead_letters WHERE member_id = member.value AND subject IS NOT NULL)";

pub(super) async fn suppress(
    store: &SqliteStore,
    subject: SubjectKey,
    reason: SuppressionReason,
    now: Timestamp,
) -> Result<(), StoreError> {
    let mut tx = store.begin().await?;
    let touched = mark_and_remove(&mut tx, &[(subject, reason)], now).await?;
    tally_gone(&mut tx, &touched).await?;
    tx.commit().await?;
    // What was removed is still in the write-ahead log; best effort, because a reader may be using it.
    let emptied = sqlx::query("PRAGMA wal_checkpoint(TRUNCATE)").execute(&store.writer).await;
    if emptied.is_err() {
        tracing::debug!("the write-ahead log was not emptied after a suppression");
    }
    Ok(())
}

/// Marks subjects and removes what is stored about them; returns the members that lost something.
pub(super) async fn mark_and_remove(
    tx: &mut Write,
    subjects: &[(SubjectKey, SuppressionReason)],
    now: Timestamp,
) -> Result<Vec<String>, StoreError> {
    let rows: Vec<_> =
        subjects.iter().map(|(subject, reason)| (subject_hex(subject), reason.as_str())).collect();
    let rows = json(&rows)?;
    sqlx::query(MARK).bind(&rows).bind(millis(now)).execute(&mut **tx).await?;
    let mut touched = Vec::new();
    for sql in REMOVE_MEMBERS {
        let members: Vec<String> = sqlx::query_scalar(sql).bind(&rows).fetch_all(&mut **tx).await?;
        touched.extend(members);
    }
    for sql in [REMOVE_ANSWERS, REMOVE_ADDRESSES] {
        sqlx::query(sql).bind(&rows).execute(&mut **tx).await?;
    }
    let members = json(&touched)?;
    for sql in REMOVE_TRACES {
        sqlx::query(sql).bind(&members).execute(&mut **tx).await?;
    }
    Ok(touched)
}

/// Counts those of these members of whom nothing is kept any more.
pub(super) async fn tally_gone(tx: &mut Write, members: &[String]) -> Result<(), StoreError> {
    if members.is_empty() {
        return Ok(());
    }
    let suppressed: u32 = sqlx::query_scalar(GONE).bind(json(&members)?).fetch_one(&mut **tx).await?;
    intake::add(tx, Tally { suppressed, ..Tally::default() }).await
}
