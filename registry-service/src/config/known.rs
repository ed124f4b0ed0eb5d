//! Which keys are known.

use serde_json::Value;

/// Keys that are read. `*` stands for any key.
const KNOWN: [&str; 62] = [
    "version",
    "loglevel",
    "log.level",
    "log.formatter",
    "storage.filesystem.rootdirectory",
    "storage.filesystem.maxthreads",
    "storage.filesystem.durability",
    "storage.inmemory",
    "storage.delete.enabled",
    "storage.redirect.disable",
    "storage.maintenance.readonly.enabled",
    "storage.maintenance.uploadpurging.enabled",
    "storage.maintenance.uploadpurging.age",
    "storage.maintenance.uploadpurging.interval",
    "storage.maintenance.uploadpurging.dryrun",
    // Caches are built in, and bounded.
    "storage.cache.blobdescriptor",
    "storage.cache.blobdescriptorsize",
    "storage.cache.layerinfo",
    "storage.tag.concurrencylimit",
    "auth.none",
    "auth.silly.realm",
    "auth.silly.service",
    "auth.htpasswd.realm",
    "auth.htpasswd.path",
    "auth.token.realm",
    "auth.token.service",
    "auth.token.issuer",
    "auth.token.autoredirect",
    "auth.token.autoredirectpath",
    "auth.token.signingalgorithms",
    "auth.token.rootcertbundle",
    "auth.token.jwks",
    "auth.token.jwksurl",
    "auth.token.insecurejwksurl",
    "http.addr",
    "http.net",
    "http.host",
    "http.secret",
    "http.secretfile",
    "http.relativeurls",
    "http.draintimeout",
    "http.draindelay",
    "http.limits.connections",
    "http.limits.connectionsperaddress",
    "http.limits.requests",
    "http.limits.header",
    "http.limits.idle",
    "http.limits.body",
    "http.limits.stall",
    "http.tls.certificate",
    "http.tls.key",
    "http.tls.minimumtls",
    "http.tls.ciphersuites",
    "http.tls.clientcas",
    "http.tls.clientauth",
    "http.http2.disabled",
    "http.h2c.enabled",
    "http.headers.*",
    "http.warning",
    "validation.manifests.indexes.platforms",
    "validation.blobs.maxsize",
    "proxy.remoteurl",
];

/// The full paths of keys that nothing reads. A section that is not known is named once, not key by key.
pub(super) fn unknown_keys(tree: &Value) -> Vec<String> {
    let mut unknown = Vec::new();
    walk(tree, "", &mut unknown);
    unknown
}

fn walk(node: &Value, path: &str, unknown: &mut Vec<String>) {
    let Value::Object(map) = node else { return };
    for (key, value) in map {
        let path = if path.is_empty() {
            key.clone()
        } else {
            format!("{path}.{key}")
        };
        match depth_of(&path) {
            Match::Key => {}
            Match::Section => walk(value, &path, unknown),
            Match::Nothing => unknown.push(path),
        }
    }
}

enum Match {
    Key,
    Section,
    Nothing,
}

fn depth_of(path: &str) -> Match {
    let mut best = Match::Nothing;
    for known in KNOWN {
        let (mut wanted, mut given) = (known.split('.'), path.split('.'));
        loop {
            match (wanted.next(), given.next()) {
                (None, None) => return Match::Key,
                (Some(_), None) => {
                    best = Match::Section;
                    break;
                }
                (Some(key), Some(own)) if key == own || key == "*" => {}
                _ => break,
            }
        }
    }
    best
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_paper_names_every_key() {
        let paper = include_str!("../../../docs/configuration.md");
        let section = paper.split("## registry-service").nth(1).unwrap();
        let missing: Vec<&str> = KNOWN
            .into_iter()
            .filter(|key| !section.contains(&format!("`{key}`")))
            .collect();
        assert!(
            missing.is_empty(),
            "docs/configuration.md does not name {missing:?}"
        );
    }
}
