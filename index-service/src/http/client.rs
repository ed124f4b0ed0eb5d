//! Where a request comes from: the other end of its connection, or what a trusted proxy says stands behind it.

use std::convert::Infallible;
use std::net::IpAddr;

use axum::extract::FromRequestParts;
use http::header::USER_AGENT;
use http::request::Parts;
use http::{HeaderMap, HeaderName};
use shared::network::Network;
use shared::runtime::serve::{PeerAddr, RequestId};

use super::State;
use super::token::abridged;
use crate::app::caller::Client;

static X_FORWARDED_FOR: HeaderName = HeaderName::from_static("x-forwarded-for");

impl FromRequestParts<State> for Client {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, state: &State) -> Result<Self, Infallible> {
        Ok(client(parts, state.app.trusted_proxies()))
    }
}

/// Where a request comes from, as far as it can be told.
pub(super) fn client(parts: &Parts, trusted: &[Network]) -> Client {
    let peer = parts.extensions.get::<PeerAddr>().and_then(|peer| peer.ip());
    Client {
        address: peer.map(|peer| behind(peer, &parts.headers, trusted)),
        program: parts
            .headers
            .get(USER_AGENT)
            .and_then(|value| value.to_str().ok())
            .map(abridged)
            .unwrap_or_default(),
        request_id: parts.extensions.get::<RequestId>().map(ToString::to_string),
    }
}

/// The address that the outermost trusted proxy was connected from. Each proxy adds whom it saw at the end of the list, so it
/// is read from there: what stands before the first address that is no trusted proxy is the client's own invention.
fn behind(peer: IpAddr, headers: &HeaderMap, trusted: &[Network]) -> IpAddr {
    let is_trusted = |address: IpAddr| trusted.iter().any(|network| network.contains(address));
    let said: Vec<&str> = headers
        .get_all(&X_FORWARDED_FOR)
        .iter()
        .flat_map(|value| value.to_str().unwrap_or("?").split(','))
        .collect();
    let mut seen = peer;
    for text in said.into_iter().rev() {
        if !is_trusted(seen) {
            break;
        }
        let Ok(address) = text.trim().parse() else { break };
        seen = address;
    }
    seen
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_trusted_proxy_says_where_a_client_is() {
        let trusted = ["10.0.0.0/8".parse().unwrap(), "fd00::/8".parse().unwrap()];
        for (peer, lists, expected) in [
            ("192.0.2.1", vec![], "192.0.2.1"),
            ("192.0.2.1", vec!["198.51.100.7"], "192.0.2.1"),
            ("10.0.0.1", vec![], "10.0.0.1"),
            ("10.0.0.1", vec!["198.51.100.7"], "198.51.100.7"),
            ("::ffff:10.0.0.1", vec!["198.51.100.7"], "198.51.100.7"),
            // What the client wrote itself stands in front.
            ("10.0.0.1", vec!["127.0.0.1, 198.51.100.7"], "198.51.100.7"),
            ("10.0.0.1", vec!["127.0.0.1", "198.51.100.7"], "198.51.100.7"),
            ("10.0.0.1", vec!["198.51.100.7, 10.0.0.2"], "198.51.100.7"),
            ("10.0.0.1", vec!["2001:db8::1, fd00::2"], "2001:db8::1"),
            ("10.0.0.1", vec!["198.51.100.7, unknown"], "10.0.0.1"),
            ("10.0.0.1", vec!["unknown, 198.51.100.7"], "198.51.100.7"),
        ] {
            let mut headers = HeaderMap::new();
            for list in &lists {
                headers.append(&X_FORWARDED_FOR, list.parse().unwrap());
            }
            let peer = peer.parse().unwrap();
            assert_eq!(
                behind(peer, &headers, &trusted),
                expected.parse::<IpAddr>().unwrap(),
                "{lists:?}"
            );
            assert_eq!(behind(peer, &headers, &[]), peer, "nobody is trusted: {lists:?}");
        }
    }
}
