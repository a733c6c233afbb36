//! What most commands need: settings, key, store, providers.

use std::fmt;
use std::sync::Arc;

use anyhow::Context as _;
use gleaner::clock::{SharedClock, SystemClock};
use gleaner::config::{Config, Problem};
use gleaner::enrich::{Enricher, Panel, Policy};
use gleaner::keyring::Keyring;
use gleaner::store::{self, SharedStore};
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
        let (store, _) = store::open(&self.config.database(), &keyring.fingerprint()).await?;
        Ok(Vault { store, keyring: Arc::new(keyring) })
    }

    /// Builds the providers.
    pub(crate) fn panel(&self) -> anyhow::Result<Panel> {
        let network = Network::new(self.config.contact.as_deref(), Arc::clone(&self.clock))?;
        Ok(Panel::seat(&self.config, &network)?)
    }

    /// A worker over this store.
    pub(crate) fn worker(
        &self,
        store: &SharedStore,
        until: Until,
        report: &Arc<Report>,
    ) -> anyhow::Result<Worker> {
        let panel = self.panel()?;
        let policy = Policy::from_config(&self.config);
        Ok(Worker {
            store: Arc::clone(store),
            enricher: Arc::new(Enricher::new(panel, policy, Arc::clone(&self.clock))),
            settings: Settings {
                owner: gleaner::keyring::incarnation().context("cannot name this worker")?,
                worker: self.config.worker.clone(),
                max_attempts: self.config.retry.max_attempts.get(),
                until,
            },
            clock: Arc::clone(&self.clock),
            report: Arc::clone(report),
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
