//! The rules against every kind of address, name and spelling.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use proptest::prelude::*;
use url::Url;

use super::Refusal::{
    Anycast, Benchmark, CarrierShared, CloudService, Documentation, LinkLocal, Loopback, Multicast,
    NotPublicV6, Private, Protocol, ProtocolV6, Reserved, SixToFour, Unspecified,
};
use super::{Nets, PUBLIC_V6, Refusal, Route, Verdict, judge_url, route, verdict};
use crate::error::LookupError;
use crate::http::Limits;
use crate::provider::{Quota, Reach};

/// Addresses at the edges of every rule, on both sides; `None` is allowed.
const TABLE: &[(Option<Refusal>, &[&str])] = &[
    (Some(Unspecified), &["0.0.0.0", "0.0.0.1", "0.255.255.255"]),
    (Some(Private), &["10.0.0.0", "10.1.2.3", "10.255.255.255"]),
    (Some(Private), &["172.16.0.0", "172.20.0.1", "172.31.255.255"]),
    (Some(Private), &["192.168.0.0", "192.168.1.1", "192.168.255.255"]),
    (Some(CarrierShared), &["100.64.0.0", "100.100.100.200", "100.127.255.255"]),
    (Some(Loopback), &["127.0.0.0", "127.0.0.1", "127.255.255.255"]),
    (Some(LinkLocal), &["169.254.0.0", "169.254.169.254", "169.254.170.2", "169.254.255.255"]),
    (Some(Protocol), &["192.0.0.0", "192.0.0.8", "192.0.0.170", "192.0.0.192", "192.0.0.255"]),
    (Some(Documentation), &["192.0.2.0", "192.0.2.255", "198.51.100.0", "198.51.100.255"]),
    (Some(Documentation), &["203.0.113.0", "203.0.113.77", "203.0.113.255"]),
    (Some(Anycast), &["192.31.196.0", "192.31.196.255", "192.52.193.0", "192.52.193.255"]),
    (Some(Anycast), &["192.175.48.0", "192.175.48.255"]),
    (Some(SixToFour), &["192.88.99.0", "192.88.99.1", "192.88.99.255"]),
    (Some(Benchmark), &["198.18.0.0", "198.18.0.1", "198.19.255.255"]),
    (Some(Multicast), &["224.0.0.0", "224.0.0.1", "239.255.255.250", "239.255.255.255"]),
    (Some(Reserved), &["240.0.0.0", "250.1.2.3", "255.255.255.254", "255.255.255.255"]),
    (Some(CloudService), &["168.63.129.16"]),
    (None, &["1.0.0.0", "1.1.1.1", "8.8.8.8", "9.255.255.255", "11.0.0.0", "93.184.216.34"]),
    (None, &["100.63.255.255", "100.128.0.0", "126.255.255.255", "128.0.0.0", "168.63.129.15"]),
    (None, &["168.63.129.17", "169.253.255.255", "169.255.0.0", "172.15.255.255", "172.32.0.0"]),
    (None, &["191.255.255.255", "192.0.1.0", "192.0.3.0", "192.31.195.255", "192.31.197.0"]),
    (None, &["192.52.192.255", "192.52.194.0", "192.88.98.255", "192.88.100.0", "192.167.255.255"]),
    (None, &["192.169.0.0", "192.175.47.255", "192.175.49.0", "198.17.255.255", "198.20.0.0"]),
    (None, &["198.51.99.255", "198.51.101.0", "203.0.112.255", "203.0.114.0", "223.255.255.255"]),
    (Some(NotPublicV6), &["::", "::1", "::2", "::127.0.0.1", "::8.8.8.8", "::ffff:0:8.8.8.8"]),
    (Some(NotPublicV6), &["64:ff9b::127.0.0.1", "64:ff9b::808:808", "64:ff9b:1::1", "100::", "100::1"]),
    (Some(NotPublicV6), &["100:0:0:1::1", "1fff:ffff::", "4000::", "5f00::1", "8000::1", "a000::"]),
    (Some(NotPublicV6), &["fc00::", "fd00:ec2::254", "fdff::1", "fe80::", "fe80::1", "febf::1"]),
    (Some(NotPublicV6), &["fec0::1", "feff::1", "ff00::", "ff02::1", "ff0e::1", "ffff::ffff"]),
    (Some(ProtocolV6), &["2001::", "2001::1", "2001:0:4136:e378:8000:63bf:3fff:fdd2", "2001:2::1"]),
    (Some(ProtocolV6), &["2001:3::1", "2001:4:112::1", "2001:10::1", "2001:20::1", "2001:30::1"]),
    (Some(ProtocolV6), &["2001:1ff:ffff:ffff:ffff:ffff:ffff:ffff"]),
    (Some(Documentation), &["2001:db8::", "2001:db8::1", "2001:db8:ffff::", "3fff::", "3fff:fff::1"]),
    (Some(SixToFour), &["2002::", "2002:7f00:1::1", "2002:a00:1::", "2002:ffff::"]),
    (Some(Anycast), &["2620:4f:8000::", "2620:4f:8000::53", "2620:4f:8000:ffff::1"]),
    (None, &["2000::", "2000::1", "2001:200::", "2001:4860:4860::8888", "2001:db7:ffff::1", "2001:db9::1"]),
    (None, &["2003::1", "2606:4700:4700::1111", "2620:4f:7fff::1", "2620:4f:8001::1", "2a00:1450::1"]),
    (None, &["3ffe:ffff::1", "3fff:1000::1", "3fff:ffff::1"]),
    // An IPv4 address wrapped into IPv6 is the IPv4 address.
    (Some(Loopback), &["::ffff:127.0.0.1", "::ffff:7f00:1"]),
    (Some(LinkLocal), &["::ffff:169.254.169.254"]),
    (Some(Private), &["::ffff:10.0.0.1", "::ffff:192.168.0.1", "::ffff:ac10:1"]),
    (Some(Unspecified), &["::ffff:0.0.0.0"]),
    (None, &["::ffff:8.8.8.8", "::ffff:101:101"]),
];

#[test]
fn every_kind_of_address_is_judged() {
    let mut judged = 0;
    for (refusal, addresses) in TABLE {
        for text in *addresses {
            let address: IpAddr = text.parse().unwrap();
            let expected = refusal.map_or(Verdict::Allowed, Verdict::Refused);
            assert_eq!(verdict(address), expected, "{text}");
            judged += 1;
        }
    }
    assert!(judged >= 120, "{judged}");
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(20_000))]

    #[test]
    fn a_wrapped_v4_address_is_the_v4_address(bits in any::<u32>()) {
        let address = Ipv4Addr::from_bits(bits);
        prop_assert_eq!(verdict(address.into()), verdict(address.to_ipv6_mapped().into()));
        prop_assert_ne!(verdict(address.to_ipv6_compatible().into()), Verdict::Allowed);
    }

    #[test]
    fn no_v6_address_outside_the_public_space_is_allowed(bits in any::<u128>()) {
        let address = Ipv6Addr::from_bits(bits);
        let is_wrapped = address.to_ipv4_mapped().is_some();
        if !PUBLIC_V6.contains(&address) && !is_wrapped {
            prop_assert_eq!(verdict(address.into()), Verdict::Refused(NotPublicV6));
        }
    }

    #[test]
    fn no_embedded_v4_address_gets_through(bits in any::<u32>(), low in any::<u64>()) {
        let v4 = u128::from(bits);
        let low = u128::from(low);
        // NAT64 (both prefixes), 6to4, Teredo, IPv4-translated.
        for address in [
            (0x0064_ff9b_u128 << 96) | v4,
            (0x0064_ff9b_0001_u128 << 80) | v4,
            (0x2002_u128 << 112) | (v4 << 80) | low,
            (0x2001_0000_u128 << 96) | (v4 << 64) | low,
            (0xffff_u128 << 48) | v4,
        ] {
            prop_assert_ne!(verdict(Ipv6Addr::from_bits(address).into()), Verdict::Allowed);
        }
    }
}

#[test]
fn an_allowed_network_is_the_operators_choice() {
    let allow = vec!["127.0.0.0/8".parse().unwrap(), "fd00::/8".parse().unwrap()];
    let deny = vec!["127.9.0.0/16".parse().unwrap(), "1.2.3.0/24".parse().unwrap()];
    let nets = Nets { allow, deny, ..Nets::default() };
    let judged = |text: &str| nets.admit(text.parse().unwrap());
    assert_eq!(judged("127.0.0.1"), Ok(()));
    assert_eq!(judged("::ffff:127.0.0.1"), Ok(()));
    assert_eq!(judged("fd12::1"), Ok(()));
    assert_eq!(judged("8.8.8.8"), Ok(()));
    assert_eq!(judged("10.0.0.1"), Err(Private));
    assert_eq!(judged("::1"), Err(NotPublicV6));
    assert_eq!(judged("1.2.3.4"), Err(Refusal::Denied));
    assert_eq!(judged("::ffff:1.2.3.4"), Err(Refusal::Denied));
    assert_eq!(judged("127.9.9.9"), Err(Refusal::Denied), "deny wins over allow");
}

fn limits(reach: Reach, trusted: Option<&str>) -> Limits {
    let trusted = trusted.map(|url| Url::parse(url).unwrap());
    Limits { reach, trusted, ..Limits::for_quota(Quota::per_second(1)) }
}

fn judged(limits: &Limits, url: &str) -> Option<Route> {
    match route(&Url::parse(url).unwrap(), limits) {
        Ok(route) => Some(route),
        Err(LookupError::Forbidden { .. }) => None,
        Err(other) => panic!("{url}: {other}"),
    }
}

#[test]
fn the_web_is_public_names_on_usual_ports() {
    let web = limits(Reach::Web, None);
    for url in [
        "https://ada.example.org/",
        "http://ada.example.org/about?x=1#me",
        "https://ada.example.org:443/",
        "http://ada.example.org:443/",
        "https://ada.example.org:80/",
        "https://ada.example.org./",
        "https://bücher.example.com/",
        "https://localhost.example.org/",
        "https://user.github.io/",
    ] {
        assert_eq!(judged(&web, url), Some(Route::Guarded), "{url}");
    }
}

#[test]
fn everything_else_on_the_web_is_refused() {
    let web = limits(Reach::Web, None);
    let long = format!("https://ada.example.org/{}", "x".repeat(2_048));
    for url in [
        // Spellings of addresses.
        "http://127.0.0.1/",
        "http://2130706433/",
        "http://0x7f.1/",
        "http://0177.0.0.1/",
        "http://127.1/",
        "http://0/",
        "http://127.0.0.1./",
        "http://１２７.0.0.1/",
        "http://[::1]/",
        "http://[::ffff:127.0.0.1]/",
        "http://8.8.8.8/",
        "http://[2606:4700:4700::1111]/",
        "http://169.254.169.254/latest/meta-data/",
        // Names that are not public.
        "http://localhost/",
        "http://localhost./",
        "http://intranet/",
        "http://a.localhost/",
        "http://printer.local/",
        "http://metadata.google.internal/",
        "http://router.home.arpa/",
        "http://home.arpa/",
        "http://nas.lan/",
        "http://wiki.corp/",
        "http://x.onion/",
        "http://x.i2p/",
        "http://x.test/",
        "http://x.invalid/",
        "http://x.example/",
        "http://X.LOCAL/",
        "http://ｘ.ｌｏｃａｌ/",
        "http://co.uk/",
        // Not the web.
        "ftp://ada.example.org/",
        "file:///etc/passwd",
        "data:text/plain,x",
        "gopher://ada.example.org/",
        "https://ada@ada.example.org/",
        "https://:secret@ada.example.org/",
        "https://ada.example.org:8080/",
        "http://ada.example.org:22/",
        "http://ada.example.org:6379/",
        &long,
    ] {
        assert_eq!(judged(&web, url), None, "{url}");
    }
}

#[test]
fn a_vendor_is_its_own_origin_only() {
    let vendor = limits(Reach::Vendor, Some("https://api.example.com/v1/"));
    assert_eq!(judged(&vendor, "https://api.example.com/v2/people"), Some(Route::Trusted));
    assert_eq!(judged(&vendor, "https://api.example.com:443/"), Some(Route::Trusted));
    for url in [
        "http://api.example.com/",
        "https://api.example.com:8443/",
        "https://api.example.com.example.org/",
        "https://example.com/",
        "https://key@api.example.com/",
    ] {
        assert_eq!(judged(&vendor, url), None, "{url}");
    }
    assert_eq!(judged(&limits(Reach::Vendor, None), "https://api.example.com/"), None);
}

#[test]
fn an_operators_origin_may_be_private_and_nothing_beside_it() {
    let web = limits(Reach::Web, Some("http://127.0.0.1:8080/"));
    assert_eq!(judged(&web, "http://127.0.0.1:8080/x"), Some(Route::Trusted));
    assert_eq!(judged(&web, "http://127.0.0.1:8081/x"), None);
    assert_eq!(judged(&web, "http://127.0.0.2:8080/x"), None);
    assert_eq!(judged(&web, "https://ada.example.org/"), Some(Route::Guarded));
}

#[test]
fn a_url_is_refused_with_its_reason() {
    for (url, refusal) in [
        ("nonsense", Refusal::NotUrl),
        ("http://", Refusal::NotUrl),
        ("https://[::1", Refusal::NotUrl),
        ("ftp://ada.example.org/", Refusal::Scheme),
        ("javascript:alert(1)", Refusal::Scheme),
        ("https://ada@ada.example.org/", Refusal::Credentials),
        ("http://127.1/", Loopback),
        ("http://１２７.0.0.1/", Loopback),
        ("http://[::ffff:127.0.0.1]/", Loopback),
        ("http://169.254.169.254/", LinkLocal),
        ("http://[fd00::1]/", NotPublicV6),
        ("http://8.8.8.8/", Refusal::Literal),
        ("http://intranet/", Refusal::NoDot),
        ("http://nas.lan/", Refusal::SpecialName),
        ("http://co.uk/", Refusal::PublicSuffix),
        ("http://github.io/", Refusal::PublicSuffix),
        ("http://ada.example.org:8080/", Refusal::Port),
    ] {
        assert_eq!(judge_url(url), Err(refusal), "{url}");
    }
    let long = format!("https://ada.example.org/{}", "x".repeat(2_048));
    assert_eq!(judge_url(&long), Err(Refusal::TooLong));
    assert_eq!(judge_url(" https://ADA.example.org ").unwrap().as_str(), "https://ada.example.org/");
}

#[test]
fn an_address_behind_nat64_is_judged_by_what_is_in_it_where_the_operator_says_so() {
    let decoding = Nets { decode_nat64: true, ..Nets::default() };
    for (address, refused) in [
        ("64:ff9b::1.1.1.1", None),
        ("64:ff9b::10.0.0.1", Some(Private)),
        ("64:ff9b:1::1", Some(NotPublicV6)),
    ] {
        let address: IpAddr = address.parse().unwrap();
        assert_eq!(decoding.admit(address).err(), refused, "{address}");
        assert_eq!(Nets::default().admit(address), Err(NotPublicV6), "{address}");
    }
}

#[test]
fn this_machine_is_spared_without_closing_what_the_operator_allows() {
    let allow = vec!["127.0.0.0/8".parse().unwrap()];
    let nets = Nets { allow, ..Nets::default() }.sparing_this_machine();
    assert_eq!(nets.admit("127.0.0.1".parse().unwrap()), Ok(()));
    for interface in if_addrs::get_if_addrs().unwrap() {
        let allowed = nets.admit(interface.ip()).is_ok();
        assert_eq!(allowed, interface.is_loopback() && interface.ip().is_ipv4(), "{}", interface.ip());
    }
}
