//! How often the registry lets itself be asked: what a token carries of it.

use std::net::IpAddr;

use shared::network::Network;
use shared::token::rates::{Counted, MAX_WINDOW_S, Rate, Rates};

use super::App;
use super::caller::Client;
use super::login::Login;

/// So many in so much time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RateLimit {
    count: u32,
    window_s: u32,
}

/// A limit is none.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not a number and a time such as 100/6h")]
pub struct InvalidRateLimit;

impl RateLimit {
    /// So many in so many seconds.
    pub fn new(count: u32, window_s: u64) -> Result<Self, InvalidRateLimit> {
        let window_s = u32::try_from(window_s).map_err(|_| InvalidRateLimit)?;
        let is_good = (1..=MAX_WINDOW_S).contains(&window_s);
        is_good
            .then_some(Self { count, window_s })
            .ok_or(InvalidRateLimit)
    }
}

/// Limits by who asks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct ByHolder {
    /// For those who show nothing, by their network.
    pub anonymous: Option<RateLimit>,
    /// For an account, or a robot.
    pub account: Option<RateLimit>,
    /// For one access token, besides.
    pub token: Option<RateLimit>,
}

/// All limits. By default none.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct RateLimits {
    /// Of manifests that are fetched.
    pub pulls: ByHolder,
    /// Of requests.
    pub requests: ByHolder,
}

impl App {
    /// What a token for this login carries.
    pub(super) fn rates(&self, login: &Login, client: &Client) -> Option<Rates> {
        let limits = &self.settings.rates;
        if *limits == RateLimits::default() {
            return None;
        }
        let mut rates = Vec::new();
        let mut add = |key: &str, of: fn(&ByHolder) -> Option<RateLimit>| {
            for (what, limits) in [
                (Counted::Pulls, &limits.pulls),
                (Counted::Requests, &limits.requests),
            ] {
                rates.extend(of(limits).map(|limit| Rate {
                    key: key.to_owned(),
                    what,
                    limit: limit.count,
                    window_s: limit.window_s,
                }));
            }
        };
        let source = match login {
            Login::Anonymous => {
                add(&format!("n:{}", network(client.address)), |limits| {
                    limits.anonymous
                });
                client.address_text().unwrap_or_else(|| "here".to_owned())
            }
            Login::Password(account) | Login::Device(_, account, _) => {
                add(&format!("a:{}", account.account_id), |limits| limits.account);
                account.username.to_string()
            }
            Login::AccessToken(token, account) => {
                add(&format!("a:{}", account.account_id), |limits| limits.account);
                add(&format!("t:{}", token.token_id), |limits| limits.token);
                account.username.to_string()
            }
            Login::Robot(robot, _) => {
                add(&format!("r:{}", robot.robot_id), |limits| limits.account);
                add(&format!("r:{}:token", robot.robot_id), |limits| limits.token);
                robot.username()
            }
        };
        (!rates.is_empty()).then_some(Rates {
            source,
            limits: rates,
        })
    }
}

/// Whom an address counts as: one of IPv4 for itself, of IPv6 its /64, which is one holder's.
fn network(address: Option<IpAddr>) -> String {
    address.map_or_else(
        || "here".to_owned(),
        |address| Network::of_holder(address).to_string(),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_holder_of_addresses_of_ipv6_is_counted_by_its_64() {
        for (address, expected) in [
            ("192.0.2.7", "192.0.2.7/32"),
            ("::ffff:192.0.2.7", "192.0.2.7/32"),
            ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"),
        ] {
            assert_eq!(network(address.parse().ok()), expected);
        }
        assert_eq!(network(None), "here");
    }

    #[test]
    fn a_limit_has_a_time() {
        assert!(RateLimit::new(100, 21_600).is_ok());
        for window in [0, 32 * 86_400, u64::MAX] {
            assert_eq!(RateLimit::new(1, window), Err(InvalidRateLimit));
        }
    }
}
