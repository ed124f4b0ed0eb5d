//! `storage`

use std::path::PathBuf;
use std::time::Duration;

use serde_json::Value;
use shared::runtime::config::Faults;

use super::Section;
use crate::storage::Durability;

/// Keys of `storage` that name no driver.
const SIBLINGS: [&str; 5] = ["maintenance", "cache", "delete", "redirect", "tag"];

/// `storage`
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StorageConfig {
    /// The one driver.
    pub backend: Backend,
    /// `storage.delete.enabled`, by default `false`: whether manifests, tags and blobs can be deleted.
    pub delete_enabled: bool,
    /// `storage.maintenance.readonly.enabled`, by default `false`: whether writing is refused.
    pub read_only: bool,
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
}

impl StorageConfig {
    pub(super) fn check(faults: &mut Faults, root: &Section<'_>) -> Self {
        Self {
            backend: backend(faults, root),
            delete_enabled: root.switch(faults, "storage.delete.enabled", false),
            read_only: root.switch(faults, "storage.maintenance.readonly.enabled", false),
            purging: purging(faults, root),
        }
    }
}

fn backend(faults: &mut Faults, root: &Section<'_>) -> Backend {
    let drivers: Vec<&str> = match root.get("storage") {
        Some(Value::String(driver)) => vec![driver],
        Some(Value::Object(map)) => {
            let names = map.keys().map(String::as_str);
            names.filter(|name| !SIBLINGS.contains(name)).collect()
        }
        _ => Vec::new(),
    };
    match drivers.as_slice() {
        ["filesystem"] => {
            let folder = root.text(faults, "storage.filesystem.rootdirectory");
            Backend::Filesystem {
                root: folder.unwrap_or_else(|| "/var/lib/registry".to_owned()).into(),
                durability: durability(faults, root),
            }
        }
        ["inmemory"] => Backend::Memory,
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

fn durability(faults: &mut Faults, root: &Section<'_>) -> Durability {
    const KEY: &str = "storage.filesystem.durability";
    match root.text(faults, KEY).as_deref() {
        None | Some("full") => Durability::Full,
        Some("none") => Durability::None,
        Some(other) => {
            faults.push(KEY, "full or none", other);
            Durability::Full
        }
    }
}

fn purging(faults: &mut Faults, root: &Section<'_>) -> Option<Purging> {
    const HOUR: Duration = Duration::from_hours(1);
    let key = |name: &str| format!("storage.maintenance.uploadpurging.{name}");
    let enabled = root.switch(faults, &key("enabled"), true);
    if root.switch(faults, &key("dryrun"), false) {
        return None;
    }
    let age = root.duration(faults, &key("age"), 168 * HOUR);
    let interval = root.duration(faults, &key("interval"), 24 * HOUR);
    if interval.is_zero() {
        faults.push(key("interval"), "more than no time", "0");
    }
    enabled.then_some(Purging { age, interval })
}
