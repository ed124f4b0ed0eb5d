//! Content as the index knows it: what is kept of a manifest, and what pulls and pushes are counted by.

use std::str::FromStr;

use serde_json::Value;
use shared::oci::{Descriptor, Manifest, MediaType};

use super::image_config::ImageConfig;

/// Longest text of a column, in bytes; what is longer is cut.
const LONGEST_TEXT: usize = 2048;
/// Longest annotations of one manifest as JSON, in bytes; longer ones are left out.
const LONGEST_ANNOTATIONS: usize = 64 << 10;

/// What a manifest has a part for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Role {
    /// The configuration of an image, or of an artifact.
    Config,
    /// A layer.
    Layer,
    /// A manifest of an index.
    Manifest,
}

impl Role {
    /// The word that is stored and shown.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Config => "config",
            Self::Layer => "layer",
            Self::Manifest => "manifest",
        }
    }
}

/// A stored word that no version of this program writes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a part is config, layer or manifest")]
pub struct InvalidRole;

impl FromStr for Role {
    type Err = InvalidRole;

    fn from_str(text: &str) -> Result<Self, InvalidRole> {
        match text {
            "config" => Ok(Self::Config),
            "layer" => Ok(Self::Layer),
            "manifest" => Ok(Self::Manifest),
            _ => Err(InvalidRole),
        }
    }
}

/// What a manifest consists of: one descriptor of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Part {
    /// What for.
    pub role: Role,
    /// Its digest.
    pub digest: String,
    /// Its media type.
    pub media_type: String,
    /// Its size in bytes.
    pub size: i64,
    /// Of a manifest in an index: `os/architecture/variant`.
    pub platform: Option<String>,
    /// Of a layer: what made it, as the configuration tells.
    pub command: Option<String>,
}

impl Part {
    /// Whether the registry holds its bytes as a blob of the repository.
    pub fn is_blob(&self) -> bool {
        self.role != Role::Manifest && !MediaType::is_nondistributable_layer(&self.media_type)
    }
}

/// What is kept of a manifest that was read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Description {
    /// Its media type.
    pub media_type: String,
    /// Its own size in bytes.
    pub size: i64,
    /// The same with all that an image consists of; none of an index.
    pub content_size: Option<i64>,
    /// What an artifact calls itself.
    pub artifact_type: Option<String>,
    /// The manifest that it refers to.
    pub subject: Option<String>,
    /// `os/architecture/variant`, of an image.
    pub platform: Option<String>,
    /// What the configuration of an image says, as JSON.
    pub config: Option<String>,
    /// Its annotations, as JSON.
    pub annotations: Option<String>,
    /// Its parts in their order.
    pub parts: Vec<Part>,
}

/// Whether a configuration of this media type says what an image is.
pub fn is_image_config(media_type: &str) -> bool {
    matches!(
        media_type,
        "application/vnd.oci.image.config.v1+json" | "application/vnd.docker.container.image.v1+json"
    )
}

impl Description {
    /// What is kept of a manifest of `size` bytes; `config` are the bytes of its configuration, where they are known.
    pub fn new(manifest: &Manifest, size: usize, config: Option<&[u8]>) -> Self {
        let config = config.and_then(ImageConfig::parse);
        let mut commands = config
            .as_ref()
            .map(ImageConfig::commands)
            .unwrap_or_default()
            .into_iter();
        let config_part = manifest.config().map(|descriptor| part(Role::Config, descriptor));
        let layers = manifest.layers().iter().map(|descriptor| Part {
            command: commands.next().map(|text| clean(&text)),
            ..part(Role::Layer, descriptor)
        });
        let manifests = manifest
            .manifests()
            .iter()
            .map(|descriptor| part(Role::Manifest, descriptor));
        let parts: Vec<Part> = config_part.into_iter().chain(layers).chain(manifests).collect();
        let size = i64::try_from(size).unwrap_or(i64::MAX);
        let is_index = manifest.media_type().is_index();
        let content = parts.iter().fold(size, |sum, part| sum.saturating_add(part.size));
        let annotations = manifest
            .annotations()
            .filter(|annotations| !annotations.is_empty());
        let annotations = annotations.and_then(|annotations| serde_json::to_string(annotations).ok());
        // Images have no type of artifact but that of their configuration, which says nothing new.
        let artifact_type = manifest
            .artifact_type()
            .filter(|text| !is_image_config(text))
            .map(clean);
        Self {
            media_type: manifest.media_type().as_str().to_owned(),
            size,
            content_size: (!is_index).then_some(content),
            artifact_type,
            subject: manifest.subject().map(|subject| subject.digest.to_string()),
            platform: config
                .as_ref()
                .and_then(ImageConfig::platform)
                .map(|text| clean(&text)),
            config: config.map(|config| config.summary()),
            annotations: annotations.filter(|text| text.len() <= LONGEST_ANNOTATIONS),
            parts,
        }
    }
}

fn part(role: Role, descriptor: &Descriptor) -> Part {
    Part {
        role,
        digest: descriptor.digest.to_string(),
        media_type: clean(&descriptor.media_type),
        size: i64::try_from(descriptor.size).unwrap_or(i64::MAX),
        platform: descriptor
            .platform
            .as_ref()
            .and_then(platform)
            .map(|text| clean(&text)),
        command: None,
    }
}

/// `os/architecture/variant` of an object that names them.
pub(super) fn platform(object: &Value) -> Option<String> {
    let word = |key: &str| object[key].as_str().filter(|text| !text.is_empty());
    let (os, architecture) = (word("os")?, word("architecture")?);
    Some(match word("variant") {
        Some(variant) => format!("{os}/{architecture}/{variant}"),
        None => format!("{os}/{architecture}"),
    })
}

/// A text that every database takes, cut where it is too long.
pub fn clean(text: &str) -> String {
    let mut end = text.len().min(LONGEST_TEXT);
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    text[..end].replace('\0', "\u{fffd}")
}

/// What is counted by.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Dimension {
    /// The repository as a whole.
    Repository,
    /// A tag.
    Tag,
    /// A manifest.
    Digest,
    /// A platform of images.
    Platform,
    /// A kind of client.
    Client,
}

impl Dimension {
    /// The word that is stored and shown.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Repository => "repository",
            Self::Tag => "tag",
            Self::Digest => "digest",
            Self::Platform => "platform",
            Self::Client => "client",
        }
    }
}

/// A word is no dimension.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("counts are by repository, tag, digest, platform or client")]
pub struct InvalidDimension;

impl FromStr for Dimension {
    type Err = InvalidDimension;

    fn from_str(text: &str) -> Result<Self, InvalidDimension> {
        match text {
            "repository" => Ok(Self::Repository),
            "tag" => Ok(Self::Tag),
            "digest" => Ok(Self::Digest),
            "platform" => Ok(Self::Platform),
            "client" => Ok(Self::Client),
            _ => Err(InvalidDimension),
        }
    }
}

/// What `User-Agent`s of clients hold, and what the client is called. The first that fits counts.
const CLIENTS: [(&str, &str); 19] = [
    ("cri-o", "cri-o"),
    ("buildkit", "buildkit"),
    ("containerd", "containerd"),
    ("docker", "docker"),
    ("skopeo", "skopeo"),
    ("buildah", "buildah"),
    ("podman", "podman"),
    ("libpod", "podman"),
    // Podman, skopeo and buildah themselves say no more than the library that they share.
    ("containers/", "containers"),
    ("kaniko", "kaniko"),
    ("crane", "crane"),
    ("cosign", "cosign"),
    ("go-containerregistry", "go-containerregistry"),
    ("oras", "oras"),
    ("helm", "helm"),
    ("trivy", "trivy"),
    ("renovate", "renovate"),
    ("curl", "curl"),
    ("portolan", "portolan"),
];

/// The kind of client behind a `User-Agent`: one of a few words, so that nobody makes more of them.
pub fn client_kind(user_agent: &str) -> &'static str {
    let lower = user_agent.to_ascii_lowercase();
    CLIENTS
        .iter()
        .find(|(mark, _)| lower.contains(mark))
        .map_or("other", |(_, kind)| kind)
}

#[cfg(test)]
mod tests {
    use serde_json::json;
    use shared::oci::{Algorithm, Digest};

    use super::*;

    fn descriptor(media_type: &str, size: u64) -> Value {
        json!({"mediaType": media_type, "size": size, "digest": Digest::of(Algorithm::Sha256, &size.to_be_bytes())})
    }

    fn read(document: &Value, config: Option<&Value>) -> Description {
        let bytes = serde_json::to_vec(document).unwrap();
        let manifest = Manifest::parse(&bytes, None).unwrap();
        let config = config.map(|config| serde_json::to_vec(config).unwrap());
        Description::new(&manifest, 100, config.as_deref())
    }

    #[test]
    fn an_image_is_described_by_its_manifest_and_its_configuration() {
        let document = json!({
            "schemaVersion": 2, "mediaType": MediaType::OciManifest.as_str(), "annotations": {"a": "b"},
            "config": descriptor("application/vnd.oci.image.config.v1+json", 7),
            "layers": [descriptor("application/vnd.oci.image.layer.v1.tar+gzip", 30),
                descriptor("application/vnd.oci.image.layer.v1.tar+gzip", 40)],
        });
        let config = json!({
            "os": "linux", "architecture": "arm64", "variant": "v8",
            "history": [{"created_by": "ADD rootfs"}, {"created_by": "ENV A=b", "empty_layer": true},
                {"created_by": "RUN\u{0} make"}],
        });
        let found = read(&document, Some(&config));
        assert_eq!(found.platform.as_deref(), Some("linux/arm64/v8"));
        assert_eq!((found.size, found.content_size), (100, Some(177)));
        assert_eq!(found.annotations.as_deref(), Some(r#"{"a":"b"}"#));
        assert_eq!(found.artifact_type, None);
        let parts: Vec<_> = found
            .parts
            .iter()
            .map(|part| (part.role, part.size, part.command.as_deref()))
            .collect();
        assert_eq!(
            parts,
            [
                (Role::Config, 7, None),
                (Role::Layer, 30, Some("ADD rootfs")),
                (Role::Layer, 40, Some("RUN\u{fffd} make"))
            ]
        );
        let bare = read(&document, None);
        assert_eq!((bare.platform, bare.config), (None, None));
        assert_eq!(bare.parts.len(), 3);
    }

    #[test]
    fn an_index_has_its_manifests_and_an_artifact_its_type_and_subject() {
        let mut child = descriptor(MediaType::OciManifest.as_str(), 9);
        child["platform"] = json!({"os": "linux", "architecture": "amd64"});
        let index =
            json!({"schemaVersion": 2, "mediaType": MediaType::OciIndex.as_str(), "manifests": [child]});
        let found = read(&index, None);
        assert_eq!(found.content_size, None);
        assert_eq!(found.parts[0].role, Role::Manifest);
        assert_eq!(found.parts[0].platform.as_deref(), Some("linux/amd64"));
        let artifact = json!({
            "schemaVersion": 2, "mediaType": MediaType::OciManifest.as_str(), "artifactType": "text/sbom",
            "config": descriptor("application/vnd.oci.empty.v1+json", 2), "layers": [],
            "subject": descriptor(MediaType::OciManifest.as_str(), 9),
        });
        let found = read(&artifact, None);
        assert_eq!(found.artifact_type.as_deref(), Some("text/sbom"));
        assert!(found.subject.is_some());
    }

    #[test]
    fn clients_are_told_apart_by_a_few_words() {
        for (user_agent, kind) in [
            (
                "docker/27.3.1 go/go1.22.7 git-commit/41ca978 kernel/6 os/linux arch/amd64 UpstreamClient(Docker-Client/27.3.1 \\(linux\\))",
                "docker",
            ),
            ("containerd/1.7.12", "containerd"),
            ("buildkit/v0.17", "buildkit"),
            ("containers/5.29.2 (github.com/containers/image)", "containers"),
            ("skopeo/1.9.3", "skopeo"),
            ("cri-o/1.30 go/go1.22 os/linux arch/amd64", "cri-o"),
            ("Mozilla/5.0", "other"),
            ("", "other"),
        ] {
            assert_eq!(client_kind(user_agent), kind, "{user_agent}");
        }
    }

    #[test]
    fn a_long_text_is_cut_between_characters() {
        assert_eq!(clean(&"界".repeat(1000)).len(), 2046);
    }
}
