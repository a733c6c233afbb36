//! Invented people, and shorthand for the types of a store.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use gleaner::job::{
    Answer, AnswerContent, Claimed, Fence, Hold, JobId, LookupEntry, Outcome, Paid, Registration, Verdict,
};
use gleaner::keyring::{Keyring, SubjectKey};
use gleaner::member::MemberId;
use gleaner::record::{Fields, Record, RecordStatus, Source, Sourced};
use gleaner::store::postgres::{Access, Clock, PostgresStore};
use gleaner::store::sqlite::SqliteStore;
use gleaner::store::{Census, Claim, SharedStore, Store};
use gleaner_providers::{
    Assurance, BirthInterval, Claim as Statement, Confidence, EmailAddress, Field, Finding, Identifier,
    PersonName, SocialProfile,
};
use jiff::{SignedDuration, Timestamp};
use sqlx::{Connection as _, PgConnection};
use tokio::sync::OnceCell;

use crate::support;

pub(crate) const LEASE: Duration = Duration::from_mins(1);

/// A database that can be opened any number of times.
#[async_trait]
pub(crate) trait Database: Send + Sync {
    async fn open(&self) -> SharedStore;

    /// A new, empty database of this kind, made as cheaply as it can be.
    async fn fresh(&self) -> SharedStore;

    /// How many random histories are worth their time here.
    fn histories(&self) -> u32 {
        256
    }
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

/// A database of its own on the test server.
pub(crate) struct PostgresDatabase {
    url: OnceCell<String>,
    fresh: OnceCell<SharedStore>,
    pooler: bool,
}

impl PostgresDatabase {
    pub(crate) fn new() -> Self {
        Self { url: OnceCell::new(), fresh: OnceCell::new(), pooler: false }
    }

    /// The same, reached through a pooler in transaction mode.
    pub(crate) fn behind_a_pooler() -> Self {
        Self { pooler: true, ..Self::new() }
    }

    pub(crate) async fn url(&self) -> &str {
        self.url.get_or_init(support::postgres_database).await
    }

    pub(crate) async fn access(&self, clock: Clock) -> Access {
        let mut url = url::Url::parse(self.url().await).unwrap();
        if self.pooler {
            let pooler = url::Url::parse(&support::service("GLEANER_TEST_PGBOUNCER")).unwrap();
            url.set_port(pooler.port()).unwrap();
        }
        Access { url: String::from(url).into(), pooler: self.pooler, clock }
    }

    pub(crate) async fn store(&self, clock: Clock) -> Arc<PostgresStore> {
        let access = self.access(clock).await;
        Arc::new(PostgresStore::open(&access, &keyring().fingerprint()).await.unwrap())
    }

    /// A consumer's own connection.
    pub(crate) async fn consumer(&self) -> PgConnection {
        PgConnection::connect(self.url().await).await.unwrap()
    }
}

#[async_trait]
impl Database for PostgresDatabase {
    async fn open(&self) -> SharedStore {
        self.store(Clock::Given).await
    }

    /// The same database, emptied.
    async fn fresh(&self) -> SharedStore {
        let emptied = "
            DELETE FROM enrichment_jobs; DELETE FROM supplemental_member_information; DELETE FROM dead_letters;
            DELETE FROM provider_answers; DELETE FROM lookup_log; DELETE FROM suppressions; DELETE FROM seen_requests;
            DELETE FROM batches; DELETE FROM batch_counts; DELETE FROM batch_members; DELETE FROM batch_changes;
            DELETE FROM provider_gates; DELETE FROM provider_usage; DELETE FROM workers;
            UPDATE intake_tally SET taken_in = 0, repeated = 0, suppressed = 0, purged = 0";
        sqlx::raw_sql(emptied).execute(&mut self.consumer().await).await.unwrap();
        self.fresh.get_or_init(|| self.open()).await.clone()
    }

    /// Each step is some round trips, and each commit waits for the disk.
    fn histories(&self) -> u32 {
        64
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
    Registration { member: member(name), subject: subject(&mailbox), email: email(mailbox), batch: None }
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

/// The same on the database's own clock, where a job that was moved back in time may be found by the next look only.
pub(crate) async fn claim_one_soon(store: &dyn Store, now: impl Fn() -> Timestamp) -> Claimed {
    for _ in 0..1_000 {
        if let Some(job) = claim(store, 1, now()).await.pop() {
            return job;
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    panic!("a job is due")
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
        freed_micros: 0,
    }
}

pub(crate) fn written(job: &Claimed, status: RecordStatus) -> Outcome {
    outcome(job, Verdict::Written(Box::new(record(job, status))))
}

/// The hold of an earlier claim of the same job.
pub(crate) fn earlier(hold: Hold) -> Hold {
    Hold { fence: Fence(hold.fence.0 - 1), ..hold }
}

pub(crate) fn record(job: &Claimed, status: RecordStatus) -> Record {
    let found = status != RecordStatus::NoMatch;
    Record {
        member: job.member.clone(),
        email: job.email.clone(),
        name: found.then(|| sourced(PersonName::parse("Ada Example").unwrap())),
        birth: found.then(|| sourced(born())),
        profiles: if found { vec![sourced(profile())] } else { Vec::new() },
        conflicts: Fields::of(&[Field::Name]),
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
        is_logged: false,
        lesson: None,
    }
}

/// An answer stored ahead of the commit of some member, with the lookup that it came from.
pub(crate) fn paid(answer: Answer) -> Paid {
    let entry = LookupEntry { cost_micros: answer.cost_micros, ..lookup(&answer.provider) };
    Paid { hold: Hold { job: JobId(7), fence: Fence(1) }, member: member(7), answer, entry: Some(entry) }
}

/// The census, which adds up at every moment.
pub(crate) async fn census(store: &dyn Store) -> Census {
    let census = store.census().await.unwrap();
    assert!(census.adds_up(), "{census:?}");
    census
}
