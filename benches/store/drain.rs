//! Our side of the drain: claim a batch, make its results, commit them, through the trait that the worker uses.

use std::time::Duration;

use gleaner::job::{Answer, AnswerContent, Claimed, Committed, LookupEntry, Outcome, Verdict};
use gleaner::record::{Record, RecordStatus, Source, Sourced};
use gleaner::store::{Claim, SharedStore};
use gleaner_providers::{
    Assurance, BirthInterval, Claim as Statement, Confidence, Finding, Identifier, PersonName, SocialProfile,
};
use jiff::Timestamp;
use tokio::time::Instant;

/// Jobs claimed and committed at a time.
pub(crate) const BATCH: u32 = 100;

/// What is written for each job.
#[derive(Clone, Copy, Eq, PartialEq)]
pub(crate) enum Payload {
    /// The full record.
    Record,
    /// The full record, the answers of three providers, and the log of these lookups: what a member costs.
    Member,
}

/// Works the queue off with several workers at once; returns how long that took.
pub(crate) async fn drain(store: &SharedStore, workers: u32, payload: Payload) -> Duration {
    let began = Instant::now();
    let working: Vec<_> = (0..workers)
        .map(|n| tokio::spawn(work(SharedStore::clone(store), format!("bench-{n}"), payload)))
        .collect();
    for worker in working {
        worker.await.unwrap();
    }
    began.elapsed()
}

#[expect(clippy::disallowed_methods, reason = "the rows carry the time at which they were made")]
async fn work(store: SharedStore, owner: String, payload: Payload) {
    loop {
        let now = Timestamp::now();
        let lease = Duration::from_mins(1);
        let jobs = store.claim(Claim { owner: &owner, limit: BATCH, lease, now }).await.unwrap();
        if jobs.is_empty() {
            return;
        }
        let outcomes: Vec<_> = jobs.into_iter().map(|job| outcome(job, payload, now)).collect();
        let committed = store.commit(&outcomes, now).await.unwrap();
        assert!(committed.iter().all(|committed| *committed == Committed::Applied));
    }
}

pub(crate) fn outcome(job: Claimed, payload: Payload, now: Timestamp) -> Outcome {
    let (answers, lookups) = match payload {
        Payload::Record => (Vec::new(), Vec::new()),
        Payload::Member => (
            ["gravatar", "github", "people_data_labs"].map(|provider| answer(&job, provider, now)).into(),
            ["gravatar", "github", "people_data_labs"].map(|provider| lookup(provider, now)).into(),
        ),
    };
    Outcome {
        hold: job.hold,
        subject: job.subject,
        verdict: Verdict::Written(Box::new(record(&job, now))),
        member: job.member,
        answers,
        lookups,
        freed_micros: 0,
    }
}

fn record(job: &Claimed, now: Timestamp) -> Record {
    Record {
        member: job.member.clone(),
        email: job.email.clone(),
        name: Some(sourced(name(), now)),
        birth: Some(sourced(birth(), now)),
        profiles: profiles().into_iter().map(|profile| sourced(profile, now)).collect(),
        conflicts: gleaner::record::Fields::NONE,
        status: RecordStatus::Complete,
        policy_version: "2026-01".to_owned(),
        collected_at: now,
        updated_at: now,
        expires_at: now + jiff::SignedDuration::from_hours(24 * 365),
    }
}

fn sourced<T>(value: T, now: Timestamp) -> Sourced<T> {
    let source = |provider: &str| Source {
        provider: provider.to_owned(),
        fetched_at: now,
        evidence: Some("https://example.com/people/1".to_owned()),
    };
    Sourced {
        value,
        confidence: Confidence::literal(0.9),
        assurance: Assurance::SelfAsserted,
        sources: vec![source("gravatar"), source("github")],
    }
}

/// One of three providers knows the person.
fn answer(job: &Claimed, provider: &str, now: Timestamp) -> Answer {
    let finding = || {
        let sure = Confidence::literal(0.9);
        let stated = |profile| {
            Statement::new(profile, sure, Assurance::SelfAsserted).seen_at("https://example.com/people/1")
        };
        Finding {
            name: Some(Statement::new(name(), sure, Assurance::SelfAsserted)),
            birth: Some(Statement::new(birth(), sure, Assurance::SelfAsserted)),
            profiles: profiles().into_iter().map(stated).collect(),
        }
    };
    Answer {
        subject: job.subject,
        provider: provider.to_owned(),
        content: if provider == "gravatar" {
            AnswerContent::Match(finding())
        } else {
            AnswerContent::NoMatch
        },
        cost_micros: 0,
        fetched_at: now,
        expires_at: now + jiff::SignedDuration::from_hours(24 * 90),
    }
}

fn lookup(provider: &str, now: Timestamp) -> LookupEntry {
    LookupEntry {
        provider: provider.to_owned(),
        told: Identifier::AddressHash,
        outcome: if provider == "gravatar" { "match" } else { "no_match" },
        duration: Duration::from_millis(120),
        calls: 1,
        cost_micros: 0,
        at: now,
        is_logged: false,
        lesson: None,
    }
}

fn name() -> PersonName {
    PersonName::parse("Ada Example").unwrap()
}

fn birth() -> BirthInterval {
    BirthInterval::between("1983-05-12".parse().unwrap(), "1984-05-11".parse().unwrap()).unwrap()
}

fn profiles() -> [SocialProfile; 2] {
    ["https://github.com/ada-example", "https://x.com/ada_example"]
        .map(|url| SocialProfile::parse(url).unwrap())
}
