//! The worker over a real store, with scripted providers, gates instead of sleeps, and a clock moved by hand.

use std::collections::HashMap;
use std::num::NonZeroU32;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use gleaner::clock::{Clock as _, ManualClock};
use gleaner::config::{self, Config};
use gleaner::enrich::panel::Installed;
use gleaner::enrich::{Enricher, Panel, Policy};
use gleaner::fleet::Fleet;
use gleaner::job::{DeadReason, Registration};
use gleaner::keyring::Keyring;
use gleaner::member::MemberId;
use gleaner::store::sqlite::SqliteStore;
use gleaner::store::{Claim, Page, SharedStore, Store};
use gleaner::worker::{Ending, Report, Settings, Stop, Until, Worker};
use gleaner_providers::http::{Limits, Network};
use gleaner_providers::provider::{KeyNeed, Price, Quota, Reach};
use gleaner_providers::{
    Assurance, Claim as Said, Confidence, Descriptor, EmailAddress, Field, Finding, HttpClient, Identifier,
    Lookup, LookupError, PersonName, Provider, Subject,
};
use jiff::{SignedDuration, Timestamp};
use tokio::sync::{Notify, Semaphore};
use tokio::task::JoinHandle;

use crate::faulty::Faulty;

const START: Timestamp = Timestamp::constant(1_800_000_000, 0);
const LEASE: SignedDuration = SignedDuration::from_secs(60);

/// What a provider does when it is asked about a local part.
#[derive(Clone, Copy)]
enum Act {
    Match,
    Panic,
    /// Waits until the test opens the gate.
    Wait,
}

/// A provider whose answers wait at a gate of the test's.
struct Gated {
    descriptor: Descriptor,
    acts: HashMap<String, Act>,
    inside: AtomicU32,
    most_inside: AtomicU32,
    asked: Mutex<Vec<String>>,
    arrived: Notify,
    gate: Semaphore,
}

#[async_trait]
impl Provider for Gated {
    fn descriptor(&self) -> &Descriptor {
        &self.descriptor
    }

    async fn lookup(&self, subject: &Subject, _http: &HttpClient) -> Result<Lookup, LookupError> {
        let who = subject.email().local_part().to_owned();
        let act = self.acts.get(&who).copied().unwrap_or(Act::Match);
        self.asked.lock().unwrap().push(who);
        let inside = self.inside.fetch_add(1, Ordering::SeqCst) + 1;
        self.most_inside.fetch_max(inside, Ordering::SeqCst);
        self.arrived.notify_waiters();
        match act {
            Act::Match => {}
            Act::Panic => panic!("a provider's bug"),
            Act::Wait => self.gate.acquire().await.unwrap().forget(),
        }
        self.inside.fetch_sub(1, Ordering::SeqCst);
        let name = PersonName::parse("Ada Example").unwrap();
        let claim = Said::new(name, Confidence::literal(0.9), Assurance::SelfAsserted);
        Ok(Lookup::Match(Finding { name: Some(claim), ..Finding::default() }))
    }
}

impl Gated {
    fn new(acts: &[(&str, Act)]) -> Arc<Self> {
        let descriptor = Descriptor {
            name: "gated".into(),
            title: "Gated".into(),
            docs: "https://example.com/docs".into(),
            endpoint: "https://example.com/".into(),
            reach: Reach::Vendor,
            supplies: &[Field::Name],
            told: Identifier::Address,
            reads: &[],
            takes_hash: false,
            quota: Quota::per_second(1_000),
            price: Price::FREE,
            key: KeyNeed::None,
            terms: None,
            opt_in: false,
        };
        Arc::new(Self {
            descriptor,
            acts: acts.iter().map(|(who, act)| ((*who).to_owned(), *act)).collect(),
            inside: AtomicU32::new(0),
            most_inside: AtomicU32::new(0),
            asked: Mutex::default(),
            arrived: Notify::new(),
            gate: Semaphore::new(0),
        })
    }

    /// Waits until this many are inside at once.
    async fn inside(&self, count: u32) {
        loop {
            let mut arrived = std::pin::pin!(self.arrived.notified());
            arrived.as_mut().enable();
            if self.inside.load(Ordering::SeqCst) >= count {
                return;
            }
            arrived.await;
        }
    }

    fn times_asked(&self, who: &str) -> usize {
        self.asked.lock().unwrap().iter().filter(|asked| *asked == who).count()
    }
}

/// A store, a clock and a provider, and workers over them.
struct Bench {
    store: SharedStore,
    clock: Arc<ManualClock>,
    provider: Arc<Gated>,
}

impl Bench {
    async fn new(acts: &[(&str, Act)], members: &[&str]) -> Self {
        let keyring = Keyring::from_bytes([7; 32]);
        let store = SqliteStore::open(SqliteStore::MEMORY, &keyring.fingerprint()).await.unwrap();
        let registrations: Vec<_> = members
            .iter()
            .map(|who| {
                let email = EmailAddress::parse(&format!("{who}@example.com")).unwrap();
                let subject = keyring.subject(&email);
                Registration { member: MemberId::parse(who).unwrap(), email, subject, batch: None }
            })
            .collect();
        store.enqueue(&registrations, START).await.unwrap();
        Self { store: Arc::new(store), clock: ManualClock::at(START), provider: Gated::new(acts) }
    }

    fn worker(&self, store: SharedStore, concurrency: u32, until: Until) -> (Worker, Arc<Report>) {
        let network = Network::new(None, self.clock.clone()).unwrap();
        let http = network.client("gated", Limits::for_quota(Quota::per_second(1_000)));
        let installed = Installed::new(Arc::clone(&self.provider) as Arc<dyn Provider>, http);
        let mut config = Config::default();
        config.enrich.wanted = vec![Field::Name];
        let enricher = Enricher::new(
            Panel::of_tiers(vec![vec![Arc::new(installed)]]),
            Policy::from_config(&config),
            self.clock.clone(),
        );
        let report = Arc::new(Report::default());
        let worker = Worker {
            store,
            enricher: Arc::new(enricher),
            settings: Settings {
                owner: format!("worker-{concurrency}"),
                worker: config::Worker {
                    concurrency: NonZeroU32::new(concurrency).unwrap(),
                    poll_ms: 1,
                    commit_linger_ms: 0,
                    ..config::Worker::default()
                },
                max_attempts: 2,
                until,
            },
            clock: self.clock.clone(),
            report: Arc::clone(&report),
            fleet: Arc::new(Fleet::join(
                Arc::clone(&self.store),
                self.clock.clone(),
                format!("worker-{concurrency}"),
            )),
        };
        (worker, report)
    }

    fn start(&self, concurrency: u32) -> (JoinHandle<Ending>, Stop, Arc<Report>) {
        let (worker, report) = self.worker(Arc::clone(&self.store), concurrency, Until::Stopped);
        let stop = Stop::default();
        let running = tokio::spawn({
            let stop = stop.clone();
            async move { worker.run(stop).await.unwrap() }
        });
        (running, stop, report)
    }

    /// Works until nothing is left that is due.
    async fn work_off(&self) -> Arc<Report> {
        let (worker, report) =
            self.worker(Arc::clone(&self.store), 8, Until::Idle { patience: Duration::ZERO });
        assert_eq!(worker.run(Stop::default()).await.unwrap(), Ending::Idle);
        report
    }

    /// Lets a worker take what is due and stops it; a job whose execution was lost stays leased.
    async fn work_off_what_is_due(&self) {
        let asked = self.provider.asked.lock().unwrap().len();
        let due = self.store.census().await.unwrap().waiting;
        let (running, stop, _) = self.start(3);
        while due > 0 && self.provider.asked.lock().unwrap().len() <= asked {
            tokio::task::yield_now().await;
        }
        stop.drain();
        running.await.unwrap();
    }

    async fn has_record(&self, who: &str) -> bool {
        self.store.record(&MemberId::parse(who).unwrap()).await.unwrap().is_some()
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn as_many_members_run_at_once_as_are_allowed_and_no_more() {
    let members: Vec<_> = (0..12).map(|n| format!("m{n}")).collect();
    let members: Vec<_> = members.iter().map(String::as_str).collect();
    let acts: Vec<_> = members.iter().map(|who| (*who, Act::Wait)).collect();
    let bench = Bench::new(&acts, &members).await;
    let (running, stop, report) = bench.start(4);
    // They could not all be inside unless they ran at the same time.
    bench.provider.inside(4).await;
    bench.provider.gate.add_permits(12);
    while report.summary().finished() < 12 {
        tokio::task::yield_now().await;
    }
    stop.drain();
    running.await.unwrap();
    assert_eq!(bench.provider.most_inside.load(Ordering::SeqCst), 4);
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_lost_the_lease_writes_nothing() {
    let bench = Bench::new(&[("slow", Act::Wait)], &["slow"]).await;
    let (first, stop, first_report) = bench.start(1);
    bench.provider.inside(1).await;
    // It takes nothing new, or it might itself be the one that takes the job over, and wait for itself.
    stop.drain();

    // The first worker sleeps past its lease; a second one takes the job over and finishes it.
    bench.clock.advance(LEASE + SignedDuration::from_secs(1));
    bench.store.rescue(bench.clock.now(), 5).await.unwrap();
    // Given back here, or a moment earlier by the first worker's own heart.
    assert_eq!(bench.store.census().await.unwrap().waiting, 1);
    let (second, second_stop, second_report) = bench.start(1);
    bench.provider.inside(2).await;
    bench.provider.gate.add_permits(2);
    while second_report.summary().finished() + first_report.summary().stale < 2 {
        tokio::task::yield_now().await;
    }
    second_stop.drain();
    first.await.unwrap();
    second.await.unwrap();
    assert_eq!((first_report.summary().stale, first_report.summary().finished()), (1, 0));
    assert_eq!(second_report.summary().complete, 1);
    assert!(bench.store.census().await.unwrap().adds_up());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_panic_costs_its_own_member_and_no_other() {
    let bench = Bench::new(&[("bug", Act::Panic)], &["a", "bug", "b"]).await;
    let (running, stop, report) = bench.start(3);
    while report.summary().finished() < 2 || bench.provider.times_asked("bug") < 1 {
        tokio::task::yield_now().await;
    }
    stop.drain();
    running.await.unwrap();
    assert!(bench.has_record("a").await && bench.has_record("b").await);
    assert_eq!(bench.store.census().await.unwrap().running, 1, "its lease is left to run out");

    // The second attempt is the last one: then it is a dead letter and stops hurting.
    for expected in [(1, 0), (0, 1)] {
        bench.clock.advance(LEASE + SignedDuration::from_secs(1));
        let rescued = bench.store.rescue(bench.clock.now(), 2).await.unwrap();
        assert_eq!((rescued.requeued, rescued.buried), expected);
        bench.work_off_what_is_due().await;
    }
    let letters = bench.store.dead_letters(Page { limit: 10, before: None }).await.unwrap();
    assert_eq!(letters.len(), 1);
    assert_eq!(letters[0].reason, DeadReason::LeaseExpired);
    assert!(bench.store.census().await.unwrap().adds_up());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stop_finishes_what_is_in_flight_and_gives_the_rest_back() {
    let members: Vec<_> = (0..20).map(|n| format!("m{n}")).collect();
    let members: Vec<_> = members.iter().map(String::as_str).collect();
    let acts: Vec<_> = members.iter().map(|who| (*who, Act::Wait)).collect();
    let bench = Bench::new(&acts, &members).await;
    let (running, stop, report) = bench.start(3);
    bench.provider.inside(3).await;
    stop.drain();
    bench.provider.gate.add_permits(20);
    assert_eq!(running.await.unwrap(), Ending::Stopped);
    let census = bench.store.census().await.unwrap();
    assert_eq!(report.summary().complete, 3);
    assert_eq!((census.complete, census.running, census.waiting), (3, 0, 17));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_second_stop_drops_what_is_in_flight_without_losing_it_or_its_attempt() {
    let bench = Bench::new(&[("stuck", Act::Wait)], &["stuck"]).await;
    let (running, stop, _) = bench.start(1);
    bench.provider.inside(1).await;
    stop.abort();
    running.await.unwrap();
    assert_eq!(bench.store.census().await.unwrap().waiting, 1);
    let claim = Claim { owner: "next", limit: 1, lease: Duration::from_mins(1), now: START };
    let again = bench.store.claim(claim).await.unwrap();
    assert_eq!(again[0].attempt, 1, "the attempt was given back");
    assert_eq!(again[0].hold.fence.0, 2, "the fence was not");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_database_that_is_away_for_a_while_is_waited_for() {
    let bench = Bench::new(&[], &["a", "b", "c"]).await;
    let faulty = Faulty::over(Arc::clone(&bench.store)).unavailable(3);
    let (worker, report) = bench.worker(Arc::new(faulty), 2, Until::Idle { patience: Duration::ZERO });
    assert_eq!(worker.run(Stop::default()).await.unwrap(), Ending::Idle);
    assert_eq!(report.summary().complete, 3);
    for who in ["a", "b", "c"] {
        assert_eq!(bench.provider.times_asked(who), 1, "a late commit asks nobody again");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn one_outcome_that_cannot_be_written_does_not_hold_the_others_up() {
    let bench = Bench::new(&[], &["a", "poison", "b"]).await;
    let faulty: SharedStore = Arc::new(Faulty::over(Arc::clone(&bench.store)).refusing("poison"));
    let (worker, report) = bench.worker(faulty, 3, Until::Stopped);
    let stop = Stop::default();
    let running = tokio::spawn({
        let stop = stop.clone();
        async move { worker.run(stop).await.unwrap() }
    });
    while report.summary().finished() < 2 || bench.provider.times_asked("poison") < 1 {
        tokio::task::yield_now().await;
    }
    stop.drain();
    running.await.unwrap();
    assert!(bench.has_record("a").await && bench.has_record("b").await && !bench.has_record("poison").await);
    assert!(bench.store.census().await.unwrap().adds_up());
}

#[tokio::test(flavor = "multi_thread")]
async fn with_nothing_to_do_it_ends() {
    let bench = Bench::new(&[], &[]).await;
    assert_eq!(bench.work_off().await.summary().finished(), 0);
}
