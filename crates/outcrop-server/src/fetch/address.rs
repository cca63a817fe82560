//! Which addresses may be fetched from.

use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::str::FromStr;

/// A network, written as `10.0.0.0/8` or `2001:db8::/32`; an address alone is a network of one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Network {
    address: IpAddr,
    /// How many leading bits are fixed: to 32 or 128.
    prefix: u8,
}

/// Never connected to, whatever an operator allows. A cloud's credentials are served on some of these, and they would
/// be swept in by a wide allowance such as `0.0.0.0/0`; nothing that is worth fetching is on any.
///
/// Sources: AWS, "Instance metadata service" and "Task metadata endpoint" (169.254.169.254, 169.254.170.0/23,
/// fd00:ec2::/32); Azure, "What is IP address 168.63.129.16?"; Oracle (192.0.0.192), Google Cloud (fd20:ce::254) and
/// Alibaba Cloud (100.100.100.200) on their metadata servers; read 2026-11.
const NEVER: &[Network] = &[
    v4([0, 0, 0, 0], 32),
    v4([100, 100, 100, 200], 32),
    v4([168, 63, 129, 16], 32),
    v4([169, 254, 0, 0], 16),
    v4([192, 0, 0, 0], 24),
    v4([224, 0, 0, 0], 4),
    v4([255, 255, 255, 255], 32),
    v6([0, 0, 0, 0, 0, 0, 0, 0], 128),
    v6([0xfd00, 0xec2, 0, 0, 0, 0, 0, 0], 32),
    v6([0xfd20, 0xce, 0, 0, 0, 0, 0, 0x254], 128),
    v6([0xfe80, 0, 0, 0, 0, 0, 0, 0], 10),
    v6([0xff00, 0, 0, 0, 0, 0, 0, 0], 8),
];

/// IPv4 that is not public (IANA IPv4 Special-Purpose Address Registry, 2026-11), besides [`NEVER`].
const SPECIAL_V4: &[Network] = &[
    // "this network"
    v4([0, 0, 0, 0], 8),
    // private
    v4([10, 0, 0, 0], 8),
    // shared by carriers (CGNAT)
    v4([100, 64, 0, 0], 10),
    // loopback
    v4([127, 0, 0, 0], 8),
    // private
    v4([172, 16, 0, 0], 12),
    // documentation
    v4([192, 0, 2, 0], 24),
    // relays of 6to4
    v4([192, 88, 99, 0], 24),
    // private
    v4([192, 168, 0, 0], 16),
    // benchmarks
    v4([198, 18, 0, 0], 15),
    // documentation
    v4([198, 51, 100, 0], 24),
    v4([203, 0, 113, 0], 24),
    // reserved
    v4([240, 0, 0, 0], 4),
];

/// All of IPv6 that is given out for use in public (IANA IPv6 Address Space, 2026-11).
const GLOBAL_V6: Network = v6([0x2000, 0, 0, 0, 0, 0, 0, 0], 3);

/// Parts of [`GLOBAL_V6`] that are not public (IANA IPv6 Special-Purpose Address Registry, 2026-11).
const SPECIAL_V6: &[Network] = &[
    // protocol assignments, Teredo among them
    v6([0x2001, 0, 0, 0, 0, 0, 0, 0], 23),
    // documentation
    v6([0x2001, 0xdb8, 0, 0, 0, 0, 0, 0], 32),
    // 6to4
    TUNNEL_6TO4,
    // documentation
    v6([0x3fff, 0, 0, 0, 0, 0, 0, 0], 20),
];

/// IPv4 behind a translator (RFC 6052). A network that has only IPv6 reaches public IPv4 hosts this way.
const NAT64: Network = v6([0x64, 0xff9b, 0, 0, 0, 0, 0, 0], 96);
/// The same for use within a network (RFC 8215).
const NAT64_LOCAL: Network = v6([0x64, 0xff9b, 1, 0, 0, 0, 0, 0], 48);
/// IPv4-compatible (RFC 4291, deprecated).
const COMPATIBLE: Network = v6([0, 0, 0, 0, 0, 0, 0, 0], 96);
/// IPv4-translated (RFC 2765).
const TRANSLATED: Network = v6([0, 0, 0, 0, 0xffff, 0, 0, 0], 96);
/// IPv4-mapped (RFC 4291).
const MAPPED: Network = v6([0, 0, 0, 0, 0, 0xffff, 0, 0], 96);
/// 6to4 (RFC 3056, deprecated).
const TUNNEL_6TO4: Network = v6([0x2002, 0, 0, 0, 0, 0, 0, 0], 16);
/// Teredo (RFC 4380).
const TEREDO: Network = v6([0x2001, 0, 0, 0, 0, 0, 0, 0], 32);

/// Whether a connection may be made: to public addresses, and to others in `private_networks`.
pub(super) fn may_connect(address: IpAddr, private_networks: &[Network]) -> bool {
    // The kernel connects to an IPv4-mapped address by IPv4, so it is one.
    let address = address.to_canonical();
    let is_barred = |address| NEVER.iter().any(|network| network.contains(address));
    if is_barred(address) || embedded(address).is_some_and(|inner| is_barred(inner.into())) {
        return false;
    }
    is_public(address) || private_networks.iter().any(|network| network.contains(address))
}

fn is_public(address: IpAddr) -> bool {
    let is_one_of = |networks: &[Network]| networks.iter().any(|network| network.contains(address));
    match address {
        IpAddr::V4(_) => !is_one_of(NEVER) && !is_one_of(SPECIAL_V4),
        IpAddr::V6(_) if NAT64.contains(address) => embedded(address).is_some_and(|inner| is_public(inner.into())),
        IpAddr::V6(_) => GLOBAL_V6.contains(address) && !is_one_of(SPECIAL_V6),
    }
}

/// The IPv4 address that an IPv6 address leads to, if it is of a kind that does.
fn embedded(address: IpAddr) -> Option<Ipv4Addr> {
    let IpAddr::V6(v6) = address else { return None };
    let [_, first, second, .., before_last, last] = v6.segments();
    let join = |high: u16, low: u16| Ipv4Addr::from_bits(u32::from(high) << 16 | u32::from(low));
    if TUNNEL_6TO4.contains(address) {
        Some(join(first, second))
    } else if TEREDO.contains(address) {
        Some(join(!before_last, !last))
    } else if [NAT64, NAT64_LOCAL, COMPATIBLE, TRANSLATED]
        .iter()
        .any(|network| network.contains(address))
    {
        Some(join(before_last, last))
    } else {
        None
    }
}

impl Network {
    /// Whether an address is in it.
    pub(crate) fn contains(self, address: IpAddr) -> bool {
        match (self.address, address) {
            (IpAddr::V4(own), IpAddr::V4(other)) => {
                let mask = u32::MAX.checked_shl(32 - u32::from(self.prefix)).unwrap_or(0);
                (own.to_bits() ^ other.to_bits()) & mask == 0
            }
            (IpAddr::V6(own), IpAddr::V6(other)) => {
                let mask = u128::MAX.checked_shl(128 - u32::from(self.prefix)).unwrap_or(0);
                (own.to_bits() ^ other.to_bits()) & mask == 0
            }
            _ => false,
        }
    }

    fn is_within(self, other: Network) -> bool {
        other.prefix <= self.prefix && other.contains(self.address)
    }

    /// The first address.
    fn base(self) -> IpAddr {
        match self.address {
            IpAddr::V4(address) => {
                let mask = u32::MAX.checked_shl(32 - u32::from(self.prefix)).unwrap_or(0);
                Ipv4Addr::from_bits(address.to_bits() & mask).into()
            }
            IpAddr::V6(address) => {
                let mask = u128::MAX.checked_shl(128 - u32::from(self.prefix)).unwrap_or(0);
                Ipv6Addr::from_bits(address.to_bits() & mask).into()
            }
        }
    }
}

impl FromStr for Network {
    type Err = String;

    /// Reads an address with or without a length of its prefix.
    ///
    /// # Errors
    /// What is wrong, without the text itself.
    fn from_str(text: &str) -> Result<Self, String> {
        let (address, prefix) = match text.split_once('/') {
            Some((address, prefix)) => (address, Some(prefix)),
            None => (text, None),
        };
        let address: IpAddr = address.parse().map_err(|_| "not an IP address")?;
        let longest = if address.is_ipv4() { 32 } else { 128 };
        let prefix = match prefix {
            None => longest,
            Some(digits) if digits.bytes().all(|byte| byte.is_ascii_digit()) => digits
                .parse()
                .ok()
                .filter(|prefix| *prefix <= longest)
                .ok_or_else(|| format!("the length of a prefix is from 0 to {longest}"))?,
            Some(_) => return Err("the length of a prefix is a number".to_owned()),
        };
        let network = Self { address, prefix };
        let base = network.base();
        if base != address {
            return Err(format!(
                "bits beyond the prefix are set; the network is {base}/{prefix}"
            ));
        }
        if network.is_within(MAPPED) {
            return Err("write an IPv4-mapped address as IPv4".to_owned());
        }
        if NEVER.iter().any(|never| network.is_within(*never)) {
            return Err("it is never fetched from: link-local, multicast, or a cloud's metadata".to_owned());
        }
        Ok(network)
    }
}

impl fmt::Display for Network {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.address, self.prefix)
    }
}

const fn v4([a, b, c, d]: [u8; 4], prefix: u8) -> Network {
    Network {
        address: IpAddr::V4(Ipv4Addr::new(a, b, c, d)),
        prefix,
    }
}

const fn v6([a, b, c, d, e, f, g, h]: [u16; 8], prefix: u8) -> Network {
    Network {
        address: IpAddr::V6(Ipv6Addr::new(a, b, c, d, e, f, g, h)),
        prefix,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn may(address: &str, private_networks: &[&str]) -> bool {
        let networks: Vec<Network> = private_networks.iter().map(|text| text.parse().unwrap()).collect();
        may_connect(address.parse().unwrap(), &networks)
    }

    #[test]
    fn public_addresses_may_be_fetched_from() {
        for address in [
            "1.1.1.1",
            "8.8.8.8",
            "9.255.255.255",
            "11.0.0.0",
            "52.94.236.248",
            "99.255.255.255",
            "100.63.255.255",
            "100.128.0.0",
            "126.255.255.255",
            "128.0.0.1",
            "168.63.129.15",
            "168.63.129.17",
            "169.253.255.255",
            "169.255.0.0",
            "172.15.255.255",
            "172.32.0.0",
            "191.255.255.255",
            "192.0.1.0",
            "192.0.3.0",
            "192.167.255.255",
            "192.169.0.0",
            "198.17.255.255",
            "198.20.0.0",
            "198.51.99.255",
            "203.0.114.0",
            "223.255.255.255",
            "2001:200::1",
            "2001:4860:4860::8888",
            "2001:db7:ffff::1",
            "2001:db9::1",
            "2003::1",
            "2600:1f18::1",
            "2606:4700:4700::1111",
            "2a00:1450:4001:80e::200e",
            "3ffe::1",
            // by IPv4, and behind a translator
            "::ffff:8.8.8.8",
            "64:ff9b::8.8.8.8",
        ] {
            assert!(may(address, &[]), "{address}");
        }
    }

    #[test]
    fn others_may_not() {
        for address in [
            "0.0.0.0",
            "0.1.2.3",
            "10.0.0.1",
            "10.255.255.255",
            "100.64.0.0",
            "100.100.100.200",
            "100.127.255.255",
            "127.0.0.1",
            "127.255.255.254",
            "168.63.129.16",
            "169.254.0.1",
            "169.254.169.254",
            "169.254.170.2",
            "169.254.170.23",
            "169.254.171.255",
            "172.16.0.0",
            "172.31.255.255",
            "192.0.0.0",
            "192.0.0.192",
            "192.0.2.1",
            "192.88.99.1",
            "192.168.0.0",
            "192.168.255.255",
            "198.18.0.0",
            "198.19.255.255",
            "198.51.100.7",
            "203.0.113.255",
            "224.0.0.1",
            "239.255.255.255",
            "240.0.0.1",
            "255.255.255.255",
            "::",
            "::1",
            "100::1",
            "fc00::1",
            "fd00:ec2::254",
            "fd00:ec2::23",
            "fd12:3456:789a::1",
            "fd20:ce::254",
            "fe80::1",
            "febf:ffff::1",
            "fec0::1",
            "ff02::1",
            "ff0e::1",
            "2001::1",
            "2001:2::1",
            "2001:10::1",
            "2001:20::1",
            "2001:db8::1",
            "2001:db8:ffff:ffff::1",
            "3fff::1",
            "3fff:fff:ffff::1",
            "4000::1",
            "5f00::1",
            "1fff:ffff::1",
            // IPv4 in disguise
            "::ffff:127.0.0.1",
            "::ffff:10.0.0.1",
            "::ffff:169.254.169.254",
            "::ffff:0.0.0.0",
            "::ffff:0:10.0.0.1",
            "::ffff:0:8.8.8.8",
            "::127.0.0.1",
            "::169.254.169.254",
            "::8.8.8.8",
            "64:ff9b::127.0.0.1",
            "64:ff9b::10.0.0.1",
            "64:ff9b::169.254.169.254",
            "64:ff9b:1::8.8.8.8",
            "64:ff9b:1::169.254.169.254",
            "2002:7f00:1::",
            "2002:a9fe:a9fe::1",
            "2002:808:808::1",
            "2001:0:4136:e378:8000:63bf:3fff:fdd2",
            "2001:0:808:808::5601:5601",
        ] {
            assert!(!may(address, &[]), "{address}");
        }
    }

    #[test]
    fn an_operator_may_allow_private_networks() {
        let networks = ["10.1.0.0/16", "127.0.0.1", "fd12::/16", "::1"];
        for address in [
            "10.1.0.0",
            "10.1.255.255",
            "::ffff:10.1.2.3",
            "127.0.0.1",
            "fd12:9::1",
            "::1",
        ] {
            assert!(may(address, &networks), "{address}");
        }
        for address in [
            "10.0.255.255",
            "10.2.0.0",
            "127.0.0.2",
            "fd13::1",
            "::2",
            "64:ff9b::10.1.2.3",
        ] {
            assert!(!may(address, &networks), "{address}");
        }
    }

    #[test]
    fn no_allowance_is_wide_enough_for_metadata() {
        let everything = ["0.0.0.0/0", "::/0"];
        for address in ["10.0.0.1", "192.168.1.1", "100.64.0.1", "fc00::1", "2001:db8::1", "::1"] {
            assert!(may(address, &everything), "{address}");
        }
        for address in [
            "0.0.0.0",
            "169.254.169.254",
            "169.254.170.2",
            "168.63.129.16",
            "192.0.0.192",
            "100.100.100.200",
            "224.0.0.1",
            "255.255.255.255",
            "::",
            "fd00:ec2::254",
            "fe80::1",
            "ff02::1",
            "::ffff:169.254.169.254",
            "::169.254.169.254",
            "::ffff:0:169.254.169.254",
            "64:ff9b::169.254.169.254",
            "64:ff9b:1::169.254.169.254",
            "2002:a9fe:a9fe::1",
            "2001:0:4136:e378:8000:63bf:5601:5601",
        ] {
            assert!(!may(address, &everything), "{address}");
        }
    }

    #[test]
    fn networks_are_read_and_shown() {
        for (text, shown) in [
            ("10.0.0.0/8", "10.0.0.0/8"),
            ("0.0.0.0/0", "0.0.0.0/0"),
            ("127.0.0.1", "127.0.0.1/32"),
            ("fd12::/16", "fd12::/16"),
            ("::1", "::1/128"),
        ] {
            assert_eq!(text.parse::<Network>().unwrap().to_string(), shown);
        }
        for bad in [
            "",
            "10.0.0.0/33",
            "10.0.0.0/+8",
            "10.0.0.0/",
            "10.0.0.1/8",
            "fd12::/129",
            "fd12::1/16",
            "10/8",
            "localhost",
            "::ffff:10.0.0.0/104",
            "169.254.169.254",
            "169.254.170.0/23",
            "fe80::/64",
        ] {
            assert!(bad.parse::<Network>().is_err(), "{bad}");
        }
    }
}
