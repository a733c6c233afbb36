//! `gleaner explain`: the whole story of a record on one screen.

use std::sync::Arc;

use anyhow::Context as _;
use gleaner::enrich::plan::InStock;
use gleaner::enrich::story::{self, FieldStory, Rejected};
use gleaner::enrich::{Enricher, Market, Plan, Policy};
use gleaner::member::MemberId;
use gleaner::record::Record;
use gleaner::store::Place;
use gleaner::store::ledger::LookupSeen;
use gleaner_providers::EmailAddress;
use serde_json::{Value, json};

use super::host::{Host, Vault};
use super::view::money;
use super::{Exit, Global, out};

#[derive(clap::Args, Debug)]
pub(crate) struct Args {
    /// The member's id; an address stands for a member who was taken in without one
    #[arg(value_name = "MEMBER_ID|EMAIL")]
    member: String,
}

/// Everything that is known of how a record came about.
struct Tale {
    member: MemberId,
    place: Place,
    record: Option<Record>,
    lookups: Vec<LookupSeen>,
    fields: Vec<FieldStory>,
    rejected: Vec<Rejected>,
    /// What would be asked, and what would not; without a record the address is not known here.
    plan: Option<Plan>,
}

pub(crate) async fn run(global: &Global, args: Args) -> anyhow::Result<Exit> {
    let host = Host::open(global)?;
    let vault = host.vault().await?;
    let told = tell(&host, &vault, &args.member).await;
    vault.store.close().await;
    let Some(tale) = told? else {
        out::note(format_args!("nothing is kept of member `{}`", shown(&args.member)));
        return Ok(Exit::Nothing);
    };
    if global.json {
        out::json(&tale.as_json())?;
    } else {
        tale.print();
    }
    Ok(Exit::Done)
}

/// An address is not repeated.
fn shown(member: &str) -> &str {
    if member.contains('@') { "of this address" } else { member }
}

async fn tell(host: &Host, vault: &Vault, member: &str) -> anyhow::Result<Option<Tale>> {
    let member = if member.contains('@') {
        let email = EmailAddress::parse(member).context("e-mail address")?;
        MemberId::of_subject(vault.keyring.subject(&email))
    } else {
        MemberId::parse(member)?
    };
    let now = host.clock.now();
    let Some(place) = vault.store.place(&member, now).await? else { return Ok(None) };
    let lookups = vault.store.lookups_of(&member).await?;
    let record = vault.store.record(&member).await?;
    let (mut fields, mut rejected, mut plan) = (Vec::new(), Vec::new(), None);
    if let Some(record) = &record {
        let subject = vault.keyring.subject(&record.email);
        let stored = vault.store.answers(&[subject], now).await?;
        fields = story::of(record, &stored);
        rejected = story::rejected(record, &stored);
        let panel = host.panel(None)?;
        let market = Market::new(&host.config.enrich, &panel);
        let policy = Policy::from_config(&host.config);
        let enricher = Enricher::new(panel, policy, Arc::clone(&host.clock)).with_market(market);
        host.learn(vault, &enricher).await?;
        plan = Some(enricher.plan(&record.email, &subject, stored));
    }
    Ok(Some(Tale { member, place, record, lookups, fields, rejected, plan }))
}

impl Tale {
    /// Answers in stock that no lookup about this member brought: somebody else has the same mailbox.
    fn shared(&self) -> impl Iterator<Item = &InStock> {
        let stock = self.plan.iter().flat_map(|plan| &plan.stock);
        stock.filter(|answer| !self.lookups.iter().any(|lookup| lookup.provider == answer.provider))
    }

    /// Providers that were never asked about this member, and why.
    fn unasked(&self) -> impl Iterator<Item = (&str, &str)> {
        let was_asked = |provider: &str| {
            self.lookups.iter().any(|lookup| lookup.provider == provider)
                || self.shared().any(|answer| answer.provider == provider)
        };
        let unasked = self.plan.iter().flat_map(|plan| &plan.unasked);
        let next = self.plan.iter().flat_map(|plan| &plan.steps);
        let later = self.plan.iter().flat_map(|plan| &plan.if_found);
        unasked
            .map(|one| (one.provider.as_str(), one.why.as_str()))
            .chain(next.map(|step| (step.provider.as_str(), "it would be asked next")))
            .chain(later.map(|one| (one.provider.as_str(), "it would be asked if an account is found")))
            .filter(move |(provider, _)| !was_asked(provider))
    }

    /// The fields about which the providers contradict each other in earnest.
    fn conflicts(&self) -> impl Iterator<Item = &'static str> {
        self.record.iter().flat_map(|record| record.conflicts.iter()).map(gleaner_providers::Field::as_str)
    }

    fn cost(&self) -> u64 {
        self.lookups.iter().map(|lookup| lookup.cost_micros).sum()
    }

    fn as_json(&self) -> Value {
        let field = |story: &FieldStory| {
            let contradiction =
                |one: &story::Contradiction| json!({ "provider": one.provider, "value": one.value });
            json!({
                "field": story.field, "value": story.value, "confidence": (story.confidence * 100.0).round() / 100.0,
                "assurance": story.assurance, "supporters": story.supporters,
                "contradictors": story.contradictors.iter().map(contradiction).collect::<Vec<_>>(),
            })
        };
        let unasked = self.unasked().map(|(provider, why)| json!({ "provider": provider, "why": why }));
        json!({
            "member_id": self.member, "place": self.place,
            "status": self.record.as_ref().map(|record| record.status),
            "segment": self.plan.as_ref().map(|plan| plan.segment),
            "policy_version": self.record.as_ref().map(|record| &record.policy_version),
            "updated_at": self.record.as_ref().map(|record| record.updated_at),
            "expires_at": self.record.as_ref().map(|record| record.expires_at),
            "lookups": self.lookups, "shared": self.shared().collect::<Vec<_>>(), "cost_micros": self.cost(),
            "fields": self.fields.iter().map(field).collect::<Vec<_>>(),
            "rejected": self.rejected, "conflict": self.conflicts().collect::<Vec<_>>(),
            "missing": self.plan.as_ref().map(|plan| &plan.missing), "unasked": unasked.collect::<Vec<_>>(),
        })
    }

    fn print(&self) {
        out::line(format_args!("  Member  {}: {}", self.member, self.standing()));
        if !self.lookups.is_empty() || self.shared().next().is_some() {
            let mut table =
                out::table(["Asked", "when (UTC)", "was told", "answer", "took", "cost"], &[4, 5]);
            for lookup in &self.lookups {
                table.add_row([
                    lookup.provider.clone(),
                    lookup.at.strftime("%Y-%m-%d %H:%M:%S").to_string(),
                    lookup.told.replace('_', " "),
                    lookup.outcome.replace('_', " "),
                    format!("{} ms", lookup.milliseconds),
                    money(lookup.cost_micros),
                ]);
            }
            for answer in self.shared() {
                table.add_row([
                    answer.provider.clone(),
                    answer.fetched_at.strftime("%Y-%m-%d %H:%M:%S").to_string(),
                    "in stock".to_owned(),
                    answer.outcome.replace('_', " "),
                    String::new(),
                    "free".to_owned(),
                ]);
            }
            out::line(format_args!("\n{table}"));
            out::line(format_args!("  together {}", money(self.cost())));
        }
        if !self.fields.is_empty() {
            let mut table = out::table(["Field", "value", "confidence", "because"], &[2]);
            for story in &self.fields {
                let confidence = format!("{:.2}", story.confidence);
                table.add_row([&story.field, &story.value, &confidence, &because(story)]);
            }
            out::line(format_args!("\n{table}"));
        }
        if !self.rejected.is_empty() {
            let mut table = out::table(["Not believed", "value", "said by"], &[]);
            for Rejected { field, value, provider } in &self.rejected {
                table.add_row([field, value, provider]);
            }
            out::line(format_args!("\n{table}"));
        }
        let conflicts: Vec<_> = self.conflicts().collect();
        if !conflicts.is_empty() {
            out::line(format_args!(
                "\n  Conflict: the providers contradict each other in earnest about {}",
                conflicts.join(", ")
            ));
        }
        let mut table = out::table(["Not asked", "why"], &[]);
        for (provider, why) in self.unasked() {
            table.add_row([provider, why]);
        }
        if !table.is_empty() {
            out::line(format_args!("\n{table}"));
        }
        if let Some(plan) = self.plan.as_ref().filter(|plan| !plan.missing.is_empty()) {
            let missing: Vec<_> = plan.missing.iter().map(|field| field.as_str()).collect();
            out::line(format_args!("\n  Not filled surely enough: {}", missing.join(", ")));
        }
    }

    fn standing(&self) -> String {
        let day = |at: jiff::Timestamp| at.strftime("%Y-%m-%d").to_string();
        match (&self.record, &self.plan) {
            (Some(record), Some(plan)) => format!(
                "{}, a {} address, written {}, expires {}, under policy {}",
                self.place.status.as_str().replace('_', " "),
                plan.segment.as_str().replace('_', "-"),
                day(record.updated_at),
                day(record.expires_at),
                record.policy_version
            ),
            _ => format!("{} since {}", self.place.status.as_str().replace('_', " "), day(self.place.at)),
        }
    }
}

/// Why a value won, in one line.
fn because(story: &FieldStory) -> String {
    let supporters = story.supporters.join(", ");
    let assurance = story.assurance.as_str().replace('_', "-");
    let mut line = format!("{supporters} ({assurance})");
    if !story.contradictors.is_empty() {
        let other = |one: &story::Contradiction| format!("{} says {}", one.provider, one.value);
        let others: Vec<_> = story.contradictors.iter().map(other).collect();
        line.push_str("; but ");
        line.push_str(&others.join(", "));
    }
    line
}
