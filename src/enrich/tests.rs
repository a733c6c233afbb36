//! Members against scripted providers: no network, no database.

use std::borrow::Cow;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use gleaner_providers::clock::ManualClock;
use gleaner_providers::error::LookupError;
use gleaner_providers::http::{Limits, Network};
use gleaner_providers::provider::{KeyNeed, Micros, Price, Quota, Reach};
use gleaner_providers::{
    Assurance, BirthInterval, Claim, Confidence, Descriptor, EmailAddress, Field, Finding, HttpClient,
    Identifier, Lookup, PersonName, Provider, SocialProfile, Subject,
};
use jiff::civil::date;
use jiff::{SignedDuration, Timestamp};

use super::panel::Installed;
use super::*;
use crate::job::{AnswerContent, DeadReason, Fence, Hold, JobId, Paid, SuppressionReason, Verdict};
use crate::keyring::SubjectKey;
use crate::member::MemberId;
use crate::record::{Confidences, RecordStatus};

mod pending;
mod second_hop;
mod settled;

const NOW: Timestamp = Timestamp::constant(1_800_000_000, 0);

/// How often each provider was asked.
type Asked = Vec<(&'static str, Arc<Mutex<u32>>)>;
type Script = Box<dyn Fn(&Subject) -> Result<Lookup, LookupError> + Send + Sync>;

/// A provider that says what its script says, and remembers how often it was asked.
struct Scripted {
    descriptor: Descriptor,
    script: Script,
    asked: Arc<Mutex<u32>>,
}

#[async_trait]
impl Provider for Scripted {
    fn descriptor(&self) -> &Descriptor {
        &self.descriptor
    }

    async fn lookup(&self, subject: &Subject, _http: &HttpClient) -> Result<Lookup, LookupError> {
        *self.asked.lock().unwrap() += 1;
        (self.script)(subject)
    }
}

/// Providers being scripted, tier by tier.
#[derive(Default)]
struct Stage {
    tiers: Vec<Vec<Arc<Installed>>>,
    asked: Asked,
}

impl Stage {
    fn tier(mut self) -> Self {
        self.tiers.push(Vec::new());
        self
    }

    fn free(
        self,
        name: &'static str,
        script: impl Fn() -> Result<Lookup, LookupError> + Send + Sync + 'static,
    ) -> Self {
        self.priced(name, Price::FREE, script)
    }

    fn priced(
        self,
        name: &'static str,
        price: Price,
        script: impl Fn() -> Result<Lookup, LookupError> + Send + Sync + 'static,
    ) -> Self {
        self.provider(name, descriptor(name, price), move |_| script())
    }

    fn provider(
        mut self,
        name: &'static str,
        descriptor: Descriptor,
        script: impl Fn(&Subject) -> Result<Lookup, LookupError> + Send + Sync + 'static,
    ) -> Self {
        let asked = Arc::new(Mutex::new(0));
        let provider = Scripted { descriptor, script: Box::new(script), asked: Arc::clone(&asked) };
        let network = Network::new(None, ManualClock::at(NOW)).unwrap();
        let http = network.client(name, Limits::for_quota(Quota::per_second(1000)));
        self.asked.push((name, asked));
        self.tiers.last_mut().unwrap().push(Arc::new(Installed::new(Arc::new(provider), http)));
        self
    }

    fn open(self) -> (Enricher, Asked) {
        let policy = Policy::from_config(&Config::default());
        (Enricher::new(Panel::of_tiers(self.tiers), policy, ManualClock::at(NOW)), self.asked)
    }
}

fn descriptor(name: &'static str, price: Price) -> Descriptor {
    Descriptor {
        name: name.into(),
        title: name.into(),
        docs: Cow::Borrowed("https://example.com/docs"),
        endpoint: Cow::Borrowed("https://example.com/"),
        reach: Reach::Vendor,
        supplies: &Field::ALL,
        told: Identifier::Address,
        reads: &[],
        takes_hash: false,
        quota: Quota::per_second(1000),
        price,
        key: KeyNeed::None,
        terms: None,
        opt_in: false,
    }
}

fn paid() -> Price {
    Price::per_match(Micros::from_cents(28))
}

fn claim<T>(value: T) -> Claim<T> {
    Claim::new(value, Confidence::literal(0.8), Assurance::SelfAsserted)
}

fn a_name() -> Finding {
    Finding { name: Some(claim(PersonName::parse("Ada Example").unwrap())), ..Finding::default() }
}

fn everything() -> Finding {
    Finding {
        birth: Some(claim(BirthInterval::between(date(1987, 1, 1), date(1987, 12, 31)).unwrap())),
        profiles: vec![claim(SocialProfile::parse("https://github.com/ada-example").unwrap())],
        ..a_name()
    }
}

fn down() -> LookupError {
    LookupError::unavailable("status 500")
}

fn job(attempt: u32) -> Claimed {
    Claimed {
        hold: Hold { job: JobId(1), fence: Fence(1) },
        member: MemberId::parse("m1").unwrap(),
        email: EmailAddress::parse("ada.example@example.com").unwrap(),
        subject: SubjectKey::from_bytes([7; 32]),
        attempt,
        queued_at: NOW,
        priority: 0,
        recorded: Confidences::default(),
        batch: None,
    }
}

/// Stores nothing, or everything, and remembers what it was handed.
#[derive(Debug)]
struct Shelf {
    kept: Kept,
    may_pay: bool,
    /// What batches may still cost.
    purse: Mutex<u64>,
    answers: Mutex<Vec<Answer>>,
}

impl Shelf {
    fn new(kept: Kept) -> Self {
        Self { kept, may_pay: true, purse: Mutex::default(), answers: Mutex::default() }
    }
}

#[async_trait]
impl Keep for Shelf {
    async fn keep(&self, paid: Paid) -> Kept {
        self.answers.lock().unwrap().push(paid.answer);
        self.kept
    }

    fn may_pay(&self, _: Hold) -> bool {
        self.may_pay
    }

    async fn reserve(&self, _: BatchId, micros: u64) -> bool {
        let mut purse = self.purse.lock().unwrap();
        let left = purse.checked_sub(micros);
        *purse = left.unwrap_or(*purse);
        left.is_some()
    }

    async fn lease_ended(&self, _: Hold) {
        std::future::pending::<()>().await;
    }
}

async fn enrich(enricher: &Enricher, job: &Claimed, stored: Vec<Answer>) -> Outcome {
    enricher.enrich(job, stored, &Shelf::new(Kept::Yes)).await
}

fn times(asked: &[(&'static str, Arc<Mutex<u32>>)]) -> Vec<(&'static str, u32)> {
    asked.iter().map(|(name, times)| (*name, *times.lock().unwrap())).collect()
}

#[tokio::test]
async fn a_later_tier_is_asked_only_for_what_is_missing() {
    let stage = Stage::default().tier().free("first", || Ok(Lookup::Match(everything())));
    let (enricher, asked) = stage.tier().priced("second", paid(), || Ok(Lookup::NoMatch)).open();
    let outcome = enrich(&enricher, &job(1), vec![]).await;
    assert!(matches!(outcome.verdict, Verdict::Written(record) if record.status == RecordStatus::Complete));
    assert_eq!(times(&asked), [("first", 1), ("second", 0)]);

    let stage = Stage::default().tier().free("first", || Ok(Lookup::Match(a_name())));
    let (enricher, asked) = stage.tier().priced("second", paid(), || Ok(Lookup::NoMatch)).open();
    enrich(&enricher, &job(1), vec![]).await;
    assert_eq!(times(&asked), [("first", 1), ("second", 1)]);
}

#[tokio::test]
async fn nobody_knows_them() {
    let (enricher, _) = Stage::default().tier().free("only", || Ok(Lookup::NoMatch)).open();
    let outcome = enrich(&enricher, &job(1), vec![]).await;
    assert!(matches!(&outcome.verdict, Verdict::Written(record) if record.status == RecordStatus::NoMatch));
    assert_eq!(outcome.answers.len(), 1, "no match is remembered too");
}

#[tokio::test]
async fn a_failing_provider_hurts_only_itself_and_only_it_is_asked_again() {
    let stage =
        Stage::default().tier().free("good", || Ok(Lookup::Match(a_name()))).free("bad", || Err(down()));
    let (enricher, asked) = stage.open();
    let outcome = enrich(&enricher, &job(1), vec![]).await;
    let Verdict::Retry { at, error, partial } = outcome.verdict else { panic!("not a retry") };
    assert!(at > NOW && at <= NOW + SignedDuration::from_secs(30));
    assert_eq!(error, "bad: unavailable: status 500");
    assert_eq!(partial.unwrap().status, RecordStatus::Partial);

    enrich(&enricher, &job(2), outcome.answers).await;
    assert_eq!(times(&asked), [("good", 1), ("bad", 2)]);
}

#[tokio::test]
async fn a_paid_tier_waits_for_the_free_ones_but_not_for_ever() {
    let stage = Stage::default().tier().free("free", || Err(down()));
    let (enricher, asked) = stage.tier().priced("paid", paid(), || Ok(Lookup::Match(a_name()))).open();
    enrich(&enricher, &job(1), vec![]).await;
    assert_eq!(times(&asked), [("free", 1), ("paid", 0)]);

    let last = Config::default().retry.max_attempts.get();
    let outcome = enrich(&enricher, &job(last), vec![]).await;
    assert_eq!(times(&asked), [("free", 2), ("paid", 1)]);
    let Verdict::Dead { reason: DeadReason::AttemptsExhausted, partial, .. } = outcome.verdict else {
        panic!("not dead")
    };
    assert!(partial.unwrap().name.is_some(), "what others found is kept");
}

#[tokio::test]
async fn a_pause_does_not_use_up_the_last_attempt() {
    let paused = || Err(LookupError::QuotaExhausted { reason: "paused".into(), after: None });
    let (enricher, _) = Stage::default().tier().free("paused", paused).open();
    let last = Config::default().retry.max_attempts.get();
    let outcome = enrich(&enricher, &job(last), vec![]).await;
    assert!(matches!(outcome.verdict, Verdict::Snooze { .. }), "{:?}", outcome.verdict);

    let (enricher, _) = Stage::default().tier().free("paused", paused).free("failing", || Err(down())).open();
    let outcome = enrich(&enricher, &job(last), vec![]).await;
    assert!(matches!(outcome.verdict, Verdict::Dead { .. }), "{:?}", outcome.verdict);
}

#[tokio::test]
async fn an_old_job_is_not_put_off_any_more() {
    let quota = || Err(LookupError::RateLimited { after: Duration::from_hours(1) });
    let (enricher, _) = Stage::default().tier().free("busy", quota).open();
    let outcome = enrich(&enricher, &job(1), vec![]).await;
    assert!(
        matches!(outcome.verdict, Verdict::Snooze { at, .. } if at == NOW + SignedDuration::from_hours(1))
    );

    let old = Claimed { queued_at: NOW - SignedDuration::from_hours(72), ..job(1) };
    let outcome = enrich(&enricher, &old, vec![]).await;
    assert!(matches!(outcome.verdict, Verdict::Dead { .. }));
}

#[tokio::test]
async fn what_was_given_up_is_remembered_for_a_while_and_not_asked_again() {
    let refuse = || Err(LookupError::Refused { reason: "status 422".into() });
    let forbid = || Err(LookupError::Forbidden { reason: "robots.txt".into() });
    let nobody = || Err(LookupError::Unreachable { reason: "no such name".into() });
    let stage = Stage::default().tier().free("picky", refuse).free("closed", forbid).free("gone", nobody);
    let (enricher, asked) = stage.open();
    let outcome = enrich(&enricher, &job(1), vec![]).await;
    assert!(matches!(outcome.verdict, Verdict::Written(_)));
    let remembered: Vec<_> = outcome
        .answers
        .iter()
        .map(|one| (one.provider.as_str(), one.expires_at.duration_since(NOW).as_hours() / 24))
        .collect();
    assert_eq!(remembered, [("picky", 7), ("closed", 7), ("gone", 1)]);
    assert!(outcome.answers.iter().all(|answer| answer.content == AnswerContent::NoMatch));
    assert!(outcome.lookups.iter().all(|entry| entry.outcome != "no_match"), "the log says what happened");

    let again = enrich(&enricher, &job(1), outcome.answers).await;
    assert!(matches!(again.verdict, Verdict::Written(_)));
    assert_eq!(times(&asked), [("picky", 1), ("closed", 1), ("gone", 1)]);
}

#[tokio::test(start_paused = true)]
async fn a_provider_that_refuses_us_is_asked_once_and_not_by_every_member() {
    let deny = || Err(LookupError::Denied { reason: "status 401".into() });
    let (enricher, asked) = Stage::default().tier().free("locked", deny).open();
    for _ in 0..5 {
        let outcome = enrich(&enricher, &job(1), vec![]).await;
        assert!(matches!(outcome.verdict, Verdict::Snooze { .. }), "nothing is lost: the job waits");
    }
    assert_eq!(times(&asked), [("locked", 1)]);
    tokio::time::advance(Duration::from_secs(15 * 60 + 1)).await;
    enrich(&enricher, &job(1), vec![]).await;
    assert_eq!(times(&asked), [("locked", 2)]);
}

#[tokio::test]
async fn an_objection_stops_everything() {
    let stage = Stage::default()
        .tier()
        .free("vendor", || Ok(Lookup::Objected))
        .free("other", || Ok(Lookup::Match(a_name())));
    let (enricher, asked) = stage.tier().free("next", || Ok(Lookup::Match(a_name()))).open();
    let outcome = enrich(&enricher, &job(1), vec![]).await;
    assert!(matches!(outcome.verdict, Verdict::Suppressed(SuppressionReason::Objected)));
    assert_eq!(times(&asked)[2], ("next", 0));
}

#[tokio::test]
async fn someone_who_may_be_a_minor_is_not_kept() {
    let young = || {
        let birth = BirthInterval::between(date(2008, 1, 1), date(2012, 12, 31)).unwrap();
        Ok(Lookup::Match(Finding { birth: Some(claim(birth)), ..a_name() }))
    };
    let (enricher, _) = Stage::default().tier().free("school", young).open();
    let outcome = enrich(&enricher, &job(1), vec![]).await;
    assert!(matches!(outcome.verdict, Verdict::Suppressed(SuppressionReason::Minor)));
}

#[tokio::test]
async fn an_answer_that_cost_money_is_kept_before_it_is_used() {
    let stage = Stage::default().tier().priced("paid", paid(), || Ok(Lookup::Match(a_name())));
    let (enricher, _) = stage.free("free", || Ok(Lookup::NoMatch)).open();
    for (kept, in_outcome) in [(Kept::Yes, vec!["free"]), (Kept::No, vec!["paid", "free"])] {
        let shelf = Shelf::new(kept);
        let outcome = enricher.enrich(&job(1), vec![], &shelf).await;
        let handed: Vec<_> = shelf.answers.lock().unwrap().iter().map(|answer| answer.cost_micros).collect();
        assert_eq!(handed, [280_000]);
        let left: Vec<_> = outcome.answers.iter().map(|answer| answer.provider.as_str()).collect();
        assert_eq!(left, in_outcome);
    }
}

/// Who may have lost the lease asks for nothing that costs money: somebody else may be asking already.
#[tokio::test]
async fn whose_lease_may_be_lost_pays_nothing() {
    let stage = Stage::default().tier().free("first", || Ok(Lookup::NoMatch));
    let (enricher, asked) = stage.tier().priced("second", paid(), || Ok(Lookup::NoMatch)).open();
    let shelf = Shelf { may_pay: false, ..Shelf::new(Kept::Yes) };
    let outcome = enricher.enrich(&job(1), vec![], &shelf).await;
    assert!(matches!(outcome.verdict, Verdict::Snooze { .. }), "{:?}", outcome.verdict);
    assert_eq!(times(&asked), [("first", 1), ("second", 0)]);
}
