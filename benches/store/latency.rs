//! From the door to the record: a worker with nothing to do, a provider that answers at once, one member at a time. The member
//! comes in over one connection, the worker hears of it by `NOTIFY`, and a third connection hears of the committed row.

use std::num::NonZeroU32;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use gleaner::clock::SystemClock;
use gleaner::config::{self, Config};
use gleaner::enrich::panel::Installed;
use gleaner::enrich::{Enricher, Panel, Policy};
use gleaner::fleet::Fleet;
use gleaner::job::Registration;
use gleaner::keyring::Keyring;
use gleaner::member::MemberId;
use gleaner::store::SharedStore;
use gleaner::worker::{Report, Settings, Stop, Until, Worker};
use gleaner_providers::http::{Limits, Network};
use gleaner_providers::provider::{KeyNeed, Price, Quota, Reach};
use gleaner_providers::{
    Assurance, Claim as Statement, Confidence, Descriptor, EmailAddress, Field, Finding, HttpClient,
    Identifier, Lookup, LookupError, PersonName, Provider, Subject,
};
use jiff::Timestamp;
use sqlx::postgres::PgListener;
use tokio::time::Instant;

use crate::keyring;
use crate::server::Databank;

const MEMBERS: u32 = 1_000;
/// The first ones find no plan, no connection and no page.
const WARM_UP: u32 = 50;

/// Tells of each row that somebody else can see.
const TELL: &str = "
    CREATE FUNCTION tell() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN PERFORM pg_notify('bench_written', NEW.member_id); RETURN NULL; END $$;
    CREATE TRIGGER tell AFTER INSERT ON supplemental_member_information
        FOR EACH ROW EXECUTE FUNCTION tell();";

pub(crate) async fn measure(databank: &Databank) {
    let keyring = keyring();
    let working = databank.store(&keyring.fingerprint()).await;
    let door = databank.store(&keyring.fingerprint()).await;
    sqlx::raw_sql(TELL).execute(&mut databank.connect().await).await.unwrap();
    let mut written = PgListener::connect(&databank.url).await.unwrap();
    written.listen("bench_written").await.unwrap();
    let stop = Stop::default();
    let worker = tokio::spawn(worker(&working).run(stop.clone()));

    let (mut whole, mut door_only) = (Vec::new(), Vec::new());
    for n in 0..WARM_UP + MEMBERS {
        let registration = registration(&keyring, "l", n);
        let began = Instant::now();
        door.enqueue(std::slice::from_ref(&registration), now()).await.unwrap();
        let acknowledged = began.elapsed();
        let heard = tokio::time::timeout(Duration::from_secs(10), written.recv()).await;
        let took = began.elapsed();
        assert_eq!(
            heard.expect("a record within ten seconds").unwrap().payload(),
            registration.member.as_str()
        );
        if n >= WARM_UP {
            whole.push(took);
            door_only.push(acknowledged);
        }
        // The worker comes to rest: whoever comes while it is busy waits for no bell.
        tokio::time::sleep(Duration::from_millis(3)).await;
    }
    stop.drain();
    worker.await.unwrap().unwrap();
    println!(
        "{MEMBERS} members one by one, idle worker, PostgreSQL (goal: median 5 ms, 99th percentile 25 ms)"
    );
    say("door: until acknowledged", door_only);
    say("until the record is visible", whole);
}

fn say(what: &str, mut took: Vec<Duration>) {
    took.sort_unstable();
    let at = |percent: usize| took[(took.len() * percent / 100).min(took.len() - 1)].as_secs_f64() * 1_000.0;
    println!(
        "{what}: median {:.1} ms, 90 % {:.1} ms, 99 % {:.1} ms, longest {:.1} ms",
        at(50),
        at(90),
        at(99),
        at(100)
    );
}

fn worker(store: &SharedStore) -> Worker {
    let clock = SystemClock::shared();
    let network = Network::new(None, Arc::clone(&clock)).unwrap();
    let http = network.client("instant", Limits::for_quota(Quota::per_second(1_000_000)));
    let installed = Installed::new(Arc::new(Instantly(descriptor())), http);
    let mut config = Config::default();
    config.enrich.wanted = vec![Field::Name];
    let panel = Panel::of_tiers(vec![vec![Arc::new(installed)]]);
    let enricher = Enricher::new(panel, Policy::from_config(&config), Arc::clone(&clock));
    Worker {
        store: Arc::clone(store),
        enricher: Arc::new(enricher),
        settings: Settings {
            owner: "bench-worker".to_owned(),
            // It finds nothing by itself during the measurement: what is quick came by the bell.
            worker: config::Worker { poll_ms: 60_000, ..config::Worker::default() },
            max_attempts: NonZeroU32::MIN.get(),
            until: Until::Stopped,
        },
        clock: Arc::clone(&clock),
        report: Arc::new(Report::default()),
        fleet: Arc::new(Fleet::join(Arc::clone(store), clock, "bench-worker".to_owned())),
    }
}

/// A provider in this process that knows everybody.
struct Instantly(Descriptor);

#[async_trait]
impl Provider for Instantly {
    fn descriptor(&self) -> &Descriptor {
        &self.0
    }

    async fn lookup(&self, _subject: &Subject, _http: &HttpClient) -> Result<Lookup, LookupError> {
        let name = PersonName::parse("Ada Example").unwrap();
        let name = Statement::new(name, Confidence::literal(0.9), Assurance::SelfAsserted);
        Ok(Lookup::Match(Finding { name: Some(name), ..Finding::default() }))
    }
}

fn descriptor() -> Descriptor {
    Descriptor {
        name: "instant".into(),
        title: "Instant".into(),
        docs: "https://example.com/docs".into(),
        endpoint: "https://example.com/".into(),
        reach: Reach::Vendor,
        supplies: &[Field::Name],
        told: Identifier::Address,
        reads: &[],
        takes_hash: false,
        quota: Quota::per_second(1_000_000),
        price: Price::FREE,
        key: KeyNeed::None,
        terms: None,
        opt_in: false,
    }
}

/// An invented member.
pub(crate) fn registration(keyring: &Keyring, prefix: &str, n: u32) -> Registration {
    let email = EmailAddress::parse(&format!("member.number{n}@site{}.example.org", n % 1_000)).unwrap();
    let subject = keyring.subject(&email);
    Registration { member: MemberId::parse(&format!("{prefix}-{n}")).unwrap(), email, subject, batch: None }
}

#[expect(clippy::disallowed_methods, reason = "a benchmark takes the time as it is")]
pub(crate) fn now() -> Timestamp {
    Timestamp::now()
}
