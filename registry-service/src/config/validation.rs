//! `validation`, `policy`, `catalog` and `tags`

use shared::runtime::config::{ByteSize, Faults};

use super::Section;
use super::key::{Key, Kind, key};
use crate::registry::DEFAULT_MAX_BLOB_SIZE;

#[rustfmt::skip]
pub(super) const KEYS: &[Key] = &[
    key("validation.enabled", Kind::Switch, "", "The old opposite of `disabled`.").quiet(),
    key("validation.disabled", Kind::Switch, "false", "Whether the rules below are off.").not_yet(),
    key("validation.manifests.urls.allow", Kind::Texts, "", "Regular expressions that foreign URLs of layers must match.").not_yet(),
    key("validation.manifests.urls.deny", Kind::Texts, "", "Regular expressions that they must not match.").not_yet(),
    key("validation.manifests.indexes.platforms", Kind::OneOf(&["all", "none", "list"]), "all", "`none` accepts an index whose manifests are not in the repository."),
    key("validation.manifests.indexes.platformlist[].os", Kind::Text, "", "Of `list`.").not_yet(),
    key("validation.manifests.indexes.platformlist[].architecture", Kind::Text, "", "Of `list`.").not_yet(),
    key("validation.manifests.referencelimit", Kind::Count, "", "GitLab's.").not_yet(),
    key("validation.manifests.payloadsizelimit", Kind::Count, "", "GitLab's.").not_yet(),
    key("validation.blobs.maxsize", Kind::Size, "100GiB", "Ours: the largest blob."),
    key("policy.repository.classes", Kind::Texts, "", "Which classes of content are taken.").not_yet(),
    key("catalog.maxentries", Kind::Integer, "1000", "Longest page of the catalog; a longer one that is asked for comes in this length."),
    key("tags.maxtags", Kind::Integer, "1000", "Longest page of tags, likewise."),
];

/// Longest page that can be chosen.
const LONGEST_PAGE: usize = 100_000;

/// `validation`
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ValidationConfig {
    /// `validation.manifests.indexes.platforms`, by default `all`: `none` accepts indexes whose manifests are not there.
    pub sparse_indexes: bool,
    /// `validation.blobs.maxsize`, by default `100 GiB`: the largest blob, such as `10GiB`.
    pub max_blob_size: u64,
    /// `catalog.maxentries`, by default 1000.
    pub max_catalog: usize,
    /// `tags.maxtags`, by default 1000.
    pub max_tags: usize,
}

impl ValidationConfig {
    pub(super) fn check(faults: &mut Faults, root: &Section<'_>) -> Self {
        let platforms = root.text("validation.manifests.indexes.platforms");
        let size = root.word("validation.blobs.maxsize");
        let size = size.and_then(|text| text.parse::<ByteSize>().ok());
        Self {
            sparse_indexes: platforms.as_deref() == Some("none"),
            max_blob_size: size.map_or(DEFAULT_MAX_BLOB_SIZE, |size| size.0),
            max_catalog: longest_page(faults, root, "catalog.maxentries"),
            max_tags: longest_page(faults, root, "tags.maxtags"),
        }
    }
}

/// The length of the longest page; 0 and less mean the default, as in distribution.
fn longest_page(faults: &mut Faults, root: &Section<'_>, key: &str) -> usize {
    const DEFAULT: usize = 1_000;
    let length = root.count(key);
    if length > LONGEST_PAGE {
        root.refuse(
            faults,
            key,
            format!("at most {LONGEST_PAGE}: a page is held in memory"),
        );
    }
    if length == 0 { DEFAULT } else { length }
}
