//! Amazon's own networks, as it publishes them: who is in them reaches a bucket faster than a CDN.

use std::net::IpAddr;
use std::sync::{PoisonError, RwLock};
use std::time::Duration;

use serde::Deserialize;

/// Longest file that is read, in bytes; in 2026 it has 2 MB.
const LONGEST: usize = 16 << 20;
/// Longest wait for it.
const PATIENCE: Duration = Duration::from_secs(30);
/// Shortest time between two questions for it.
const OFTENEST: Duration = Duration::from_mins(1);

/// Networks that are fetched again and again. Until they are known for the first time nobody is in them.
#[derive(Debug, Default)]
pub(super) struct Networks(RwLock<Vec<Network>>);

/// The addresses that begin with the first `bits` of `first`; those of IPv4 as IPv6 maps them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Network {
    first: u128,
    bits: u32,
}

#[derive(Deserialize)]
struct Published {
    #[serde(default)]
    prefixes: Vec<Prefix>,
    #[serde(default)]
    ipv6_prefixes: Vec<Prefix>,
}

#[derive(Deserialize)]
struct Prefix {
    #[serde(alias = "ip_prefix", alias = "ipv6_prefix")]
    prefix: String,
    #[serde(default)]
    region: String,
}

impl Networks {
    pub(super) fn contain(&self, address: IpAddr) -> bool {
        let networks = self.0.read().unwrap_or_else(PoisonError::into_inner);
        networks.iter().any(|network| network.contains(address))
    }

    /// Takes what a published file says, of these regions or of all when there are none; how many there are.
    pub(super) fn learn(&self, file: &[u8], regions: &[String]) -> Result<usize, serde_json::Error> {
        let published: Published = serde_json::from_slice(file)?;
        let prefixes = published.prefixes.iter().chain(&published.ipv6_prefixes);
        let is_wanted = |prefix: &&Prefix| {
            regions.is_empty()
                || regions
                    .iter()
                    .any(|region| region.eq_ignore_ascii_case(&prefix.region))
        };
        let networks: Vec<_> = prefixes
            .filter(is_wanted)
            .filter_map(|prefix| Network::find(&prefix.prefix))
            .collect();
        let count = networks.len();
        *self.0.write().unwrap_or_else(PoisonError::into_inner) = networks;
        Ok(count)
    }

    /// Fetches the file every `interval` and learns from it. What cannot be fetched or read leaves what is known.
    pub(super) async fn keep_current(&self, url: &str, interval: Duration, regions: &[String]) {
        loop {
            match fetch(url).await {
                Ok(file) => match self.learn(&file, regions) {
                    Ok(networks) => tracing::info!(networks, "Amazon's networks are known"),
                    Err(error) => tracing::warn!(%error, "the file of Amazon's networks cannot be read"),
                },
                Err(error) => {
                    tracing::warn!(error = %error.without_url(), "Amazon's networks cannot be fetched");
                }
            }
            tokio::time::sleep(interval.max(OFTENEST)).await;
        }
    }
}

async fn fetch(url: &str) -> Result<Vec<u8>, reqwest::Error> {
    let client = reqwest::Client::builder().timeout(PATIENCE).build()?;
    let mut response = client.get(url).send().await?.error_for_status()?;
    let mut file = Vec::new();
    while let Some(piece) = response.chunk().await? {
        file.extend_from_slice(&piece);
        if file.len() > LONGEST {
            // What is cut off is no JSON.
            break;
        }
    }
    Ok(file)
}

impl Network {
    fn find(text: &str) -> Option<Self> {
        let (address, bits) = text.split_once('/')?;
        let (address, bits): (IpAddr, u32) = (address.parse().ok()?, bits.parse().ok()?);
        let bits = if address.is_ipv4() {
            bits.checked_add(96)?
        } else {
            bits
        };
        let first = mapped(address);
        (bits <= 128).then_some(Self { first, bits })
    }

    fn contains(self, address: IpAddr) -> bool {
        let differ = self.first ^ mapped(address);
        differ.checked_shr(128 - self.bits).unwrap_or(0) == 0
    }
}

fn mapped(address: IpAddr) -> u128 {
    match address {
        IpAddr::V4(address) => address.to_ipv6_mapped().to_bits(),
        IpAddr::V6(address) => address.to_bits(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_in_the_networks_of_the_wanted_regions_alone() {
        let file = br#"{"syncToken": "1", "prefixes": [
            {"ip_prefix": "3.5.140.0/22", "region": "ap-northeast-2", "service": "AMAZON"},
            {"ip_prefix": "52.0.0.0/8", "region": "us-east-1", "service": "S3"},
            {"ip_prefix": "nonsense", "region": "us-east-1"},
            {"ip_prefix": "1.2.3.4/33", "region": "us-east-1"}
          ], "ipv6_prefixes": [{"ipv6_prefix": "2600:1f14::/35", "region": "US-EAST-1"}]}"#;
        let networks = Networks::default();
        let inside = |address: &str| networks.contain(address.parse().unwrap());
        assert!(!inside("52.1.2.3"), "nothing is known yet");
        assert_eq!(networks.learn(file, &["us-east-1".to_owned()]).unwrap(), 2);
        for (address, expected) in [
            ("52.1.2.3", true),
            ("::ffff:52.1.2.3", true),
            ("53.1.2.3", false),
            ("3.5.140.1", false),
            ("2600:1f14:1000::1", true),
            ("2600:1f14:2000::1", false),
        ] {
            assert_eq!(inside(address), expected, "{address}");
        }
        assert!(networks.learn(b"<html>", &[]).is_err());
        assert!(inside("52.1.2.3"), "what is known stays");
        assert_eq!(networks.learn(file, &[]).unwrap(), 3);
        assert!(inside("3.5.143.255") && !inside("3.5.144.0"));
    }
}
