//! Worker processes that share one quota, at a provider that counts strictly: how much of it they use, and whether they ever
//! ask for more, also while one is killed and another joins; and who stops when one is told to.

use std::fmt::Write as _;
use std::time::Duration;

use gleaner_providers::sandbox::{Fault, Latency, QuotaSettings, SandboxSettings, Script, Service, When};
use serde_json::json;
use tokio::process::Child;
use tokio::time::{Instant, sleep};

use crate::support::{Home, members, postgres_database};

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

/// How long the sandbox has run: a call that comes now is entered under this moment.
struct Watch {
    started: Instant,
    ahead: Duration,
}

impl Watch {
    /// Set by the call that came last, which was some milliseconds ago.
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

/// How many workers `status` lists as alive, and how many as silent.
async fn listed(home: &Home) -> (usize, usize) {
    let status = home.json(&["status"]).await;
    let workers = status["workers"].as_array().unwrap();
    let alive = workers.iter().filter(|worker| worker["alive"] == true).count();
    (alive, workers.len() - alive)
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

/// How long all is well, and how long one is missed and another comes: the slots that it held are lost, a tenth of a second.
const CALM: Duration = Duration::from_secs(10);
const CHANGE: Duration = Duration::from_secs(15);
/// Everyone does what one was told within this.
const SOON: Duration = Duration::from_secs(1);

#[tokio::test(flavor = "multi_thread")]
async fn a_fleet_uses_its_quota_and_never_more() {
    let database = format!("database = {:?}", postgres_database().await);
    // Whoever asks about this one is told to come back in three seconds.
    let told = 60 * 29;
    let home = home(&database, Some(told)).await;
    let file = home.write("members.csv", members(3_000, address));
    home.json(&["enqueue", file.to_str().unwrap()]).await;
    let mut fleet = start(&home, 4);
    until("the first calls", || calls(&home).len() > 10).await;
    let watch = Watch::set(&home);
    let warm = watch.now() + Duration::from_secs(1);

    until("calls by all four", || last_call(&home) > warm + CALM).await;
    let steady = used(&home, warm, warm + CALM);
    assert_eq!(listed(&home).await, (4, 0));

    // One dies, another joins.
    let changing = watch.now();
    fleet[0].start_kill().unwrap();
    fleet.extend(start(&home, 1));
    until("calls after one was killed", || last_call(&home) > changing + CHANGE).await;
    let changed = used(&home, changing, changing + CHANGE);
    let whole = used(&home, warm, changing + CHANGE);
    assert_eq!(over_quota(&home), 0, "not one call too many");

    let stopped = obey_a_retry_after(&home).await;
    let (paused, resumed) = obey_an_operator(&home, &watch).await;
    println!(
        "{}",
        json!({
            "processes": 4, "calls": calls(&home).len(), "over_quota": over_quota(&home), "used": steady,
            "used_while_one_is_killed_and_one_joins": changed, "used_together": whole, "stopped_after_a_retry_after_ms": stopped.as_millis(),
            "stopped_after_pause_ms": paused.as_millis(), "started_after_resume_ms": resumed.as_millis(),
        })
    );
    assert_eq!(over_quota(&home), 0, "not one call too many");
    assert!(steady >= 0.99, "only {steady} of the quota was used");
    assert!(whole >= 0.99, "only {whole} of the quota was used while one died and one joined");
    assert!(stopped <= SOON && paused <= SOON && resumed <= SOON);
    assert_eq!(listed(&home).await, (4, 1), "the killed one has fallen silent");
}

/// Waits for the call that is told to wait; gives how long after it others still called.
async fn obey_a_retry_after(home: &Home) -> Duration {
    let answered = || calls(home).into_iter().find(|(_, answer)| *answer == "rate_limited");
    until("the Retry-After", || answered().is_some()).await;
    let (told_at, _) = answered().unwrap();
    let over = told_at + Duration::from_secs(3);
    until("calls after the Retry-After", || last_call(home) > over).await;
    let during = calls(home).into_iter().filter(|(at, _)| *at > told_at && *at < over);
    during.map(|(at, _)| at.saturating_sub(told_at)).max().unwrap_or_default()
}

/// Pauses and resumes by command; gives how long after each the fleet did so.
async fn obey_an_operator(home: &Home, watch: &Watch) -> (Duration, Duration) {
    home.json(&["provider", "pause", "gravatar", "--reason", "a test"]).await;
    let paused_at = watch.now();
    sleep(Duration::from_secs(3)).await;
    let last = last_call(home);
    let listed = home.run(&["provider", "list"]).await;
    assert!(String::from_utf8_lossy(&listed.stdout).contains("paused until you resume it (a test)"));

    home.json(&["provider", "resume", "gravatar"]).await;
    let resumed_at = watch.now();
    until("calls after the resume", || last_call(home) > last).await;
    let first = calls(home).into_iter().map(|(at, _)| at).find(|at| *at > last).unwrap();
    (last.saturating_sub(paused_at), first.saturating_sub(resumed_at))
}
