//! Names that resolve to fixed addresses, so that tests ask no name server.

use std::net::{Ipv4Addr, SocketAddr};

/// What a name below `example.com` resolves to: `p<port>.inside` to that port on loopback, `mixed` to a public
/// address and a private one, all others to nothing. Other names are not ours.
pub(in crate::http) fn fixed(name: &str) -> Option<Vec<SocketAddr>> {
    let name = name.strip_suffix(".example.com")?;
    if name == "mixed" {
        return Some(vec![
            (Ipv4Addr::new(93, 184, 216, 34), 0).into(),
            (Ipv4Addr::new(10, 0, 0, 1), 0).into(),
        ]);
    }
    let port = name.strip_suffix(".inside").and_then(|name| name.strip_prefix('p')?.parse().ok());
    Some(port.map(|port: u16| (Ipv4Addr::LOCALHOST, port).into()).into_iter().collect())
}
