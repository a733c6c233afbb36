//! `gleaner normalize email`: one address a line.
//!
//! Invariant: says what the rules of `gleaner_providers::email` say, and adds none.

use gleaner_providers::EmailAddress;
use gleaner_providers::email::MailboxKind;
use serde::Serialize;

use super::lines::{self, Sources};

#[derive(clap::Args, Debug)]
pub(crate) struct Args {
    #[command(flatten)]
    sources: Sources,
}

/// What an address is to Gleaner.
#[derive(Serialize)]
struct Made {
    address: String,
    canonical: String,
    local_part: String,
    domain: String,
    kind: MailboxKind,
    sha256: String,
    name_guess: Option<String>,
}

pub(super) fn run(args: &Args) -> anyhow::Result<()> {
    lines::answer(&args.sources, read)
}

fn read(text: &str) -> Result<Made, String> {
    let email = EmailAddress::parse(text).map_err(|error| error.to_string())?;
    Ok(Made {
        address: email.expose().to_owned(),
        canonical: email.canonical().to_owned(),
        local_part: email.local_part().to_owned(),
        domain: email.domain().to_owned(),
        kind: email.kind(),
        sha256: email.sha256(),
        name_guess: email.name_guess().map(|name| name.full().to_owned()),
    })
}
