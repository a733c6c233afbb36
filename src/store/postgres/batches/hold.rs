//! Holding a batch back: as a level of the queue, which one that a door has made gets now.
//!
//! Invariant: members move to the level only when the batch has it, so that those who come in meanwhile go there too.

use super::super::PostgresStore;
use super::super::session::Session;
use super::{ALONE, StoreError, free_level};
use crate::job::BatchId;
use crate::store::batches::{BatchState, IMPORT_LEVELS};

/// Jobs moved in one transaction.
const AT_ONCE: i64 = 10_000;

const GIVE_LEVEL: &str = concat!(
    "UPDATE batches SET priority = ",
    free_level!("$2", "$3"),
    " WHERE id = $1 AND kind = 'import' AND priority = 0 AND state NOT IN ('done', 'cancelled')"
);

const PAUSE: &str = "
    UPDATE batches SET state = 'paused', why = $2 WHERE id = $1 AND state IN ('filling', 'running')";

/// Who is about to be claimed is passed over: it runs.
const MOVE: &str = "
    UPDATE enrichment_jobs AS job SET priority = batches.priority
    FROM batches
    WHERE batches.id = $1 AND batches.priority > 0 AND job.id = ANY(ARRAY(
        SELECT mine.id FROM enrichment_jobs AS mine
        WHERE mine.id = ANY(ARRAY(
            SELECT id FROM enrichment_jobs
            WHERE state = 'waiting' AND priority = 0 AND coalesce(replay, batch) = $1
            ORDER BY run_at, id
            LIMIT $2
        )) AND mine.state = 'waiting'
        ORDER BY mine.member_id COLLATE \"C\"
        FOR UPDATE OF mine SKIP LOCKED
    ))";

pub(super) async fn pause(
    store: &PostgresStore,
    batch: BatchId,
    why: &str,
) -> Result<Option<BatchState>, StoreError> {
    let mut session = store.sessions.write().await?;
    give_level(&mut session, batch).await?;
    let query = session.query(PAUSE).bind(batch.0).bind(why.to_owned());
    let is_paused = session.run(query).await? > 0;
    session.end().await?;
    gather(store, batch).await?;
    Ok(is_paused.then_some(BatchState::Paused))
}

/// Gives an import that has none a level of its own.
pub(super) async fn give_level(session: &mut Session, batch: BatchId) -> Result<(), StoreError> {
    let lock = session.query(ALONE);
    session.run(lock).await?;
    let (from, to) = (i32::from(IMPORT_LEVELS.start), i32::from(IMPORT_LEVELS.end));
    let query = session.query(GIVE_LEVEL).bind(batch.0).bind(from).bind(to);
    session.run(query).await?;
    Ok(())
}

/// Moves its members who wait among all others to its level.
pub(super) async fn gather(store: &PostgresStore, batch: BatchId) -> Result<(), StoreError> {
    loop {
        let mut session = store.sessions.write().await?;
        let query = session.query(MOVE).bind(batch.0).bind(AT_ONCE);
        let moved = session.run(query).await?;
        session.end().await?;
        if moved == 0 {
            return Ok(());
        }
    }
}
