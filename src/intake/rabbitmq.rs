//! The door for `RabbitMQ`: a consumer of one durable queue, whose messages are acknowledged after our commit.
//!
//! Connection, channel and consumer are one line: whatever happens to one of them (an error of the channel, a deleted
//! queue, a restart) ends all three, and they are made anew. What was not acknowledged goes back to the queue then.
//!
//! Invariant: the queue is the operator's. It is looked at, and declared only where the settings say so.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use futures_util::StreamExt as _;
use lapin::message::Delivery;
use lapin::options::{
    BasicAckOptions, BasicConsumeOptions, BasicQosOptions, BasicRejectOptions, QueueDeclareOptions,
};
use lapin::protocol::{AMQPErrorKind, AMQPSoftError};
use lapin::tcp::OwnedTLSConfig;
use lapin::types::{AMQPValue, FieldTable};
use lapin::{Acker, Channel, Connection, ConnectionProperties, Consumer, ErrorKind};
use secrecy::{ExposeSecret as _, SecretString};
use tokio_util::sync::CancellationToken;
use url::Url;

use super::broker::{self, Arrival, Broker, Fate, Gathering, Line, Report, Service, Trouble};
use super::doors::{Door, DoorError, Reception};
use crate::config;
use crate::member::MemberId;

const NAME: &str = "rabbitmq";

/// How long connecting may take, from the name to the first message.
const CONNECTING: Duration = Duration::from_secs(15);
/// How long the server may take to hear of one batch.
const SETTLING: Duration = Duration::from_secs(30);
/// How often a silent connection is tried (seconds), unless the URL says otherwise.
const HEARTBEAT: &str = "10";
/// What the server hears when we leave.
const BYE: u16 = 200;

/// The door.
#[derive(Debug)]
pub struct RabbitMqDoor {
    service: Service<Server>,
}

impl RabbitMqDoor {
    /// Reads the secrets, and looks at the queue where the server can be reached. One that cannot is waited for later.
    pub async fn open(
        settings: &config::RabbitMq,
        reception: &Reception,
        report: Arc<Report>,
    ) -> Result<Self, DoorError> {
        let server = Server::new(settings)?;
        broker::first_look(NAME, within(CONNECTING, server.look()).await)?;
        let gathering = Gathering {
            batch: settings.batch.get() as usize,
            linger: settings.linger(),
            max_waiting: settings.max_waiting.get(),
        };
        Ok(Self { service: Service { broker: server, gathering, reception: reception.clone(), report } })
    }
}

#[async_trait]
impl Door for RabbitMqDoor {
    fn name(&self) -> &'static str {
        NAME
    }

    async fn serve(self: Box<Self>, stop: CancellationToken) -> Result<(), DoorError> {
        self.service.run(stop).await;
        Ok(())
    }
}

/// The server, and how to get in.
struct Server {
    settings: config::RabbitMq,
    /// With the password.
    address: SecretString,
    certificates: Option<String>,
}

impl fmt::Debug for Server {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Server").field("settings", &self.settings).finish_non_exhaustive()
    }
}

impl Server {
    fn new(settings: &config::RabbitMq) -> Result<Self, DoorError> {
        let refused = |reason: String| DoorError::Opening { door: NAME, reason };
        let mut url = settings.url.clone().ok_or_else(|| refused("`rabbitmq.url` is not set".to_owned()))?;
        if let Some(password) = settings.password()? {
            url.set_password(Some(password.expose_secret()))
                .map_err(|()| refused("`rabbitmq.url` has no place for a password".to_owned()))?;
        }
        add_heartbeat(&mut url);
        let certificates = match &settings.ca_file {
            Some(path) => Some(std::fs::read_to_string(path).map_err(|error| {
                refused(format!("cannot read the certificates `{}`: {}", path.display(), error.kind()))
            })?),
            None => None,
        };
        Ok(Self { settings: settings.clone(), address: String::from(url).into(), certificates })
    }

    /// Whether the queue is there. Takes nothing: what is taken and not kept counts as delivered.
    async fn look(&self) -> Result<(), Trouble> {
        let connection = self.connection().await?;
        // Kept until the connection is closed: a channel closes itself when it is dropped, and the two would meet.
        let _channel = self.channel(&connection).await?;
        say_goodbye(&connection).await;
        Ok(())
    }

    async fn connection(&self) -> Result<Connection, Trouble> {
        let tls = OwnedTLSConfig { identity: None, cert_chain: self.certificates.clone() };
        let properties = ConnectionProperties::default().with_connection_name("gleaner".into());
        let runtime = lapin::runtime::default_runtime().map_err(|error| trouble(&error))?;
        Connection::connect_with_config(self.address.expose_secret(), properties, tls, runtime)
            .await
            .map_err(|error| trouble(&error))
    }

    async fn line(&self) -> Result<RabbitMqLine, Trouble> {
        let connection = self.connection().await?;
        let channel = self.channel(&connection).await?;
        let prefetch = u16::try_from(self.settings.prefetch.get()).unwrap_or(u16::MAX);
        let ready = channel.basic_qos(prefetch, BasicQosOptions::default()).await;
        ready.map_err(|error| trouble(&error))?;
        let queue = self.settings.queue.as_str();
        let consumer = channel
            .basic_consume(queue.into(), "".into(), BasicConsumeOptions::default(), FieldTable::default())
            .await
            .map_err(|error| trouble(&error))?;
        Ok(RabbitMqLine { queue: queue.to_owned(), connection, consumer, channel })
    }

    /// A channel on which the queue was seen.
    async fn channel(&self, connection: &Connection) -> Result<Channel, Trouble> {
        let queue = self.settings.queue.as_str();
        let channel = connection.create_channel().await.map_err(|error| trouble(&error))?;
        let looking = QueueDeclareOptions { passive: true, ..QueueDeclareOptions::default() };
        let Err(error) = channel.queue_declare(queue.into(), looking, FieldTable::default()).await else {
            return Ok(channel);
        };
        if !is_not_found(&error) {
            return Err(trouble(&error));
        }
        if !self.settings.create {
            return Err(Trouble::Refused(format!(
                "there is no queue `{queue}`; declare it at the server, or set `rabbitmq.create`"
            )));
        }
        // The error has closed the first channel.
        let channel = connection.create_channel().await.map_err(|error| trouble(&error))?;
        let mut arguments = FieldTable::default();
        arguments.insert("x-queue-type".into(), AMQPValue::LongString("quorum".into()));
        let declared = channel.queue_declare(queue.into(), QueueDeclareOptions::durable(), arguments).await;
        declared.map_err(|error| trouble(&error))?;
        Ok(channel)
    }
}

async fn within<T>(limit: Duration, asking: impl Future<Output = Result<T, Trouble>>) -> Result<T, Trouble> {
    match tokio::time::timeout(limit, asking).await {
        Ok(answered) => answered,
        Err(_) => Err(Trouble::Away("the server does not answer".to_owned())),
    }
}

/// One acknowledgement for all: batches are settled in the order of delivery, so that nothing before the last one
/// of a batch is still open. What cannot be taken in is rejected first, which is what a dead-letter exchange of the
/// operator's listens for; without one, it is an acknowledgement.
async fn acknowledge(settled: Vec<(Acker, Fate)>) -> Result<(), Trouble> {
    let too_late = || Trouble::Away("the channel was closed before the acknowledgement".to_owned());
    let mut last = None;
    for (acker, fate) in settled {
        match fate {
            Fate::Taken => last = Some(acker),
            Fate::Poison => {
                let rejected = acker.reject(BasicRejectOptions { requeue: false }).await;
                rejected.map_err(|error| trouble(&error))?.then_some(()).ok_or_else(too_late)?;
            }
        }
    }
    if let Some(last) = last {
        let acknowledged = last.ack(BasicAckOptions { multiple: true }).await;
        acknowledged.map_err(|error| trouble(&error))?.then_some(()).ok_or_else(too_late)?;
    }
    Ok(())
}

async fn say_goodbye(connection: &Connection) {
    if let Err(error) = connection.close(BYE, "bye".into()).await {
        tracing::debug!(door = NAME, %error, "the connection did not close well");
    }
}

/// Silence is noticed soon, unless the URL says otherwise.
fn add_heartbeat(url: &mut Url) {
    if !url.query_pairs().any(|(key, _)| key == "heartbeat") {
        url.query_pairs_mut().append_pair("heartbeat", HEARTBEAT);
    }
}

fn is_not_found(error: &lapin::Error) -> bool {
    match error.kind() {
        ErrorKind::ProtocolError(said) => *said.kind() == AMQPErrorKind::Soft(AMQPSoftError::NOTFOUND),
        _ => false,
    }
}

fn trouble(error: &lapin::Error) -> Trouble {
    match error.kind() {
        ErrorKind::ProtocolError(said) => match said.kind() {
            AMQPErrorKind::Soft(_) => Trouble::Refused(error.to_string()),
            // A server that shuts down says so with an error of the connection.
            AMQPErrorKind::Hard(_) => Trouble::Away(error.to_string()),
        },
        _ => Trouble::Away(error.to_string()),
    }
}

#[async_trait]
impl Broker for Server {
    type Line = RabbitMqLine;

    fn name(&self) -> &'static str {
        NAME
    }

    async fn connect(&mut self) -> Result<RabbitMqLine, Trouble> {
        within(CONNECTING, self.line()).await
    }
}

struct RabbitMqLine {
    queue: String,
    consumer: Consumer,
    connection: Connection,
    /// Closed when it is dropped.
    channel: Channel,
}

impl RabbitMqLine {
    fn arrival(&self, message: Delivery) -> Arrival<Acker> {
        let Delivery { data, properties, redelivered, acker, .. } = message;
        let source = format!("{NAME}:{}", self.queue);
        let id = properties.message_id().as_ref().map(|id| id.as_str().to_owned());
        // A sender's own id is repeated only where it can stand in a log.
        let shown = id.as_deref().and_then(|id| MemberId::parse(id).ok());
        let origin = shown.map_or_else(|| source.clone(), |id| format!("{source}:{id}"));
        Arrival { body: data, source, id, origin, redelivered, receipt: acker }
    }
}

#[async_trait]
impl Line for RabbitMqLine {
    type Receipt = Acker;

    async fn next(&mut self) -> Result<Arrival<Acker>, Trouble> {
        match self.consumer.next().await {
            Some(Ok(message)) => Ok(self.arrival(message)),
            Some(Err(error)) => Err(Trouble::Away(error.to_string())),
            None => Err(Trouble::Away("the server ended the consumer: was the queue deleted?".to_owned())),
        }
    }

    fn hold_every(&self) -> Option<Duration> {
        None
    }

    async fn hold(&mut self, _receipts: &[&Acker]) {}

    async fn settle(&mut self, settled: Vec<(Acker, Fate)>) -> Result<(), Trouble> {
        within(SETTLING, acknowledge(settled)).await
    }

    async fn close(self) {
        drop(self.consumer);
        if self.channel.status().connected() {
            // What was delivered and not acknowledged goes back to the queue.
            say_goodbye(&self.connection).await;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_urls_own_heartbeat_wins() {
        for (given, expected) in [
            ("amqp://g@127.0.0.1/%2f", "amqp://g@127.0.0.1/%2f?heartbeat=10"),
            ("amqp://g@127.0.0.1/%2f?frame_max=9000", "amqp://g@127.0.0.1/%2f?frame_max=9000&heartbeat=10"),
            ("amqp://g@127.0.0.1/%2f?heartbeat=3", "amqp://g@127.0.0.1/%2f?heartbeat=3"),
        ] {
            let mut url = Url::parse(given).unwrap();
            add_heartbeat(&mut url);
            assert_eq!(url.as_str(), expected);
        }
    }

    #[test]
    fn no_secret_shows() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("password");
        std::fs::write(&file, "hunter2 @/").unwrap();
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt as _;
            std::fs::set_permissions(&file, std::fs::Permissions::from_mode(0o600)).unwrap();
        }
        let settings = config::RabbitMq {
            url: Some(Url::parse("amqp://gleaner@127.0.0.1/%2f").unwrap()),
            password_file: Some(file),
            ..config::RabbitMq::default()
        };
        let server = Server::new(&settings).unwrap();
        assert!(!format!("{server:?}").contains("hunter2"), "{server:?}");
        assert_eq!(
            server.address.expose_secret(),
            "amqp://gleaner:hunter2%20%40%2F@127.0.0.1/%2f?heartbeat=10"
        );
    }
}
