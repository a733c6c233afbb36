//! NATS `JetStream`, the real server.

use std::sync::Arc;
use std::time::Duration;

use async_nats::HeaderMap;
use async_nats::jetstream::consumer::PullConsumer;
use async_nats::jetstream::{self, stream};
use async_trait::async_trait;
use gleaner::config;
use gleaner::intake::broker::Report;
use gleaner::intake::doors::{Door, DoorError, Reception};
use gleaner::intake::nats::NatsDoor;

use super::support::{Behind, TestBroker, Tuning, a_name, message};
use crate::support::{PrivateService, service};

const CONSUMER: &str = "gleaner";

pub(crate) struct TestNats {
    url: String,
    name: String,
    client: async_nats::Client,
    server: Option<PrivateService>,
}

impl TestNats {
    async fn at(url: String, server: Option<PrivateService>) -> Self {
        let client = async_nats::ConnectOptions::new()
            .request_timeout(Some(Duration::from_secs(2)))
            .reconnect_delay_callback(|_| Duration::from_millis(50))
            .connect(&url)
            .await
            .unwrap();
        let broker = Self { url, name: a_name("M"), client, server };
        broker.make().await;
        broker
    }

    fn subject(&self) -> String {
        format!("{}.registered", self.name)
    }

    fn jetstream(&self) -> jetstream::Context {
        let mut context = jetstream::new(self.client.clone());
        context.set_timeout(Duration::from_secs(2));
        context
    }

    async fn consumer(&self) -> Option<jetstream::consumer::Info> {
        let stream = self.jetstream().get_stream(&self.name).await.ok()?;
        let consumer: PullConsumer = stream.get_consumer(CONSUMER).await.ok()?;
        Some(consumer.cached_info().clone())
    }

    fn settings(&self, tuning: Tuning) -> config::Nats {
        config::Nats {
            url: Some(self.url.parse().unwrap()),
            stream: self.name.clone(),
            subject: Some(self.subject()),
            consumer: CONSUMER.to_owned(),
            batch: tuning.batch.try_into().unwrap(),
            linger_ms: 5,
            ack_wait_secs: tuning.ack_wait,
            max_ack_pending: tuning.prefetch.try_into().unwrap(),
            create: tuning.create,
            max_waiting: tuning.max_waiting.try_into().unwrap(),
            ..config::Nats::default()
        }
    }
}

#[async_trait]
impl TestBroker for TestNats {
    const NAME: &'static str = "nats";

    async fn shared() -> Self {
        Self::at(service("GLEANER_TEST_NATS"), None).await
    }

    async fn private() -> Self {
        let server = PrivateService::start("nats").await;
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
        let mut headers = HeaderMap::new();
        if let Some(id) = id {
            headers.insert("Nats-Msg-Id", id);
        }
        let sent = self.jetstream().publish_with_headers(self.subject(), headers, body.to_vec().into()).await;
        match sent {
            Ok(acknowledged) => acknowledged.await.is_ok(),
            Err(_) => false,
        }
    }

    async fn waiting(&self) -> u64 {
        match self.consumer().await {
            Some(consumer) => consumer.num_pending,
            None => self.left().await,
        }
    }

    async fn left(&self) -> u64 {
        match self.consumer().await {
            Some(consumer) => consumer.num_pending + consumer.num_ack_pending as u64,
            None => self.jetstream().get_stream(&self.name).await.unwrap().cached_info().state.messages,
        }
    }

    async fn remove(&self) {
        self.jetstream().delete_stream(&self.name).await.unwrap();
    }

    async fn make(&self) {
        let config = stream::Config {
            name: self.name.clone(),
            subjects: vec![self.subject()],
            ..stream::Config::default()
        };
        self.jetstream().create_stream(config).await.unwrap();
    }

    async fn open(
        &self,
        reception: &Reception,
        report: Arc<Report>,
        tuning: Tuning,
    ) -> Result<Box<dyn Door>, DoorError> {
        Ok(Box::new(NatsDoor::open(&self.settings(tuning), reception, report).await?))
    }

    fn config(&self) -> String {
        format!(
            "[nats]\nurl = {:?}\nstream = {:?}\nconsumer = {CONSUMER:?}\nbatch = 50\nack_wait_secs = 2\n",
            self.url, self.name
        )
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn long_work_is_announced_so_that_nothing_is_delivered_twice() {
    use crate::faulty::AtTheDoor;

    let (broker, behind) = (TestNats::shared().await, Behind::new().await);
    for n in 0..10 {
        assert!(broker.publish(None, message(n).as_bytes()).await);
    }
    behind.switch.send_replace(AtTheDoor::Stuck);
    let serving = behind.open(&broker, Tuning { ack_wait: 4, ..Tuning::default() }).await;
    serving.until("ten messages are in hand", |seen| seen.messages == 10).await;
    // Longer than the server waits for an acknowledgement; there is nothing else to wait for.
    tokio::time::sleep(Duration::from_secs(7)).await;
    behind.switch.send_replace(AtTheDoor::Open);
    serving.until("all are acknowledged", |seen| seen.acknowledged == 10).await;
    let seen = serving.shut().await;
    assert_eq!((seen.messages, seen.redelivered, broker.left().await), (10, 0, 0), "{seen:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_operators_consumer_is_kept_and_only_our_settings_are_brought_to_it() {
    use async_nats::jetstream::consumer::{AckPolicy, pull};

    let (broker, behind) = (TestNats::shared().await, Behind::new().await);
    let stream = broker.jetstream().get_stream(&broker.name).await.unwrap();
    let theirs = pull::Config {
        durable_name: Some(CONSUMER.to_owned()),
        description: Some("ours, thank you".to_owned()),
        ack_wait: Duration::from_secs(77),
        ..pull::Config::default()
    };
    stream.create_consumer(theirs.clone()).await.unwrap();
    behind.open(&broker, Tuning::default()).await.shut().await;
    let kept = broker.consumer().await.unwrap().config;
    assert_eq!(kept.description.as_deref(), Some("ours, thank you"));
    assert_eq!((kept.ack_wait, kept.max_ack_pending), (Duration::from_secs(30), 100));

    stream.delete_consumer(CONSUMER).await.unwrap();
    stream.create_consumer(pull::Config { ack_policy: AckPolicy::All, ..theirs }).await.unwrap();
    let refused = behind.try_open(&broker, Tuning::default()).await.err().unwrap().to_string();
    assert_eq!(
        refused,
        "the door `nats` cannot be opened: the consumer `gleaner` cannot be used: it does not ask for explicit \
         acknowledgements; make another one"
    );
}
