//! The books on lookups.
//!
//! Invariant: lessons are written in the transaction that writes the log.

use async_trait::async_trait;
use jiff::Timestamp;
use serde::Serialize;
use sqlx::Row as _;
use sqlx::sqlite::SqliteRow;

use super::rows::{millis, moment, subject_hex};
use super::{SqliteStore, StoreError, Write};
use crate::job::{LessonTotals, LookupEntry, Registration};
use crate::member::MemberId;
use crate::store::columns::json;
use crate::store::ledger::{Ledger, LookupSeen, Taught, lesson_of, taught};

const TEACH: &str = "
    INSERT INTO provider_lessons
        (provider, segment, brought, answers, cost_micros, duration_us, agreed, contradicted)
    SELECT
        value ->> 'provider', value ->> 'segment', value ->> 'brought', value ->> 'answers', value ->> 'cost_micros',
        value ->> 'duration_us', value ->> 'agreed', value ->> 'contradicted'
    FROM jsonb_each(?1)
    WHERE TRUE
    ON CONFLICT (provider, segment, brought) DO UPDATE SET
        answers = answers + excluded.answers,
        cost_micros = cost_micros + excluded.cost_micros,
        duration_us = duration_us + excluded.duration_us,
        agreed = agreed + excluded.agreed,
        contradicted = contradicted + excluded.contradicted";

#[derive(Serialize)]
struct LessonRow<'a> {
    provider: &'a str,
    segment: &'static str,
    brought: i16,
    #[serde(flatten)]
    taught: Taught,
}

/// Adds what these lookups teach.
pub(super) async fn teach(tx: &mut Write, lookups: &[&LookupEntry]) -> Result<(), StoreError> {
    let row = |((provider, segment, brought), taught)| LessonRow { provider, segment, brought, taught };
    let rows: Vec<_> = taught(lookups.iter().copied()).into_iter().map(row).collect();
    if !rows.is_empty() {
        sqlx::query(TEACH).bind(json(&rows)?).execute(&mut **tx).await?;
    }
    Ok(())
}

#[async_trait]
impl Ledger for SqliteStore {
    async fn lookups_of(&self, member: &MemberId) -> Result<Vec<LookupSeen>, StoreError> {
        let sql = "
            SELECT provider, told, outcome, duration_us, cost_micros, at
            FROM lookup_log
            WHERE member_id = ?1
            ORDER BY id";
        let rows = sqlx::query(sql).bind(member.as_str()).fetch_all(&self.readers).await?;
        rows.iter().map(lookup).collect()
    }

    async fn forget_answers(&self, batch: &[Registration], now: Timestamp) -> Result<(), StoreError> {
        let subjects: Vec<_> = batch.iter().map(|one| subject_hex(&one.subject)).collect();
        let members: Vec<_> = batch.iter().map(|one| one.member.as_str()).collect();
        let mut tx = self.begin().await?;
        let expire = "
            UPDATE provider_answers SET expires_at = ?2
            WHERE subject IN (SELECT unhex(value) FROM jsonb_each(?1)) AND outcome <> 'pending' AND expires_at > ?2";
        sqlx::query(expire).bind(json(&subjects)?).bind(millis(now)).execute(&mut *tx).await?;
        let reopen = "
            UPDATE supplemental_member_information SET status = 'partial'
            WHERE member_id IN (SELECT value FROM jsonb_each(?1)) AND status <> 'partial'";
        sqlx::query(reopen).bind(json(&members)?).execute(&mut *tx).await?;
        tx.commit().await?;
        Ok(())
    }

    async fn lessons(&self) -> Result<Vec<LessonTotals>, StoreError> {
        let sql = "
            SELECT provider, segment, brought, answers, cost_micros, duration_us, agreed, contradicted
            FROM provider_lessons
            ORDER BY provider, segment, brought";
        let rows = sqlx::query(sql).fetch_all(&self.readers).await?;
        rows.iter().map(lesson).collect()
    }
}

fn lookup(row: &SqliteRow) -> Result<LookupSeen, StoreError> {
    Ok(LookupSeen {
        provider: row.try_get("provider")?,
        told: row.try_get("told")?,
        outcome: row.try_get("outcome")?,
        milliseconds: row.try_get::<u64, _>("duration_us")? / 1000,
        cost_micros: row.try_get("cost_micros")?,
        at: moment(row.try_get("at")?, "lookup_log")?,
    })
}

fn lesson(row: &SqliteRow) -> Result<LessonTotals, StoreError> {
    let taught = Taught {
        answers: row.try_get("answers")?,
        cost_micros: row.try_get("cost_micros")?,
        duration_us: row.try_get("duration_us")?,
        agreed: row.try_get("agreed")?,
        contradicted: row.try_get("contradicted")?,
    };
    lesson_of(row.try_get("provider")?, row.try_get("segment")?, row.try_get("brought")?, &taught)
}
