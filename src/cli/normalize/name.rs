//! `gleaner normalize name`: one full name a line, or a vendor's parts of one.
//!
//! Invariant: says what the rules of `gleaner_providers::name` say, and adds none.

use gleaner_providers::PersonName;
use gleaner_providers::name::Parts;
use serde::{Deserialize, Serialize};

use super::lines::{self, Sources};
use super::object;

#[derive(clap::Args, Debug)]
pub(crate) struct Args {
    #[command(flatten)]
    sources: Sources,
}

/// A name in the parts that a vendor gives.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Stated {
    full: Option<String>,
    given: Option<String>,
    family: Option<String>,
}

/// A name as it is kept.
#[derive(Serialize)]
struct Made {
    full: String,
    given: Option<String>,
    family: Option<String>,
}

pub(super) fn run(args: &Args) -> anyhow::Result<()> {
    lines::answer(&args.sources, read)
}

fn read(line: &str) -> Result<Made, String> {
    let name = match object::read(line) {
        Some(stated) => {
            let Stated { full, given, family } = stated?;
            PersonName::from_parts(Parts { full, given, family })
        }
        None => PersonName::parse(line),
    };
    let name = name.map_err(|error| error.to_string())?;
    Ok(Made {
        full: name.full().to_owned(),
        given: name.given().map(str::to_owned),
        family: name.family().map(str::to_owned),
    })
}
