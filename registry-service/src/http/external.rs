//! Under which URL clients see the registry, and who may say so.

use std::net::IpAddr;

use http::header::{FORWARDED, HOST};
use http::request::Parts;
use http::{HeaderMap, HeaderName};
pub use shared::network::{InvalidNetwork, Network};
use shared::runtime::serve::{PeerAddr, Scheme};

use crate::auth;

const X_FORWARDED_PROTO: HeaderName = HeaderName::from_static("x-forwarded-proto");
const X_FORWARDED_HOST: HeaderName = HeaderName::from_static("x-forwarded-host");
static X_FORWARDED_FOR: HeaderName = HeaderName::from_static("x-forwarded-for");
static X_REAL_IP: HeaderName = HeaderName::from_static("x-real-ip");

/// What a request says of its own URL and of its client, as distribution understands it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct OfRequest {
    /// Proxies whose `Forwarded` and `X-Forwarded-…` are believed; everybody when there are none.
    pub trusted: Vec<Network>,
}

impl OfRequest {
    /// `scheme://host` of a request; `None` when it does not say, or says what is no such thing.
    pub(super) fn origin(&self, parts: &Parts) -> Option<String> {
        let headers = &parts.headers;
        let mut scheme = match parts.extensions.get::<Scheme>() {
            Some(Scheme::Https) => "https",
            _ => "http",
        };
        let authority = parts.uri.authority().map(http::uri::Authority::as_str);
        let mut host = text(headers, &HOST).or(authority);
        if self.trusts(parts) {
            let (said_scheme, said_host) = match text(headers, &FORWARDED) {
                Some(forwarded) => first_element(forwarded),
                None => (
                    text(headers, &X_FORWARDED_PROTO).map(first),
                    text(headers, &X_FORWARDED_HOST).map(first),
                ),
            };
            if let Some(said) = said_scheme {
                scheme = ["http", "https"]
                    .into_iter()
                    .find(|known| known.eq_ignore_ascii_case(said))?;
            }
            host = said_host.filter(|said| !said.is_empty()).or(host);
        }
        let host = host.filter(|host| auth::is_authority(host))?;
        Some(format!("{scheme}://{host}"))
    }

    /// The client's address as events tell it: what a proxy says, or the connection's with its port.
    pub(super) fn client(&self, parts: &Parts) -> String {
        let said = self.said_client(parts).map(|address| address.to_string());
        let peer = || parts.extensions.get::<PeerAddr>().map(ToString::to_string);
        said.or_else(peer).unwrap_or_default()
    }

    /// The client's address, as a proxy says it or as the connection has it.
    pub(super) fn client_address(&self, parts: &Parts) -> Option<IpAddr> {
        let peer = || parts.extensions.get::<PeerAddr>().and_then(|peer| peer.ip());
        self.said_client(parts).or_else(peer)
    }

    /// As distribution reads it: the first address of `X-Forwarded-For`, else `X-Real-Ip`.
    fn said_client(&self, parts: &Parts) -> Option<IpAddr> {
        let said = |name| text(&parts.headers, name).and_then(|list| first(list).parse().ok());
        let said = said(&X_FORWARDED_FOR).or_else(|| said(&X_REAL_IP));
        said.filter(|_| self.trusts(parts))
    }

    fn trusts(&self, parts: &Parts) -> bool {
        let peer = parts.extensions.get::<PeerAddr>();
        let lists = |address| self.trusted.iter().any(|network| network.contains(address));
        // Who may open the socket of this machine was chosen by the file's permissions.
        self.trusted.is_empty() || peer.is_some_and(|peer| peer.ip().is_none_or(lists))
    }
}

fn text<'a>(headers: &'a HeaderMap, name: &HeaderName) -> Option<&'a str> {
    let value = headers.get(name)?.to_str().ok()?;
    Some(value.trim()).filter(|value| !value.is_empty())
}

fn first(list: &str) -> &str {
    list.split(',').next().unwrap_or_default().trim()
}

/// `proto` and `host` of the first element of `Forwarded` (RFC 7239, section 4): what the client's own proxy said.
fn first_element(forwarded: &str) -> (Option<&str>, Option<&str>) {
    let (mut proto, mut host) = (None, None);
    for pair in first(forwarded).split(';') {
        let Some((name, value)) = pair.split_once('=') else {
            continue;
        };
        let value = value.trim().trim_matches('"');
        match name.trim().to_ascii_lowercase().as_str() {
            "proto" => proto = Some(value),
            "host" => host = Some(value),
            _ => {}
        }
    }
    (proto, host)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_clients_address_is_what_a_trusted_proxy_says() {
        let parts = |headers: &[(&str, &str)]| {
            let mut request = http::Request::builder();
            for (name, value) in headers {
                request = request.header(*name, *value);
            }
            let (mut parts, ()) = request.body(()).unwrap().into_parts();
            parts
                .extensions
                .insert(PeerAddr(Some("10.0.0.1:4000".parse().unwrap())));
            parts
        };
        let everybody = OfRequest::default();
        let nobody = OfRequest {
            trusted: vec!["192.0.2.0/24".parse().unwrap()],
        };
        for (headers, expected) in [
            (vec![], "10.0.0.1:4000"),
            (
                vec![("x-forwarded-for", "198.51.100.7, 10.0.0.9")],
                "198.51.100.7",
            ),
            (
                vec![("x-forwarded-for", "unknown"), ("x-real-ip", "2001:db8::1")],
                "2001:db8::1",
            ),
            (vec![("x-real-ip", "nonsense")], "10.0.0.1:4000"),
        ] {
            assert_eq!(everybody.client(&parts(&headers)), expected);
            assert_eq!(nobody.client(&parts(&headers)), "10.0.0.1:4000");
            assert_eq!(nobody.client_address(&parts(&headers)), "10.0.0.1".parse().ok());
        }
    }
}
