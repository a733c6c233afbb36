//! A fresh home for the real binary: a folder, a configuration that asks a sandbox of this test, and ways to run it.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Output, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use gleaner::keyring::Keyring;
use gleaner_providers::catalog::BUILT_INS;
use gleaner_providers::sandbox::{Sandbox, SandboxSettings};
use serde_json::Value;
use sqlx::sqlite::{SqliteConnectOptions, SqlitePool};
use sqlx::{AssertSqlSafe, Connection as _, PgConnection};
use tempfile::TempDir;
use tokio::process::{Child, Command};

/// The environment variable with the one key that the providers need.
pub(crate) const KEY_VARIABLE: &str = "GLEANER_PEOPLE_DATA_LABS_KEY";

/// One installation of Gleaner beside its own sandbox.
pub(crate) struct Home {
    folder: TempDir,
    pub(crate) sandbox: Sandbox,
}

impl Home {
    /// Starts a sandbox and writes a configuration that asks it; `extra` is put in front of the providers.
    pub(crate) async fn new(settings: SandboxSettings, extra: &str) -> Self {
        let home =
            Self { folder: tempfile::tempdir().unwrap(), sandbox: Sandbox::start(settings).await.unwrap() };
        let mut config = format!(
            "data_dir = {:?}\ncontact = \"https://example.com/test\"\n{extra}\n",
            home.path("data").display().to_string()
        );
        for entry in BUILT_INS {
            let name = entry.name;
            let Some(endpoint) = home.sandbox.endpoint(name) else {
                writeln!(config, "[providers.{name}]\nenabled = false").unwrap();
                continue;
            };
            writeln!(
                config,
                "[providers.{name}]\nendpoint = {endpoint:?}\nquota = \"100000/s\"\nconcurrency = 64\ntimeout_ms = 1000"
            )
            .unwrap();
        }
        home.write("gleaner.toml", &config);
        home
    }

    /// Ends the sandbox, and starts another one where it was.
    pub(crate) async fn start_sandbox_anew(&mut self, settings: SandboxSettings) {
        let port = url::Url::parse(&self.sandbox.url()).unwrap().port().unwrap();
        let placeholder = Sandbox::start(SandboxSettings::calm(1)).await.unwrap();
        std::mem::replace(&mut self.sandbox, placeholder).stop().await;
        let anew = Sandbox::start(SandboxSettings { port, ..settings }).await.unwrap();
        std::mem::replace(&mut self.sandbox, anew).stop().await;
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// Writes a file into the folder.
    pub(crate) fn write(&self, name: &str, content: impl AsRef<[u8]>) -> PathBuf {
        let path = self.path(name);
        std::fs::write(&path, content).unwrap();
        path
    }

    /// The binary with these arguments, ready to start.
    pub(crate) fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_gleaner"));
        command
            .arg("--config")
            .arg(self.path("gleaner.toml"))
            .args(arguments)
            .current_dir(self.folder.path())
            .env(KEY_VARIABLE, "a-key-for-the-sandbox")
            .env_remove("GLEANER_LOG")
            .stdin(Stdio::null())
            .kill_on_drop(true);
        command
    }

    /// Runs the binary to its end.
    pub(crate) async fn run(&self, arguments: &[&str]) -> Output {
        self.command(arguments).output().await.unwrap()
    }

    /// Runs the binary, which must succeed, and reads its answer as JSON.
    pub(crate) async fn json(&self, arguments: &[&str]) -> Value {
        let output = self.run(&[arguments, &["--json"]].concat()).await;
        assert!(
            output.status.success(),
            "{arguments:?} ended with {}: {}",
            output.status,
            text(&output.stderr)
        );
        serde_json::from_slice(&output.stdout).unwrap()
    }

    /// Everybody was taken in, and everybody has reached an end that is none of a fault's. Gives the status that says so.
    pub(crate) async fn is_done_with(&self, members: u32) -> Value {
        let status = self.json(&["status"]).await;
        assert_eq!(status["adds_up"], true, "{status}");
        assert_eq!(status["taken_in"], members);
        for nowhere in ["waiting", "running", "dead_letters"] {
            assert_eq!(status[nowhere], 0, "{nowhere}: {status}");
        }
        status
    }

    /// Starts the binary and lets it run.
    pub(crate) fn start(&self, arguments: &[&str]) -> Child {
        self.command(arguments).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap()
    }

    /// The database, to look at from outside.
    pub(crate) async fn database(&self) -> SqlitePool {
        let options = SqliteConnectOptions::new()
            .filename(self.path("data/gleaner.db"))
            .busy_timeout(Duration::from_secs(10));
        SqlitePool::connect_with(options).await.unwrap()
    }

    /// The key that the binary made.
    pub(crate) fn keyring(&self) -> Keyring {
        Keyring::open_or_create(&self.path("data/gleaner.key")).unwrap()
    }

    pub(crate) fn folder(&self) -> &Path {
        self.folder.path()
    }
}

/// Where a service of the tests is, as `tests/run` says.
#[expect(clippy::disallowed_methods, reason = "how tests learn where their services are")]
pub(crate) fn service(variable: &str) -> String {
    std::env::var(variable).unwrap_or_else(|_| {
        panic!(
            "{variable} is not set: `tests/run NAME` starts the services, or `tests/services/…` one of them"
        )
    })
}

/// Makes an empty database on the test server; returns its address.
pub(crate) async fn postgres_database() -> String {
    static MADE: AtomicU32 = AtomicU32::new(0);
    let server = service("GLEANER_TEST_POSTGRES");
    let mut address = url::Url::parse(&server).unwrap();
    let name = format!("test_{}_{}", std::process::id(), MADE.fetch_add(1, Ordering::Relaxed));
    let mut connection = PgConnection::connect(&server).await.unwrap();
    for statement in [format!("DROP DATABASE IF EXISTS {name}"), format!("CREATE DATABASE {name}")] {
        sqlx::raw_sql(AssertSqlSafe(statement)).execute(&mut connection).await.unwrap();
    }
    address.set_path(&name);
    address.into()
}

/// A service of this test alone, which may be crashed. Stopped when it is dropped.
pub(crate) struct PrivateService {
    script: PathBuf,
    folder: TempDir,
    pub(crate) url: String,
}

impl PrivateService {
    /// Starts `tests/services/NAME`.
    pub(crate) async fn start(name: &str) -> Self {
        let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/services").join(name);
        let folder = tempfile::tempdir().unwrap();
        // PostgreSQL runs as another user.
        #[cfg(unix)]
        std::fs::set_permissions(folder.path(), std::os::unix::fs::PermissionsExt::from_mode(0o711)).unwrap();
        let started =
            Command::new(&script).arg("start").arg(folder.path().join(name)).output().await.unwrap();
        assert!(started.status.success(), "{name} does not start: {}", text(&started.stderr));
        Self { script, folder, url: text(&started.stdout).trim().to_owned() }
    }

    /// Kills the server and starts it again on the same port and files.
    pub(crate) async fn crash(&self) {
        self.act("restart").await;
    }

    /// Kills the server.
    pub(crate) async fn stop(&self) {
        self.act("stop").await;
    }

    async fn act(&self, action: &str) {
        let place = self.folder.path().join(self.script.file_name().unwrap());
        let acted = Command::new(&self.script).arg(action).arg(place).output().await.unwrap();
        assert!(acted.status.success(), "{action} fails: {}", text(&acted.stderr));
    }
}

impl Drop for PrivateService {
    fn drop(&mut self) {
        let place = self.folder.path().join(self.script.file_name().unwrap());
        std::process::Command::new(&self.script).arg("stop").arg(place).status().ok();
    }
}

/// Looks again and again until something is so, and says what it saw where it never is.
pub(crate) async fn until<T: std::fmt::Debug>(
    what: &str,
    mut look: impl AsyncFnMut() -> T,
    is_so: impl Fn(&T) -> bool,
) -> T {
    const PATIENCE: Duration = Duration::from_mins(3);
    let began = tokio::time::Instant::now();
    loop {
        let seen = look().await;
        if is_so(&seen) {
            return seen;
        }
        assert!(began.elapsed() < PATIENCE, "{what}: not within {PATIENCE:?}; last seen: {seen:?}");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

pub(crate) fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

/// A table of members, numbered from 0.
pub(crate) fn members(count: u32, address: impl Fn(u32) -> String) -> String {
    let mut csv = "member_id,email\n".to_owned();
    for n in 0..count {
        writeln!(csv, "m{n},{}", address(n)).unwrap();
    }
    csv
}

/// Numbers that look random and are the same in every run (`SplitMix64`).
pub(crate) struct Dice(pub(crate) u64);

impl Dice {
    /// A number from `low` up to and without `high`.
    pub(crate) fn between(&mut self, low: u64, high: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        low + (z ^ (z >> 31)) % (high - low)
    }
}
