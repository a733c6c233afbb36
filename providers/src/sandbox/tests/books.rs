//! The ledger, the truth and the settings over the wire.

use super::*;
use crate::provider::Micros;

#[tokio::test]
async fn the_ledger_holds_every_call_in_order() {
    let sandbox = Sandbox::start(candid(8)).await.unwrap();
    let addresses = [ADA, "jane.doe@mail.example.com", "nobody@short.example.org"];
    for address in addresses {
        for url in questions(&sandbox, address) {
            get(&url).await;
        }
    }
    let summary = sandbox.summary();
    let round = BY_URL as u64;
    assert_eq!(summary.calls, 3 * round);
    assert_eq!(summary.billed_micros, Micros(3 * 280_000), "PDL's matches");
    let asked: Vec<u64> =
        summary.providers.values().map(|part| part.calls).filter(|calls| *calls > 0).collect();
    assert_eq!(asked, [3; BY_URL]);
    assert_eq!(summary.providers["homepage"].answers["no_match"], 1, "a free-mail host has no page");
    let over_the_wire = get_json(&format!("{}/ledger/summary", sandbox.url())).await;
    assert_eq!(over_the_wire, serde_json::to_value(&summary).unwrap());

    let (_, lines) = get(&format!("{}/ledger", sandbox.url())).await;
    let entries: Vec<Value> = lines.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let told: Vec<&str> = entries[..4].iter().map(|entry| entry["told"].as_str().unwrap()).collect();
    assert_eq!(told, ["address_hash", "address", "address", "domain"]);
    assert_eq!((&entries[1]["identifier"], &entries[1]["seq"]), (&ADA.into(), &2.into()));
    let (_, some) = get(&format!("{}/ledger?provider=github&after=5", sandbox.url())).await;
    let seqs: Vec<u64> = some
        .lines()
        .map(|line| serde_json::from_str::<Value>(line).unwrap()["seq"].as_u64().unwrap())
        .collect();
    assert_eq!(seqs, [round + 2, 2 * round + 2]);

    client().delete(format!("{}/ledger", sandbox.url())).send().await.unwrap();
    assert_eq!((sandbox.summary().calls, sandbox.ledger().len()), (0, 0));
}

#[tokio::test]
async fn a_ledger_longer_than_a_page_is_sent_whole() {
    let sandbox = Sandbox::start(candid(8)).await.unwrap();
    let client = client();
    let url = format!("{}/gravatar/v3/profiles/x", sandbox.url());
    for _ in 0..4100 {
        client.get(&url).send().await.unwrap();
    }
    let (_, lines) = get(&format!("{}/ledger", sandbox.url())).await;
    assert_eq!((lines.lines().count(), sandbox.ledger().len()), (4100, 4100));
}

#[tokio::test]
async fn the_truth_is_told_over_the_wire_and_is_no_call() {
    let sandbox = Sandbox::start(candid(8)).await.unwrap();
    let told = get_json(&format!("{}/truth?email={ADA}", sandbox.url())).await;
    assert_eq!(told, serde_json::to_value(truth(&sandbox, ADA)).unwrap());
    assert_eq!(told["full_name"], "Ada Example");
    assert_eq!(sandbox.summary().calls, 0);
    let (_, index) = get(&sandbox.url()).await;
    assert!(index.contains("/people_data_labs/v5/person/enrich"));
}

#[test]
fn the_default_seed_makes_a_good_walkthrough() {
    let world = crate::sandbox::world::World::new(&SandboxSettings::default());
    let ada = world.population.truth(ADA);
    for name in ["gravatar", "github", "homepage", "people_data_labs"] {
        assert!(ada.known_to[name].distortions.is_empty(), "{name}");
    }
}

#[tokio::test]
async fn endpoints_are_those_of_the_builtins() {
    let sandbox = Sandbox::start(SandboxSettings::calm(1)).await.unwrap();
    let base = sandbox.url();
    for (name, path) in [
        ("gravatar", "gravatar/v3/"),
        ("github", "github/"),
        ("people_data_labs", "people_data_labs/"),
        ("homepage", "homepage/{domain}/"),
    ] {
        assert_eq!(sandbox.endpoint(name), Some(format!("{base}/{path}")));
    }
    assert_eq!(sandbox.endpoint("unknown"), None);
    let (status, text) = get(&format!("{base}/people_data_labs/v5/v5/person/enrich")).await;
    assert!(status == 400 && text.contains("endpoint"), "a wrong endpoint does not pass for a miss");
}

#[test]
fn settings_are_read_from_toml_and_unknown_keys_refused() {
    let text = r#"
        seed = 42
        latency = { min_ms = 0, max_ms = 0 }
        [providers.people_data_labs]
        quota = { calls = 10, window_secs = 60 }
        price_per_match_micros = 5
        [[scripts]]
        provider = "people_data_labs"
        when = { nth = 1 }
        fault = "server_error"
        [[scripts]]
        provider = "github"
        when = "always"
        fault = "slow_drip"
    "#;
    let settings: SandboxSettings = toml::from_str(text).unwrap();
    assert_eq!((settings.seed, settings.scripts.len()), (42, 2));
    assert_eq!(settings.price(Service::PeopleDataLabs).0, Micros(5));
    assert!(settings.match_rate(Service::PeopleDataLabs).own_domain > 0.0, "the rest is the vendor's own");
    for unknown in ["speed = 1", "[providers.clearbit]", "[faults]\nserver_errors = 1.0"] {
        assert!(toml::from_str::<SandboxSettings>(unknown).is_err(), "{unknown}");
    }
}

#[test]
fn the_sample_has_about_two_hundred_members_some_of_them_wrong() {
    let rows: Vec<&str> = crate::sandbox::SAMPLE_MEMBERS.lines().skip(1).collect();
    assert!((195..=210).contains(&rows.len()), "{}", rows.len());
    assert!(rows.iter().any(|row| row.starts_with(',')), "an empty id");
    assert!(rows.iter().any(|row| row.len() > 300), "a monster");
    let hosts = ["example.com", "example.org", "example.net", "localhost", "(none)"];
    for address in crate::sandbox::member_addresses(crate::sandbox::SAMPLE_MEMBERS) {
        let domain =
            address.trim().trim_end_matches('\u{200b}').rsplit_once('@').map_or("", |(_, domain)| domain);
        let invented = hosts.iter().any(|host| domain.to_lowercase().ends_with(host));
        assert!(invented || domain.is_empty(), "{domain} may belong to somebody");
    }
}
