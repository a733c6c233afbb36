//! The door for NATS `JetStream`: a durable pull consumer, whose messages are acknowledged after our commit.
//!
//! The client reconnects by itself; a line is over as soon as the connection is, because what was asked for over the old
//! one may never come. Acknowledgements that were on their way then are sent over the new one.
//!
//! Invariant: the stream is the operator's. Nothing of it is changed, and it is made only where the settings say so.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use async_nats::connection::State;
use async_nats::header::NATS_MESSAGE_ID;
use async_nats::jetstream::consumer::pull::{self, Batch};
use async_nats::jetstream::consumer::{AckPolicy, FromConsumer as _, PullConsumer};
use async_nats::jetstream::context::GetStreamErrorKind;
use async_nats::jetstream::message::Acker;
use async_nats::jetstream::stream::{self, ConsumerCreateStrictErrorKind};
use async_nats::jetstream::{self, AckKind, ErrorCode};
use async_nats::{Client, ConnectErrorKind, ConnectOptions, Event};
use async_trait::async_trait;
use futures_util::{FutureExt as _, StreamExt as _};
use secrecy::ExposeSecret as _;
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

use super::broker::{self, Arrival, Broker, Fate, Gathering, Line, Report, Service, Trouble};
use super::doors::{Door, DoorError, Reception};
use crate::config;

const NAME: &str = "nats";

/// How long the server keeps one request for messages open; then we ask again.
const PULL: Duration = Duration::from_secs(5);
/// How long one question to the server may take.
const ANSWER: Duration = Duration::from_secs(5);
/// How often a silent connection is tried.
const PING: Duration = Duration::from_secs(5);
/// The longest pause of the client between two attempts to reconnect.
const LONGEST_PAUSE: Duration = Duration::from_secs(2);

/// The door.
#[derive(Debug)]
pub struct NatsDoor {
    service: Service<Server>,
}

impl NatsDoor {
    /// Reads the secrets, and looks at stream and consumer where the server can be reached. One that cannot is waited
    /// for later.
    pub async fn open(
        settings: &config::Nats,
        reception: &Reception,
        report: Arc<Report>,
    ) -> Result<Self, DoorError> {
        let mut server = Server::new(settings).await?;
        let looked = match server.connect().await {
            Ok(line) => {
                line.close().await;
                Ok(())
            }
            Err(trouble) => Err(trouble),
        };
        broker::first_look(NAME, looked)?;
        let gathering = Gathering {
            batch: server.batch(),
            linger: settings.linger(),
            max_waiting: settings.max_waiting.get(),
        };
        Ok(Self { service: Service { broker: server, gathering, reception: reception.clone(), report } })
    }
}

#[async_trait]
impl Door for NatsDoor {
    fn name(&self) -> &'static str {
        NAME
    }

    async fn serve(self: Box<Self>, stop: CancellationToken) -> Result<(), DoorError> {
        self.service.run(stop).await;
        Ok(())
    }
}

/// The server, and the client that keeps a connection to it.
struct Server {
    settings: config::Nats,
    options: ConnectOptions,
    client: Option<Client>,
    /// Counts the connections that were lost.
    lost: watch::Receiver<u64>,
}

impl fmt::Debug for Server {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Server").field("settings", &self.settings).finish_non_exhaustive()
    }
}

impl Server {
    async fn new(settings: &config::Nats) -> Result<Self, DoorError> {
        let (losing, lost) = watch::channel(0);
        let mut options = ConnectOptions::new()
            .name("gleaner")
            .connection_timeout(ANSWER)
            .request_timeout(Some(ANSWER))
            .ping_interval(PING)
            .max_reconnects(None)
            .reconnect_delay_callback(reconnect_pause)
            .event_callback(move |event| {
                if matches!(event, Event::Disconnected | Event::Closed) {
                    losing.send_modify(|count| *count += 1);
                }
                std::future::ready(())
            });
        if let Some(secret) = settings.password()? {
            let secret = secret.expose_secret().to_owned();
            options = match &settings.user {
                Some(user) => options.user_and_password(user.clone(), secret),
                None => options.token(secret),
            };
        }
        if let Some(path) = &settings.credentials_file {
            let read = options.credentials_file(path).await;
            options = read.map_err(|error| DoorError::Opening {
                door: NAME,
                reason: format!("cannot read the credentials file `{}`: {}", path.display(), error.kind()),
            })?;
        }
        if let Some(path) = &settings.ca_file {
            options = options.add_root_certificates(path.clone());
        }
        if settings.tls {
            options = options.require_tls(true);
        }
        Ok(Self { settings: settings.clone(), options, client: None, lost })
    }

    fn batch(&self) -> usize {
        self.settings.batch.get() as usize
    }

    /// The client, with a connection.
    async fn client(&mut self) -> Result<Client, Trouble> {
        if let Some(client) = &self.client {
            let mut lost = self.lost.clone();
            let connected = async {
                while client.connection_state() != State::Connected {
                    tokio::select! {
                        _ = lost.changed() => {}
                        () = tokio::time::sleep(Duration::from_millis(50)) => {}
                    }
                }
            };
            return match tokio::time::timeout(ANSWER, connected).await {
                Ok(()) => Ok(client.clone()),
                Err(_) => Err(Trouble::Away("the server cannot be reached".to_owned())),
            };
        }
        let url = self.settings.url.as_ref().map_or("", url::Url::as_str);
        let client = self.options.clone().connect(url).await.map_err(|error| match error.kind() {
            ConnectErrorKind::Authentication | ConnectErrorKind::AuthorizationViolation => {
                Trouble::Refused("the server does not accept the credentials".to_owned())
            }
            ConnectErrorKind::ServerParse | ConnectErrorKind::Tls => Trouble::Refused(error.to_string()),
            _ => Trouble::Away(error.to_string()),
        })?;
        Ok(self.client.insert(client).clone())
    }

    async fn stream(&self, context: &jetstream::Context) -> Result<stream::Stream, Trouble> {
        let name = &self.settings.stream;
        let error = match context.get_stream(name).await {
            Ok(stream) => return Ok(stream),
            Err(error) => error,
        };
        match error.kind() {
            GetStreamErrorKind::JetStream(said) if said.error_code() == ErrorCode::STREAM_NOT_FOUND => {
                let Some(subject) = self.settings.subject.clone().filter(|_| self.settings.create) else {
                    return Err(Trouble::Refused(format!(
                        "there is no stream `{name}`; make it at the server, or set `nats.create`"
                    )));
                };
                let config = stream::Config {
                    name: name.clone(),
                    subjects: vec![subject],
                    description: Some("registrations for Gleaner".to_owned()),
                    ..stream::Config::default()
                };
                let made = context.get_or_create_stream(config).await;
                made.map_err(|error| Trouble::Refused(format!("cannot make the stream `{name}`: {error}")))
            }
            GetStreamErrorKind::JetStream(said)
                if said.error_code() == ErrorCode::JETSTREAM_NOT_ENABLED_FOR_ACCOUNT =>
            {
                Err(Trouble::Refused("JetStream is not enabled for this account".to_owned()))
            }
            _ => Err(Trouble::Away(format!("the stream `{name}` cannot be looked at: {error}"))),
        }
    }

    /// The durable consumer: made where there is none, and brought to our settings where they differ. What else an
    /// operator set stays.
    async fn consumer(&self, stream: &stream::Stream) -> Result<PullConsumer, Trouble> {
        let name = &self.settings.consumer;
        let refused = |error: &dyn fmt::Display| {
            Trouble::Refused(format!("the consumer `{name}` cannot be used: {error}"))
        };
        let wanted = |config: pull::Config| pull::Config {
            durable_name: Some(name.clone()),
            ack_policy: AckPolicy::Explicit,
            ack_wait: self.settings.ack_wait(),
            max_ack_pending: self.settings.max_ack_pending.get().into(),
            filter_subject: self.settings.subject.clone().unwrap_or(config.filter_subject),
            ..config
        };
        let Ok(present) = stream.get_consumer::<pull::Config>(name).await else {
            let new = pull::Config {
                description: Some("registrations for Gleaner".to_owned()),
                ..pull::Config::default()
            };
            // Strictly: it may be there, and the question went unanswered.
            return stream.create_consumer_strict(wanted(new)).await.map_err(|error| match error.kind() {
                ConsumerCreateStrictErrorKind::TimedOut
                | ConsumerCreateStrictErrorKind::Request
                | ConsumerCreateStrictErrorKind::AlreadyExists => Trouble::Away(error.to_string()),
                _ => refused(&error),
            });
        };
        let config = present.cached_info().config.clone();
        if config.ack_policy != AckPolicy::Explicit {
            return Err(refused(&"it does not ask for explicit acknowledgements; make another one"));
        }
        if config.max_deliver > 0 {
            tracing::warn!(
                consumer = name,
                "the consumer's `max_deliver` makes the server give a message up: `gleaner reconcile` finds it"
            );
        }
        let config = pull::Config::try_from_consumer_config(config).map_err(|error| refused(&error))?;
        let wanted = wanted(config.clone());
        if wanted == config {
            return Ok(present);
        }
        stream.update_consumer(wanted).await.map_err(|error| refused(&error))
    }
}

/// The client's own pauses: growing, and different from one process to the next.
fn reconnect_pause(attempts: usize) -> Duration {
    let doublings = u32::try_from(attempts.saturating_sub(1)).unwrap_or(u32::MAX).min(8);
    let spread = Duration::from_millis(u64::from(std::process::id() % 50));
    (Duration::from_millis(25) * (1 << doublings)).min(LONGEST_PAUSE) + spread
}

#[async_trait]
impl Broker for Server {
    type Line = NatsLine;

    fn name(&self) -> &'static str {
        NAME
    }

    async fn connect(&mut self) -> Result<NatsLine, Trouble> {
        let client = self.client().await?;
        let mut lost = self.lost.clone();
        lost.mark_unchanged();
        let mut context = jetstream::new(client.clone());
        context.set_timeout(ANSWER);
        let stream = self.stream(&context).await?;
        let consumer = self.consumer(&stream).await?;
        let (batch, ack_wait) = (self.batch(), self.settings.ack_wait());
        Ok(NatsLine { client, consumer, lost, pull: None, batch, ack_wait })
    }
}

struct NatsLine {
    client: Client,
    consumer: PullConsumer,
    lost: watch::Receiver<u64>,
    /// The request that is open: it yields at most `batch` messages.
    pull: Option<Batch>,
    batch: usize,
    ack_wait: Duration,
}

impl NatsLine {
    fn arrival(message: jetstream::Message) -> Result<Arrival<Acker>, Trouble> {
        let info = message.info().map_err(|_| Trouble::Away("the server sent no message".to_owned()))?;
        let source = format!("{NAME}:{}", info.stream);
        let origin = format!("{source}:{}", info.stream_sequence);
        let sent_as = message.headers.as_ref().and_then(|headers| headers.get(NATS_MESSAGE_ID));
        let id = match sent_as {
            Some(id) => id.as_str().to_owned(),
            // A stream that was made anew counts from 1 again.
            None => format!("{} {}", info.stream_sequence, info.published.unix_timestamp_nanos()),
        };
        let redelivered = info.delivered > 1;
        let (message, receipt) = message.split();
        Ok(Arrival { body: message.payload.to_vec(), source, id: Some(id), origin, redelivered, receipt })
    }
}

#[async_trait]
impl Line for NatsLine {
    type Receipt = Acker;

    async fn next(&mut self) -> Result<Arrival<Acker>, Trouble> {
        loop {
            let open = if let Some(open) = &mut self.pull {
                open
            } else {
                // Only queued for sending, so that hardly anything can be dropped half-way.
                let asked = self.consumer.batch().max_messages(self.batch).expires(PULL).messages().await;
                self.pull.insert(asked.map_err(|error| Trouble::Away(error.to_string()))?)
            };
            tokio::select! {
                biased;
                _ = self.lost.changed() => {
                    return Err(Trouble::Away("the connection was lost".to_owned()));
                }
                received = open.next() => match received {
                    Some(Ok(message)) => return Self::arrival(message),
                    // A consumer that was deleted, a server that shuts down: connecting anew finds out.
                    Some(Err(error)) => return Err(Trouble::Away(error.to_string())),
                    None => self.pull = None,
                }
            }
        }
    }

    fn hold_every(&self) -> Option<Duration> {
        Some(self.ack_wait / 3)
    }

    async fn hold(&mut self, receipts: &[&Acker]) {
        for receipt in receipts {
            if receipt.ack_with(AckKind::Progress).await.is_err() {
                return;
            }
        }
    }

    async fn settle(&mut self, settled: Vec<(Acker, Fate)>) -> Result<(), Trouble> {
        for (receipt, fate) in settled {
            let kind = match fate {
                Fate::Taken => AckKind::Ack,
                Fate::Poison => AckKind::Term,
            };
            receipt.ack_with(kind).await.map_err(|error| Trouble::Away(error.to_string()))?;
        }
        Ok(())
    }

    async fn close(mut self) {
        // What is here already would come back only after `ack_wait`.
        if let Some(mut open) = self.pull.take() {
            while let Some(Some(Ok(message))) = open.next().now_or_never() {
                if message.ack_with(AckKind::Nak(None)).await.is_err() {
                    break;
                }
            }
        }
        if self.client.flush().await.is_err() {
            tracing::debug!(door = NAME, "the last acknowledgements could not be sent");
        }
    }
}
