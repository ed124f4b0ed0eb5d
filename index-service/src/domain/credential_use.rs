//! From where a credential may be used, and what its owner hears of its uses.

use core::fmt;
use core::net::IpAddr;
use core::str::FromStr;

use shared::network::{InvalidNetwork, Network};

/// Most ranges of addresses of one credential.
pub const MAX_NETWORKS: usize = 20;

/// Why a list of ranges of addresses is refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum InvalidNetworks {
    /// One of them.
    #[error(transparent)]
    Network(#[from] InvalidNetwork),
    /// Too many.
    #[error("a credential has at most 20 ranges of addresses")]
    Count,
}

/// The addresses that a credential may be used from: everywhere when no range is named.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct AllowedNetworks(Box<[Network]>);

impl AllowedNetworks {
    /// These ranges and no others; everywhere when there are none.
    pub fn new(networks: Vec<Network>) -> Result<Self, InvalidNetworks> {
        if networks.len() > MAX_NETWORKS {
            return Err(InvalidNetworks::Count);
        }
        Ok(Self(networks.into()))
    }

    /// Whether a client there may use the credential. A client without an address, on a socket of this machine, is in no
    /// range.
    pub fn allow(&self, address: Option<IpAddr>) -> bool {
        self.0.is_empty()
            || address.is_some_and(|address| self.0.iter().any(|network| network.contains(address)))
    }

    /// The ranges.
    pub fn iter(&self) -> impl Iterator<Item = &Network> {
        self.0.iter()
    }

    /// As it is stored; `None` is everywhere.
    pub fn to_text(&self) -> Option<String> {
        (!self.0.is_empty()).then(|| self.to_string())
    }
}

impl FromStr for AllowedNetworks {
    type Err = InvalidNetworks;

    /// Ranges separated by spaces.
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Self::new(
            text.split_whitespace()
                .map(str::parse)
                .collect::<Result<_, _>>()?,
        )
    }
}

impl fmt::Display for AllowedNetworks {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (i, network) in self.0.iter().enumerate() {
            write!(f, "{}{network}", if i > 0 { " " } else { "" })?;
        }
        Ok(())
    }
}

/// The last use of a credential that was written down.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LastUse {
    /// When, to the minute.
    pub at: i64,
    /// From which address, as far as it is known.
    pub address: Option<String>,
    /// The `User-Agent`, shortened.
    pub client: String,
}

/// Uses that were refused because the credential or its secret had ended, or came from elsewhere than it may.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RefusedUses {
    /// How many, since the credential was made.
    pub count: i64,
    /// When the last was.
    pub last_at: i64,
    /// The network that the last came from, as far as it is known.
    pub network: Option<String>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_credential_without_ranges_may_be_used_everywhere_and_one_with_ranges_only_there() {
        let address = |text: &str| Some(text.parse().unwrap());
        let everywhere = AllowedNetworks::default();
        assert!(everywhere.allow(None) && everywhere.allow(address("192.0.2.1")));
        let bound: AllowedNetworks = "10.0.0.0/8 2001:db8::/32".parse().unwrap();
        assert!(bound.allow(address("10.2.3.4")) && bound.allow(address("2001:db8::5")));
        assert!(bound.allow(address("::ffff:10.2.3.4")));
        assert!(!bound.allow(address("192.0.2.1")) && !bound.allow(None));
    }

    #[test]
    fn ranges_read_back_what_they_write_and_are_bounded() {
        let bound: AllowedNetworks = "10.0.0.0/8 ::1".parse().unwrap();
        assert_eq!(bound.to_text().as_deref(), Some("10.0.0.0/8 ::1/128"));
        assert_eq!("".parse::<AllowedNetworks>().unwrap().to_text(), None);
        let many = |count| vec!["10.0.0.1"; count].join(" ").parse::<AllowedNetworks>();
        assert!(many(MAX_NETWORKS).is_ok());
        assert_eq!(many(MAX_NETWORKS + 1), Err(InvalidNetworks::Count));
        assert_eq!(
            "10.0.0.0/40".parse::<AllowedNetworks>(),
            Err(InvalidNetwork.into())
        );
    }
}
