//! What most commands need: settings, key, store, providers.

use std::fmt;
use std::sync::Arc;

use anyhow::Context as _;
use gleaner::clock::{SharedClock, SystemClock};
use gleaner::config::{Config, Problem};
use gleaner::enrich::{Enricher, Panel, Policy};
use gleaner::fleet::Fleet;
use gleaner::keyring::Keyring;
use gleaner::store::SharedStore;
use gleaner::store::sqlite::SqliteStore;
use gleaner::worker::{Report, Settings, Until, Worker};
use gleaner_providers::http::Network;

use super::Global;

/// Settings that were read and checked.
#[derive(Debug)]
pub(crate) struct Host {
    pub(crate) config: Config,
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
        let loaded = Config::load(global.config.as_deref())?;
        Self::with_config(loaded.config, global)
    }

    /// Takes settings that were read elsewhere; options of the command line still win.
    pub(crate) fn with_config(mut config: Config, global: &Global) -> anyhow::Result<Self> {
        if let Some(data_dir) = &global.data_dir {
            config.data_dir.clone_from(data_dir);
        }
        let problems = config.problems();
        if problems.is_empty() {
            Ok(Self { config, clock: SystemClock::shared() })
        } else {
            Err(BadConfig(problems).into())
        }
    }

    /// Opens the database, making it and its key at the first run.
    pub(crate) async fn vault(&self) -> anyhow::Result<Vault> {
        let keyring = Keyring::open_or_create(&self.config.key_file())?;
        let store = SqliteStore::open(&self.config.database_file(), &keyring.fingerprint()).await?;
        Ok(Vault { store: Arc::new(store), keyring: Arc::new(keyring) })
    }

    /// Opens the database if it was made already: who only looks makes none.
    pub(crate) async fn vault_if_made(&self) -> anyhow::Result<Option<Vault>> {
        if self.config.database_file().exists() { self.vault().await.map(Some) } else { Ok(None) }
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
        let policy = Policy::from_config(&self.config);
        Ok(Worker {
            store: Arc::clone(store),
            enricher: Arc::new(Enricher::new(panel, policy, Arc::clone(&self.clock))),
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
