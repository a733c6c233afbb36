//! Putting a selection's members into the queue, chunk by chunk, and counting them before.
//!
//! The mark that says how far a batch is filled moves in the transaction that puts the members in, so that whoever goes on,
//! and whenever, leaves nobody out and puts nobody in twice.
//!
//! Invariant: rows of jobs are made in the order of their members, as everywhere.

use jiff::Timestamp;
use sqlx::postgres::{PgArguments, PgBindIterExt as _};
use sqlx::query::Query;
use sqlx::{AssertSqlSafe, Postgres, Row as _};

use super::super::PostgresStore;
use super::super::rows::{Moment, count_from, subject_from};
use super::super::session::Session;
use super::{StoreError, book, read};
use crate::job::{BatchId, DeadReason};
use crate::member::MemberId;
use crate::store::batches::columns::Mark;
use crate::store::batches::conditions::{Dialect, of_letters, of_records};
use crate::store::batches::{Batch, BatchState, Counting, Filled, Sampled, Selected, Selection};
use crate::store::columns::{RECORDS, email_of, recorded_of};

const DIALECT: Dialect = Dialect {
    status_is_one_of: "record.status = ANY($1)",
    id_is_one_of: "letter.id = ANY($12)",
    error_holds: "strpos(letter.error, $11) > 0",
    now: "coalesce($9, statement_timestamp())",
    is_less_sure: [
        "coalesce((record.confidence ->> 'name')::double precision, 0) < $7",
        "coalesce((record.confidence ->> 'age')::double precision, 0) < $7",
        // A subquery for each row would be twice as slow, and read by one process alone.
        "NOT coalesce(jsonb_path_exists(
            record.social_profiles, '$[*] ? (@.confidence >= $least)', jsonb_build_object('least', $7::double precision)
        ), FALSE)",
    ],
};

/// One at a time fills a batch, or cancels it.
pub(super) const LOCK: &str = "SELECT pg_advisory_xact_lock(1198286178, ($1 % 2147483647)::integer)";

/// A registration may have come in between with another address: the record that is there once the job is ours counts.
const NEWEST: &str = "
    UPDATE enrichment_jobs AS job SET email = record.email, subject = record.subject
    FROM supplemental_member_information AS record
    WHERE job.member_id = ANY($1) AND job.replay = $2 AND record.member_id = job.member_id
        AND record.subject <> job.subject";

const MOVE: &str = "
    UPDATE batches SET filled_to = $2, is_filled = $3, state = CASE WHEN $3 THEN 'running' ELSE state END
    WHERE id = $1";

const LIST: &str = "
    INSERT INTO batch_members (member_id, batch)
    SELECT member_id, $2 FROM unnest($1::text[]) AS given (member_id)
    ORDER BY member_id COLLATE \"C\"
    ON CONFLICT DO NOTHING";

const LIST_BY_ERROR: &str = "
    INSERT INTO batch_members (member_id, batch)
    SELECT DISTINCT member_id, $1 FROM lookup_log
    WHERE outcome = $2 AND ($3::text IS NULL OR provider = $3)
    ON CONFLICT DO NOTHING";

const KEEP_BY_ERROR: &str = "
    DELETE FROM batch_members WHERE batch = $1 AND member_id NOT IN (
        SELECT member_id FROM lookup_log WHERE outcome = $2 AND ($3::text IS NULL OR provider = $3)
    )";

pub(super) async fn list(
    store: &PostgresStore,
    batch: BatchId,
    members: &[MemberId],
) -> Result<(), StoreError> {
    if members.is_empty() {
        return Ok(());
    }
    let mut session = store.sessions.alone().await?;
    let query = session.query(LIST).bind(members.iter().map(MemberId::as_str).bind_iter()).bind(batch.0);
    session.run(query).await?;
    session.end().await
}

pub(super) async fn list_by_error(
    store: &PostgresStore,
    batch: BatchId,
    class: &str,
    provider: Option<&str>,
    and_listed: bool,
) -> Result<(), StoreError> {
    let sql = if and_listed { KEEP_BY_ERROR } else { LIST_BY_ERROR };
    let mut session = store.sessions.report().await?;
    let query = session.query(sql).bind(batch.0).bind(class.to_owned()).bind(provider.map(ToOwned::to_owned));
    session.run(query).await?;
    session.end().await
}

/// A statement about a selection, with what its conditions are bound to: 1 to 12.
pub(super) fn bound(
    sql: String,
    selection: &Selection,
    batch: BatchId,
    now: Option<Moment>,
) -> Query<'static, Postgres, PgArguments> {
    sqlx::query(AssertSqlSafe(sql))
        .persistent(false)
        .bind(selection.statuses().map(|words| words.into_iter().map(str::to_owned).collect::<Vec<_>>()))
        .bind(selection.since.map(Moment))
        .bind(selection.until.map(Moment))
        .bind(selection.batch.map(|batch| batch.0))
        .bind(selection.provider.clone())
        .bind(selection.answered_before.map(Moment))
        .bind(selection.below.map_or(0.0, |below| below.confidence))
        .bind(batch.0)
        .bind(now)
        .bind(selection.dead_reason.map(DeadReason::as_str))
        .bind(selection.dead_error.clone())
        .bind(selection.dead_ids.clone())
}

pub(super) fn records_where(selection: &Selection) -> String {
    of_records(selection, &DIALECT)
}

fn takes_records(selection: &Selection) -> bool {
    selection.statuses().is_none_or(|words| !words.is_empty())
}

fn letters_from() -> &'static str {
    "dead_letters AS letter
        LEFT JOIN supplemental_member_information AS record ON record.member_id = letter.member_id"
}

async fn selection_of(session: &mut Session, batch: BatchId) -> Result<Selection, StoreError> {
    Ok(read(session, batch).await?.map(|(batch, _)| batch.selection).unwrap_or_default())
}

pub(super) async fn count_selected(
    store: &PostgresStore,
    batch: BatchId,
    now: Timestamp,
) -> Result<Selected, StoreError> {
    let now = store.now(now);
    let mut session = store.sessions.report().await?;
    let selection = selection_of(&mut session, batch).await?;
    let mut selected = Selected::default();
    if takes_records(&selection) {
        let sql = format!(
            "SELECT count(*) AS members, count(job.member_id) AS busy
             FROM supplemental_member_information AS record
             LEFT JOIN enrichment_jobs AS job ON job.member_id = record.member_id
             WHERE {}",
            records_where(&selection)
        );
        let row = session.row(bound(sql, &selection, batch, now)).await?;
        selected.with_record = count_from(&row, "members")?;
        selected.have_a_job += count_from(&row, "busy")?;
    }
    if selection.takes_letters() {
        let sql = format!(
            "SELECT count(*) AS members, count(job.member_id) AS busy
             FROM {}
             LEFT JOIN enrichment_jobs AS job ON job.member_id = letter.member_id
             WHERE {}",
            letters_from(),
            of_letters(&selection, &DIALECT)
        );
        let row = session.row(bound(sql, &selection, batch, now)).await?;
        selected.dead_letters = count_from(&row, "members")?;
        selected.have_a_job += count_from(&row, "busy")?;
    }
    session.end().await?;
    Ok(selected)
}

/// Keyed hashes are evenly spread: those below a bound are a fair part of all.
pub(super) async fn sample(
    store: &PostgresStore,
    batch: BatchId,
    of: Selected,
    about: u32,
    now: Timestamp,
) -> Result<Vec<Sampled>, StoreError> {
    let now = store.now(now);
    let bound_bytes = crate::store::batches::part_of(of.members(), about);
    let mut session = store.sessions.report().await?;
    let selection = selection_of(&mut session, batch).await?;
    let mut parts = Vec::new();
    if takes_records(&selection) {
        parts.push(format!(
            "SELECT record.email, record.subject, record.confidence::text AS recorded FROM supplemental_member_information AS record
             WHERE record.subject < $13 AND {}",
            records_where(&selection)
        ));
    }
    if selection.takes_letters() {
        parts.push(format!(
            "SELECT letter.email, letter.subject, NULL::text AS recorded FROM {} WHERE letter.subject < $13 AND {}",
            letters_from(),
            of_letters(&selection, &DIALECT)
        ));
    }
    let sql = format!("{} LIMIT $14", parts.join(" UNION ALL "));
    let query = bound(sql, &selection, batch, now).bind(bound_bytes).bind(i64::from(about) * 4);
    let rows = session.rows(query).await?;
    session.end().await?;
    rows.iter()
        .map(|row| {
            let email = email_of(row.try_get("email")?, RECORDS)?;
            let recorded = recorded_of(row.try_get("recorded")?);
            Ok(Sampled { email, subject: subject_from(row, RECORDS)?, recorded })
        })
        .collect()
}

pub(super) async fn fill(
    store: &PostgresStore,
    batch: BatchId,
    chunk: u32,
    now: Timestamp,
) -> Result<Filled, StoreError> {
    let now = store.now(now);
    let mut session = store.sessions.write().await?;
    let lock = session.query(LOCK).bind(batch.0);
    session.run(lock).await?;
    let Some((batch, mark)) = read(&mut session, batch).await? else {
        return Ok(Filled { is_over: true, ..Filled::default() });
    };
    if batch.state != BatchState::Filling {
        let is_held = !batch.is_filled;
        return Ok(Filled { is_over: batch.is_filled, is_held, ..Filled::default() });
    }
    let mark = Mark::read(mark.as_deref());
    let step = match &mark {
        Mark::Records(after) if takes_records(&batch.selection) => {
            put_in(&mut session, &batch, Part::Records, after, chunk, now).await?
        }
        Mark::Records(_) => Step::default(),
        Mark::Letters(after) => put_in(&mut session, &batch, Part::Letters, after, chunk, now).await?,
    };
    let next = match (mark, step.last) {
        (Mark::Records(_), Some(last)) => Some(Mark::Records(last)),
        (Mark::Records(_), None) if batch.selection.takes_letters() => Some(Mark::Letters(String::new())),
        (Mark::Letters(_), Some(last)) => Some(Mark::Letters(last)),
        (Mark::Records(_) | Mark::Letters(_), None) => None,
    };
    let is_over = next.is_none();
    if is_over {
        let forget = session.query("DELETE FROM batch_members WHERE batch = $1").bind(batch.id.0);
        session.run(forget).await?;
    }
    let moved = session.query(MOVE).bind(batch.id.0).bind(next.map(|mark| mark.write())).bind(is_over);
    session.run(moved).await?;
    let mut counting = Counting::default();
    counting.add(batch.id, "queued", step.made);
    counting.add(batch.id, "joined", step.seen - step.made);
    super::count(&mut session, &counting).await?;
    if step.made > 0 {
        let ring = session.query(book::RING);
        session.run(ring).await?;
    }
    session.end().await?;
    Ok(Filled { seen: step.seen, made: step.made, is_over, is_held: false })
}

#[derive(Clone, Copy, Eq, PartialEq)]
enum Part {
    Records,
    Letters,
}

#[derive(Default)]
struct Step {
    seen: u64,
    made: u64,
    /// The last member that was looked at; `None` at the end of the part.
    last: Option<String>,
}

async fn put_in(
    session: &mut Session,
    batch: &Batch,
    part: Part,
    after: &str,
    chunk: u32,
    now: Option<Moment>,
) -> Result<Step, StoreError> {
    let chosen = match part {
        Part::Records => format!(
            "SELECT record.member_id, record.email, record.subject, record.batch, NULL AS error
             FROM supplemental_member_information AS record
             WHERE record.member_id > $13 AND {}
             ORDER BY record.member_id
             LIMIT $14",
            records_where(&batch.selection)
        ),
        Part::Letters => format!(
            "SELECT letter.member_id, letter.email, letter.subject, letter.batch, letter.error
             FROM {}
             WHERE letter.member_id > $13 AND {}
             ORDER BY letter.member_id
             LIMIT $14",
            letters_from(),
            of_letters(&batch.selection, &DIALECT)
        ),
    };
    // Suppressed people have neither record nor letter; the second lock on the door.
    let sql = format!(
        "WITH chosen AS MATERIALIZED ({chosen}),
         made AS (
             INSERT INTO enrichment_jobs
                 (member_id, email, subject, priority, run_at, queued_at, batch, replay, last_error)
             SELECT
                 member_id, email, subject, $15, coalesce($9, statement_timestamp()),
                 coalesce($9, statement_timestamp()), batch, $8, error
             FROM chosen
             WHERE NOT EXISTS (SELECT 1 FROM suppressions WHERE suppressions.subject = chosen.subject)
             ORDER BY member_id COLLATE \"C\"
             ON CONFLICT (member_id) DO NOTHING
             RETURNING member_id
         )
         SELECT
             (SELECT count(*) FROM chosen) AS seen,
             (SELECT member_id FROM chosen ORDER BY member_id DESC LIMIT 1) AS last,
             ARRAY(SELECT member_id FROM made) AS made"
    );
    let query = bound(sql, &batch.selection, batch.id, now)
        .bind(after.to_owned())
        .bind(i64::from(chunk))
        .bind(batch.priority);
    let row = session.row(query).await?;
    let made: Vec<String> = row.try_get("made")?;
    let made_count = made.len() as u64;
    match part {
        Part::Records => {
            let query = session.query(NEWEST).bind(made).bind(batch.id.0);
            session.run(query).await?;
        }
        Part::Letters => {
            let sql = "DELETE FROM dead_letters WHERE subject IS NOT NULL AND member_id = ANY($1)";
            let query = session.query(sql).bind(made);
            session.run(query).await?;
        }
    }
    Ok(Step { seen: count_from(&row, "seen")?, made: made_count, last: row.try_get("last")? })
}
