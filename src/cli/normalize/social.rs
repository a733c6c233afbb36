//! `gleaner normalize social`: an address, an account or a vendor's object a line.
//!
//! Invariant: says what the rules of `gleaner_providers::social` say, and adds none.

use gleaner_providers::SocialProfile;
use gleaner_providers::social::ProfileError;
use serde::{Deserialize, Serialize};

use super::lines::{self, Sources};
use super::object;

#[derive(clap::Args, Debug)]
pub(crate) struct Args {
    #[command(flatten)]
    sources: Sources,
}

/// An account as a vendor states it. The first of address, account name and id that can be read is taken.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Stated {
    network: Option<String>,
    url: Option<String>,
    handle: Option<String>,
    id: Option<Id>,
}

/// An id, which some vendors write as a number.
#[derive(Deserialize)]
#[serde(untagged)]
enum Id {
    Number(u64),
    Text(String),
}

/// An account as it is kept.
#[derive(Serialize)]
pub(super) struct Made {
    network: String,
    kind: String,
    id: String,
    handle: Option<String>,
    url: String,
    key: String,
    defunct: bool,
}

pub(super) fn run(args: &Args) -> anyhow::Result<()> {
    lines::answer(&args.sources, |line| read(line).map(|profile| shown(&profile)))
}

fn read(line: &str) -> Result<SocialProfile, String> {
    match object::read::<Stated>(line) {
        Some(stated) => stated?.profile(),
        None => match line.split_once('\t') {
            Some((network, account)) => SocialProfile::on_network(network, account),
            None => SocialProfile::parse(line),
        }
        .map_err(|error| error.to_string()),
    }
}

impl Stated {
    fn profile(self) -> Result<SocialProfile, String> {
        let on_network = |account: String| match &self.network {
            Some(network) => SocialProfile::on_network(network, &account),
            None => SocialProfile::parse(&account),
        };
        let id = self.id.map(|id| match id {
            Id::Number(id) => id.to_string(),
            Id::Text(id) => id,
        });
        // An account name of digits may be somebody else's.
        let on_network_by_id = |id: String| {
            let is_number = id.bytes().all(|b| b.is_ascii_digit());
            match on_network(id.clone())? {
                profile if is_number && profile.handle() == Some(id.as_str()) => {
                    Err(ProfileError::NotAProfile("a number where the network has names"))
                }
                profile => Ok(profile),
            }
        };
        let url = self.url.map(|url| SocialProfile::parse(&url));
        let mut why = None;
        for outcome in url.into_iter().chain(self.handle.map(&on_network)).chain(id.map(on_network_by_id)) {
            match outcome {
                Ok(profile) => return Ok(profile),
                Err(error) => why = why.or(Some(error)),
            }
        }
        Err(why.unwrap_or(ProfileError::Empty).to_string())
    }
}

pub(super) fn shown(profile: &SocialProfile) -> Made {
    let key = profile.key();
    let (space, id) = key.split_once(':').unwrap_or((key, ""));
    let kind = match space.split_once('#') {
        Some((_, kind)) => kind,
        None if profile.handle().is_some() => "handle",
        None => "address",
    };
    Made {
        network: profile.network().to_owned(),
        kind: kind.to_owned(),
        id: id.to_owned(),
        handle: profile.handle().map(str::to_owned),
        url: profile.url().to_owned(),
        key: key.to_owned(),
        defunct: profile.is_defunct(),
    }
}
