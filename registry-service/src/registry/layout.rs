//! Names → keys, and nowhere else. The tree under `docker/registry/v2` is CNCF distribution's, byte for byte;
//! what is ours alone lies under `portolan`.

use bytes::Bytes;
use shared::oci::{Algorithm, Digest, RepositoryName, Tag};

use crate::storage::{Key, StagedId};

const BLOBS: &str = "docker/registry/v2/blobs";
const REPOSITORIES: &str = "docker/registry/v2/repositories";
const HASH_STATES: &str = "portolan/uploads";
const REFERRERS: &str = "portolan/referrers";
const QUARANTINE: &str = "portolan/quarantine";

fn key(text: &str) -> Key {
    let parsed = Key::parse(text);
    #[expect(
        clippy::expect_used,
        reason = "repository names, tags, digests and staged ids are 255 bytes at most, without empty or dotted \
                  components, and the longest key has a few of them"
    )]
    parsed.expect("a key made of checked names")
}

/// The bytes of a blob or manifest, shared by all repositories.
pub(super) fn content(digest: &Digest) -> Key {
    let (algorithm, hex) = (digest.algorithm(), digest.hex());
    key(&format!("{BLOBS}/{algorithm}/{}/{hex}/data", &hex[..2]))
}

/// The prefix of all content with digests of `algorithm`; its children are the first two digits, theirs the digits.
pub(super) fn contents(algorithm: Algorithm) -> Key {
    key(&format!("{BLOBS}/{algorithm}"))
}

/// The prefix of one content.
pub(super) fn content_folder(digest: &Digest) -> Key {
    let (algorithm, hex) = (digest.algorithm(), digest.hex());
    key(&format!("{BLOBS}/{algorithm}/{}/{hex}", &hex[..2]))
}

/// The prefix of all blobs of the repository with digests of `algorithm`; its children are their digits.
pub(super) fn layers(repository: &RepositoryName, algorithm: Algorithm) -> Key {
    key(&format!("{REPOSITORIES}/{repository}/_layers/{algorithm}"))
}

/// The prefix of one blob in the repository.
pub(super) fn layer(repository: &RepositoryName, digest: &Digest) -> Key {
    let (algorithm, hex) = (digest.algorithm(), digest.hex());
    key(&format!("{REPOSITORIES}/{repository}/_layers/{algorithm}/{hex}"))
}

/// Says that the repository holds the blob; see [`link`].
pub(super) fn layer_link(repository: &RepositoryName, digest: &Digest) -> Key {
    let (algorithm, hex) = (digest.algorithm(), digest.hex());
    key(&format!(
        "{REPOSITORIES}/{repository}/_layers/{algorithm}/{hex}/link"
    ))
}

/// The prefix of all manifests of the repository with digests of `algorithm`; its children are their digits.
pub(super) fn revisions(repository: &RepositoryName, algorithm: Algorithm) -> Key {
    key(&format!(
        "{REPOSITORIES}/{repository}/_manifests/revisions/{algorithm}"
    ))
}

/// The prefix of one manifest in the repository.
pub(super) fn revision(repository: &RepositoryName, digest: &Digest) -> Key {
    let (algorithm, hex) = (digest.algorithm(), digest.hex());
    key(&format!(
        "{REPOSITORIES}/{repository}/_manifests/revisions/{algorithm}/{hex}"
    ))
}

/// Says that the repository holds the manifest; see [`link`].
pub(super) fn revision_link(repository: &RepositoryName, digest: &Digest) -> Key {
    key(&format!("{}/link", revision(repository, digest)))
}

/// The prefix of all tags of the repository; its children are their names.
pub(super) fn tags(repository: &RepositoryName) -> Key {
    key(&format!("{REPOSITORIES}/{repository}/_manifests/tags"))
}

/// The prefix of one tag.
pub(super) fn tag(repository: &RepositoryName, tag: &Tag) -> Key {
    key(&format!("{REPOSITORIES}/{repository}/_manifests/tags/{tag}"))
}

/// The manifest that the tag points to; see [`link`].
pub(super) fn tag_current(repository: &RepositoryName, tag: &Tag) -> Key {
    key(&format!(
        "{REPOSITORIES}/{repository}/_manifests/tags/{tag}/current/link"
    ))
}

/// Says that the tag points or pointed to the manifest.
pub(super) fn tag_index(repository: &RepositoryName, tag: &Tag, digest: &Digest) -> Key {
    let (algorithm, hex) = (digest.algorithm(), digest.hex());
    key(&format!(
        "{REPOSITORIES}/{repository}/_manifests/tags/{tag}/index/{algorithm}/{hex}/link"
    ))
}

/// The prefix of all manifests with digests of `algorithm` that the tag points or pointed to; its children are their
/// digits.
pub(super) fn tag_history(repository: &RepositoryName, tag: &Tag, algorithm: Algorithm) -> Key {
    key(&format!(
        "{REPOSITORIES}/{repository}/_manifests/tags/{tag}/index/{algorithm}"
    ))
}

/// The prefixes of all that the repository holds, without what lies in repositories below its name.
pub(super) fn parts(repository: &RepositoryName) -> [Key; 3] {
    ["_manifests", "_layers", "_uploads"].map(|part| key(&format!("{REPOSITORIES}/{repository}/{part}")))
}

/// The content of every link: the digest, and nothing after it.
pub(super) fn link(digest: &Digest) -> Bytes {
    digest.to_string().into()
}

/// The prefix below which repositories lie: that of all, or of those whose names begin with `above` and a slash.
/// `above` must be a repository name or empty.
pub(super) fn repositories(above: &str) -> Key {
    if above.is_empty() {
        key(REPOSITORIES)
    } else {
        key(&format!("{REPOSITORIES}/{above}"))
    }
}

/// Ours: the prefix of the hash states of upload sessions; its children are named as their staged objects.
pub(super) fn hash_states() -> Key {
    key(HASH_STATES)
}

/// Ours: the hash state of an upload session.
pub(super) fn hash_state(staged: &StagedId) -> Key {
    key(&format!("{HASH_STATES}/{staged}"))
}

/// Ours: the repository's index of referrers. No component of a repository name begins with `_`, so the index of
/// `a` cannot stand where the indexes of `a/…` lie.
pub(super) fn referrers(repository: &RepositoryName) -> Key {
    key(&format!("{REFERRERS}/{repository}/_index"))
}

/// Ours: where content lies that does not have its digest, until somebody has looked at it.
pub(super) fn quarantine(digest: &Digest) -> Key {
    key(&format!("{QUARANTINE}/{}/{}", digest.algorithm(), digest.hex()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_are_those_of_distribution() {
        let repository: RepositoryName = "library/app".parse().unwrap();
        let digest = Digest::of(Algorithm::Sha256, b"");
        let hex = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";
        let latest: Tag = "latest".parse().unwrap();
        let below = "docker/registry/v2/repositories/library/app";
        for (key, expected) in [
            (
                content(&digest),
                format!("docker/registry/v2/blobs/sha256/e3/{hex}/data"),
            ),
            (
                layer_link(&repository, &digest),
                format!("{below}/_layers/sha256/{hex}/link"),
            ),
            (
                revision_link(&repository, &digest),
                format!("{below}/_manifests/revisions/sha256/{hex}/link"),
            ),
            (
                tag_current(&repository, &latest),
                format!("{below}/_manifests/tags/latest/current/link"),
            ),
            (
                tag_index(&repository, &latest, &digest),
                format!("{below}/_manifests/tags/latest/index/sha256/{hex}/link"),
            ),
            (
                tag(&repository, &latest),
                format!("{below}/_manifests/tags/latest"),
            ),
            (tags(&repository), format!("{below}/_manifests/tags")),
            (repositories("library/app"), below.to_owned()),
            (repositories(""), "docker/registry/v2/repositories".to_owned()),
        ] {
            assert_eq!(key.as_str(), expected);
        }
        assert_eq!(&link(&digest)[..], format!("sha256:{hex}").as_bytes());
        let sha512 = Digest::of(Algorithm::Sha512, b"");
        assert!(
            content(&sha512)
                .as_str()
                .starts_with("docker/registry/v2/blobs/sha512/cf/cf83e1357eefb8bd")
        );
    }

    #[test]
    fn the_longest_names_make_a_key() {
        let repository: RepositoryName = "a".repeat(255).parse().unwrap();
        let tag: Tag = "t".repeat(128).parse().unwrap();
        let digest = Digest::of(Algorithm::Sha512, b"");
        assert!(tag_index(&repository, &tag, &digest).as_str().ends_with("/link"));
        assert!(referrers(&repository).as_str().ends_with("/_index"));
    }
}
