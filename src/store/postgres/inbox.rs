//! The inbox: what services handed over through `gleaner_enqueue`.
//!
//! Invariant: of one member, only the oldest row is taken, so that two workers never turn an older address into the newest.

use async_trait::async_trait;
use jiff::Timestamp;
use sqlx::Row as _;
use sqlx::postgres::PgRow;

use super::intake::{count, keep_refusals, take_in};
use super::{PostgresStore, StoreError};
use crate::store::decide::Tally;
use crate::store::inbox::{Emptied, Inbox, InboxRow, Judge};

/// The oldest row of each member, as far as no other worker has it. (A row that another worker is taking is still seen,
/// and so keeps the member's younger ones here until that worker has committed.)
const TAKE: &str = "
    DELETE FROM registration_inbox WHERE id = ANY(ARRAY(
        SELECT id FROM registration_inbox AS row
        WHERE NOT EXISTS (
            SELECT 1 FROM registration_inbox AS older WHERE older.member_id = row.member_id AND older.id < row.id
        )
        ORDER BY id
        LIMIT $1
        FOR UPDATE SKIP LOCKED
    ))
    RETURNING id, member_id, email, batch";

#[async_trait]
impl Inbox for PostgresStore {
    fn has_inbox(&self) -> bool {
        true
    }

    async fn empty_inbox(
        &self,
        at_most: u32,
        judge: &Judge<'_>,
        now: Timestamp,
    ) -> Result<Emptied, StoreError> {
        let mut session = self.sessions.write().await?;
        let query = session.query(TAKE).bind(i64::from(at_most));
        let mut rows =
            session.rows(query).await?.iter().map(inbox_row).collect::<Result<Vec<_>, StoreError>>()?;
        if rows.is_empty() {
            return Ok(Emptied::default());
        }
        rows.sort_by_key(|row| row.id);
        let (mut registrations, mut refusals) = (Vec::with_capacity(rows.len()), Vec::new());
        for row in &rows {
            match judge(row) {
                Ok(registration) => registrations.push(registration),
                Err(refusal) => refusals.push(refusal),
            }
        }
        let refused = u32::try_from(refusals.len()).unwrap_or(u32::MAX);
        if refused > 0 {
            keep_refusals(&mut session, &refusals, self.now(now)).await?;
            count(&mut session, Tally { taken_in: refused, ..Tally::default() }).await?;
        }
        let taken_in = take_in(&mut session, &registrations, self.now(now)).await?;
        session.end().await?;
        Ok(Emptied { taken_in, refused })
    }

    async fn wait_for_inbox(&self) {
        self.bell.inbox_rung().await;
    }
}

fn inbox_row(row: &PgRow) -> Result<InboxRow, StoreError> {
    Ok(InboxRow {
        id: row.try_get("id")?,
        member: row.try_get("member_id")?,
        email: row.try_get("email")?,
        batch: row.try_get("batch")?,
    })
}
