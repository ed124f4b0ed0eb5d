//! A manifest as pages show it.

use serde_json::{Map, Value};
use shared::oci::MediaType;

use super::chart::{Share, shares};
use crate::app::content::ManifestNode;
use crate::domain::content::Role;

/// The platform that builders give to statements about images.
const NO_PLATFORM: &str = "unknown/unknown";
/// What images say about themselves, and how pages call it, in the order in which it is shown.
const SETTINGS: [(&str, &str); 7] = [
    ("entrypoint", "tag-entrypoint"),
    ("cmd", "tag-cmd"),
    ("working_dir", "tag-working-dir"),
    ("user", "tag-user"),
    ("stop_signal", "tag-stop-signal"),
    ("created", "tag-built"),
    ("author", "tag-author"),
];
/// The same for what there are several of.
const LISTS: [(&str, &str); 3] = [
    ("env_names", "tag-env"),
    ("exposed_ports", "tag-ports"),
    ("volumes", "tag-volumes"),
];

/// A layer.
#[derive(Debug)]
pub(super) struct Layer {
    pub(super) number: usize,
    pub(super) digest: String,
    pub(super) size: i64,
    pub(super) command: String,
    pub(super) share: Share,
}

/// Something that is said, with what it is called.
#[derive(Debug)]
pub(super) struct Said {
    pub(super) key: String,
    pub(super) value: String,
}

impl Said {
    /// Whether it is an address that can be followed.
    pub(super) fn is_link(&self) -> bool {
        let is_web = self.value.starts_with("https://") || self.value.starts_with("http://");
        is_web && !self.value.contains(char::is_whitespace)
    }
}

/// A manifest that an index has.
#[derive(Debug)]
pub(super) struct Child {
    pub(super) digest: String,
    pub(super) platform: String,
    pub(super) size: i64,
    pub(super) layers: usize,
    pub(super) pulls: i64,
    /// Whether the repository has it.
    pub(super) is_here: bool,
    pub(super) is_shown: bool,
}

/// A manifest alone.
#[derive(Debug)]
pub(super) struct Image {
    pub(super) media_type: String,
    pub(super) artifact_type: Option<String>,
    pub(super) subject: Option<String>,
    pub(super) platform: Option<String>,
    pub(super) size: i64,
    pub(super) is_read: bool,
    pub(super) is_index: bool,
    pub(super) layers: Vec<Layer>,
    /// Bytes of the layers together.
    pub(super) layer_bytes: i64,
    /// Bytes of the largest layer.
    pub(super) largest: i64,
    /// Keys of texts with what the configuration says.
    pub(super) settings: Vec<(&'static str, String)>,
    pub(super) lists: Vec<(&'static str, Vec<String>)>,
    pub(super) labels: Vec<Said>,
    pub(super) annotations: Vec<Said>,
}

impl Image {
    pub(super) fn new(node: &ManifestNode) -> Self {
        let description = &node.manifest.description;
        let parts = description.parts.iter();
        let found: Vec<_> = parts.filter(|part| part.role == Role::Layer).collect();
        let is_image = description.config.is_some();
        let sizes: Vec<i64> = found.iter().map(|part| part.size).collect();
        let layers = found.into_iter().zip(shares(&sizes)).zip(1..);
        let layers = layers.map(|((part, share), number)| Layer {
            number,
            digest: part.digest.clone(),
            size: part.size,
            command: match &part.command {
                Some(command) => tidy(command),
                // Of an artifact nobody asks what made it, but what it is.
                None if !is_image => part.media_type.clone(),
                None => String::new(),
            },
            share,
        });
        let config = object(description.config.as_deref());
        let is_index = MediaType::find(&description.media_type).is_some_and(MediaType::is_index);
        Self {
            media_type: description.media_type.clone(),
            artifact_type: description.artifact_type.clone(),
            subject: description.subject.clone(),
            platform: description.platform.clone(),
            size: description.content_size.unwrap_or(description.size),
            is_read: node.manifest.is_read,
            is_index,
            layers: layers.collect(),
            layer_bytes: sizes.iter().fold(0, |sum, size| sum.saturating_add(*size)),
            largest: sizes.iter().copied().max().unwrap_or(0),
            settings: SETTINGS
                .into_iter()
                .filter_map(|(key, shown)| Some((shown, text(config.get(key)?)?)))
                .collect(),
            lists: LISTS
                .into_iter()
                .map(|(key, shown)| (shown, words(config.get(key))))
                .filter(|(_, words)| !words.is_empty())
                .collect(),
            labels: said(config.get("labels")),
            annotations: said(Some(&Value::Object(object(description.annotations.as_deref())))),
        }
    }
}

/// The manifests of an index, without statements about them; nothing for anything else.
pub(super) fn children(index: &ManifestNode, shown: Option<usize>) -> Vec<Child> {
    let shown = shown.and_then(|place| index.children.get(place));
    let shown = shown.map(|child| child.manifest.digest.as_str());
    let parts = index.manifest.description.parts.iter();
    let manifests = parts.filter(|part| part.role == Role::Manifest);
    manifests
        .filter_map(|part| {
            let held = index
                .children
                .iter()
                .find(|child| child.manifest.digest == part.digest);
            let description = held.map(|child| &child.manifest.description);
            let own = description.and_then(|one| one.platform.clone());
            let platform = part.platform.clone().or(own).unwrap_or_default();
            let layers = description
                .into_iter()
                .flat_map(|one| &one.parts)
                .filter(|part| part.role == Role::Layer);
            let total = held.and_then(|child| child.total.as_ref());
            (platform != NO_PLATFORM).then(|| Child {
                digest: part.digest.clone(),
                platform,
                size: description.and_then(|one| one.content_size).unwrap_or(part.size),
                layers: layers.count(),
                pulls: total.map_or(0, |total| total.pull_count),
                is_here: held.is_some(),
                is_shown: shown == Some(part.digest.as_str()),
            })
        })
        .collect()
}

/// A command as a Dockerfile has it, without what builders add.
pub(super) fn tidy(command: &str) -> String {
    let command = command.trim();
    let command = command.strip_suffix("# buildkit").map_or(command, str::trim_end);
    if let Some(rest) = command.strip_prefix("/bin/sh -c #(nop)") {
        return rest.trim_start().to_owned();
    }
    match command.strip_prefix("/bin/sh -c ") {
        Some(rest) => format!("RUN {}", rest.trim_start()),
        None => match command.strip_prefix("RUN /bin/sh -c ") {
            Some(rest) => format!("RUN {}", rest.trim_start()),
            None => command.to_owned(),
        },
    }
}

fn object(text: Option<&str>) -> Map<String, Value> {
    match text.map(serde_json::from_str) {
        Some(Ok(Value::Object(map))) => map,
        _ => Map::new(),
    }
}

/// A word as it is; a list as JSON, as Dockerfiles have it.
fn text(value: &Value) -> Option<String> {
    match value {
        Value::String(text) if !text.is_empty() => Some(text.clone()),
        Value::Array(list) if !list.is_empty() => Some(value.to_string()),
        _ => None,
    }
}

fn words(value: Option<&Value>) -> Vec<String> {
    let list = value.and_then(Value::as_array);
    let words = list.into_iter().flatten().filter_map(Value::as_str);
    words.map(str::to_owned).collect()
}

fn said(value: Option<&Value>) -> Vec<Said> {
    let map = value.and_then(Value::as_object);
    let texts = map.into_iter().flatten();
    let said = texts.filter_map(|(key, value)| {
        Some(Said {
            key: key.clone(),
            value: value.as_str()?.to_owned(),
        })
    });
    said.collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn commands_are_shown_as_a_dockerfile_has_them() {
        for (command, shown) in [
            ("/bin/sh -c #(nop) ADD file:abc in / ", "ADD file:abc in /"),
            ("/bin/sh -c apk add curl", "RUN apk add curl"),
            ("RUN /bin/sh -c apk add curl # buildkit", "RUN apk add curl"),
            ("COPY a b # buildkit", "COPY a b"),
            ("", ""),
        ] {
            assert_eq!(tidy(command), shown);
        }
    }

    #[test]
    fn only_addresses_of_the_web_are_followed() {
        for (value, expected) in [
            ("https://example.com/a", true),
            ("http://example.com", true),
            ("javascript:alert(1)", false),
            ("https://example.com <script>", false),
            ("data:text/html,x", false),
        ] {
            let said = Said {
                key: String::new(),
                value: value.to_owned(),
            };
            assert_eq!(said.is_link(), expected, "{value}");
        }
    }
}
