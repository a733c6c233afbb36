//! The real binary with an open door, and callers that are careful.

use std::collections::BTreeSet;
use std::net::SocketAddr;
use std::process::Stdio;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use gleaner_providers::sandbox::SandboxSettings;
use serde_json::{Value, json};
use tokio::io::{AsyncBufReadExt as _, BufReader};
use tokio::process::Child;

use super::support::client;
use crate::support::{Home, text};

/// A running `gleaner` with an open HTTP door.
pub(crate) struct Running {
    pub(crate) process: Child,
    pub(crate) address: SocketAddr,
    pub(crate) log: tokio::task::JoinHandle<String>,
}

/// A home whose door asks for a token; `database` is the line of that key, or nothing.
pub(crate) async fn home(database: &str, extra: &str) -> (Home, String) {
    let settings = format!("{database}\n[http]\nlisten = \"127.0.0.1:0\"\ntoken_file = \"token\"\n{extra}");
    let home = Home::new(SandboxSettings::calm(1), &settings).await;
    let made = home.run(&["token", "new", "token"]).await;
    assert!(made.status.success(), "{}", text(&made.stderr));
    let token = std::fs::read_to_string(home.path("token")).unwrap().trim().to_owned();
    (home, token)
}

/// Starts the binary and waits until its door is open.
pub(crate) async fn start(home: &Home, arguments: &[&str]) -> Running {
    let arguments = [&["--log", "trace", "--log-format", "json"], arguments].concat();
    let mut process = home.command(&arguments).stdout(Stdio::null()).stderr(Stdio::piped()).spawn().unwrap();
    let mut lines = BufReader::new(process.stderr.take().unwrap()).lines();
    let mut log = String::new();
    let address = loop {
        let line = lines.next_line().await.unwrap().unwrap_or_else(|| panic!("it ended: {log}"));
        log.push_str(&line);
        log.push('\n');
        let entry: Value = serde_json::from_str(&line).unwrap_or_default();
        if entry["fields"]["message"] == "the HTTP door is open" {
            break entry["fields"]["address"].as_str().unwrap().parse().unwrap();
        }
    };
    let log = tokio::spawn(async move {
        while let Ok(Some(line)) = lines.next_line().await {
            log.push_str(&line);
            log.push('\n');
        }
        log
    });
    Running { process, address, log }
}

impl Running {
    pub(crate) async fn signal(&self, signal: &str) {
        let pid = self.process.id().unwrap().to_string();
        let sent = tokio::process::Command::new("kill").args([signal, &pid]).status().await.unwrap();
        assert!(sent.success());
    }
}

/// Callers that hand members in, one a request, and note what was acknowledged.
pub(crate) struct Callers {
    next: Arc<AtomicUsize>,
    acknowledged: Arc<Mutex<BTreeSet<usize>>>,
    /// How often they were told to come again.
    refused: Arc<AtomicUsize>,
    stop: Arc<AtomicBool>,
    /// Where the door is now; `None` while there is none.
    address: Arc<Mutex<Option<SocketAddr>>>,
    tasks: Vec<tokio::task::JoinHandle<()>>,
}

impl Callers {
    pub(crate) fn start(count: usize, token: &str) -> Self {
        let mut callers = Self {
            next: Arc::default(),
            acknowledged: Arc::default(),
            refused: Arc::default(),
            stop: Arc::default(),
            address: Arc::default(),
            tasks: Vec::new(),
        };
        let client = client();
        for _ in 0..count {
            let (next, stop) = (callers.next.clone(), callers.stop.clone());
            let (acknowledged, address) = (callers.acknowledged.clone(), callers.address.clone());
            let (client, token, refused) = (client.clone(), token.to_owned(), callers.refused.clone());
            callers.tasks.push(tokio::spawn(async move {
                while !stop.load(Ordering::SeqCst) {
                    let n = next.fetch_add(1, Ordering::SeqCst);
                    // The same request until it is acknowledged, as a careful caller would.
                    loop {
                        let door = *address.lock().unwrap();
                        let Some(door) = door else {
                            if stop.load(Ordering::SeqCst) {
                                return;
                            }
                            tokio::time::sleep(Duration::from_millis(2)).await;
                            continue;
                        };
                        let sent = client
                            .post(format!("http://{door}/v1/registrations"))
                            .bearer_auth(&token)
                            .header("idempotency-key", format!("k-{n}"))
                            .json(&json!({ "member_id": format!("m-{n}"), "email": format!("person{n}@example.org") }))
                            .send()
                            .await;
                        match sent {
                            Ok(answer) if answer.status() == 202 => {
                                acknowledged.lock().unwrap().insert(n);
                                break;
                            }
                            Ok(answer) if answer.status() == 503 && !stop.load(Ordering::SeqCst) => {
                                refused.fetch_add(1, Ordering::SeqCst);
                                tokio::time::sleep(Duration::from_millis(20)).await;
                            }
                            Ok(answer) if answer.status() == 503 => return,
                            Ok(answer) => panic!("{answer:?}"),
                            Err(_) if stop.load(Ordering::SeqCst) => return,
                            Err(_) => tokio::time::sleep(Duration::from_millis(2)).await,
                        }
                    }
                }
            }));
        }
        callers
    }

    pub(crate) fn at(&self, address: Option<SocketAddr>) {
        *self.address.lock().unwrap() = address;
    }

    pub(crate) fn count(&self) -> usize {
        self.acknowledged.lock().unwrap().len()
    }

    pub(crate) fn refused(&self) -> usize {
        self.refused.load(Ordering::SeqCst)
    }

    pub(crate) async fn finish(self) -> BTreeSet<usize> {
        self.stop.store(true, Ordering::SeqCst);
        for task in self.tasks {
            task.await.unwrap();
        }
        Arc::try_unwrap(self.acknowledged).unwrap().into_inner().unwrap()
    }
}
