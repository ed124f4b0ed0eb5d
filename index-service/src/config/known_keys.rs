//! The keys that there are, as variables name them.

use serde_json::Value;

use crate::domain::SettingKey;

/// The keys that variables are matched against: with them in the tree, `INDEX_PUBLIC_URL` is `public_url` and not
/// `public.url`.
pub(super) const KNOWN_KEYS: [(&str, &[&str]); 17] = [
    (
        "",
        &[
            "listen",
            "public_url",
            "database",
            "database_file",
            "keys_dir",
            "master_key",
            "master_key_file",
            "initial_password_file",
            "trusted_proxies",
            "sign_up",
        ],
    ),
    ("site", &["name", "greeting"]),
    ("sign_up_limits", &["per_network", "site"]),
    ("leaks", &["github_keys_file"]),
    ("organisations", &["create"]),
    ("audit", &["retention", "sink"]),
    ("token", &["issuer", "lifetime", "key_rotation", "key_notice"]),
    ("repositories", &["restore_delay"]),
    ("webhooks", &["allow"]),
    (
        "quotas",
        &[
            "bytes",
            "storage_bytes",
            "repositories",
            "tags",
            "warn_percent",
            "strict",
        ],
    ),
    (
        "registry",
        &["url", "service", "events_secret", "events_secret_file"],
    ),
    (
        "rate_limits",
        &[
            "pulls_anonymous",
            "pulls_account",
            "pulls_token",
            "requests_anonymous",
            "requests_account",
            "requests_token",
        ],
    ),
    ("services", &[]),
    (
        "password",
        &["memory_kib", "iterations", "parallelism", "threads", "queue"],
    ),
    ("tls", &["certificate", "key"]),
    ("log", &["level", "format"]),
    (
        "limits",
        &[
            "max_connections",
            "max_connections_per_address",
            "drain",
            "drain_delay",
        ],
    ),
];

pub(super) fn add_known_keys(tree: &mut Value) {
    let Some(root) = tree.as_object_mut() else { return };
    for (section, keys) in KNOWN_KEYS {
        let map = match section {
            "" => &mut *root,
            "services" => {
                root.entry(section).or_insert_with(|| Value::Array(Vec::new()));
                continue;
            }
            _ => {
                let node = root.entry(section).or_insert(Value::Null);
                if node.is_null() {
                    *node = Value::Object(serde_json::Map::new());
                }
                let Some(map) = node.as_object_mut() else { continue };
                map
            }
        };
        for key in keys {
            map.entry(*key).or_insert(Value::Null);
        }
    }
}

/// An empty value, as of a variable that is set to nothing, is as good as none.
pub(super) fn drop_empty(node: &mut Value) {
    if let Value::Object(map) = node {
        map.retain(|_, value| !matches!(value, Value::String(text) if text.is_empty()));
        map.values_mut().for_each(drop_empty);
    }
}

/// What a configuration decides of that which administrators of the site may decide while it runs.
pub(super) fn decided(tree: &Value) -> Vec<SettingKey> {
    let is_decided = |key: &SettingKey| {
        let mut parts = key.as_str().split('.');
        let found = parts.try_fold(tree, |node, part| node.get(part));
        found.is_some_and(|value| !value.is_null())
    };
    SettingKey::EVERY.iter().copied().filter(is_decided).collect()
}
