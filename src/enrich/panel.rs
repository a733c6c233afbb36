//! The providers that this process asks, each behind its own door to the network, in tiers.
//!
//! Invariant: a provider without all it needs is listed with what is missing, and never asked.

use std::borrow::Cow;
use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use gleaner_providers::catalog::Row;
use gleaner_providers::email::Segment;
use gleaner_providers::http::{Network, Traffic};
use gleaner_providers::limit::Gate;
use gleaner_providers::provider::{KeyNeed, Reach};
use gleaner_providers::{Descriptor, HttpClient, Identifier, LookupError, Provider, ProviderSettings};
use tokio::time::Instant;

use super::breaker::{Breaker, Leave};
use crate::config::{Config, ConfigError, ProviderConfig, Send};
use crate::fleet::Fleet;

/// How often it is said that a provider's answers cannot be read.
const BETWEEN_PUZZLES: Duration = Duration::from_mins(1);

/// All providers of the catalog, and the tiers of those that are on.
pub struct Panel {
    seats: Vec<Seat>,
    tiers: Vec<Vec<Arc<Installed>>>,
}

/// One provider of the catalog, on or off.
#[derive(Debug)]
pub struct Seat {
    pub descriptor: Descriptor,
    pub state: State,
}

/// Whether a provider is asked.
#[derive(Debug)]
pub enum State {
    On(Arc<Installed>),
    /// With what is missing, or who switched it off.
    Off(Cow<'static, str>),
}

/// A provider that is asked.
pub struct Installed {
    provider: Arc<dyn Provider>,
    http: HttpClient,
    /// The kinds of address that it is asked about; `None`: all.
    only_for: Option<Vec<Segment>>,
    /// Set while the provider refuses us: its own words, and when we may try again.
    closed: Mutex<Option<(Instant, LookupError)>>,
    /// Answers of another shape than documented, since when it was last said.
    puzzles: Mutex<Puzzles>,
    /// Set while an operator keeps it closed for the whole fleet.
    paused: Mutex<Option<LookupError>>,
    /// Only in a fleet, and not where strangers' sites are asked: one that fails says nothing of the others.
    breaker: Option<Breaker>,
}

/// Answers that could not be read.
#[derive(Debug, Default)]
struct Puzzles {
    /// Not told yet.
    untold: u64,
    told: Option<Instant>,
}

/// Why the panel cannot be seated.
#[derive(Debug, thiserror::Error)]
pub enum PanelError {
    #[error(transparent)]
    Config(#[from] ConfigError),
    #[error("provider `{name}`: {reason}")]
    Provider { name: String, reason: String },
}

impl Panel {
    /// Seats every provider of the catalog as the configuration says. In a fleet its quota is shared with the other workers; without one, it is
    /// this process's own.
    pub fn seat(config: &Config, network: &Network, fleet: Option<&Fleet>) -> Result<Self, PanelError> {
        let seats = config
            .catalog
            .rows()
            .map(|row| seat(row, config, network, fleet))
            .collect::<Result<Vec<_>, _>>()?;
        let find = |name: &String| {
            seats.iter().find_map(|seat| match &seat.state {
                State::On(installed) if seat.descriptor.name == *name => Some(Arc::clone(installed)),
                _ => None,
            })
        };
        let tiers = config
            .enrich
            .tiers
            .iter()
            .map(|tier| tier.iter().filter_map(find).collect::<Vec<_>>())
            .filter(|tier| !tier.is_empty())
            .collect();
        Ok(Self { seats, tiers })
    }

    /// Seats these providers, and no others.
    pub const fn of_tiers(tiers: Vec<Vec<Arc<Installed>>>) -> Self {
        Self { seats: Vec::new(), tiers }
    }

    /// The tiers in the order in which they are asked; none is empty.
    pub fn tiers(&self) -> &[Vec<Arc<Installed>>] {
        &self.tiers
    }

    /// Those of the tiers, in their order.
    pub fn installed(&self) -> impl Iterator<Item = &Arc<Installed>> {
        self.tiers.iter().flatten()
    }

    /// Every provider of the catalog.
    pub fn seats(&self) -> &[Seat] {
        &self.seats
    }

    /// What went through the doors of all providers since the process started.
    pub fn traffic(&self) -> Vec<(String, Traffic)> {
        self.tiers.iter().flatten().map(|seat| (seat.name().to_owned(), seat.http.traffic())).collect()
    }
}

impl fmt::Debug for Panel {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Panel").field("tiers", &self.tiers).finish_non_exhaustive()
    }
}

fn seat(row: &Row, config: &Config, network: &Network, fleet: Option<&Fleet>) -> Result<Seat, PanelError> {
    let (name, descriptor) = (row.name(), row.descriptor());
    let own = config.provider(name);
    if let Some(reason) = unwanted(row, &descriptor, own.enabled) {
        return Ok(Seat { descriptor, state: State::Off(reason) });
    }
    let settings = settings(row, config)?;
    let missing = missing(&descriptor, &own, settings.key.is_some(), config);
    let state = match missing {
        Some(missing) if own.enabled == Some(true) => {
            return Err(refused(name, format!("is switched on but {missing}")));
        }
        Some(missing) => State::Off(missing),
        None => State::On(Arc::new(install(row, config, &settings, network, fleet)?)),
    };
    Ok(Seat { descriptor, state })
}

/// The settings that the provider itself sees.
fn settings(row: &Row, config: &Config) -> Result<ProviderSettings, PanelError> {
    let settings = config.provider(row.name()).settings(row.name())?;
    Ok(ProviderSettings { hash_only: config.enrich.send == Send::Hash, ..settings })
}

/// Why nobody wants it asked.
fn unwanted(row: &Row, descriptor: &Descriptor, enabled: Option<bool>) -> Option<Cow<'static, str>> {
    match enabled {
        Some(false) => Some("switched off in the configuration".into()),
        None if row.is_declared() => {
            let name = row.name();
            Some(format!("declared in a file, and not switched on: `gleaner provider enable {name}`").into())
        }
        None if descriptor.opt_in => {
            let terms = descriptor.terms.as_deref().unwrap_or("has terms of its own");
            Some(format!("needs `enabled = true`, because it {terms}").into())
        }
        None | Some(true) => None,
    }
}

/// What a provider lacks to be asked, once it is wanted.
pub fn lacks(descriptor: &Descriptor, config: &Config) -> Result<Option<Cow<'static, str>>, ConfigError> {
    let own = config.provider(&descriptor.name);
    let has_key = own.settings(&descriptor.name)?.key.is_some();
    Ok(missing(descriptor, &own, has_key, config))
}

fn missing(
    descriptor: &Descriptor,
    own: &ProviderConfig,
    has_key: bool,
    config: &Config,
) -> Option<Cow<'static, str>> {
    if config.enrich.send == Send::Hash && !descriptor.takes_hash {
        Some("takes no hash in place of the address, and `send = \"hash\"` lets nothing else leave".into())
    } else if descriptor.key == KeyNeed::Required && !has_key {
        Some(format!("needs a key: set {} or `key_file`", own.key_variable(&descriptor.name)).into())
    } else if descriptor.reach == Reach::Web && config.contact.is_none() {
        Some("needs `contact`: owners of sites must be able to reach you".into())
    } else {
        None
    }
}

/// Builds it, and its door to the network.
fn install(
    row: &Row,
    config: &Config,
    settings: &ProviderSettings,
    network: &Network,
    fleet: Option<&Fleet>,
) -> Result<Installed, PanelError> {
    let (name, own) = (row.name(), config.provider(row.name()));
    let provider = row.build(settings).map_err(|error| refused(name, error.to_string()))?;
    let told = provider.descriptor().told;
    if settings.hash_only && told != Identifier::AddressHash {
        let told = told.as_str();
        let reason = format!("is told the {told} although `send = \"hash\"`: a fault of the provider");
        return Err(refused(name, reason));
    }
    // With a key, its quota may be another.
    let limits = own.limits(provider.descriptor(), settings, &config.web);
    let http = match fleet {
        Some(fleet) => {
            let shared = fleet.quota(name, own.budget(provider.descriptor()));
            network.sharing_client(name, limits, shared)
        }
        None => network.client(name, limits),
    };
    let is_vendor = provider.descriptor().reach == Reach::Vendor;
    let breaker = fleet
        .filter(|_| is_vendor && config.breaker.is_on())
        .map(|fleet| Breaker::new(config.breaker, fleet.line(name)));
    Ok(Installed::new(provider, http).only_for(own.only_for).breaking(breaker))
}

fn refused(name: &str, reason: String) -> PanelError {
    PanelError::Provider { name: name.to_owned(), reason }
}

impl Installed {
    pub fn new(provider: Arc<dyn Provider>, http: HttpClient) -> Self {
        Self {
            provider,
            http,
            only_for: None,
            closed: Mutex::new(None),
            puzzles: Mutex::default(),
            paused: Mutex::new(None),
            breaker: None,
        }
    }

    /// The same, left alone by everybody while it fails again and again.
    #[must_use]
    pub fn breaking(self, breaker: Option<Breaker>) -> Self {
        Self { breaker, ..self }
    }

    /// Its breaker, if it has one.
    pub const fn breaker(&self) -> Option<&Breaker> {
        self.breaker.as_ref()
    }

    /// The same, asked about these kinds of address alone.
    #[must_use]
    pub fn only_for(self, only_for: Option<Vec<Segment>>) -> Self {
        Self { only_for, ..self }
    }

    /// Whether it is asked about addresses of this kind.
    pub fn admits(&self, segment: Segment) -> bool {
        self.only_for.as_ref().is_none_or(|segments| segments.contains(&segment))
    }

    /// A provider to try out, whether it is switched on or not; it has to have all it needs.
    pub fn to_try(row: &Row, config: &Config, network: &Network) -> Result<Self, PanelError> {
        let own = config.provider(row.name());
        let settings = settings(row, config)?;
        match missing(&row.descriptor(), &own, settings.key.is_some(), config) {
            Some(missing) => Err(refused(row.name(), missing.into_owned())),
            None => install(row, config, &settings, network, None),
        }
    }

    pub fn name(&self) -> &str {
        &self.provider.descriptor().name
    }

    pub fn descriptor(&self) -> &Descriptor {
        self.provider.descriptor()
    }

    pub fn provider(&self) -> &dyn Provider {
        &*self.provider
    }

    pub const fn http(&self) -> &HttpClient {
        &self.http
    }

    /// Does what the fleet says: `pause` is what a lookup is told while an operator keeps the provider closed.
    pub fn obey(&self, gate: Gate, pause: Option<LookupError>) {
        *self.paused.lock().unwrap_or_else(PoisonError::into_inner) = pause;
        if self.http.obey(gate) {
            *self.closed.lock().unwrap_or_else(PoisonError::into_inner) = None;
            if let Some(breaker) = &self.breaker {
                breaker.forget();
            }
        }
    }

    /// The refusal that stands, if the provider has refused us lately or is paused by an operator.
    fn standing_refusal(&self) -> Option<LookupError> {
        if let Some(pause) = &*self.paused.lock().unwrap_or_else(PoisonError::into_inner) {
            return Some(pause.clone());
        }
        let closed = self.closed.lock().unwrap_or_else(PoisonError::into_inner);
        closed.as_ref().filter(|(until, _)| Instant::now() < *until).map(|(_, error)| error.clone())
    }

    /// Leave to ask it now, or why not. Only one that has a breaker wants its leave back.
    pub async fn enter(&self) -> Result<Option<Leave<'_>>, LookupError> {
        if let Some(refusal) = self.standing_refusal() {
            return Err(refusal);
        }
        match &self.breaker {
            Some(breaker) => breaker.enter().await.map(Some),
            None => Ok(None),
        }
    }

    /// Says that a vendor's answer has another shape than documented: once a minute, with how many there were. A stranger's
    /// page owes us no shape.
    pub fn puzzle(&self, error: &LookupError) {
        if self.descriptor().reach == Reach::Web {
            return;
        }
        let mut puzzles = self.puzzles.lock().unwrap_or_else(PoisonError::into_inner);
        puzzles.untold += 1;
        if puzzles.told.is_none_or(|told| told.elapsed() >= BETWEEN_PUZZLES) {
            let (provider, answers) = (self.name(), puzzles.untold);
            *puzzles = Puzzles { untold: 0, told: Some(Instant::now()) };
            tracing::warn!(provider, answers, %error, "`{provider}` answers in another shape than documented: has its contract changed? try `gleaner provider check {provider}`");
        }
    }

    /// Remembers that the provider refuses us, so that a wrong key costs one call and not thousands, from the whole fleet. Says
    /// so once.
    pub fn close(&self, error: &LookupError, pause: Duration) {
        let mut closed = self.closed.lock().unwrap_or_else(PoisonError::into_inner);
        if closed.as_ref().is_none_or(|(until, _)| *until <= Instant::now()) {
            *closed = Some((Instant::now() + pause, error.clone()));
            let provider = self.name();
            tracing::warn!(provider, %error, "`{provider}` refuses us; not asked again for {} s", pause.as_secs());
            self.http.pause(pause, error.to_string());
        }
    }
}

impl fmt::Debug for Installed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Installed").field(&self.name()).finish()
    }
}
