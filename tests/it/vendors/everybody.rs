//! A demonstration asks every provider that the sandbox has a counterpart of.

use std::collections::BTreeSet;

use gleaner_providers::sandbox::{SandboxSettings, Service};

use crate::support::Home;

/// `enrich --sandbox` hands out the keys itself.
#[tokio::test(flavor = "multi_thread")]
async fn the_sandbox_is_asked_by_every_provider() {
    let home = Home::new(SandboxSettings::calm(5), "").await;
    let data = home.path("demonstration").display().to_string();
    let run = home.json(&["--data-dir", &data, "enrich", "--sandbox"]).await;
    let asked: BTreeSet<_> = run["traffic"]
        .as_array()
        .unwrap()
        .iter()
        .filter(|row| row[1]["calls"].as_u64() > Some(0))
        .map(|row| row[0].as_str().unwrap().to_owned())
        .collect();
    let silent: Vec<_> =
        Service::ALL.iter().map(|service| service.as_str()).filter(|name| !asked.contains(*name)).collect();
    assert!(silent.is_empty(), "nobody asked {silent:?}: {}", run["traffic"]);
}
