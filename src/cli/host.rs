//! What most commands need: settings, key, store, providers.

use std::fmt;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context as _;
use gleaner::clock::{SharedClock, SystemClock};
use gleaner::config::{Config, Database, Problem};
use gleaner::enrich::{Enricher, Market, Panel, Policy};
use gleaner::fleet::Fleet;
use gleaner::keyring::Keyring;
use gleaner::store::{self, Migrated, SharedStore, StoreError};
use gleaner::worker::learner::weigh_stock;
use gleaner::worker::{Report, Settings, Stop, Until, Worker};
use gleaner_providers::http::Network;

use super::Global;

/// Between two tries to reach a database that is not there yet.
const SHORTEST_PAUSE: Duration = Duration::from_millis(100);
const LONGEST_PAUSE: Duration = Duration::from_secs(5);

/// Settings that were read and checked.
#[derive(Debug)]
pub(crate) struct Host {
    pub(crate) config: Config,
    /// The file that they were read from; `None` where every setting is the default, or was made elsewhere.
    pub(crate) file: Option<PathBuf>,
    pub(crate) clock: SharedClock,
}

/// An open store and the key that belongs to it.
#[derive(Debug)]
pub(crate) struct Vault {
    pub(crate) store: SharedStore,
    pub(crate) keyring: Arc<Keyring>,
}

impl Host {
    /// Reads and checks the settings.
    pub(crate) fn open(global: &Global) -> anyhow::Result<Self> {
        let mut loaded = Config::load(global.config.as_deref(), &global.catalog)?;
        global.choose_database(&mut loaded.config);
        Ok(Self { file: loaded.file, ..Self::with_config(loaded.config, global)? })
    }

    /// Takes settings that were read elsewhere; options of the command line still win.
    pub(crate) fn with_config(mut config: Config, global: &Global) -> anyhow::Result<Self> {
        if let Some(data_dir) = &global.data_dir {
            config.data_dir.clone_from(data_dir);
        }
        let problems = config.problems();
        if problems.is_empty() {
            Ok(Self { config, file: None, clock: SystemClock::shared() })
        } else {
            Err(BadConfig(problems).into())
        }
    }

    /// Opens the database, making it and its key at the first run.
    pub(crate) async fn vault(&self) -> anyhow::Result<Vault> {
        Ok(self.vault_and_migrations().await?.0)
    }

    /// Opens the database, and says what that did to its tables.
    pub(crate) async fn vault_and_migrations(&self) -> anyhow::Result<(Vault, Migrated)> {
        let keyring = Keyring::open_or_create(&self.config.key_file())?;
        let (store, migrated) = store::open(&self.config.database(), &keyring.fingerprint()).await?;
        Ok((Vault { store, keyring: Arc::new(keyring) }, migrated))
    }

    /// Opens the database as soon as it is there: a worker may be started before its server. `None` after a stop.
    pub(crate) async fn vault_when_there(&self, stop: &Stop) -> anyhow::Result<Option<Vault>> {
        let mut pause = SHORTEST_PAUSE;
        loop {
            let error = match self.vault().await {
                Ok(vault) => return Ok(Some(vault)),
                Err(error) => error,
            };
            match error.downcast_ref() {
                Some(StoreError::Unavailable(_)) => tracing::warn!(%error, "waiting for the database"),
                _ => return Err(error),
            }
            tokio::select! {
                () = stop.asked() => return Ok(None),
                () = tokio::time::sleep(pause) => pause = (pause * 2).min(LONGEST_PAUSE),
            }
        }
    }

    /// Opens the database if it was made already: who only looks makes none.
    pub(crate) async fn vault_if_made(&self) -> anyhow::Result<Option<Vault>> {
        match self.config.database() {
            Database::Sqlite(path) if !path.exists() => Ok(None),
            _ => self.vault().await.map(Some),
        }
    }

    /// Lets a command that only looks know what the workers know: what providers were worth, and how far each is believed.
    pub(crate) async fn learn(&self, vault: &Vault, enricher: &Enricher) -> anyhow::Result<()> {
        enricher.market().learn(&vault.store.lessons().await?);
        weigh_stock(&vault.store, enricher.beliefs()).await;
        Ok(())
    }

    /// Builds the providers, each with the fleet's quota, or without a fleet with one of its own.
    pub(crate) fn panel(&self, fleet: Option<&Fleet>) -> anyhow::Result<Panel> {
        let network = Network::new(self.config.contact.as_deref(), Arc::clone(&self.clock))?;
        Ok(Panel::seat(&self.config, &network, fleet)?)
    }

    /// A worker over this store.
    pub(crate) fn worker(
        &self,
        store: &SharedStore,
        until: Until,
        report: &Arc<Report>,
    ) -> anyhow::Result<Worker> {
        let owner = gleaner::keyring::incarnation().context("cannot name this worker")?;
        let fleet = Fleet::join(Arc::clone(store), Arc::clone(&self.clock), owner.clone());
        let panel = self.panel(Some(&fleet))?;
        let market = Market::new(&self.config.enrich, &panel);
        let policy = Policy::from_config(&self.config);
        let enricher = Enricher::new(panel, policy, Arc::clone(&self.clock)).with_market(market);
        Ok(Worker {
            store: Arc::clone(store),
            enricher: Arc::new(enricher),
            settings: Settings {
                owner,
                worker: self.config.worker.clone(),
                max_attempts: self.config.retry.max_attempts.get(),
                until,
            },
            clock: Arc::clone(&self.clock),
            report: Arc::clone(report),
            fleet: Arc::new(fleet),
        })
    }
}

impl Global {
    /// Puts the database of the command line or the environment in the configured one's place.
    pub(super) fn choose_database(&self, config: &mut Config) {
        if let Some(database) = &self.database {
            config.database = Some(database.clone());
        }
    }
}

/// Settings that were read, and are wrong.
#[derive(Debug)]
pub(crate) struct BadConfig(pub(crate) Vec<Problem>);

impl fmt::Display for BadConfig {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the configuration cannot be used")?;
        self.0.iter().try_for_each(|problem| write!(f, "\n  {problem}"))
    }
}

impl std::error::Error for BadConfig {}
