//! `gleaner provider`: who can be asked, and does it work?

use anyhow::Context as _;
use gleaner::enrich::panel::State;
use gleaner_providers::provider::KeyNeed;
use gleaner_providers::{EmailAddress, Lookup, Subject};
use serde_json::json;
use tokio::time::Instant;

use super::host::Host;
use super::view::{self, money};
use super::{Exit, Global, out};

#[derive(clap::Subcommand, Debug)]
pub(crate) enum Command {
    /// List every provider: state, fields, quota, price, and what is missing to switch it on
    List,
    /// Ask one provider about one address; nothing is stored
    Check {
        /// The provider's name
        name: String,
        /// The address to ask about
        #[arg(long)]
        email: String,
    },
}

pub(crate) async fn run(global: &Global, command: Command) -> anyhow::Result<Exit> {
    let host = Host::open(global)?;
    match command {
        Command::List => list(&host, global.json),
        Command::Check { name, email } => check(&host, &name, &email, global.json).await,
    }
}

fn list(host: &Host, json: bool) -> anyhow::Result<Exit> {
    let panel = host.panel()?;
    let mut table = out::table(["Provider", "state", "supplies", "is told", "quota", "price", "key"], &[]);
    for seat in panel.seats() {
        let about = &seat.descriptor;
        let (state, missing) = match &seat.state {
            State::On(_) => ("on", None),
            State::Off(missing) => ("off", Some(missing.as_ref())),
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
                "supplies": supplies, "told": about.told, "quota": quota,
                "price_per_match_micros": about.price.per_match, "price_per_miss_micros": about.price.per_miss,
                "key": about.key, "terms": about.terms,
            }))?;
            continue;
        }
        let price = if about.price.is_free() {
            "free".to_owned()
        } else {
            format!("{} a match", money(about.price.per_match.0))
        };
        let key = match about.key {
            KeyNeed::None => "none",
            KeyNeed::Optional => "optional",
            KeyNeed::Required => "required",
        };
        let state = missing.map_or_else(|| state.to_owned(), |missing| format!("{state}: {missing}"));
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
    }
    Ok(Exit::Done)
}

async fn check(host: &Host, name: &str, email: &str, json: bool) -> anyhow::Result<Exit> {
    gleaner_providers::catalog::find(name)?;
    let email = EmailAddress::parse(email).context("the address")?;
    let panel = host.panel()?;
    let seat =
        panel.seats().iter().find(|seat| seat.descriptor.name == name).context("not in the catalog")?;
    let installed = match &seat.state {
        State::On(installed) => installed,
        State::Off(missing) => anyhow::bail!("`{name}` is off: {missing}"),
    };
    let started = Instant::now();
    let result = installed.provider().lookup(&Subject::new(email), installed.http()).await;
    let (milliseconds, traffic) = (started.elapsed().as_millis(), installed.http().traffic());
    let cost = result.as_ref().map_or(0, |lookup| seat.descriptor.price.of(lookup).0);
    let (outcome, exit) = match &result {
        Ok(Lookup::Match(_)) => ("match".to_owned(), Exit::Done),
        Ok(Lookup::NoMatch) => ("no match".to_owned(), Exit::Nothing),
        Ok(Lookup::Pending { after, .. }) => (format!("pending for {} s", after.as_secs()), Exit::Nothing),
        Ok(Lookup::Objected) => ("the person objected".to_owned(), Exit::Nothing),
        Err(error) => (error.to_string(), Exit::Failed),
    };
    let finding = result.ok().and_then(|lookup| match lookup {
        Lookup::Match(finding) => Some(finding),
        Lookup::NoMatch | Lookup::Pending { .. } | Lookup::Objected => None,
    });
    if json {
        out::json(&json!({
            "provider": name, "outcome": outcome, "finding": finding, "calls": traffic.calls,
            "retries": traffic.retries, "milliseconds": milliseconds, "cost_micros": cost,
        }))?;
        return Ok(exit);
    }
    out::line(format_args!("{} was told the {}", seat.descriptor.title, seat.descriptor.told.as_str()));
    out::line(format_args!(
        "{outcome} after {milliseconds} ms, {} calls, {} of them retries, {}",
        traffic.calls,
        traffic.retries,
        money(cost)
    ));
    if let Some(finding) = finding {
        view::print_finding(&finding);
    }
    Ok(exit)
}
