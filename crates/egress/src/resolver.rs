//! Name resolution that hands out checked addresses only, so that the connection goes to what was checked.

use std::error::Error;
use std::fmt;
use std::net::{IpAddr, SocketAddr};

use reqwest::dns::{Addrs, Name, Resolve, Resolving};

use crate::address::Reach;

/// Resolves with the operating system and keeps the addresses that the reach allows.
pub(crate) struct CheckedResolver {
    pub(crate) reach: Reach,
}

/// Why a name gave no address; travels through the HTTP client's error chain.
#[derive(Debug)]
pub(crate) enum Unreachable {
    Unresolved,
    Refused { address: IpAddr, class: &'static str },
}

impl fmt::Display for Unreachable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the name leads to no address that may be reached")
    }
}

impl Error for Unreachable {}

impl Resolve for CheckedResolver {
    fn resolve(&self, name: Name) -> Resolving {
        let reach = self.reach.clone();
        Box::pin(async move {
            let host = name.as_str().to_owned();
            let found: Vec<SocketAddr> = match tokio::net::lookup_host((host.as_str(), 0)).await {
                Ok(found) => found.collect(),
                Err(_) => return Err(Unreachable::Unresolved.into()),
            };
            let allowed = allowed_of(&reach, &host, &found)?;
            Ok(Box::new(allowed.into_iter()) as Addrs)
        })
    }
}

fn allowed_of(reach: &Reach, host: &str, found: &[SocketAddr]) -> Result<Vec<SocketAddr>, Unreachable> {
    let mut refused = Unreachable::Unresolved;
    let mut allowed = Vec::with_capacity(found.len());
    for address in found {
        match reach.refuses(host, address.ip()) {
            None => allowed.push(*address),
            Some(class) => refused = Unreachable::Refused { address: address.ip(), class },
        }
    }
    if allowed.is_empty() { Err(refused) } else { Ok(allowed) }
}

/// Finds the resolver's verdict in the error chain of the HTTP client.
pub(crate) fn unreachable_in(error: &reqwest::Error) -> Option<&Unreachable> {
    let mut next: Option<&(dyn Error + 'static)> = error.source();
    while let Some(error) = next {
        if let Some(found) = error.downcast_ref::<Unreachable>() {
            return Some(found);
        }
        next = error.source();
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_allowed_addresses_are_handed_out() {
        let found: Vec<SocketAddr> =
            ["10.0.0.1:0", "93.184.216.34:0"].iter().map(|a| a.parse().unwrap()).collect();
        let allowed = allowed_of(&Reach::Public, "example.org", &found).unwrap();
        assert_eq!(allowed, vec![found[1]]);
        assert!(matches!(
            allowed_of(&Reach::Public, "example.org", &found[..1]),
            Err(Unreachable::Refused { class: "a private network", .. })
        ));
        assert!(matches!(allowed_of(&Reach::Public, "example.org", &[]), Err(Unreachable::Unresolved)));
    }
}
