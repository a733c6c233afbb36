//! The providers that this process asks, each behind its own door to the network, in tiers.
//!
//! Invariant: a provider without all it needs is listed with what is missing, and never asked.

use std::borrow::Cow;
use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use gleaner_providers::catalog::{BUILT_INS, Entry};
use gleaner_providers::email::Segment;
use gleaner_providers::http::{Network, Traffic};
use gleaner_providers::limit::Gate;
use gleaner_providers::provider::{KeyNeed, Reach};
use gleaner_providers::{Descriptor, HttpClient, Identifier, LookupError, Provider, ProviderSettings};
use tokio::time::Instant;

use crate::config::{Config, ConfigError, Send};
use crate::fleet::Fleet;

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
    /// Set while an operator keeps it closed for the whole fleet.
    paused: Mutex<Option<LookupError>>,
}

/// Why the panel cannot be seated.
#[derive(Debug, thiserror::Error)]
pub enum PanelError {
    #[error(transparent)]
    Config(#[from] ConfigError),
    #[error("provider `{name}`: {reason}")]
    Provider { name: &'static str, reason: String },
}

impl Panel {
    /// Seats every built-in as the configuration says. In a fleet its quota is shared with the other workers; without one, it is
    /// this process's own.
    pub fn seat(config: &Config, network: &Network, fleet: Option<&Fleet>) -> Result<Self, PanelError> {
        let seats = BUILT_INS
            .iter()
            .map(|entry| seat(entry, config, network, fleet))
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

fn seat(
    entry: &Entry,
    config: &Config,
    network: &Network,
    fleet: Option<&Fleet>,
) -> Result<Seat, PanelError> {
    let descriptor = (entry.descriptor)();
    let own = config.provider(entry.name);
    let hash_only = config.enrich.send == Send::Hash;
    let settings = ProviderSettings { hash_only, ..own.settings(entry.name)? };
    let missing = if own.enabled == Some(false) {
        Some(Cow::Borrowed("switched off in the configuration"))
    } else if descriptor.opt_in && own.enabled.is_none() {
        let terms = descriptor.terms.as_deref().unwrap_or("has terms of its own");
        Some(format!("off by default, because it {terms}: `enabled = true` agrees").into())
    } else if hash_only && !descriptor.takes_hash {
        Some(Cow::Borrowed(
            "takes no hash in place of the address, and `send = \"hash\"` lets nothing else leave",
        ))
    } else if descriptor.key == KeyNeed::Required && settings.key.is_none() {
        Some(format!("needs a key: set {} or `key_file`", own.key_variable(entry.name)).into())
    } else if descriptor.reach == Reach::Web && config.contact.is_none() {
        Some(Cow::Borrowed("needs `contact`: owners of sites must be able to reach you"))
    } else {
        None
    };
    let refused = |reason: String| PanelError::Provider { name: entry.name, reason };
    let state = match missing {
        Some(missing) if own.enabled == Some(true) => {
            return Err(refused(format!("is switched on but {missing}")));
        }
        Some(missing) => State::Off(missing),
        None => {
            let provider = (entry.build)(&settings).map_err(|error| refused(error.to_string()))?;
            let told = provider.descriptor().told;
            if hash_only && told != Identifier::AddressHash {
                let told = told.as_str();
                return Err(refused(format!(
                    "is told the {told} although `send = \"hash\"`: a fault of the provider"
                )));
            }
            // With a key, its quota may be another.
            let limits = own.limits(provider.descriptor(), &settings, &config.web);
            let http = match fleet {
                Some(fleet) => {
                    let shared = fleet.quota(entry.name, own.budget(provider.descriptor()));
                    network.sharing_client(entry.name, limits, shared)
                }
                None => network.client(entry.name, limits),
            };
            State::On(Arc::new(Installed::new(provider, http).only_for(own.only_for)))
        }
    };
    Ok(Seat { descriptor, state })
}

impl Installed {
    pub fn new(provider: Arc<dyn Provider>, http: HttpClient) -> Self {
        Self { provider, http, only_for: None, closed: Mutex::new(None), paused: Mutex::new(None) }
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
        }
    }

    /// The refusal that stands, if the provider has refused us lately or is paused by an operator.
    pub fn standing_refusal(&self) -> Option<LookupError> {
        if let Some(pause) = &*self.paused.lock().unwrap_or_else(PoisonError::into_inner) {
            return Some(pause.clone());
        }
        let closed = self.closed.lock().unwrap_or_else(PoisonError::into_inner);
        closed.as_ref().filter(|(until, _)| Instant::now() < *until).map(|(_, error)| error.clone())
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
