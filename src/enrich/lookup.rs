//! One question to one provider: what it answered, what that cost, and the entry for the disclosure record.

use std::time::Duration;

use gleaner_providers::clock::SharedClock;
use gleaner_providers::email::Segment;
use gleaner_providers::error::Remedy;
use gleaner_providers::{Descriptor, Lookup, LookupError, Subject};
use jiff::{SignedDuration, Timestamp};
use tokio::time::Instant;

use super::breaker::Leave;
use super::course::Question;
use super::panel::Installed;
use super::{Keep, Kept};
use crate::config::Retention;
use crate::job::{Answer, AnswerContent, Claimed, Lesson, LookupEntry, Paid};
use crate::record::Fields;

/// How long a provider that refuses us is left alone.
const REFUSAL_PAUSE: Duration = Duration::from_mins(15);

/// Until it is known what the lookups under way cost; a batch that has nothing left is held back as a whole.
const CEILING_PAUSE: Duration = Duration::from_secs(5);

/// For how long nobody is asked again who must not be, or whose site is not there: they may think better of it, and it may be our
/// own name server that was away.
const FORBIDDEN_DAYS: i64 = 7;
const UNREACHABLE_DAYS: i64 = 1;

/// What came of one question.
#[derive(Debug)]
pub(super) struct Reply {
    pub(super) provider: String,
    pub(super) result: Result<Told, LookupError>,
    /// Absent where nothing left the house.
    pub(super) entry: Option<LookupEntry>,
    /// What was reserved of the batch's ceiling before it was asked, and is not needed any more.
    pub(super) freed_micros: u64,
}

impl Reply {
    /// Nobody was asked.
    const fn unasked(provider: String, why: LookupError) -> Self {
        Self { provider, result: Err(why), entry: None, freed_micros: 0 }
    }
}

/// What a provider told.
#[derive(Debug)]
pub(super) enum Told {
    Answer { answer: Box<Answer>, kept: Kept },
    Objected,
}

/// Asks. An answer that was ordered earlier, under `handle`, is collected and not ordered again.
pub(super) async fn ask(
    Question { provider: installed, told, segment }: Question<'_>,
    handle: Option<&str>,
    subject: &Subject,
    job: &Claimed,
    retention: &Retention,
    clock: &SharedClock,
    keep: &dyn Keep,
) -> Reply {
    let provider = installed.name().to_owned();
    let costs = !installed.descriptor().price.is_free();
    let Passed { leave, reserved_micros } = match pass(installed, costs, job, keep).await {
        Ok(passed) => passed,
        Err(refusal) => return Reply::unasked(provider, refusal),
    };
    let http = installed.http().for_one_lookup();
    let started = Instant::now();
    let answering = match handle {
        Some(handle) => installed.provider().collect(handle, subject, &http),
        None => installed.provider().lookup(subject, &http),
    };
    let result = tokio::select! {
        biased;
        // It would try again after a timeout, while whoever has the job now asks the same.
        () = keep.lease_ended(job.hold), if costs => Err(lease_ended()),
        result = answering => result,
    };
    if let Some(leave) = leave {
        leave.hand_back(result.as_ref().err());
    }
    let now = clock.now();
    let cost_micros = result.as_ref().map_or(0, |lookup| installed.descriptor().price.of(lookup).0);
    let mut entry = (http.calls_in_this_lookup() > 0).then(|| LookupEntry {
        provider: provider.clone(),
        told,
        outcome: outcome(&result),
        duration: started.elapsed(),
        calls: http.calls_in_this_lookup(),
        cost_micros,
        at: now,
        is_logged: false,
        lesson: lesson(&result, segment, subject, installed.descriptor()),
    });
    // What may have been billed without our knowing stays reserved.
    let is_unknown =
        http.unanswered_in_this_lookup() > 0 || matches!(result, Err(LookupError::Malformed { .. }));
    let freed_micros = if is_unknown { 0 } else { reserved_micros };
    let result = match result {
        Ok(Lookup::Objected) => Ok(Told::Objected),
        Ok(lookup) => {
            let lifetime = lifetime(&lookup, retention);
            let answer = answer(lookup, &provider, job, cost_micros, now, lifetime);
            let kept = keep_if_paid(&answer, costs, &mut entry, job, keep).await;
            Ok(Told::Answer { answer: Box::new(answer), kept })
        }
        Err(error) => {
            if error.remedy() == Remedy::TellOperator {
                installed.close(&error, REFUSAL_PAUSE);
            }
            if matches!(error, LookupError::Malformed { .. }) {
                installed.puzzle(&error);
            }
            let (member, class) = (job.member.as_str(), error.class());
            tracing::debug!(provider, member, class, %error, "lookup failed");
            // Given up: remembered as any other answer, so that a replay does not knock at the same closed doors.
            given_up_for(&error, retention).map_or(Err(error), |lifetime| {
                let answer = answer(Lookup::NoMatch, &provider, job, 0, now, lifetime);
                Ok(Told::Answer { answer: Box::new(answer), kept: Kept::No })
            })
        }
    };
    Reply { provider, result, entry, freed_micros }
}

/// What it takes to ask.
struct Passed<'a> {
    leave: Option<Leave<'a>>,
    /// What was reserved of the batch's ceiling.
    reserved_micros: u64,
}

/// Through everything that may forbid the question before it is asked.
async fn pass<'a>(
    installed: &'a Installed,
    costs: bool,
    job: &Claimed,
    keep: &dyn Keep,
) -> Result<Passed<'a>, LookupError> {
    if costs && !keep.may_pay(job.hold) {
        return Err(lease_ended());
    }
    let leave = installed.enter().await?;
    let Some(batch) = job.batch.as_ref().filter(|batch| costs && batch.is_capped) else {
        return Ok(Passed { leave, reserved_micros: 0 });
    };
    // One answer is all that can be billed: a paid one that got lost is not asked for again within the lookup.
    let price = installed.descriptor().price;
    let reserved_micros = price.per_match.0.max(price.per_miss.0);
    if keep.reserve(batch.batch, reserved_micros).await {
        Ok(Passed { leave, reserved_micros })
    } else {
        Err(ceiling_reached())
    }
}

/// Stores an answer that cost money, and its entry in the log, before it is used. So with an order: without its handle it would
/// have to be placed, and may be billed, once more.
async fn keep_if_paid(
    answer: &Answer,
    costs: bool,
    entry: &mut Option<LookupEntry>,
    job: &Claimed,
    keep: &dyn Keep,
) -> Kept {
    let is_order = costs && matches!(answer.content, AnswerContent::Pending { .. });
    if answer.cost_micros == 0 && !is_order {
        return Kept::No;
    }
    let (answer, member) = (answer.clone(), job.member.clone());
    let kept = keep.keep(Paid { hold: job.hold, member, answer, entry: entry.clone() }).await;
    if let Some(entry) = entry {
        entry.is_logged = kept == Kept::Yes;
    }
    kept
}

fn ceiling_reached() -> LookupError {
    LookupError::QuotaExhausted { reason: "its batch may cost no more".into(), after: Some(CEILING_PAUSE) }
}

fn lease_ended() -> LookupError {
    let reason = "the lease may be somebody else's by now".into();
    LookupError::QuotaExhausted { reason, after: Some(Duration::ZERO) }
}

/// What an answer is about to teach; what it told is filled in when it is held against the others.
fn lesson(
    result: &Result<Lookup, LookupError>,
    segment: Segment,
    subject: &Subject,
    about: &Descriptor,
) -> Option<Lesson> {
    matches!(result, Ok(Lookup::Match(_) | Lookup::NoMatch)).then(|| Lesson {
        segment,
        brought: None,
        demanded: if about.price.only_wanted { Fields::of(subject.wanted()) } else { Fields::NONE },
        agreed: Fields::NONE,
        contradicted: Fields::NONE,
    })
}

/// The word for the outcome in the lookup log.
fn outcome(result: &Result<Lookup, LookupError>) -> &'static str {
    match result {
        Ok(Lookup::Match(_)) => "match",
        Ok(Lookup::NoMatch) => "no_match",
        Ok(Lookup::Pending { .. }) => "pending",
        Ok(Lookup::Objected) => "objected",
        Err(error) => error.class(),
    }
}

fn lifetime(lookup: &Lookup, retention: &Retention) -> SignedDuration {
    match lookup {
        Lookup::Match(_) => retention.matches(),
        Lookup::Pending { .. } | Lookup::NoMatch | Lookup::Objected => retention.no_matches(),
    }
}

/// For how long a provider is not asked about this subject again, where asking would not help.
fn given_up_for(error: &LookupError, retention: &Retention) -> Option<SignedDuration> {
    let days = match error {
        LookupError::Unreachable { .. } => UNREACHABLE_DAYS,
        _ if error.remedy() == Remedy::GiveUp => FORBIDDEN_DAYS,
        _ => return None,
    };
    Some(SignedDuration::from_hours(24 * days).min(retention.no_matches()))
}

fn answer(
    lookup: Lookup,
    provider: &str,
    job: &Claimed,
    cost_micros: u64,
    now: Timestamp,
    lifetime: SignedDuration,
) -> Answer {
    let content = match lookup {
        Lookup::Match(finding) => AnswerContent::Match(finding),
        Lookup::Pending { handle, after } => {
            let ready_at = later(now, SignedDuration::try_from(after).unwrap_or(SignedDuration::MAX));
            AnswerContent::Pending { handle, ready_at }
        }
        Lookup::NoMatch | Lookup::Objected => AnswerContent::NoMatch,
    };
    Answer {
        subject: job.subject,
        provider: provider.to_owned(),
        content,
        cost_micros,
        fetched_at: now,
        expires_at: later(now, lifetime),
    }
}

/// A later moment; the end of time where there is none.
pub(super) fn later(now: Timestamp, by: SignedDuration) -> Timestamp {
    now.checked_add(by).unwrap_or(Timestamp::MAX)
}
