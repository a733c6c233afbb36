//! `gleaner plan`: whom an enrichment would ask, in which order and at what price, without asking anybody.

use anyhow::Context as _;
use gleaner::config::Config;
use gleaner::enrich::plan::{IfFound, PlannedStep};
use gleaner::enrich::{Enricher, Market, Plan, Policy};
use gleaner_providers::provider::Price;
use gleaner_providers::{EmailAddress, Identifier};
use serde_json::{Value, json};

use super::host::Host;
use super::provider::gate::{Gates, words};
use super::view::{money, price_words};
use super::{Exit, Global, out};

#[derive(clap::Args, Debug)]
pub(crate) struct Args {
    /// The address; it is told to nobody
    email: String,
}

pub(crate) async fn run(global: &Global, args: Args) -> anyhow::Result<Exit> {
    let email = EmailAddress::parse(&args.email).context("e-mail address")?;
    let host = Host::open(global)?;
    let panel = host.panel(None)?;
    let market = Market::new(&host.config.enrich, &panel);
    let policy = Policy::from_config(&host.config);
    let enricher = Enricher::new(panel, policy, std::sync::Arc::clone(&host.clock)).with_market(market);
    let gates = Gates::read(&host).await?;
    let plan = match host.vault_if_made().await? {
        Some(vault) => {
            let subject = vault.keyring.subject(&email);
            let stored = vault.store.answers(&[subject], host.clock.now()).await?;
            host.learn(&vault, &enricher).await?;
            vault.store.close().await;
            enricher.plan(&email, &subject, stored)
        }
        // No database: nothing is in stock, and no key is made for a question that is not asked.
        None => enricher.plan(&email, &gleaner::keyring::SubjectKey::from_bytes([1; 32]), Vec::new()),
    };
    if global.json {
        out::json(&as_json(&plan, &gates, &host.config))?;
    } else {
        print(&plan, &gates, &host.config);
    }
    Ok(Exit::Done)
}

fn as_json(plan: &Plan, gates: &Gates, config: &Config) -> Value {
    let step = |step: &PlannedStep| {
        json!({
            "provider": step.provider, "round": step.round, "told": step.told,
            "price_per_match_micros": step.price.per_match, "price_per_miss_micros": step.price.per_miss,
            "chance": rounded(step.chance), "match_rate": rounded(step.match_rate),
            "expected_micros": rounded_micros(step.expected_micros), "closed": gates.closed(&step.provider),
        })
    };
    let if_found = |one: &IfFound| {
        json!({
            "provider": one.provider, "price_per_match_micros": one.price.per_match,
            "price_per_miss_micros": one.price.per_miss, "match_rate": rounded(one.match_rate),
            "closed": gates.closed(&one.provider),
        })
    };
    let filled: serde_json::Map<String, Value> = plan
        .filled
        .iter()
        .map(|(field, chance)| (field.as_str().to_owned(), rounded(*chance).into()))
        .collect();
    json!({
        "segment": plan.segment, "order": config.enrich.order.as_str(), "missing": plan.missing, "stock": plan.stock,
        "spent_micros": plan.spent_micros, "steps": plan.steps.iter().map(step).collect::<Vec<_>>(),
        "if_account_found": plan.if_found.iter().map(if_found).collect::<Vec<_>>(), "unasked": plan.unasked, "expected_micros": rounded_micros(plan.expected_micros),
        "least_micros": plan.least_micros, "most_micros": plan.most_micros, "filled": filled,
    })
}

fn print(plan: &Plan, gates: &Gates, config: &Config) {
    let thresholds = &config.enrich.min_confidence;
    let wanted: Vec<_> = config
        .enrich
        .wanted
        .iter()
        .map(|field| {
            let sure = plan.found.confidences().get(*field).map_or(0.0, gleaner_providers::Confidence::get);
            let state = if plan.missing.contains(field) { "missing" } else { "filled" };
            format!("{} {state} ({sure:.2} of {:.2})", field.as_str(), thresholds.of(*field).get())
        })
        .collect();
    out::line(format_args!("  Kind of address  {}", plan.segment.as_str()));
    out::line(format_args!("  Wanted           {}", wanted.join(", ")));
    for answer in &plan.stock {
        let until = answer.expires_at.strftime("%Y-%m-%d");
        let (provider, outcome) = (&answer.provider, answer.outcome.replace('_', " "));
        out::line(format_args!("  In stock         {provider}: {outcome}, reused until {until}"));
    }
    if !plan.steps.is_empty() {
        let header = ["Round", "provider", "is told", "price", "asked", "knows them", "expected", ""];
        let mut table = out::table(header, &[4, 5, 6]);
        for step in &plan.steps {
            table.add_row([
                step.round.to_string(),
                step.provider.clone(),
                step.told.map_or("", |told| told.as_str()).to_owned(),
                price_words(step.price),
                percent(step.chance),
                percent(step.match_rate),
                expected(step.price, step.expected_micros),
                gates.closed(&step.provider).map(words).unwrap_or_default(),
            ]);
        }
        for one in &plan.if_found {
            table.add_row([
                "later".to_owned(),
                one.provider.clone(),
                Identifier::Handle.as_str().to_owned(),
                price_words(one.price),
                "if one is found".to_owned(),
                percent(one.match_rate),
                String::new(),
                gates.closed(&one.provider).map(words).unwrap_or_default(),
            ]);
        }
        out::line(format_args!("\n{table}"));
    }
    if !plan.unasked.is_empty() {
        let mut table = out::table(["Not asked", "why"], &[]);
        for one in &plan.unasked {
            table.add_row([&one.provider, &one.why]);
        }
        out::line(format_args!("\n{table}"));
    }
    let filled: Vec<_> = plan
        .filled
        .iter()
        .map(|(field, chance)| format!("{} {}", field.as_str(), percent(*chance)))
        .collect();
    out::line(format_args!(
        "\n  Expected cost {}, at least {}, at most {}; filled in the end: {}",
        money(rounded_micros(plan.expected_micros)),
        money(plan.least_micros),
        money(plan.most_micros),
        filled.join(", ")
    ));
}

fn expected(price: Price, micros: f64) -> String {
    if price.is_free() { "free".to_owned() } else { money(rounded_micros(micros)) }
}

fn percent(chance: f64) -> String {
    format!("{:.0} %", chance * 100.0)
}

fn rounded(chance: f64) -> f64 {
    (chance * 1e4).round() / 1e4
}

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "an expected cost is small and not negative"
)]
fn rounded_micros(micros: f64) -> u64 {
    micros.round() as u64
}
