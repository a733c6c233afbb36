//! The doors for brokers: where NATS `JetStream` and `RabbitMQ` are, and how their messages are taken.
//!
//! Invariant: no secret stands in an URL of the configuration; it comes from a file or from the environment.

use std::num::NonZeroU32;
use std::path::PathBuf;
use std::time::Duration;

use secrecy::SecretString;
use serde::Deserialize;
use url::Url;

use super::source::{self, ConfigError};
use super::{Problem, count};

/// The door for NATS `JetStream`: a durable pull consumer.
#[derive(Clone, Debug, Deserialize, PartialEq)]
#[serde(default, deny_unknown_fields)]
pub struct Nats {
    /// Absent: the door is shut.
    pub url: Option<Url>,
    pub stream: String,
    /// Only messages under this subject; absent: all of the stream.
    pub subject: Option<String>,
    /// The durable consumer: processes that share it share the messages.
    pub consumer: String,
    /// Messages taken in with one commit.
    pub batch: NonZeroU32,
    /// How long the first of them waits for company.
    pub linger_ms: u32,
    /// How long the server waits for an acknowledgement before it delivers again.
    pub ack_wait_secs: u32,
    /// Delivered and not yet acknowledged messages, of all processes that share the consumer.
    pub max_ack_pending: NonZeroU32,
    /// Waiting jobs from which on messages stay at the server.
    pub max_waiting: NonZeroU32,
    /// Make the stream where there is none.
    pub create: bool,
    /// The user whose password [`Nats::PASSWORD`] or `password_file` holds.
    pub user: Option<String>,
    pub password_file: Option<PathBuf>,
    /// A `.creds` file: JWT and key.
    pub credentials_file: Option<PathBuf>,
    /// Refuse a connection without TLS.
    pub tls: bool,
    /// Certificates (PEM) of a private authority.
    pub ca_file: Option<PathBuf>,
}

impl Nats {
    /// The environment variable with the password (with `user`) or else the token.
    pub const PASSWORD: &'static str = "GLEANER_NATS_PASSWORD";

    /// The password or token, if there is one.
    pub fn password(&self) -> Result<Option<SecretString>, ConfigError> {
        source::secret(self.password_file.as_deref(), Self::PASSWORD)
    }

    pub fn linger(&self) -> Duration {
        Duration::from_millis(self.linger_ms.into())
    }

    pub fn ack_wait(&self) -> Duration {
        Duration::from_secs(self.ack_wait_secs.into())
    }
}

impl Default for Nats {
    fn default() -> Self {
        Self {
            url: None,
            stream: "MEMBERS".to_owned(),
            subject: None,
            consumer: "gleaner".to_owned(),
            batch: count::<200>(),
            linger_ms: 10,
            ack_wait_secs: 30,
            max_ack_pending: count::<1000>(),
            max_waiting: count::<1_000_000>(),
            create: false,
            user: None,
            password_file: None,
            credentials_file: None,
            tls: false,
            ca_file: None,
        }
    }
}

/// The door for `RabbitMQ`: a consumer of one durable queue.
#[derive(Clone, Debug, Deserialize, PartialEq)]
#[serde(default, deny_unknown_fields)]
pub struct RabbitMq {
    /// Absent: the door is shut.
    pub url: Option<Url>,
    pub queue: String,
    /// Messages taken in with one commit.
    pub batch: NonZeroU32,
    /// How long the first of them waits for company.
    pub linger_ms: u32,
    /// Delivered and not yet acknowledged messages of this process.
    pub prefetch: NonZeroU32,
    /// Waiting jobs from which on messages stay at the server.
    pub max_waiting: NonZeroU32,
    /// Declare the queue (quorum, durable) where there is none.
    pub create: bool,
    pub password_file: Option<PathBuf>,
    /// Certificates (PEM) of a private authority, for `amqps`.
    pub ca_file: Option<PathBuf>,
}

impl RabbitMq {
    /// The environment variable with the password of the user in the URL.
    pub const PASSWORD: &'static str = "GLEANER_RABBITMQ_PASSWORD";

    /// The password, if there is one.
    pub fn password(&self) -> Result<Option<SecretString>, ConfigError> {
        source::secret(self.password_file.as_deref(), Self::PASSWORD)
    }

    pub fn linger(&self) -> Duration {
        Duration::from_millis(self.linger_ms.into())
    }
}

impl Default for RabbitMq {
    fn default() -> Self {
        Self {
            url: None,
            queue: "members".to_owned(),
            batch: count::<200>(),
            linger_ms: 10,
            prefetch: count::<400>(),
            max_waiting: count::<1_000_000>(),
            create: false,
            password_file: None,
            ca_file: None,
        }
    }
}

pub(super) fn problems(nats: &Nats, rabbitmq: &RabbitMq) -> Vec<Problem> {
    let mut found = Vec::new();
    let mut problem = |key: &str, message: &str| {
        found.push(Problem { key: key.to_owned(), message: message.to_owned() });
    };
    if let Some(url) = &nats.url {
        if !cfg!(feature = "nats") {
            problem(
                "nats.url",
                "this build has no door for NATS; build with `cargo install --features nats`",
            );
        }
        if !matches!(url.scheme(), "nats" | "tls" | "ws" | "wss") {
            problem("nats.url", "must start with `nats://` or `tls://`, such as `nats://127.0.0.1:4222`");
        }
        if !url.username().is_empty() || url.password().is_some() {
            problem("nats.url", &no_secret("`user`", Nats::PASSWORD));
        }
    }
    for (key, name) in [("nats.stream", &nats.stream), ("nats.consumer", &nats.consumer)] {
        if name.is_empty() || name.contains(|c: char| c.is_whitespace() || ".*>/\\".contains(c)) {
            problem(key, "must be a name without spaces and without any of `. * > / \\`");
        }
    }
    if nats.create && nats.subject.is_none() {
        problem("nats.create", "needs `nats.subject`: a new stream has to know what it keeps");
    }
    if nats.ack_wait_secs < 2 {
        problem("nats.ack_wait_secs", "must be at least 2");
    }
    if nats.max_ack_pending < nats.batch {
        problem("nats.max_ack_pending", "must be at least `nats.batch`, or no batch ever fills");
    }
    if let Some(url) = &rabbitmq.url {
        if !cfg!(feature = "rabbitmq") {
            problem(
                "rabbitmq.url",
                "this build has no door for RabbitMQ; build with `cargo install --features rabbitmq`",
            );
        }
        if !matches!(url.scheme(), "amqp" | "amqps") {
            problem(
                "rabbitmq.url",
                "must start with `amqp://` or `amqps://`, such as `amqp://gleaner@127.0.0.1/%2f`",
            );
        }
        if url.password().is_some() {
            problem("rabbitmq.url", &no_secret("the user's name", RabbitMq::PASSWORD));
        }
    }
    if rabbitmq.queue.is_empty() || rabbitmq.queue.len() > 255 {
        problem("rabbitmq.queue", "must be a name of 1 to 255 bytes");
    }
    if rabbitmq.prefetch < rabbitmq.batch || rabbitmq.prefetch.get() > u16::MAX.into() {
        problem("rabbitmq.prefetch", "must be at least `rabbitmq.batch`, and at most 65535");
    }
    found
}

fn no_secret(user: &str, variable: &str) -> String {
    format!("must hold no password: give {user} here, and the password in {variable} or in `password_file`")
}
