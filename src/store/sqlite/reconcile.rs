//! What is known of members, without writing.

use sqlx::Row as _;

use super::{SqliteStore, StoreError};
use crate::job::Registration;
use crate::store::columns::json;
use crate::store::reconcile::{Found, Known};

const FOUND: &str = "
    WITH registration AS MATERIALIZED (
        SELECT key AS position, value ->> 0 AS member_id, unhex(value ->> 1) AS subject
        FROM jsonb_each(?1)
    )
    SELECT
        EXISTS (SELECT 1 FROM suppressions WHERE subject = registration.subject) AS suppressed,
        (SELECT subject FROM enrichment_jobs WHERE member_id = registration.member_id) AS job,
        (SELECT subject FROM dead_letters
            WHERE member_id = registration.member_id AND subject IS NOT NULL) AS dead_letter,
        (SELECT subject FROM supplemental_member_information
            WHERE member_id = registration.member_id) AS record
    FROM registration
    ORDER BY registration.position";

pub(super) async fn known(store: &SqliteStore, batch: &[Registration]) -> Result<Vec<Known>, StoreError> {
    let asked: Vec<_> = batch
        .iter()
        .map(|registration| (registration.member.as_str(), hex::encode(registration.subject.as_bytes())))
        .collect();
    let rows = sqlx::query(FOUND).bind(json(&asked)?).fetch_all(&store.readers).await?;
    let decide = |(registration, row): (&Registration, &sqlx::sqlite::SqliteRow)| {
        let found = Found {
            suppressed: row.try_get("suppressed")?,
            job: row.try_get("job")?,
            dead_letter: row.try_get("dead_letter")?,
            record: row.try_get("record")?,
        };
        Ok(found.decide(&registration.subject))
    };
    batch.iter().zip(&rows).map(decide).collect()
}
