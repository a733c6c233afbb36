//! `gleaner provider check`: one real lookup by one provider, each step told, nothing stored.
//!
//! Invariant: no secret is shown; the address stands in no line that tells what was sent, so that the answer can be passed
//! on with a question about it.

use std::path::Path;

use anyhow::Context as _;
use gleaner::config;
use gleaner::enrich::panel::Installed;
use gleaner_providers::catalog::Row;
use gleaner_providers::http::{Network, Step, Trail};
use gleaner_providers::{Assurance, Claim, Confidence, EmailAddress, Lookup, SocialProfile, Subject};
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use serde_json::json;
use tokio::time::Instant;

use crate::cli::host::Host;
use crate::cli::view::{self, money};
use crate::cli::{Exit, out};

#[derive(clap::Args, Debug)]
pub(crate) struct Args {
    /// The provider's name, or a file that declares one (with a `/` or `.toml` in its name)
    #[arg(value_name = "NAME|FILE")]
    provider: String,
    /// The address to ask about
    #[arg(long)]
    email: String,
    /// An account of theirs, as a URL: what providers of the second hop are asked about; may be given again
    #[arg(long, value_name = "URL")]
    account: Vec<String>,
}

pub(super) async fn run(host: &Host, args: &Args, json: bool) -> anyhow::Result<Exit> {
    let row = row(host, &args.provider)?;
    let subject = Subject::new(EmailAddress::parse(&args.email).context("the address")?)
        .with_accounts(args.account.iter().map(|url| account(url)).collect::<Result<_, _>>()?);
    let network = Network::new(host.config.contact.as_deref(), host.clock.clone())?;
    let installed = Installed::to_try(&row, &host.config, &network)?;
    let about = installed.descriptor();
    let Some(told) = about.told_of(&subject) else {
        let reads = about.reads.join(", ");
        anyhow::bail!(
            "`{}` is asked about an account only: name one with --account (on {reads})",
            about.name
        );
    };
    let trail = Trail::default();
    let http = installed.http().with_trail(&trail);
    let started = Instant::now();
    let result = installed.provider().lookup(&subject, &http).await;
    let (milliseconds, traffic) = (started.elapsed().as_millis(), http.traffic());
    let cost = result.as_ref().map_or(0, |lookup| about.price.of(lookup).0);
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
    let steps = redacted(trail.steps(), subject.email());
    if json {
        out::json(&json!({
            "provider": about.name, "told": told, "steps": steps, "outcome": outcome, "finding": finding,
            "calls": traffic.calls, "retries": traffic.retries, "milliseconds": milliseconds, "cost_micros": cost,
        }))?;
        return Ok(exit);
    }
    let calls = traffic.calls;
    out::line(format_args!("{} ({}) is told the {}", about.name, about.title, told.as_str()));
    print(&steps);
    out::line(format_args!(
        "{outcome} after {milliseconds} ms, {calls} calls, {} of them retries, {}; nothing is stored",
        traffic.retries,
        money(cost)
    ));
    if let Some(finding) = finding {
        view::print_finding(&finding);
    }
    Ok(exit)
}

/// The provider of this name, or the one that this file declares.
fn row(host: &Host, provider: &str) -> anyhow::Result<Row> {
    let is_file = provider.contains('/') || Path::new(provider).extension().is_some_and(|end| end == "toml");
    if is_file {
        return Ok(config::read_declaration(Path::new(provider))?.into());
    }
    Ok(host.config.catalog.find(provider)?.clone())
}

/// An account that the caller vouches for.
fn account(url: &str) -> anyhow::Result<Claim<SocialProfile>> {
    let profile = SocialProfile::parse(url).with_context(|| format!("the account `{url}`"))?;
    Ok(Claim::new(profile, Confidence::literal(1.0), Assurance::Proven))
}

/// The steps with placeholders for the address in what was sent.
fn redacted(steps: Vec<Step>, email: &EmailAddress) -> Vec<Step> {
    let encoded = |text: &str| utf8_percent_encode(text, NON_ALPHANUMERIC).to_string();
    // As it is, encoded to the last character, and in a query, which leaves `-._*` as they are.
    let in_query = |text: &str| url::form_urlencoded::byte_serialize(text.as_bytes()).collect::<String>();
    let mut words = Vec::new();
    for (text, placeholder) in [(email.expose(), "[email]"), (email.canonical(), "[email]")] {
        words.extend([encoded(text), in_query(text), text.to_owned()].map(|word| (word, placeholder)));
    }
    words.push((email.sha256(), "[email_sha256]"));
    let redact =
        |text: String| words.iter().fold(text, |text, (word, placeholder)| text.replace(word, placeholder));
    let is_told = |step: &Step| matches!(step.step, "sent" | "header" | "body");
    steps
        .into_iter()
        .map(|step| if is_told(&step) { Step { text: redact(step.text), ..step } } else { step })
        .collect()
}

/// One line a step, the word only where it changes.
fn print(steps: &[Step]) {
    let mut last = "";
    for step in steps {
        let word = if step.step == last { "" } else { step.step };
        last = step.step;
        out::line(format_args!("  {word:<11}{}", step.text));
    }
}
