//! `storage`

use std::path::PathBuf;
use std::time::Duration;

use shared::runtime::config::Faults;

use super::key::{Key, Kind, key};
use super::{Section, cloud};
use crate::storage::Durability;

/// Keys of `storage` that name no driver.
const SIBLINGS: [&str; 5] = ["maintenance", "cache", "delete", "redirect", "tag"];

#[rustfmt::skip]
pub(super) const KEYS: &[Key] = &[
    key("storage", Kind::Map, "", "Exactly one driver, `filesystem` or `inmemory`, or its name alone."),
    key("storage.filesystem", Kind::Map, "", "A folder."),
    key("storage.filesystem.rootdirectory", Kind::Text, "/var/lib/registry", "Which."),
    key("storage.filesystem.maxthreads", Kind::Integer, "100", "The bound is built in.").quiet(),
    key("storage.filesystem.durability", Kind::OneOf(&["full", "none"]), "full", "Ours: `none` answers before anything is on the disk. A power cut then loses what was acknowledged; for content that can be pushed again, such as a cache of builds."),
    key("storage.inmemory", Kind::Any, "", "Nothing outlives the process."),
    key("storage.delete.enabled", Kind::Switch, "false", "Whether manifests, tags and blobs can be deleted."),
    key("storage.redirect.disable", Kind::Switch, "false", "Whether clients are sent nowhere, whatever `middleware` says."),
    key("storage.tag.concurrencylimit", Kind::Count, "0", "The bound is built in.").quiet(),
    key("storage.cache.blobdescriptor", Kind::Text, "", "`redis`: blobs that are pushed here are written there and deleted ones taken out, for processes of distribution on the same storage; nothing is read from there, since a folder answers faster and rightly. `inmemory` needs no effect: what cannot become wrong is kept in memory anyway."),
    key("storage.cache.layerinfo", Kind::Text, "", "The old name of `blobdescriptor`."),
    key("storage.cache.blobdescriptorsize", Kind::Count, "10000", "The bound is built in.").quiet(),
    key("storage.maintenance.readonly.enabled", Kind::Switch, "false", "Refuse writing with 405."),
    key("storage.maintenance.uploadpurging.enabled", Kind::Switch, "true", "Give up uploads that nobody goes on with."),
    key("storage.maintenance.uploadpurging.age", Kind::DurationText, "168h", "After so long."),
    key("storage.maintenance.uploadpurging.interval", Kind::DurationText, "24h", "How often they are looked for."),
    key("storage.maintenance.uploadpurging.dryrun", Kind::Switch, "false", "Only say how many there are."),
];

/// `storage`
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StorageConfig {
    /// The one driver.
    pub backend: Backend,
    /// `storage.delete.enabled`, by default `false`: whether manifests, tags and blobs can be deleted.
    pub delete_enabled: bool,
    /// `storage.maintenance.readonly.enabled`, by default `false`: whether writing is refused.
    pub read_only: bool,
    /// `storage.cache.blobdescriptor` is `redis`.
    pub cache_in_redis: bool,
    /// `storage.maintenance.uploadpurging`; `None` when it is switched off.
    pub purging: Option<Purging>,
}

/// The storage driver.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Backend {
    /// `storage.filesystem`: a folder.
    Filesystem {
        /// `storage.filesystem.rootdirectory`, by default `/var/lib/registry`
        root: PathBuf,
        /// `storage.filesystem.durability`, by default `full`: `none` acknowledges what a power cut loses.
        durability: Durability,
    },
    /// `storage.inmemory`: nothing outlives the process.
    Memory,
}

/// `storage.maintenance.uploadpurging`
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Purging {
    /// `age`, by default `168h`: uploads that were not touched for so long are given up.
    pub age: Duration,
    /// `interval`, by default `24h`: how often they are looked for.
    pub interval: Duration,
    /// `dryrun`, by default `false`: they are only counted.
    pub dry_run: bool,
}

impl StorageConfig {
    pub(super) fn check(faults: &mut Faults, root: &Section<'_>) -> Self {
        Self {
            backend: backend(faults, root),
            delete_enabled: root.switch("storage.delete.enabled"),
            read_only: root.switch("storage.maintenance.readonly.enabled"),
            cache_in_redis: ["storage.cache.blobdescriptor", "storage.cache.layerinfo"]
                .iter()
                .find_map(|path| root.text(path))
                .as_deref()
                == Some("redis"),
            purging: purging(faults, root),
        }
    }
}

fn backend(faults: &mut Faults, root: &Section<'_>) -> Backend {
    let drivers = root.names("storage").into_iter();
    let drivers: Vec<&str> = drivers.filter(|name| !SIBLINGS.contains(name)).collect();
    match drivers.as_slice() {
        ["filesystem"] => {
            let folder = root.word("storage.filesystem.rootdirectory");
            let is_lax = root.word("storage.filesystem.durability").as_deref() == Some("none");
            let durability = if is_lax {
                Durability::None
            } else {
                Durability::Full
            };
            Backend::Filesystem {
                root: folder.unwrap_or_default().into(),
                durability,
            }
        }
        ["inmemory"] => Backend::Memory,
        [driver] if cloud::refuse(faults, root, driver) => Backend::Memory,
        other => {
            let expected = "exactly one storage driver; this version has filesystem and inmemory";
            let found = if other.is_empty() {
                "none".to_owned()
            } else {
                other.join(", ")
            };
            faults.push("storage", expected, found);
            Backend::Memory
        }
    }
}

fn purging(faults: &mut Faults, root: &Section<'_>) -> Option<Purging> {
    const INTERVAL: &str = "storage.maintenance.uploadpurging.interval";
    let age = root.duration("storage.maintenance.uploadpurging.age");
    let interval = root.duration(INTERVAL);
    if interval.is_zero() {
        root.refuse(faults, INTERVAL, "more than no time");
    }
    let is_on = root.switch("storage.maintenance.uploadpurging.enabled");
    is_on.then_some(Purging {
        age,
        interval,
        dry_run: root.switch("storage.maintenance.uploadpurging.dryrun"),
    })
}
