//! `gleaner provider`: who can be asked, does it work, and shall it be asked?

use gleaner::enrich::panel::State;
use gleaner_providers::provider::KeyNeed;
use jiff::SignedDuration;
use serde_json::json;

use super::host::Host;
use super::view;
use super::{Exit, Global, out};

pub(crate) mod check;
pub(crate) mod gate;
pub(crate) mod scaffold;
pub(crate) mod switch;

use gate::Gates;

#[derive(clap::Subcommand, Debug)]
pub(crate) enum Command {
    /// List every provider: state, fields, quota, price, and what is missing to switch it on
    List,
    /// Ask one provider about one address, and tell each step; nothing is stored
    Check(check::Args),
    /// Switch a provider on: writes `enabled = true` into the settings file, and a tier for one that is in none
    Enable(switch::Enable),
    /// Switch a provider off: writes `enabled = false` into the settings file
    Disable(switch::Disable),
    /// Begin a provider: source, fixtures, test and catalog row in a checkout, or with `--declared` a file without Rust
    New(scaffold::Args),
    /// Ask a provider no more, from no worker; its lookups wait and lose no attempt
    Pause {
        /// The provider's name
        name: String,
        /// Resume by itself after this long, such as 30m, 2h or 1d [default: when `provider resume` says so]
        #[arg(long = "for", value_name = "DURATION")]
        length: Option<SignedDuration>,
        /// Why, for those who see it paused; no personal data
        #[arg(long, value_name = "TEXT")]
        reason: Option<String>,
    },
    /// Ask a provider again, whether you paused it or it asked us to wait; the lookups that waited are due at once
    Resume {
        /// The provider's name
        name: String,
    },
}

pub(crate) async fn run(global: &Global, command: Command) -> anyhow::Result<Exit> {
    let host = Host::open(global)?;
    match command {
        Command::List => list(&host, global.json).await,
        Command::Check(args) => check::run(&host, &args, global.json).await,
        Command::Enable(args) => switch::enable(&host, &args, global.json),
        Command::Disable(args) => switch::disable(&host, &args, global.json),
        Command::New(args) => scaffold::run(&host, &args, global.json),
        Command::Pause { name, length, reason } => {
            gate::pause(&host, &name, length, reason.as_deref(), global.json).await
        }
        Command::Resume { name } => gate::resume(&host, &name, global.json).await,
    }
}

async fn list(host: &Host, json: bool) -> anyhow::Result<Exit> {
    let panel = host.panel(None)?;
    let gates = Gates::read(host).await?;
    let mut table = out::table(["Provider", "state", "supplies", "is told", "quota", "price", "key"], &[]);
    for seat in panel.seats() {
        // With a key, what it is told and its quota may be another.
        let (about, state, missing) = match &seat.state {
            State::On(installed) if tier_of(host, &seat.descriptor.name).is_none() => {
                (installed.descriptor(), "on", Some("in no tier of `enrich.tiers`: nobody asks it"))
            }
            State::On(installed) => (installed.descriptor(), "on", None),
            State::Off(missing) => (&seat.descriptor, "off", Some(missing.as_ref())),
        };
        let supplies: Vec<_> = about.supplies.iter().map(|field| field.as_str()).collect();
        let limits = host.config.provider(&about.name).limits(
            about,
            &gleaner_providers::ProviderSettings::default(),
            &host.config.web,
        );
        let quota = view::quota(limits.quota);
        if json {
            out::json(&json!({
                "name": about.name, "title": about.title, "docs": about.docs, "state": state, "missing": missing,
                "supplies": supplies, "told": about.told, "reads": about.reads, "quota": quota,
                "closed": gates.closed(&about.name), "budget": host.config.provider(&about.name).budget(about),
                "used": gates.used(&about.name),
                "price_per_match_micros": about.price.per_match, "price_per_miss_micros": about.price.per_miss,
                "key": about.key, "terms": about.terms, "tier": tier_of(host, &about.name),
            }))?;
            continue;
        }
        let price = view::price_words(about.price);
        let key = match about.key {
            KeyNeed::None => "none",
            KeyNeed::Optional => "optional",
            KeyNeed::Required => "required",
        };
        let state = match (missing, gates.words(&about.name)) {
            (Some(missing), _) => format!("{state}: {missing}"),
            (None, Some(words)) => format!("{state}: {words}"),
            (None, None) => state.to_owned(),
        };
        table.add_row([
            about.name.as_ref(),
            &state,
            &supplies.join(" "),
            about.told.as_str(),
            &quota,
            &price,
            key,
        ]);
    }
    if !json {
        out::line(table);
        for about in panel.seats().iter().map(|seat| &seat.descriptor) {
            if let Some(terms) = &about.terms {
                out::line(format_args!("  terms of {}: {terms}", about.name));
            }
        }
        out::line("  switch one on or off: `gleaner provider enable|disable NAME`");
    }
    Ok(Exit::Done)
}

/// The number of the tier in which it is asked, from 1.
fn tier_of(host: &Host, name: &str) -> Option<usize> {
    let tiers = &host.config.enrich.tiers;
    tiers.iter().position(|tier| tier.iter().any(|known| known == name)).map(|at| at + 1)
}
