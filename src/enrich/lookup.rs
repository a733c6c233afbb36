//! One question to one provider: what it answered, what that cost, and the entry for the disclosure record.

use std::time::Duration;

use gleaner_providers::clock::SharedClock;
use gleaner_providers::error::Remedy;
use gleaner_providers::{Descriptor, Lookup, LookupError, Subject};
use jiff::{SignedDuration, Timestamp};
use tokio::time::Instant;

use super::course::Question;
use super::{Keep, Kept};
use crate::config::Retention;
use crate::job::{Answer, AnswerContent, Claimed, Lesson, LookupEntry};
use crate::record::Fields;

/// How long a provider that refuses us is left alone.
const REFUSAL_PAUSE: Duration = Duration::from_mins(15);

/// Until it is known what the lookups under way cost; a batch that has nothing left is held back as a whole.
const CEILING_PAUSE: Duration = Duration::from_secs(5);

/// What came of one question.
#[derive(Debug)]
pub(super) struct Reply {
    pub(super) provider: String,
    pub(super) result: Result<Told, LookupError>,
    /// Absent where nothing left the house.
    pub(super) entry: Option<LookupEntry>,
    /// What was reserved of the batch's ceiling before it was asked.
    pub(super) reserved_micros: u64,
}

impl Reply {
    /// Nobody was asked.
    const fn unasked(provider: String, why: LookupError) -> Self {
        Self { provider, result: Err(why), entry: None, reserved_micros: 0 }
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
    Question { provider: installed, told }: Question<'_>,
    handle: Option<&str>,
    subject: &Subject,
    job: &Claimed,
    retention: &Retention,
    clock: &SharedClock,
    keep: &dyn Keep,
) -> Reply {
    let provider = installed.name().to_owned();
    let leave = match installed.enter().await {
        Ok(leave) => leave,
        Err(refusal) => return Reply::unasked(provider, refusal),
    };
    let costs = !installed.descriptor().price.is_free();
    if costs && !keep.may_pay(job.hold) {
        return Reply::unasked(provider, lease_ended());
    }
    let price = installed.descriptor().price;
    let capped = job.batch.as_ref().filter(|batch| costs && batch.is_capped);
    let reserved_micros = capped.map_or(0, |_| price.per_match.0.max(price.per_miss.0));
    if let Some(batch) = capped
        && !keep.reserve(batch.batch, reserved_micros).await
    {
        return Reply::unasked(provider, ceiling_reached());
    }
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
    let entry = (http.calls_in_this_lookup() > 0).then(|| LookupEntry {
        provider: provider.clone(),
        told,
        outcome: outcome(&result),
        duration: started.elapsed(),
        calls: http.calls_in_this_lookup(),
        cost_micros,
        at: now,
        lesson: lesson(&result, subject, installed.descriptor()),
    });
    let result = match result {
        Ok(Lookup::Objected) => Ok(Told::Objected),
        Ok(lookup) => {
            let answer = answer(lookup, &provider, job, cost_micros, now, retention);
            // Without its handle, an order would have to be placed, and may be billed, once more.
            let is_order = costs && matches!(answer.content, AnswerContent::Pending { .. });
            let kept = if cost_micros > 0 || is_order { keep.keep(&answer).await } else { Kept::No };
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
            Err(error)
        }
    };
    Reply { provider, result, entry, reserved_micros }
}

fn ceiling_reached() -> LookupError {
    LookupError::QuotaExhausted { reason: "its batch may cost no more".into(), after: Some(CEILING_PAUSE) }
}

fn lease_ended() -> LookupError {
    let reason = "the lease may be somebody else's by now".into();
    LookupError::QuotaExhausted { reason, after: Some(Duration::ZERO) }
}

/// What an answer is about to teach; what it told is filled in when it is held against the others.
fn lesson(result: &Result<Lookup, LookupError>, subject: &Subject, about: &Descriptor) -> Option<Lesson> {
    matches!(result, Ok(Lookup::Match(_) | Lookup::NoMatch)).then(|| Lesson {
        segment: subject.email().segment(),
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

fn answer(
    lookup: Lookup,
    provider: &str,
    job: &Claimed,
    cost_micros: u64,
    now: Timestamp,
    retention: &Retention,
) -> Answer {
    let (content, lifetime) = match lookup {
        Lookup::Match(finding) => (AnswerContent::Match(finding), retention.matches()),
        Lookup::Pending { handle, after } => {
            let ready_at = later(now, SignedDuration::try_from(after).unwrap_or(SignedDuration::MAX));
            (AnswerContent::Pending { handle, ready_at }, retention.no_matches())
        }
        Lookup::NoMatch | Lookup::Objected => (AnswerContent::NoMatch, retention.no_matches()),
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
