//! Which addresses and URLs a call may go to: pure rules, no I/O.
//!
//! The web is full of URLs that strangers choose. None of them may lead into a private network, to this machine,
//! to a cloud's metadata service, or to an address that embeds one of these.
//!
//! Invariant: an IPv6 address is refused unless known to be public (default deny); an IPv4 address inside an IPv6
//! one is judged as itself or refused, never allowed by its wrapping. Sources: IANA's special-purpose address
//! registries for IPv4 and IPv6, and RFC 6761 and its successors for names.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

pub use ipnet::IpNet;
use ipnet::{Ipv4Net, Ipv6Net};
use url::{Host, Url};

use super::Limits;
use crate::error::LookupError;
use crate::provider::Reach;

/// The longest URL that is followed on the open web, in bytes.
const LONGEST_URL: usize = 2_048;

/// What the rules say of an address.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Verdict {
    Allowed,
    Refused(Refusal),
}

/// Why an address or a URL is refused.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub enum Refusal {
    /// "This network": 0.0.0.0/8.
    Unspecified,
    /// RFC 1918 and its like.
    Private,
    /// Behind a carrier's address translation: 100.64.0.0/10.
    CarrierShared,
    Loopback,
    /// Also where clouds serve credentials: 169.254.169.254.
    LinkLocal,
    /// Set apart for protocols: 192.0.0.0/24.
    Protocol,
    /// For documents: TEST-NET-1, -2 and -3, `2001:db8::/32`, `3fff::/20`.
    Documentation,
    /// AS112 and AMT: anycast sinks and relays.
    Anycast,
    /// 6to4 and its relays: embeds or hides an IPv4 address.
    SixToFour,
    /// For benchmarks: 198.18.0.0/15.
    Benchmark,
    Multicast,
    /// Kept for the future, and limited broadcast: 240.0.0.0/4.
    Reserved,
    /// A cloud's wire server on a public address: 168.63.129.16.
    CloudService,
    /// IETF protocol assignments in `2001::/23`: Teredo, ORCHID and others.
    ProtocolV6,
    /// Outside `2000::/3`, the only IPv6 space that is public.
    NotPublicV6,
    /// In one of the networks that the operator denies.
    Denied,
    NotUrl,
    /// Neither http nor https.
    Scheme,
    /// `https://user:password@host/`.
    Credentials,
    TooLong,
    NoHost,
    /// Neither 80 nor 443.
    Port,
    /// A public address where a name should stand.
    Literal,
    /// A name of one label.
    NoDot,
    /// A name that is not on the public internet, such as `printer.local`.
    SpecialName,
    /// A name under which others register theirs, such as `co.uk`.
    PublicSuffix,
}

impl Refusal {
    /// One phrase for errors and logs.
    pub const fn reason(self) -> &'static str {
        match self {
            Self::Unspecified => "an unspecified address",
            Self::Private => "a private address",
            Self::CarrierShared => "a carrier's shared address",
            Self::Loopback => "a loopback address",
            Self::LinkLocal => "a link-local address",
            Self::Protocol | Self::ProtocolV6 => "an address set apart for protocols",
            Self::Documentation => "an address for documentation",
            Self::Anycast => "an anycast service address",
            Self::SixToFour => "a 6to4 address",
            Self::Benchmark => "an address for benchmarks",
            Self::Multicast => "a multicast address",
            Self::Reserved => "a reserved address",
            Self::CloudService => "a cloud's service address",
            Self::NotPublicV6 => "an IPv6 address that is not public",
            Self::Denied => "an address in a network that the operator denies",
            Self::NotUrl => "not a URL",
            Self::Scheme => "neither http nor https",
            Self::Credentials => "a URL with a user or password in it",
            Self::TooLong => "a URL longer than 2048 bytes",
            Self::NoHost => "a URL without a host",
            Self::Port => "a port other than 80 and 443",
            Self::Literal => "an address in place of a name",
            Self::NoDot => "a name without a dot",
            Self::SpecialName => "a name that is not public",
            Self::PublicSuffix => "a name that belongs to a registry",
        }
    }
}

/// IPv4 networks that are refused.
const REFUSED_V4: [(Ipv4Net, Refusal); 19] = [
    (v4(0, 0, 0, 0, 8), Refusal::Unspecified),
    (v4(10, 0, 0, 0, 8), Refusal::Private),
    (v4(100, 64, 0, 0, 10), Refusal::CarrierShared),
    (v4(127, 0, 0, 0, 8), Refusal::Loopback),
    (v4(168, 63, 129, 16, 32), Refusal::CloudService),
    (v4(169, 254, 0, 0, 16), Refusal::LinkLocal),
    (v4(172, 16, 0, 0, 12), Refusal::Private),
    (v4(192, 0, 0, 0, 24), Refusal::Protocol),
    (v4(192, 0, 2, 0, 24), Refusal::Documentation),
    (v4(192, 31, 196, 0, 24), Refusal::Anycast),
    (v4(192, 52, 193, 0, 24), Refusal::Anycast),
    (v4(192, 88, 99, 0, 24), Refusal::SixToFour),
    (v4(192, 168, 0, 0, 16), Refusal::Private),
    (v4(192, 175, 48, 0, 24), Refusal::Anycast),
    (v4(198, 18, 0, 0, 15), Refusal::Benchmark),
    (v4(198, 51, 100, 0, 24), Refusal::Documentation),
    (v4(203, 0, 113, 0, 24), Refusal::Documentation),
    (v4(224, 0, 0, 0, 4), Refusal::Multicast),
    (v4(240, 0, 0, 0, 4), Refusal::Reserved),
];

/// The only IPv6 space that is public.
const PUBLIC_V6: Ipv6Net = v6(0x2000, 0, 0, 3);

/// IPv6 networks inside [`PUBLIC_V6`] that are refused all the same.
const REFUSED_V6: [(Ipv6Net, Refusal); 5] = [
    (v6(0x2001, 0, 0, 23), Refusal::ProtocolV6),
    (v6(0x2001, 0x0db8, 0, 32), Refusal::Documentation),
    (v6(0x2002, 0, 0, 16), Refusal::SixToFour),
    (v6(0x3fff, 0, 0, 20), Refusal::Documentation),
    (v6(0x2620, 0x004f, 0x8000, 48), Refusal::Anycast),
];

const fn v4(a: u8, b: u8, c: u8, d: u8, prefix: u8) -> Ipv4Net {
    Ipv4Net::new_assert(Ipv4Addr::new(a, b, c, d), prefix)
}

const fn v6(a: u16, b: u16, c: u16, prefix: u8) -> Ipv6Net {
    Ipv6Net::new_assert(Ipv6Addr::new(a, b, c, 0, 0, 0, 0, 0), prefix)
}

/// Whether a stranger's URL may lead to this address.
pub fn verdict(address: IpAddr) -> Verdict {
    let refusal = match address.to_canonical() {
        IpAddr::V4(address) => refusal_in(&REFUSED_V4, |net| net.contains(&address)),
        IpAddr::V6(address) if !PUBLIC_V6.contains(&address) => Some(Refusal::NotPublicV6),
        IpAddr::V6(address) => refusal_in(&REFUSED_V6, |net| net.contains(&address)),
    };
    refusal.map_or(Verdict::Allowed, Verdict::Refused)
}

fn refusal_in<N>(table: &[(N, Refusal)], holds: impl Fn(&N) -> bool) -> Option<Refusal> {
    table.iter().find(|(net, _)| holds(net)).map(|(_, refusal)| *refusal)
}

/// The operator's own exceptions from the rules, none by default.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Nets {
    /// Networks that strangers' URLs may lead into although the rules refuse them, and the only addresses that may
    /// stand in place of a name.
    pub allow: Vec<IpNet>,
    /// Networks that they may not lead into although they are public: the operator's own. Wins over `allow`.
    pub deny: Vec<IpNet>,
    /// Whether an address of the well-known NAT64 prefix (RFC 6052) is judged as the IPv4 address in it: for a host
    /// without IPv4, behind a DNS64. Otherwise the prefix is refused.
    pub decode_nat64: bool,
}

impl Nets {
    pub const fn is_empty(&self) -> bool {
        self.allow.is_empty() && self.deny.is_empty() && !self.decode_nat64
    }

    /// The same exceptions, and this machine's own public addresses denied: what listens there may trust us.
    #[must_use]
    pub fn sparing_this_machine(mut self) -> Self {
        let own = if_addrs::get_if_addrs().unwrap_or_else(|error| {
            tracing::warn!(%error, "this machine's own addresses are unknown; name them in `deny_nets`");
            Vec::new()
        });
        let public =
            own.into_iter().map(|interface| interface.ip()).filter(|ip| verdict(*ip) == Verdict::Allowed);
        self.deny.extend(public.map(IpNet::from));
        self
    }

    /// Judges an address by the rules and these exceptions.
    pub fn admit(&self, address: IpAddr) -> Result<(), Refusal> {
        let address = if self.decode_nat64 { decode_nat64(address) } else { address };
        if is_in(address, &self.deny) {
            return Err(Refusal::Denied);
        }
        match verdict(address) {
            Verdict::Refused(refusal) if !is_in(address, &self.allow) => Err(refusal),
            Verdict::Refused(_) | Verdict::Allowed => Ok(()),
        }
    }
}

/// The IPv4 address in an address of `64:ff9b::/96`; any other as it is.
fn decode_nat64(address: IpAddr) -> IpAddr {
    match address {
        IpAddr::V6(v6) => match v6.octets() {
            [0x00, 0x64, 0xff, 0x9b, 0, 0, 0, 0, 0, 0, 0, 0, a, b, c, d] => Ipv4Addr::new(a, b, c, d).into(),
            _ => address,
        },
        IpAddr::V4(_) => address,
    }
}

fn is_in(address: IpAddr, nets: &[IpNet]) -> bool {
    let address = address.to_canonical();
    nets.iter().any(|net| net.contains(&address))
}

/// How an allowed call travels.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Route {
    /// To the origin that the operator chose: it may be private.
    Trusted,
    /// To a host that a stranger may have chosen: every address is judged.
    Guarded,
}

/// Judges a URL before anything is resolved or sent.
pub fn route(url: &Url, limits: &Limits) -> Result<Route, LookupError> {
    judge_form(url).map_err(forbidden)?;
    if limits.trusted.as_ref().is_some_and(|trusted| same_origin(trusted, url)) {
        return Ok(Route::Trusted);
    }
    match limits.reach {
        Reach::Vendor => Err(LookupError::Forbidden { reason: "outside the provider's own origin".into() }),
        Reach::Web => judge_stranger(url, &limits.nets).map(|()| Route::Guarded).map_err(forbidden),
    }
}

/// Whether the door would let a stranger's URL through, without asking a name server: where a name leads is judged
/// when it is resolved. Gives the URL as it would be asked.
pub fn judge_url(url: &str) -> Result<Url, Refusal> {
    let url = Url::parse(url.trim()).map_err(|_| Refusal::NotUrl)?;
    judge_form(&url)?;
    judge_stranger(&url, &Nets::default())?;
    Ok(url)
}

/// Scheme, host and port alike.
pub(super) fn same_origin(one: &Url, other: &Url) -> bool {
    one.scheme() == other.scheme()
        && one.host() == other.host()
        && one.port_or_known_default() == other.port_or_known_default()
}

/// What holds for every URL, whoever chose it.
fn judge_form(url: &Url) -> Result<(), Refusal> {
    if !matches!(url.scheme(), "http" | "https") {
        return Err(Refusal::Scheme);
    }
    if !url.username().is_empty() || url.password().is_some() {
        return Err(Refusal::Credentials);
    }
    Ok(())
}

fn judge_stranger(url: &Url, nets: &Nets) -> Result<(), Refusal> {
    if url.as_str().len() > LONGEST_URL {
        return Err(Refusal::TooLong);
    }
    // The parser has already read every spelling of an IPv4 address (decimal, hex, octal, full-width) as one.
    match url.host() {
        Some(Host::Ipv4(address)) => judge_literal(address.into(), nets),
        Some(Host::Ipv6(address)) => judge_literal(address.into(), nets),
        Some(Host::Domain(name)) => {
            judge_name(name)?;
            match url.port() {
                None | Some(80 | 443) => Ok(()),
                Some(_) => Err(Refusal::Port),
            }
        }
        None => Err(Refusal::NoHost),
    }
}

/// An address in place of a name, at any port: only where the operator allows it.
fn judge_literal(address: IpAddr, nets: &Nets) -> Result<(), Refusal> {
    nets.admit(address)?;
    if is_in(address, &nets.allow) { Ok(()) } else { Err(Refusal::Literal) }
}

/// Last labels that never name a public host (RFC 6761, 6762, 7686, 9476 and custom).
const SPECIAL_LABELS: [&str; 12] = [
    "alt",
    "corp",
    "example",
    "home",
    "i2p",
    "internal",
    "invalid",
    "lan",
    "local",
    "localhost",
    "onion",
    "test",
];

fn judge_name(name: &str) -> Result<(), Refusal> {
    let name = name.strip_suffix('.').unwrap_or(name);
    let (rest, last) = name.rsplit_once('.').ok_or(Refusal::NoDot)?;
    if SPECIAL_LABELS.contains(&last) || (last == "arpa" && rest.rsplit('.').next() == Some("home")) {
        return Err(Refusal::SpecialName);
    }
    psl::domain_str(name).map(drop).ok_or(Refusal::PublicSuffix)
}

fn forbidden(refusal: Refusal) -> LookupError {
    LookupError::Forbidden { reason: refusal.reason().into() }
}

#[cfg(test)]
mod tests;
