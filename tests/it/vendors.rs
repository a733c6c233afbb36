//! What vendors with a key need of the worker, with the real binary against the sandbox.

mod hash_only;

use std::process::Output;

use crate::support::{Home, text};

/// Runs the binary with a key for every one of these providers; it must succeed.
async fn run_with_keys(home: &Home, keys: &[&str], arguments: &[&str]) -> Output {
    let mut command = home.command(arguments);
    for name in keys {
        command.env(format!("GLEANER_{}_KEY", name.to_uppercase()), "a-key-for-the-sandbox");
    }
    let output = command.output().await.unwrap();
    assert!(output.status.success(), "{arguments:?}: {}", text(&output.stderr));
    output
}
