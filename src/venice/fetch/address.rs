//! Which addresses and hosts are public. All others may lead into this machine or its network.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use url::{Host, Url};

/// The IPv4 blocks that are not globally reachable, as (first address, prefix length): IANA's special-purpose registry,
/// multicast, and reserved addresses. 169.254.169.254, where clouds serve credentials, is link-local; 168.63.129.16 and
/// 100.100.100.200 are the addresses of Azure and Alibaba for the same.
const SPECIAL_IPV4_BLOCKS: &[(Ipv4Addr, u32)] = &[
    (Ipv4Addr::UNSPECIFIED, 8),
    (Ipv4Addr::new(10, 0, 0, 0), 8),
    (Ipv4Addr::new(100, 64, 0, 0), 10),
    (Ipv4Addr::new(127, 0, 0, 0), 8),
    (Ipv4Addr::new(168, 63, 129, 16), 32),
    (Ipv4Addr::new(169, 254, 0, 0), 16),
    (Ipv4Addr::new(172, 16, 0, 0), 12),
    (Ipv4Addr::new(192, 0, 0, 0), 24),
    (Ipv4Addr::new(192, 0, 2, 0), 24),
    (Ipv4Addr::new(192, 88, 99, 0), 24),
    (Ipv4Addr::new(192, 168, 0, 0), 16),
    (Ipv4Addr::new(198, 18, 0, 0), 15),
    (Ipv4Addr::new(198, 51, 100, 0), 24),
    (Ipv4Addr::new(203, 0, 113, 0), 24),
    (Ipv4Addr::new(224, 0, 0, 0), 4),
    (Ipv4Addr::new(240, 0, 0, 0), 4),
];

/// The blocks of IPv6's global unicast space, `2000::/3`, that are not globally reachable: protocol assignments (Teredo,
/// benchmarking, and ORCHID among them), documentation, and 6to4, which contains an IPv4 address.
const SPECIAL_IPV6_BLOCKS: &[(Ipv6Addr, u32)] = &[
    (Ipv6Addr::new(0x2001, 0, 0, 0, 0, 0, 0, 0), 23),
    (Ipv6Addr::new(0x2001, 0xdb8, 0, 0, 0, 0, 0, 0), 32),
    (Ipv6Addr::new(0x2002, 0, 0, 0, 0, 0, 0, 0), 16),
    (Ipv6Addr::new(0x3fff, 0, 0, 0, 0, 0, 0, 0), 20),
];

const GLOBAL_UNICAST: (Ipv6Addr, u32) = (Ipv6Addr::new(0x2000, 0, 0, 0, 0, 0, 0, 0), 3);

/// The well-known prefix of NAT64 (RFC 6052), under which an IPv6-only network sees every IPv4 host.
const NAT64: (Ipv6Addr, u32) = (Ipv6Addr::new(0x64, 0xff9b, 0, 0, 0, 0, 0, 0), 96);

/// Host names that never lead to the public internet, and neither do their subdomains.
const LOCAL_NAMES: &[&str] =
    &["localhost", "local", "internal", "localdomain", "lan", "intranet", "home.arpa"];

/// Whether `address` is on the public internet, however an IPv4 address in it is written.
pub(super) fn is_public(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(address) => is_public_v4(address),
        IpAddr::V6(address) => is_public_v6(address),
    }
}

/// Whether the host of `url` may be public: a public address, or a name that has to be resolved first.
pub(super) fn may_be_public(url: &Url) -> bool {
    match url.host() {
        Some(Host::Ipv4(address)) => is_public_v4(address),
        Some(Host::Ipv6(address)) => is_public_v6(address),
        Some(Host::Domain(name)) => !is_local_name(name),
        None => false,
    }
}

fn is_public_v4(address: Ipv4Addr) -> bool {
    !SPECIAL_IPV4_BLOCKS
        .iter()
        .any(|(first, length)| (address.to_bits() ^ first.to_bits()) >> (32 - length) == 0)
}

fn is_public_v6(address: Ipv6Addr) -> bool {
    if let Some(inner) = address.to_ipv4_mapped() {
        return is_public_v4(inner);
    }
    if is_within(address, NAT64) {
        let [.., a, b, c, d] = address.octets();
        return is_public_v4(Ipv4Addr::new(a, b, c, d));
    }
    is_within(address, GLOBAL_UNICAST)
        && !SPECIAL_IPV6_BLOCKS.iter().any(|block| is_within(address, *block))
}

fn is_within(address: Ipv6Addr, (first, length): (Ipv6Addr, u32)) -> bool {
    (address.to_bits() ^ first.to_bits()) >> (128 - length) == 0
}

/// Whether a name belongs to the local network, as every name without a dot does.
fn is_local_name(name: &str) -> bool {
    let name = name.trim_end_matches('.').to_ascii_lowercase();
    let is_below = |local: &&str| name.strip_suffix(*local).is_some_and(|head| head.ends_with('.'));
    !name.contains('.') || LOCAL_NAMES.iter().any(is_below)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const PUBLIC: &[&str] = &[
        "1.1.1.1",
        "9.255.255.255",
        "11.0.0.0",
        "100.63.255.255",
        "100.128.0.0",
        "126.255.255.255",
        "128.0.0.0",
        "169.253.255.255",
        "172.15.255.255",
        "172.32.0.0",
        "192.0.1.1",
        "192.167.255.255",
        "198.17.255.255",
        "198.20.0.0",
        "223.255.255.255",
        "2606:4700:4700::1111",
        "2a00:1450:4001::200e",
        "2001:4860:4860::8888",
        "::ffff:1.1.1.1",
        "64:ff9b::1.1.1.1",
    ];

    const PRIVATE: &[&str] = &[
        "0.0.0.0",
        "0.1.2.3",
        "10.0.0.1",
        "10.255.255.255",
        "100.64.0.1",
        "100.100.100.200",
        "127.0.0.1",
        "127.255.255.254",
        "168.63.129.16",
        "169.254.0.1",
        "169.254.169.254",
        "172.16.0.1",
        "172.31.255.255",
        "192.0.0.8",
        "192.0.2.1",
        "192.88.99.1",
        "192.168.0.1",
        "198.18.0.1",
        "198.19.255.255",
        "198.51.100.7",
        "203.0.113.9",
        "224.0.0.1",
        "239.255.255.255",
        "240.0.0.1",
        "255.255.255.255",
        "::",
        "::1",
        "::127.0.0.1",
        "::1.1.1.1",
        "::ffff:127.0.0.1",
        "::ffff:169.254.169.254",
        "::ffff:0:127.0.0.1",
        "64:ff9b::10.0.0.1",
        "64:ff9b::169.254.169.254",
        "64:ff9b:1::1.1.1.1",
        "100::1",
        "2001::7f00:1",
        "2001:2::1",
        "2001:10::1",
        "2001:20::1",
        "2001:db8::1",
        "2002:7f00:1::",
        "2002:101:101::",
        "3fff::1",
        "4000::1",
        "5f00::1",
        "fc00::1",
        "fd00:ec2::254",
        "fe80::1",
        "fec0::1",
        "ff02::1",
    ];

    #[test]
    fn every_special_address_is_private_and_its_neighbors_are_public() {
        for text in PUBLIC {
            assert!(is_public(text.parse().unwrap()), "{text}");
        }
        for text in PRIVATE {
            assert!(!is_public(text.parse().unwrap()), "{text}");
        }
    }

    #[test]
    fn a_host_is_recognized_in_every_spelling() {
        let private = [
            "https://127.0.0.1/",
            "https://2130706433/",
            "https://0x7f.1/",
            "https://017700000001/",
            "https://127.1/",
            "https://[::1]/",
            "https://[::ffff:7f00:1]/",
            "https://localhost/",
            "https://LOCALHOST./",
            "https://a.localhost/",
            "https://printer.local/",
            "https://metadata.google.internal/",
            "https://intranet/",
            "https://router.home.arpa/",
            "https://１２７.0.0.1/",
        ];
        for text in private {
            assert!(!may_be_public(&Url::parse(text).unwrap()), "{text}");
        }
        for text in ["https://example.com/", "https://1.1.1.1/", "https://notlocal.com./"] {
            assert!(may_be_public(&Url::parse(text).unwrap()), "{text}");
        }
    }

    proptest! {
        #[test]
        fn an_ipv4_address_is_treated_alike_when_mapped_or_translated(bits: u32) {
            let inner = Ipv4Addr::from_bits(bits);
            let translated = Ipv6Addr::from_bits(NAT64.0.to_bits() | u128::from(bits));
            prop_assert_eq!(is_public_v4(inner), is_public_v6(inner.to_ipv6_mapped()));
            prop_assert_eq!(is_public_v4(inner), is_public_v6(translated));
            prop_assert!(!is_public_v6(inner.to_ipv6_compatible()));
        }
    }
}
