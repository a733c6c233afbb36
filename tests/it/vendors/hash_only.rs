//! `send = "hash"`: no address leaves the house, and the disclosure log says so.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex};

use gleaner_providers::EmailAddress;
use gleaner_providers::catalog::BUILT_INS;
use gleaner_providers::sandbox::SandboxSettings;
use percent_encoding::percent_decode;
use serde_json::Value;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};

use super::run_with_keys;
use crate::support::{Home, members, text};

const MEMBERS: u32 = 20;

fn address(n: u32) -> String {
    format!("Quokka.Number{n}+tag@wombat{n}.example.org")
}

/// Writes down what is sent, and passes it on to the sandbox. Gives the address to send to, and what was sent.
async fn tap(sandbox: &str) -> (String, Arc<Mutex<Vec<u8>>>) {
    let upstream = sandbox.trim_start_matches("http://").to_owned();
    let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
    let tapped = format!("http://{}", listener.local_addr().unwrap());
    let heard = Arc::new(Mutex::new(Vec::new()));
    let ear = Arc::clone(&heard);
    tokio::spawn(async move {
        while let Ok((caller, _)) = listener.accept().await {
            let (upstream, ear) = (upstream.clone(), Arc::clone(&ear));
            tokio::spawn(async move { pass_on(caller, &upstream, &ear).await });
        }
    });
    (tapped, heard)
}

async fn pass_on(caller: TcpStream, upstream: &str, ear: &Mutex<Vec<u8>>) -> std::io::Result<()> {
    let (mut from_caller, mut to_caller) = caller.into_split();
    let (mut from_sandbox, mut to_sandbox) = TcpStream::connect(upstream).await?.into_split();
    let questions = async {
        let mut piece = [0; 4096];
        loop {
            let length = from_caller.read(&mut piece).await?;
            if length == 0 {
                return to_sandbox.shutdown().await;
            }
            ear.lock().unwrap().extend_from_slice(&piece[..length]);
            to_sandbox.write_all(&piece[..length]).await?;
        }
    };
    let (asked, answered) = tokio::join!(questions, tokio::io::copy(&mut from_sandbox, &mut to_caller));
    asked.and(answered.map(|_| ()))
}

#[tokio::test(flavor = "multi_thread")]
async fn no_request_holds_an_address_and_only_who_takes_a_hash_is_asked() {
    let keyed: Vec<_> = BUILT_INS.iter().map(|entry| entry.name).collect();
    let takes_hash: BTreeSet<_> = BUILT_INS
        .iter()
        .filter(|entry| (entry.descriptor)().takes_hash)
        .map(|entry| entry.name.to_owned())
        .collect();
    for (send, hash_only) in [("hash", true), ("address", false)] {
        let extra = format!("[enrich]\nsend = {send:?}\n");
        let home = Home::new(SandboxSettings::calm(5), &extra).await;
        let (tapped, heard) = tap(&home.sandbox.url()).await;
        let config = std::fs::read_to_string(home.path("gleaner.toml")).unwrap();
        home.write("gleaner.toml", config.replace(&home.sandbox.url(), &tapped));
        let file = home.write("members.csv", members(MEMBERS, address));
        run_with_keys(&home, &keyed, &["enrich", file.to_str().unwrap()]).await;

        let heard = heard.lock().unwrap().clone();
        let sent = percent_decode(&heard).decode_utf8_lossy().to_lowercase();
        assert_eq!(sent.contains("quokka") || sent.contains("wombat"), !hash_only, "{send}");
        let hash = EmailAddress::parse(&address(7)).unwrap().sha256();
        assert!(sent.contains(&hash), "the tap hears what is sent");

        let asked: BTreeSet<_> =
            home.sandbox.ledger().iter().map(|entry| entry.provider.to_owned()).collect();
        assert!(asked.contains("gravatar") && asked.contains("people_data_labs"), "{asked:?}");
        assert_eq!(asked.is_subset(&takes_hash), hash_only, "{send}: {asked:?}");
        let told: Vec<(String, i64)> =
            sqlx::query_as("SELECT told, count(*) FROM lookup_log GROUP BY told ORDER BY told")
                .fetch_all(&home.database().await)
                .await
                .unwrap();
        let kinds: Vec<_> = told.iter().map(|(told, _)| told.as_str()).collect();
        assert_eq!(kinds == ["address_hash"], hash_only, "{send}: {told:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn who_takes_no_hash_is_listed_with_the_reason_and_may_not_be_switched_on() {
    let home = Home::new(SandboxSettings::calm(5), "[enrich]\nsend = \"hash\"\n").await;
    let listed = text(&home.run(&["provider", "list", "--json"]).await.stdout);
    let missing = |name: &str| {
        let mut rows = listed.lines().map(|line| serde_json::from_str::<Value>(line).unwrap());
        rows.find(|row| row["name"] == name).unwrap()["missing"].as_str().map(str::to_owned)
    };
    assert_eq!(missing("gravatar"), None);
    let reason = missing("homepage").unwrap();
    assert!(reason.contains("takes no hash"), "{reason}");

    let config = std::fs::read_to_string(home.path("gleaner.toml")).unwrap();
    home.write("gleaner.toml", config.replace("[providers.github]", "[providers.github]\nenabled = true"));
    let refused = home.run(&["provider", "list"]).await;
    assert!(!refused.status.success());
    assert!(
        text(&refused.stderr).contains("`github`: is switched on but takes no hash"),
        "{}",
        text(&refused.stderr)
    );
}
