//! A port that nobody listens on.

use std::fs;
use std::net::{Ipv4Addr, TcpListener};
use std::process;
use std::sync::atomic::{AtomicU32, Ordering};

/// Ports below are of services that everybody knows.
const FIRST: u32 = 10_240;
/// Where the machine says nothing else, it gives ports of its own choice from here on.
const CHOICE_FIRST: u32 = 32_768;
/// Neighbouring processes begin so far from each other.
const STEP: u32 = 211;

/// A free TCP port of the loopback address, given once by this process. It is none of those that the machine gives to whoever asks for any port,
/// and to every connection that goes out: between this call and yours no test takes it by chance. Another process could: retry when binding fails.
pub fn free_port() -> u16 {
    static NEXT: AtomicU32 = AtomicU32::new(0);
    let n_ports = choice_first().saturating_sub(FIRST);
    let begin = process::id().wrapping_mul(STEP);
    for _ in 0..n_ports {
        let number = begin.wrapping_add(NEXT.fetch_add(1, Ordering::Relaxed));
        let port =
            u16::try_from(FIRST + number % n_ports).expect("the machine's own choice begins at a port");
        if TcpListener::bind((Ipv4Addr::LOCALHOST, port)).is_ok() {
            return port;
        }
    }
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("the machine has a free loopback port");
    listener.local_addr().expect("a bound listener has an address").port()
}

/// The first of the ports that the machine gives to whoever asks for any.
fn choice_first() -> u32 {
    let range = fs::read_to_string("/proc/sys/net/ipv4/ip_local_port_range").unwrap_or_default();
    let first = range.split_whitespace().next().and_then(|first| first.parse::<u16>().ok());
    first.map_or(CHOICE_FIRST, u32::from)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_port_can_be_bound() {
        let port = free_port();
        assert!(port > 0);
        TcpListener::bind((Ipv4Addr::LOCALHOST, port)).unwrap();
    }

    #[test]
    fn a_port_is_given_once_and_not_to_who_asks_for_any() {
        let (one, other) = (free_port(), free_port());
        assert_ne!(one, other);
        assert!(choice_first() <= FIRST || u32::from(one) < choice_first());
    }
}
