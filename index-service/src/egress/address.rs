//! Which addresses may be reached.

use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::str::FromStr;

use reqwest::Url;
use shared::network::Network;

/// Longest address that is taken, in bytes.
const LONGEST_URL: usize = 2_048;

/// Ranges of IPv4 that lead nowhere public: this network, private use, shared by carriers, this host, this link, protocol
/// assignments, documentation, relays, benchmarks, multicast, reserved and broadcast.
const CLOSED_V4: [(Ipv4Addr, u8); 15] = [
    (Ipv4Addr::UNSPECIFIED, 8),
    (Ipv4Addr::new(10, 0, 0, 0), 8),
    (Ipv4Addr::new(100, 64, 0, 0), 10),
    (Ipv4Addr::new(127, 0, 0, 0), 8),
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

/// What is global unicast of IPv6 (2000::/3), and not meant for the public: protocol assignments with Teredo and ORCHID,
/// documentation, 6to4, which leads to an address of IPv4, and documentation again.
const CLOSED_V6: [(Ipv6Addr, u8); 4] = [
    (Ipv6Addr::new(0x2001, 0, 0, 0, 0, 0, 0, 0), 23),
    (Ipv6Addr::new(0x2001, 0xdb8, 0, 0, 0, 0, 0, 0), 32),
    (Ipv6Addr::new(0x2002, 0, 0, 0, 0, 0, 0, 0), 16),
    (Ipv6Addr::new(0x3fff, 0, 0, 0, 0, 0, 0, 0), 20),
];

/// Whether an address is one of the public Internet. Of IPv6 that is global unicast alone: loopback, link-local, unique local,
/// multicast, addresses of IPv4 in whatever form (`::ffff:…`, `64:ff9b::…`) lie outside.
pub(super) fn is_public(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(address) => !CLOSED_V4.iter().any(|(first, bits)| {
            let mask = u32::MAX << (32 - bits);
            address.to_bits() & mask == first.to_bits()
        }),
        IpAddr::V6(address) => {
            address.to_bits() >> 125 == 1
                && !CLOSED_V6.iter().any(|(first, bits)| {
                    let mask = u128::MAX << (128 - bits);
                    address.to_bits() & mask == first.to_bits()
                })
        }
    }
}

/// What the operator allows besides what is public.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Allowed {
    /// These addresses.
    Network(Network),
    /// Whatever this name leads to; with a dot in front, every name that ends so.
    Host(String),
}

/// A text is neither.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not an address, a range such as 10.0.0.0/8, or a name such as ci.example.com or .example.com")]
pub struct InvalidAllowed;

impl FromStr for Allowed {
    type Err = InvalidAllowed;

    fn from_str(text: &str) -> Result<Self, InvalidAllowed> {
        if let Ok(network) = text.parse() {
            return Ok(Self::Network(network));
        }
        let name = text.to_ascii_lowercase();
        let labels = name.strip_prefix('.').unwrap_or(&name);
        let is_label = |label: &str| {
            !label.is_empty()
                && label.len() <= 63
                && label
                    .bytes()
                    .all(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_'))
        };
        // What ends in digits is an address, or was meant to be one.
        let ends_in_digits = labels
            .rsplit('.')
            .next()
            .is_some_and(|last| last.bytes().all(|b| b.is_ascii_digit()));
        if name.len() > 253 || ends_in_digits || !labels.split('.').all(is_label) {
            return Err(InvalidAllowed);
        }
        Ok(Self::Host(name))
    }
}

impl fmt::Display for Allowed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Network(network) => network.fmt(f),
            Self::Host(name) => f.write_str(name),
        }
    }
}

/// Why nothing is sent.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Refused {
    /// It is no address of a receiver.
    #[error("the address of a receiver begins with http:// or https:// and has at most 2048 characters")]
    Url,
    /// It leads where the operator lets nobody send.
    #[error(
        "{0} is not on the public Internet, and the operator of this site has not allowed it (webhooks.allow)"
    )]
    Address(String),
    /// It leads nowhere.
    #[error("the name {0} has no address")]
    Nowhere(String),
}

/// Which addresses may be reached: public ones, and what the operator allows.
#[derive(Debug, Clone, Default)]
pub struct EgressPolicy {
    allowed: Vec<Allowed>,
}

impl EgressPolicy {
    /// Public addresses and these.
    pub fn new(allowed: Vec<Allowed>) -> Self {
        Self { allowed }
    }

    /// A URL that something could be sent to. Of a name nothing is known yet; an address is checked, however it is written.
    pub(super) fn check_url(&self, text: &str) -> Result<Url, Refused> {
        if text.len() > LONGEST_URL || text.chars().any(char::is_control) {
            return Err(Refused::Url);
        }
        // The parser would also take `http:host`, `http:///host` and `http:\\host`, as browsers do.
        let is_plain = text
            .split_once("://")
            .is_some_and(|(_, rest)| !rest.is_empty() && !rest.starts_with(['/', '\\', '?', '#']));
        let mut url = Url::parse(text).map_err(|_| Refused::Url)?;
        if !is_plain || !matches!(url.scheme(), "http" | "https") {
            return Err(Refused::Url);
        }
        url.set_fragment(None);
        let host = url
            .host_str()
            .filter(|host| !host.is_empty())
            .ok_or(Refused::Url)?;
        // The parser has made an address of everything that is one: 0x7f.1, 2130706433, [::ffff:7f00:1].
        let literal = host
            .strip_prefix('[')
            .and_then(|host| host.strip_suffix(']'))
            .unwrap_or(host);
        if let Ok(address) = literal.parse::<IpAddr>()
            && !self.allows(address)
        {
            return Err(Refused::Address(address.to_string()));
        }
        Ok(url)
    }

    /// Whether a name may be reached at these addresses: every one must be allowed, since any may be taken.
    pub(super) fn check_addresses(&self, name: &str, addresses: &[IpAddr]) -> Result<(), Refused> {
        if addresses.is_empty() {
            return Err(Refused::Nowhere(name.to_owned()));
        }
        if self.allows_host(name) {
            return Ok(());
        }
        match addresses.iter().find(|address| !self.allows(**address)) {
            // Which address it is is nobody's business who asks from outside.
            Some(_) => Err(Refused::Address(name.to_owned())),
            None => Ok(()),
        }
    }

    fn allows(&self, address: IpAddr) -> bool {
        is_public(address)
            || self
                .allowed
                .iter()
                .any(|allowed| matches!(allowed, Allowed::Network(network) if network.contains(address)))
    }

    fn allows_host(&self, name: &str) -> bool {
        let name = name.trim_end_matches('.').to_ascii_lowercase();
        self.allowed.iter().any(|allowed| match allowed {
            Allowed::Host(suffix) if suffix.starts_with('.') => name.ends_with(suffix.as_str()),
            Allowed::Host(host) => name == *host,
            Allowed::Network(_) => false,
        })
    }
}
