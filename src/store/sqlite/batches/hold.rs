//! Holding a batch back: as a level of the queue, which one that a door has made gets now.
//!
//! Invariant: members move to the level only when the batch has it, so that those who come in meanwhile go there too.

use super::super::{SqliteStore, Write};
use super::{StoreError, free_level};
use crate::job::BatchId;
use crate::store::batches::{BatchState, IMPORT_LEVELS};

/// Jobs moved in one transaction.
const AT_ONCE: i64 = 10_000;

const GIVE_LEVEL: &str = concat!(
    "UPDATE batches SET priority = ",
    free_level!("?2", "?3"),
    " WHERE id = ?1 AND kind = 'import' AND priority = 0 AND state NOT IN ('done', 'cancelled')"
);

const PAUSE: &str = "
    UPDATE batches SET state = 'paused', why = ?2 WHERE id = ?1 AND state IN ('filling', 'running')";

const MOVE: &str = "
    UPDATE enrichment_jobs SET priority = (SELECT priority FROM batches WHERE id = ?1)
    WHERE id IN (
        SELECT id FROM enrichment_jobs
        WHERE state = 'waiting' AND priority = 0 AND coalesce(replay, batch) = ?1
            AND (SELECT priority FROM batches WHERE id = ?1) > 0
        LIMIT ?2
    )";

pub(super) async fn pause(
    store: &SqliteStore,
    batch: BatchId,
    why: &str,
) -> Result<Option<BatchState>, StoreError> {
    let mut tx = store.begin().await?;
    give_level(&mut tx, batch).await?;
    let paused = sqlx::query(PAUSE).bind(batch.0).bind(why).execute(&mut *tx).await?.rows_affected() > 0;
    tx.commit().await?;
    gather(store, batch).await?;
    Ok(paused.then_some(BatchState::Paused))
}

/// Gives an import that has none a level of its own.
pub(super) async fn give_level(tx: &mut Write, batch: BatchId) -> Result<(), StoreError> {
    let query = sqlx::query(GIVE_LEVEL).bind(batch.0).bind(IMPORT_LEVELS.start).bind(IMPORT_LEVELS.end);
    query.execute(&mut **tx).await?;
    Ok(())
}

/// Moves its members who wait among all others to its level.
pub(super) async fn gather(store: &SqliteStore, batch: BatchId) -> Result<(), StoreError> {
    loop {
        let mut tx = store.begin().await?;
        let moved = sqlx::query(MOVE).bind(batch.0).bind(AT_ONCE).execute(&mut *tx).await?.rows_affected();
        tx.commit().await?;
        if moved == 0 {
            return Ok(());
        }
    }
}
