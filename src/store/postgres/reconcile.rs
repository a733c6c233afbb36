//! What is known of members, without writing.

use async_trait::async_trait;
use sqlx::Row as _;
use sqlx::postgres::{PgBindIterExt as _, PgRow};

use super::suppress::suppressed;
use super::{PostgresStore, StoreError};
use crate::job::Registration;
use crate::store::reconcile::{Found, Known, Reconcile};

const FOUND: &str = concat!(
    "
    SELECT
        ",
    suppressed!("registration.subject"),
    " AS suppressed,
        job.subject AS job, letter.subject AS dead_letter, record.subject AS record
    FROM unnest($1::text[], $2::bytea[]) WITH ORDINALITY AS registration (member_id, subject, position)
    LEFT JOIN enrichment_jobs AS job ON job.member_id = registration.member_id
    LEFT JOIN dead_letters AS letter
        ON letter.member_id = registration.member_id AND letter.subject IS NOT NULL
    LEFT JOIN supplemental_member_information AS record ON record.member_id = registration.member_id
    ORDER BY registration.position"
);

#[async_trait]
impl Reconcile for PostgresStore {
    async fn known(&self, batch: &[Registration]) -> Result<Vec<Known>, StoreError> {
        let mut session = self.sessions.alone().await?;
        let query = session
            .query(FOUND)
            .bind(batch.iter().map(|registration| registration.member.as_str()).bind_iter())
            .bind(batch.iter().map(|registration| registration.subject.as_bytes().as_slice()).bind_iter());
        let rows = session.rows(query).await?;
        session.end().await?;
        let decide = |(registration, row): (&Registration, &PgRow)| {
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
}
