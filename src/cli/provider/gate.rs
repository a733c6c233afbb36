//! Whether a provider may be asked: `gleaner provider pause` and `resume`, and how it is shown.

use std::time::Duration;

use anyhow::{Context as _, ensure};
use gleaner::store::fleet::{Closed, ClosedBy, GateState, Usage};
use jiff::{SignedDuration, Timestamp};
use serde_json::json;

use crate::cli::host::Host;
use crate::cli::{Exit, out};

/// The longest reason that is kept.
const LONGEST_REASON: usize = 200;

/// What the fleet knows of its providers.
#[derive(Default)]
pub(crate) struct Gates {
    gates: Vec<GateState>,
    usage: Vec<Usage>,
}

impl Gates {
    /// Reads it, where there is a database.
    pub(crate) async fn read(host: &Host) -> anyhow::Result<Self> {
        let Some(vault) = host.vault_if_made().await? else { return Ok(Self::default()) };
        let now = host.clock.now();
        let gates = Self { gates: vault.store.pulse(now).await?.gates, usage: vault.store.usage(now).await? };
        vault.store.close().await;
        Ok(gates)
    }

    pub(crate) fn closed(&self, provider: &str) -> Option<&Closed> {
        self.gates.iter().find(|gate| gate.provider == provider)?.closed.as_ref()
    }

    /// Why it is not asked as usual, in words.
    pub(super) fn words(&self, provider: &str) -> Option<String> {
        self.gates.iter().find(|gate| gate.provider == provider).and_then(words_of)
    }

    pub(super) fn used(&self, provider: &str) -> Option<&Usage> {
        self.usage.iter().find(|usage| usage.provider == provider)
    }
}

pub(super) async fn pause(
    host: &Host,
    name: &str,
    length: Option<SignedDuration>,
    reason: Option<&str>,
    json: bool,
) -> anyhow::Result<Exit> {
    host.config.catalog.find(name)?;
    let length = length.map(Duration::try_from).transpose().context("`--for` must not be negative")?;
    ensure!(length.is_none_or(|length| !length.is_zero()), "`--for` must be longer than nothing");
    ensure!(
        reason.is_none_or(|reason| reason.chars().count() <= LONGEST_REASON),
        "the reason is longer than {LONGEST_REASON} characters"
    );
    let now = host.clock.now();
    let vault = host.vault().await?;
    vault.store.pause(name, length, reason, now).await?;
    let closed = vault.store.pulse(now).await?.gates.into_iter().find(|gate| gate.provider == name);
    vault.store.close().await;
    let closed = closed.and_then(|gate| gate.closed);
    if json {
        out::json(&json!({ "provider": name, "closed": closed }))?;
    } else if let Some(closed) = &closed {
        out::line(format_args!("`{name}` is {}; no worker asks it, and its lookups wait", words(closed)));
    }
    Ok(Exit::Done)
}

pub(super) async fn resume(host: &Host, name: &str, json: bool) -> anyhow::Result<Exit> {
    host.config.catalog.find(name)?;
    let vault = host.vault().await?;
    let resumed = vault.store.resume(name, host.clock.now()).await?;
    vault.store.close().await;
    if json {
        out::json(
            &json!({ "provider": name, "was_closed": resumed.was_closed, "jobs_due": resumed.jobs_due }),
        )?;
    } else if resumed.was_closed {
        out::line(format_args!("`{name}` is asked again; {} members that waited are due", resumed.jobs_due));
    } else {
        out::line(format_args!("`{name}` was not closed; {} members that waited are due", resumed.jobs_due));
    }
    Ok(Exit::Done)
}

/// Why a provider is not asked as usual, in words.
pub(crate) fn words_of(gate: &GateState) -> Option<String> {
    let half_open = || (gate.trips > 0).then(|| "tried by one lookup, after it failed".to_owned());
    gate.closed.as_ref().map(words).or_else(half_open)
}

/// Why a provider is closed, and until when, in words.
pub(crate) fn words(closed: &Closed) -> String {
    let by = match closed.by {
        ClosedBy::Operator => "paused",
        ClosedBy::Provider => "waiting",
        ClosedBy::Breaker => "left alone, because it fails,",
    };
    let until = closed.until.map_or_else(|| "until you resume it".to_owned(), until);
    match &closed.why {
        Some(why) => format!("{by} {until} ({why})"),
        None => format!("{by} {until}"),
    }
}

fn until(until: Timestamp) -> String {
    format!("until {}", until.strftime("%Y-%m-%d %H:%M:%S UTC"))
}
