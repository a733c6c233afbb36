//! An open door, ways to ask it, and the check of every answer against `openapi.json`.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::{Arc, LazyLock};
use std::time::Duration;

use gleaner::clock::ManualClock;
use gleaner::config::Config;
use gleaner::intake::doors::{Doors, Reception};
use gleaner::intake::http::HttpDoor;
use gleaner::keyring::{Keyring, create_token};
use gleaner::store::SharedStore;
use gleaner::store::sqlite::SqliteStore;
use jsonschema::Validator;
use serde_json::{Value, json};
use tempfile::TempDir;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

pub(crate) const DOCUMENT: &str = include_str!("../../../src/intake/http/openapi.json");

/// An open door over a store, in this process.
pub(crate) struct OpenDoor {
    pub(crate) address: SocketAddr,
    pub(crate) store: SharedStore,
    pub(crate) clock: Arc<ManualClock>,
    pub(crate) token: String,
    _doors: Doors,
    _folder: TempDir,
}

impl OpenDoor {
    /// A door over a database of its own; `extra` are further settings of `[http]`.
    pub(crate) async fn new(extra: &str) -> Self {
        let key = keyring().fingerprint();
        Self::over(Arc::new(SqliteStore::open(SqliteStore::MEMORY, &key).await.unwrap()), extra).await
    }

    pub(crate) async fn over(store: SharedStore, extra: &str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("token");
        create_token(&file).unwrap();
        let token = std::fs::read_to_string(&file).unwrap().trim().to_owned();
        let text = format!(
            "[http]\nlisten = \"127.0.0.1:0\"\ntoken_file = {:?}\n{extra}",
            file.display().to_string()
        );
        let config = Config::parse(&text, "test").unwrap();
        assert_eq!(config.problems(), []);
        let clock = ManualClock::at("2026-03-01T12:00:00Z".parse().unwrap());
        let reception = Reception {
            store: store.clone(),
            keyring: Arc::new(keyring()),
            clock: clock.clone(),
            remember: config.retention.requests(),
        };
        let door = HttpDoor::open(&config, &reception).await.unwrap().unwrap();
        let address = door.address().unwrap();
        Self { address, store, clock, token, _doors: Doors::of(vec![Box::new(door)]), _folder: folder }
    }

    /// A request with the right token.
    pub(crate) fn ask(&self, method: &'static str, path: &str) -> Ask {
        let ask = Ask::new(self.address, method, path);
        ask.header("authorization", &format!("Bearer {}", self.token))
    }

    /// Hands registrations in, as JSON.
    pub(crate) fn post(&self, body: &Value) -> Ask {
        self.post_text(body.to_string())
    }

    pub(crate) fn post_text(&self, body: impl AsRef<[u8]>) -> Ask {
        self.ask("POST", "/v1/registrations").header("content-type", "application/json").body(body)
    }

    /// Hands one `CloudEvent` in, in structured mode.
    pub(crate) fn tell(&self, event: &Value) -> Ask {
        self.post(event).header("content-type", "application/cloudevents+json")
    }

    pub(crate) async fn census(&self) -> gleaner::store::Census {
        let census = self.store.census().await.unwrap();
        assert!(census.adds_up(), "{census:?}");
        census
    }
}

pub(crate) fn keyring() -> Keyring {
    Keyring::from_bytes([7; 32])
}

pub(crate) fn registration(n: usize) -> Value {
    json!({ "member_id": format!("m-{n}"), "email": format!("person{n}@example.com") })
}

/// A request to be sent.
#[derive(Clone)]
pub(crate) struct Ask {
    address: SocketAddr,
    method: &'static str,
    path: String,
    headers: BTreeMap<String, String>,
    body: Vec<u8>,
}

impl Ask {
    pub(crate) fn new(address: SocketAddr, method: &'static str, path: &str) -> Self {
        Self { address, method, path: path.to_owned(), headers: BTreeMap::new(), body: Vec::new() }
    }

    pub(crate) fn header(mut self, name: &str, value: &str) -> Self {
        self.headers.insert(name.to_owned(), value.to_owned());
        self
    }

    pub(crate) fn without(mut self, name: &str) -> Self {
        self.headers.remove(name);
        self
    }

    pub(crate) fn body(mut self, body: impl AsRef<[u8]>) -> Self {
        self.body = body.as_ref().to_vec();
        self
    }

    /// Sends it; the answer must be one that the document knows.
    pub(crate) async fn send(self) -> Answer {
        let (method, path) = (self.method, self.path.clone());
        let answer = self.send_unchecked().await;
        answer.check(method, &path);
        answer
    }

    /// Sends it; the answer need not be in the document, but it is dressed as all are.
    pub(crate) async fn send_unchecked(self) -> Answer {
        let method = self.method.parse::<reqwest::Method>().unwrap();
        let mut request = client().request(method, format!("http://{}{}", self.address, self.path));
        for (name, value) in &self.headers {
            request = request.header(name, value);
        }
        Answer::of(request.body(self.body).send().await.unwrap()).await
    }
}

/// What came back.
#[derive(Clone, Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) headers: BTreeMap<String, String>,
    pub(crate) text: String,
    pub(crate) body: Value,
}

impl Answer {
    #[expect(clippy::disallowed_methods, reason = "the door's own answers are small")]
    async fn of(response: reqwest::Response) -> Self {
        let status = response.status().as_u16();
        let text_of = |(name, value): (&reqwest::header::HeaderName, &reqwest::header::HeaderValue)| {
            (name.to_string(), value.to_str().unwrap().to_owned())
        };
        let headers = response.headers().iter().map(text_of).collect();
        let text = response.text().await.unwrap();
        let body = serde_json::from_str(&text).unwrap_or(Value::Null);
        let answer = Self { status, headers, text, body };
        answer.is_dressed();
        answer
    }

    fn is_dressed(&self) {
        for (name, value) in [
            ("cache-control", "no-store"),
            ("x-content-type-options", "nosniff"),
            ("referrer-policy", "no-referrer"),
        ] {
            assert_eq!(self.headers.get(name).map(String::as_str), Some(value), "{self:?}");
        }
        assert!(self.headers.contains_key("x-request-id"), "{self:?}");
    }

    /// Which problem it is, if any.
    pub(crate) fn problem(&self) -> &str {
        self.body["type"].as_str().and_then(|kind| kind.rsplit("#problem-").next()).unwrap_or("none")
    }

    /// What became of each registration.
    pub(crate) fn outcomes(&self) -> Vec<&str> {
        assert_eq!(self.status, 202, "{self:?}");
        let items = self.body["registrations"].as_array().unwrap();
        items.iter().map(|item| item["outcome"].as_str().unwrap()).collect()
    }

    /// Holds the answer against the document.
    fn check(&self, method: &str, path: &str) {
        let document = document();
        let path = path.split('?').next().unwrap();
        let template =
            if path.starts_with("/v1/registrations/") { "/v1/registrations/{member_id}" } else { path };
        let operation = &document["paths"][template][method.to_lowercase()];
        let documented = &operation["responses"][self.status.to_string()];
        assert!(documented.is_object(), "{method} {template} does not document {self:?}");
        let documented = match documented["$ref"].as_str() {
            Some(reference) => &document["components"]["responses"][reference.rsplit('/').next().unwrap()],
            None => documented,
        };
        let content_type = self.headers.get("content-type").map_or("", String::as_str);
        let content = &documented["content"][content_type];
        assert!(content.is_object(), "{content_type} is not documented: {self:?}");
        valid(&content["schema"], &self.body, self);
        for (name, header) in documented["headers"].as_object().into_iter().flatten() {
            let header = match header["$ref"].as_str() {
                Some(reference) => &document["components"]["headers"][reference.rsplit('/').next().unwrap()],
                None => header,
            };
            match self.headers.get(&name.to_lowercase()) {
                Some(text) if header["schema"]["type"] == "integer" => {
                    valid(&header["schema"], &json!(text.parse::<u64>().unwrap()), self);
                }
                Some(text) => valid(&header["schema"], &json!(text), self),
                None => assert_ne!(header["required"], true, "without {name}: {self:?}"),
            }
        }
        if self.status >= 400 {
            assert_eq!(self.body["status"], self.status, "{self:?}");
            assert_eq!(
                self.body["request_id"].as_str(),
                self.headers.get("x-request-id").map(String::as_str)
            );
        }
    }
}

pub(crate) fn document() -> &'static Value {
    static PARSED: LazyLock<Value> = LazyLock::new(|| serde_json::from_str(DOCUMENT).unwrap());
    &PARSED
}

/// A schema of the document, which may refer to its others.
pub(crate) fn validator(schema: &Value) -> Validator {
    let mut schema = schema.clone();
    schema["components"] = document()["components"].clone();
    schema["$schema"] = json!("https://json-schema.org/draft/2020-12/schema");
    jsonschema::options().should_validate_formats(true).build(&schema).unwrap()
}

fn valid(schema: &Value, value: &Value, answer: &Answer) {
    let faults: Vec<_> = validator(schema).iter_errors(value).map(|fault| fault.to_string()).collect();
    assert!(faults.is_empty(), "{faults:?}: {answer:?}");
}

#[expect(clippy::disallowed_methods, reason = "tests look at the wire itself")]
pub(crate) fn client() -> reqwest::Client {
    // A second installation fails, and the first serves all.
    let _ = rustls::crypto::ring::default_provider().install_default();
    reqwest::Client::builder().no_proxy().timeout(Duration::from_secs(30)).build().unwrap()
}

/// Sends bytes as they are, and reads until the other side ends the connection.
pub(crate) async fn raw(address: SocketAddr, bytes: &[u8]) -> String {
    let mut stream = TcpStream::connect(address).await.unwrap();
    stream.write_all(bytes).await.unwrap();
    read_to_end(&mut stream).await
}

pub(crate) async fn read_to_end(stream: &mut TcpStream) -> String {
    let mut answer = Vec::new();
    // An end by a reset is an end, too.
    let _ = tokio::time::timeout(Duration::from_secs(30), stream.read_to_end(&mut answer)).await.unwrap();
    String::from_utf8_lossy(&answer).into_owned()
}
