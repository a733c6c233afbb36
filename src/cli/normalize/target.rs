//! `gleaner normalize target`: one URL a line; would the door to the network let it through?
//!
//! Invariant: asks the rules that every call to a stranger's URL passes, and no name server: where a name leads is
//! judged again when it is resolved.

use gleaner_providers::http::guard::{self, Refusal};
use serde::Serialize;
use url::Url;

use super::lines::{self, Sources};

#[derive(clap::Args, Debug)]
pub(crate) struct Args {
    #[command(flatten)]
    sources: Sources,
}

/// What the door says of a URL, and how it understood it.
#[derive(Serialize)]
struct Made {
    allowed: bool,
    /// Why not.
    reason: Option<&'static str>,
    scheme: String,
    host: Option<String>,
    port: Option<u16>,
}

pub(super) fn run(args: &Args) -> anyhow::Result<()> {
    lines::answer(&args.sources, read)
}

fn read(text: &str) -> Result<Made, String> {
    if text.trim().is_empty() {
        return Err("is empty".to_owned());
    }
    let refusal = guard::judge_url(text).err();
    let url = Url::parse(text.trim()).map_err(|error| format!("is not a URL: {error}"))?;
    Ok(Made {
        allowed: refusal.is_none(),
        reason: refusal.map(Refusal::reason),
        scheme: url.scheme().to_owned(),
        host: url.host_str().filter(|host| !host.is_empty()).map(str::to_owned),
        port: url.port_or_known_default(),
    })
}
