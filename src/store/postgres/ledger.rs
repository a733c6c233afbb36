//! The books on lookups.
//!
//! Invariant: lessons are written in the transaction that writes the log.

use async_trait::async_trait;
use jiff::Timestamp;
use sqlx::Row as _;
use sqlx::postgres::{PgBindIterExt as _, PgRow};

use super::rows::{Moment, count_from, moment_from, signed};
use super::session::Session;
use super::{PostgresStore, StoreError};
use crate::job::{LessonTotals, LookupEntry, Registration};
use crate::member::MemberId;
use crate::store::ledger::{Ledger, LookupSeen, Taught, lesson_of, taught};

const TEACH: &str = "
    INSERT INTO provider_lessons AS lesson
        (provider, segment, brought, stripe, answers, cost_micros, duration_us, agreed, contradicted)
    SELECT provider, segment, brought, pg_backend_pid() % 16, answers, cost_micros, duration_us, agreed, contradicted
    FROM unnest(
        $1::text[], $2::text[], $3::smallint[], $4::bigint[], $5::bigint[], $6::bigint[], $7::bigint[], $8::bigint[]
    ) AS taught (provider, segment, brought, answers, cost_micros, duration_us, agreed, contradicted)
    ON CONFLICT (provider, segment, brought, stripe) DO UPDATE SET
        answers = lesson.answers + excluded.answers,
        cost_micros = lesson.cost_micros + excluded.cost_micros,
        duration_us = lesson.duration_us + excluded.duration_us,
        agreed = lesson.agreed + excluded.agreed,
        contradicted = lesson.contradicted + excluded.contradicted";

/// Adds what these lookups teach.
pub(super) async fn teach(session: &mut Session, lookups: &[&LookupEntry]) -> Result<(), StoreError> {
    let rows = taught(lookups.iter().copied());
    if rows.is_empty() {
        return Ok(());
    }
    let query = session
        .query(TEACH)
        .bind(rows.keys().map(|(provider, _, _)| *provider).bind_iter())
        .bind(rows.keys().map(|(_, segment, _)| *segment).bind_iter())
        .bind(rows.keys().map(|(_, _, brought)| *brought).bind_iter())
        .bind(signed(rows.values().map(|taught| taught.answers))?)
        .bind(signed(rows.values().map(|taught| taught.cost_micros))?)
        .bind(signed(rows.values().map(|taught| taught.duration_us))?)
        .bind(signed(rows.values().map(|taught| taught.agreed))?)
        .bind(signed(rows.values().map(|taught| taught.contradicted))?);
    session.run(query).await?;
    Ok(())
}

#[async_trait]
impl Ledger for PostgresStore {
    async fn lookups_of(&self, member: &MemberId) -> Result<Vec<LookupSeen>, StoreError> {
        let sql = "
            SELECT provider, told, outcome, duration_us, cost_micros, at
            FROM lookup_log
            WHERE member_id = $1
            ORDER BY id";
        let mut session = self.sessions.alone().await?;
        let query = session.query(sql).bind(member.as_str());
        let rows = session.rows(query).await?;
        session.end().await?;
        rows.iter().map(lookup).collect()
    }

    async fn forget_answers(&self, batch: &[Registration], now: Timestamp) -> Result<(), StoreError> {
        let mut session = self.sessions.write().await?;
        // Rows are locked in the order in which everybody locks them.
        let expire = "
            UPDATE provider_answers AS answer SET expires_at = $2
            FROM (
                SELECT subject, provider FROM provider_answers
                WHERE subject = ANY($1) AND outcome <> 'pending' AND expires_at > $2
                ORDER BY subject, provider
                FOR UPDATE
            ) AS old
            WHERE answer.subject = old.subject AND answer.provider = old.provider";
        let query = session
            .query(expire)
            .bind(batch.iter().map(|one| one.subject.as_bytes().as_slice()).bind_iter())
            .bind(Moment(now));
        session.run(query).await?;
        let reopen = "
            UPDATE supplemental_member_information SET status = 'partial'
            WHERE member_id = ANY(ARRAY(
                SELECT member_id FROM supplemental_member_information
                WHERE member_id = ANY($1) AND status <> 'partial'
                ORDER BY member_id COLLATE \"C\"
                FOR UPDATE
            ))";
        let query = session.query(reopen).bind(batch.iter().map(|one| one.member.as_str()).bind_iter());
        session.run(query).await?;
        session.end().await
    }

    async fn lessons(&self) -> Result<Vec<LessonTotals>, StoreError> {
        let sql = "
            SELECT
                provider, segment, brought, sum(answers)::bigint AS answers, sum(cost_micros)::bigint AS cost_micros,
                sum(duration_us)::bigint AS duration_us, sum(agreed)::bigint AS agreed,
                sum(contradicted)::bigint AS contradicted
            FROM provider_lessons
            GROUP BY provider, segment, brought
            ORDER BY provider COLLATE \"C\", segment COLLATE \"C\", brought";
        let mut session = self.sessions.alone().await?;
        let query = session.query(sql);
        let rows = session.rows(query).await?;
        session.end().await?;
        rows.iter().map(lesson).collect()
    }
}

fn lookup(row: &PgRow) -> Result<LookupSeen, StoreError> {
    Ok(LookupSeen {
        provider: row.try_get("provider")?,
        told: row.try_get("told")?,
        outcome: row.try_get("outcome")?,
        milliseconds: count_from(row, "duration_us")? / 1000,
        cost_micros: count_from(row, "cost_micros")?,
        at: moment_from(row, "at")?,
    })
}

fn lesson(row: &PgRow) -> Result<LessonTotals, StoreError> {
    let taught = Taught {
        answers: count_from(row, "answers")?,
        cost_micros: count_from(row, "cost_micros")?,
        duration_us: count_from(row, "duration_us")?,
        agreed: count_from(row, "agreed")?,
        contradicted: count_from(row, "contradicted")?,
    };
    lesson_of(row.try_get("provider")?, row.try_get("segment")?, row.try_get("brought")?, &taught)
}
