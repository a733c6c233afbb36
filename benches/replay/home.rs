//! One installation beside a sandbox of its own, and ways to run the real binary in it.

use std::fmt::Write as _;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use gleaner_providers::catalog::BUILT_INS;
use gleaner_providers::provider::KeyNeed;
use gleaner_providers::sandbox::{Sandbox, SandboxSettings};
use serde_json::Value;
use tokio::time::Instant;

use crate::server::Databank;

/// The settings that `gleaner enrich --sandbox` takes.
const SHIPPED: &str = include_str!("../../config/sandbox.toml");

pub(crate) struct Home {
    folder: tempfile::TempDir,
    pub(crate) sandbox: Sandbox,
}

impl Home {
    /// The shipped settings, but for the database and what `change` makes of them.
    pub(crate) async fn new(databank: Option<&Databank>, change: impl Fn(&str) -> String) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let sandbox = Sandbox::start(usual_latency()).await.unwrap();
        let data_dir = format!("data_dir = {:?}", folder.path().join("data").display().to_string());
        let mut settings = change(SHIPPED).replace("data_dir = \"gleaner-data/sandbox\"", &data_dir);
        for entry in BUILT_INS {
            let table = format!("[providers.{}]\n", entry.name);
            let mut filled = format!("{table}endpoint = \"{}\"\n", sandbox.endpoint(entry.name).unwrap());
            if (entry.descriptor)().opt_in {
                filled.push_str("enabled = true\n");
            }
            settings = settings.replace(&table, &filled);
        }
        if let Some(databank) = databank {
            settings.insert_str(0, &format!("database = {:?}\n", databank.url));
        }
        std::fs::write(folder.path().join("gleaner.toml"), settings).unwrap();
        Self { folder, sandbox }
    }

    fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_gleaner"));
        command.arg("--config").arg(self.path("gleaner.toml")).args(arguments).stdin(Stdio::null());
        for entry in BUILT_INS {
            let about = (entry.descriptor)();
            if about.key != KeyNeed::None {
                command.env(format!("GLEANER_{}_KEY", entry.name.to_uppercase()), "sandbox");
            }
        }
        command
    }

    /// Runs a command to its end; gives its answer and how long it took, from its start to its end.
    pub(crate) fn run(&self, arguments: &[&str]) -> (Value, Duration) {
        let began = Instant::now();
        let output = self.command(arguments).arg("--json").output().unwrap();
        let took = began.elapsed();
        assert!(output.status.success(), "{arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
        let answer = output.stdout.split(|byte| *byte == b'\n').next().unwrap_or_default();
        (serde_json::from_slice(answer).unwrap_or_default(), took)
    }

    /// Starts a command and lets it run.
    pub(crate) fn start(&self, arguments: &[&str]) -> Running {
        Running(self.command(arguments).stdout(Stdio::null()).spawn().unwrap())
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// Takes so many in as an import; each has a mailbox and a site of their own.
    pub(crate) fn import(&self, members: u32) {
        let mut csv = "member_id,email\n".to_owned();
        for n in 0..members {
            writeln!(csv, "m-{n},person{n}@site{n}.example.org").unwrap();
        }
        let file = self.path("members.csv");
        std::fs::write(&file, csv).unwrap();
        self.run(&["enqueue", file.to_str().unwrap(), "--batch", "first"]);
    }
}

/// A process that ends with its handle.
pub(crate) struct Running(Child);

impl Drop for Running {
    fn drop(&mut self) {
        self.0.kill().unwrap();
        self.0.wait().unwrap();
    }
}

/// As the sandbox answers by default, 20 to 120 ms after each question, but without faults: they cost time by chance.
fn usual_latency() -> SandboxSettings {
    let usual = SandboxSettings::default();
    SandboxSettings { latency: usual.latency, search_ms: usual.search_ms, ..SandboxSettings::calm(1) }
}
