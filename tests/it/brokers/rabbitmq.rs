//! `RabbitMQ`, the real server.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use gleaner::config;
use gleaner::intake::broker::Report;
use gleaner::intake::doors::{Door, DoorError, Reception};
use gleaner::intake::rabbitmq::RabbitMqDoor;
use lapin::options::{BasicPublishOptions, ConfirmSelectOptions, QueueDeclareOptions, QueueDeleteOptions};
use lapin::types::{AMQPValue, FieldTable};
use lapin::{BasicProperties, Channel, Confirmation, Connection, ConnectionProperties};
use tokio::sync::Mutex;

use super::support::{Behind, TestBroker, Tuning, a_name, message};
use crate::support::{PrivateService, service, until};

pub(crate) struct TestRabbitMq {
    url: String,
    name: String,
    /// Made anew when it broke.
    publisher: Mutex<Option<(Connection, Channel)>>,
    server: Option<PrivateService>,
}

impl TestRabbitMq {
    async fn at(url: String, server: Option<PrivateService>) -> Self {
        let broker = Self { url, name: a_name("members-"), publisher: Mutex::new(None), server };
        broker.make().await;
        broker
    }

    async fn channel(&self) -> Option<(Connection, Channel)> {
        let connection = Connection::connect(&self.url, ConnectionProperties::default()).await.ok()?;
        let channel = connection.create_channel().await.ok()?;
        channel.confirm_select(ConfirmSelectOptions::default()).await.ok()?;
        Some((connection, channel))
    }

    async fn declare(&self, kind: &str) {
        let mut arguments = FieldTable::default();
        arguments.insert("x-queue-type".into(), AMQPValue::LongString(kind.into()));
        let (_connection, channel) = self.channel().await.unwrap();
        let name = self.name.as_str().into();
        channel.queue_declare(name, QueueDeclareOptions::durable(), arguments).await.unwrap();
    }

    async fn ready(&self) -> u64 {
        let (_connection, channel) = self.channel().await.unwrap();
        let looking = QueueDeclareOptions { passive: true, ..QueueDeclareOptions::default() };
        let name = self.name.as_str().into();
        channel.queue_declare(name, looking, FieldTable::default()).await.unwrap().message_count().into()
    }

    fn settings(&self, tuning: Tuning) -> config::RabbitMq {
        config::RabbitMq {
            url: Some(self.url.parse().unwrap()),
            queue: self.name.clone(),
            batch: tuning.batch.try_into().unwrap(),
            linger_ms: 5,
            prefetch: tuning.prefetch.try_into().unwrap(),
            create: tuning.create,
            max_waiting: tuning.max_waiting.try_into().unwrap(),
            ..config::RabbitMq::default()
        }
    }

    async fn try_publish(&self, channel: &Channel, id: Option<&str>, body: &[u8]) -> Option<()> {
        let properties = BasicProperties::default().with_delivery_mode(2);
        let properties = match id {
            Some(id) => properties.with_message_id(id.into()),
            None => properties,
        };
        let options = BasicPublishOptions { mandatory: true, ..BasicPublishOptions::default() };
        let sent = channel.basic_publish("".into(), self.name.as_str().into(), options, body, properties);
        matches!(sent.await.ok()?.await.ok()?, Confirmation::Ack(None)).then_some(())
    }
}

#[async_trait]
impl TestBroker for TestRabbitMq {
    const NAME: &'static str = "rabbitmq";

    async fn shared() -> Self {
        Self::at(service("GLEANER_TEST_RABBITMQ"), None).await
    }

    async fn private() -> Self {
        let server = PrivateService::start("rabbitmq").await;
        Self::at(server.url.clone(), Some(server)).await
    }

    async fn crash(&self) {
        self.server.as_ref().unwrap().crash().await;
    }

    async fn stop(&self) {
        self.server.as_ref().unwrap().stop().await;
    }

    async fn start_again(&self) {
        self.crash().await;
    }

    async fn publish(&self, id: Option<&str>, body: &[u8]) -> bool {
        let mut publisher = self.publisher.lock().await;
        let publish = async {
            if publisher.is_none() {
                *publisher = self.channel().await;
            }
            let (_, channel) = publisher.as_ref()?;
            self.try_publish(channel, id, body).await
        };
        // What a crash has swallowed never comes: the answer to a handshake, or a confirmation.
        let sent = tokio::time::timeout(Duration::from_secs(10), publish).await.ok().flatten();
        if sent.is_none() {
            *publisher = None;
        }
        sent.is_some()
    }

    async fn waiting(&self) -> u64 {
        self.ready().await
    }

    async fn left(&self) -> u64 {
        // What a connection that is gone held is put back a little later.
        let mut last = self.ready().await;
        loop {
            tokio::time::sleep(Duration::from_millis(200)).await;
            let now = self.ready().await;
            if now == last {
                return now;
            }
            last = now;
        }
    }

    async fn remove(&self) {
        let (_connection, channel) = self.channel().await.unwrap();
        channel.queue_delete(self.name.as_str().into(), QueueDeleteOptions::default()).await.unwrap();
    }

    async fn make(&self) {
        self.declare("classic").await;
    }

    async fn open(
        &self,
        reception: &Reception,
        report: Arc<Report>,
        tuning: Tuning,
    ) -> Result<Box<dyn Door>, DoorError> {
        Ok(Box::new(RabbitMqDoor::open(&self.settings(tuning), reception, report).await?))
    }

    fn config(&self) -> String {
        // The password of the tests' server is no secret, and still does not belong into an URL.
        let url = self.url.replace("guest:guest@", "guest@");
        format!(
            "[rabbitmq]\nurl = {url:?}\nqueue = {:?}\nbatch = 50\nprefetch = 100\npassword_file = \"rabbitmq-password\"\n",
            self.name
        )
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_quorum_queue_serves_as_well_and_rejected_messages_reach_its_dead_letter_exchange() {
    let broker = TestRabbitMq::shared().await;
    let behind = Behind::new().await;
    let (_connection, channel) = broker.channel().await.unwrap();
    let graveyard = format!("{}-dead", broker.name);
    channel
        .queue_declare(graveyard.as_str().into(), QueueDeclareOptions::durable(), FieldTable::default())
        .await
        .unwrap();
    broker.remove().await;
    let mut arguments = FieldTable::default();
    arguments.insert("x-queue-type".into(), AMQPValue::LongString("quorum".into()));
    arguments.insert("x-dead-letter-exchange".into(), AMQPValue::LongString("".into()));
    arguments.insert("x-dead-letter-routing-key".into(), AMQPValue::LongString(graveyard.as_str().into()));
    let name = broker.name.as_str().into();
    channel.queue_declare(name, QueueDeclareOptions::durable(), arguments).await.unwrap();

    for n in 0..100 {
        let body = if n % 10 == 0 { format!("poison {n}") } else { message(n) };
        assert!(broker.publish(Some(&format!("id-{n}")), body.as_bytes()).await);
    }
    let serving = behind.open(&broker, Tuning::default()).await;
    serving.until("all are acknowledged", |seen| seen.acknowledged == 100).await;
    serving.shut().await;
    let census = behind.census().await;
    assert_eq!((census.waiting, census.dead_letters, broker.left().await), (90, 10, 0));
    let buried = async || {
        let looking = QueueDeclareOptions { passive: true, ..QueueDeclareOptions::default() };
        channel
            .queue_declare(graveyard.as_str().into(), looking, FieldTable::default())
            .await
            .unwrap()
            .message_count()
    };
    until("the raw messages are in the operator's own queue", buried, |count| *count == 10).await;
    let origins: Vec<_> =
        behind.dead_letters().await.into_iter().filter_map(|letter| letter.origin).collect();
    assert!(origins.contains(&format!("rabbitmq:{}:id-40", broker.name)), "{origins:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_wrong_password_is_told_at_once() {
    let broker = TestRabbitMq::shared().await;
    let behind = Behind::new().await;
    let wrong = TestRabbitMq {
        url: broker.url.replace("guest:guest@", "guest:hunter2@"),
        name: broker.name.clone(),
        publisher: Mutex::new(None),
        server: None,
    };
    let refused = behind.try_open(&wrong, Tuning::default()).await.err().unwrap().to_string();
    assert!(refused.starts_with("the door `rabbitmq` cannot be opened: "), "{refused}");
    assert!(!refused.contains("hunter2"), "{refused}");
}
