//! Which addresses a request may reach. Pure: an address and a host in, a verdict out.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// How far a client may reach.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Reach {
    /// Public addresses only: for URLs that come from data or from other systems.
    Public,
    /// For a URL that the operator wrote: its host may also lie in a private network, and on this machine when the host says so
    /// itself (`localhost`, `127.0.0.1`, `[::1]`). A name that merely resolves to this machine is refused.
    Configured {
        /// Host of the configured URL; every other host is reached as under [`Reach::Public`].
        host: String,
    },
}

impl Reach {
    /// The reach of a URL that the operator wrote.
    pub fn configured(url: &reqwest::Url) -> Reach {
        Reach::Configured { host: url.host_str().unwrap_or_default().to_owned() }
    }

    /// Says why `address` may not be reached for `host`, or nothing when it may.
    pub(crate) fn refuses(&self, host: &str, address: IpAddr) -> Option<&'static str> {
        let named = matches!(self, Reach::Configured { host: own } if own.eq_ignore_ascii_case(host));
        match class_of(address) {
            Class::Public => None,
            Class::Private if named => None,
            Class::Loopback if named && says_loopback(host) => None,
            Class::Private => Some("a private network"),
            Class::Loopback => Some("this machine"),
            Class::LinkLocal => Some("a link-local address"),
            Class::Special => Some("no address of a single host"),
        }
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Class {
    Public,
    Private,
    Loopback,
    LinkLocal,
    Special,
}

fn says_loopback(host: &str) -> bool {
    let host = host.trim_start_matches('[').trim_end_matches(']');
    host.eq_ignore_ascii_case("localhost")
        || host.parse::<IpAddr>().is_ok_and(|ip| class_of(ip) == Class::Loopback)
}

fn class_of(address: IpAddr) -> Class {
    match address {
        IpAddr::V4(v4) => class_of_v4(v4),
        IpAddr::V6(v6) => class_of_v6(v6),
    }
}

// IANA special-purpose registry (RFC 6890 and its updates), as far as it names ranges that are not globally reachable.
fn class_of_v4(address: Ipv4Addr) -> Class {
    let [a, b, c, _] = address.octets();
    match (a, b, c) {
        (127, ..) => Class::Loopback,
        (10, ..) | (172, 16..=31, _) | (192, 168, _) | (100, 64..=127, _) => Class::Private,
        (169, 254, _) => Class::LinkLocal,
        (0 | 224..=255, ..) | (192, 0, 0 | 2) | (198, 18..=19, _) | (198, 51, 100) | (203, 0, 113) => {
            Class::Special
        }
        _ => Class::Public,
    }
}

fn class_of_v6(address: Ipv6Addr) -> Class {
    // Forms that carry an IPv4 address reach that address: mapped, NAT64 and 6to4.
    if let Some(v4) = address.to_ipv4_mapped() {
        return class_of_v4(v4);
    }
    let s = address.segments();
    let v4_of = |high: u16, low: u16| Ipv4Addr::from((u32::from(high) << 16) | u32::from(low));
    match s {
        [0, 0, 0, 0, 0, 0, 0, 1] => Class::Loopback,
        [0, 0, 0, 0, 0, 0, high, low] => match class_of_v4(v4_of(high, low)) {
            Class::Public => Class::Special,
            class => class,
        },
        [0x64, 0xff9b, 0, 0, 0, 0, high, low] => class_of_v4(v4_of(high, low)),
        [0x2002, high, low, ..] => class_of_v4(v4_of(high, low)),
        [0xfc00..=0xfdff, ..] => Class::Private,
        [0xfe80..=0xfebf, ..] => Class::LinkLocal,
        [0x2001, 0 | 0xdb8, ..] | [0x100, 0, 0, 0, ..] | [0xfec0..=0xfeff, ..] | [0xff00..=0xffff, ..] => {
            Class::Special
        }
        _ => Class::Public,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(reach: &Reach, host: &str, address: &str, allowed: bool) {
        let verdict = reach.refuses(host, address.parse().unwrap());
        assert_eq!(verdict.is_none(), allowed, "{host} -> {address} under {reach:?}: {verdict:?}");
    }

    #[test]
    fn public_reach_refuses_every_inner_address() {
        for inner in [
            "127.0.0.1",
            "127.9.9.9",
            "10.1.2.3",
            "172.16.0.1",
            "172.31.255.255",
            "192.168.1.1",
            "100.64.0.1",
            "169.254.169.254",
            "0.0.0.0",
            "255.255.255.255",
            "224.0.0.1",
            "192.0.2.1",
            "198.18.0.1",
            "::1",
            "::",
            "::ffff:127.0.0.1",
            "::ffff:10.0.0.1",
            "fe80::1",
            "fd00::1",
            "ff02::1",
            "64:ff9b::7f00:1",
            "2002:7f00:1::",
            "::7f00:1",
            "2001:db8::1",
            "fec0::1",
        ] {
            check(&Reach::Public, "example.org", inner, false);
        }
        for outer in
            ["93.184.216.34", "172.32.0.1", "100.128.0.1", "2606:2800:220:1::1", "64:ff9b::5db8:d822"]
        {
            check(&Reach::Public, "example.org", outer, true);
        }
    }

    #[test]
    fn configured_reach_allows_loopback_only_when_the_host_says_so() {
        let named = |host: &str| Reach::Configured { host: host.to_owned() };
        check(&named("localhost"), "localhost", "127.0.0.1", true);
        check(&named("127.0.0.1"), "127.0.0.1", "127.0.0.1", true);
        check(&named("[::1]"), "[::1]", "::1", true);
        check(&named("fhir.example.org"), "fhir.example.org", "127.0.0.1", false);
        check(&named("localhost"), "other.example.org", "127.0.0.1", false);
    }

    #[test]
    fn configured_reach_allows_the_private_network_of_its_own_host_only() {
        let reach = Reach::Configured { host: "fhir.hospital.internal".to_owned() };
        check(&reach, "fhir.hospital.internal", "10.0.0.5", true);
        check(&reach, "FHIR.hospital.internal", "fd00::5", true);
        check(&reach, "elsewhere.example.org", "10.0.0.5", false);
        check(&reach, "fhir.hospital.internal", "169.254.169.254", false);
    }
}
