//! Worker processes that share one quota, at a provider that counts strictly: how much of it they use, and whether they ever
//! ask for more, also while one is killed and another joins; and who stops when one is told to.

use std::fmt::Write as _;
use std::time::Duration;

use gleaner_providers::sandbox::{Fault, Latency, QuotaSettings, SandboxSettings, Script, Service, When};
use serde_json::{Value, json};
use tokio::process::Child;
use tokio::time::{Instant, sleep};

use crate::support::{Home, members};

/// What the vendor allows, in any window.
const CALLS: u32 = 600;
const WINDOW_SECS: u64 = 10;

fn address(n: u32) -> String {
    format!("member.number{n}@example.org")
}

/// A sandbox that counts one provider's calls strictly, and a configuration that asks nobody else.
async fn home(database: &str, tell_to_stop: Option<u32>) -> Home {
    let mut settings =
        SandboxSettings { latency: Latency { min_ms: 2, max_ms: 10 }, ..SandboxSettings::calm(7) };
    let quota = QuotaSettings { calls: CALLS, window_secs: WINDOW_SECS, sliding: true };
    settings.providers.entry(Service::Gravatar).or_default().quota = Some(quota);
    settings.retry_after_secs = 3;
    settings.scripts = tell_to_stop
        .map(|n| Script {
            provider: Service::Gravatar,
            email: Some(address(n)),
            when: When::Nth(1),
            fault: Fault::RateLimited,
        })
        .into_iter()
        .collect();
    let home = Home::new(settings, "").await;
    let mut config = String::new();
    writeln!(config, "data_dir = {:?}\n{database}", home.path("data").display().to_string()).unwrap();
    writeln!(config, "[enrich]\ntiers = [[\"gravatar\"]]\n[worker]\nconcurrency = 16\nclaim_batch = 16")
        .unwrap();
    writeln!(
        config,
        "[providers.gravatar]\nendpoint = {:?}\nquota = \"{CALLS}/{WINDOW_SECS}s\"\nburst = 1\nconcurrency = 4",
        home.sandbox.endpoint("gravatar").unwrap()
    )
    .unwrap();
    home.write("gleaner.toml", config);
    home
}

/// The moments of calls since the sandbox started, and how each was answered.
fn calls(home: &Home) -> Vec<(Duration, &'static str)> {
    home.sandbox.ledger().iter().map(|entry| (Duration::from_millis(entry.at_ms), entry.answer)).collect()
}

fn last_call(home: &Home) -> Duration {
    calls(home).last().map_or(Duration::ZERO, |call| call.0)
}

/// How many calls came between two moments.
fn between(home: &Home, from: Duration, to: Duration) -> usize {
    calls(home).iter().filter(|(at, _)| *at > from && *at <= to).count()
}

/// The share of the quota that was used between two moments.
fn used(home: &Home, from: Duration, to: Duration) -> f64 {
    let let_in = calls(home).iter().filter(|(at, _)| *at > from && *at <= to).count();
    let allowed = f64::from(CALLS) * to.saturating_sub(from).as_secs_f64()
        / Duration::from_secs(WINDOW_SECS).as_secs_f64();
    f64::from(u32::try_from(let_in).unwrap()) / allowed
}

fn over_quota(home: &Home) -> usize {
    calls(home).iter().filter(|(_, answer)| *answer == "over_quota").count()
}

/// Waits until something is so; gives how long that took.
async fn until(what: &str, mut is_so: impl FnMut() -> bool) -> Duration {
    let began = Instant::now();
    while !is_so() {
        assert!(began.elapsed() < Duration::from_secs(30), "{what}: not within 30 s");
        sleep(Duration::from_millis(10)).await;
    }
    began.elapsed()
}

/// The clock of the sandbox, as far as it is not hidden: how long it has run.
struct Watch {
    started: Instant,
    ahead: Duration,
}

impl Watch {
    /// Set by a call that has just come.
    fn set(home: &Home) -> Self {
        Self { started: Instant::now(), ahead: last_call(home) }
    }

    fn now(&self) -> Duration {
        self.ahead + self.started.elapsed()
    }
}

fn start(home: &Home, count: usize) -> Vec<Child> {
    (0..count).map(|_| home.start(&["worker"])).collect()
}

async fn workers(home: &Home) -> Vec<Value> {
    home.json(&["status"]).await["workers"].as_array().unwrap().clone()
}

#[tokio::test(flavor = "multi_thread")]
async fn processes_over_one_sqlite_file_share_one_quota() {
    let home = home("", None).await;
    let file = home.write("members.csv", members(900, address));
    home.json(&["enqueue", file.to_str().unwrap()]).await;
    let workers = start(&home, 2);
    until("the first calls", || calls(&home).len() > 10).await;
    let warm = last_call(&home) + Duration::from_secs(1);
    until("eight seconds of calls", || last_call(&home) > warm + Duration::from_secs(8)).await;
    let share = used(&home, warm, warm + Duration::from_secs(8));
    println!("{}", json!({ "processes": 2, "used": share, "over_quota": over_quota(&home) }));
    assert_eq!(over_quota(&home), 0);
    assert!(share > 0.98, "only {share} of the quota was used");
    drop(workers);
}
