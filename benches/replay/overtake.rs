//! How long a fresh registration takes from the door to its record, beside a running replay and without one.

use std::time::Duration;

use gleaner::job::Registration;
use gleaner::keyring::Keyring;
use gleaner::member::MemberId;
use gleaner::store::SharedStore;
use gleaner_providers::EmailAddress;
use jiff::Timestamp;
use tokio::time::Instant;

use crate::home::Home;
use crate::median;
use crate::server::Databank;

/// Fresh registrations of a round, and the time between two: what a worker does without effort.
const FRESH: u32 = 100;
const APART: Duration = Duration::from_millis(40);
/// How long the last records are waited for.
const PATIENCE: Duration = Duration::from_secs(10);

/// Lookups of the replay wait for providers, as in life; the providers themselves are wide enough for all members in flight, so that
/// what is measured is the queue.
fn three_wide_providers(shipped: &str) -> String {
    let tiers = "[enrich]\ntiers = [[\"gravatar\", \"github\"], [\"people_data_labs\"]]\n\n[worker]";
    let wide = ["gravatar", "github", "people_data_labs"];
    let settings = shipped.replace("[worker]", tiers);
    wide.iter().fold(settings, |settings, name| {
        let table = format!("[providers.{name}]\n");
        let at = settings.find(&table).unwrap() + table.len();
        let rest = settings[at..].split_once("\n\n").map_or("", |(_, rest)| rest);
        format!("{}concurrency = 64\nquota = \"100000/s\"\n\n{rest}", &settings[..at])
    })
}

pub(crate) async fn measure(databank: &Databank, replayed: u32, rounds: usize) {
    let home = Home::new(Some(databank), three_wide_providers).await;
    home.import(replayed);
    let keyring = Keyring::open_or_create(&home.path("data/gleaner.key")).unwrap();
    let door = databank.store(&keyring.fingerprint()).await;
    let worker = home.start(&["worker"]);
    wait_until_nobody_waits(&door).await;
    println!(
        "{FRESH} fresh registrations, {} ms apart, from the door to the record; PostgreSQL, one worker, answers after 20 to 120 ms",
        APART.as_millis()
    );
    let mut fresh = Fresh { keyring, door, next: 0 };
    fresh.round().await;
    for (what, kind) in [
        ("a replay that asks everybody again", &["--refresh"][..]),
        ("a replay from answers in stock", &[][..]),
    ] {
        let mut ratios = Vec::new();
        for round in 0..rounds {
            let quiet = fresh.round().await;
            let name = format!("{}-{round}", what.len());
            home.run(&[&["replay", "--batch", "first", "--name", &name, "--yes"], kind].concat());
            let (busy, more) = fresh.beside(&home, &name).await;
            ratios.push(busy / quiet);
            println!(
                "  {what}: {quiet:.0} ms without, {busy:.0} ms beside it ({more} of it finished meanwhile)"
            );
            if home.run(&["batch", "show", &name]).0["state"] != "done" {
                home.run(&["batch", "cancel", &name, "--yes"]);
            }
            wait_until_nobody_waits(&fresh.door).await;
        }
        println!("  {what}: median ratio {:.2} (goal: 0.80 to 1.20)", median(&mut ratios));
    }
    drop(worker);
    fresh.door.close().await;
}

/// Members who register one after the other.
struct Fresh {
    keyring: Keyring,
    door: SharedStore,
    next: u32,
}

impl Fresh {
    /// The median time until the record, in milliseconds.
    async fn round(&mut self) -> f64 {
        let registered = self.register().await;
        self.median_wait(registered).await
    }

    /// The same while a batch runs, and how many of it came to an end meanwhile: it must be running to the last.
    async fn beside(&mut self, home: &Home, batch: &str) -> (f64, u64) {
        let story = || home.run(&["batch", "show", batch]).0;
        let before = story()["finished"].as_u64().unwrap();
        let registered = self.register().await;
        let story = story();
        assert!(story["standing"]["waiting"].as_u64().unwrap() > 0, "the replay ended too early: {story}");
        (self.median_wait(registered).await, story["finished"].as_u64().unwrap() - before)
    }

    async fn register(&mut self) -> Vec<(MemberId, Timestamp)> {
        let (mut registered, mut ticks) = (Vec::new(), tokio::time::interval(APART));
        for _ in 0..FRESH {
            ticks.tick().await;
            let registration = self.registration();
            let at = now();
            self.door.enqueue(std::slice::from_ref(&registration), at).await.unwrap();
            registered.push((registration.member, at));
        }
        registered
    }

    async fn median_wait(&self, registered: Vec<(MemberId, Timestamp)>) -> f64 {
        let mut took = Vec::new();
        let enough = Instant::now() + PATIENCE;
        for (member, at) in registered {
            if let Some(written) = written(&self.door, &member, enough).await {
                took.push(written.duration_since(at).as_secs_f64() * 1_000.0);
            }
        }
        assert!(took.len() * 10 > FRESH as usize * 9, "there are only {} records", took.len());
        median(&mut took)
    }

    fn registration(&mut self) -> Registration {
        self.next += 1;
        let n = self.next;
        let email = EmailAddress::parse(&format!("fresh{n}@fresh{n}.example.com")).unwrap();
        let subject = self.keyring.subject(&email);
        Registration { member: MemberId::parse(&format!("fresh-{n}")).unwrap(), email, subject, batch: None }
    }
}

/// When the member's record was written; `None` for the few who turn out to be too young to be kept.
async fn written(door: &SharedStore, member: &MemberId, enough: Instant) -> Option<Timestamp> {
    loop {
        let record = door.record(member).await.unwrap();
        if record.is_some() || Instant::now() > enough {
            return record.map(|record| record.updated_at);
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

async fn wait_until_nobody_waits(door: &SharedStore) {
    loop {
        let census = door.census().await.unwrap();
        if census.waiting + census.running == 0 {
            return;
        }
        tokio::time::sleep(Duration::from_millis(200)).await;
    }
}

#[expect(clippy::disallowed_methods, reason = "a benchmark takes the time as it is")]
fn now() -> Timestamp {
    Timestamp::now()
}
