//! `redis`, in both of distribution's generations

use std::time::Duration;

use shared::runtime::config::Faults;
use shared::secret::Secret;

use super::Section;
use super::key::{Key, Kind, key};
use crate::descriptor_cache::{Account, TlsFiles};

/// `redis`: what both generations say alike.
pub type RedisConfig = crate::descriptor_cache::Options;

#[rustfmt::skip]
pub(super) const KEYS: &[Key] = &[
    key("redis.addrs", Kind::Texts, "", "Hosts and ports, or the path of a socket: one server, a cluster when there are several, sentinels with `mastername`. Asked for with `storage.cache.blobdescriptor: redis` alone."),
    key("redis.addr", Kind::Text, "", "The server, in 2.8."),
    key("redis.username", Kind::Text, "", ""),
    key("redis.password", Kind::Secret, "", ""),
    key("redis.db", Kind::Count, "0", "A cluster has 0 alone."),
    key("redis.clientname", Kind::Text, "", "What the connection is called there."),
    key("redis.protocol", Kind::Count, "3", "2 or 3."),
    key("redis.sentinelusername", Kind::Text, "", "For the sentinels."),
    key("redis.sentinelpassword", Kind::Secret, "", "For the sentinels."),
    key("redis.mastername", Kind::Text, "", "The addresses are sentinels, which know the master of this name."),
    key("redis.maxretries", Kind::Integer, "3", "It is tried until it answers.").quiet(),
    key("redis.minretrybackoff", Kind::Duration, "8ms", "Shortest pause before redis is tried again."),
    key("redis.maxretrybackoff", Kind::Duration, "512ms", "Longest pause."),
    key("redis.dialtimeout", Kind::Duration, "5s", "Longest wait for a connection."),
    key("redis.readtimeout", Kind::Duration, "3s", "Longest wait for an answer."),
    key("redis.writetimeout", Kind::Duration, "3s", "`readtimeout` counts for question and answer.").quiet(),
    key("redis.contexttimeoutenabled", Kind::Switch, "false", "").quiet(),
    key("redis.poolfifo", Kind::Switch, "false", "One connection carries everything.").quiet(),
    key("redis.poolsize", Kind::Count, "", "One connection carries everything.").quiet(),
    key("redis.pooltimeout", Kind::Duration, "4s", "").quiet(),
    key("redis.minidleconns", Kind::Count, "0", "").quiet(),
    key("redis.maxidleconns", Kind::Count, "0", "").quiet(),
    key("redis.maxactiveconns", Kind::Count, "0", "").quiet(),
    key("redis.connmaxidletime", Kind::Duration, "30m", "").quiet(),
    key("redis.connmaxlifetime", Kind::Duration, "0s", "").quiet(),
    key("redis.maxredirects", Kind::Integer, "3", "How often a cluster may send a question on."),
    key("redis.readonly", Kind::Switch, "false", "Nothing is read.").quiet(),
    key("redis.routebylatency", Kind::Switch, "false", "").quiet(),
    key("redis.routerandomly", Kind::Switch, "false", "").quiet(),
    key("redis.disableidentity", Kind::Switch, "false", "").quiet(),
    key("redis.identitysuffix", Kind::Text, "", "").quiet(),
    key("redis.unstableresp3", Kind::Switch, "false", "").quiet(),
    key("redis.tls.enabled", Kind::Switch, "false", "In 2.8. Without it TLS is spoken when there are certificates."),
    key("redis.tls.certificate", Kind::Text, "", "Ours, for a server that asks for one (PEM)."),
    key("redis.tls.key", Kind::Text, "", "Its private key (PEM)."),
    key("redis.tls.rootcas", Kind::Texts, "", "Files (PEM) of authorities that are trusted; without any the system's."),
    key("redis.tls.clientcas", Kind::Texts, "", "The same, as the documentation of distribution once had it."),
    key("redis.pool.maxidle", Kind::Integer, "", "In 2.8.").quiet(),
    key("redis.pool.maxactive", Kind::Integer, "", "In 2.8.").quiet(),
    key("redis.pool.idletimeout", Kind::Duration, "", "In 2.8.").quiet(),
    key("redis.cache", Kind::AnySecret, "", "GitLab's: a cache of its database, which there is none of here.").quiet(),
];

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
        if addrs.is_empty() {
            return None;
        }
        let pause = (
            root.duration("redis.minretrybackoff"),
            root.duration("redis.maxretrybackoff"),
        );
        let shortest = pause.0.max(Duration::from_millis(1));
        Some(Self {
            addrs,
            master_name: root.word("redis.mastername"),
            account: account(root, "redis.username", "redis.password"),
            sentinel_account: account(root, "redis.sentinelusername", "redis.sentinelpassword"),
            db: root.integer("redis.db").unwrap_or_default(),
            client_name: root.word("redis.clientname"),
            is_resp3: root.integer("redis.protocol") != Some(2),
            dial: time(root, "redis.dialtimeout", Duration::from_secs(5)),
            read: time(root, "redis.readtimeout", Duration::from_secs(3)),
            pause: (shortest, pause.1.max(shortest)),
            max_redirects: u32::try_from(root.count("redis.maxredirects")).unwrap_or(3),
            tls: tls(faults, root),
        })
    }
}

/// As Go's client has it, no time means the default.
fn time(root: &Section<'_>, path: &str, default: Duration) -> Duration {
    Some(root.duration(path))
        .filter(|time| !time.is_zero())
        .unwrap_or(default)
}

fn account(root: &Section<'_>, name: &str, password: &str) -> Account {
    Account {
        name: root.word(name),
        password: root.word(password).map(Secret::new),
    }
}

fn tls(faults: &mut Faults, root: &Section<'_>) -> Option<TlsFiles> {
    let pair = match (root.word("redis.tls.certificate"), root.word("redis.tls.key")) {
        (Some(certificate), Some(key)) => Some((certificate.into(), key.into())),
        (None, None) => None,
        _ => {
            faults.push("redis.tls", "certificate and key, or neither", "one of them");
            None
        }
    };
    let mut roots = root.texts("redis.tls.rootcas");
    roots.extend(root.texts("redis.tls.clientcas"));
    let is_on = root.switch("redis.tls.enabled") || pair.is_some() || !roots.is_empty();
    is_on.then(|| TlsFiles {
        pair,
        roots: roots.into_iter().map(Into::into).collect(),
    })
}
