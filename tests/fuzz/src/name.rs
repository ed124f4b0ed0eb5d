//! Repository names: a name, a tag and a digest, each on its line; what they become in storage.

use registry_service::registry::fuzzing::keys;
use shared::oci::name::{LIBRARY, is_component};
use shared::oci::{Digest, RepositoryName, Tag};

use crate::{grammar, input};

pub(crate) fn run(data: &[u8]) {
    let text = input::text(data);
    let [name, tag, digest] = input::lines(&text);
    let parsed = name.parse::<RepositoryName>();
    assert_eq!(parsed.is_ok(), grammar::is_name(name), "{name:?}: {parsed:?}");
    let is_one = !name.is_empty() && !name.contains('/') && grammar::is_name(name);
    if name.len() <= 255 {
        assert_eq!(is_component(name), is_one, "{name:?}");
    }
    let Ok(parsed) = parsed else { return };
    assert_eq!(parsed.as_str(), name);
    assert_eq!(parsed.to_string().parse(), Ok(parsed.clone()));
    let json = serde_json::to_string(&parsed).expect("a name is JSON");
    assert_eq!(
        serde_json::from_str::<RepositoryName>(&json).expect("its own JSON"),
        parsed
    );
    let joined = format!("{}/{}", parsed.namespace(), parsed.below_namespace());
    assert!(joined == name || joined == format!("{LIBRARY}/{name}"));
    stored(&parsed, tag, digest);
}

/// Every key of the repository lies in its own folder, whatever the tag and the digest are.
fn stored(name: &RepositoryName, tag: &str, digest: &str) {
    let tag = tag.parse().unwrap_or_else(|_| "t".parse::<Tag>().expect("a tag"));
    let digest = digest
        .parse()
        .unwrap_or_else(|_| Digest::of(shared::oci::Algorithm::Sha256, digest.as_bytes()));
    for key in keys(name, &tag, &digest) {
        let key = key.as_str();
        let below = [
            format!("docker/registry/v2/repositories/{name}"),
            format!("portolan/referrers/{name}"),
        ]
        .iter()
        .find_map(|own| key.strip_prefix(own.as_str()).map(str::to_owned));
        let is_content = key
            == format!(
                "docker/registry/v2/blobs/{}/{}/{}/data",
                digest.algorithm(),
                &digest.hex()[..2],
                digest.hex()
            );
        // What follows the name begins with `_`, as no component of a name does: no repository lies in another's folder.
        let is_own = below.is_some_and(|below| below.is_empty() || below.starts_with("/_"));
        assert!(is_own || is_content, "{key}");
        assert!(
            key.split('/')
                .all(|part| !part.is_empty() && part != "." && part != ".."),
            "{key}"
        );
    }
}
