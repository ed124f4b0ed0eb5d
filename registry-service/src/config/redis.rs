//! `redis`, in both of distribution's generations

use shared::runtime::config::Faults;

use super::Section;
use super::key::{Key, Kind, key};

#[rustfmt::skip]
pub(super) const KEYS: &[Key] = &[
    key("redis.addrs", Kind::Texts, "", "The servers.").not_yet(),
    key("redis.addr", Kind::Text, "", "The server, in 2.8.").not_yet(),
    key("redis.username", Kind::Text, "", "").not_yet(),
    key("redis.password", Kind::Secret, "", "").not_yet(),
    key("redis.db", Kind::Count, "0", "").not_yet(),
    key("redis.clientname", Kind::Text, "", "").not_yet(),
    key("redis.protocol", Kind::Count, "3", "").not_yet(),
    key("redis.sentinelusername", Kind::Text, "", "").not_yet(),
    key("redis.sentinelpassword", Kind::Secret, "", "").not_yet(),
    key("redis.mastername", Kind::Text, "", "").not_yet(),
    key("redis.maxretries", Kind::Integer, "3", "").not_yet(),
    key("redis.minretrybackoff", Kind::Duration, "8ms", "").not_yet(),
    key("redis.maxretrybackoff", Kind::Duration, "512ms", "").not_yet(),
    key("redis.dialtimeout", Kind::Duration, "5s", "").not_yet(),
    key("redis.readtimeout", Kind::Duration, "3s", "").not_yet(),
    key("redis.writetimeout", Kind::Duration, "3s", "").not_yet(),
    key("redis.contexttimeoutenabled", Kind::Switch, "false", "").not_yet(),
    key("redis.poolfifo", Kind::Switch, "false", "").not_yet(),
    key("redis.poolsize", Kind::Count, "", "").not_yet(),
    key("redis.pooltimeout", Kind::Duration, "4s", "").not_yet(),
    key("redis.minidleconns", Kind::Count, "0", "").not_yet(),
    key("redis.maxidleconns", Kind::Count, "0", "").not_yet(),
    key("redis.maxactiveconns", Kind::Count, "0", "").not_yet(),
    key("redis.connmaxidletime", Kind::Duration, "30m", "").not_yet(),
    key("redis.connmaxlifetime", Kind::Duration, "0s", "").not_yet(),
    key("redis.maxredirects", Kind::Integer, "3", "").not_yet(),
    key("redis.readonly", Kind::Switch, "false", "").not_yet(),
    key("redis.routebylatency", Kind::Switch, "false", "").not_yet(),
    key("redis.routerandomly", Kind::Switch, "false", "").not_yet(),
    key("redis.disableidentity", Kind::Switch, "false", "").not_yet(),
    key("redis.identitysuffix", Kind::Text, "", "").not_yet(),
    key("redis.unstableresp3", Kind::Switch, "false", "").not_yet(),
    key("redis.tls.enabled", Kind::Switch, "false", "In 2.8.").not_yet(),
    key("redis.tls.certificate", Kind::Text, "", "").not_yet(),
    key("redis.tls.key", Kind::Text, "", "").not_yet(),
    key("redis.tls.rootcas", Kind::Texts, "", "").not_yet(),
    key("redis.tls.clientcas", Kind::Texts, "", "").not_yet(),
    key("redis.pool.maxidle", Kind::Integer, "", "In 2.8; `maxidleconns` of 3.").not_yet(),
    key("redis.pool.maxactive", Kind::Integer, "", "In 2.8; `maxactiveconns` of 3.").not_yet(),
    key("redis.pool.idletimeout", Kind::Duration, "", "In 2.8; `connmaxidletime` of 3.").not_yet(),
    key("redis.cache", Kind::AnySecret, "", "GitLab's.").not_yet(),
];

/// `redis`: what both generations say alike. Nothing asks it in this version.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RedisConfig {
    /// `addrs`, or `addr` of 2.8: one server, the sentinels, or nodes of the cluster.
    pub addrs: Vec<String>,
    /// `mastername`: the addresses are sentinels, which know the master of this name.
    pub master_name: Option<String>,
    /// `maxidleconns`, or `pool.maxidle` of 2.8; 0 for no bound.
    pub max_idle: usize,
    /// `maxactiveconns`, or `pool.maxactive` of 2.8; 0 for no bound.
    pub max_active: usize,
    /// Whether it is spoken to over TLS.
    pub tls: bool,
}

impl RedisConfig {
    pub(super) fn check(faults: &mut Faults, root: &Section<'_>) -> Option<Self> {
        let mut addrs = root.texts("redis.addrs");
        match root.word("redis.addr") {
            Some(_) if !addrs.is_empty() => {
                faults.push("redis", "addrs, or addr as in 2.8", "both");
            }
            Some(addr) => addrs.push(addr),
            None => {}
        }
        let either = |new: &str, old: &str| {
            if root.has(new) {
                root.count(new)
            } else {
                root.count(old)
            }
        };
        let tls = root.switch("redis.tls.enabled")
            || ["certificate", "key", "rootcas"]
                .iter()
                .any(|name| root.has(&format!("redis.tls.{name}")));
        (!addrs.is_empty()).then(|| Self {
            master_name: root.word("redis.mastername"),
            max_idle: either("redis.maxidleconns", "redis.pool.maxidle"),
            max_active: either("redis.maxactiveconns", "redis.pool.maxactive"),
            addrs,
            tls,
        })
    }
}
