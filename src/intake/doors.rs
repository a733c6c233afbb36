//! Every door that stands open for messages: opened together, watched, and shut together. (What is only looked through, as
//! metrics are, is watched and shut along with them.)
//!
//! Invariant: the one place that starts and stops doors. A door that cannot open ends the start, and one that ends
//! without being told to is reported: a process that looks alive and takes nothing in helps nobody.

use std::fmt::Debug;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use jiff::{SignedDuration, Timestamp};
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use super::http::HttpDoor;
use super::inbox::InboxDoor;
use crate::clock::SharedClock;
use crate::config::{Config, ConfigError};
use crate::keyring::Keyring;
use crate::store::SharedStore;

/// How long the doors may take to finish what they have in hand. Longer than any request may take.
const SHUT_WITHIN: Duration = Duration::from_secs(20);

/// How often it is looked for requests that are to be forgotten, and how long between two pieces of many.
const FORGET_EVERY: Duration = Duration::from_mins(1);
const BREATH: Duration = Duration::from_millis(50);

/// What every door hands its registrations over to.
#[derive(Clone, Debug)]
pub struct Reception {
    pub store: SharedStore,
    pub keyring: Arc<Keyring>,
    pub clock: SharedClock,
    /// How long requests and messages are known again: one that comes later may undo a change of address.
    pub remember: SignedDuration,
}

impl Reception {
    /// When something that comes now is forgotten.
    pub fn forget_at(&self, now: Timestamp) -> Timestamp {
        now.checked_add(self.remember).unwrap_or(Timestamp::MAX)
    }

    /// Forgets what is over, at the start and every now and then; bounded pieces, so that nobody waits long for their turn.
    async fn forget(self, stop: CancellationToken) {
        let mut pause = BREATH;
        loop {
            tokio::select! {
                () = stop.cancelled() => return,
                () = tokio::time::sleep(pause) => {}
            }
            pause = match self.store.forget_requests(self.clock.now()).await {
                Ok(0) => FORGET_EVERY,
                Ok(_) => BREATH,
                Err(error) => {
                    tracing::warn!(%error, "requests whose time is over were not forgotten; the next turn tries again");
                    FORGET_EVERY
                }
            };
        }
    }
}

/// A way in for registrations that stays open until it is told to shut. Whatever can fail for good, such as a wrong
/// setting or a taken port, fails before there is a value of this kind.
#[async_trait]
pub trait Door: Debug + Send {
    /// For logs and errors: `http`, `inbox`, `nats`, `rabbitmq`, `metrics`.
    fn name(&self) -> &'static str;

    /// Serves until told to stop; then takes nothing new, finishes and acknowledges what is in hand, and returns.
    /// What may pass (a broker that is away, a database that is busy) is waited for in here.
    async fn serve(self: Box<Self>, stop: CancellationToken) -> Result<(), DoorError>;
}

/// Why a door is not open. Carries no personal data and no secret.
#[derive(Debug, thiserror::Error)]
pub enum DoorError {
    #[error(transparent)]
    Config(#[from] ConfigError),
    #[error("the door `{door}` cannot be opened: {reason}")]
    Opening { door: &'static str, reason: String },
    #[error("the door `{door}` ended: {reason}")]
    Ended { door: &'static str, reason: String },
}

/// The open doors of this process.
#[derive(Debug, Default)]
pub struct Doors {
    serving: JoinSet<Result<(), DoorError>>,
    names: Vec<&'static str>,
    stop: CancellationToken,
}

impl Doors {
    /// Opens every configured door, or none.
    pub async fn open(config: &Config, reception: &Reception) -> Result<Self, DoorError> {
        let http = HttpDoor::open(config, reception).await?.map(|door| Box::new(door) as Box<dyn Door>);
        let inbox = InboxDoor::open(reception);
        let opened = [http, inbox, nats(config, reception).await?, rabbitmq(config, reception).await?];
        let doors = Self::of(opened.into_iter().flatten().collect());
        if !doors.names.is_empty() {
            tokio::spawn(reception.clone().forget(doors.stop.clone()));
        }
        Ok(doors)
    }

    /// Lets these doors serve.
    pub fn of(opened: Vec<Box<dyn Door>>) -> Self {
        let mut doors = Self::default();
        for door in opened {
            doors.add(door);
        }
        doors
    }

    /// Lets one more serve.
    pub fn add(&mut self, door: Box<dyn Door>) {
        let name = door.name();
        let stop = self.stop.clone();
        self.names.push(name);
        self.serving.spawn(async move {
            door.serve(stop.clone()).await?;
            if stop.is_cancelled() {
                return Ok(());
            }
            Err(DoorError::Ended {
                door: name,
                reason: "it stopped serving without being told to".to_owned(),
            })
        });
    }

    /// Which doors were opened.
    pub fn names(&self) -> &[&'static str] {
        &self.names
    }

    /// Ends when a door does, which none should do by itself; never where there are none.
    pub async fn ended(&mut self) -> DoorError {
        loop {
            match self.serving.join_next().await {
                Some(Ok(Ok(()))) => {}
                Some(Ok(Err(error))) => return error,
                // Telemetry has said where.
                Some(Err(_)) => {
                    return DoorError::Ended { door: "?", reason: "a bug: it panicked".to_owned() };
                }
                None => std::future::pending().await,
            }
        }
    }

    /// Tells every door to stop, and waits until what they have in hand is finished.
    pub async fn shut(&mut self) {
        self.stop.cancel();
        let all = async {
            while let Some(ended) = self.serving.join_next().await {
                if let Ok(Err(error)) = ended {
                    tracing::warn!(%error, "a door did not shut well");
                }
            }
        };
        if tokio::time::timeout(SHUT_WITHIN, all).await.is_err() {
            tracing::warn!(doors = self.serving.len(), "doors that did not shut in time are left");
            self.serving.abort_all();
        }
    }
}

#[cfg(feature = "nats")]
async fn nats(config: &Config, reception: &Reception) -> Result<Option<Box<dyn Door>>, DoorError> {
    if config.nats.url.is_none() {
        return Ok(None);
    }
    let door = super::nats::NatsDoor::open(&config.nats, reception, Arc::default()).await?;
    Ok(Some(Box::new(door)))
}

#[cfg(not(feature = "nats"))]
#[expect(clippy::unused_async, reason = "as the real one; the check of the settings says what is missing")]
async fn nats(_config: &Config, _reception: &Reception) -> Result<Option<Box<dyn Door>>, DoorError> {
    Ok(None)
}

#[cfg(feature = "rabbitmq")]
async fn rabbitmq(config: &Config, reception: &Reception) -> Result<Option<Box<dyn Door>>, DoorError> {
    if config.rabbitmq.url.is_none() {
        return Ok(None);
    }
    let door = super::rabbitmq::RabbitMqDoor::open(&config.rabbitmq, reception, Arc::default()).await?;
    Ok(Some(Box::new(door)))
}

#[cfg(not(feature = "rabbitmq"))]
#[expect(clippy::unused_async, reason = "as the real one; the check of the settings says what is missing")]
async fn rabbitmq(_config: &Config, _reception: &Reception) -> Result<Option<Box<dyn Door>>, DoorError> {
    Ok(None)
}

#[cfg(test)]
mod tests {
    use std::sync::Mutex;

    use super::*;

    type Log = Arc<Mutex<Vec<&'static str>>>;

    /// Serves until it is told to stop, or ends as it was made to.
    #[derive(Debug)]
    struct Flap {
        name: &'static str,
        log: Log,
        ends: Option<Result<(), &'static str>>,
    }

    #[async_trait]
    impl Door for Flap {
        fn name(&self) -> &'static str {
            self.name
        }

        async fn serve(self: Box<Self>, stop: CancellationToken) -> Result<(), DoorError> {
            match self.ends {
                Some(Ok(())) => return Ok(()),
                Some(Err(reason)) => {
                    return Err(DoorError::Ended { door: self.name, reason: reason.to_owned() });
                }
                None => stop.cancelled().await,
            }
            self.log.lock().unwrap().push(self.name);
            Ok(())
        }
    }

    fn doors(ends: [Option<Result<(), &'static str>>; 2]) -> (Doors, Log) {
        let log = Log::default();
        let flap = |name, ends| Box::new(Flap { name, log: Arc::clone(&log), ends }) as Box<dyn Door>;
        let [one, other] = ends;
        (Doors::of(vec![flap("one", one), flap("other", other)]), log)
    }

    #[tokio::test]
    async fn doors_serve_until_they_are_shut() {
        let (mut doors, log) = doors([None, None]);
        assert_eq!(doors.names(), ["one", "other"]);
        let early = tokio::time::timeout(Duration::from_millis(20), doors.ended()).await;
        assert!(early.is_err(), "{early:?}");
        doors.shut().await;
        let mut shut = log.lock().unwrap().clone();
        shut.sort_unstable();
        assert_eq!(shut, ["one", "other"], "each has finished what it had in hand");
    }

    #[tokio::test]
    async fn a_door_that_ends_by_itself_is_reported() {
        let (mut failing, _) = doors([None, Some(Err("the port is gone"))]);
        assert_eq!(failing.ended().await.to_string(), "the door `other` ended: the port is gone");
        let (mut quitting, log) = doors([Some(Ok(())), None]);
        let told = quitting.ended().await.to_string();
        assert_eq!(told, "the door `one` ended: it stopped serving without being told to");
        quitting.shut().await;
        assert_eq!(*log.lock().unwrap(), ["other"], "the others are still shut in order");
    }

    #[tokio::test(start_paused = true)]
    async fn a_door_that_hangs_does_not_hold_the_process() {
        #[derive(Debug)]
        struct Stuck;
        #[async_trait]
        impl Door for Stuck {
            fn name(&self) -> &'static str {
                "stuck"
            }

            async fn serve(self: Box<Self>, _stop: CancellationToken) -> Result<(), DoorError> {
                std::future::pending().await
            }
        }
        let started = tokio::time::Instant::now();
        Doors::of(vec![Box::new(Stuck)]).shut().await;
        assert_eq!(started.elapsed(), SHUT_WITHIN);
    }
}
