//! Suppression: the durable mark, and the removal of what is stored about a person.
//!
//! Running jobs stay (without their address) until their worker commits, releases or loses them; each of these
//! ends them. Invariant: no waiting job, record, answer or dead letter has a suppressed subject.

use jiff::Timestamp;
use sqlx::Row as _;
use sqlx::postgres::PgBindIterExt as _;

use super::rows::Moment;
use super::session::Session;
use super::{PostgresStore, StoreError, intake};
use crate::job::SuppressionReason;
use crate::keyring::SubjectKey;
use crate::store::decide::Tally;

/// Whether a subject, named as a column, must not be looked up.
///
/// `OFFSET 0` keeps it a search by the key, once a row. Otherwise a plan that was made while the tables were empty would read
/// all suppressions first, in every transaction, until the tables are analysed.
macro_rules! suppressed {
    ($subject:literal) => {
        concat!("EXISTS (SELECT 1 FROM suppressions WHERE suppressions.subject = ", $subject, " OFFSET 0)")
    };
}

pub(super) use suppressed;

const MARK: &str = "
    INSERT INTO suppressions (subject, reason, created_at)
    SELECT subject, reason, coalesce($3, statement_timestamp())
    FROM unnest($1::bytea[], $2::text[]) AS person (subject, reason)
    ON CONFLICT (subject) DO NOTHING";

/// Returns the members that lost something, and perhaps their last trace. A waiting job that a worker claims at this
/// moment is waited for and turns out to be running.
const REMOVE: &str = "
    WITH
    records AS (
        DELETE FROM supplemental_member_information WHERE subject = ANY($1) RETURNING member_id
    ),
    letters AS (
        DELETE FROM dead_letters WHERE subject = ANY($1) RETURNING member_id
    ),
    jobs AS (
        DELETE FROM enrichment_jobs WHERE id = ANY(ARRAY(
            SELECT id FROM enrichment_jobs
            WHERE subject = ANY($1) AND state = 'waiting'
            ORDER BY member_id COLLATE \"C\"
            FOR UPDATE
        ))
        RETURNING member_id
    ),
    answers AS (
        DELETE FROM provider_answers WHERE subject = ANY($1)
    )
    SELECT member_id FROM records
    UNION SELECT member_id FROM letters
    UNION SELECT member_id FROM jobs";

const REMOVE_ADDRESSES: &str = "
    UPDATE enrichment_jobs SET email = '' WHERE id = ANY(ARRAY(
        SELECT id FROM enrichment_jobs WHERE subject = ANY($1) ORDER BY member_id COLLATE \"C\" FOR UPDATE
    ))";

/// What batches know of members by name.
const REMOVE_TRACES: &str = "
    WITH listed AS (DELETE FROM batch_members WHERE member_id = ANY($1))
    DELETE FROM batch_changes WHERE member_id = ANY($1)";

const GONE: &str = "
    SELECT count(DISTINCT member.id)
    FROM unnest($1::text[]) AS member (id)
    WHERE NOT EXISTS (SELECT 1 FROM enrichment_jobs WHERE member_id = member.id)
      AND NOT EXISTS (SELECT 1 FROM supplemental_member_information WHERE member_id = member.id)
      AND NOT EXISTS (SELECT 1 FROM dead_letters WHERE member_id = member.id AND subject IS NOT NULL)";

pub(super) async fn suppress(
    store: &PostgresStore,
    subject: SubjectKey,
    reason: SuppressionReason,
    now: Timestamp,
) -> Result<(), StoreError> {
    let mut session = store.sessions.exclude().await?;
    let touched = mark_and_remove(&mut session, &[(subject, reason)], store.now(now)).await?;
    tally_gone(&mut session, &touched).await?;
    session.end().await
}

/// Marks subjects and removes what is stored about them, under the erasure lock; returns the members that lost
/// something.
pub(super) async fn mark_and_remove(
    session: &mut Session,
    people: &[(SubjectKey, SuppressionReason)],
    now: Option<Moment>,
) -> Result<Vec<String>, StoreError> {
    let subjects = || people.iter().map(|(subject, _)| subject.as_bytes().as_slice()).bind_iter();
    let mark = session
        .query(MARK)
        .bind(subjects())
        .bind(people.iter().map(|(_, reason)| reason.as_str()).bind_iter())
        .bind(now);
    session.run(mark).await?;
    let remove = session.query(REMOVE).bind(subjects());
    let touched = session.rows(remove).await?;
    // A later statement, which sees the jobs that were claimed while the one before waited for them.
    let remove_addresses = session.query(REMOVE_ADDRESSES).bind(subjects());
    session.run(remove_addresses).await?;
    let members = touched.iter().map(|row| row.try_get(0)).collect::<Result<Vec<String>, _>>()?;
    let remove_traces = session.query(REMOVE_TRACES).bind(members);
    session.run(remove_traces).await?;
    touched.iter().map(|row| Ok(row.try_get(0)?)).collect()
}

/// Counts those of these members of whom nothing is kept any more.
pub(super) async fn tally_gone<M: AsRef<str>>(
    session: &mut Session,
    members: &[M],
) -> Result<(), StoreError> {
    if members.is_empty() {
        return Ok(());
    }
    let query = session.query(GONE).bind(members.iter().map(AsRef::as_ref).bind_iter());
    let gone: i64 = session.row(query).await?.try_get(0)?;
    let suppressed = u32::try_from(gone).unwrap_or(u32::MAX);
    intake::count(session, Tally { suppressed, ..Tally::default() }).await
}
