//! How due jobs are sought: the same words in every engine's SQL.

/// The levels of priority at which jobs wait. Due jobs are sought level by level: in the index, those of one level that
/// are not due yet (a million snoozed ones) would lie before the due ones of the next.
macro_rules! levels {
    () => {
        "WITH RECURSIVE level (priority) AS (
             SELECT min(priority) FROM enrichment_jobs WHERE state = 'waiting'
             UNION ALL
             SELECT (
                 SELECT min(priority) FROM enrichment_jobs
                 WHERE state = 'waiting' AND priority > level.priority
             )
             FROM level
             WHERE level.priority IS NOT NULL
         )"
    };
}

/// The levels that are held back: of paused batches.
macro_rules! held_back {
    () => {
        "SELECT priority FROM batches WHERE state = 'paused' AND priority > 0"
    };
}

pub(super) use {held_back, levels};
