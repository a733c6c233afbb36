//! `gleaner provider`: who can be asked, does it work, and shall it be asked?

use anyhow::Context as _;
use gleaner::enrich::panel::State;
use gleaner_providers::provider::KeyNeed;
use gleaner_providers::{Assurance, Claim, Confidence, EmailAddress, Lookup, SocialProfile, Subject};
use jiff::SignedDuration;
use serde_json::json;
use tokio::time::Instant;

use super::host::Host;
use super::view::{self, money};
use super::{Exit, Global, out};

pub(crate) mod gate;

use gate::Gates;

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
        /// An account of theirs, as a URL: what providers of the second hop are asked about; may be given again
        #[arg(long, value_name = "URL")]
        account: Vec<String>,
    },
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
        Command::Check { name, email, account } => check(&host, &name, &email, &account, global.json).await,
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
                "supplies": supplies, "told": about.told, "reads": about.reads, "quota": quota,
                "closed": gates.closed(&about.name), "budget": host.config.provider(&about.name).budget(about),
                "used": gates.used(&about.name),
                "price_per_match_micros": about.price.per_match, "price_per_miss_micros": about.price.per_miss,
                "key": about.key, "terms": about.terms,
            }))?;
            continue;
        }
        let price = view::price_words(about.price);
        let key = match about.key {
            KeyNeed::None => "none",
            KeyNeed::Optional => "optional",
            KeyNeed::Required => "required",
        };
        let state = match (missing, gates.closed(&about.name)) {
            (Some(missing), _) => format!("{state}: {missing}"),
            (None, Some(closed)) => format!("{state}: {}", gate::words(closed)),
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
    }
    Ok(Exit::Done)
}

async fn check(
    host: &Host,
    name: &str,
    email: &str,
    accounts: &[String],
    json: bool,
) -> anyhow::Result<Exit> {
    gleaner_providers::catalog::find(name)?;
    let subject = Subject::new(EmailAddress::parse(email).context("the address")?)
        .with_accounts(accounts.iter().map(|url| account(url)).collect::<Result<_, _>>()?);
    let panel = host.panel(None)?;
    let seat =
        panel.seats().iter().find(|seat| seat.descriptor.name == name).context("not in the catalog")?;
    let installed = match &seat.state {
        State::On(installed) => installed,
        State::Off(missing) => anyhow::bail!("`{name}` is off: {missing}"),
    };
    let Some(told) = installed.descriptor().told_of(&subject) else {
        let reads = installed.descriptor().reads.join(", ");
        anyhow::bail!("`{name}` is asked about an account only: name one with --account (on {reads})");
    };
    let started = Instant::now();
    let result = installed.provider().lookup(&subject, installed.http()).await;
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
            "provider": name, "told": told, "outcome": outcome, "finding": finding, "calls": traffic.calls,
            "retries": traffic.retries, "milliseconds": milliseconds, "cost_micros": cost,
        }))?;
        return Ok(exit);
    }
    out::line(format_args!("{} was told the {}", seat.descriptor.title, told.as_str()));
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

/// An account that the caller vouches for.
fn account(url: &str) -> anyhow::Result<Claim<SocialProfile>> {
    let profile = SocialProfile::parse(url).with_context(|| format!("the account `{url}`"))?;
    Ok(Claim::new(profile, Confidence::literal(1.0), Assurance::Proven))
}
