//! Where a request comes from.

use std::net::IpAddr;

use http::request::Parts;
use http::{HeaderMap, HeaderName};

use crate::config::Config;
use crate::fetch::Network;

/// The addresses that a request has come by: the client's first, and each proxy adds the one that it was asked from.
const X_FORWARDED_FOR: HeaderName = HeaderName::from_static("x-forwarded-for");

/// The address of the other side of a connection, among the extensions of a request.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Peer(pub(crate) IpAddr);

/// The address of the client: behind a proxy that is trusted, the one that it names.
pub(crate) fn client_address(head: &Parts, config: &Config) -> Option<IpAddr> {
    let peer = head.extensions.get::<Peer>()?.0.to_canonical();
    Some(behind_proxies(peer, &head.headers, &config.trusted_proxies))
}

/// Whether the other side of a connection is a proxy that is trusted.
pub(crate) fn is_trusted(head: &Parts, config: &Config) -> bool {
    let peer = head.extensions.get::<Peer>();
    peer.is_some_and(|peer| among(&config.trusted_proxies, peer.0.to_canonical()))
}

/// From the nearest to the farthest, as long as those that name the next one are trusted. What isn't an address ends it.
fn behind_proxies(peer: IpAddr, headers: &HeaderMap, trusted: &[Network]) -> IpAddr {
    let mut nearest = peer;
    let values: Vec<&str> = headers
        .get_all(X_FORWARDED_FOR)
        .iter()
        .map(|value| value.to_str().unwrap_or_default())
        .collect();
    for text in values.iter().flat_map(|value| value.split(',')).rev() {
        if !among(trusted, nearest) {
            break;
        }
        let Some(address) = address(text.trim()) else { break };
        nearest = address;
    }
    nearest
}

/// An address, with or without a port: Azure's proxies add one.
fn address(text: &str) -> Option<IpAddr> {
    let address = text.parse::<IpAddr>().ok().or_else(|| {
        let with_port = text.parse::<std::net::SocketAddr>().ok()?;
        Some(with_port.ip())
    })?;
    Some(address.to_canonical())
}

fn among(networks: &[Network], address: IpAddr) -> bool {
    networks.iter().any(|network| network.contains(address))
}

#[cfg(test)]
mod tests {
    use http::HeaderValue;

    use super::*;

    #[test]
    fn only_those_that_are_trusted_are_believed() {
        let trusted: Vec<Network> = vec!["10.0.0.0/8".parse().unwrap(), "127.0.0.1".parse().unwrap()];
        let of = |peer: &str, forwarded: &[&'static str]| {
            let mut headers = HeaderMap::new();
            for value in forwarded {
                headers.append(X_FORWARDED_FOR, HeaderValue::from_static(value));
            }
            behind_proxies(peer.parse().unwrap(), &headers, &trusted).to_string()
        };
        assert_eq!(of("192.0.2.1", &["1.2.3.4"]), "192.0.2.1");
        assert_eq!(of("10.0.0.1", &["1.2.3.4"]), "1.2.3.4");
        assert_eq!(of("10.0.0.1", &["6.6.6.6, 1.2.3.4, 10.9.9.9"]), "1.2.3.4");
        assert_eq!(of("10.0.0.1", &["6.6.6.6", "1.2.3.4"]), "1.2.3.4");
        assert_eq!(of("10.0.0.1", &["1.2.3.4:443"]), "1.2.3.4");
        assert_eq!(of("10.0.0.1", &["nonsense"]), "10.0.0.1");
        assert_eq!(of("10.0.0.1", &[]), "10.0.0.1");
        assert_eq!(of("127.0.0.1", &["::ffff:1.2.3.4"]), "1.2.3.4");
    }
}
