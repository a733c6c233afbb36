//! Which members a replay is about, as the command line says it.

use std::path::Path;

use anyhow::{Context as _, bail};
use gleaner::job::BatchName;
use gleaner::member::MemberId;
use gleaner::store::batches::{Below, Selection, Standing};
use gleaner_providers::{EmailAddress, Field};
use jiff::Timestamp;

use super::super::batch;
use super::super::host::{Host, Vault};
use super::moment;

/// Which members. Everything that is given must hold
#[derive(clap::Args, Debug, Default)]
#[command(next_help_heading = "Which members (everything that is given must hold)")]
pub(super) struct Select {
    /// Everybody: where nothing else selects
    #[arg(long)]
    all: bool,
    /// Handed over with this batch, or replayed by it last
    #[arg(long, value_name = "NAME", value_parser = BatchName::parse)]
    batch: Option<BatchName>,
    /// Where they stand: complete, partial, no-match, dead-letter; several with commas
    #[arg(long, value_name = "STATUS", value_delimiter = ',')]
    status: Option<Vec<Status>>,
    /// Record or dead letter written at this moment or later: 2026-11-25, 2026-11-25T04:00Z, or how long ago: 36h, 7d
    #[arg(long, value_name = "WHEN", value_parser = moment::parse)]
    since: Option<moment::Moment>,
    /// And before this one
    #[arg(long, value_name = "WHEN", value_parser = moment::parse)]
    until: Option<moment::Moment>,
    /// This provider has answered about them; with `--error-class`, it is the one that failed
    #[arg(long, value_name = "NAME")]
    pub(super) provider: Option<String>,
    /// The answer is older: what an earlier version of the provider said
    #[arg(long, value_name = "WHEN", value_parser = moment::parse)]
    answered_before: Option<moment::Moment>,
    /// A lookup of them ended so: `unavailable`, `rate_limited`, `quota_exhausted`, `denied`, `refused`, `malformed`, …
    #[arg(long, value_name = "CLASS")]
    error_class: Option<String>,
    /// The field is empty: name, age, social
    #[arg(long, value_name = "FIELD", value_parser = field)]
    missing: Option<Field>,
    /// The field is less sure than that: age=0.7
    #[arg(long, value_name = "FIELD=CONFIDENCE", value_parser = below)]
    confidence_below: Option<Below>,
    /// The record has expired
    #[arg(long)]
    expired: bool,
    /// The members of a file: an id or an address a line; `-` is standard input
    #[arg(long, value_name = "FILE|-")]
    members: Option<String>,
}

#[derive(Clone, Copy, Debug, clap::ValueEnum)]
enum Status {
    Complete,
    Partial,
    NoMatch,
    DeadLetter,
}

impl Select {
    /// The selection, and the members of a list.
    pub(super) async fn read(
        &self,
        host: &Host,
        vault: &Vault,
        now: Timestamp,
    ) -> anyhow::Result<(Selection, Vec<MemberId>)> {
        let listed = match &self.members {
            Some(file) => members_of(file, vault)?,
            None => Vec::new(),
        };
        let batch = match &self.batch {
            Some(name) => Some(batch::find(name, host, vault).await?.id),
            None => None,
        };
        let at = |moment: Option<moment::Moment>| moment.map(|moment| moment.before(now));
        let selection = Selection {
            standing: self.status.as_ref().map(|words| words.iter().map(|word| (*word).into()).collect()),
            since: at(self.since),
            until: at(self.until),
            batch,
            provider: self.provider.clone(),
            answered_before: at(self.answered_before),
            error_class: self.error_class.clone(),
            missing: self.missing,
            below: self.confidence_below,
            expired: self.expired,
            listed: self.members.is_some() || self.error_class.is_some(),
            ..Selection::default()
        };
        if selection == Selection::default() && !self.all {
            bail!("nothing selects anybody; name a selection, or say `--all`");
        }
        if selection != Selection::default() && self.all {
            bail!("`--all` is everybody; leave it out, or leave the selection out");
        }
        Ok((selection, listed))
    }
}

/// Ids and addresses, one a line. Of an address, everybody is meant who came without an id of their own.
fn members_of(file: &str, vault: &Vault) -> anyhow::Result<Vec<MemberId>> {
    let text = if file == "-" {
        std::io::read_to_string(std::io::stdin()).context("cannot read standard input")?
    } else {
        std::fs::read_to_string(Path::new(file)).with_context(|| format!("cannot read {file}"))?
    };
    let mut members = Vec::new();
    for (at, line) in text.lines().enumerate() {
        let word = line.trim().trim_start_matches('\u{feff}');
        if word.is_empty() {
            continue;
        }
        let told = || format!("{file}:{}", at + 1);
        members.push(if word.contains('@') {
            let email = EmailAddress::parse(word).with_context(told)?;
            MemberId::of_subject(vault.keyring.subject(&email))
        } else {
            MemberId::parse(word).with_context(told)?
        });
    }
    Ok(members)
}

impl From<Status> for Standing {
    fn from(status: Status) -> Self {
        match status {
            Status::Complete => Self::Complete,
            Status::Partial => Self::Partial,
            Status::NoMatch => Self::NoMatch,
            Status::DeadLetter => Self::DeadLetter,
        }
    }
}

fn field(text: &str) -> Result<Field, String> {
    let known = Field::ALL.into_iter().find(|field| field.as_str() == text);
    known.ok_or_else(|| format!("`{text}` is no field; there are name, age and social"))
}

fn below(text: &str) -> Result<Below, String> {
    let (name, number) =
        text.split_once('=').ok_or_else(|| format!("`{text}` is not FIELD=CONFIDENCE, such as age=0.7"))?;
    let confidence: f64 = number.trim().parse().map_err(|_| format!("`{number}` is no number"))?;
    if !(0.0..=1.0).contains(&confidence) {
        return Err(format!("`{number}` is no confidence: they are from 0 to 1"));
    }
    Ok(Below { field: field(name.trim())?, confidence })
}
