//! The table of networks: one row each, in files by what people do there.
//!
//! Invariant: data only. Rows follow the sites as of November 2026; hosts are the network's own.

use super::network::{Kind, Network, Site};

mod making;
mod media;
mod people;

/// Every row.
pub(super) fn all() -> impl Iterator<Item = &'static Network> {
    people::NETWORKS.iter().chain(making::NETWORKS).chain(media::NETWORKS)
}

/// A short way to write a row's parts.
const fn at(hosts: &'static [&'static str], routes: &'static [&'static str]) -> Site {
    Site::new(hosts, routes)
}

const fn handle(url: &'static str, read: fn(&str) -> Option<String>) -> Kind {
    Kind::handle(url, read)
}

const fn id(name: &'static str, url: &'static str, read: fn(&str) -> Option<String>) -> Kind {
    Kind::id(name, url, read)
}

const fn row(name: &'static str, kinds: &'static [Kind], sites: &'static [Site]) -> Network {
    Network::new(name, kinds, sites)
}
