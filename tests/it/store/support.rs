//! Invented people, and shorthand for the types of a store.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use gleaner::job::{Answer, AnswerContent, Claimed, Hold, LookupEntry, Outcome, Registration, Verdict};
use gleaner::keyring::{Keyring, SubjectKey};
use gleaner::member::MemberId;
use gleaner::record::{Record, RecordStatus, Source, Sourced};
use gleaner::store::sqlite::SqliteStore;
use gleaner::store::{Census, Claim, SharedStore, Store};
use gleaner_providers::{
    Assurance, BirthInterval, Claim as Statement, Confidence, EmailAddress, Finding, Identifier, PersonName,
    SocialProfile,
};
use jiff::{SignedDuration, Timestamp};

pub(crate) const LEASE: Duration = Duration::from_mins(1);

/// A database that can be opened any number of times.
#[async_trait]
pub(crate) trait Database: Send + Sync {
    async fn open(&self) -> SharedStore;

    /// A new, empty database of this kind, made as cheaply as it can be.
    async fn fresh(&self) -> SharedStore;
}

/// A database in a file that is gone after the test.
pub(crate) struct SqliteFile {
    folder: tempfile::TempDir,
}

impl SqliteFile {
    pub(crate) fn new() -> Self {
        Self { folder: tempfile::tempdir().unwrap() }
    }

    pub(crate) fn path(&self) -> std::path::PathBuf {
        self.folder.path().join("state").join("gleaner.db")
    }
}

#[async_trait]
impl Database for SqliteFile {
    async fn open(&self) -> SharedStore {
        Arc::new(SqliteStore::open(self.path(), &keyring().fingerprint()).await.unwrap())
    }

    async fn fresh(&self) -> SharedStore {
        Arc::new(SqliteStore::open(SqliteStore::MEMORY, &keyring().fingerprint()).await.unwrap())
    }
}

pub(crate) fn keyring() -> Keyring {
    Keyring::from_bytes([7; 32])
}

/// `seconds` after a moment that is far from any edge.
pub(crate) fn at(seconds: i64) -> Timestamp {
    let start: Timestamp = "2026-03-01T12:00:00Z".parse().unwrap();
    start + SignedDuration::from_secs(seconds)
}

pub(crate) fn member(name: impl std::fmt::Display) -> MemberId {
    MemberId::parse(&format!("m-{name}")).unwrap()
}

pub(crate) fn email(name: impl std::fmt::Display) -> EmailAddress {
    EmailAddress::parse(&format!("{name}@example.com")).unwrap()
}

pub(crate) fn subject(name: impl std::fmt::Display) -> SubjectKey {
    keyring().subject(&email(name))
}

/// Member `m-<name>` registers with the address of `mailbox`.
pub(crate) fn registration(name: impl std::fmt::Display, mailbox: impl std::fmt::Display) -> Registration {
    Registration { member: member(name), subject: subject(&mailbox), email: email(mailbox) }
}

pub(crate) fn registrations(count: usize) -> Vec<Registration> {
    (0..count).map(|n| registration(n, n)).collect()
}

pub(crate) async fn claim(store: &dyn Store, limit: u32, now: Timestamp) -> Vec<Claimed> {
    store.claim(Claim { owner: "worker-1", limit, lease: LEASE, now }).await.unwrap()
}

pub(crate) async fn claim_one(store: &dyn Store, now: Timestamp) -> Claimed {
    let mut claimed = claim(store, 1, now).await;
    assert_eq!(claimed.len(), 1, "a job is due");
    claimed.remove(0)
}

/// An execution's outcome without answers and lookups.
pub(crate) fn outcome(job: &Claimed, verdict: Verdict) -> Outcome {
    Outcome {
        hold: job.hold,
        member: job.member.clone(),
        subject: job.subject,
        verdict,
        answers: Vec::new(),
        lookups: Vec::new(),
    }
}

pub(crate) fn written(job: &Claimed, status: RecordStatus) -> Outcome {
    outcome(job, Verdict::Written(Box::new(record(job, status))))
}

/// The hold of an earlier claim of the same job.
pub(crate) fn earlier(hold: Hold) -> Hold {
    Hold { fence: gleaner::job::Fence(hold.fence.0 - 1), ..hold }
}

pub(crate) fn record(job: &Claimed, status: RecordStatus) -> Record {
    let found = status != RecordStatus::NoMatch;
    Record {
        member: job.member.clone(),
        email: job.email.clone(),
        name: found.then(|| sourced(PersonName::parse("Ada Example").unwrap())),
        birth: found.then(|| sourced(born())),
        profiles: if found { vec![sourced(profile())] } else { Vec::new() },
        status,
        policy_version: "2026-01".to_owned(),
        collected_at: at(0),
        updated_at: at(0),
        expires_at: at(1_000_000),
    }
}

pub(crate) fn sourced<T>(value: T) -> Sourced<T> {
    let source = |provider: &str| Source {
        provider: provider.to_owned(),
        fetched_at: at(-5),
        evidence: Some("https://example.com/people/1".to_owned()),
    };
    Sourced {
        value,
        confidence: Confidence::literal(0.75),
        assurance: Assurance::SelfAsserted,
        sources: vec![source("gravatar"), source("github")],
    }
}

pub(crate) fn born() -> BirthInterval {
    BirthInterval::between("1983-05-12".parse().unwrap(), "1984-05-11".parse().unwrap()).unwrap()
}

pub(crate) fn profile() -> SocialProfile {
    SocialProfile::parse("https://github.com/ada-example").unwrap()
}

pub(crate) fn answer(subject: SubjectKey, provider: &str, content: AnswerContent) -> Answer {
    Answer {
        subject,
        provider: provider.to_owned(),
        content,
        cost_micros: 20_000,
        fetched_at: at(0),
        expires_at: at(1_000),
    }
}

pub(crate) fn a_match() -> AnswerContent {
    let sure = Confidence::literal(0.5);
    AnswerContent::Match(Finding {
        name: Some(Statement::new(PersonName::parse("Ada Example").unwrap(), sure, Assurance::Broker)),
        birth: Some(Statement::new(born(), sure, Assurance::Broker)),
        profiles: vec![Statement::new(profile(), sure, Assurance::Proven).seen_at("https://example.com/ada")],
    })
}

pub(crate) fn lookup(provider: &str) -> LookupEntry {
    LookupEntry {
        provider: provider.to_owned(),
        told: Identifier::AddressHash,
        outcome: "match",
        duration: Duration::from_millis(120),
        calls: 1,
        cost_micros: 20_000,
        at: at(1),
    }
}

/// The census, which adds up at every moment.
pub(crate) async fn census(store: &dyn Store) -> Census {
    let census = store.census().await.unwrap();
    assert!(census.adds_up(), "{census:?}");
    census
}
