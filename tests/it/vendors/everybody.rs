//! A demonstration asks every provider that there is.

use std::collections::BTreeSet;

use gleaner_providers::catalog::BUILT_INS;

use crate::support::Home;
use gleaner_providers::sandbox::SandboxSettings;

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
        BUILT_INS.iter().map(|entry| entry.name).filter(|name| !asked.contains(*name)).collect();
    assert!(silent.is_empty(), "nobody asked {silent:?}: {}", run["traffic"]);
}
