//! What the queue and the database cost: the same HTTP calls made by the worker and by a bare reqwest loop.
//!
//! `cargo bench --bench throughput` starts a zero-latency sandbox in a process of its own, queues members on SQLite, runs the
//! real binary over them, and then repeats as many of the same calls in a loop with no queue and no database. It prints calls a
//! second and their ratio, time a member at growing queue lengths, and the worker's peak memory. Pairs are run in turn, because
//! machines drift; quote the median ratio.

#![expect(
    clippy::print_stdout,
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "a benchmark, not a product"
)]

use std::fmt::Write as _;
use std::io::{BufRead as _, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use futures_util::StreamExt as _;
use gleaner_providers::EmailAddress;
use tokio::time::Instant;

/// The three that are APIs. (Reading a homepage is parsing, which a bare loop does not do.)
const PROVIDERS: [&str; 3] = ["gravatar", "github", "people_data_labs"];
/// Calls in flight in the bare loop.
const CONCURRENCY: usize = 64;
/// As many in the worker, to a call or two: a third of them to each provider.
const CONCURRENCY_OF_EACH: usize = CONCURRENCY / PROVIDERS.len();
/// Members in flight in the worker, and members claimed and written at a time: one that is being written calls nobody.
const MEMBERS_IN_FLIGHT: usize = 4 * CONCURRENCY;
const BATCH: usize = 400;
const PAIRS: usize = 7;
const PAIR_MEMBERS: u32 = 10_000;
const QUEUES: [u32; 3] = [1_000, 10_000, 100_000];

#[tokio::main]
async fn main() {
    // `cargo test --benches` runs this too; a benchmark says nothing there.
    if std::env::args().any(|argument| argument == "--test") {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let sandbox = Sandbox::start(folder.path());
    println!("zero-latency sandbox in its own process, SQLite, {} providers a member", PROVIDERS.len());

    let mut ratios = Vec::new();
    for pair in 0..PAIRS {
        let worker = run_worker(&sandbox, folder.path(), &format!("pair{pair}"), PAIR_MEMBERS).await;
        let bare = bare_loop(&sandbox, PAIR_MEMBERS).await;
        let ratio = worker.calls_a_second() / bare.calls_a_second();
        println!(
            "pair {}: worker {:>6.0} calls/s ({} calls), bare loop {:>6.0} calls/s ({} calls), ratio {ratio:.2}",
            pair + 1,
            worker.calls_a_second(),
            worker.calls,
            bare.calls_a_second(),
            bare.calls,
        );
        ratios.push(ratio);
    }
    ratios.sort_by(f64::total_cmp);
    println!("median ratio {:.2} (goal: at least 0.50)", ratios[ratios.len() / 2]);

    for members in QUEUES {
        let run = run_worker(&sandbox, folder.path(), &format!("queue{members}"), members).await;
        println!(
            "{members:>7} queued members: {:>5.0} µs a member, peak memory {} MB",
            run.took.as_secs_f64() * 1e6 / f64::from(members),
            run.peak_kb / 1024,
        );
    }
}

/// How a run went.
struct Run {
    calls: u64,
    took: Duration,
    peak_kb: u64,
}

impl Run {
    #[expect(clippy::cast_precision_loss, reason = "a rate for people")]
    fn calls_a_second(&self) -> f64 {
        self.calls as f64 / self.took.as_secs_f64()
    }
}

/// The sandbox, in a process of its own.
struct Sandbox {
    process: Child,
    url: String,
}

impl Sandbox {
    fn start(folder: &Path) -> Self {
        let settings = folder.join("sandbox.toml");
        let calm = "[latency]\nmin_ms = 0\nmax_ms = 0\n[faults]\n";
        std::fs::write(&settings, calm).unwrap();
        let mut process = gleaner()
            .args(["--json", "sandbox", "--settings"])
            .arg(settings)
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut line = String::new();
        BufReader::new(process.stdout.take().unwrap()).read_line(&mut line).unwrap();
        let ready: serde_json::Value = serde_json::from_str(&line).unwrap();
        Self { process, url: ready["url"].as_str().unwrap().to_owned() }
    }

    /// Every call so far.
    async fn calls(&self) -> u64 {
        let body = client().get(format!("{}/ledger/summary", self.url)).send().await.unwrap();
        body.json::<serde_json::Value>().await.unwrap()["calls"].as_u64().unwrap()
    }

    fn configuration(&self, folder: &Path) -> PathBuf {
        let mut text = format!(
            "data_dir = {:?}\ncontact = \"https://example.com/bench\"\n[enrich]\ntiers = [{PROVIDERS:?}]\n[worker]\nconcurrency = {MEMBERS_IN_FLIGHT}\nclaim_batch = {BATCH}\ncommit_batch = {BATCH}\n",
            folder.display().to_string()
        );
        for (name, path) in
            [("gravatar", "gravatar/v3/"), ("people_data_labs", "people_data_labs/"), ("github", "github/")]
        {
            let url = &self.url;
            writeln!(
                text,
                "[providers.{name}]\nendpoint = \"{url}/{path}\"\nkey_env = \"BENCH_KEY\"\nquota = \"1000000/s\"\nburst = 1000\nconcurrency = {CONCURRENCY_OF_EACH}"
            )
            .unwrap();
        }
        std::fs::create_dir_all(folder).unwrap();
        let file = folder.join("gleaner.toml");
        std::fs::write(&file, text).unwrap();
        file
    }
}

impl Drop for Sandbox {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

fn gleaner() -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_gleaner"));
    command.env("BENCH_KEY", "bench").stderr(Stdio::null());
    command
}

fn address(n: u32) -> String {
    format!("member.number{n}@site{n}.example.org")
}

/// Queues members, then times the worker from start to end.
async fn run_worker(sandbox: &Sandbox, folder: &Path, name: &str, members: u32) -> Run {
    let folder = folder.join(name);
    let config = sandbox.configuration(&folder);
    let file = folder.join("members.csv");
    let rows: String = (0..members).fold("id,email\n".to_owned(), |mut rows, n| {
        writeln!(rows, "m{n},{}", address(n)).unwrap();
        rows
    });
    std::fs::write(&file, rows).unwrap();
    let queued =
        gleaner().arg("--config").arg(&config).arg("enqueue").arg(&file).stdout(Stdio::null()).status();
    assert!(queued.unwrap().success());

    let before = sandbox.calls().await;
    let started = Instant::now();
    let mut worker = gleaner().arg("--config").arg(&config).args(["worker", "--until-idle"]).spawn().unwrap();
    let sampling = tokio::spawn(sample_memory(worker.id()));
    let ended = tokio::task::spawn_blocking(move || worker.wait()).await.unwrap().unwrap();
    let took = started.elapsed();
    assert!(ended.success());
    let peak_kb = sampling.await.unwrap();
    Run { calls: sandbox.calls().await - before, took, peak_kb }
}

/// Looks now and then until the process has ended: looking costs it time.
async fn sample_memory(pid: u32) -> u64 {
    let mut peak = 0;
    loop {
        match peak_memory_kb(pid) {
            0 => return peak,
            now => peak = peak.max(now),
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
}

/// The most memory the process ever held, in KB; 0 once it has ended, and where there is no `/proc`.
fn peak_memory_kb(pid: u32) -> u64 {
    let status = std::fs::read_to_string(format!("/proc/{pid}/status")).unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).unwrap_or_default();
    line.trim().trim_end_matches(" kB").parse().unwrap_or(0)
}

/// The same calls with no queue and no database; of GitHub's, the two searches that it takes to find nobody, which is what
/// happens to most members.
async fn bare_loop(sandbox: &Sandbox, members: u32) -> Run {
    let client = client();
    let requests = (0..members).flat_map(|n| {
        let address = address(n);
        let hash = EmailAddress::parse(&address).expect("an address").sha256();
        let url = &sandbox.url;
        [
            client.get(format!("{url}/gravatar/v3/profiles/{hash}")),
            client
                .get(format!("{url}/github/search/users"))
                .query(&[("q", format!("{address} in:email"))])
                .header("user-agent", "bench"),
            client
                .get(format!("{url}/github/search/commits"))
                .query(&[("q", format!("author-email:{address}"))])
                .header("user-agent", "bench"),
            client
                .get(format!("{url}/people_data_labs/v5/person/enrich"))
                .query(&[("email", address.as_str()), ("titlecase", "true")])
                .header("X-Api-Key", "bench"),
        ]
    });
    let before = sandbox.calls().await;
    let started = Instant::now();
    // Spawned, as the worker's members are, so that both sides use every core.
    futures_util::stream::iter(requests.map(|request| {
        tokio::spawn(async move {
            let mut response = request.send().await.unwrap();
            while let Some(chunk) = response.chunk().await.unwrap() {
                std::hint::black_box(chunk);
            }
        })
    }))
    .buffer_unordered(CONCURRENCY)
    .for_each(|read| async { read.unwrap() })
    .await;
    let took = started.elapsed();
    Run { calls: sandbox.calls().await - before, took, peak_kb: 0 }
}

#[expect(clippy::disallowed_methods, reason = "the benchmark's bare client")]
fn client() -> reqwest::Client {
    // A second call finds it installed already.
    let _ = rustls::crypto::ring::default_provider().install_default();
    reqwest::Client::builder().no_proxy().build().unwrap()
}
