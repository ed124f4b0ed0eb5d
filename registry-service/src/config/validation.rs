//! `validation`, `policy`, `catalog` and `tags`

use shared::runtime::config::{ByteSize, Faults};

use super::Section;
use super::key::{Key, Kind, key};
use crate::registry::manifest::MANIFEST_LIMIT;
use crate::registry::{Children, Class, DEFAULT_MAX_BLOB_SIZE, Expression, ForeignUrls, Platform, Rules};

#[rustfmt::skip]
pub(super) const KEYS: &[Key] = &[
    key("validation.enabled", Kind::Switch, "", "The old opposite of `disabled`; a `true` goes before it."),
    key("validation.disabled", Kind::Switch, "false", "Whether the rules of `validation.manifests` are off: any URLs, any indexes."),
    key("validation.manifests.urls.allow", Kind::Texts, "", "Regular expressions (RE2), one of which the URLs must match by which a manifest sends clients elsewhere. Without `allow` and `deny` no URLs are allowed."),
    key("validation.manifests.urls.deny", Kind::Texts, "", "Regular expressions that they must not match, whatever `allow` says."),
    key("validation.manifests.indexes.platforms", Kind::OneOf(&["all", "none", "list"]), "all", "Which manifests of an index must be in the repository when it is pushed; `list`: those of `platformlist`."),
    key("validation.manifests.indexes.platformlist[].os", Kind::Text, "", "Of `list`."),
    key("validation.manifests.indexes.platformlist[].architecture", Kind::Text, "", "Of `list`."),
    key("validation.manifests.referencelimit", Kind::Count, "", "GitLab's: most blobs and manifests that a manifest names; 0 for any number."),
    key("validation.manifests.payloadsizelimit", Kind::Count, "", "GitLab's: longest manifest in bytes; 0 and more than 4 MiB mean 4 MiB."),
    key("validation.blobs.maxsize", Kind::Size, "100GiB", "Ours: the largest blob."),
    key("policy.repository.classes", Kind::Texts, "", "Which classes of content are taken: `image`, `plugin`; anything else, such as a chart, is then refused. Tokens are held to the `class` of their access."),
    key("catalog.maxentries", Kind::Integer, "1000", "Longest page of the catalog; a longer one that is asked for comes in this length."),
    key("tags.maxtags", Kind::Integer, "1000", "Longest page of tags, likewise."),
];

/// Longest page that can be chosen.
const LONGEST_PAGE: usize = 100_000;

/// `validation`
#[derive(Debug, Clone)]
pub struct ValidationConfig {
    /// `validation.manifests` and `policy.repository.classes`: what manifests must keep to.
    pub rules: Rules,
    /// `validation.blobs.maxsize`, by default `100 GiB`: the largest blob, such as `10GiB`.
    pub max_blob_size: u64,
    /// `catalog.maxentries`, by default 1000.
    pub max_catalog: usize,
    /// `tags.maxtags`, by default 1000.
    pub max_tags: usize,
}

impl ValidationConfig {
    pub(super) fn check(faults: &mut Faults, root: &Section<'_>) -> Self {
        let size = root.word("validation.blobs.maxsize");
        let size = size.and_then(|text| text.parse::<ByteSize>().ok());
        Self {
            rules: rules(faults, root),
            max_blob_size: size.map_or(DEFAULT_MAX_BLOB_SIZE, |size| size.0),
            max_catalog: longest_page(faults, root, "catalog.maxentries"),
            max_tags: longest_page(faults, root, "tags.maxtags"),
        }
    }
}

fn rules(faults: &mut Faults, root: &Section<'_>) -> Rules {
    // Read also where they are off: a bad expression is one.
    let mut rules = Rules {
        urls: foreign_urls(faults, root),
        children: children(root),
        max_references: Some(root.count("validation.manifests.referencelimit")).filter(|limit| *limit > 0),
        ..Rules::default()
    };
    let length = root.count("validation.manifests.payloadsizelimit") as u64;
    if length > 0 {
        rules.max_length = length.min(MANIFEST_LIMIT);
    }
    if root.switch("validation.disabled") && !root.switch("validation.enabled") {
        rules = Rules {
            children: Children::None,
            ..Rules::default()
        };
    }
    let classes = root.texts("policy.repository.classes");
    if !classes.is_empty() {
        // A word that is no class allows nothing, as in distribution.
        let is_named = |class: &Class| classes.iter().any(|word| word == class.as_str());
        rules.classes = Some(Class::ALL.into_iter().filter(is_named).collect());
    }
    rules
}

fn foreign_urls(faults: &mut Faults, root: &Section<'_>) -> ForeignUrls {
    let mut expressions = |path: &str| -> Vec<Expression> {
        let mut read = Vec::new();
        for (index, text) in root.texts(path).into_iter().enumerate() {
            match Expression::parse(&text) {
                Ok(expression) => read.push(expression),
                Err(error) => faults.push(
                    format!("{path}[{index}]"),
                    "a regular expression as Go has them (RE2)",
                    format!("{text:?}: {error}"),
                ),
            }
        }
        read
    };
    let allow = expressions("validation.manifests.urls.allow");
    let deny = expressions("validation.manifests.urls.deny");
    if allow.is_empty() && deny.is_empty() {
        ForeignUrls::None
    } else {
        ForeignUrls::Matching { allow, deny }
    }
}

fn children(root: &Section<'_>) -> Children {
    match root.text("validation.manifests.indexes.platforms").as_deref() {
        Some("none") => Children::None,
        Some("list") => {
            let items = root.items("validation.manifests.indexes.platformlist");
            let platform = |item: &Section<'_>| Platform {
                os: item.text("os").unwrap_or_default(),
                architecture: item.text("architecture").unwrap_or_default(),
            };
            match items.iter().map(platform).collect::<Vec<_>>() {
                // A list of none says nothing, as in distribution.
                platforms if platforms.is_empty() => Children::All,
                platforms => Children::Of(platforms),
            }
        }
        _ => Children::All,
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
