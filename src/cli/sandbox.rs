//! `gleaner sandbox`: a local server that speaks every provider's wire format over invented people.

use std::io::ErrorKind;
use std::path::PathBuf;

use anyhow::Context as _;
use gleaner::config::{Config, Database, ProviderConfig};
use gleaner::worker::Stop;
use gleaner_providers::catalog::{BUILT_INS, Entry};
use gleaner_providers::provider::{Identifier, KeyNeed};
use gleaner_providers::sandbox::{Sandbox, SandboxSettings};

use super::{Exit, Global, out};

/// The sandbox takes any key but a few that stand for trouble.
const KEY: &str = "sandbox";

#[derive(clap::Args, Debug)]
pub(crate) struct Args {
    /// The port on 127.0.0.1; 0 takes a free one
    #[arg(long, default_value_t = 0)]
    port: u16,
    /// Settings of the sandbox: seed, latency, faults, quotas, prices, match rates
    #[arg(long, value_name = "FILE")]
    settings: Option<PathBuf>,
}

pub(crate) async fn run(global: &Global, args: Args) -> anyhow::Result<Exit> {
    let stop = Stop::on_signals()?;
    let mut settings: SandboxSettings = match &args.settings {
        Some(file) => {
            let text =
                std::fs::read_to_string(file).with_context(|| format!("cannot read `{}`", file.display()))?;
            toml::from_str(&text).with_context(|| format!("`{}`", file.display()))?
        }
        None => SandboxSettings::default(),
    };
    settings.port = args.port;
    let sandbox = Sandbox::start(settings).await.context("cannot start the sandbox")?;
    if global.json {
        out::json(&serde_json::json!({ "url": sandbox.url() }))?;
    } else {
        out::line(format_args!(
            "# The sandbox is at {} until ctrl-c; its ledger at {0}/ledger.",
            sandbox.url()
        ));
        out::line(
            "# Settings for a worker that asks it, such as `gleaner --config FILE enrich members.csv`:",
        );
        out::line("contact = \"https://example.com/sandbox\"");
        for entry in BUILT_INS {
            if let Some(endpoint) = sandbox.endpoint(entry.name) {
                print_settings(entry, &endpoint);
            }
        }
    }
    stop.asked().await;
    sandbox.stop().await;
    Ok(Exit::Done)
}

/// The settings that make a worker ask the sandbox in place of the vendor.
fn print_settings(entry: &Entry, endpoint: &str) {
    out::line(format_args!("\n[providers.{}]\nendpoint = \"{endpoint}\"\nquota = \"1000/s\"", entry.name));
    let descriptor = (entry.descriptor)();
    if descriptor.opt_in {
        out::line("enabled = true");
    }
    if descriptor.key == KeyNeed::Required {
        let variable = ProviderConfig::default().key_variable(entry.name);
        out::line(format_args!("# It needs a key, and any will do: {variable}={KEY}"));
    }
}

/// Makes a configuration ask the sandbox, with a key where a provider needs one.
pub(crate) fn point_at(config: &mut Config, sandbox: &Sandbox) {
    for entry in BUILT_INS {
        let provider = config.providers.entry(entry.name.to_owned()).or_default();
        let descriptor = (entry.descriptor)();
        provider.endpoint = sandbox.endpoint(entry.name);
        if provider.endpoint.is_none() {
            // Nobody outside is asked about invented people.
            provider.enabled = Some(false);
            continue;
        }
        // Who may be told a handle only has something to ask about anybody with a key.
        if descriptor.key == KeyNeed::Required || descriptor.told == Identifier::Handle {
            provider.key = Some(KEY.into());
        }
        if descriptor.opt_in {
            provider.enabled = Some(true);
        }
    }
}

/// Removes what the last run in the sandbox left, and nothing else: each run shows the whole way.
pub(crate) fn forget_last_time(config: &Config) -> anyhow::Result<()> {
    let Database::Sqlite(database) = config.database() else { return Ok(()) };
    for suffix in ["", "-wal", "-shm"] {
        let mut file = database.clone().into_os_string();
        file.push(suffix);
        match std::fs::remove_file(&file) {
            Err(error) if error.kind() != ErrorKind::NotFound => {
                return Err(error)
                    .with_context(|| format!("cannot remove `{}`", PathBuf::from(file).display()));
            }
            _ => {}
        }
    }
    Ok(())
}
