//! Names that resolve to fixed addresses, so that tests ask no name server.

use std::net::{Ipv4Addr, SocketAddr};
use std::sync::atomic::{AtomicUsize, Ordering};

/// A loopback address that no test allows.
pub(in crate::http) const PRIVATE: Ipv4Addr = Ipv4Addr::new(127, 200, 0, 1);

static TURNS: AtomicUsize = AtomicUsize::new(0);

/// What a name below `example.com` resolves to: `p<port>.inside` to that port on loopback, `mixed` to a public
/// address and a private one, `rebinds-<port>-<port>` by turns to loopback and [`PRIVATE`], all others to nothing. Other names are not ours.
pub(in crate::http) fn fixed(name: &str) -> Option<Vec<SocketAddr>> {
    let name = name.strip_suffix(".example.com")?;
    if let Some((public, private)) = name.strip_prefix("rebinds-").and_then(|ports| ports.split_once('-')) {
        // By turns the address that a rebinding name shows first, and the one that it means.
        let is_private = TURNS.fetch_add(1, Ordering::SeqCst) % 2 == 1;
        let (host, port) = if is_private { (PRIVATE, private) } else { (Ipv4Addr::LOCALHOST, public) };
        return Some(port.parse().map(|port: u16| (host, port).into()).into_iter().collect());
    }
    if name == "mixed" {
        return Some(vec![
            (Ipv4Addr::new(93, 184, 216, 34), 0).into(),
            (Ipv4Addr::new(10, 0, 0, 1), 0).into(),
        ]);
    }
    let port = name.strip_suffix(".inside").and_then(|name| name.strip_prefix('p')?.parse().ok());
    Some(port.map(|port: u16| (Ipv4Addr::LOCALHOST, port).into()).into_iter().collect())
}
