//! What vendors with a key need of the worker, with the real binary against the sandbox.

mod everybody;
mod hash_only;
mod objected;
mod pending;

use std::process::Output;

use gleaner_providers::sandbox::{MatchRate, SandboxSettings, Service, ServiceSettings};
use tokio::process::Command;

use crate::support::{Home, text};

/// The binary, with a key for every one of these providers.
fn command_with_keys(home: &Home, keys: &[&str], arguments: &[&str]) -> Command {
    let mut command = home.command(arguments);
    for name in keys {
        command.env(format!("GLEANER_{}_KEY", name.to_uppercase()), "a-key-for-the-sandbox");
    }
    command
}

/// Runs it to its end; it must succeed.
async fn run_with_keys(home: &Home, keys: &[&str], arguments: &[&str]) -> Output {
    let output = command_with_keys(home, keys, arguments).output().await.unwrap();
    assert!(output.status.success(), "{arguments:?}: {}", text(&output.stderr));
    output
}

/// A calm sandbox in which everybody is known to everybody.
fn all_known() -> SandboxSettings {
    let mut settings = SandboxSettings::calm(5);
    for service in Service::ALL {
        let match_rate = Some(MatchRate { free_mail: 1.0, own_domain: 1.0 });
        settings.providers.insert(service, ServiceSettings { match_rate, ..ServiceSettings::default() });
    }
    settings
}

/// A provider's answers, cost and calls in the disclosure log: told, outcome, how many, micros.
async fn logged(home: &Home, provider: &str) -> Vec<(String, String, i64, i64)> {
    let sql = "
        SELECT told, outcome, count(*), sum(cost_micros) FROM lookup_log WHERE provider = ?1
        GROUP BY told, outcome ORDER BY told, outcome";
    sqlx::query_as(sql).bind(provider.to_owned()).fetch_all(&home.database().await).await.unwrap()
}
