//! Taking registrations in: what is known of each decides what becomes of it.
//!
//! A member counts once, where its job is, else its dead letter, else its record. Invariant: `intake_tally` is
//! counted in the transaction that takes in, from what came through the door.

use std::collections::HashMap;

use jiff::Timestamp;
use serde::Serialize;

use super::rows::{json, millis, stamp, subject_hex};
use super::{SqliteStore, StoreError, Write};
use crate::job::{DeadReason, Intake, Refusal, Registration};

/// What is known of each registration's member and subject, in the order of the batch.
const KNOWN: &str = "
    WITH registration AS MATERIALIZED (
        SELECT key AS position, value ->> 'member' AS member_id, unhex(value ->> 'subject') AS subject
        FROM jsonb_each(?1)
    )
    SELECT
        EXISTS (SELECT 1 FROM suppressions WHERE subject = registration.subject) AS suppressed,
        EXISTS (SELECT 1 FROM enrichment_jobs WHERE member_id = registration.member_id) AS has_job,
        record.member_id IS NOT NULL AS has_record,
        EXISTS (
            SELECT 1 FROM dead_letters
            WHERE member_id = registration.member_id AND subject IS NOT NULL
        ) AS has_dead_letter,
        coalesce(
            record.subject = registration.subject
                AND record.status IN ('complete', 'no_match')
                AND record.expires_at > ?2,
            FALSE
        ) AS fresh
    FROM registration
    LEFT JOIN supplemental_member_information AS record ON record.member_id = registration.member_id
    ORDER BY registration.position";

/// A known job gets the newest address. Another subject is another question: it starts afresh, at once where the
/// job waits, after the present execution where it runs (`commit` sees that the subjects differ).
const QUEUE: &str = "
    INSERT INTO enrichment_jobs (member_id, email, subject, run_at, queued_at)
    SELECT value ->> 'member', value ->> 'email', unhex(value ->> 'subject'), ?2, ?2
    FROM jsonb_each(?1)
    WHERE TRUE
    ON CONFLICT (member_id) DO UPDATE SET
        email = excluded.email,
        subject = excluded.subject,
        attempt = iif(subject = excluded.subject, attempt, 0),
        run_at = iif(subject = excluded.subject, run_at, min(run_at, excluded.run_at))";

const SUPERSEDE: &str = "
    DELETE FROM dead_letters
    WHERE subject IS NOT NULL AND member_id IN (SELECT value FROM jsonb_each(?1))";

#[derive(Serialize)]
struct RegistrationRow<'a> {
    member: &'a str,
    email: &'a str,
    subject: String,
}

impl<'a> RegistrationRow<'a> {
    fn of(registration: &'a Registration) -> Self {
        Self {
            member: registration.member.as_str(),
            email: registration.email.expose(),
            subject: subject_hex(&registration.subject),
        }
    }
}

/// One row of [`KNOWN`].
#[derive(Clone, Copy, sqlx::FromRow)]
struct Known {
    suppressed: bool,
    /// The member's record is about this subject, final and unexpired.
    fresh: bool,
    #[sqlx(flatten)]
    member: Traces,
}

/// What there is of a member.
#[derive(Clone, Copy, sqlx::FromRow)]
struct Traces {
    has_job: bool,
    has_record: bool,
    has_dead_letter: bool,
}

/// What was counted at the door.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Tally {
    pub(super) taken_in: u32,
    pub(super) repeated: u32,
    pub(super) suppressed: u32,
}

impl Tally {
    pub(super) async fn add(self, tx: &mut Write) -> Result<(), StoreError> {
        let sql = "
            UPDATE intake_tally SET
                taken_in = taken_in + ?,
                repeated = repeated + ?,
                suppressed = suppressed + ?";
        sqlx::query(sql)
            .bind(self.taken_in)
            .bind(self.repeated)
            .bind(self.suppressed)
            .execute(&mut **tx)
            .await?;
        Ok(())
    }
}

pub(super) async fn enqueue(
    store: &SqliteStore,
    batch: &[Registration],
    now: Timestamp,
) -> Result<Vec<Intake>, StoreError> {
    if batch.is_empty() {
        return Ok(Vec::new());
    }
    let mut tx = store.begin().await?;
    let answers = enqueue_within(&mut tx, batch, now).await?;
    tx.commit().await?;
    Ok(answers)
}

/// Takes registrations in as a part of a larger transaction.
pub(super) async fn enqueue_within(
    tx: &mut Write,
    batch: &[Registration],
    now: Timestamp,
) -> Result<Vec<Intake>, StoreError> {
    if batch.is_empty() {
        return Ok(Vec::new());
    }
    let rows = json(&batch.iter().map(RegistrationRow::of).collect::<Vec<_>>())?;
    let known = sqlx::query_as(KNOWN).bind(rows).bind(stamp(now)).fetch_all(&mut **tx).await?;
    let decided = Decided::about(batch, known);
    decided.write(tx, batch, now).await?;
    Ok(decided.answers)
}

/// What becomes of a batch.
#[derive(Default)]
struct Decided<'a> {
    answers: Vec<Intake>,
    /// Where in the batch the newest registration of each member is that has a job now.
    jobs: HashMap<&'a str, usize>,
    /// Members whose dead letter is overtaken by a registration.
    superseded: Vec<&'a str>,
    tally: Tally,
}

impl<'a> Decided<'a> {
    fn about(batch: &'a [Registration], known: Vec<Known>) -> Self {
        let mut decided = Self::default();
        for (position, (registration, known)) in batch.iter().zip(known).enumerate() {
            let answer = decided.one(position, registration, known);
            decided.answers.push(answer);
        }
        decided
    }

    fn one(&mut self, position: usize, registration: &'a Registration, known: Known) -> Intake {
        let member = registration.member.as_str();
        if known.suppressed {
            self.tally.taken_in += 1;
            self.tally.suppressed += 1;
            return Intake::Suppressed;
        }
        if known.member.has_dead_letter {
            self.superseded.push(member);
        }
        let has_job = known.member.has_job || self.jobs.contains_key(member);
        if !has_job && known.fresh {
            self.tally.repeated += 1;
            return Intake::Fresh;
        }
        self.jobs.insert(member, position);
        if has_job || known.member.has_record || known.member.has_dead_letter {
            self.tally.repeated += 1;
        } else {
            self.tally.taken_in += 1;
        }
        if has_job { Intake::Repeated } else { Intake::Queued }
    }

    async fn write(
        &self,
        tx: &mut Write,
        batch: &'a [Registration],
        now: Timestamp,
    ) -> Result<(), StoreError> {
        if !self.superseded.is_empty() {
            sqlx::query(SUPERSEDE).bind(json(&self.superseded)?).execute(&mut **tx).await?;
        }
        if !self.jobs.is_empty() {
            // In the order of the batch: first come, first served.
            let newest = |(position, registration): (usize, &'a Registration)| {
                let is_newest = self.jobs.get(registration.member.as_str()) == Some(&position);
                is_newest.then(|| RegistrationRow::of(registration))
            };
            let jobs: Vec<_> = batch.iter().enumerate().filter_map(newest).collect();
            sqlx::query(QUEUE).bind(json(&jobs)?).bind(millis(now)).execute(&mut **tx).await?;
        }
        self.tally.add(tx).await
    }
}

#[derive(Serialize)]
struct RefusalRow<'a> {
    origin: &'a str,
    member: Option<&'a str>,
    reason: &'a str,
}

/// A refused row counts by itself and stays until it is purged, also where it names a known member: its repaired
/// twin is taken in as that member.
pub(super) async fn refuse(store: &SqliteStore, batch: &[Refusal], now: Timestamp) -> Result<(), StoreError> {
    if batch.is_empty() {
        return Ok(());
    }
    let rows: Vec<_> = batch
        .iter()
        .map(|refusal| RefusalRow {
            origin: &refusal.origin,
            member: refusal.member.as_ref().map(crate::member::MemberId::as_str),
            reason: &refusal.reason,
        })
        .collect();
    let sql = "
        INSERT INTO dead_letters (member_id, origin, reason, error, attempts, at)
        SELECT value ->> 'member', value ->> 'origin', ?2, value ->> 'reason', 0, ?3
        FROM jsonb_each(?1)
        ORDER BY key";
    let mut tx = store.begin().await?;
    sqlx::query(sql)
        .bind(json(&rows)?)
        .bind(DeadReason::Malformed.as_str())
        .bind(millis(now))
        .execute(&mut *tx)
        .await?;
    let taken_in = u32::try_from(batch.len()).unwrap_or(u32::MAX);
    Tally { taken_in, ..Tally::default() }.add(&mut tx).await?;
    tx.commit().await?;
    Ok(())
}
